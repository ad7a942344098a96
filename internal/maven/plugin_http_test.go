package maven_test

import (
	"archive/zip"
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/maven"
)

// jar makes a jar of entries: name, content, name, content.
func jar(t testing.TB, entries ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		f, err := z.Create(entries[i])
		check(t, err)
		_, err = f.Write([]byte(entries[i+1]))
		check(t, err)
	}
	check(t, z.Close())
	return b.String()
}

func pluginJar(t testing.TB, groupID, artifactID, prefix string) string {
	return jar(t, "META-INF/maven/plugin.xml",
		"<plugin><name>The "+prefix+" plugin</name><groupId>"+groupID+"</groupId><artifactId>"+artifactID+"</artifactId><goalPrefix>"+prefix+"</goalPrefix></plugin>")
}

// plugins reads the plugins of a group.
func (w *world) plugins(group string) []maven.Plugin {
	w.t.Helper()
	m, err := maven.ParseMetadata(strings.NewReader(w.get(group+"/maven-metadata.xml", http.StatusOK)))
	check(w.t, err)
	return m.Plugins
}

// TestPlugins: prefixes are read from the jars, shown when the version is, at
// every group's address, and gone with the last version.
func TestPlugins(t *testing.T) { onEach(t, testPlugins) }

func testPlugins(t *testing.T, w *world) {
	w.get("org/acme/maven-metadata.xml", http.StatusNotFound)
	w.put("org/acme/hello-maven-plugin/1.0/hello-maven-plugin-1.0.jar", pluginJar(t, "org.acme", "hello-maven-plugin", "hi"), http.StatusCreated)
	w.put("org/acme/liar-maven-plugin/1.0/liar-maven-plugin-1.0.jar", pluginJar(t, "org.other", "liar-maven-plugin", "liar"), http.StatusCreated)
	w.put("org/top-plugin/1.0/top-plugin-1.0.jar", pluginJar(t, "org", "top-plugin", "top"), http.StatusCreated)
	w.get("org/acme/maven-metadata.xml", http.StatusNotFound) // not complete
	w.put("org/acme/hello-maven-plugin/maven-metadata.xml", artifactMetadata("org.acme", "hello-maven-plugin", "1.0"), http.StatusOK)
	want := []maven.Plugin{{Name: "The hi plugin", Prefix: "hi", ArtifactID: "hello-maven-plugin"}}
	if diff := cmp.Diff(want, w.plugins("org/acme")); diff != "" {
		t.Errorf("plugins (-want +got):\n%s", diff)
	}
	w.get("org/maven-metadata.xml", http.StatusNotFound)
	w.clock.Advance(time.Minute)
	if got := w.plugins("org"); len(got) != 1 || got[0].Prefix != "top" {
		t.Errorf("plugins of org = %+v", got)
	}

	// One document for an address that is a group and an artifact.
	w.put("org/acme/1.0/acme-1.0.jar", "artifact org:acme", http.StatusCreated)
	w.put("org/acme/maven-metadata.xml", artifactMetadata("org", "acme", "1.0"), http.StatusOK)
	if got := versionsIn(t, w.get("org/acme/maven-metadata.xml", http.StatusOK)); len(got) != 1 || len(w.plugins("org/acme")) != 1 {
		t.Errorf("versions %v, plugins %v: want one each", got, w.plugins("org/acme"))
	}

	w.want(w.call(http.MethodDelete, demo+"/org/acme/hello-maven-plugin/1.0/", w.write, ""), http.StatusNoContent)
	if got := w.plugins("org/acme"); len(got) != 0 {
		t.Errorf("plugins after the deletion = %+v", got)
	}
	w.get("org/acme/hello-maven-plugin/maven-metadata.xml", http.StatusNotFound)
}

// TestPluginNamedByClient: what a client's metadata says of a plugin whose jar
// tells nothing is kept, of others only when the artifact exists.
func TestPluginNamedByClient(t *testing.T) { onEach(t, testPluginNamedByClient) }

func testPluginNamedByClient(t *testing.T, w *world) {
	w.put("org/acme/odd-maven-plugin/1.0/odd-maven-plugin-1.0.jar", "no jar at all", http.StatusCreated)
	w.clock.Advance(time.Minute)
	document := "<metadata><plugins><plugin><name>Odd</name><prefix>odd</prefix><artifactId>odd-maven-plugin</artifactId></plugin>" +
		"<plugin><prefix>ghost</prefix><artifactId>ghost-maven-plugin</artifactId></plugin></plugins></metadata>"
	w.put("org/acme/maven-metadata.xml", document, http.StatusOK)
	want := []maven.Plugin{{Name: "Odd", Prefix: "odd", ArtifactID: "odd-maven-plugin"}}
	if diff := cmp.Diff(want, w.plugins("org/acme")); diff != "" {
		t.Errorf("plugins (-want +got):\n%s", diff)
	}
}

func TestArchetypeCatalog(t *testing.T) { onEach(t, testArchetypeCatalog) }

func testArchetypeCatalog(t *testing.T, w *world) {
	w.get("archetype-catalog.xml", http.StatusNotFound)
	w.put("org/acme/start/1.0/start-1.0.jar", jar(t, "META-INF/maven/archetype-metadata.xml", "<archetype-descriptor/>"), http.StatusCreated)
	w.put("archetype-catalog.xml", "<archetype-catalog/>", http.StatusOK) // accepted, not stored
	w.clock.Advance(time.Minute)
	got := w.get("archetype-catalog.xml", http.StatusOK)
	if !strings.Contains(got, "<artifactId>start</artifactId>") || strings.Count(got, "<archetype>") != 1 {
		t.Errorf("catalog = %s", got)
	}
	if sum := w.get("archetype-catalog.xml.sha1", http.StatusOK); sum != sums(got)["sha1"] {
		t.Errorf("checksum = %q", sum)
	}
	w.want(w.call(http.MethodDelete, demo+"/org/acme/start/", w.write, ""), http.StatusNoContent)
	w.get("archetype-catalog.xml", http.StatusNotFound)
}
