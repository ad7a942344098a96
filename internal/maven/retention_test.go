package maven_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const releasedSnapshots = "maven_drop_released_snapshots"

// TestReleasedSnapshots: with the release of the same number there, deployments
// drop what the snapshot has that is older than two days, and then the version.
func TestReleasedSnapshots(t *testing.T) { onEach(t, testReleasedSnapshots) }

func testReleasedSnapshots(t *testing.T, w *world) {
	const metadata = "org/acme/app/maven-metadata.xml"
	const first, second = "20260301.100000-4", "20260304.100000-5"
	w.set(spanOfDemo, releasedSnapshots, "true")
	w.build(first, ".pom.asc")
	w.put(snapshotDir+"ivy.xml", "ivy", http.StatusCreated)
	w.finish(first)
	w.put("org/acme/app/2.0-SNAPSHOT/app-2.0-SNAPSHOT.jar", "next", http.StatusCreated)
	w.clock.Advance(72 * time.Hour)
	w.build(second)
	w.finish(second)
	versions := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, versionsIn(t, w.get(metadata, http.StatusOK))); diff != "" {
			t.Errorf("versions (-want +got):\n%s", diff)
		}
	}

	// Without the release nothing goes, whatever is released beside it.
	w.deploy("0.9")
	w.get(snapshotDir+"app-1.0-"+first+".jar", http.StatusOK)
	// A release whose bytes are in doubt is none.
	w.put("org/acme/app/1.0/app-1.0.jar", "corrupt", http.StatusCreated)
	w.put("org/acme/app/1.0/app-1.0.jar.sha1", sums("right")["sha1"], http.StatusConflict)
	w.clock.Advance(5 * time.Minute)
	w.deploy("0.10")
	w.get(snapshotDir+"app-1.0-"+first+".jar", http.StatusOK)
	w.put("org/acme/app/1.0/app-1.0.jar", "right", http.StatusOK)
	w.put("org/acme/app/1.0/app-1.0.jar.sha1", sums("right")["sha1"], http.StatusOK)

	w.put(metadata, artifactMetadata("org.acme", "app", "1.0"), http.StatusOK)
	for _, gone := range []string{"app-1.0-" + first + ".jar", "app-1.0-" + first + ".pom", "app-1.0-" + first + ".pom.asc", "ivy.xml"} {
		w.get(snapshotDir+gone, http.StatusNotFound)
	}
	w.get(snapshotDir+"app-1.0-"+second+".jar", http.StatusOK) // two days have not passed
	versions("0.9", "0.10", "1.0-SNAPSHOT", "1.0", "2.0-SNAPSHOT")

	w.clock.Advance(72 * time.Hour)
	w.put("org/acme/app/1.1/app-1.1.pom", "pom", http.StatusCreated) // by sbt, which sends no metadata
	w.get(snapshotDir, http.StatusNotFound)
	w.get(snapshotDir+"maven-metadata.xml", http.StatusNotFound)
	w.get(snapshotDir+"app-1.0-SNAPSHOT.jar", http.StatusNotFound)
	w.get("org/acme/app/2.0-SNAPSHOT/app-2.0-SNAPSHOT.jar", http.StatusOK)
	versions("0.9", "0.10", "1.0", "2.0-SNAPSHOT")

	// It may come back, and its numbers go on.
	const again = "20260310.100000-1"
	w.build(again)
	w.finish(again)
	if got := w.snapshot().Snapshot.Number; got != 5 {
		t.Errorf("build number = %d, want that of the highest build there ever was", got)
	}
	w.get(snapshotDir+"app-1.0-SNAPSHOT.jar", http.StatusOK)
}

// TestReleasedSnapshotsStay: by default, and of literal files the same.
func TestReleasedSnapshotsStay(t *testing.T) {
	for value, status := range map[string]int{"false": http.StatusOK, "true": http.StatusNotFound} {
		w := newWorld(t)
		w.set(spanOfDemo, releasedSnapshots, value)
		const literal = snapshotDir + "app-1.0-SNAPSHOT.jar"
		w.put(literal, "literal", http.StatusCreated)
		w.clock.Advance(72 * time.Hour)
		w.deploy("1.0")
		w.get(literal, status)
		w.get(strings.TrimSuffix(snapshotDir, "/"), map[int]int{http.StatusOK: http.StatusMovedPermanently, http.StatusNotFound: http.StatusNotFound}[status])
		w.get("org/acme/app/1.0/app-1.0.jar", http.StatusOK)
	}
}
