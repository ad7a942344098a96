package e2e

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"slices"
	"testing"
)

// These are the requests of clients that cannot be installed here, in their
// order: newer versions of Gradle (maven.md 4.4), those before 5 with Maven's
// publication (4.5), and the publisher of rules_jvm_external (4.9).

// allKinds is the order in which Gradle sends checksums.
var allKinds = []string{"sha1", "md5", "sha256", "sha512"}

func (d mavenDeployer) putWithAllSums(ctx context.Context, url string, content []byte) error {
	if err := d.put(ctx, url, content); err != nil {
		return err
	}
	for _, kind := range allKinds {
		if err := d.putSum(ctx, url, kind, content); err != nil {
			return err
		}
	}
	return nil
}

// gradleFiles are what Gradle publishes of a library, in its order.
func gradleFiles(group, artifact, version string) []mavenFile {
	var files []mavenFile
	for _, f := range []mavenFile{
		{".jar", payload(artifact, version, 2000)},
		// The comment is by which Gradle knows that there is a .module.
		{".pom", append(pomText(group, artifact, version, "jar"), "<!-- do_not_remove: published-with-gradle-metadata -->\n"...)},
		{".module", []byte(`{"formatVersion":"1.1","variants":[{"name":"apiElements","files":[{"name":"x","url":"x"}]}]}` + "\n")},
		{"-sources.jar", payload(artifact, version+"-sources", 1000)},
		{"-javadoc.jar", payload(artifact, version+"-javadoc", 1000)},
	} {
		files = append(files, f, mavenFile{f.ending + ".asc", []byte("signature of " + f.ending)})
	}
	return files
}

func TestMavenGradleRelease(t *testing.T) {
	t.Parallel()
	w, err := mavenWorld(sharedServer(t), "gradlerelease")
	if err != nil {
		t.Fatal(err)
	}
	d, ctx := newDeployer(w), context.Background()
	const group, artifact, version = "org.gradled", "lib", "1.0"
	prefix := d.folder(group, artifact, version, artifact+"-"+version)
	files := gradleFiles(group, artifact, version)
	for range 2 { // Gradle repeats what it could not know the end of
		for _, f := range files {
			if err := d.putWithAllSums(ctx, prefix+f.ending, f.content); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = d.merge(ctx, d.folder(group, artifact), func(m *mavenMetadata) {
		m.addVersion(group, artifact, version)
		m.Versioning.Release, m.Versioning.Latest = version, version
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		got, err := d.get(ctx, prefix+f.ending)
		if err != nil || string(got) != string(f.content) {
			t.Errorf("%s is not what was published: %v", f.ending, err)
		}
		if err := d.checkSums(prefix + f.ending); err != nil {
			t.Error(err)
		}
	}
	// What Gradle may ask for and is not there must be 404: it ends at a 403.
	for _, absent := range []string{"-extra.jar", ".module.asc.asc", ".war"} {
		if status, answer, err := d.do(ctx, http.MethodGet, prefix+absent, nil); err != nil || status != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404: %s %v", absent, status, answer, err)
		}
	}
}

// TestMavenGradleSnapshot sends the snapshot's metadata after the files as newer
// ones do: of an earlier build with another classifier nothing is lost, although
// Gradle replaces the metadata. Then it is sent before them, as Gradle 4 does.
func TestMavenGradleSnapshot(t *testing.T) {
	t.Parallel()
	w, err := mavenWorld(sharedServer(t), "gradlesnapshot")
	if err != nil {
		t.Fatal(err)
	}
	d, ctx := newDeployer(w), context.Background()
	const group, artifact, base = "org.gradled", "snap", "1.0-SNAPSHOT"
	folder := d.folder(group, artifact, base)
	publish := func(stamp, number string, metadataFirst bool, endings ...string) {
		t.Helper()
		metadata := []byte("<metadata><groupId>" + group + "</groupId><artifactId>" + artifact + "</artifactId><version>" + base + "</version>" +
			"<versioning><snapshot><timestamp>" + stamp + "</timestamp><buildNumber>" + number + "</buildNumber></snapshot></versioning></metadata>")
		send := func() { err = errors.Join(err, d.putWithAllSums(ctx, folder+"/maven-metadata.xml", metadata)) }
		if metadataFirst {
			send()
		}
		for _, ending := range endings {
			err = errors.Join(err, d.putWithAllSums(ctx, folder+"/snap-1.0-"+stamp+"-"+number+ending, []byte(ending+number)))
		}
		if !metadataFirst {
			send()
		}
		err = errors.Join(err, d.merge(ctx, d.folder(group, artifact), func(m *mavenMetadata) { m.addVersion(group, artifact, base) }))
		if err != nil {
			t.Fatal(err)
		}
	}
	publish("20260301.101500", "1", false, ".jar", ".pom", "-extra.jar")
	publish("20260301.111500", "2", false, ".jar", ".pom")

	answer, err := d.get(ctx, folder+"/maven-metadata.xml")
	if err != nil {
		t.Fatal(err)
	}
	var m mavenMetadata
	if err := xml.Unmarshal(answer, &m); err != nil {
		t.Fatal(err)
	}
	if want := (snapshotBuild{"20260301.111500", 2}); m.Versioning == nil || m.Versioning.Snapshot == nil || *m.Versioning.Snapshot != want {
		t.Fatalf("the newest build is not %v:\n%s", want, answer)
	}
	var listed []string
	for _, entry := range m.Versioning.SnapshotVersions {
		listed = append(listed, entry.Classifier+"."+entry.Extension+" "+entry.Value)
	}
	slices.Sort(listed)
	want := []string{".jar 1.0-20260301.111500-2", ".pom 1.0-20260301.111500-2", "extra.jar 1.0-20260301.101500-1"}
	if !slices.Equal(listed, want) {
		t.Errorf("the files are %q, not %q", listed, want)
	}
	// A client that asks by the base version has POM and jar of one build.
	for _, ending := range []string{".jar", ".pom"} {
		if got, err := d.get(ctx, folder+"/snap-1.0-SNAPSHOT"+ending); err != nil || string(got) != ending+"2" {
			t.Errorf("snap-1.0-SNAPSHOT%s is %q: %v", ending, got, err)
		}
	}
	publish("20260301.121500", "3", true, ".jar", ".pom")
	for _, ending := range []string{".jar", ".pom"} {
		if err := d.checkSums(folder + "/snap-1.0-20260301.121500-3" + ending); err != nil {
			t.Error(err)
		}
	}
}

// TestMavenBazel publishes as rules_jvm_external does: eight threads, the files
// together and each one's checksums together; snapshots by their plain name.
func TestMavenBazel(t *testing.T) {
	t.Parallel()
	w, err := mavenWorld(sharedServer(t), "bazel")
	if err != nil {
		t.Fatal(err)
	}
	d, ctx := newDeployer(w), context.Background()
	const group, artifact = "org.bazel", "lib"
	publish := func(version string, sums bool) []mavenFile {
		t.Helper()
		prefix := d.folder(group, artifact, version, artifact+"-"+version)
		files := append(library(group, artifact, version, payload(artifact, version, 3000)),
			mavenFile{"-sources.jar", payload(artifact, version+"s", 1000)}, mavenFile{"-javadoc.jar", payload(artifact, version+"j", 1000)})
		atOnce(t, len(files), func(i int) error {
			if err := d.put(ctx, prefix+files[i].ending, files[i].content); err != nil || !sums {
				return err
			}
			atOnce(t, len(allKinds), func(k int) error {
				return d.putSum(ctx, prefix+files[i].ending, allKinds[k], files[i].content)
			})
			return nil
		})
		err := d.merge(ctx, d.folder(group, artifact), func(m *mavenMetadata) {
			m.addVersion(group, artifact, version)
			m.Versioning.Latest, m.Versioning.Release = version, version // also for a snapshot
		})
		if err != nil {
			t.Error(err)
		}
		return files
	}
	publish("1.0", true)
	publish("1.1-SNAPSHOT", false)
	second := publish("1.1-SNAPSHOT", false)
	for _, version := range []string{"1.0", "1.1-SNAPSHOT"} {
		for _, f := range second {
			if err := d.checkSums(d.folder(group, artifact, version, artifact+"-"+version+f.ending)); err != nil {
				t.Error(err)
			}
		}
	}
	m, err := d.metadata(ctx, d.folder(group, artifact))
	if err != nil || m.Versioning == nil || m.Versioning.Release != "1.0" || m.Versioning.Latest != "1.1-SNAPSHOT" {
		t.Errorf("the metadata is %+v: %v", m.Versioning, err)
	}
	// Without credentials it sends this pair.
	status, challenge, err := d.basic(ctx, "null", "null", d.folder(group, artifact, "1.0", "lib-1.0.pom"))
	if err != nil || status != http.StatusUnauthorized || challenge != `Basic realm="GitLab Packages Registry"` {
		t.Errorf("null:null: status %d with the challenge %q: %v", status, challenge, err)
	}
}

// basic asks with a user and a password.
func (r raw) basic(ctx context.Context, user, password, url string) (status int, challenge string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	req.SetBasicAuth(user, password)
	res, err := r.http.Do(req)
	if err != nil {
		return 0, "", err
	}
	return res.StatusCode, res.Header.Get("WWW-Authenticate"), res.Body.Close()
}
