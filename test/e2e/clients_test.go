package e2e

import "testing"

// TestClients runs every script of testdata/clients with every client. The
// scripts of one client share its world; their packages have their own names.
func TestClients(t *testing.T) {
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			runClientScripts(t, sharedServer(t, "sqlite", func() map[string]string { return nil }), c)
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
	runScripts(t, "testdata/clients", s, c, w)
}
