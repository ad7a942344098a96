package maven_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/maven"
)

// listed gives the entries of snapshotVersions as classifier:extension=value.
func listed(m *maven.Metadata) []string {
	all := make([]string, 0, len(m.SnapshotVersions))
	for _, f := range m.SnapshotVersions {
		all = append(all, f.Classifier+":"+f.Extension+"="+f.Value)
	}
	return all
}

// TestSnapshotRules is maven.md 8.1 over HTTP: what each reader makes of the
// metadata after a deployment of some form.
func TestSnapshotRules(t *testing.T) {
	const first, second = "20260301.100000-1", "20260301.110000-2"
	stamped := func(stamp, ending string) string { return "app-1.0-" + stamp + ending }
	tests := []struct {
		name  string
		files []string // in order, a quiet time after each line "-"
		build string   // empty: none
		want  []string
	}{
		{
			"Ivy and sbt: literal files only",
			[]string{"app-1.0-SNAPSHOT.jar", "app-1.0-SNAPSHOT.pom", "-"},
			"",
			[]string{":jar=1.0-SNAPSHOT", ":pom=1.0-SNAPSHOT"},
		},
		{
			"a build without a POM, alone",
			[]string{stamped(first, ".jar"), "-"},
			first,
			[]string{":jar=1.0-" + first},
		},
		{
			"a later build without a POM is not what Gradle gets, but its number is not given again",
			[]string{stamped(first, ".pom"), stamped(first, ".jar"), "-", stamped(second, ".jar"), "-"},
			"20260301.100000-2",
			[]string{":jar=1.0-" + second, ":pom=1.0-" + first},
		},
		{
			"a literal file that came later",
			[]string{stamped(first, ".pom"), stamped(first, ".jar"), "-", "app-1.0-SNAPSHOT.jar", "-"},
			first,
			[]string{":jar=1.0-SNAPSHOT", ":pom=1.0-" + first},
		},
		{
			"a literal file that came before",
			[]string{"app-1.0-SNAPSHOT.jar", "-", stamped(first, ".pom"), stamped(first, ".jar"), "-"},
			first,
			[]string{":jar=1.0-" + first, ":pom=1.0-" + first},
		},
		{
			"signatures and compound extensions",
			[]string{stamped(first, ".pom"), stamped(first, ".pom.asc"), stamped(first, "-bin.tar.gz"), "-"},
			first,
			[]string{":pom=1.0-" + first, ":pom.asc=1.0-" + first, "bin:tar.gz=1.0-" + first},
		},
		{
			"files without coordinates are kept and not listed",
			[]string{stamped(first, ".pom"), "ivy-1.0-SNAPSHOT.xml", "-"},
			first,
			[]string{":pom=1.0-" + first},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			for _, file := range tt.files {
				if file == "-" {
					w.clock.Advance(2 * time.Minute)
					continue
				}
				w.put(snapshotDir+file, "bytes of "+file, http.StatusCreated)
			}
			m := w.snapshot()
			if got := m.Snapshot.String(); got != tt.build {
				t.Errorf("build = %q, want %q", got, tt.build)
			}
			if diff := cmp.Diff(listed(m), tt.want); diff != "" {
				t.Errorf("files (-got +want):\n%s", diff)
			}
			for _, f := range m.SnapshotVersions { // as Maven asks
				name := "app-" + f.Value
				if f.Classifier != "" {
					name += "-" + f.Classifier
				}
				w.get(snapshotDir+name+"."+f.Extension, http.StatusOK)
			}
			if tt.build != "" && strings.Contains(strings.Join(tt.want, " "), ":pom=") { // as Gradle and Ivy ask
				w.get(snapshotDir+stamped(tt.build, ".pom"), http.StatusOK)
			}
			for _, file := range tt.files {
				if file != "-" {
					w.get(snapshotDir+file, http.StatusOK)
				}
			}
		})
	}
}

// TestSameStamp: two builders that began in one second share a stamp. Their
// different files come together; another content for one name is refused.
func TestSameStamp(t *testing.T) { onEach(t, testSameStamp) }

func testSameStamp(t *testing.T, w *world) {
	const stamp = "20260301.100000-1"
	w.build(stamp)
	w.put(snapshotDir+"app-1.0-"+stamp+"-linux.jar", "linux", http.StatusCreated)
	w.put(snapshotDir+"app-1.0-"+stamp+"-mac.jar", "mac", http.StatusCreated)
	refused := w.want(w.call(http.MethodPut, demo+"/"+snapshotDir+"app-1.0-"+stamp+".jar", w.write, "other"), http.StatusConflict)
	if !strings.Contains(refused.Body.String(), "app-1.0-"+stamp) && !strings.Contains(refused.Body.String(), stamp) {
		t.Errorf("the refusal does not say what of: %s", refused.Body)
	}
	w.finish(stamp)
	if got := len(w.snapshot().SnapshotVersions); got != 4 {
		t.Errorf("%d files are listed, want 4", got)
	}
}

// TestQuietTime: each file pushes the moment on at which a build shows whose
// client says nothing, and documents that were prepared before are not kept.
func TestQuietTime(t *testing.T) { onEach(t, testQuietTime) }

func testQuietTime(t *testing.T, w *world) {
	const stamp = "20260301.100000-1"
	dir := snapshotDir + "app-1.0-" + stamp
	w.put(dir+".pom", "pom", http.StatusCreated)
	w.clock.Advance(40 * time.Second)
	w.put(dir+".jar", "jar", http.StatusCreated)
	w.get(snapshotDir+"maven-metadata.xml", http.StatusNotFound)
	w.clock.Advance(40 * time.Second) // 80 after the first, 40 after the second
	w.get(snapshotDir+"maven-metadata.xml", http.StatusNotFound)
	w.get("org/acme/app/maven-metadata.xml", http.StatusNotFound)
	w.get(snapshotDir+"app-1.0-SNAPSHOT.jar", http.StatusNotFound)
	w.get(dir+".jar", http.StatusOK) // by its own name at once
	w.clock.Advance(25 * time.Second)
	if got := w.snapshot().Snapshot.String(); got != stamp {
		t.Errorf("build = %q, want %q", got, stamp)
	}
	w.get("org/acme/app/maven-metadata.xml", http.StatusOK)
	w.get(snapshotDir+"app-1.0-SNAPSHOT.jar", http.StatusOK)
}

// TestSnapshotInGroup: readers of a group see one snapshot, whichever project
// its builds are in.
func TestSnapshotInGroup(t *testing.T) { onEach(t, testSnapshotInGroup) }

func testSnapshotInGroup(t *testing.T, w *world) {
	const first, second = "20260301.100000-1", "20260301.110000-2"
	for project, stamp := range map[string]string{demo: first, lib: second} {
		for _, ending := range []string{".pom", ".jar"} {
			w.want(w.call(http.MethodPut, project+"/"+snapshotDir+"app-1.0-"+stamp+ending, w.group, project+ending), http.StatusCreated)
		}
	}
	w.clock.Advance(2 * time.Minute)
	get := func(path string, status int) string {
		t.Helper()
		return w.want(w.call(http.MethodGet, acmeGroup+"/"+snapshotDir+path, w.group, ""), status).Body.String()
	}
	m, err := maven.ParseMetadata(strings.NewReader(get("maven-metadata.xml", http.StatusOK)))
	check(t, err)
	if got := m.Snapshot.String(); got != second {
		t.Errorf("build = %q, want %q", got, second)
	}
	if diff := cmp.Diff(listed(m), []string{":jar=1.0-" + second, ":pom=1.0-" + second}); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
	if got := get("app-1.0-SNAPSHOT.jar", http.StatusOK); got != lib+".jar" {
		t.Errorf("literal name leads to %q", got)
	}
	get("app-1.0-"+first+".jar", http.StatusOK)
}
