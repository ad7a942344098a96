package nuget

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

// fillVersions stores versions 1.0.0, 1.0.1 and so on of one package, without
// their files.
func (w *world) fillVersions(name string, from, to int) {
	w.t.Helper()
	for ; from < to; from += 500 {
		pub := registry.Publication{ProjectID: 1, Format: registry.NuGet, Name: name, Key: strings.ToLower(name), By: by}
		for i := from; i < min(from+500, to); i++ {
			v, err := ParseVersion(fmt.Sprintf("1.0.%d", i))
			check(w.t, err)
			e := &Entry{ID: name, Version: v.Full(), Original: v.Original(), Authors: "Ann", Description: "Number " + v.Full(), PackageTypes: []EntryType{{Name: typeDependency}}}
			encoded, err := e.encode()
			check(w.t, err)
			pub.Versions = append(pub.Versions, registry.NewVersion{
				Version: v.Full(), Key: v.Key(), SortKey: v.SortKey(), State: []byte("{}"),
				Fragments: map[registry.FragmentKind][]byte{entryFragment: encoded, leafFragment: newLeafFragment(e, place{pub.Key, v.Key()})},
			})
			before := pub.Relist
			pub.Relist = func(summary []byte) (*registry.Listing, error) {
				if before != nil {
					l, err := before(summary)
					if err != nil {
						return nil, err
					}
					summary = l.Summary
				}
				return addToListing(summary, v.Key(), v.SortKey(), e)
			}
		}
		_, err := w.store.SavePublication(w.t.Context(), []registry.Publication{pub}, nil)
		check(w.t, err)
	}
}

// pages gives the pages of a registration index: address, number of leaves, and
// whether they are in it.
func (w *world) pages(a answer) (addresses []string, counts []int, inlined bool) {
	w.t.Helper()
	var index struct {
		Count int
		Items []struct {
			ID    string `json:"@id"`
			Count int
			Items []json.RawMessage
		}
	}
	check(w.t, json.Unmarshal(a.Body.Bytes(), &index))
	if index.Count != len(index.Items) {
		w.t.Errorf("count is %d of %d pages", index.Count, len(index.Items))
	}
	for _, p := range index.Items {
		addresses, counts = append(addresses, strings.TrimPrefix(p.ID, externalURL)), append(counts, p.Count)
		inlined = p.Items != nil
		if inlined && len(p.Items) != p.Count {
			w.t.Errorf("%s: count is %d of %d leaves", p.ID, p.Count, len(p.Items))
		}
	}
	return addresses, counts, inlined
}

// Up to 127 versions are in the index; from 128 on pages have addresses of their
// own, which go on working when pushes have moved the bounds (nuget.md 16.0, 16.2).
func TestRegistrationPages(t *testing.T) {
	w := newWorld(t)
	index := func() answer { return w.want(w.get(demo, "/metadata/acme.log/index.json", w.read), http.StatusOK) }
	w.fillVersions("Acme.Log", 0, 127)
	_, counts, inlined := w.pages(index())
	if diff := cmp.Diff(counts, []int{64, 63}); diff != "" || !inlined {
		t.Errorf("127 versions: inlined %v, %s", inlined, diff)
	}
	w.fillVersions("Acme.Log", 127, 130)
	old, counts, inlined := w.pages(index())
	if diff := cmp.Diff(counts, []int{64, 64, 2}); diff != "" || inlined {
		t.Errorf("130 versions: inlined %v, %s", inlined, diff)
	}
	for i := range 10 {
		w.publish(nupkgSpec{Version: fmt.Sprintf("1.0.%d-a", i)}) // before all others: every bound moves
	}
	var seen []string
	for i, address := range old {
		page := w.want(w.call(http.MethodGet, address, w.read, nil), http.StatusOK)
		if page.field(t, "@id") != externalURL+address || page.field(t, "parent") != externalURL+demo+"/metadata/acme.log/index.json" {
			t.Errorf("page %d: %v, parent %v", i, page.field(t, "@id"), page.field(t, "parent"))
		}
		leaves, ok := page.field(t, "items").([]any)
		if !ok || page.field(t, "count") != float64(len(leaves)) {
			t.Fatalf("page %d: count %v", i, page.field(t, "count"))
		}
		for j := range leaves {
			version, ok := page.field(t, "items", j, "catalogEntry", "version").(string)
			if !ok || slices.Contains(seen, version) {
				t.Errorf("page %d: version %q again", i, version)
			}
			seen = append(seen, version)
		}
	}
	if len(seen) != 139 { // all but 1.0.0-a, which is before the old first bound
		t.Errorf("the old pages show %d versions", len(seen))
	}
	empty := w.want(w.get(demo, "/metadata/acme.log/page/5.0.0/6.0.0.json", w.read), http.StatusOK)
	if got, ok := empty.field(t, "items").([]any); !ok || len(got) != 0 {
		t.Errorf("a page of nothing: %s", empty.Body)
	}
	w.want(w.get(demo, "/metadata/acme.log/page/6.0.0/5.0.0.json", w.read), http.StatusOK)
	if got := len(w.want(w.get(demo, "/metadata/acme.log/page/0.0.0/9.0.0.json", w.read), http.StatusOK).field(t, "items").([]any)); got != 140 {
		t.Errorf("a page of everything has %d versions", got)
	}
}

// 3,000 versions are listed, paged and found.
func TestManyVersions(t *testing.T) {
	w := newWorld(t)
	w.fillVersions("Acme.Log", 0, 3000)
	if got := len(w.want(w.get(demo, "/download/acme.log/index.json", w.read), http.StatusOK).texts(t, "versions")); got != 3000 {
		t.Errorf("flat list of %d", got)
	}
	addresses, counts, _ := w.pages(w.want(w.get(demo, "/metadata/acme.log/index.json", w.read), http.StatusOK))
	total := 0
	for i, address := range addresses {
		total += counts[i]
		page := w.want(w.call(http.MethodGet, address, w.read, nil, "Accept-Encoding", "gzip"), http.StatusOK)
		if size := page.Body.Len(); size > 100<<10 {
			t.Errorf("page of %d bytes in gzip", size)
		}
	}
	if total != 3000 || len(addresses) != 47 {
		t.Errorf("%d versions on %d pages", total, len(addresses))
	}
	found := w.want(w.get(demo, "/query?q=acme.log", w.read), http.StatusOK)
	if found.field(t, "data", 0, "version") != "1.0.2999" {
		t.Errorf("search shows %v", found.field(t, "data", 0, "version"))
	}
	if got, ok := found.field(t, "data", 0, "versions").([]any); !ok || len(got) != maxListed {
		t.Errorf("search shows %d versions", len(got))
	}
	w.want(w.call(http.MethodDelete, demo+"/acme.log/1.0.2999", w.write, nil), http.StatusNoContent)
	if got := w.want(w.get(demo, "/query?q=acme.log", w.read), http.StatusOK).field(t, "data", 0, "version"); got != "1.0.2998" {
		t.Errorf("search shows %v", got)
	}
}

// All fields of a leaf, and the shapes of dependencies (nuget.md 5.2, 16.9).
func TestRegistrationLeaf(t *testing.T) {
	w := newWorld(t)
	w.publish(nupkgSpec{
		ID: "Acme.Log", Version: "1.0.0-Beta.1+meta", Metadata: `<title>Log "it"</title><owners>Bob</owners>
<summary>short</summary><releaseNotes>first</releaseNotes><language>en</language><copyright>© Ann</copyright><tags>log, text</tags>
<projectUrl>https://registry.example/p</projectUrl><license type="expression">MIT</license><icon>i.png</icon><readme>r.md</readme>
<requireLicenseAcceptance>true</requireLicenseAcceptance>
<dependencies><group targetFramework="net8.0"/><group targetFramework=".NETStandard2.0"><dependency id="Acme.Core" version="1.0"/>
<dependency id="Acme.Data" version="[1.0,2.0)"/></group><group><dependency id="Acme.Any"/></group></dependencies>`,
		Files: []zipFile{{name: "i.png", body: "\x89PNG\r\n\x1a\n"}, {name: "r.md", body: "# Hi"}},
	})
	base := externalURL + demo
	index := w.want(w.get(demo, "/metadata/acme.log/index.json", w.read), http.StatusOK)
	entry, ok := index.field(t, "items", 0, "items", 0, "catalogEntry").(map[string]any)
	if !ok {
		t.Fatal(index.Body)
	}
	delete(entry, "packageHash")
	delete(entry, "packageSize")
	content := base + "/download/acme.log/1.0.0-beta.1/acme.log.1.0.0-beta.1.nupkg"
	want := map[string]any{
		"@id": base + "/metadata/acme.log/1.0.0-beta.1.json", "@type": "PackageDetails", "id": "Acme.Log", "version": "1.0.0-Beta.1+meta",
		"title": `Log "it"`, "authors": "Ann", "description": "Logs.", "summary": "short", "releaseNotes": "first", "language": "en", "copyright": "© Ann",
		"tags": []any{"log", "text"}, "projectUrl": "https://registry.example/p", "licenseExpression": "MIT",
		"iconUrl": base + "/download/acme.log/1.0.0-beta.1/icon", "readmeUrl": base + "/download/acme.log/1.0.0-beta.1/readme",
		"requireLicenseAcceptance": true, "packageTypes": []any{map[string]any{"name": "Dependency"}},
		"packageHashAlgorithm": "SHA512", "listed": true, "published": entry["published"], "packageContent": content,
		"dependencyGroups": []any{
			map[string]any{"@type": "PackageDependencyGroup", "targetFramework": "net8.0"},
			map[string]any{"@type": "PackageDependencyGroup", "targetFramework": "netstandard2.0", "dependencies": []any{
				map[string]any{"@type": "PackageDependency", "id": "Acme.Core", "range": "[1.0.0, )"},
				map[string]any{"@type": "PackageDependency", "id": "Acme.Data", "range": "[1.0.0, 2.0.0)"},
			}},
			map[string]any{"@type": "PackageDependencyGroup", "dependencies": []any{
				map[string]any{"@type": "PackageDependency", "id": "Acme.Any", "range": "(, )"},
			}},
		},
	}
	if diff := cmp.Diff(any(want), any(entry)); diff != "" {
		t.Error(diff)
	}
	if index.field(t, "items", 0, "items", 0, "packageContent") != content {
		t.Error("the leaf has no packageContent")
	}
	leaf := w.want(w.get(demo, "/metadata/Acme.Log/1.0-BETA.1.json", w.read), http.StatusOK)
	if leaf.field(t, "catalogEntry") != base+"/metadata/acme.log/1.0.0-beta.1.json" || leaf.field(t, "packageContent") != content {
		t.Errorf("leaf: %s", leaf.Body)
	}
}

// Files out of the package: what they are told to be, and that no browser runs
// them (threats.md B1).
func TestInnerFiles(t *testing.T) {
	w := newWorld(t)
	w.publish(nupkgSpec{Metadata: `<license type="file">LICENSE.txt</license><icon>images\i.jpg</icon><readme>docs/r.md</readme>`, Files: []zipFile{
		{name: "images/i.jpg", body: "\xff\xd8\xff\xe0 jpeg"}, {name: "docs/r.md", body: "# <script>alert(1)</script>"}, {name: "LICENSE.txt", body: "do"},
	}})
	for file, want := range map[string][2]string{
		"icon": {"image/jpeg", "\xff\xd8\xff\xe0 jpeg"}, "readme": {"text/markdown; charset=utf-8", "# <script>alert(1)</script>"},
		"license": {"text/plain; charset=utf-8", "do"},
	} {
		a := w.want(w.get(demo, "/download/acme.log/1.0/"+file, w.read), http.StatusOK)
		if got := [2]string{a.Header().Get("Content-Type"), a.Body.String()}; got != want {
			t.Errorf("%s: %q", file, got)
		}
		if a.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(a.Header().Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: %v", file, a.Header())
		}
		again := w.get(demo, "/download/acme.log/1.0/"+file, w.read, "If-None-Match", a.Header().Get("ETag"))
		w.want(again, http.StatusNotModified)
	}
	nuspec := w.want(w.get(demo, "/download/acme.log/1.0.0/ACME.LOG.nuspec", w.read), http.StatusOK)
	if nuspec.Header().Get("Content-Type") != "application/xml" || !strings.Contains(nuspec.Body.String(), "<id>Acme.Log</id>") {
		t.Errorf("nuspec: %s", nuspec.Body)
	}
}
