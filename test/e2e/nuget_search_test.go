package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// searchPackages is how many packages TestNuGetSearch pages through: more than
// two pages of V2.
const searchPackages = 250

// TestNuGetSearch pages through many packages in V3 and V2: each comes once,
// and the total is the same on every page (nuget.md 16.11, 16.12).
func TestNuGetSearch(t *testing.T) {
	t.Parallel()
	w, caller := nugetWorld(t, "search")
	var all []nupkg
	var ids []string
	for i := range searchPackages {
		id := fmt.Sprintf("Acme.Search%03d", i)
		ids = append(ids, id)
		all = append(all, nupkg{id: id, version: "1.0", size: 50})
	}
	caller.pushAll(t, all)
	t.Run("pages", func(t *testing.T) {
		for _, path := range []string{"/query?q=", "/query/?q=acme", "/query?q=search"} {
			got := searchAll(t, caller, path, searchPackages)
			slices.Sort(got)
			if !slices.Equal(got, ids) {
				t.Errorf("%s finds %d packages, %d of them different", path, len(got), len(slices.Compact(got)))
			}
		}
	})
	t.Run("nuget2", func(t *testing.T) {
		c, home := needNuGet(t, "nuget2"), t.TempDir()
		if err := (nugetLogin{source: caller.base, user: w.vars["RO_USER"], password: w.vars["RO"]}).write(home, c); err != nil {
			t.Fatal(err)
		}
		out, err := c.run(home, t.TempDir(), []string{"list", "-Source", "reg", "-NonInteractive"})
		if err != nil {
			t.Fatalf("nuget list: %v\n%s", err, out)
		}
		var wrong []string
		for _, id := range ids {
			if strings.Count(string(out), id+" 1.0") != 1 {
				wrong = append(wrong, id)
			}
		}
		if len(wrong) > 0 {
			t.Errorf("nuget list tells these not once: %q", wrong)
		}
	})
	t.Run("count", func(t *testing.T) {
		for query, want := range map[string]int{
			"/v2/Packages()/$count": searchPackages,
			"/v2/Packages()/$count?$filter=" + url.QueryEscape("substringof('search00', tolower(Id)) and IsLatestVersion"):                               10,
			"/v2/Search()/$count?searchTerm='acme.search249'":                                                                                            1,
			"/v2/FindPackagesById()/$count?id='acme.search001'":                                                                                          1,
			"/v2/Packages()/$count?$filter=" + url.QueryEscape("Id eq 'Acme.Search007' and NormalizedVersion ge '1.0.0' and not (Version eq '1.0.0.1')"): 1,
		} {
			text, err := caller.get(t.Context(), query)
			if err != nil {
				t.Error(err)
			} else if got, err := strconv.Atoi(strings.TrimSpace(string(text))); err != nil || got != want {
				t.Errorf("%s is %q, not %d", query, text, want)
			}
		}
	})
}

// searchAll asks for all pages of a search and gives the ids in their order.
func searchAll(t *testing.T, caller nugetRaw, path string, total int) (ids []string) {
	t.Helper()
	const take = 30
	for skip := 0; ; skip += take {
		var found struct {
			TotalHits int
			Data      []struct{ ID string }
		}
		if err := caller.json(t.Context(), fmt.Sprintf("%s&skip=%d&take=%d&prerelease=true&semVerLevel=2.0.0", path, skip, take), &found); err != nil {
			t.Fatal(err)
		}
		if found.TotalHits != total {
			t.Errorf("%s from %d: %d in all, not %d", path, skip, found.TotalHits, total)
		}
		for _, hit := range found.Data {
			ids = append(ids, hit.ID)
		}
		if len(found.Data) < take {
			return ids
		}
	}
}

// TestNuGetSearchFilters asks with each parameter and with hard characters.
func TestNuGetSearchFilters(t *testing.T) {
	t.Parallel()
	_, caller := nugetWorld(t, "filters")
	const tool = `<packageTypes><packageType name="DotnetTool"/></packageTypes>`
	caller.pushAll(t, []nupkg{
		{id: "Acme.Logging", version: "1.0.0", size: 50, fields: map[string]string{"title": "Protokoll für Größen"}},
		{id: "Acme.Logging", version: "1.1.0-beta", size: 50},
		{id: "Acme.Logging", version: "1.1.0-beta.2", size: 50},
		{id: "Acme.Tool", version: "2.0.0", size: 50, more: tool},
		{id: "Acme_Under", version: "1.0.0", size: 50, fields: map[string]string{"description": `100% of "quoted" o'clock`}},
		{id: "Acme.Pre", version: "0.1.0-alpha", size: 50},
		{id: "Acme.SemVer2", version: "1.0.0+build.5", size: 50},
	})
	for _, tt := range []struct {
		query string
		want  []string // id and version of each hit, in any order
	}{
		{"q=logging", []string{"Acme.Logging 1.0.0"}},
		{"q=LOGGING&prerelease=false", []string{"Acme.Logging 1.0.0"}},
		{"q=logging&prerelease=true", []string{"Acme.Logging 1.1.0-beta"}},
		{"q=logging&prerelease=true&semVerLevel=2.0.0", []string{"Acme.Logging 1.1.0-beta.2"}},
		{"q=acme.log", []string{"Acme.Logging 1.0.0"}},
		{"q=packageid:acme.tool", []string{"Acme.Tool 2.0.0"}},
		{"q=&packageType=dotnettool", []string{"Acme.Tool 2.0.0"}},
		{"q=&packageType=Template", nil},
		{"q=pre", nil},
		{"q=pre&prerelease=true", []string{"Acme.Pre 0.1.0-alpha"}},
		{"q=semver2", nil},
		{"q=semver2&semVerLevel=2.0.0", []string{"Acme.SemVer2 1.0.0+build.5"}},
		{"q=" + url.QueryEscape("Größen"), []string{"Acme.Logging 1.0.0"}},
		{"q=under", []string{"Acme_Under 1.0.0"}},
		{"q=" + url.QueryEscape(`"quoted"`), []string{"Acme_Under 1.0.0"}},
		{"q=" + url.QueryEscape("o'clock"), []string{"Acme_Under 1.0.0"}},
		// No character stands for others.
		{"q=" + url.QueryEscape("lo%ing"), nil},
		{"q=lo_ging", nil},
		{"q=nothing-of-that-kind", nil},
	} {
		t.Run(tt.query, func(t *testing.T) {
			var found struct {
				TotalHits int
				Data      []struct{ ID, Version string }
			}
			if err := caller.json(t.Context(), "/query?"+tt.query, &found); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, hit := range found.Data {
				got = append(got, hit.ID+" "+hit.Version)
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) || found.TotalHits != len(tt.want) {
				t.Errorf("%d hits: %q; want %q", found.TotalHits, got, tt.want)
			}
		})
	}
}
