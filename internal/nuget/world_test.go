package nuget

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pakhus/internal/auth"
	"pakhus/internal/httpapi"
	"pakhus/internal/registry"
	"pakhus/internal/store"
	"pakhus/internal/worldtest"
)

// world is a ready registry that speaks NuGet.
type world struct {
	t     testing.TB
	ready *worldtest.World

	server   *httpapi.Server
	packages *registry.Service
	tokens   *auth.Service
	store    *store.Store
	clock    *worldtest.Clock

	read, write, group, foreign, ann string // secrets
}

const externalURL = "http://registry.test"

// challenge is what makes clients send their credential.
const challenge = `Basic realm="GitLab Packages Registry"`

// demo is the feed of acme/demo, and acme that of the group.
const (
	demo = "/api/v4/projects/1/packages/nuget"
	lib  = "/api/v4/projects/2/packages/nuget"
	acme = "/api/v4/groups/1/-/packages/nuget"
)

func newWorld(t testing.TB, change ...func(*Options)) *world {
	t.Helper()
	return newWorldOn(t, worldtest.SQLite(t), change...)
}

func newWorldOn(t testing.TB, database string, change ...func(*Options)) *world {
	t.Helper()
	ready := worldtest.New(t, database)
	options := Options{ExternalURL: externalURL}
	for _, f := range change {
		f(&options)
	}
	handler, err := New(ready.Packages, options)
	check(t, err)
	ready.Serve(t, options.ExternalURL, httpapi.Options{Protocols: []httpapi.Protocol{handler}})
	return &world{
		t: t, ready: ready, server: ready.Server, packages: ready.Packages, tokens: ready.Tokens, store: ready.Store, clock: ready.Clock,
		read: ready.Read, write: ready.Write, group: ready.Group, foreign: ready.Foreign, ann: ready.Ann,
	}
}

var by = worldtest.By

// set sets a setting of a project.
func (w *world) set(projectID int64, key, value string) {
	w.t.Helper()
	w.ready.Set(w.t, registry.Span{ProjectID: projectID}, key, value)
}

func check(t testing.TB, err error) {
	t.Helper()
	worldtest.Check(t, err)
}

// answer is a response with its body read.
type answer struct {
	*httptest.ResponseRecorder
}

// field gives a part of a JSON answer by its path; a number is an index.
func (a answer) field(t testing.TB, path ...any) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(a.Body.Bytes(), &value); err != nil {
		t.Fatalf("answer %d is not JSON: %v\n%s", a.Code, err, a.Body)
	}
	for _, step := range path {
		switch key := step.(type) {
		case string:
			object, ok := value.(map[string]any)
			if !ok {
				t.Fatalf("no object at %q in %s", key, a.Body)
			}
			value = object[key]
		case int:
			list, ok := value.([]any)
			if !ok || key >= len(list) {
				t.Fatalf("no item %d in %s", key, a.Body)
			}
			value = list[key]
		}
	}
	return value
}

// texts gives a list of strings in a JSON answer.
func (a answer) texts(t testing.TB, path ...any) []string {
	t.Helper()
	list, ok := a.field(t, path...).([]any)
	if !ok {
		t.Fatalf("no list at %v in %s", path, a.Body)
	}
	out := []string{}
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			t.Fatalf("%v is no text", item)
		}
		out = append(out, text)
	}
	return out
}

// call sends a request; target is below the server.
func (w *world) call(method, target, token string, body io.Reader, header ...string) answer {
	w.t.Helper()
	request := httptest.NewRequest(method, target, body)
	if token != "" {
		request.Header.Set("X-NuGet-ApiKey", token)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	w.server.ServeHTTP(recorder, request)
	return answer{recorder}
}

// get reads what a token may read, below a feed.
func (w *world) get(feed, path, token string, header ...string) answer {
	w.t.Helper()
	return w.call(http.MethodGet, feed+path, token, nil, header...)
}

// want fails the test unless the answer has the status.
func (w *world) want(a answer, status int) answer {
	w.t.Helper()
	if a.Code != status {
		w.t.Fatalf("status = %d, want %d\n%s", a.Code, status, a.Body)
	}
	return a
}

// push sends a package as clients do: a form, in pieces.
func (w *world) push(target, token string, body []byte, header ...string) answer {
	w.t.Helper()
	form, contentType := form(w.t, body)
	return w.call(http.MethodPut, target, token, form, append([]string{"Content-Type", contentType}, header...)...)
}

// publish pushes a package into acme/demo and insists on success.
func (w *world) publish(spec nupkgSpec) []byte {
	w.t.Helper()
	body := buildNupkg(w.t, spec)
	w.want(w.push(demo+"/", w.write, body), http.StatusCreated)
	return body
}

// form is a body with one part.
func form(t testing.TB, body []byte) (io.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	writer := multipart.NewWriter(&b)
	part, err := writer.CreateFormFile("package", "package.nupkg")
	check(t, err)
	_, err = part.Write(body)
	check(t, err)
	check(t, writer.Close())
	return struct{ io.Reader }{&b}, writer.FormDataContentType() // a plain reader: sent in pieces, without a length
}

func basicHeader(user, secret string) string {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth(user, secret)
	return r.Header.Get("Authorization")
}

func joined(list []string) string { return strings.Join(list, " ") }
