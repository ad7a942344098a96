package nuget

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// found gives id and version of each result of a search, and the total.
func (w *world) found(feed, token, query string) (results []string, total int) {
	w.t.Helper()
	a := w.want(w.get(feed, "/query?"+query, token), http.StatusOK)
	list, ok := a.field(w.t, "data").([]any)
	if !ok {
		w.t.Fatalf("no data in %s", a.Body)
	}
	for i := range list {
		results = append(results, fmt.Sprint(a.field(w.t, "data", i, "id"), " ", a.field(w.t, "data", i, "version")))
	}
	hits, ok := a.field(w.t, "totalHits").(float64)
	if !ok {
		w.t.Fatalf("no totalHits in %s", a.Body)
	}
	return results, int(hits)
}

func TestSearch(t *testing.T) { onEach(t, testSearch) }

func testSearch(t *testing.T, database string) {
	w := newWorldOn(t, database)
	for _, spec := range []nupkgSpec{
		{ID: "Acme.LogViewer", Version: "1.0.0", Metadata: "<tags>desktop</tags><owners>Bob Bee</owners>"},
		{ID: "Acme.LogViewer", Version: "2.0.0-beta", Metadata: "<tags>web</tags>"},
		{ID: "Acme.LogViewer", Version: "1.5.0+build", Metadata: "<title>Viewer of logs</title>"},
		{ID: "Acme.Logging", Version: "1.0.0"},
		{ID: "Log", Version: "0.1.0-alpha.1"},
		{ID: "Old.Tool", Version: "3.0.0", Metadata: `<packageTypes><packageType name="DotnetTool"/></packageTypes>`},
		{ID: "Größe", Version: "1.0.0", Nuspec: "", Metadata: ""},
	} {
		if spec.ID == "Größe" { // ids are ASCII; words are not
			spec.ID, spec.Metadata = "Size", "<title>Größe 100%</title>"
		}
		w.publish(spec)
	}
	const all = "prerelease=true&semVerLevel=2.0.0&"
	tests := []struct {
		name, query string
		want        []string
	}{
		{"everything, by default stable and before SemVer 2", "", []string{"Size 1.0.0", "Old.Tool 3.0.0", "Acme.Logging 1.0.0", "Acme.LogViewer 1.0.0"}},
		{"SemVer 2", "semVerLevel=2.0.0&q=viewer", []string{"Acme.LogViewer 1.5.0+build"}},
		{"prereleases", "prerelease=true&q=viewer", []string{"Acme.LogViewer 2.0.0-beta"}},
		{"prerelease in capitals", "prerelease=True&q=viewer", []string{"Acme.LogViewer 2.0.0-beta"}},
		{"a package of prereleases only", "q=alpha", nil},
		{"the same when asked for", all + "q=" + idField + ":log", []string{"Log 0.1.0-alpha.1"}},
		{"exact id first", all + "q=log", []string{"Log 0.1.0-alpha.1", "Acme.LogViewer 2.0.0-beta", "Acme.Logging 1.0.0", "Old.Tool 3.0.0", "Size 1.0.0"}},
		{"beginning of an id", all + "q=acme.log", []string{"Acme.LogViewer 2.0.0-beta", "Acme.Logging 1.0.0"}},
		{"word within", all + "q=logging", []string{"Acme.Logging 1.0.0"}},
		{"camel case", all + "q=VIEWER", []string{"Acme.LogViewer 2.0.0-beta"}},
		{"two words", all + "q=acme+viewer", []string{"Acme.LogViewer 2.0.0-beta"}},
		{"phrase", all + "q=" + url.QueryEscape(`"viewer of logs"`), []string{"Acme.LogViewer 2.0.0-beta"}},
		{"unclosed quote", all + "q=" + url.QueryEscape(`"viewer`), []string{"Acme.LogViewer 2.0.0-beta"}},
		{"id field", all + "q=id:log", []string{"Log 0.1.0-alpha.1", "Acme.LogViewer 2.0.0-beta", "Acme.Logging 1.0.0"}},
		{"whole id", all + "q=" + idField + ":ACME.LOGGING", []string{"Acme.Logging 1.0.0"}},
		{"whole id of a beginning", all + "q=" + idField + ":acme", nil},
		{"version in any form", all + "q=version:3", []string{"Old.Tool 3.0.0"}},
		{"title", all + "q=title:viewer", []string{"Acme.LogViewer 2.0.0-beta"}},
		{"tags", all + "q=tags:web", []string{"Acme.LogViewer 2.0.0-beta"}},
		{"author", all + "q=author:ann+id:tool", []string{"Old.Tool 3.0.0"}},
		{"owner", "q=owner:bee", []string{"Acme.LogViewer 1.0.0"}},
		{"unknown field", all + "q=colour:red+id:tool", []string{"Old.Tool 3.0.0"}},
		{"description", all + "q=description:logs+" + idField + ":old.tool", []string{"Old.Tool 3.0.0"}},
		{"not ASCII", all + "q=gr%C3%B6%C3%9Fe", []string{"Size 1.0.0"}},
		{"per cent", all + "q=%25", nil},
		{"underscore", all + "q=_", nil},
		{"quote", all + "q=%27", nil},
		{"not UTF-8", all + "q=%ff", nil},
		{"package type", all + "packageType=dotnettool", []string{"Old.Tool 3.0.0"}},
		{"package type of all others", all + "packageType=Dependency&q=acme", []string{"Acme.LogViewer 2.0.0-beta", "Acme.Logging 1.0.0"}},
		{"unknown package type", all + "packageType=Nothing", nil},
		{"malformed package type", all + "packageType=a%20b", nil},
		{"older name of the filter", all + "packageTypeFilter=DotnetTool", []string{"Old.Tool 3.0.0"}},
		{"unknown parameters", all + "q=tool&frameworks=net8.0&sortBy=x&supportedFramework=a&supportedFramework=b", []string{"Old.Tool 3.0.0"}},
		{"Paket's slash", "/", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.query == "/" {
				w.want(w.get(demo, "/query/?q=log", w.read), http.StatusOK)
				return
			}
			got, total := w.found(demo, w.read, tt.query)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if total != len(tt.want) {
				t.Errorf("totalHits %d", total)
			}
		})
	}
	for query, status := range map[string]int{
		"take=abc": 400, "take=-1": 400, "skip=-1": 400, "skip=1.5": 400, "take=100000": 200, "take=99999999999999999999": 200, "take=0": 200, "take=": 200,
		"q=" + strings.Repeat("a", maxQuery+1): 400, "q=" + strings.Repeat("a+", 500): 200,
	} {
		a := w.want(w.get(demo, "/query?"+query, w.read), status)
		if a.Header().Get("X-Nuget-Warning") != "" {
			t.Errorf("%s: warned", query)
		}
	}
}

// The fields of a result are those of the version that it shows (nuget.md 6).
func TestSearchResult(t *testing.T) {
	w := newWorld(t)
	w.publish(nupkgSpec{ID: "Acme.Log", Version: "1.0.0", Metadata: "<tags>a b</tags><owners>Bob, Eve</owners><projectUrl>https://registry.example/p</projectUrl>"})
	w.publish(nupkgSpec{ID: "acme.LOG", Version: "1.1.0-rc.1"})
	a := w.want(w.get(demo, "/query?q=log", w.read), http.StatusOK)
	base := externalURL + demo
	want := map[string]any{
		"@id": base + "/metadata/acme.log/index.json", "@type": "Package", "registration": base + "/metadata/acme.log/index.json",
		"id": "Acme.Log", "version": "1.0.0", "title": "Acme.Log", "description": "Logs.", "projectUrl": "https://registry.example/p",
		"tags": []any{"a", "b"}, "authors": []any{"Ann"}, "owners": []any{"Bob", "Eve"}, "totalDownloads": 0.0, "verified": false,
		"packageTypes": []any{map[string]any{"name": "Dependency"}},
		"versions":     []any{map[string]any{"version": "1.0.0", "downloads": 0.0, "@id": base + "/metadata/acme.log/1.0.0.json"}},
	}
	if diff := cmp.Diff(any(want), a.field(t, "data", 0)); diff != "" {
		t.Error(diff)
	}
	b := w.want(w.get(demo, "/query?q=log&prerelease=true&semVerLevel=2.0.0", w.read), http.StatusOK)
	if b.field(t, "data", 0, "id") != "acme.LOG" || b.field(t, "data", 0, "versions", 0, "version") != "1.0.0" || b.field(t, "data", 0, "versions", 1, "version") != "1.1.0-rc.1" {
		t.Errorf("with prereleases: %s", b.Body)
	}
}

// Pages cover every id once, and the total stays (nuget.md 16.12).
func TestSearchPages(t *testing.T) { onEach(t, testSearchPages) }

func testSearchPages(t *testing.T, database string) {
	w := newWorldOn(t, database)
	w.fill(250)
	for _, query := range []string{"", "q=acme&"} {
		seen := map[string]bool{}
		for skip := 0; skip < 280; skip += 40 {
			page, total := w.found(demo, w.read, fmt.Sprintf("%sskip=%d&take=40", query, skip))
			if total != 250 {
				t.Errorf("skip %d: totalHits %d", skip, total)
			}
			for _, result := range page {
				if seen[result] {
					t.Errorf("%s again", result)
				}
				seen[result] = true
			}
		}
		if len(seen) != 250 {
			t.Errorf("%q: %d packages", query, len(seen))
		}
	}
}

func TestAutocomplete(t *testing.T) { onEach(t, testAutocomplete) }

func testAutocomplete(t *testing.T, database string) {
	w := newWorldOn(t, database)
	w.publish(nupkgSpec{ID: "Acme.Log", Version: "1.0.0"})
	w.publish(nupkgSpec{ID: "Acme.Log", Version: "1.1.0-rc.1"})
	w.publish(nupkgSpec{ID: "Acme.Tool", Version: "1.0.0", Metadata: `<packageTypes><packageType name="DotnetTool"/></packageTypes>`})
	for query, want := range map[string]string{
		"q=acme": "Acme.Log Acme.Tool", "q=Acme.L": "Acme.Log", "q=logs": "", "q=": "Acme.Tool Acme.Log", "": "Acme.Tool Acme.Log",
		"q=acme&take=1": "Acme.Log", "q=acme&packageType=DotnetTool": "Acme.Tool", "id=acme.LOG": "1.0.0",
		"id=acme.log&prerelease=true": "1.0.0", "id=acme.log&prerelease=true&semVerLevel=2.0.0": "1.0.0 1.1.0-rc.1", "id=none": "", "id=a%20b": "",
	} {
		if got := joined(w.want(w.get(demo, "/autocomplete?"+query, w.read), http.StatusOK).texts(t, "data")); got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
	w.want(w.get(demo, "/autocomplete/?q=acme", w.read), http.StatusOK)
	w.want(w.get(demo, "/autocomplete?take=x", w.read), http.StatusBadRequest)
}

// What a caller may not read is in no answer of a group, and not in the totals
// (threats.md T16).
func TestGroupFeed(t *testing.T) { onEach(t, testGroupFeed) }

func testGroupFeed(t *testing.T, database string) {
	w := newWorldOn(t, database)
	w.publish(nupkgSpec{ID: "Acme.Log", Version: "1.0.0"})
	w.want(w.push(lib, w.group, buildNupkg(t, nupkgSpec{ID: "acme.log", Version: "2.0.0"})), http.StatusCreated)
	w.want(w.push(lib, w.group, buildNupkg(t, nupkgSpec{ID: "Acme.Lib", Version: "1.0.0"})), http.StatusCreated)
	other := buildNupkg(t, nupkgSpec{ID: "Acme.Log", Version: "1.0.0", Metadata: "<title>later</title>"})
	w.want(w.push(lib, w.group, other), http.StatusCreated)

	list := w.want(w.get(acme, "/download/acme.log/index.json", w.group), http.StatusOK).texts(t, "versions")
	if diff := cmp.Diff(list, []string{"1.0.0", "2.0.0"}); diff != "" {
		t.Error(diff)
	}
	first := w.want(w.get(acme, "/download/acme.log/1.0.0/acme.log.1.0.0.nupkg", w.group), http.StatusOK)
	if first.Body.String() == string(other) {
		t.Error("a later push into another project took the place of the first")
	}
	leaf := w.want(w.get(acme, "/metadata/acme.log/index.json", w.group), http.StatusOK)
	if leaf.field(t, "items", 0, "count") != 2.0 || leaf.field(t, "items", 0, "items", 0, "catalogEntry", "title") != nil {
		t.Errorf("registration: %s", leaf.Body)
	}
	if got := leaf.field(t, "items", 0, "items", 0, "packageContent"); !strings.HasPrefix(fmt.Sprint(got), externalURL+acme+"/") {
		t.Errorf("an address outside of the feed: %v", got)
	}
	for _, tt := range []struct {
		name, token string
		total       int
		versions    string
	}{
		{"group", w.group, 2, "1.0.0 2.0.0"}, {"project", w.read, 1, "1.0.0"}, {"foreign", w.foreign, 0, ""}, {"ann", w.ann, 2, "1.0.0 2.0.0"},
	} {
		if _, total := w.found(acme, tt.token, ""); total != tt.total {
			t.Errorf("%s: totalHits %d, want %d", tt.name, total, tt.total)
		}
		a := w.get(acme, "/download/acme.log/index.json", tt.token)
		if tt.versions == "" {
			w.want(a, http.StatusNotFound)
		} else if got := joined(w.want(a, http.StatusOK).texts(t, "versions")); got != tt.versions {
			t.Errorf("%s: %s", tt.name, got)
		}
		completed := joined(w.want(w.get(acme, "/autocomplete?id=acme.log", tt.token), http.StatusOK).texts(t, "data"))
		if completed != tt.versions {
			t.Errorf("%s: completion %s", tt.name, completed)
		}
	}
}

// Who reads what, and how the others are refused (gitlab.md 2.3, 2.4).
func TestReadAccess(t *testing.T) {
	w := newWorld(t)
	w.publish(nupkgSpec{})
	open := "/api/v4/projects/5/packages/nuget"
	w.want(w.push(open, w.foreign, buildNupkg(t, nupkgSpec{})), http.StatusCreated)
	const list, file = "/download/acme.log/index.json", "/download/acme.log/1.0.0/acme.log.1.0.0.nupkg"
	tests := []struct {
		name, feed, key, basic string
		status                 int
	}{
		{name: "nobody", feed: demo, status: 401},
		{name: "nobody, no such project", feed: "/api/v4/projects/99/packages/nuget", status: 401},
		{name: "nobody, public", feed: open, status: 200},
		{name: "nobody, group of public projects", feed: "/api/v4/groups/3/-/packages/nuget", status: 401},
		{name: "stranger, group of public projects", feed: "/api/v4/groups/3/-/packages/nuget", key: w.read, status: 200},
		{name: "reader", feed: demo, basic: basicHeader("read", w.read), status: 401}, // not the token's user name
		{name: "writer by name", feed: demo, basic: basicHeader("writer", w.write), status: 200},
		{name: "writer in capitals", feed: demo, basic: basicHeader("WRITER", w.write), status: 401},
		{name: "writer, no name", feed: demo, basic: basicHeader("", w.write), status: 200},
		{name: "ann in capitals", feed: demo, basic: basicHeader("ANN", w.ann), status: 200},
		{name: "unknown, public", feed: open, basic: basicHeader("u", "gldt-nobodyknowsthis"), status: 401},
		{name: "foreign", feed: demo, key: w.foreign, status: 404},
		{name: "no such project", feed: "/api/v4/projects/99/packages/nuget", key: w.read, status: 404},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{list, file} {
				var header []string
				if tt.basic != "" {
					header = []string{"Authorization", tt.basic}
				}
				a := w.get(tt.feed, path, tt.key, header...)
				if a.Code != tt.status {
					t.Errorf("%s: status %d, want %d: %s", path, a.Code, tt.status, a.Body)
				}
				if got := a.Header().Get("Www-Authenticate"); (got == challenge) != (tt.status == 401) {
					t.Errorf("%s: challenge %q", path, got)
				}
				if a.Header().Get("X-Nuget-Warning") != "" {
					t.Errorf("%s: a read is warned of", path)
				}
				public := tt.feed == open && tt.key == "" && a.Code == 200
				if a.Code == 200 && strings.HasPrefix(a.Header().Get("Cache-Control"), "public") != public {
					t.Errorf("%s: caching %q", path, a.Header().Get("Cache-Control"))
				}
			}
		})
	}
	gone, err := w.packages.Project(t.Context(), "acme/demo")
	check(t, err)
	check(t, w.packages.DeleteProject(t.Context(), gone.ID, by))
	if a := w.get(demo, list, w.read); a.Code != 401 && a.Code != 404 {
		t.Errorf("a deleted project: %d", a.Code)
	}
}
