package e2e

import (
	"context"
	"encoding/json"
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
	for format, open := range killFormats {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			for name, settings := range killBackends {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					newKillTest(t, serve(t, settings(t)), open).run(kills)
				})
			}
		})
	}
}

// killBackends are the settings of the databases and buckets that must lose
// nothing.
var killBackends = map[string]func(testing.TB) map[string]string{
	"sqlite": func(testing.TB) map[string]string { return nil },
	"postgres": func(t testing.TB) map[string]string {
		return map[string]string{"REGISTRY_DATABASE_URL": pgtest.New(t)}
	},
	"s3": s3Settings,
}

// killFormats are what is published meanwhile, each in a world of its own.
var killFormats = map[string]func(world) killFormat{
	"npm": func(w world) killFormat { return killNPM{newRaw(w.vars["PROJECT"], w.vars["RW"])} },
	"maven": func(w world) killFormat {
		return &killMaven{mavenDeployer: newDeployer(w), stored: map[string]map[string]string{}}
	},
	"nuget": func(w world) killFormat { return killNuGet{nugetCaller(w)} },
}

// killFormat publishes in one format and looks at what is there.
type killFormat interface {
	// name is a package of a worker's own.
	name(worker int) string
	// files is how many different files a version has.
	files() int
	// pack makes a version with a payload of some bytes.
	pack(name, version string, size int) (packed, error)
	// publish gives a statusError when the answer is no success.
	publish(ctx context.Context, p packed) error
	// list tells what is visible of a package, nothing for an absent one.
	list(ctx context.Context, name string) (published, error)
	// install has a real client install the newest version of every package.
	install(t *testing.T, newest map[string]string)
	// forget closes connections to a server that was killed.
	forget()
}

// packed is a version ready to be published.
type packed struct {
	name, version string
	checksum      string // of the file, as the format tells it
	body          []byte // what is sent
}

// published is what is visible of a package.
type published struct {
	checksums map[string]string // by version; empty where the format tells none
	newest    string            // what clients take that ask for no version
	// fetch downloads a version that is there and gives its checksum.
	fetch func(ctx context.Context, version string) (string, error)
}

// killTest keeps what the server promised.
type killTest struct {
	*testing.T
	server *server
	format killFormat
	random *rand.Rand
	// promised are the versions of each worker's package whose publish was
	// answered, by version, with their checksum.
	promised [killWorkers]map[string]string
	newest   [killWorkers]string
	// pending are the versions that were sent last and not answered.
	pending [killWorkers]packed
	counter int
}

func newKillTest(t *testing.T, s *server, open func(world) killFormat) *killTest {
	w, err := newWorld(s, "kill")
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("random seed %d", seed)
	k := &killTest{T: t, server: s, format: open(w), random: rand.New(rand.NewPCG(seed, 0))}
	for i := range k.promised {
		k.promised[i] = map[string]string{}
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
	newest := map[string]string{}
	for worker, version := range k.newest {
		newest[k.format.name(worker)] = version
	}
	k.format.install(k.T, newest)
}

// verifyAll downloads everything and tells how much it is.
func (k *killTest) verifyAll() (versions int) {
	k.Helper()
	for worker := range killWorkers {
		versions += len(k.promised[worker])
		k.verify(worker, slices.Collect(maps.Keys(k.promised[worker])))
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
				p, err := k.format.pack(k.format.name(worker), fmt.Sprintf("%d.%d.0", k.counter, n), size)
				if err != nil {
					k.Error(err)
					return
				}
				k.pending[worker] = p
				if err := k.format.publish(ctx, p); err != nil {
					var refused *statusError
					if errors.As(err, &refused) && refused.status != http.StatusServiceUnavailable {
						k.Error(err)
					}
					return
				}
				k.acknowledge(worker, p)
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
	k.format.forget()
}

func (k *killTest) acknowledge(worker int, p packed) {
	k.promised[worker][p.version] = p.checksum
	k.newest[worker] = p.version
	k.pending[worker] = packed{}
}

// settle looks at what a worker's package is after the restart.
func (k *killTest) settle(worker int) {
	k.Helper()
	ctx := context.Background()
	name := k.format.name(worker)
	there, err := k.format.list(ctx, name)
	if err != nil {
		k.Fatal(err)
	}
	pending := k.pending[worker]
	for version := range there.checksums {
		if _, ok := k.promised[worker][version]; !ok && version != pending.version {
			k.Errorf("%s %s is there and was never published", name, version)
		}
	}
	if _, ok := there.checksums[pending.version]; ok {
		// Its answer was lost, so all of it must be there.
		k.acknowledge(worker, pending)
	}
	if newest := k.newest[worker]; there.newest != newest {
		k.Errorf("%s: the newest is %q, not %q", name, there.newest, newest)
	}
	round := fmt.Sprintf("%d.", k.counter)
	k.verify(worker, slices.DeleteFunc(slices.Collect(maps.Keys(k.promised[worker])), func(version string) bool {
		return !strings.HasPrefix(version, round)
	}))

	if pending = k.pending[worker]; pending.version != "" {
		// Nothing is left of it that would stand in the way.
		if err := k.format.publish(ctx, pending); err != nil {
			k.Errorf("again: %v", err)
		}
		k.acknowledge(worker, pending)
	}
}

// verify downloads versions that were published and compares their bytes.
func (k *killTest) verify(worker int, versions []string) {
	k.Helper()
	ctx := context.Background()
	name := k.format.name(worker)
	there, err := k.format.list(ctx, name)
	if err != nil {
		k.Fatal(err)
	}
	for version, want := range k.promised[worker] {
		if got, ok := there.checksums[version]; !ok || got != "" && got != want {
			k.Errorf("%s %s was published with %s and is listed with %q", name, version, want, got)
		}
	}
	for _, version := range versions {
		if got, err := there.fetch(ctx, version); err != nil || got != k.promised[worker][version] {
			k.Errorf("%s %s has the checksum %q: %v", name, version, got, err)
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
	before, blobs := k.fsck(), versions*k.format.files()
	if before.Broken != 0 || before.Orphans != len(before.Findings) || before.Blobs != blobs {
		k.Errorf("fsck found other things than orphans beside %d files: %+v", blobs, before)
	}
	if _, err := k.server.command("gc", "--grace", "0s"); err != nil {
		k.Fatal(err)
	}
	if after := k.fsck(); len(after.Findings) != 0 || after.Blobs != blobs {
		k.Errorf("after gc there should be %d blobs and nothing else: %+v", blobs, after)
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
