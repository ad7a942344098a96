package maven_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRelease: what Maven deploys can be read, with all checksums, and the
// metadata lists it.
func TestRelease(t *testing.T) {
	w := newWorld(t)
	w.get("org/acme/app/maven-metadata.xml", http.StatusNotFound)
	w.deploy("1.10")
	w.deploy("1.9")
	const jar = "org/acme/app/1.10/app-1.10.jar"
	a := w.want(w.call(http.MethodGet, demo+"/"+jar, w.read, ""), http.StatusOK)
	want := sums("bytes of " + jar)
	if got := a.Body.String(); got != "bytes of "+jar {
		t.Errorf("jar = %q", got)
	}
	for name, value := range want {
		if got := w.get(jar+"."+name, http.StatusOK); got != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
		if got := a.Header().Get("X-Checksum-" + name); got != value {
			t.Errorf("header %s = %q, want %q", name, got, value)
		}
	}
	if got, want := a.Header().Get("Content-Type"), "application/java-archive"; got != want {
		t.Errorf("type = %q, want %q", got, want)
	}
	if got, want := a.Header().Get("Cache-Control"), "private, max-age=31536000, immutable"; got != want {
		t.Errorf("caching = %q, want %q", got, want)
	}
	document := w.get("org/acme/app/maven-metadata.xml", http.StatusOK)
	if diff := cmp.Diff([]string{"1.9", "1.10"}, versionsIn(t, document)); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	if !strings.Contains(document, "<release>1.10</release>") {
		t.Errorf("no release in %s", document)
	}
	for name, value := range sums(document) {
		if got := w.get("org/acme/app/maven-metadata.xml."+name, http.StatusOK); got != value {
			t.Errorf("%s of the metadata = %q, want %q", name, got, value)
		}
	}
	w.want(w.call(http.MethodHead, demo+"/"+jar, w.read, ""), http.StatusOK)
	if got := w.want(w.call(http.MethodHead, demo+"/"+jar, w.read, ""), http.StatusOK).Body.Len(); got != 0 {
		t.Errorf("HEAD has %d bytes", got)
	}
}

// TestRepeat: the same bytes succeed, others are refused and change nothing.
func TestRepeat(t *testing.T) {
	w := newWorld(t)
	const jar = "org/acme/app/1.0/app-1.0.jar"
	w.put(jar, "one", http.StatusCreated)
	w.put(jar, "one", http.StatusOK)
	w.put(jar, "two", http.StatusConflict)
	if got := w.get(jar, http.StatusOK); got != "one" {
		t.Errorf("jar = %q", got)
	}
}
