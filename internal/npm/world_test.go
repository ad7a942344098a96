package npm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1" //nolint:gosec // npm's shasum
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"pakhus/internal/auth"
	"pakhus/internal/blob"
	"pakhus/internal/httpapi"
	"pakhus/internal/npm"
	"pakhus/internal/registry"
	"pakhus/internal/store"
	"pakhus/internal/worldtest"
)

// world is a ready registry that speaks npm.
type world struct {
	t     testing.TB
	ready *worldtest.World

	server   *httpapi.Server
	packages *registry.Service
	tokens   *auth.Service
	store    *store.Store
	bucket   *blob.Bucket
	clock    *worldtest.Clock

	read, write, group, foreign, ann string // secrets
}

const externalURL = "http://registry.test"

// demo is the registry address of acme/demo, below the server.
const demo = "/api/v4/projects/1/packages/npm"

func newWorld(t testing.TB, change ...func(*npm.Options)) *world {
	t.Helper()
	ready := worldtest.New(t, worldtest.SQLite(t))
	signer, err := npm.NewSigner([]byte("a secret that only this test knows"))
	check(t, err)
	options := npm.Options{ExternalURL: externalURL, Signer: signer}
	for _, f := range change {
		f(&options)
	}
	handler, err := npm.New(ready.Packages, ready.Tokens, options)
	check(t, err)
	ready.Serve(t, externalURL, httpapi.Options{Rewrite: handler.Rewrite, Protocols: []httpapi.Protocol{handler}})
	return &world{
		t: t, ready: ready, server: ready.Server, packages: ready.Packages, tokens: ready.Tokens, store: ready.Store, bucket: ready.Bucket, clock: ready.Clock,
		read: ready.Read, write: ready.Write, group: ready.Group, foreign: ready.Foreign, ann: ready.Ann,
	}
}

var by = worldtest.By

func (w *world) token(n auth.NewDeployToken) string {
	w.t.Helper()
	return w.ready.Token(w.t, n)
}

func check(t testing.TB, err error) {
	t.Helper()
	worldtest.Check(t, err)
}

// answer is a response with its body read.
type answer struct {
	*httptest.ResponseRecorder
}

// field gives a part of a JSON answer by its path.
func (a answer) field(t testing.TB, path ...string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(a.Body.Bytes(), &value); err != nil {
		t.Fatalf("answer %d is not JSON: %v\n%s", a.Code, err, a.Body)
	}
	for _, key := range path {
		object, ok := value.(map[string]any)
		if !ok {
			t.Fatalf("no object at %q in %s", key, a.Body)
		}
		value = object[key]
	}
	return value
}

// call sends a request; body may be nil, []byte, string or a value for JSON.
func (w *world) call(method, target, token string, body any, header ...string) answer {
	w.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		r = bytes.NewReader(b)
	case string:
		r = strings.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		check(w.t, err)
		r = bytes.NewReader(encoded)
	}
	request := httptest.NewRequest(method, target, r)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return w.send(request)
}

func (w *world) send(r *http.Request) answer {
	recorder := httptest.NewRecorder()
	w.server.ServeHTTP(recorder, r)
	return answer{recorder}
}

// want fails the test unless the answer has the status.
func (w *world) want(a answer, status int) answer {
	w.t.Helper()
	if a.Code != status {
		w.t.Fatalf("status = %d, want %d\n%s", a.Code, status, a.Body)
	}
	return a
}

// object is a JSON object in the making.
type object = map[string]any

// pkg is a package to publish.
type pkg struct {
	name, version string
	tag           string         // latest when empty
	manifest      object         // further fields of package.json
	inner         map[string]any // package.json in the archive; the manifest when nil
	tarball       []byte         // made when nil
}

func (p pkg) packageJSON() object {
	m := object{"name": p.name, "version": p.version}
	maps.Copy(m, p.manifest)
	return m
}

func (p pkg) archive(t testing.TB) []byte {
	t.Helper()
	if p.tarball != nil {
		return p.tarball
	}
	inner := p.inner
	if inner == nil {
		inner = p.packageJSON()
	}
	encoded, err := json.Marshal(inner)
	check(t, err)
	return tarball(t, append([]entry{{"package/package.json", string(encoded)}}, entry{"package/index.js", "module.exports = 1\n"})...)
}

type entry struct{ name, body string }

func tarball(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buffer bytes.Buffer
	zipped := gzip.NewWriter(&buffer)
	archive := tar.NewWriter(zipped)
	for _, e := range entries {
		check(t, archive.WriteHeader(&tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.body)), Typeflag: tar.TypeReg}))
		_, err := archive.Write([]byte(e.body))
		check(t, err)
	}
	check(t, archive.Close())
	check(t, zipped.Close())
	return buffer.Bytes()
}

// body is the document that npm publish sends.
func (p pkg) body(t testing.TB) object {
	t.Helper()
	data := p.archive(t)
	sum1, sum512 := sha1.Sum(data), sha512.Sum512(data) //nolint:gosec // npm's shasum
	manifest := p.packageJSON()
	manifest["_id"] = p.name + "@" + p.version
	manifest["dist"] = object{
		"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum512[:]), "shasum": hex.EncodeToString(sum1[:]),
		"tarball": "http://elsewhere.test/x.tgz",
	}
	tag := p.tag
	if tag == "" {
		tag = "latest"
	}
	return object{
		"_id": p.name, "name": p.name, "dist-tags": object{tag: p.version}, "versions": object{p.version: manifest}, "access": nil,
		"_attachments": object{p.name + "-" + p.version + ".tgz": object{
			"content_type": "application/octet-stream", "data": base64.StdEncoding.EncodeToString(data), "length": len(data),
		}},
	}
}

// publish publishes into acme/demo and insists on success.
func (w *world) publish(p pkg) {
	w.t.Helper()
	w.want(w.call(http.MethodPut, demo+"/"+escape(p.name), w.write, p.body(w.t)), http.StatusOK)
}

func escape(name string) string { return strings.Replace(name, "/", "%2f", 1) }

// versions lists the versions of a packument, sorted.
func versions(t testing.TB, a answer) []string {
	t.Helper()
	all, ok := a.field(t, "versions").(map[string]any)
	if !ok {
		t.Fatalf("no versions in %s", a.Body)
	}
	return slices.Sorted(maps.Keys(all))
}
