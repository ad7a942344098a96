package gitlab_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/gitlab"
	"pakhus/internal/httpapi"
	"pakhus/internal/registry"
	"pakhus/internal/store"
)

// world is a server over a real database with two tenants:
//
//	acme           group, private: olga owns, mia maintains, dev develops
//	acme/platform  group, private
//	acme/api       project, private
//	acme/open      project, public
//	acme/platform/deep.js  project, private
//	other          group, private: oscar owns
//	other/site     project, private
//
// Everybody has a personal access token; root is administrator; reader is
// olga's token for reading only.
type world struct {
	*httptest.Server
	packages *registry.Service
	tokens   *auth.Service
	handler  *gitlab.Handler
	groups   map[string]registry.Group
	projects map[string]registry.Project
	secrets  map[string]string // by user name
	clock    *atomic.Int64     // seconds
}

var start = time.Date(2026, 3, 1, 10, 15, 0, 123e6, time.UTC)

var operator = registry.Actor{Kind: "command", Name: "test"}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{groups: map[string]registry.Group{}, projects: map[string]registry.Project{}, secrets: map[string]string{}, clock: new(atomic.Int64)}
	now := func() time.Time { return start.Add(time.Duration(w.clock.Load()) * time.Second) }
	db, err := store.Open(ctx, store.Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "registry.db"), Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	w.packages = registry.New(db, nil, registry.Options{Clock: now})
	w.tokens = auth.New(db, auth.Options{Clock: now})
	db.Subscribe(w.packages)
	db.Subscribe(w.tokens)
	w.serve(t)
	w.populate(t)
	return w
}

func (w *world) serve(t *testing.T) {
	t.Helper()
	w.Server = httptest.NewUnstartedServer(nil)
	base := "http://" + w.Listener.Addr().String() + "/prefix"
	external, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	w.handler = gitlab.New(w.packages, w.tokens, gitlab.Options{ExternalURL: base, Version: "1.2.3"})
	w.Config.Handler = httpapi.New(httpapi.Options{
		Log: slog.New(slog.DiscardHandler), ExternalURL: external, Authenticate: w.tokens.Middleware, Management: w.handler,
	})
	w.Start()
	t.Cleanup(w.Close)
}

func (w *world) api() string { return w.URL + "/prefix/api/v4" }

func (w *world) populate(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	for _, path := range []string{"acme", "acme/platform", "other"} {
		g, err := w.packages.CreateGroup(ctx, registry.NewGroup{FullPath: path}, operator)
		if err != nil {
			t.Fatal(err)
		}
		w.groups[path] = g
	}
	for _, path := range []string{"acme/api", "acme/open", "acme/platform/deep.js", "other/site"} {
		wanted := registry.NewProject{FullPath: path}
		if path == "acme/open" {
			wanted.Visibility = registry.Public
		}
		p, err := w.packages.CreateProject(ctx, wanted, operator)
		if err != nil {
			t.Fatal(err)
		}
		w.projects[path] = p
	}
	w.addUser(t, "root", "", auth.NoRole)
	w.addUser(t, "olga", "acme", auth.Owner)
	w.addUser(t, "mia", "acme", auth.Maintainer)
	w.addUser(t, "dev", "acme", auth.Developer)
	w.addUser(t, "oscar", "other", auth.Owner)
	w.secrets["reader"] = w.personal(t, "olga", auth.ScopeReadAPI)
	w.secrets["anonymous"] = ""
}

func (w *world) addUser(t *testing.T, name, group string, role auth.Role) {
	t.Helper()
	ctx := t.Context()
	if _, err := w.tokens.CreateUser(ctx, auth.NewUser{Username: name, Email: name + "@example.com", Admin: name == "root"}, operator); err != nil {
		t.Fatal(err)
	}
	if group != "" {
		if err := w.tokens.SetMember(ctx, name, registry.Span{GroupID: w.groups[group].ID}, role, operator); err != nil {
			t.Fatal(err)
		}
	}
	w.secrets[name] = w.personal(t, name, auth.ScopeAPI)
}

func (w *world) personal(t *testing.T, username, scope string) string {
	t.Helper()
	u, err := w.tokens.FindUser(t.Context(), username)
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := w.tokens.CreatePersonalToken(t.Context(), u.ID, "test", []string{scope}, time.Time{}, operator)
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal()
}

// token makes a deploy token and gives it with its secret.
func (w *world) token(t *testing.T, at registry.Span, expires time.Time) (auth.DeployToken, string) {
	t.Helper()
	made, secret, err := w.tokens.CreateDeployToken(t.Context(), auth.NewDeployToken{
		Name: "ci", Scopes: auth.ReadPackageRegistry | auth.WritePackageRegistry,
		ProjectID: at.ProjectID, GroupID: at.GroupID, ExpiresAt: expires,
	}, operator)
	if err != nil {
		t.Fatal(err)
	}
	return made, secret.Reveal()
}

func (w *world) project(path string) registry.Span {
	return registry.Span{ProjectID: w.projects[path].ID}
}

func (w *world) group(path string) registry.Span { return registry.Span{GroupID: w.groups[path].ID} }

// answer is what a call got.
type answer struct {
	status int
	header http.Header
	body   string
}

// call sends a request as a user of the world; the body is JSON when it looks
// like it, else a form.
func (w *world) call(t *testing.T, as, method, path, body string) answer {
	t.Helper()
	secret, known := w.secrets[as]
	if !known {
		t.Fatalf("the world has no user %q", as)
	}
	return w.callWith(t, secret, method, path, body)
}

func (w *world) callWith(t *testing.T, secret, method, path, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.api()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if secret != "" {
		req.Header.Set("PRIVATE-TOKEN", secret)
	}
	if strings.HasPrefix(body, "{") {
		req.Header.Set("Content-Type", "application/json")
	} else if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := http.DefaultTransport.RoundTrip(req) // it follows no redirect
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, strings.TrimSpace(string(text))}
}

// decode reads the answer's JSON.
func (a answer) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}
