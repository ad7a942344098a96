package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pakhus/internal/pgtest"
)

// TestClients runs every script of testdata/clients with every client. The
// scripts of one client share its world; their packages have their own names.
func TestClients(t *testing.T) {
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			runClientScripts(t, sharedServer(t), c)
		})
	}
}

// TestClientsOnPostgres runs the scripts of one client of each family again,
// over PostgreSQL and an object store.
func TestClientsOnPostgres(t *testing.T) {
	settings := s3Settings(t)
	settings["REGISTRY_DATABASE_URL"] = pgtest.New(t)
	s := prepare(t, settings)
	if err := s.giveHosts(clientNames()); err != nil {
		t.Fatal(err)
	}
	s.startFor(t)
	for _, name := range []string{"npm12", "pnpm12", "yarn1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, ok := findClient(name)
			if !ok {
				t.Fatalf("no client is called %s", name)
			}
			runClientScripts(t, s, c)
		})
	}
}

func runClientScripts(t *testing.T, s *server, c client) {
	t.Helper()
	if _, ok := findProgram(c.name); !ok {
		missing(t, c.name, "npm.sh")
	}
	w, err := newWorld(s, c.name)
	if err != nil {
		t.Fatal(err)
	}
	files := scripts(t, "testdata/clients")
	if len(c.only) > 0 {
		files = slices.DeleteFunc(files, func(file string) bool {
			return !slices.Contains(c.only, strings.TrimSuffix(filepath.Base(file), ".txtar"))
		})
	}
	runScripts(t, files, s, nil, c, w)
}

// scripts lists the scripts of a folder.
func scripts(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in %s: %v", dir, err)
	}
	return files
}

// TestServer runs every script of testdata/server with a server of its own,
// which the script may stop, and with a recorder in front of it.
func TestServer(t *testing.T) {
	for _, file := range scripts(t, "testdata/server") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			c, ok := findClient("npm11")
			if _, installed := findProgram(c.name); !ok || !installed {
				missing(t, "npm11", "npm.sh")
			}
			s := prepare(t, nil)
			rec, err := newRecorder(t, s)
			if err != nil {
				t.Fatal(err)
			}
			s.front = rec.URL
			s.settings["REGISTRY_EXTERNAL_URL"] = rec.URL
			s.startFor(t)
			w, err := newWorld(s, "server")
			if err != nil {
				t.Fatal(err)
			}
			runScripts(t, []string{file}, s, rec, c, w)
		})
	}
}
