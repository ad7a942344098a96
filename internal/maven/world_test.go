package maven_test

import (
	"bytes"
	"context"
	"crypto/md5"  //nolint:gosec // clients ask for it
	"crypto/sha1" //nolint:gosec // clients ask for it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
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
	"pakhus/internal/maven"
	"pakhus/internal/pgtest"
	"pakhus/internal/registry"
	"pakhus/internal/store"
)

// world is a whole registry on a database and a bucket in memory, with the group
// acme (1), its private project acme/demo (1), the sub-group acme/team (2) with
// acme/team/lib (2), the foreign project other/app (3), and the public project
// acme/open (4).
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
	foreign  string // deploy token of other/app with write scope
	expired  string // deploy token of acme/demo that has expired
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

const (
	demo      = "/api/v4/projects/1/packages/maven"
	lib       = "/api/v4/projects/2/packages/maven"
	open      = "/api/v4/projects/4/packages/maven"
	acmeGroup = "/api/v4/groups/1/-/packages/maven"
	instance  = "/api/v4/packages/maven"
)

// newWorld makes one on SQLite.
func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, newSQLite(t))
}

// onEach runs a test on each database. It is for what the database has a part in:
// who wins, what is ordered, what is due. Everything else has SQLite alone.
func onEach(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, newWorld(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, newWorldOn(t, pgtest.NewFrom(t, "maven", migrate))) })
}

func newSQLite(t testing.TB) string {
	t.Helper()
	databaseURL := "sqlite://" + filepath.Join(t.TempDir(), "registry.db")
	check(t, migrate(databaseURL))
	return databaseURL
}

func migrate(databaseURL string) error {
	s, err := store.Open(context.Background(), store.Options{URL: databaseURL})
	if err != nil {
		return err
	}
	return errors.Join(s.Migrate(context.Background()), s.Close())
}

func newWorldOn(t testing.TB, databaseURL string) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, clock: &clock{now: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}}
	var err error
	w.store, err = store.Open(ctx, store.Options{URL: databaseURL, Clock: w.clock.Now})
	check(t, err)
	t.Cleanup(func() { check(t, w.store.Close()) })
	bucket, err := blob.Open(ctx, blob.Options{URL: "mem://"})
	check(t, err)
	t.Cleanup(func() { check(t, bucket.Close()) })
	w.packages = registry.New(w.store, bucket, registry.Options{Clock: w.clock.Now, SpoolDir: t.TempDir()})
	w.tokens = auth.New(w.store, auth.Options{Clock: w.clock.Now})
	w.store.Subscribe(w.packages)
	w.store.Subscribe(w.tokens)
	handler, err := maven.New(w.packages, maven.Options{})
	check(t, err)
	external, err := url.Parse("http://registry.test")
	check(t, err)
	w.server = httpapi.New(httpapi.Options{
		Log: slog.New(slog.DiscardHandler), ExternalURL: external, Authenticate: w.tokens.Middleware, Protocols: []httpapi.Protocol{handler},
	})
	w.populate(ctx)
	return w
}

var spanOfDemo = registry.Span{ProjectID: 1}

var by = registry.Actor{Kind: "command", Name: "test"}

func (w *world) populate(ctx context.Context) {
	for _, path := range []string{"acme", "acme/team", "other"} {
		_, err := w.packages.CreateGroup(ctx, registry.NewGroup{FullPath: path}, by)
		check(w.t, err)
	}
	for _, p := range []registry.NewProject{
		{FullPath: "acme/demo"}, {FullPath: "acme/team/lib"}, {FullPath: "other/app"}, {FullPath: "acme/open", Visibility: registry.Public},
	} {
		_, err := w.packages.CreateProject(ctx, p, by)
		check(w.t, err)
	}
	w.read = w.token(auth.NewDeployToken{Name: "read", Scopes: auth.ReadPackageRegistry, ProjectID: 1})
	w.write = w.token(auth.NewDeployToken{Name: "write", Scopes: auth.WritePackageRegistry, ProjectID: 1})
	w.group = w.token(auth.NewDeployToken{Name: "group", Scopes: auth.WritePackageRegistry, GroupID: 1})
	w.foreign = w.token(auth.NewDeployToken{Name: "foreign", Scopes: auth.WritePackageRegistry, ProjectID: 3})
	w.expired = w.token(auth.NewDeployToken{Name: "expired", Scopes: auth.WritePackageRegistry, ProjectID: 1, ExpiresAt: w.clock.Now().Add(-time.Hour)})
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

func (w *world) set(at registry.Span, key, value string) {
	w.t.Helper()
	check(w.t, w.packages.SaveSetting(w.t.Context(), at, key, &value, by))
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// call sends a request as a deploy token, by the header that Maven sends.
func (w *world) call(method, target, token, body string, header ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	var r io.Reader
	if body != "" || method == http.MethodPut {
		r = strings.NewReader(body)
	}
	request := httptest.NewRequest(method, target, r)
	if token != "" {
		request.Header.Set("Deploy-Token", token)
	}
	request.Header.Set("Accept", "application/problem+json,*/*") // as resolvers ask since 1.9.24
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return w.send(request)
}

func (w *world) send(r *http.Request) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	w.server.ServeHTTP(recorder, r)
	// Whatever a test is about: resolvers take a problem document for another
	// failure than the status that they act on (maven.md 11).
	if status := recorder.Code; isActedOn(status) && strings.Contains(recorder.Header().Get("Content-Type"), "problem") {
		w.t.Errorf("%s %s: %d is a problem document", r.Method, r.URL, status)
	}
	return recorder
}

// isActedOn tells whether a resolver does something about a status, other than
// giving up.
func isActedOn(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusNotFound, http.StatusGone, http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable,
		http.StatusExpectationFailed, http.StatusTooManyRequests:
		return true
	}
	return status >= http.StatusInternalServerError
}

// want fails the test unless the answer has the status.
func (w *world) want(a *httptest.ResponseRecorder, status int) *httptest.ResponseRecorder {
	w.t.Helper()
	if a.Code != status {
		w.t.Fatalf("status = %d, want %d\n%s", a.Code, status, a.Body)
	}
	return a
}

// wantStatus is want for a test below the world's.
func wantStatus(t *testing.T, a *httptest.ResponseRecorder, status int) *httptest.ResponseRecorder {
	t.Helper()
	if a.Code != status {
		t.Errorf("status = %d, want %d\n%s", a.Code, status, a.Body)
	}
	return a
}

// put stores a file in acme/demo.
func (w *world) put(path, body string, status int) {
	w.t.Helper()
	w.want(w.call(http.MethodPut, demo+"/"+path, w.write, body), status)
}

// get reads from acme/demo, and gives the body.
func (w *world) get(path string, status int) string {
	w.t.Helper()
	return w.want(w.call(http.MethodGet, demo+"/"+path, w.read, ""), status).Body.String()
}

// deploy deploys a release of org.acme:app to acme/demo as Maven 3.8 does.
func (w *world) deploy(version string) {
	w.t.Helper()
	dir := "org/acme/app/" + version + "/app-" + version
	for _, file := range []string{dir + ".pom", dir + ".jar"} {
		body := "bytes of " + file
		w.put(file, body, http.StatusCreated)
		w.put(file+".sha1", sums(body)["sha1"], http.StatusOK)
		w.put(file+".md5", sums(body)["md5"], http.StatusOK)
	}
	w.put("org/acme/app/maven-metadata.xml", artifactMetadata("org.acme", "app", version), http.StatusOK)
}

func artifactMetadata(groupID, artifactID string, versions ...string) string {
	return "<metadata><groupId>" + groupID + "</groupId><artifactId>" + artifactID + "</artifactId><versioning><versions><version>" +
		strings.Join(versions, "</version><version>") + "</version></versions></versioning></metadata>"
}

// sums are the checksums of a text, by algorithm.
func sums(text string) map[string]string {
	data := []byte(text)
	sum1, sum5, sum256, sum512 := sha1.Sum(data), md5.Sum(data), sha256.Sum256(data), sha512.Sum512(data) //nolint:gosec // clients ask for them
	return map[string]string{
		"sha1": hex.EncodeToString(sum1[:]), "md5": hex.EncodeToString(sum5[:]), "sha256": hex.EncodeToString(sum256[:]), "sha512": hex.EncodeToString(sum512[:]),
	}
}

// versionsIn are the versions that a document lists.
func versionsIn(t testing.TB, document string) []string {
	t.Helper()
	m, err := maven.ParseMetadata(bytes.NewReader([]byte(document)))
	check(t, err)
	return m.Versions
}
