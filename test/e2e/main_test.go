// Package e2e runs the real binary and the real clients against each other.
//
// Every command of a client runs in a new HOME with a bare environment, so
// that nothing but the registry can have handed over what it finds: npm, for
// one, puts each tarball that it publishes into its own cache. The scripts
// below testdata tell what they do; script_test.go lists their commands.
//
// A client that is not installed skips its tests; with CI set it fails them.
// The installers are in test/clients.
package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"pakhus/internal/pgtest"
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pakhus-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	scratch = dir
	defer os.RemoveAll(dir)
	code := pgtest.Main(m)
	if code != 0 && shared.server != nil {
		fmt.Fprintf(os.Stderr, "e2e: end of the shared server's log:\n%s\n", shared.server.logTail(4000))
	}
	if err := stopShared(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	if err := stopSigning(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	if hosts := outside.seen(); len(hosts) > 0 {
		fmt.Fprintln(os.Stderr, "e2e: clients tried to reach hosts beyond this machine:", hosts)
		code = 1
	}
	return code
}

// scratch holds the binary and the shared servers' data for this run.
var scratch string

// registryBinary builds the registry once, as users do, or takes the one that
// REGISTRY_E2E_BINARY names, such as a release.
var registryBinary = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("REGISTRY_E2E_BINARY"); given != "" {
		return filepath.Abs(given)
	}
	binary := filepath.Join(scratch, "registry")
	// As the Makefile builds it.
	build := exec.Command("go", "build", "-tags", "disable_grpc_modules", "-trimpath", "-ldflags", "-s -w",
		"-o", binary, "pakhus/cmd/registry")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the registry: %w\n%s", err, out)
	}
	return binary, nil
})

// missing ends a test that lacks a program: a skip on a laptop, a failure
// where CI promises that everything is there.
func missing(t testing.TB, what, installer string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed: run test/clients/%s", what, installer)
	}
	t.Skipf("%s is not installed: run test/clients/%s", what, installer)
}

// clientsDir is where the installers put the clients.
func clientsDir() string {
	if dir := os.Getenv("CLIENTS_DIR"); dir != "" {
		return dir
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	return filepath.Join(cache, "pakhus-clients")
}

// findProgram gives the path of an installed client or of a program on PATH.
func findProgram(name string) (string, bool) {
	path := filepath.Join(clientsDir(), "bin", name)
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return path, true
	}
	path, err := exec.LookPath(name)
	return path, err == nil && !errors.Is(err, exec.ErrDot)
}
