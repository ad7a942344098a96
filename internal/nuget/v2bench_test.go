package nuget

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkV2 asks the V2 feed of a project with 100,000 packages.
func BenchmarkV2(b *testing.B) {
	queries := []struct{ name, path string }{
		{"id", "/FindPackagesById()?id='acme.log.http777'"},
		{"entry", "/Packages(Id='acme.log.log0',Version='1.0')"},
		{"filter by id", "/Packages()?$filter=(tolower(Id)%20eq%20'acme.log.log0')%20and%20IsLatestVersion"},
		{"search rare", "/Search()?$filter=IsLatestVersion&searchTerm='http777'&$orderby=Id&$skip=0&$top=30"},
		{"search word", "/Search()?$filter=IsLatestVersion&searchTerm='crypto'&$orderby=Id&$skip=0&$top=30"},
		{"search common", "/Search()?$filter=IsLatestVersion&searchTerm='acme'&$orderby=Id&$skip=0&$top=30"},
		{"search two", "/Search()?$filter=IsLatestVersion&searchTerm='acme%20crypto'&$skip=0&$top=30"},
		{"search with a total", "/Search()?$filter=IsLatestVersion&searchTerm='acme'&$inlinecount=allpages&$top=30"},
		{"search all versions", "/Search()?searchTerm='crypto'&$top=30"},
		{"list", "/Search()?$filter=IsLatestVersion&searchTerm=''&$top=30"},
		{"list far in", "/Search()?$filter=IsLatestVersion&searchTerm=''&$skip=50000&$top=30"},
		{"next page", "/Search()?$filter=IsLatestVersion&searchTerm=''&$skiptoken='acme.video.zip55555',''&$top=30"},
		{"count", "/Search()/$count?$filter=IsLatestVersion&searchTerm=''"},
		{"beginning of ids", "/Packages()?$filter=startswith(Id,'Acme.Log.Http')%20and%20IsLatestVersion"},
		{"scan that finds nothing", "/Packages()?$filter=substringof('zzz',Description)"},
		{"completion", "/package-ids?partialId=Acme.Lo"},
	}
	for name, open := range databases {
		b.Run(name, func(b *testing.B) {
			w := newWorldOn(b, open(b))
			w.fill(100_000)
			for _, q := range queries {
				b.Run(q.name, func(b *testing.B) {
					r := httptest.NewRequest(http.MethodGet, demo+"/v2"+q.path, nil)
					r.Header.Set("X-NuGet-ApiKey", w.read)
					for b.Loop() {
						a := httptest.NewRecorder()
						w.server.ServeHTTP(a, r)
						w.want(answer{a}, http.StatusOK)
					}
				})
			}
		})
	}
}
