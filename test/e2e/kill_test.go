package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
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
	total := 0
	for worker := range killWorkers {
		total += len(k.published[worker])
		k.verify(worker, slices.Collect(maps.Keys(k.published[worker])))
	}
	k.Logf("%d kills, %d versions published, none lost", kills, total)
	k.sweep()
	for worker := range killWorkers {
		k.verify(worker, slices.Collect(maps.Keys(k.published[worker])))
	}
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

// sweep proves that nothing but orphans is left behind, and that they go.
func (k *killTest) sweep() {
	before, err := k.server.command("fsck", "-o", "json")
	k.Logf("fsck: %s (%v)", bytes.TrimSpace(before), err)
	out, err := k.server.command("gc", "--grace", "0s", "-o", "json")
	if err != nil {
		k.Fatal(err)
	}
	k.Logf("gc: %s", bytes.TrimSpace(out))
	out, err = k.server.command("fsck", "-o", "json")
	if err != nil {
		k.Errorf("after gc: %v", err)
	}
	k.Logf("fsck after gc: %s", bytes.TrimSpace(out))
}
