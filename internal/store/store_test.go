package store_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"pakhus/internal/pgtest"
	"pakhus/internal/registry/registrytest"
	"pakhus/internal/store"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// databases are the ways to make an empty database with its schema.
var databases = []struct {
	name string
	make func(t testing.TB) (databaseURL string)
}{
	{"sqlite", newSQLite},
	{"postgres", newPostgres},
}

func newSQLite(t testing.TB) string {
	t.Helper()
	databaseURL := "sqlite://" + filepath.Join(t.TempDir(), "registry.db")
	if err := migrate(databaseURL); err != nil {
		t.Fatal(err)
	}
	return databaseURL
}

func newPostgres(t testing.TB) string {
	t.Helper()
	return pgtest.NewFrom(t, "store", migrate)
}

func migrate(databaseURL string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{URL: databaseURL})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Migrate(ctx)
}

// open opens a database that has its schema.
func open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			registrytest.TestStore(t, func(t *testing.T) registrytest.Backend {
				return open(t, store.Options{URL: db.make(t)})
			})
		})
	}
}
