package maven_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

var link = regexp.MustCompile(`<a href="([^"]*)">`)

// links are the links of a listing.
func links(page string) []string {
	var all []string
	for _, m := range link.FindAllStringSubmatch(page, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestListing(t *testing.T) { onEach(t, testListing) }

func testListing(t *testing.T, w *world) {
	for _, path := range []string{
		"org/acme/app/1.0/app-1.0.jar", "org/acme/app/2.0/app-2.0.jar", "org/acme-x/app/1.0/app-1.0.jar", "org/acme/1.0/acme-1.0.jar",
		"org/acme/lib/sub/3.0/sub-3.0.jar", "com/acme/app/1.0+b/app-1.0+b.jar",
	} {
		w.put(path, "x", http.StatusCreated)
	}
	w.put("org/acme/app/maven-metadata.xml", artifactMetadata("org.acme", "app", "1.0", "2.0"), http.StatusOK)
	withSums := func(names ...string) []string {
		var all []string
		for _, name := range names {
			all = append(all, name, name+".md5", name+".sha1", name+".sha256", name+".sha512")
		}
		return all
	}
	tests := []struct {
		name, path string
		want       []string
	}{
		{"root", "", []string{"com/", "org/"}},
		{"a group", "org/", []string{"../", "acme/", "acme-x/"}},
		{"a group that is an artifact", "org/acme/", []string{"../", "1.0/", "app/", "lib/"}},
		{"an artifact", "org/acme/app/", append([]string{"../", "1.0/", "2.0/"}, withSums("maven-metadata.xml")...)},
		{"a version", "org/acme/app/2.0/", append([]string{"../"}, withSums("app-2.0.jar")...)},
		{"a plus", "com/acme/app/1.0%2Bb/", append([]string{"../"}, withSums("app-1.0+b.jar")...)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := w.want(w.call(http.MethodGet, demo+"/"+tt.path, w.read, ""), http.StatusOK)
			if diff := cmp.Diff(tt.want, links(a.Body.String())); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
			if got := a.Header().Get("Content-Type"); !strings.HasPrefix(got, "text/html") {
				t.Errorf("type = %q", got)
			}
		})
	}
	for _, path := range []string{"org/none/", "org/acm/", "org/acme/app/3.0/", "org/acme/app/1.0/app-1.0.jar/"} {
		w.get(path, http.StatusNotFound)
	}
	for path, want := range map[string]string{"org": "./org/", "org/acme": "./acme/", "org/acme/app": "./app/", "org/acme/app/1.0": "./1.0/"} {
		a := w.want(w.call(http.MethodGet, demo+"/"+path, w.read, ""), http.StatusMovedPermanently)
		if got := a.Header().Get("Location"); got != want {
			t.Errorf("%s leads to %q, want %q", path, got, want)
		}
	}
	w.want(w.call(http.MethodGet, demo+"/", "", ""), http.StatusUnauthorized)
	w.want(w.call(http.MethodGet, acmeGroup+"/org/acme/", w.group, ""), http.StatusOK)
	w.want(w.call(http.MethodGet, acmeGroup+"/org/acme/", w.foreign, ""), http.StatusNotFound)
	w.want(w.call(http.MethodGet, acmeGroup+"/org/acme/", "", ""), http.StatusUnauthorized)
}

// TestListingOff: without listings a directory is not there, with a slash or
// without, and everything else is. A group's address follows the group.
func TestListingOff(t *testing.T) { onEach(t, testListingOff) }

func testListingOff(t *testing.T, w *world) {
	w.deploy("1.0")
	off := func(at registry.Span) { w.set(at, "maven_directory_listing", "false") }
	listings := func(inProject, inGroup int) {
		t.Helper()
		slash := map[int]int{http.StatusOK: http.StatusMovedPermanently, http.StatusNotFound: http.StatusNotFound}
		for _, dir := range []string{"org", "org/acme/app", "org/acme/app/1.0"} {
			w.want(w.call(http.MethodGet, demo+"/"+dir+"/", w.read, ""), inProject)
			w.want(w.call(http.MethodGet, demo+"/"+dir, w.read, ""), slash[inProject])
			w.want(w.call(http.MethodGet, acmeGroup+"/"+dir+"/", w.group, ""), inGroup)
			w.want(w.call(http.MethodGet, acmeGroup+"/"+dir, w.group, ""), slash[inGroup])
		}
		w.want(w.call(http.MethodGet, demo+"/", w.read, ""), inProject)
		w.want(w.call(http.MethodGet, demo+"/", "", ""), http.StatusUnauthorized)
		w.get("org/acme/app/1.0/app-1.0.jar", http.StatusOK)
		w.get("org/acme/app/maven-metadata.xml", http.StatusOK)
	}
	listings(http.StatusOK, http.StatusOK)
	off(spanOfDemo)
	listings(http.StatusNotFound, http.StatusOK)
	w.set(spanOfDemo, "maven_directory_listing", "true")
	off(registry.Span{GroupID: 1})
	listings(http.StatusOK, http.StatusNotFound)
	w.set(registry.Span{GroupID: 1}, "maven_directory_listing", "true")
	off(registry.Span{GroupID: 2}) // of other projects
	listings(http.StatusOK, http.StatusOK)
}

// TestWideListing: what lies below the names of a directory is skipped, not
// read, and names that sort around the slash are not lost.
func TestWideListing(t *testing.T) { onEach(t, testWideListing) }

func testWideListing(t *testing.T, w *world) {
	var pubs []registry.Publication
	add := func(name string) {
		pubs = append(pubs, registry.Publication{
			ProjectID: 1, Format: registry.Maven, Name: name, Key: name, By: by,
			Versions: []registry.NewVersion{{Version: "1", Key: "1", SortKey: "1"}},
		})
	}
	for _, group := range []string{"a", "a-b", "a.b", "ab", "b"} {
		add("org/" + group)
		for n := range 600 {
			add(fmt.Sprintf("org/%s/x%d", group, n))
		}
	}
	_, err := w.packages.Publish(t.Context(), pubs)
	check(t, err)
	if diff := cmp.Diff([]string{"../", "a/", "a-b/", "a.b/", "ab/", "b/"}, links(w.get("org/", http.StatusOK))); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if got := len(links(w.get("org/a/", http.StatusOK))); got != 601 {
		t.Errorf("%d links, want 601", got)
	}
}

func TestPrefixes(t *testing.T) { onEach(t, testPrefixes) }

func testPrefixes(t *testing.T, w *world) {
	w.put("org/acme/app/1.0/app-1.0.jar", "x", http.StatusCreated)
	w.put("org/acme/lib/1.0/lib-1.0.jar", "x", http.StatusCreated)
	w.put("com/x/1.0/x-1.0.jar", "x", http.StatusCreated)
	w.get(".meta/prefixes.txt", http.StatusNotFound)
	w.set(registry.Span{GroupID: 1}, "maven_prefixes_file", "true")
	if got, want := w.get(".meta/prefixes.txt", http.StatusOK), "## repository-prefixes/2.0\n/com/x\n/org/acme\n"; got != want {
		t.Errorf("prefixes = %q, want %q", got, want)
	}
	w.want(w.call(http.MethodGet, acmeGroup+"/.meta/prefixes.txt", w.group, ""), http.StatusNotFound)
	w.want(w.call(http.MethodGet, demo+"/.meta/prefixes.txt", "", ""), http.StatusUnauthorized)
	w.put(".meta/prefixes.txt", "x", http.StatusForbidden)
}
