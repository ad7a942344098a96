package store_test

import (
	"testing"

	"pakhus/internal/registry"
	"pakhus/internal/store"
)

func openSQLite(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + t.TempDir() + "/registry.db"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSmoke(t *testing.T) {
	s := openSQLite(t)
	ctx := t.Context()
	by := registry.Actor{Kind: "command", Name: "test"}
	g, err := s.CreateGroup(ctx, registry.Group{Name: "a", Path: "a", Visibility: registry.Private}, by)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.CreateProject(ctx, registry.Project{GroupID: g.ID, Name: "p", Path: "p", Visibility: registry.Private}, by)
	if err != nil {
		t.Fatal(err)
	}
	spool := registry.NewSpool(t.TempDir(), 0)
	defer spool.Close()
	if _, err := spool.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	d := spool.Digests()
	heads, err := s.SavePublication(ctx, []registry.Publication{{
		ProjectID: p.ID, Format: registry.NPM, Name: "x", Key: "x", By: by,
		Versions: []registry.NewVersion{{Version: "1.0.0", Key: "1.0.0", Manifest: []byte("{}"),
			Fragments: map[registry.FragmentKind][]byte{"full": []byte("f")},
			Files:     []registry.NewFile{{Name: "x.tgz", Body: spool}}}},
		Tags:    []registry.TagChange{{Tag: "latest", VersionKey: "1.0.0"}},
		Listing: &registry.Listing{VersionKey: "1.0.0", Terms: []string{"x"}},
	}}, map[string]registry.Blob{d.Digest(): {Digests: d, Key: "k"}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.FindFile(ctx, heads[0].ID, "x.tgz")
	if err != nil || f.Blob.Size != 5 {
		t.Fatal(f, err)
	}
	found, total, err := s.SearchPackages(ctx, registry.SearchQuery{Readers: registry.Readers{All: true}, Terms: []string{"x"}, Limit: 10})
	if err != nil || total != 1 || len(found) != 1 {
		t.Fatal(found, total, err)
	}
}
