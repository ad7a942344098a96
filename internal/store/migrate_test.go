package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"pakhus/internal/pgtest"
	"pakhus/internal/registry"
	"pakhus/internal/store"
)

// TestAppliedMigrationsStay holds the checksums of migrations that were
// released: a database that has them would never see an edit. Add a new file
// instead, and its checksum here.
func TestAppliedMigrationsStay(t *testing.T) {
	want := map[string]string{
		"migrations/postgres/0001_init.sql":              "9759ae7bc778331c4cf4aba1ccf2cf250c10fd713aba769fd55f0c792f023ab3",
		"migrations/postgres/0002_notes.sql":             "f60aab54ff4310f25cc1559d9b312a2e90cf541eaccb5959928a2d0c75a8b601",
		"migrations/sqlite/0002_notes.sql":               "6ea1255b0e41b9c764bec71bf18e50c796a81df29dc75cc15adefa3f58373a70",
		"migrations/sqlite/0001_init.sql":                "12c50e3a8b813a335df6614d34488fbf62024a86e12d08a2420de7457d825cec",
		"migrations/postgres/0003_shared_files.sql":      "0005173303a206c49367d996d0d8de717eac1f7d135bc8670bb2d7f817f22546",
		"migrations/sqlite/0003_shared_files.sql":        "0005173303a206c49367d996d0d8de717eac1f7d135bc8670bb2d7f817f22546",
		"migrations/sqlite/0004_facets.sql":              "eb0ae909c67b9524e5cd93fead6be3dbdbf59cd893efc6fe06197c6e08eb15cc",
		"migrations/postgres/0004_facets.sql":            "bf74805ffe4ff785e1002834886e7c5d2aa3cbb5105d5d12754bd1d46a2dbe97",
		"migrations/postgres/0005_terms_cover.sql":       "eae8d019386d1e843cf6a7b3f28b0963640bab1d60375f84cd05c5544e4c820a",
		"migrations/sqlite/0005_terms_cover.sql":         "f6c3f6f17b969c0b4afe6533b6594755683311d06a508c23487b838a8c0cc9e5",
		"migrations/postgres/0006_download_totals.sql":   "f3db53ef073b1731db67cd22b6c619d6aeb8846aa862defefeeee8d5166ac007",
		"migrations/sqlite/0006_download_totals.sql":     "978ae944f73eb3e7bbe743e165a8bcbc8389a13dc5b6b44a2d05690ff327e56c",
		"migrations/postgres/0007_project_redirects.sql": "6ace2b303b9347fd89603e77161302bd2ca136799361580726abefd216fdfad0",
		"migrations/sqlite/0007_project_redirects.sql":   "623f2ee6e4eac20309fc65b0f45323731e361a77f9624a2f1e760e73c3387d16",
	}
	got := map[string]string{}
	files, err := filepath.Glob("migrations/*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		got[filepath.ToSlash(file)] = hex.EncodeToString(sum[:])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("migrations (-want +got):\n%s", diff)
	}
}

// TestModelsMatchSchema compares the columns of row types with those of the
// tables: neither may have one that the other lacks.
func TestModelsMatchSchema(t *testing.T) {
	columns := map[string]string{
		"sqlite": `SELECT name, "notnull" = 0 AND pk = 0 AS nullable FROM pragma_table_info(?)`,
		"postgres": `SELECT column_name AS name, is_nullable = 'YES' AS nullable FROM information_schema.columns
			WHERE table_name = ? AND table_schema = 'public' AND column_name <> 'xid'`, // xid: filled in by the database
	}
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			s := open(t, store.Options{URL: db.make(t)})
			for _, model := range store.Models() {
				statement := &gorm.Statement{DB: s.Writer()}
				if err := statement.Parse(model); err != nil {
					t.Fatal(err)
				}
				var rows []struct {
					Name     string
					Nullable bool
				}
				if err := s.Writer().Raw(columns[db.name], statement.Schema.Table).Scan(&rows).Error; err != nil {
					t.Fatal(err)
				}
				got, want := map[string]bool{}, map[string]bool{}
				for _, row := range rows {
					got[row.Name] = row.Nullable
				}
				for _, field := range statement.Schema.Fields {
					// A column that may be NULL needs a field that can tell.
					want[field.DBName] = field.FieldType.Kind() == reflect.Pointer || field.Name == "Sealed"
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: nullable columns (-model +schema):\n%s", statement.Schema.Table, diff)
				}
			}
		})
	}
}

// empty makes a database without a schema.
func empty(t *testing.T, name string) (databaseURL string) {
	if name == "postgres" {
		return pgtest.New(t)
	}
	return "sqlite://" + filepath.Join(t.TempDir(), "registry.db")
}

func TestMigrateTogether(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			databaseURL := empty(t, db.name)
			var g errgroup.Group
			for range 4 {
				s := open(t, store.Options{URL: databaseURL})
				g.Go(func() error { return s.Migrate(context.Background()) })
			}
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			s := open(t, store.Options{URL: databaseURL})
			version, err := s.SchemaVersion(t.Context())
			if err != nil || version < 1 {
				t.Errorf("schema %d, %v, want at least 1", version, err)
			}
			if err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			s := open(t, store.Options{URL: db.make(t)})
			if err := s.Writer().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)").Error; err != nil {
				t.Fatal(err)
			}
			err := s.Migrate(t.Context())
			if registry.KindOf(err) != registry.Unavailable || !strings.Contains(registry.Message(err), "9999") {
				t.Errorf("got %v, want Unavailable with the schema's number", err)
			}
		})
	}
}

func TestSchemaOfEmptyDatabase(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			s := open(t, store.Options{URL: empty(t, db.name)})
			if version, err := s.SchemaVersion(t.Context()); version != 0 || err != nil {
				t.Errorf("schema %d, %v, want 0", version, err)
			}
			if err := s.Check(t.Context()); err == nil {
				t.Error("a database without tables is said to work")
			}
		})
	}
}
