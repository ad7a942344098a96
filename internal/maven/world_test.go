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
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pakhus/internal/auth"
	"pakhus/internal/httpapi"
	"pakhus/internal/maven"
	"pakhus/internal/pgtest"
	"pakhus/internal/registry"
	"pakhus/internal/store"
	"pakhus/internal/worldtest"
)

// world is a ready registry that speaks Maven.
type world struct {
	t     testing.TB
	ready *worldtest.World

	server   *httpapi.Server
	packages *registry.Service
	tokens   *auth.Service
	store    *store.Store
	clock    *worldtest.Clock

	read, write, group, foreign, expired, ann string // secrets
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
	return newWorldOn(t, worldtest.SQLite(t))
}

// onEach runs a test on each database. It is for what the database has a part in:
// who wins, what is ordered, what is due. Everything else has SQLite alone.
func onEach(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, newWorld(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, newWorldOn(t, pgtest.NewFrom(t, "maven", migrate))) })
}

// migrate prepares the database that the worlds on PostgreSQL are copies of.
func migrate(database string) error {
	s, err := store.Open(context.Background(), store.Options{URL: database})
	if err != nil {
		return err
	}
	return errors.Join(s.Migrate(context.Background()), s.Close())
}

func newWorldOn(t testing.TB, database string) *world {
	t.Helper()
	ready := worldtest.New(t, database)
	handler, err := maven.New(ready.Packages, maven.Options{})
	check(t, err)
	ready.Serve(t, "http://registry.test", httpapi.Options{Protocols: []httpapi.Protocol{handler}})
	return &world{
		t: t, ready: ready, server: ready.Server, packages: ready.Packages, tokens: ready.Tokens, store: ready.Store, clock: ready.Clock,
		read: ready.Read, write: ready.Write, group: ready.Group, foreign: ready.Foreign, expired: ready.Expired, ann: ready.Ann,
	}
}

var spanOfDemo = registry.Span{ProjectID: 1}

var by = worldtest.By

func (w *world) set(at registry.Span, key, value string) {
	w.t.Helper()
	w.ready.Set(w.t, at, key, value)
}

func check(t testing.TB, err error) {
	t.Helper()
	worldtest.Check(t, err)
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
