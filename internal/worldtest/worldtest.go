// Package worldtest makes the registry that the formats' tests run against: the
// real parts, over a database and a bucket of their own, with two tenants and
// one token of each sort.
package worldtest

import (
	"context"
	"log/slog"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/blob"
	"pakhus/internal/httpapi"
	"pakhus/internal/registry"
	"pakhus/internal/store"
)

// World is a whole registry with a bucket in memory, the groups acme (1),
// acme/team (2) and other (3), and the projects
//
//	1  acme/demo
//	2  acme/team/lib
//	3  other/app
//	4  acme/open   public
//	5  other/open  public
type World struct {
	Server   *httpapi.Server // since Serve
	Packages *registry.Service
	Tokens   *auth.Service
	Store    *store.Store
	Bucket   *blob.Bucket
	Clock    *Clock

	Read    string // deploy token of acme/demo with read scope
	Write   string // deploy token writer of acme/demo with write scope
	Group   string // deploy token of acme with write scope
	Foreign string // deploy token of other with write scope
	Expired string // deploy token of acme/demo that has expired
	Ann     string // personal access token of ann, developer of acme
}

// By is who did what the world begins with.
var By = registry.Actor{Kind: "command", Name: "test"}

// SQLite is the address of a new database in a folder of the test.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite://" + filepath.Join(t.TempDir(), "registry.db")
}

// New makes a world on an empty database.
func New(t testing.TB, database string) *World {
	t.Helper()
	ctx := t.Context()
	w := &World{Clock: &Clock{now: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}}
	var err error
	w.Store, err = store.Open(ctx, store.Options{URL: database, Clock: w.Clock.Now})
	Check(t, err)
	t.Cleanup(func() { Check(t, w.Store.Close()) })
	Check(t, w.Store.Migrate(ctx))
	w.Bucket, err = blob.Open(ctx, blob.Options{URL: "mem://"})
	Check(t, err)
	t.Cleanup(func() { Check(t, w.Bucket.Close()) })
	w.Packages = registry.New(w.Store, w.Bucket, registry.Options{Clock: w.Clock.Now, SpoolDir: t.TempDir()})
	w.Tokens = auth.New(w.Store, auth.Options{Clock: w.Clock.Now})
	w.Store.Subscribe(w.Packages)
	w.Store.Subscribe(w.Tokens)
	w.populate(ctx, t)
	return w
}

// Serve makes the server, which answers at an external address by the protocols
// in o.
func (w *World) Serve(t testing.TB, externalURL string, o httpapi.Options) {
	t.Helper()
	external, err := url.Parse(externalURL)
	Check(t, err)
	o.Log, o.ExternalURL, o.Authenticate = slog.New(slog.DiscardHandler), external, w.Tokens.Middleware
	w.Server = httpapi.New(o)
}

func (w *World) populate(ctx context.Context, t testing.TB) {
	t.Helper()
	for _, path := range []string{"acme", "acme/team", "other"} {
		_, err := w.Packages.CreateGroup(ctx, registry.NewGroup{FullPath: path}, By)
		Check(t, err)
	}
	for _, p := range []registry.NewProject{
		{FullPath: "acme/demo"},
		{FullPath: "acme/team/lib"},
		{FullPath: "other/app"},
		{FullPath: "acme/open", Visibility: registry.Public},
		{FullPath: "other/open", Visibility: registry.Public},
	} {
		_, err := w.Packages.CreateProject(ctx, p, By)
		Check(t, err)
	}
	w.Read = w.Token(t, auth.NewDeployToken{Name: "read", Scopes: auth.ReadPackageRegistry, ProjectID: 1})
	w.Write = w.Token(t, auth.NewDeployToken{Name: "write", Username: "writer", Scopes: auth.WritePackageRegistry, ProjectID: 1})
	w.Group = w.Token(t, auth.NewDeployToken{Name: "group", Scopes: auth.WritePackageRegistry, GroupID: 1})
	w.Foreign = w.Token(t, auth.NewDeployToken{Name: "foreign", Scopes: auth.WritePackageRegistry, GroupID: 3})
	w.Expired = w.Token(t, auth.NewDeployToken{
		Name: "expired", Scopes: auth.WritePackageRegistry, ProjectID: 1, ExpiresAt: w.Clock.Now().Add(-time.Hour),
	})
	ann, err := w.Tokens.CreateUser(ctx, auth.NewUser{Username: "ann", Password: auth.NewSecret("correct horse")}, By)
	Check(t, err)
	Check(t, w.Tokens.SetMember(ctx, "ann", registry.Span{GroupID: 1}, auth.Developer, By))
	_, secret, err := w.Tokens.CreatePersonalToken(ctx, ann.ID, "cli", []string{auth.ScopeAPI}, time.Time{}, By)
	Check(t, err)
	w.Ann = secret.Reveal()
}

// Token makes a deploy token and gives its secret.
func (w *World) Token(t testing.TB, n auth.NewDeployToken) string {
	t.Helper()
	_, secret, err := w.Tokens.CreateDeployToken(t.Context(), n, By)
	Check(t, err)
	return secret.Reveal()
}

// Set sets a setting of a project or group.
func (w *World) Set(t testing.TB, at registry.Span, key, value string) {
	t.Helper()
	Check(t, w.Packages.SaveSetting(t.Context(), at, key, &value, By))
}

// Check ends the test when there is an error.
func Check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Flush writes the downloads that were counted so far, as the server does every
// few seconds and when it stops.
func (w *World) Flush(t testing.TB) {
	t.Helper()
	ended, end := context.WithCancel(t.Context())
	end()
	w.Packages.Run(ended, func(err error) { t.Error(err) })
}
