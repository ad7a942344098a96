package store_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"pakhus/internal/pgtest"
	"pakhus/internal/registry"
	"pakhus/internal/store"
)

// TestDumpAndLoad copies a database into an empty one, and refuses one that is
// not empty.
func TestDumpAndLoad(t *testing.T) {
	for _, tt := range []struct {
		name string
		url  func(t *testing.T) string
	}{
		{"sqlite", func(t *testing.T) string { return "sqlite://" + filepath.Join(t.TempDir(), "registry.db") }},
		{"postgres", func(t *testing.T) string {
			if _, err := exec.LookPath("pg_dump"); err != nil && os.Getenv("CI") == "" {
				t.Skip("pg_dump is not installed: run test/clients/postgres.sh")
			}
			return pgtest.New(t)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { dumpAndLoad(t, tt.url(t), tt.url(t)) })
	}
}

func dumpAndLoad(t *testing.T, from, to string) {
	ctx := t.Context()
	by := registry.Actor{Kind: "command", Name: "test"}
	s := openAt(t, from)
	group := registry.Group{ID: 41, Name: "acme", Path: "acme", Visibility: registry.Private}
	if _, err := s.CreateGroup(ctx, group, by); err != nil {
		t.Fatal(err)
	}
	dump := filepath.Join(t.TempDir(), "dump")
	if err := s.Dump(ctx, dump); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dump); err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
		t.Errorf("the dump is %v, %v", info, err)
	}
	if err := s.Dump(ctx, dump); registry.KindOf(err) != registry.Unavailable {
		t.Errorf("a dump over another one: %v", err)
	}

	// What is made after the dump is not in it.
	if _, err := s.CreateGroup(ctx, registry.Group{Name: "late", Path: "late", Visibility: registry.Private}, by); err != nil {
		t.Fatal(err)
	}
	for name, check := range map[string]error{"CheckEmpty": store.CheckEmpty(ctx, from), "Load": store.Load(ctx, from, dump)} {
		if registry.KindOf(check) != registry.Conflict {
			t.Errorf("%s of a database in use: %v, want Conflict", name, check)
		}
	}
	if err := store.CheckEmpty(ctx, to); err != nil {
		t.Fatal(err)
	}
	if err := store.Load(ctx, to, dump); err != nil {
		t.Fatal(err)
	}
	copied := openAt(t, to)
	if got, err := copied.FindGroup(ctx, 41); err != nil || got.FullPath != "acme" {
		t.Errorf("the group in the copy: %+v %v", got, err)
	}
	if _, err := copied.FindGroupByPath(ctx, "late"); registry.KindOf(err) != registry.NotFound {
		t.Errorf("a group made after the dump: %v", err)
	}
	// The next free id goes on where the original was.
	if next, err := copied.CreateGroup(ctx, registry.Group{Name: "next", Path: "next", Visibility: registry.Private}, by); err != nil || next.ID != 42 {
		t.Errorf("the next group: %+v %v", next, err)
	}
}

// openAt opens a database with its schema.
func openAt(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url})
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

// TestLoadLeavesALogAlone: a log that a lost database left behind would be
// played into the new one.
func TestLoadLeavesALogAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registry.db")
	if err := os.WriteFile(file+"-wal", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Load(t.Context(), "sqlite://"+file, "absent"); registry.KindOf(err) != registry.Conflict {
		t.Errorf("beside a log: %v, want Conflict", err)
	}
}
