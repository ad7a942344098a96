package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pakhus/internal/pgtest"
)

// killWorkers publish at once while the server is killed.
const killWorkers = 8

// TestKill kills the server at random moments while eight callers publish. An
// answer of 200 is a promise: after the restart every such version is there
// with its bytes and its tag. A version without an answer is there whole or not
// at all. REGISTRY_E2E_KILLS says how often, 10 times by default.
func TestKill(t *testing.T) {
	kills := 10
	if set := os.Getenv("REGISTRY_E2E_KILLS"); set != "" {
		n, err := strconv.Atoi(set)
		if err != nil {
			t.Fatalf("REGISTRY_E2E_KILLS: %v", err)
		}
		kills = n
	}
	for _, kind := range []struct {
		name     string
		settings func(testing.TB) map[string]string
	}{
		{"sqlite", func(testing.TB) map[string]string { return nil }},
		{"postgres", func(t testing.TB) map[string]string {
			return map[string]string{"REGISTRY_DATABASE_URL": pgtest.New(t)}
		}},
		{"s3", func(t testing.TB) map[string]string {
			return s3Settings(t)
		}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			newKillTest(t, serve(t, kind.settings(t))).run(kills)
		})
	}
}

// killTest keeps what the server promised.
type killTest struct {
	*testing.T
	server *server
	caller raw
	random *rand.Rand
	// published are the versions of each worker's package whose publish was
	// answered, by version, with their integrity.
	published [killWorkers]map[string]string
	newest    [killWorkers]string
	// pending are the versions that were sent last and not answered.
	pending [killWorkers]artifact
	counter int
}

func newKillTest(t *testing.T, s *server) *killTest {
	w, err := newWorld(s, "kill")
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("random seed %d", seed)
	k := &killTest{
		T: t, server: s, caller: newRaw(w.vars["PROJECT"], w.vars["RW"]),
		random: rand.New(rand.NewPCG(seed, 0)),
	}
	for i := range k.published {
		k.published[i] = map[string]string{}
	}
	return k
}

func (k *killTest) run(kills int) {
	for range kills {
		k.publishUntilKilled()
		if err := k.server.start(); err != nil {
			k.Fatal(err)
		}
		for worker := range killWorkers {
			k.settle(worker)
		}
	}
	versions := k.verifyAll()
	k.Logf("%d kills, %d versions published", kills, versions)
	k.sweep(versions)
	k.verifyAll()
	k.install()
}

// verifyAll downloads everything and tells how much it is.
func (k *killTest) verifyAll() (versions int) {
	k.Helper()
	for worker := range killWorkers {
		versions += len(k.published[worker])
		k.verify(worker, slices.Collect(maps.Keys(k.published[worker])))
	}
	return versions
}

// publishUntilKilled lets the workers publish one version after the other until
// the server is gone.
func (k *killTest) publishUntilKilled() {
	ctx := context.Background()
	var workers sync.WaitGroup
	answered := make(chan struct{}, 1)
	k.counter++
	for worker := range killWorkers {
		size := k.random.IntN(60_000)
		workers.Go(func() {
			for n := 0; ; n++ {
				art, err := newArtifact(k.name(worker), fmt.Sprintf("%d.%d.0", k.counter, n), size)
				if err != nil {
					k.Error(err)
					return
				}
				k.pending[worker] = art
				if err := k.caller.publish(ctx, art, "latest"); err != nil {
					var refused *statusError
					if errors.As(err, &refused) && refused.status != http.StatusServiceUnavailable {
						k.Error(err)
					}
					return
				}
				k.acknowledge(worker, art)
				select {
				case answered <- struct{}{}:
				default:
				}
			}
		})
	}
	// Not before the first answer, so that there is always something to lose.
	<-answered
	moment := time.NewTimer(time.Duration(k.random.IntN(150_000)) * time.Microsecond)
	<-moment.C
	if err := k.server.kill(); err != nil {
		k.Fatal(err)
	}
	workers.Wait()
	k.caller.http.CloseIdleConnections()
}

func (k *killTest) name(worker int) string { return fmt.Sprintf("@kill/lib%d", worker) }

func (k *killTest) acknowledge(worker int, art artifact) {
	k.published[worker][art.version] = integrity(art.tarball)
	k.newest[worker] = art.version
	k.pending[worker] = artifact{}
}

// settle looks at what a worker's package is after the restart.
func (k *killTest) settle(worker int) {
	k.Helper()
	ctx := context.Background()
	p, err := k.caller.packument(ctx, k.name(worker))
	if err != nil {
		k.Fatal(err)
	}
	pending := k.pending[worker]
	for version := range p.Versions {
		if _, ok := k.published[worker][version]; !ok && version != pending.version {
			k.Errorf("%s@%s is there and was never published", k.name(worker), version)
		}
	}
	if _, ok := p.Versions[pending.version]; ok {
		// Its answer was lost, so all of it must be there.
		k.acknowledge(worker, pending)
	}
	if newest := k.newest[worker]; p.DistTags["latest"] != newest {
		k.Errorf("%s: latest is %q, not %q", k.name(worker), p.DistTags["latest"], newest)
	}
	round := fmt.Sprintf("%d.", k.counter)
	k.verify(worker, slices.DeleteFunc(slices.Collect(maps.Keys(k.published[worker])), func(version string) bool {
		return !strings.HasPrefix(version, round)
	}))

	if pending = k.pending[worker]; pending.version != "" {
		// Nothing is left of it that would stand in the way.
		if err := k.caller.publish(ctx, pending, "latest"); err != nil {
			k.Errorf("again: %v", err)
		}
		k.acknowledge(worker, pending)
	}
}

// verify downloads versions that were published and compares their bytes.
func (k *killTest) verify(worker int, versions []string) {
	k.Helper()
	ctx := context.Background()
	p, err := k.caller.packument(ctx, k.name(worker))
	if err != nil {
		k.Fatal(err)
	}
	for version, want := range k.published[worker] {
		if got := p.Versions[version].Dist.Integrity; got != want {
			k.Errorf("%s@%s was published with %s and has %q", k.name(worker), version, want, got)
		}
	}
	for _, version := range versions {
		if _, err := p.tarball(ctx, k.caller, version); err != nil {
			k.Errorf("%s@%s: %v", k.name(worker), version, err)
		}
	}
}

// report is what fsck prints.
type report struct {
	Blobs    int `json:"blobs"`
	Broken   int `json:"broken"`
	Orphans  int `json:"orphans"`
	Findings []struct {
		Damage string `json:"damage"`
		Key    string `json:"key"`
	} `json:"findings"`
}

// sweep proves that nothing but orphans is left behind, and that they go. The
// server is stopped, so that no grace is needed.
func (k *killTest) sweep(versions int) {
	if err := k.server.stop(); err != nil {
		k.Fatal(err)
	}
	before := k.fsck()
	if before.Broken != 0 || before.Orphans != len(before.Findings) || before.Blobs != versions {
		k.Errorf("fsck found other things than orphans beside %d versions: %+v", versions, before)
	}
	if _, err := k.server.command("gc", "--grace", "0s"); err != nil {
		k.Fatal(err)
	}
	if after := k.fsck(); len(after.Findings) != 0 || after.Blobs != versions {
		k.Errorf("after gc there should be %d blobs and nothing else: %+v", versions, after)
	}
	k.Logf("%d orphans, all removed", before.Orphans)
	if err := k.server.start(); err != nil {
		k.Fatal(err)
	}
}

func (k *killTest) fsck() report {
	k.Helper()
	out, err := k.server.command("fsck", "--grace", "0s", "-o", "json")
	if err != nil {
		k.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		k.Fatalf("fsck printed no report: %v\n%s", err, out)
	}
	return r
}

// install installs the newest version of every package with a real client.
func (k *killTest) install() {
	c, ok := findClient("npm12")
	if _, installed := findProgram(c.name); !ok || !installed {
		missing(k, "npm12", "npm.sh")
	}
	dependencies := map[string]string{}
	for worker := range killWorkers {
		dependencies[k.name(worker)] = k.newest[worker]
	}
	manifest, err := json.Marshal(map[string]any{"name": "app", "private": true, "dependencies": dependencies})
	if err != nil {
		k.Fatal(err)
	}
	app, home := k.TempDir(), k.TempDir()
	if err := os.WriteFile(filepath.Join(app, "package.json"), manifest, 0o644); err != nil {
		k.Fatal(err)
	}
	if err := (login{registry: k.caller.registry, token: k.caller.token, form: "token"}).write(home, c); err != nil {
		k.Fatal(err)
	}
	if out, err := c.run(home, app, []string{"install"}); err != nil {
		k.Errorf("npm install: %v\n%s", err, out)
	}
	for name, version := range dependencies {
		got, err := os.ReadFile(filepath.Join(app, "node_modules", filepath.FromSlash(name), "payload.bin"))
		if err != nil {
			k.Error(err)
		}
		if !bytes.Equal(got, payload(name, version, len(got))) {
			k.Errorf("%s@%s was installed with other bytes", name, version)
		}
	}
}
