package npm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha1" //nolint:gosec // npm's shasum
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/blob"
	"pakhus/internal/httpapi"
	"pakhus/internal/npm"
	"pakhus/internal/registry"
	"pakhus/internal/store"
)

// world is a whole registry on SQLite and a bucket in memory, with the group
// acme (1), its project acme/demo (1), the sub-group acme/team (2) with
// acme/team/lib (2), and the foreign project other/app (3).
type world struct {
	t        testing.TB
	server   *httpapi.Server
	packages *registry.Service
	tokens   *auth.Service
	store    *store.Store
	bucket   *blob.Bucket
	clock    *clock
	read     string // deploy token of acme/demo with read scope
	write    string // deploy token of acme/demo with write scope
	group    string // deploy token of acme with write scope
	foreign  string // deploy token of other/app with write scope
	ann      string // personal access token of ann, developer of acme
}

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond) // no two events at one instant
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const externalURL = "http://registry.test"

// demo is the registry address of acme/demo, below the server.
const demo = "/api/v4/projects/1/packages/npm"

func newWorld(t testing.TB, change ...func(*npm.Options)) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, clock: &clock{now: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}}
	var err error
	w.store, err = store.Open(ctx, store.Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "registry.db"), Clock: w.clock.Now})
	check(t, err)
	t.Cleanup(func() { check(t, w.store.Close()) })
	check(t, w.store.Migrate(ctx))
	w.bucket, err = blob.Open(ctx, blob.Options{URL: "mem://"})
	check(t, err)
	t.Cleanup(func() { check(t, w.bucket.Close()) })
	w.packages = registry.New(w.store, w.bucket, registry.Options{Clock: w.clock.Now, SpoolDir: t.TempDir()})
	w.tokens = auth.New(w.store, auth.Options{Clock: w.clock.Now})
	w.store.Subscribe(w.packages)
	w.store.Subscribe(w.tokens)
	signer, err := npm.NewSigner([]byte("a secret that only this test knows"))
	check(t, err)
	options := npm.Options{ExternalURL: externalURL, Signer: signer}
	for _, f := range change {
		f(&options)
	}
	handler, err := npm.New(w.packages, w.tokens, options)
	check(t, err)
	external, err := url.Parse(externalURL)
	check(t, err)
	w.server = httpapi.New(httpapi.Options{
		Log: slog.New(slog.DiscardHandler), ExternalURL: external, Authenticate: w.tokens.Middleware, Rewrite: handler.Rewrite, Protocols: []httpapi.Protocol{handler},
	})
	w.populate(ctx)
	return w
}

var by = registry.Actor{Kind: "command", Name: "test"}

func (w *world) populate(ctx context.Context) {
	for _, path := range []string{"acme", "acme/team", "other"} {
		_, err := w.packages.CreateGroup(ctx, registry.NewGroup{FullPath: path}, by)
		check(w.t, err)
	}
	for _, path := range []string{"acme/demo", "acme/team/lib", "other/app"} {
		_, err := w.packages.CreateProject(ctx, registry.NewProject{FullPath: path}, by)
		check(w.t, err)
	}
	w.read = w.token(auth.NewDeployToken{Name: "read", Scopes: auth.ReadPackageRegistry, ProjectID: 1})
	w.write = w.token(auth.NewDeployToken{Name: "write", Scopes: auth.WritePackageRegistry, ProjectID: 1})
	w.group = w.token(auth.NewDeployToken{Name: "group", Scopes: auth.WritePackageRegistry, GroupID: 1})
	w.foreign = w.token(auth.NewDeployToken{Name: "foreign", Scopes: auth.WritePackageRegistry, ProjectID: 3})
	ann, err := w.tokens.CreateUser(ctx, auth.NewUser{Username: "ann", Password: auth.NewSecret("correct horse")}, by)
	check(w.t, err)
	check(w.t, w.tokens.SetMember(ctx, "ann", registry.Span{GroupID: 1}, auth.Developer, by))
	_, secret, err := w.tokens.CreatePersonalToken(ctx, ann.ID, "cli", []string{auth.ScopeAPI}, time.Time{}, by)
	check(w.t, err)
	w.ann = secret.Reveal()
}

func (w *world) token(n auth.NewDeployToken) string {
	w.t.Helper()
	_, secret, err := w.tokens.CreateDeployToken(w.t.Context(), n, by)
	check(w.t, err)
	return secret.Reveal()
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
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
