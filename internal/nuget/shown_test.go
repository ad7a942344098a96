package nuget

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// downloadTimes downloads a version so often.
func (w *world) downloadTimes(feed, id, version string, times int) {
	w.t.Helper()
	for range times {
		w.want(w.get(feed, fmt.Sprintf("/download/%s/%s/%s.%s.nupkg", id, version, id, version), w.group), http.StatusOK)
	}
}

func sortedTexts(list []string) []string { return slices.Sorted(slices.Values(list)) }

// TestSearchTellsDownloads: a count neither waits for a change of the package nor
// is one.
func TestSearchTellsDownloads(t *testing.T) { onEach(t, testSearchTellsDownloads) }

func testSearchTellsDownloads(t *testing.T, database string) {
	w := newWorldOn(t, database)
	for _, version := range []string{"1.0.0", "1.1.0", "2.0.0-rc"} {
		w.publish(nupkgSpec{ID: "Acme.Log", Version: version})
	}
	w.publish(nupkgSpec{ID: "Acme.Core", Version: "1.0.0"})
	w.want(w.push(lib, w.group, buildNupkg(t, nupkgSpec{ID: "Acme.Log", Version: "1.1.0"})), http.StatusCreated)
	counts := func(feed, query string) string {
		a := w.want(w.get(feed, "/query?"+query, w.group), http.StatusOK)
		list, ok := a.field(t, "data", 0, "versions").([]any)
		if !ok {
			t.Fatalf("no versions in %s", a.Body)
		}
		text := fmt.Sprint(a.field(t, "data", 0, "totalDownloads"), ":")
		for i := range list {
			text += fmt.Sprint(" ", a.field(t, "data", 0, "versions", i, "downloads"))
		}
		return text
	}
	registration := w.get(demo, "/metadata/acme.log/index.json", w.read).Header().Get("Etag")
	if got := counts(demo, "q=log"); got != "0: 0 0" {
		t.Errorf("before any download: %s", got)
	}
	for round := 1; round <= 2; round++ {
		w.downloadTimes(demo, "acme.log", "1.0.0", 3)
		w.downloadTimes(demo, "acme.log", "2.0.0-rc", 2)
		w.downloadTimes(lib, "acme.log", "1.1.0", 1)
		w.downloadTimes(demo, "acme.core", "1.0.0", 1)
		w.want(w.get(demo, "/download/acme.log/1.0.0/acme.log.1.0.0.nupkg", w.read, "Range", "bytes=5-"), http.StatusPartialContent)
		w.ready.Flush(t)
		for _, tt := range []struct{ name, feed, query, want string }{
			{"shown versions, total of all", demo, "q=log", fmt.Sprintf("%d: %d 0", 5*round, 3*round)},
			{"prereleases", demo, "q=log&prerelease=true", fmt.Sprintf("%d: %d 0 %d", 5*round, 3*round, 2*round)},
			{"another project", lib, "q=log", fmt.Sprintf("%d: %d", round, round)},
			{"the group", acme, "q=log", fmt.Sprintf("%d: %d %d", 6*round, 3*round, round)},
		} {
			if got := counts(tt.feed, tt.query); got != tt.want {
				t.Errorf("round %d, %s: got %s, want %s", round, tt.name, got, tt.want)
			}
		}
	}
	if got := w.get(demo, "/metadata/acme.log/index.json", w.read).Header().Get("Etag"); got != registration {
		t.Error("a download made the registration another document")
	}
}

// TestGroupSearchMerges: an id that several projects have is one result, with the
// versions of all, each as it was pushed first.
func TestGroupSearchMerges(t *testing.T) { onEach(t, testGroupSearchMerges) }

func testGroupSearchMerges(t *testing.T, database string) {
	w := newWorldOn(t, database)
	push := func(feed, id, version, title string) {
		t.Helper()
		spec := nupkgSpec{ID: id, Version: version, Metadata: "<title>" + title + "</title>"}
		w.want(w.push(feed, w.group, buildNupkg(t, spec)), http.StatusCreated)
	}
	push(demo, "Acme.Log", "1.0.0", "demo one")
	push(lib, "acme.log", "2.0.0", "lib two")
	push(demo, "Acme.Log", "2.0.0", "demo two")
	push(lib, "acme.log", "3.0.0-rc", "lib rc")
	push(demo, "Acme.Core", "1.0.0", "core")
	push(lib, "Acme.Lib", "1.0.0", "lib")
	push("/api/v4/projects/4/packages/nuget", "Acme.Core", "0.9.0", "open")

	tests := []struct {
		name, token, query string
		want               []string
	}{
		{"everything", w.group, "", []string{"Acme.Core 1.0.0", "Acme.Lib 1.0.0", "acme.log 2.0.0"}},
		{"prereleases", w.group, "q=id:log&prerelease=true", []string{"acme.log 3.0.0-rc"}},
		{"exact", w.group, "q=packageid:acme.log", []string{"acme.log 2.0.0"}},
		{"one project and a public one", w.read, "q=acme", []string{"Acme.Core 1.0.0", "Acme.Log 2.0.0"}},
		{"a stranger", w.foreign, "", []string{"Acme.Core 0.9.0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			got, total := w.found(acme, tt.token, tt.query)
			if diff := cmp.Diff(sortedTexts(tt.want), sortedTexts(got)); diff != "" || total != len(tt.want) {
				t.Errorf("total %d, %s", total, diff)
			}
			seen := []string{}
			for skip := range 5 {
				page, total := w.found(acme, tt.token, fmt.Sprintf("%s&skip=%d&take=1", tt.query, skip))
				if total != len(tt.want) {
					t.Errorf("total at %d: %d", skip, total)
				}
				seen = append(seen, page...)
			}
			if diff := cmp.Diff(got, seen); diff != "" {
				t.Errorf("page by page: %s", diff)
			}
		})
	}
	w.t = t
	a := w.want(w.get(acme, "/query?q=acme.log&take=1", w.group), http.StatusOK)
	if title := a.field(t, "data", 0, "title"); title != "lib two" {
		t.Errorf("the version that was pushed first: %v", title)
	}
	if versions := a.field(t, "data", 0, "versions"); len(versions.([]any)) != 2 {
		t.Errorf("versions %v", versions)
	}
	if got := joined(w.want(w.get(acme, "/autocomplete?q=acme", w.group), http.StatusOK).texts(t, "data")); len(got) != len("acme.log Acme.Core Acme.Lib") {
		t.Errorf("completion: %s", got)
	}

	// The lists of V2 that come from the index.
	for path, want := range map[string][]string{
		"/v2/Packages()?$filter=IsLatestVersion":                                                  {"Acme.Core 1.0.0", "Acme.Lib 1.0.0", "acme.log 2.0.0"},
		"/v2/Search()?searchTerm='id:log'&$filter=IsAbsoluteLatestVersion&includePrerelease=true": {"acme.log 3.0.0-rc"},
		"/v2/Search()?searchTerm='id:log'":                                                        {"Acme.Log 1.0.0", "acme.log 2.0.0"},
	} {
		feed := parseFeed(t, w.want(w.get(acme, path, w.group), http.StatusOK))
		if diff := cmp.Diff(want, feed.list()); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	count := w.want(w.get(acme, "/v2/Packages()/$count?$filter=IsLatestVersion", w.group), http.StatusOK)
	if count.Body.String() != "3" {
		t.Errorf("count %s", count.Body)
	}

	// Unlisting the version that counts takes it out for the group.
	w.want(w.call(http.MethodDelete, lib+"/acme.log/2.0.0", w.ann, nil), http.StatusForbidden)
	w.want(w.call(http.MethodDelete, lib+"/acme.log/2.0.0", w.group, nil), http.StatusNoContent)
	if got, total := w.found(acme, w.group, "q=packageid:acme.log"); total != 1 || !cmp.Equal(got, []string{"Acme.Log 1.0.0"}) {
		t.Errorf("after unlisting: %v of %d", got, total)
	}
}
