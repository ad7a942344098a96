package nuget

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"pakhus/internal/registry"
)

// words make ids and descriptions of packages that differ as real ones do.
var words = []string{
	"Log", "Http", "Json", "Xml", "Client", "Server", "Data", "Core", "Test", "Tools", "Cache", "Queue", "Mail", "Auth", "Token", "Store",
	"Search", "Graph", "Image", "Audio", "Video", "Crypto", "Hash", "Zip", "Net", "Web", "Api", "Model", "View", "Event",
}

// benchEntry is the package number i of many. All have the prefix Acme.
func benchEntry(i int) *Entry {
	word := func(n int) string { return words[(i/n)%len(words)] }
	return &Entry{
		ID: fmt.Sprintf("Acme.%s.%s%d", word(1), word(len(words)), i), Version: "1.0.0", Original: "1.0.0", Authors: "Ann",
		Description: "Has " + word(7) + " and " + word(11) + " for " + word(13), Tags: word(3) + " " + word(5),
		PackageTypes: []EntryType{{Name: typeDependency}},
	}
}

// fill stores many packages of one version each in acme/demo.
func (w *world) fill(n int) {
	w.t.Helper()
	v, err := ParseVersion("1.0.0")
	check(w.t, err)
	var pubs []registry.Publication
	for i := range n {
		e := benchEntry(i)
		id, err := ParseID(e.ID)
		check(w.t, err)
		encoded, err := e.encode()
		check(w.t, err)
		listing, err := addToListing(nil, v.Key(), v.SortKey(), e)
		check(w.t, err)
		pubs = append(pubs, registry.Publication{
			ProjectID: 1, Format: registry.NuGet, Name: e.ID, Key: id.Key(), By: by, Listing: listing,
			Versions: []registry.NewVersion{{
				Version: "1.0.0", Key: v.Key(), SortKey: v.SortKey(), State: []byte("{}"),
				Fragments: map[registry.FragmentKind][]byte{entryFragment: encoded, leafFragment: newLeafFragment(e, place{id.Key(), v.Key()})},
			}},
		})
		if len(pubs) == 1000 || i == n-1 {
			_, err := w.store.SavePublication(w.t.Context(), pubs, nil)
			check(w.t, err)
			pubs = nil
		}
	}
}

// BenchmarkSearch searches among 100,000 packages of one project.
func BenchmarkSearch(b *testing.B) {
	for name, open := range databases {
		b.Run(name, func(b *testing.B) {
			w := newWorldOn(b, open(b))
			w.fill(100_000)
			for query, path := range map[string]string{
				"everything": "/query?semVerLevel=2.0.0", "rare": "/query?q=acme.log.http777", "word": "/query?q=crypto", "common": "/query?q=acme",
				"two": "/query?q=acme+crypto", "tool": "/query?q=acme+log+http", "page 50": "/query?q=acme&skip=1000", "types": "/query?packageType=DotnetTool", "none": "/query?q=zzz",
				"complete": "/autocomplete?q=acme.lo",
			} {
				for _, feed := range []string{demo, acme} {
					b.Run(query+" "+map[string]string{demo: "project", acme: "group"}[feed], func(b *testing.B) {
						r := httptest.NewRequest(http.MethodGet, feed+path, nil)
						r.Header.Set("X-NuGet-ApiKey", w.group)
						for b.Loop() {
							a := httptest.NewRecorder()
							w.server.ServeHTTP(a, r)
							w.want(answer{a}, http.StatusOK)
						}
					})
				}
			}
		})
	}
}
