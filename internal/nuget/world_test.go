package nuget

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/blob"
	"pakhus/internal/httpapi"
	"pakhus/internal/registry"
	"pakhus/internal/store"
)

// world is a whole registry on SQLite and a bucket in memory, with the group
// acme (1), its project acme/demo (1), the sub-group acme/team (2) with
// acme/team/lib (2), the foreign project other/app (3), and the public project
// other/open (4).
type world struct {
	t        testing.TB
	server   *httpapi.Server
	packages *registry.Service
	tokens   *auth.Service
	store    *store.Store
	clock    *clock
	read     string // deploy token of acme/demo with read scope
	write    string // deploy token of acme/demo with write scope
	group    string // deploy token of acme with write scope
	foreign  string // deploy token of other with write scope
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
	return newWorldOn(t, "sqlite://"+filepath.Join(t.TempDir(), "registry.db"), change...)
}

func newWorldOn(t testing.TB, database string, change ...func(*Options)) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, clock: &clock{now: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}}
	var err error
	w.store, err = store.Open(ctx, store.Options{URL: database, Clock: w.clock.Now})
	check(t, err)
	t.Cleanup(func() { check(t, w.store.Close()) })
	check(t, w.store.Migrate(ctx))
	bucket, err := blob.Open(ctx, blob.Options{URL: "mem://"})
	check(t, err)
	t.Cleanup(func() { check(t, bucket.Close()) })
	w.packages = registry.New(w.store, bucket, registry.Options{Clock: w.clock.Now, SpoolDir: t.TempDir()})
	w.tokens = auth.New(w.store, auth.Options{Clock: w.clock.Now})
	w.store.Subscribe(w.packages)
	w.store.Subscribe(w.tokens)
	options := Options{ExternalURL: externalURL}
	for _, f := range change {
		f(&options)
	}
	handler, err := New(w.packages, options)
	check(t, err)
	external, err := url.Parse(options.ExternalURL)
	check(t, err)
	w.server = httpapi.New(httpapi.Options{
		Log: slog.New(slog.DiscardHandler), ExternalURL: external, Authenticate: w.tokens.Middleware, Protocols: []httpapi.Protocol{handler},
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
	_, err := w.packages.CreateProject(ctx, registry.NewProject{FullPath: "other/open", Visibility: registry.Public}, by)
	check(w.t, err)
	w.read = w.token(auth.NewDeployToken{Name: "read", Scopes: auth.ReadPackageRegistry, ProjectID: 1})
	w.write = w.token(auth.NewDeployToken{Name: "write", Username: "writer", Scopes: auth.WritePackageRegistry, ProjectID: 1})
	w.group = w.token(auth.NewDeployToken{Name: "group", Scopes: auth.WritePackageRegistry, GroupID: 1})
	w.foreign = w.token(auth.NewDeployToken{Name: "foreign", Scopes: auth.WritePackageRegistry, GroupID: 3})
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

// set sets a setting of a project.
func (w *world) set(projectID int64, key, value string) {
	w.t.Helper()
	check(w.t, w.packages.SaveSetting(w.t.Context(), registry.Span{ProjectID: projectID}, key, &value, by))
}

func basicHeader(user, secret string) string {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth(user, secret)
	return r.Header.Get("Authorization")
}

func joined(list []string) string { return strings.Join(list, " ") }
