package maven_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"pakhus/internal/registry"
)

const onMetadata = "maven_publish_on_metadata"

// status is what a reader's GET answers.
func (w *world) status(address, path, token string) int {
	w.t.Helper()
	return w.call(http.MethodGet, address+"/"+path, token, "").Code
}

// wantSeen tests that a reader of the project and one of the group see paths, or
// do not, and that the publisher does in any case.
func (w *world) wantSeen(seen bool, paths ...string) {
	w.t.Helper()
	want := map[bool]int{true: http.StatusOK, false: http.StatusNotFound}[seen]
	for _, path := range paths {
		if got := w.status(demo, path, w.read); got != want {
			w.t.Errorf("%s for a reader: %d, want %d", path, got, want)
		}
		if got := w.status(acmeGroup, path, w.ann); got != want {
			w.t.Errorf("%s in the group: %d, want %d", path, got, want)
		}
		if got := w.status(demo, path, w.write); got != http.StatusOK {
			w.t.Errorf("%s for its publisher: %d, want 200", path, got)
		}
	}
}

// TestPublishOnMetadata: a release is there for others when its metadata comes,
// and not before, however long it takes (maven.md 16).
func TestPublishOnMetadata(t *testing.T) { onEach(t, testPublishOnMetadata) }

func testPublishOnMetadata(t *testing.T, w *world) {
	const dir = "org/acme/app/1.0/"
	files := []string{dir + "app-1.0.pom", dir + "app-1.0.jar", dir + "app-1.0.jar.sha1", dir}
	w.put("org/acme/app/0.9/app-0.9.jar", "before", http.StatusCreated)
	w.set(registry.Span{GroupID: 1}, onMetadata, "true")
	w.clock.Advance(time.Hour)
	for _, file := range files[:2] {
		w.put(file, "bytes of "+file, http.StatusCreated)
		w.put(file+".sha1", sums("bytes of " + file)["sha1"], http.StatusOK)
	}
	w.put(dir+"app-1.0.jar", "bytes of "+dir+"app-1.0.jar", http.StatusOK) // a repeat
	w.wantSeen(false, files...)
	w.get(dir[:len(dir)-1], http.StatusNotFound)
	if slices.Contains(links(w.get("org/acme/app/", http.StatusOK)), "1.0/") {
		t.Error("the listing shows the version")
	}
	w.clock.Advance(24 * 365 * time.Hour)
	w.wantSeen(false, files...)
	w.wantSeen(true, "org/acme/app/0.9/app-0.9.jar")
	w.put("org/acme/app/maven-metadata.xml", artifactMetadata("org.acme", "app", "0.9"), http.StatusOK) // of another
	w.wantSeen(false, files...)
	if got := versionsIn(t, w.get("org/acme/app/maven-metadata.xml", http.StatusOK)); len(got) != 1 {
		t.Errorf("versions = %v", got)
	}

	w.put("org/acme/app/maven-metadata.xml", artifactMetadata("org.acme", "app", "0.9", "1.0"), http.StatusOK)
	w.wantSeen(true, files...)
	if !slices.Contains(links(w.get("org/acme/app/", http.StatusOK)), "1.0/") {
		t.Error("the listing does not show the version")
	}
	if got := versionsIn(t, w.get("org/acme/app/maven-metadata.xml", http.StatusOK)); len(got) != 2 {
		t.Errorf("versions = %v", got)
	}
}

// TestPublishOnMetadataLate: what joins a version that is there shows at once,
// and a file in doubt is in doubt for everybody.
func TestPublishOnMetadataLate(t *testing.T) {
	w := newWorld(t)
	w.set(spanOfDemo, onMetadata, "true")
	const dir = "org/acme/app/1.0/"
	w.deploy("1.0")
	w.put(dir+"app-1.0-sources.jar", "late", http.StatusCreated)
	w.wantSeen(true, dir+"app-1.0-sources.jar")

	const next = "org/acme/app/1.1/app-1.1.jar"
	w.put(next, "corrupt", http.StatusCreated)
	w.put(next+".sha1", sums("right")["sha1"], http.StatusConflict)
	for _, token := range []string{w.read, w.write} {
		if got := w.status(demo, next, token); got != http.StatusNotFound {
			t.Errorf("status = %d", got)
		}
	}
	w.put(next+".sha1", sums("corrupt")["sha1"], http.StatusOK)
	w.clock.Advance(time.Hour)
	w.wantSeen(false, next)
	w.put("org/acme/app/maven-metadata.xml", artifactMetadata("org.acme", "app", "1.1"), http.StatusOK)
	w.wantSeen(true, next)
}

// TestPublishOnMetadataSnapshot: the same for each build, whichever metadata comes
// first, and for literal files.
func TestPublishOnMetadataSnapshot(t *testing.T) { onEach(t, testPublishOnMetadataSnapshot) }

func testPublishOnMetadataSnapshot(t *testing.T, w *world) {
	w.set(spanOfDemo, onMetadata, "true")
	const first, second, third = "20260301.100000-1", "20260301.110000-2", "20260301.120000-3"
	jar := func(stamp string) string { return snapshotDir + "app-1.0-" + stamp + ".jar" }
	const literal = snapshotDir + "app-1.0-SNAPSHOT.jar"
	w.build(first)
	w.clock.Advance(time.Hour)
	w.wantSeen(false, jar(first), jar(first)+".md5")
	w.get(literal, http.StatusNotFound)
	w.get(snapshotDir+"maven-metadata.xml", http.StatusNotFound)
	w.finish(first)
	w.wantSeen(true, jar(first), literal)

	w.build(second)
	w.clock.Advance(time.Hour)
	w.wantSeen(false, jar(second))
	w.wantSeen(true, jar(first))
	if got := w.get(literal, http.StatusOK); got != "bytes of "+jar(first) {
		t.Errorf("literal name = %q", got)
	}
	w.finish(second)
	w.wantSeen(true, jar(second))

	w.finish(third) // Gradle 4 sends it first
	w.build(third)
	w.wantSeen(false, jar(third))
	w.put("org/acme/app/maven-metadata.xml", artifactMetadata("org.acme", "app", "1.0-SNAPSHOT"), http.StatusOK)
	w.wantSeen(true, jar(third))

	const other = "org/acme/app/2.0-SNAPSHOT/app-2.0-SNAPSHOT.jar"
	w.put(other, "x", http.StatusCreated)
	w.clock.Advance(time.Hour)
	w.wantSeen(false, other, other+".sha256")
	w.put("org/acme/app/maven-metadata.xml", artifactMetadata("org.acme", "app", "2.0-SNAPSHOT"), http.StatusOK)
	w.wantSeen(true, other)
}

// TestPublishOnMetadataOff: by default files can be read as they come, and switching
// the setting off shows what was waiting.
func TestPublishOnMetadataOff(t *testing.T) {
	w := newWorld(t)
	w.put(jarPath, "x", http.StatusCreated)
	w.wantSeen(true, jarPath)
	const next = "org/acme/app/1.1/app-1.1.jar"
	w.set(spanOfDemo, onMetadata, "true")
	w.put(next, "x", http.StatusCreated)
	w.wantSeen(false, next)
	w.set(spanOfDemo, onMetadata, "false")
	w.wantSeen(true, next)
}
