package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pakhus/internal/registry"
	"pakhus/internal/store"
)

func TestOpenFailures(t *testing.T) {
	const secret = "hunter2secret"
	tests := []struct {
		name, url string
		want      registry.Kind
	}{
		{"empty", "", registry.Invalid},
		{"another database", "mysql://u:" + secret + "@localhost/x", registry.Invalid},
		{"no path", "sqlite://", registry.Invalid},
		{"settings in the path", "sqlite:///tmp/x?_pragma=foreign_keys(0)", registry.Invalid},
		{"absent folder", "sqlite://" + filepath.Join(t.TempDir(), "absent", "x.db"), registry.Unavailable},
		{"bad port", "postgres://u:" + secret + "@localhost:port/x", registry.Invalid},
		{"nobody listens", "postgres://u:" + secret + "@127.0.0.1:1/x?connect_timeout=2", registry.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := store.Open(t.Context(), store.Options{URL: tt.url})
			if got := registry.KindOf(err); err == nil || got != tt.want {
				t.Fatalf("kind %v (%v), want %v", got, err, tt.want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the password is in %q", err)
			}
		})
	}
}

// TestSQLiteSettings: every connection has them, not only the first.
func TestSQLiteSettings(t *testing.T) {
	databaseURL := newSQLite(t)
	path := strings.TrimPrefix(databaseURL, "sqlite://")
	s := open(t, store.Options{URL: databaseURL})
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000", "query_only": "0",
	} {
		var got string
		if err := s.Writer().Raw("PRAGMA " + pragma).Scan(&got).Error; err != nil || got != want {
			t.Errorf("writer: %s = %s, %v, want %s", pragma, got, err, want)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want -rw-------", info.Mode())
	}
}

// TestSQLiteOddPath: characters that mean something in a URL are part of a name.
func TestSQLiteOddPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "100% ä&b=c.db")
	s := open(t, store.Options{URL: "sqlite://" + path})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want -rw-------", info.Mode())
	}
}

// TestClosed: what comes too late at a shutdown is refused, not a panic.
func TestClosed(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			s := open(t, store.Options{URL: db.make(t)})
			createGroup(t, s, "g")
			for range 2 {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			_, err := s.CreateGroup(t.Context(), registry.Group{Path: "late"}, command)
			if registry.KindOf(err) != registry.Unavailable {
				t.Errorf("write: %v, want Unavailable", err)
			}
			if _, err = s.FindGroup(t.Context(), 1); registry.KindOf(err) != registry.Unavailable {
				t.Errorf("read: %v, want Unavailable", err)
			}
		})
	}
}
