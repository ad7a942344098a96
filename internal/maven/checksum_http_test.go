package maven_test

import (
	"net/http"
	"testing"
	"time"
)

const jarPath = "org/acme/app/1.0/app-1.0.jar"

// TestCorruptUpload: Maven only warns when a checksum is refused, so the file is
// withheld and the metadata that follows fails the build (maven.md 7.4).
func TestCorruptUpload(t *testing.T) { onEach(t, testCorruptUpload) }

func testCorruptUpload(t *testing.T, w *world) {
	w.deploy("0.9")
	w.put("org/acme/app/1.0/app-1.0.pom", "pom", http.StatusCreated)
	w.put(jarPath, "corrupt", http.StatusCreated)
	w.put(jarPath+".sha1", sums("right")["sha1"], http.StatusConflict)
	w.put(jarPath+".md5", sums("right")["md5"], http.StatusConflict)
	w.get(jarPath, http.StatusNotFound)
	w.get(jarPath+".sha1", http.StatusNotFound)
	w.get("org/acme/app/1.0/app-1.0.pom", http.StatusOK)
	metadata := artifactMetadata("org.acme", "app", "0.9", "1.0")
	w.put("org/acme/app/maven-metadata.xml", metadata, http.StatusConflict)
	w.clock.Advance(time.Hour) // time does not heal it
	if got := versionsIn(t, w.get("org/acme/app/maven-metadata.xml", http.StatusOK)); len(got) != 1 {
		t.Errorf("versions = %v, want the first alone", got)
	}
	w.put("org/acme/app/maven-metadata.xml", artifactMetadata("org.acme", "app", "0.9"), http.StatusOK) // of somebody else

	// The second try may replace what nobody saw.
	w.put(jarPath, "right", http.StatusOK)
	w.put(jarPath+".sha1", sums("right")["sha1"], http.StatusOK)
	w.put("org/acme/app/maven-metadata.xml", metadata, http.StatusOK)
	if got := w.get(jarPath, http.StatusOK); got != "right" {
		t.Errorf("jar = %q", got)
	}
	if got := versionsIn(t, w.get("org/acme/app/maven-metadata.xml", http.StatusOK)); len(got) != 2 {
		t.Errorf("versions = %v, want both", got)
	}
	w.put(jarPath, "other", http.StatusConflict)
}

// TestWrongChecksum: one that fits clears the mark; one that comes late changes
// nothing any more.
func TestWrongChecksum(t *testing.T) { onEach(t, testWrongChecksum) }

func testWrongChecksum(t *testing.T, w *world) {
	w.put(jarPath, "right", http.StatusCreated)
	w.put(jarPath+".sha1", sums("wrong")["sha1"], http.StatusConflict)
	w.get(jarPath, http.StatusNotFound)
	w.put(jarPath, "right", http.StatusOK) // a repeat succeeds, and heals nothing
	w.get(jarPath, http.StatusNotFound)
	w.put(jarPath+".sha256", "SHA256 (app-1.0.jar) = "+sums("right")["sha256"]+"\n", http.StatusOK)
	w.get(jarPath, http.StatusOK)
	w.clock.Advance(time.Hour)
	w.put(jarPath+".sha1", sums("wrong")["sha1"], http.StatusConflict)
	w.get(jarPath, http.StatusOK)
}

// TestEarlyChecksum: checksums may come before their files, in any number.
func TestEarlyChecksum(t *testing.T) { onEach(t, testEarlyChecksum) }

func testEarlyChecksum(t *testing.T, w *world) {
	w.put(jarPath+".sha1", sums("right")["sha1"], http.StatusAccepted)
	w.put(jarPath+".md5", sums("right")["md5"], http.StatusAccepted)
	w.get(jarPath+".sha1", http.StatusNotFound)
	w.get("org/", http.StatusNotFound)
	w.put(jarPath, "right", http.StatusCreated)
	w.get(jarPath, http.StatusOK)

	const other = "org/acme/app/2.0/app-2.0.jar"
	w.put(other+".sha1", sums("right")["sha1"], http.StatusAccepted)
	w.put(other, "corrupt", http.StatusConflict)
	w.get(other, http.StatusNotFound)
	w.put("org/acme/app/maven-metadata.xml", artifactMetadata("org.acme", "app", "2.0"), http.StatusConflict)
	w.put(other, "right", http.StatusOK)
	w.get(other, http.StatusOK)

	const old = "org/acme/app/3.0/app-3.0.jar"
	w.put(old+".sha1", sums("forgotten")["sha1"], http.StatusAccepted)
	w.clock.Advance(25 * time.Hour)
	w.put(old, "new", http.StatusCreated)
}

// TestIvyLooksFirst: Ivy aborts when a checksum that it is about to send is
// there, so a HEAD does not find it until it was sent (maven.md 4.7).
func TestIvyLooksFirst(t *testing.T) {
	w := newWorld(t)
	head := func(token, agent string) int {
		return w.call(http.MethodHead, demo+"/"+jarPath+".sha1", token, "", "User-Agent", agent).Code
	}
	w.put(jarPath, "x", http.StatusCreated)
	if got := head(w.read, "Apache Ivy/2.5.2"); got != http.StatusNotFound {
		t.Errorf("Ivy finds it: %d", got)
	}
	if got := head(w.write, "Java/17"); got != http.StatusNotFound {
		t.Errorf("the publisher finds it: %d", got)
	}
	if got := head(w.read, "Java/17"); got != http.StatusOK {
		t.Errorf("a reader does not find it: %d", got)
	}
	w.get(jarPath+".sha1", http.StatusOK) // GET always does
	w.put(jarPath+".sha1", sums("x")["sha1"], http.StatusOK)
	if got := head(w.write, "Apache Ivy/2.5.2"); got != http.StatusOK {
		t.Errorf("Ivy does not find what it sent: %d", got)
	}
	const second = "org/acme/app/1.0/app-1.0.pom"
	w.put(second, "y", http.StatusCreated)
	w.clock.Advance(11 * time.Minute)
	if got := w.call(http.MethodHead, demo+"/"+second+".sha1", w.write, "", "User-Agent", "Apache Ivy/2.5.2").Code; got != http.StatusOK {
		t.Errorf("it is not found later: %d", got)
	}
}
