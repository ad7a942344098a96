package maven_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/maven"
)

const snapshotDir = "org/acme/app/1.0-SNAPSHOT/"

// build stores a build of org.acme:app:1.0-SNAPSHOT, with a POM and a jar and
// files of further endings.
func (w *world) build(stamp string, more ...string) {
	w.t.Helper()
	for _, ending := range append([]string{".pom", ".jar"}, more...) {
		name := snapshotDir + "app-1.0-" + stamp + ending
		w.put(name, "bytes of "+name, http.StatusCreated)
	}
}

// finish sends the metadata of a build, as the last of its deployment.
func (w *world) finish(stamp string) {
	w.t.Helper()
	build, ok := maven.ParseBuild(stamp)
	if !ok {
		w.t.Fatalf("%q is no build", stamp)
	}
	document := maven.AppendSnapshotMetadata(nil, maven.SnapshotMetadata{
		GroupID: "org.acme", ArtifactID: "app", Version: "1.0-SNAPSHOT", Build: build,
		Files: []maven.SnapshotVersion{{Extension: "jar", Value: "1.0-" + stamp, Updated: "20260301101500"}},
	})
	w.put(snapshotDir+"maven-metadata.xml", string(document), http.StatusOK)
}

// snapshot reads the metadata of the version.
func (w *world) snapshot() *maven.Metadata {
	w.t.Helper()
	m, err := maven.ParseMetadata(strings.NewReader(w.get(snapshotDir+"maven-metadata.xml", http.StatusOK)))
	check(w.t, err)
	return m
}

func TestSnapshotBuilds(t *testing.T) { onEach(t, testSnapshotBuilds) }

func testSnapshotBuilds(t *testing.T, w *world) {
	const first, second, third = "20260301.100000-1", "20260301.110000-2", "20260301.120000-3"
	w.get(snapshotDir+"maven-metadata.xml", http.StatusNotFound)
	w.build(first, "-sources.jar")
	w.get(snapshotDir+"maven-metadata.xml", http.StatusNotFound) // not complete
	w.finish(first)
	m := w.snapshot()
	if got := m.Snapshot.String(); got != first {
		t.Errorf("build = %q, want %q", got, first)
	}
	if diff := cmp.Diff([]string{"1.0-SNAPSHOT"}, versionsIn(t, w.get("org/acme/app/maven-metadata.xml", http.StatusOK))); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}

	// A build under way changes nothing; one whose client says nothing is complete
	// after the quiet time.
	w.build(second)
	before := w.get(snapshotDir+"maven-metadata.xml", http.StatusOK)
	if got := w.snapshot().Snapshot.String(); got != first {
		t.Errorf("build = %q while the second is under way", got)
	}
	w.clock.Advance(time.Minute)
	if got := w.snapshot().Snapshot.String(); got != second {
		t.Errorf("build = %q after the quiet time, want %q", got, second)
	}
	if after := w.get(snapshotDir+"maven-metadata.xml", http.StatusOK); after == before {
		t.Error("the document did not change")
	}
	want := []maven.SnapshotVersion{
		{Extension: "jar", Value: "1.0-" + second, Updated: "20260301110000"},
		{Extension: "pom", Value: "1.0-" + second, Updated: "20260301110000"},
		{Classifier: "sources", Extension: "jar", Value: "1.0-" + first, Updated: "20260301100000"},
	}
	if diff := cmp.Diff(want, w.snapshot().SnapshotVersions); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}

	// What is complete stays so: a late file shows at once.
	w.put(snapshotDir+"app-1.0-"+second+"-javadoc.jar", "late", http.StatusCreated)
	if got := w.snapshot().SnapshotVersions; len(got) != 4 {
		t.Errorf("files = %+v, want four", got)
	}
	w.build(third)
	w.finish(third)
	w.put(snapshotDir+"app-1.0-"+third+".jar", "other", http.StatusConflict)
	w.put(snapshotDir+"app-1.0-"+third+".jar", "bytes of "+snapshotDir+"app-1.0-"+third+".jar", http.StatusOK)
}

// TestLiteralName: the name that ends in -SNAPSHOT leads to the newest build,
// with checksums, and is not kept by caches.
func TestLiteralName(t *testing.T) { onEach(t, testLiteralName) }

func testLiteralName(t *testing.T, w *world) {
	const stamp = "20260301.100000-1"
	w.build(stamp, ".jar.asc")
	w.finish(stamp)
	for literal, stored := range map[string]string{
		"app-1.0-SNAPSHOT.jar": "app-1.0-" + stamp + ".jar", "app-1.0-SNAPSHOT.pom": "app-1.0-" + stamp + ".pom",
		"app-1.0-SNAPSHOT.jar.asc": "app-1.0-" + stamp + ".jar.asc",
	} {
		a := w.want(w.call(http.MethodGet, demo+"/"+snapshotDir+literal, w.read, ""), http.StatusOK)
		want := "bytes of " + snapshotDir + stored
		if got := a.Body.String(); got != want {
			t.Errorf("%s = %q", literal, got)
		}
		if got := a.Header().Get("Content-Location"); got != stored {
			t.Errorf("%s lies at %q, want %q", literal, got, stored)
		}
		if got := a.Header().Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s may be kept: %q", literal, got)
		}
		if got := w.get(snapshotDir+literal+".sha1", http.StatusOK); got != sums(want)["sha1"] {
			t.Errorf("%s.sha1 = %q", literal, got)
		}
	}
	w.get(snapshotDir+"app-1.0-SNAPSHOT-sources.jar", http.StatusNotFound)

	// A literal file that is stored is its own, and can be replaced.
	w.put(snapshotDir+"app-1.0-SNAPSHOT.jar", "one", http.StatusCreated)
	w.put(snapshotDir+"app-1.0-SNAPSHOT.jar", "two", http.StatusOK)
	if got := w.get(snapshotDir+"app-1.0-SNAPSHOT.jar", http.StatusOK); got != "two" {
		t.Errorf("literal file = %q", got)
	}
}

// TestRetention: builds beyond the number to keep go after two days, and build
// numbers never fall.
func TestRetention(t *testing.T) { onEach(t, testRetention) }

func testRetention(t *testing.T, w *world) {
	stamp := func(n int) string { return fmt.Sprintf("20260301.10%02d00-%d", n, n) }
	for n := 1; n <= 11; n++ {
		w.build(stamp(n))
		w.finish(stamp(n))
	}
	w.get(snapshotDir+"app-1.0-"+stamp(1)+".jar", http.StatusOK) // younger than two days
	w.clock.Advance(49 * time.Hour)
	w.build(stamp(12))
	w.finish(stamp(12))
	for n := 1; n <= 12; n++ {
		status := http.StatusOK
		if n <= 2 {
			status = http.StatusNotFound
		}
		w.get(snapshotDir+"app-1.0-"+stamp(n)+".jar", status)
	}
	w.want(w.call(http.MethodDelete, demo+"/"+snapshotDir+"app-1.0-"+stamp(12)+".jar", w.write, ""), http.StatusNoContent)
	w.want(w.call(http.MethodDelete, demo+"/"+snapshotDir+"app-1.0-"+stamp(12)+".pom", w.write, ""), http.StatusNoContent)
	m := w.snapshot()
	if m.Snapshot.Number != 12 || m.Snapshot.Timestamp != stamp(11)[:15] {
		t.Errorf("build = %v, want the time of 11 and the number 12", m.Snapshot)
	}
	w.get(snapshotDir+"app-1.0-"+m.Snapshot.String()+".jar", http.StatusOK) // as Gradle asks
}

// TestMetadataFirst: Gradle before release 5 sends the snapshot's metadata before
// the files, and the artifact's after them.
func TestMetadataFirst(t *testing.T) { onEach(t, testMetadataFirst) }

func testMetadataFirst(t *testing.T, w *world) {
	const stamp = "20260301.100000-1"
	w.finish(stamp)
	w.get(snapshotDir+"maven-metadata.xml", http.StatusNotFound)
	w.build(stamp)
	w.get(snapshotDir+"maven-metadata.xml", http.StatusNotFound)
	w.put("org/acme/app/maven-metadata.xml", artifactMetadata("org.acme", "app", "1.0-SNAPSHOT"), http.StatusOK)
	if got := w.snapshot().Snapshot.String(); got != stamp {
		t.Errorf("build = %q, want %q", got, stamp)
	}
}
