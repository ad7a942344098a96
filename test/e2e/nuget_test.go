package e2e

import (
	"testing"

	"pakhus/internal/pgtest"
)

// TestNuGet runs every script of testdata/nuget with every client of NuGet.
func TestNuGet(t *testing.T) {
	for _, c := range nugetClients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			runNuGetClient(t, sharedServer(t), c, scripts(t, "testdata/nuget"))
		})
	}
}

// TestNuGetOnPostgres runs those again, over PostgreSQL and an object store, in
// which these make a difference.
func TestNuGetOnPostgres(t *testing.T) {
	t.Parallel()
	settings := s3Settings(t)
	settings["REGISTRY_DATABASE_URL"] = pgtest.New(t)
	c, ok := findNuGetClient("nuget5")
	if !ok {
		t.Fatal("no client is called nuget5")
	}
	var files []string
	for _, name := range []string{"publish", "duplicate", "find", "delete", "symbols"} {
		files = append(files, "testdata/nuget/"+name+".txtar")
	}
	runNuGetClient(t, serve(t, settings), c, files)
}

func runNuGetClient(t *testing.T, s *server, c client, files []string) {
	t.Helper()
	if _, ok := findProgram(c.name); !ok {
		missing(t, c.name, "nuget.sh")
	}
	w, err := newWorld(s, c.name)
	if err != nil {
		t.Fatal(err)
	}
	runNuGetScripts(t, files, s, nil, c, w)
}
