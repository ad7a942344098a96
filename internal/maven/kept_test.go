package maven_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"pakhus/internal/registry"
)

const metadataSetting = "maven_metadata"

// TestKeptMetadata: where a project keeps what its client sends, metadata is read
// back byte for byte at all levels, with its signature and checksums (maven.md 9.2).
func TestKeptMetadata(t *testing.T) { onEach(t, testKeptMetadata) }

func testKeptMetadata(t *testing.T, w *world) {
	w.set(spanOfDemo, metadataSetting, "client")
	w.put(jarPath, "x", http.StatusCreated)
	documents := map[string]string{
		"org/acme/app/maven-metadata.xml":  "<!-- signed -->\n" + artifactMetadata("org.acme", "app", "1.0", "0.1", "0.2"),
		snapshotDir + "maven-metadata.xml": "<metadata><groupId>org.acme</groupId><artifactId>app</artifactId><version>1.0-SNAPSHOT</version></metadata>\r\n",
		"top/maven-metadata.xml":           "<metadata><plugins><plugin><prefix>x</prefix><artifactId>x-maven-plugin</artifactId></plugin></plugins></metadata>",
	}
	for path, document := range documents {
		w.put(path, document, http.StatusOK)
		w.put(path+".sha1", sums(document)["sha1"], http.StatusOK)
		w.put(path+".sha1", sums("other")["sha1"], http.StatusConflict)
		w.get(path+".asc", http.StatusNotFound)
		w.put(path+".asc", "signature of "+path, http.StatusCreated)
		w.put(path+".asc.md5", sums("signature of " + path)["md5"], http.StatusOK)
		w.put(path+".asc.md5", sums("other")["md5"], http.StatusConflict)
	}
	w.clock.Advance(time.Hour)
	for path, document := range documents {
		for file, body := range map[string]string{path: document, path + ".asc": "signature of " + path} {
			a := w.want(w.call(http.MethodGet, demo+"/"+file, w.read, ""), http.StatusOK)
			if got := a.Body.String(); got != body {
				t.Errorf("%s = %q, want %q", file, got, body)
			}
			if got, want := a.Header().Get("X-Checksum-Sha256"), sums(body)["sha256"]; got != want {
				t.Errorf("%s: checksum %s, want %s", file, got, want)
			}
			for name, want := range sums(body) {
				if got := w.get(file+"."+name, http.StatusOK); got != want {
					t.Errorf("%s of %s = %q, want %q", name, file, got, want)
				}
			}
		}
		w.want(w.call(http.MethodGet, demo+"/"+path, "", ""), http.StatusUnauthorized)
		w.want(w.call(http.MethodGet, acmeGroup+"/"+path+".asc", w.group, ""), http.StatusNotFound)
	}
	if a := w.call(http.MethodGet, demo+"/org/acme/app/maven-metadata.xml", w.read, ""); !strings.Contains(a.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Error("a browser would run what a client put into its document")
	}
	if a := w.call(http.MethodGet, demo+"/org/acme/app/maven-metadata.xml.asc", w.read, ""); a.Header().Get("Content-Type") != "text/plain" {
		t.Errorf("type of a signature = %q", a.Header().Get("Content-Type"))
	}
	// A group's document is made of what its projects have.
	merged := w.want(w.call(http.MethodGet, acmeGroup+"/org/acme/app/maven-metadata.xml", w.group, ""), http.StatusOK).Body.String()
	if got := versionsIn(t, merged); len(got) != 1 || got[0] != "1.0" {
		t.Errorf("versions in the group = %v", got)
	}
	w.put("org/acme/app/maven-metadata.xml.asc", strings.Repeat("x", 65<<10), http.StatusRequestEntityTooLarge)
	w.put("org/acme/app/maven-metadata.xml", "<metadata>", http.StatusBadRequest)
}

// TestKeptMetadataEnds: a document goes when the next one is sent to a project that
// makes its own, and with its package or its version.
func TestKeptMetadataEnds(t *testing.T) {
	const metadata = "org/acme/app/maven-metadata.xml"
	const kept = "<!-- kept -->"
	document := kept + artifactMetadata("org.acme", "app", "1.0", "0.1")
	snapshot := kept + "<metadata><version>1.0-SNAPSHOT</version></metadata>"
	w := newWorld(t)
	isKept := func(path string) bool {
		t.Helper()
		return strings.Contains(w.get(path, http.StatusOK), kept)
	}
	w.put(metadata, document, http.StatusOK) // by default it is not kept
	w.put(metadata+".asc", "signature", http.StatusOK)
	w.put(jarPath, "x", http.StatusCreated)
	w.put(metadata, document, http.StatusOK)
	if isKept(metadata) {
		t.Error("kept by default")
	}
	w.get(metadata+".asc", http.StatusNotFound)

	w.set(registry.Span{GroupID: 1}, metadataSetting, "client")
	w.put(metadata, document, http.StatusOK)
	w.put(metadata+".asc", "signature", http.StatusCreated)
	w.build("20260301.100000-1")
	w.put(snapshotDir+"maven-metadata.xml", snapshot, http.StatusOK)
	if !isKept(metadata) || !isKept(snapshotDir+"maven-metadata.xml") {
		t.Error("not kept")
	}
	w.want(w.call(http.MethodDelete, demo+"/"+snapshotDir, w.write, ""), http.StatusNoContent)
	w.get(snapshotDir+"maven-metadata.xml", http.StatusNotFound)

	w.set(registry.Span{GroupID: 1}, metadataSetting, "generated")
	if !isKept(metadata) {
		t.Error("the setting alone took the document away")
	}
	w.put(metadata, document, http.StatusOK)
	if isKept(metadata) {
		t.Error("kept after the setting changed")
	}
	w.get(metadata+".asc", http.StatusNotFound)

	w.set(registry.Span{GroupID: 1}, metadataSetting, "client")
	w.put(metadata, document, http.StatusOK)
	w.put(metadata+".asc", "signature", http.StatusCreated)
	w.want(w.call(http.MethodDelete, demo+"/org/acme/app/", w.write, ""), http.StatusNoContent)
	w.get(metadata, http.StatusNotFound)
	w.get(metadata+".asc", http.StatusNotFound)
}
