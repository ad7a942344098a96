package maven_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pakhus/internal/registry"
)

const strictUploads = "maven_strict_uploads"

// TestStrictLayout: what is not called like its artifact is refused before its
// bytes are read, also its checksum; Maven's and sbt's names are not.
func TestStrictLayout(t *testing.T) {
	foreign := []string{
		"org/acme/app/1.0/ivy.xml", "org/acme/app/1.0/App-1.0.jar", "org/acme/app/1.0/app-1.1.jar", "org/acme/app/1.0/other-1.0.jar",
		"org.acme/app/scala_2.12/sbt_1.0/1.2/jars/app.jar", "org/acme/app/1.0-SNAPSHOT/app-1.0-2026.jar",
	}
	named := []string{
		"org/acme/app/1.0/app-1.0.jar", "org/acme/app/1.0/app-1.0-sources.jar.asc", "org/acme/app/1.0/app-1.0", "org/acme/app/1.0/app-1.0-build.pom",
		"org/acme/app/1.0-SNAPSHOT/app-1.0-20260301.101500-7.jar", "org/acme/app/1.0-SNAPSHOT/app-1.0-SNAPSHOT.jar",
		"org/acme/sbt-x_2.12_1.0/1.2/sbt-x-1.2.jar", "org/acme/sbt-x_2.12_1.0/1.2/sbt-x_2.12_1.0-1.2.jar",
	}
	strict, lenient := newWorld(t), newWorld(t)
	strict.set(registry.Span{GroupID: 1}, strictUploads, "true")
	for _, path := range foreign {
		lenient.put(path, "x", http.StatusCreated)
		strict.put(path, "x", http.StatusBadRequest)
		strict.put(path+".sha1", sums("x")["sha1"], http.StatusBadRequest)
		strict.get(path, http.StatusNotFound)
		if a := strict.call(http.MethodPut, demo+"/"+path, strict.write, "x", "Accept", "application/problem+json"); !strings.Contains(a.Body.String(), strictUploads) {
			t.Errorf("%s: the answer does not name the setting: %s", path, a.Body)
		}
	}
	for _, path := range named {
		strict.put(path+".md5", sums(pomOf(path))["md5"], http.StatusAccepted)
		strict.put(path, pomOf(path), http.StatusCreated)
	}

	// What was stored before may be sent again, but not changed.
	lenient.set(spanOfDemo, strictUploads, "true")
	lenient.put(foreign[0], "x", http.StatusOK)
	lenient.put(foreign[0]+".sha1", sums("x")["sha1"], http.StatusOK)
	lenient.put(foreign[0], "y", http.StatusConflict)
}

// pomOf is a POM that fits any path, and bytes for other files.
func pomOf(path string) string {
	if strings.HasSuffix(path, ".pom") {
		return "<project/>"
	}
	return "bytes of " + path
}

// TestPOMOfAnother: a POM that is another's is refused in a strict repository,
// and stored with a warning in others.
func TestPOMOfAnother(t *testing.T) {
	const dir = "org/acme/app/1.0/app-1.0"
	const good = "<project><groupId>org.acme</groupId><artifactId>app</artifactId><version>1.0</version></project>"
	const bad = "<project><groupId>org.acmé</groupId><artifactId>app</artifactId><version>1.0</version></project>"
	tests := []struct {
		name, file, body string
		wrong            bool
	}{
		{"of its path", ".pom", good, false},
		{"of another", ".pom", bad, true},
		{"of another, of the build", "-build.pom", bad, true},
		{"broken", ".pom", good[:40], true},
		{"other classifiers are only files", "-old.pom", bad, false},
		{"a signature", ".pom.asc", bad, false},
		{"a jar", ".jar", bad, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			target := demo + "/" + dir + tt.file
			a := wantStatus(t, w.call(http.MethodPut, target, w.write, tt.body), http.StatusCreated)
			warning := a.Header().Get("Warning")
			if (warning != "") != tt.wrong || tt.wrong && !strings.HasPrefix(warning, `199 - "the POM `) {
				t.Errorf("warning = %q", warning)
			}
			w.set(spanOfDemo, strictUploads, "true")
			wantStatus(t, w.call(http.MethodPut, target, w.write, tt.body), http.StatusOK) // it is there

			other := newWorld(t)
			other.set(spanOfDemo, strictUploads, "true")
			status := http.StatusCreated
			if tt.wrong {
				status = http.StatusBadRequest
			}
			wantStatus(t, other.call(http.MethodPut, target, other.write, tt.body), status)
			if tt.wrong {
				other.get(dir+tt.file, http.StatusNotFound)
			}
		})
	}
}

// TestStrictMetadataChecksums: the checksum of metadata has to be that of a
// document which was sent here lately, of whichever deployment (maven.md 7.6).
func TestStrictMetadataChecksums(t *testing.T) { onEach(t, testStrictMetadataChecksums) }

func testStrictMetadataChecksums(t *testing.T, w *world) {
	const metadata = "org/acme/app/maven-metadata.xml"
	document := func(i int) string { return artifactMetadata("org.acme", "app", fmt.Sprintf("1.%d", i)) }
	sum := func(i int, algorithm string) string { return sums(document(i))[algorithm] }
	w.put(metadata+".sha1", sum(9, "sha1"), http.StatusOK) // by default nobody compares

	w.deploy("1.0")
	w.set(spanOfDemo, strictUploads, "true")
	w.put(metadata+".sha1", sum(9, "sha1"), http.StatusConflict)
	w.put(metadata, document(1), http.StatusOK)
	w.put(metadata, document(2), http.StatusOK)
	for _, algorithm := range []string{"md5", "sha1", "sha256", "sha512"} {
		w.put(metadata+"."+algorithm, sum(1, algorithm), http.StatusOK)
		w.put(metadata+"."+algorithm, strings.ToUpper(sum(2, algorithm)), http.StatusOK)
		w.put(metadata+"."+algorithm, sum(9, algorithm), http.StatusConflict)
		served := sums(w.get(metadata, http.StatusOK))[algorithm]
		w.put(metadata+"."+algorithm, served, http.StatusConflict) // never sent by anybody
	}
	w.put(snapshotDir+"maven-metadata.xml.sha1", sum(1, "sha1"), http.StatusConflict) // of another path

	for i := range 16 { // pushes the first two out
		w.put(metadata, document(100+i), http.StatusOK)
	}
	w.put(metadata+".sha1", sum(2, "sha1"), http.StatusConflict)
	w.put(metadata+".sha1", sum(100, "sha1"), http.StatusOK)
	w.clock.Advance(16 * time.Minute)
	w.put(metadata+".sha1", sum(115, "sha1"), http.StatusConflict)
	w.put(metadata, document(115), http.StatusOK)
	w.put(metadata+".sha1", sum(115, "sha1"), http.StatusOK)
}

// TestStrictSnapshot: metadata of a snapshot before any of its files, as Gradle 4
// sends it, and its checksum.
func TestStrictSnapshot(t *testing.T) {
	w := newWorld(t)
	w.set(spanOfDemo, strictUploads, "true")
	const document = "<metadata><groupId>org.acme</groupId><artifactId>app</artifactId><version>1.0-SNAPSHOT</version></metadata>"
	w.put(snapshotDir+"maven-metadata.xml", document, http.StatusOK)
	w.put(snapshotDir+"maven-metadata.xml.sha1", sums(document)["sha1"], http.StatusOK)
	w.put("org/acme/app/maven-metadata.xml.sha1", sums(document)["sha1"], http.StatusConflict)
}
