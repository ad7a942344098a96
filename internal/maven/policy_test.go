package maven_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"pakhus/internal/registry"
)

// TestReleasePolicy: files of a release are never replaced, may join it for a
// day, and its coordinates stay taken when it is deleted (maven.md 16).
func TestReleasePolicy(t *testing.T) { onEach(t, testReleasePolicy) }

func testReleasePolicy(t *testing.T, w *world) {
	w.deploy("1.0")
	const dir = "org/acme/app/1.0/app-1.0"
	w.put(dir+".jar", "other", http.StatusConflict)
	w.clock.Advance(23 * time.Hour)
	w.put(dir+"-sources.jar", "late", http.StatusCreated)
	w.put(dir+".jar.asc", "signature", http.StatusCreated)
	w.put(dir+".jar.asc", "another", http.StatusConflict)
	w.clock.Advance(2 * time.Hour)
	w.put(dir+"-javadoc.jar", "too late", http.StatusConflict)
	w.put(dir+".jar", "bytes of "+dir+".jar", http.StatusOK)

	w.want(w.call(http.MethodDelete, demo+"/org/acme/app/1.0/", w.write, ""), http.StatusNoContent)
	w.want(w.call(http.MethodDelete, demo+"/org/acme/app/1.0/", w.write, ""), http.StatusNotFound)
	w.get(dir+".jar", http.StatusNotFound)
	w.get(dir+".jar.sha1", http.StatusNotFound)
	w.get("org/acme/app/1.0/", http.StatusNotFound)
	w.get("org/acme/app/maven-metadata.xml", http.StatusNotFound)
	w.put(dir+".jar", "bytes of "+dir+".jar", http.StatusConflict)
	w.put(dir+".jar.sha1", sums("x")["sha1"], http.StatusConflict)
	w.deploy("1.1")
}

// TestSignatureBeforeComplete: a signature may be replaced until the version is
// complete.
func TestSignatureBeforeComplete(t *testing.T) { onEach(t, testSignatureBeforeComplete) }

func testSignatureBeforeComplete(t *testing.T, w *world) {
	const dir = "org/acme/app/1.0/app-1.0"
	w.put(dir+".jar", "x", http.StatusCreated)
	w.put(dir+".jar.asc", "one", http.StatusCreated)
	w.put(dir+".jar.asc", "two", http.StatusOK)
	w.clock.Advance(2 * time.Minute)
	w.put(dir+".jar.asc", "three", http.StatusConflict)
}

// TestDeletedSnapshot: unlike a release it may come back.
func TestDeletedSnapshot(t *testing.T) { onEach(t, testDeletedSnapshot) }

func testDeletedSnapshot(t *testing.T, w *world) {
	w.build("20260301.100000-1")
	w.finish("20260301.100000-1")
	w.want(w.call(http.MethodDelete, demo+"/"+strings.TrimSuffix(snapshotDir, "/"), w.write, ""), http.StatusNoContent)
	w.get(snapshotDir+"maven-metadata.xml", http.StatusNotFound)
	w.get(snapshotDir+"app-1.0-SNAPSHOT.jar", http.StatusNotFound)
	w.build("20260301.110000-1")
	w.finish("20260301.110000-1")
	if got := w.snapshot().Snapshot.String(); got != "20260301.110000-1" {
		t.Errorf("build = %q", got)
	}
}

func TestDuplicatesAllowed(t *testing.T) {
	inGroup, inProject := registry.Span{GroupID: 1}, registry.Span{ProjectID: 1}
	type setting struct {
		at         registry.Span
		key, value string
	}
	allow := setting{inGroup, "maven_duplicates_allowed", "true"}
	exception := func(pattern string) setting { return setting{inGroup, "maven_duplicate_exception_regex", pattern} }
	tests := []struct {
		name     string
		settings []setting
		want     int
	}{
		{"by default", nil, 409},
		{"in the group", []setting{allow}, 200},
		{"not in the project", []setting{allow, {inProject, "maven_duplicates_allowed", "false"}}, 409},
		{"excepted by name", []setting{exception("org/acme/.*")}, 200},
		{"excepted by version", []setting{exception(`1\..*`)}, 200},
		{"the whole name counts", []setting{exception("acme")}, 409},
		{"each alternative is whole", []setting{exception("acme|app")}, 409},
		{"an exception to what is allowed", []setting{allow, exception("org/acme/app")}, 409},
		{"a pattern that is none", []setting{allow, exception("(")}, 409},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			for _, s := range tt.settings {
				w.set(s.at, s.key, s.value)
			}
			w.put(jarPath, "one", http.StatusCreated)
			wantStatus(t, w.call(http.MethodPut, demo+"/"+jarPath, w.write, "two"), tt.want)
			want, caching := "one", "private, max-age=31536000, immutable"
			if tt.want == 200 {
				want, caching = "two", "no-cache"
			}
			a := w.want(w.call(http.MethodGet, demo+"/"+jarPath, w.read, ""), 200)
			if got := a.Body.String(); got != want {
				t.Errorf("jar = %q, want %q", got, want)
			}
			if got := a.Header().Get("Cache-Control"); got != caching {
				t.Errorf("caching = %q, want %q", got, caching)
			}
		})
	}
}

// TestVersionPolicy: a repository of releases takes no snapshots, of no client,
// and the reverse; what is there before stays (maven.md 5.1, 16).
func TestVersionPolicy(t *testing.T) {
	const release, snapshot = "org/acme/app/1.0/app-1.0.jar", snapshotDir + "app-1.0-20260301.101500-7.jar"
	const literal, stuck = snapshotDir + "app-1.0-SNAPSHOT.jar", "org/acme/app/1.0SNAPSHOT/app-1.0SNAPSHOT.jar"
	const metadata = "<metadata><groupId>org.acme</groupId><artifactId>app</artifactId><version>1.0-SNAPSHOT</version></metadata>"
	tests := []struct {
		policy              string
		releases, snapshots bool
	}{{"", true, true}, {"mixed", true, true}, {"release", true, false}, {"snapshot", false, true}}
	for _, tt := range tests {
		t.Run("policy "+tt.policy, func(t *testing.T) {
			w := newWorld(t)
			w.put(literal+".asc", "before", http.StatusCreated)
			w.put("org/acme/app/0.9/app-0.9.jar", "before", http.StatusCreated)
			if tt.policy != "" {
				w.set(registry.Span{GroupID: 1}, "maven_version_policy", tt.policy)
			}
			status := func(taken bool, status int) int {
				if taken {
					return status
				}
				return http.StatusBadRequest
			}
			for _, path := range []string{release, snapshot, literal, stuck} {
				taken := tt.snapshots
				if path == release {
					taken = tt.releases
				}
				w.put(path+".sha1", sums("x")["sha1"], status(taken, http.StatusAccepted))
				w.put(path, "x", status(taken, http.StatusCreated))
				w.get(path, map[bool]int{true: http.StatusOK, false: http.StatusNotFound}[taken])
			}
			w.put(literal+".asc", "before", http.StatusOK)
			w.put(literal+".asc", "after", status(tt.snapshots, http.StatusOK))
			w.put("org/acme/app/0.9/app-0.9.jar", "before", http.StatusOK)
			w.put(snapshotDir+"maven-metadata.xml", metadata, status(tt.snapshots, http.StatusOK))
			w.put("org/acme/app/maven-metadata.xml", artifactMetadata("org.acme", "app", "1.0"), http.StatusOK)
			w.get("org/acme/app/0.9/app-0.9.jar", http.StatusOK)
			w.get(literal+".asc", http.StatusOK)
		})
	}
}
