package maven_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"pakhus/internal/maven"
)

// each runs n deployments at the same time, eight at once.
func each(n int, deploy func(i int)) {
	var done sync.WaitGroup
	turns := make(chan struct{}, 8)
	for i := range n {
		turns <- struct{}{}
		done.Go(func() {
			defer func() { <-turns }()
			deploy(i)
		})
	}
	done.Wait()
}

// send is put for goroutines.
func (w *world) sendFile(path, body string, statuses ...int) {
	a := w.call(http.MethodPut, demo+"/"+path, w.write, body)
	for _, status := range statuses {
		if a.Code == status {
			return
		}
	}
	w.t.Errorf("PUT %s: %d %s", path, a.Code, a.Body)
}

// readMetadata reads metadata as a deployer does who will add to it.
func (w *world) readMetadata(path string) *maven.Metadata {
	a := w.call(http.MethodGet, demo+"/"+path, w.write, "")
	if a.Code == http.StatusNotFound {
		return &maven.Metadata{}
	}
	m, err := maven.ParseMetadata(a.Body)
	if err != nil || a.Code != http.StatusOK {
		w.t.Errorf("GET %s: %d %v", path, a.Code, err)
		return &maven.Metadata{}
	}
	return m
}

// TestParallelReleases: 200 deployments of one artifact, each of which reads the
// metadata, adds its version and writes it back, lose nothing (maven.md 9.3).
func TestParallelReleases(t *testing.T) { onEach(t, testParallelReleases) }

func testParallelReleases(t *testing.T, w *world) {
	const count = 200
	each(count, func(i int) {
		version := fmt.Sprintf("1.%d", i)
		dir := "org/acme/app/" + version + "/app-" + version
		w.sendFile(dir+".pom", "pom "+version, 201)
		w.sendFile(dir+".jar", "jar "+version, 201)
		m := w.readMetadata("org/acme/app/maven-metadata.xml")
		w.sendFile("org/acme/app/maven-metadata.xml", artifactMetadata("org.acme", "app", append(m.Versions, version)...), 200)
	})
	if got := len(versionsIn(t, w.get("org/acme/app/maven-metadata.xml", http.StatusOK))); got != count {
		t.Errorf("%d versions, want %d", got, count)
	}
}

// TestParallelSnapshots: 200 builds of one snapshot, of which each is there, and
// the newest is named.
func TestParallelSnapshots(t *testing.T) { onEach(t, testParallelSnapshots) }

func testParallelSnapshots(t *testing.T, w *world) {
	w.set(spanOfDemo, "maven_snapshot_builds_kept", "0")
	const count = 200
	stamp := func(i int) string { return fmt.Sprintf("20260301.%02d%02d00-%d", 10+i/60, i%60, i+1) }
	each(count, func(i int) {
		for _, ending := range []string{".pom", ".jar"} {
			w.sendFile(snapshotDir+"app-1.0-"+stamp(i)+ending, ending+stamp(i), 201)
		}
		build, _ := maven.ParseBuild(stamp(i))
		w.readMetadata(snapshotDir + "maven-metadata.xml")
		w.sendFile(snapshotDir+"maven-metadata.xml", string(maven.AppendSnapshotMetadata(nil, maven.SnapshotMetadata{
			GroupID: "org.acme", ArtifactID: "app", Version: "1.0-SNAPSHOT", Build: build,
			Files: []maven.SnapshotVersion{{Extension: "jar", Value: "1.0-" + stamp(i), Updated: "20260301101500"}},
		})), 200)
	})
	if got := w.snapshot().Snapshot.String(); got != stamp(count-1) {
		t.Errorf("build = %q, want %q", got, stamp(count-1))
	}
	for i := range count {
		w.get(snapshotDir+"app-1.0-"+stamp(i)+".jar", http.StatusOK)
	}
}

// TestParallelPlugins: 200 plugins of one group, none of whose deployers sends
// the group's metadata.
func TestParallelPlugins(t *testing.T) { onEach(t, testParallelPlugins) }

func testParallelPlugins(t *testing.T, w *world) {
	const count = 200
	jars := make([]string, count)
	for i := range jars {
		jars[i] = pluginJar(t, "org.acme", fmt.Sprintf("p%d-maven-plugin", i), fmt.Sprintf("p%d", i))
	}
	each(count, func(i int) {
		name := fmt.Sprintf("p%d-maven-plugin", i)
		w.sendFile("org/acme/"+name+"/1.0/"+name+"-1.0.jar", jars[i], 201)
		w.sendFile("org/acme/"+name+"/maven-metadata.xml", artifactMetadata("org.acme", name, "1.0"), 200)
	})
	if got := len(w.plugins("org/acme")); got != count {
		t.Errorf("%d plugins, want %d", got, count)
	}
}

// TestOneFileTwice: of two that store different bytes under one name, one wins.
func TestOneFileTwice(t *testing.T) { onEach(t, testOneFileTwice) }

func testOneFileTwice(t *testing.T, w *world) {
	for round := range 20 {
		path := fmt.Sprintf("org/acme/app/1.%d/app-1.%d.jar", round, round)
		var mu sync.Mutex
		var won []string
		each(8, func(i int) {
			body := fmt.Sprintf("body %d", i)
			if a := w.call(http.MethodPut, demo+"/"+path, w.write, body); a.Code == http.StatusCreated {
				mu.Lock()
				defer mu.Unlock()
				won = append(won, body)
			} else if a.Code != http.StatusConflict {
				t.Errorf("status = %d", a.Code)
			}
		})
		if len(won) != 1 || w.get(path, http.StatusOK) != won[0] {
			t.Errorf("winners %v, stored %q", won, w.get(path, http.StatusOK))
		}
	}
}

// TestChecksumBesideFile: whichever comes first, a checksum that differs
// withholds the file, and one that fits does not.
func TestChecksumBesideFile(t *testing.T) { onEach(t, testChecksumBesideFile) }

func testChecksumBesideFile(t *testing.T, w *world) {
	for round := range 40 {
		path := fmt.Sprintf("org/acme/app/1.%d/app-1.%d.jar", round, round)
		claimed, status := "right", http.StatusOK
		if round%2 == 1 {
			claimed, status = "wrong", http.StatusNotFound
		}
		each(2, func(i int) {
			if i == 0 {
				w.sendFile(path, "right", 201, 409)
			} else {
				w.sendFile(path+".sha1", strings.ToUpper(sums(claimed)["sha1"]), 200, 202, 409)
			}
		})
		w.get(path, status)
	}
}

// TestConditionTwice: of writers who saw the same file, or none, and say so, one
// wins, whatever they send.
func TestConditionTwice(t *testing.T) { onEach(t, testConditionTwice) }

func testConditionTwice(t *testing.T, w *world) {
	w.set(spanOfDemo, "maven_duplicates_allowed", "true")
	const path = "/org/acme/app/1.0-SNAPSHOT/app-1.0-SNAPSHOT.jar"
	condition := [2]string{"If-None-Match", "*"}
	for round := range 20 {
		var mu sync.Mutex
		var won []string
		each(8, func(i int) {
			body := fmt.Sprintf("round %d, body %d", round, i%4) // some send the same
			a := w.call(http.MethodPut, demo+path, w.write, body, condition[0], condition[1])
			switch a.Code {
			case http.StatusCreated, http.StatusOK:
				mu.Lock()
				defer mu.Unlock()
				won = append(won, body)
			case http.StatusPreconditionFailed:
			default:
				t.Errorf("status = %d", a.Code)
			}
		})
		a := w.call(http.MethodGet, demo+path, w.read, "")
		if len(won) != 1 || a.Body.String() != won[0] {
			t.Fatalf("round %d: winners %v, stored %q", round, won, a.Body)
		}
		condition = [2]string{"If-Match", a.Header().Get("ETag")}
	}
}
