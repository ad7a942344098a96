package nuget

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// v2Document is a feed as a client reads it.
type v2Document struct {
	Count   string        `xml:"http://schemas.microsoft.com/ado/2007/08/dataservices/metadata count"`
	Entries []v2Published `xml:"http://www.w3.org/2005/Atom entry"`
	Links   []struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	} `xml:"http://www.w3.org/2005/Atom link"`
}

type v2Published struct {
	ID      string `xml:"http://www.w3.org/2005/Atom id"`
	Title   string `xml:"http://www.w3.org/2005/Atom title"`
	Content struct {
		Type string `xml:"type,attr"`
		Src  string `xml:"src,attr"`
	} `xml:"http://www.w3.org/2005/Atom content"`
	Properties struct {
		Version, NormalizedVersion, Published, PackageHash, PackageHashAlgorithm, PackageSize, Dependencies, Tags string
		IsLatestVersion, IsAbsoluteLatestVersion, IsPrerelease                                                    string
	} `xml:"http://schemas.microsoft.com/ado/2007/08/dataservices/metadata properties"`
}

func (e *v2Published) String() string { return e.Title + " " + e.Properties.Version }

func (d *v2Document) next() string {
	for _, link := range d.Links {
		if link.Rel == "next" {
			return link.Href
		}
	}
	return ""
}

// list gives the entries of a feed as text, the latest ones marked.
func (d *v2Document) list() []string {
	out := []string{}
	for _, e := range d.Entries {
		out = append(out, e.String())
	}
	return out
}

// v2 asks for a V2 address; what follows the question mark is encoded here.
func (w *world) v2(path, query string, status int) answer {
	w.t.Helper()
	if query != "" {
		var pairs []string
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			pairs = append(pairs, name+"="+url.QueryEscape(value))
		}
		path += "?" + strings.Join(pairs, "&")
	}
	return w.want(w.get(demo, "/v2"+path, w.read), status)
}

func (w *world) feed(path, query string) *v2Document {
	w.t.Helper()
	a := w.v2(path, query, http.StatusOK)
	checkXML(w.t, a.Body.Bytes())
	if got := a.Header().Get("Content-Type"); got != v2FeedType {
		w.t.Errorf("type %q", got)
	}
	return parseFeed(w.t, a)
}

func parseFeed(t testing.TB, a answer) *v2Document {
	t.Helper()
	var d v2Document
	check(t, xml.Unmarshal(a.Body.Bytes(), &d))
	return &d
}

// v2World has packages for the tests of lists. The unlisted version is the last
// release of Acme.Log.
func v2World(t *testing.T, database string) *world {
	w := newWorldOn(t, database)
	for _, p := range []nupkgSpec{
		{ID: "Acme.Log", Version: "1.0", Metadata: `<tags>log text</tags>`},
		{ID: "Acme.Log", Version: "1.9.0"},
		{ID: "acme.log", Version: "1.10.0", Metadata: `<tags>log text</tags>`},
		{ID: "Acme.Log", Version: "1.11.0"},
		{ID: "Acme.Log", Version: "2.0.0-beta"},
		{ID: "Acme.Log", Version: "2.0.0-rc.1"},
		{ID: "Acme.Core", Version: "3.0.0", Metadata: `<title>Core of logs</title>`},
		{ID: "Acme.Core", Version: "3.1.0+meta"},
		{ID: "Beta.Only", Version: "0.1.0-a"},
		{ID: "PSTool", Version: "1.0.0", Metadata: `<tags>PSModule PSEdition_Core</tags>`},
	} {
		w.publish(p)
	}
	w.unlist("Acme.Log", "1.11.0")
	return w
}

func (w *world) unlist(id, version string) {
	w.t.Helper()
	w.want(w.call(http.MethodDelete, demo+"/"+id+"/"+version, w.write, nil), http.StatusNoContent)
}

func TestV2Lists(t *testing.T) { onEach(t, testV2Lists) }

func testV2Lists(t *testing.T, database string) {
	w := v2World(t, database)
	logs := []string{"Acme.Log 1.0", "Acme.Log 1.9.0", "acme.log 1.10.0", "Acme.Log 1.11.0", "Acme.Log 2.0.0-beta"}
	tests := []struct {
		name, path, query string
		want              []string
	}{
		{"versions of an id", "/FindPackagesById()", "id='acme.LOG'", logs},
		{"without parentheses", "/FindPackagesById", "id='acme.log'", logs},
		{"SemVer 2", "/FindPackagesById()", "id='acme.log'&semVerLevel=2.0.0", append(slices.Clone(logs), "Acme.Log 2.0.0-rc.1")},
		{"an id that is not there", "/FindPackagesById()", "id='Acme.None'", []string{}},
		{"an id that cannot be", "/FindPackagesById()", "id='a b/../c'", []string{}},
		{"newest first", "/FindPackagesById()", "id='Acme.Log'&$orderby=Version desc&$top=2", []string{"Acme.Log 2.0.0-beta", "Acme.Log 1.11.0"}},
		{"Paket", "/FindPackagesById()", "semVerLevel=2.0.0&id='Acme.Log'&$orderby=Published desc&$top=2", []string{"Acme.Log 2.0.0-rc.1", "Acme.Log 2.0.0-beta"}},
		{"PSResourceGet", "/FindPackagesById()", "id='Acme.Log'&$inlinecount=allpages&$filter=IsPrerelease eq false and NormalizedVersion gt '1.9' and Id eq 'Acme.Log'&$orderBy=NormalizedVersion desc", []string{"Acme.Log 1.11.0", "acme.log 1.10.0"}},
		{"latest of an id", "/FindPackagesById()", "id='Acme.Log'&$filter=IsLatestVersion", []string{"acme.log 1.10.0"}},
		{"skip and top", "/FindPackagesById()", "id='Acme.Log'&$skip=1&$top=2", []string{"Acme.Log 1.9.0", "acme.log 1.10.0"}},
		{"no entries", "/FindPackagesById()", "id='Acme.Log'&$top=0", []string{}},
		{"projection and unknown arguments", "/FindPackagesById()", "id='Acme.Log'&$select=Id,Version&targetFramework='net8.0'&$top=1", logs[:1]},

		{"everything", "/Packages()", "", append([]string{"Acme.Core 3.0.0"}, append(slices.Clone(logs), "Beta.Only 0.1.0-a", "PSTool 1.0.0")...)},
		{"Chocolatey", "/Packages()", "$filter=(tolower(Id) eq 'acme.log') and IsLatestVersion", []string{"acme.log 1.10.0"}},
		{"Chocolatey with prereleases", "/Packages()", "$filter=(tolower(Id) eq 'acme.log') and IsAbsoluteLatestVersion&semVerLevel=2.0.0", []string{"Acme.Log 2.0.0-rc.1"}},
		{"two ids", "/Packages()", "$filter=tolower(Id) eq 'pstool' or Id eq 'acme.core'", []string{"Acme.Core 3.0.0", "PSTool 1.0.0"}},
		{"latest of all", "/Packages()", "$filter=IsLatestVersion", []string{"Acme.Core 3.0.0", "acme.log 1.10.0", "PSTool 1.0.0"}},
		{"latest of all with SemVer 2", "/Packages", "semVerLevel=2.0.0&$filter=IsLatestVersion eq true&$orderby=DownloadCount desc,Id", []string{"Acme.Core 3.1.0+meta", "acme.log 1.10.0", "PSTool 1.0.0"}},
		{"beginning of an id", "/Packages()", "$filter=startswith(Id,'ACME') and IsLatestVersion", []string{"Acme.Core 3.0.0", "acme.log 1.10.0"}},
		{"end of an id", "/Packages()", "$filter=startswith(Id,'a') and endswith(Id,'log') and IsPrerelease eq true", []string{"Acme.Log 2.0.0-beta"}},
		{"tags", "/Packages()", "$filter=substringof(' PSModule ',Tags) eq true", []string{"PSTool 1.0.0"}},
		{"fall-back search", "/Packages()", "$filter=((((Id ne null) and substringof('text',tolower(Id))) or ((Description ne null) and substringof('text',tolower(Description)))) or ((Tags ne null) and substringof(' text ',tolower(Tags)))) and IsLatestVersion&$orderby=Id", []string{"acme.log 1.10.0"}},
		{"only the unlisted", "/Packages()", "$filter=Published lt datetime'1901-01-01T00:00:00'", []string{"Acme.Log 1.11.0"}},
		{"ids downwards", "/Packages()", "$filter=IsAbsoluteLatestVersion&$orderby=Id desc", []string{"PSTool 1.0.0", "Beta.Only 0.1.0-a", "Acme.Log 2.0.0-beta", "Acme.Core 3.0.0"}},

		{"nuget list", "/Search()", "$filter=IsLatestVersion&$orderby=Id&searchTerm=''&targetFramework=''&includePrerelease=false&$skip=0&$top=30", []string{"Acme.Core 3.0.0", "acme.log 1.10.0", "PSTool 1.0.0"}},
		{"nuget list with a term", "/Search()", "$filter=IsLatestVersion&searchTerm='acme'&includePrerelease=false", []string{"Acme.Core 3.0.0", "acme.log 1.10.0"}},
		{"the end of a list", "/Search()", "$filter=IsLatestVersion&searchTerm=''&$skip=2&$top=30", []string{"PSTool 1.0.0"}},
		{"prereleases", "/Search()", "$filter=IsAbsoluteLatestVersion&searchTerm=''&includePrerelease=true", []string{"Acme.Core 3.0.0", "Acme.Log 2.0.0-beta", "Beta.Only 0.1.0-a", "PSTool 1.0.0"}},
		{"prereleases of SemVer 2", "/Search()", "$filter=IsAbsoluteLatestVersion&searchTerm='acme'&includePrerelease=true&semVerLevel=2.0.0", []string{"Acme.Core 3.1.0+meta", "Acme.Log 2.0.0-rc.1"}},
		{"latest whatever it is, but no prerelease", "/Search()", "$filter=IsAbsoluteLatestVersion&searchTerm=''&includePrerelease=false", []string{"Acme.Core 3.0.0", "PSTool 1.0.0"}},
		{"all versions", "/Search()", "searchTerm='acme'&includePrerelease=true", []string{"Acme.Core 3.0.0", "Acme.Log 1.0", "Acme.Log 1.9.0", "acme.log 1.10.0", "Acme.Log 2.0.0-beta"}},
		{"all versions of all", "/Search()", "includePrerelease=false", []string{"Acme.Core 3.0.0", "Acme.Log 1.0", "Acme.Log 1.9.0", "acme.log 1.10.0", "PSTool 1.0.0"}},
		{"a title", "/Search()", "searchTerm='core of'&$filter=IsLatestVersion", []string{"Acme.Core 3.0.0"}},
		{"two words", "/Search()", "searchTerm='log text'&$filter=IsLatestVersion", []string{"acme.log 1.10.0"}},
		{"an id in a search", "/Search()", "searchTerm=''&$filter=Id eq 'Acme.Log' and IsLatestVersion", []string{"acme.log 1.10.0"}},
		{"a term that nothing has", "/Search()", "searchTerm='nothing'", []string{}},
		{"a quote in a term", "/Search()", "searchTerm='o''neil'", []string{}},
		{"punctuation", "/Search()", "searchTerm='%_'", []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			d := w.feed(tt.path, tt.query)
			if diff := cmp.Diff(d.list(), tt.want); diff != "" {
				t.Error(diff)
			}
			if d.next() != "" {
				t.Errorf("next page: %s", d.next())
			}
			count := w.v2(tt.path+"/$count", strings.NewReplacer("$top=", "ignored=", "$skip=", "ignored=").Replace(tt.query), http.StatusOK).Body.String()
			if !strings.Contains(tt.query, "$top") && !strings.Contains(tt.query, "$skip") && count != fmt.Sprint(len(tt.want)) {
				t.Errorf("count %s, want %d", count, len(tt.want))
			}
		})
	}
}

func TestV2BadQueries(t *testing.T) { onEach(t, testV2BadQueries) }

func testV2BadQueries(t *testing.T, database string) {
	w := v2World(t, database)
	tests := []struct {
		name, path, query string
		status            int
		text              string
	}{
		{"filter", "/Packages()", "$filter=Id eq", 400, "$filter: the expression ends too early"},
		{"property", "/Packages()", "$filter=Foo eq 1", 400, "$filter: there is no property Foo"},
		{"function", "/Search()", "$filter=year(Published) eq 2026", 400, "$filter: there is no function year here"},
		{"order", "/FindPackagesById()", "id='x'&$orderby=Id sideways", 400, "$orderby: sideways was not expected here"},
		{"top", "/Packages()", "$top=abc", 400, `$top: "abc" is not a number from 0 to 2147483647`},
		{"skip", "/Packages()", "$skip=-1", 400, `$skip: "-1" is not a number from 0 to 1048576`},
		{"count", "/Packages()", "$inlinecount=some", 400, `$inlinecount: "some" is neither allpages nor none`},
		{"place", "/Packages()", "$skiptoken='x'", 400, "$skiptoken: this is not from a link of this feed"},
		{"option", "/Packages()", "$expand=Versions", 400, "the option $expand is not known here"},
		{"truth", "/Search()", "includePrerelease=maybe", 400, `includePrerelease: "maybe" is neither true nor false`},
		{"no id", "/FindPackagesById()", "", 400, "FindPackagesById needs id='..'"},
		{"updates", "/GetUpdates()", "packageIds='a|b'&versions='1.0'", 400, "GetUpdates needs as many versions as packageIds, with bars between them, and no more versionConstraints"},
		{"version of an update", "/GetUpdates()", "packageIds='a'&versions='new'", 400, `"new" is not a version: it must be like 1.2.3, 1.2.3.4 or 1.2.3-beta.1`},
		{"format", "/Packages()", "$format=json", 406, "Not Acceptable"},
		{"sorted too far", "/Packages()", "$orderby=Version&$skip=5000", 400, "in this order only the first 2000 entries can be asked for"},
		{"version of an entry", "/Packages(Id='Acme.Log',Version='new')", "", 400, `"new" is not a version: it must be like 1.2.3, 1.2.3.4 or 1.2.3-beta.1`},
		{"key without a version", "/Packages(Id='Acme.Log')", "", 400, "an entry is named Packages(Id='..',Version='..')"},
		{"key twice", "/Packages(Id='Acme.Log',Id='Acme.Log')", "", 400, "an entry is named Packages(Id='..',Version='..')"},
		{"key of a function", "/Search(Id='Acme.Log',Version='1.0')", "", 400, "an entry is named Packages(Id='..',Version='..')"},
		{"entry that is not there", "/Packages(Id='Acme.Log',Version='7.0')", "", 404, "version not found: Acme.Log 7.0.0"},
		{"package that is not there", "/Packages(Id='Acme.None',Version='7.0')", "", 404, "package not found: Acme.None"},
		{"address", "/Nothing()", "", 404, "not found: no such address in this feed"},
		{"address below a list", "/Packages()/Id", "", 404, "not found: no such address in this feed"},
		{"newest of none", "/package/Acme.None", "", 404, "package not found: Acme.None"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			a := w.v2(tt.path, tt.query, tt.status)
			var document struct {
				XMLName xml.Name `xml:"http://schemas.microsoft.com/ado/2007/08/dataservices/metadata error"`
				Message string   `xml:"message"`
			}
			check(t, xml.Unmarshal(a.Body.Bytes(), &document))
			if document.Message != tt.text {
				t.Errorf("got  %q\nwant %q", document.Message, tt.text)
			}
		})
	}
	w.t = t
	w.want(w.get(demo, "/v2/Packages()?$filter=%zz", w.read), http.StatusBadRequest)
	w.want(w.get(demo, "/v2/Packages()?$filter="+strings.Repeat("x", maxV2Query), w.read), http.StatusBadRequest)
	w.want(w.call(http.MethodPost, demo+"/v2/Packages()", w.write, nil), http.StatusMethodNotAllowed)
}

func TestV2Entry(t *testing.T) { onEach(t, testV2Entry) }

func testV2Entry(t *testing.T, database string) {
	w := newWorldOn(t, database)
	body := w.publish(nupkgSpec{ID: "Acme.Log", Version: "01.0", Metadata: `<tags>a b</tags><dependencies>
		<group targetFramework="net8.0" /><group targetFramework=".NETStandard2.0"><dependency id="Acme.Core" version="1.0" /></group></dependencies>`})
	w.publish(nupkgSpec{ID: "Acme.Log", Version: "2.0.0-rc.1"})
	for _, key := range []string{"Id='Acme.Log',Version='1.0'", "Id='ACME.log',Version='1.0.0.0'", "Version='01.0.0',Id='acme.log'", "Id='Acme.Log',Version='1.0.0%2Bmeta'"} {
		a := w.v2("/Packages("+key+")", "", http.StatusOK)
		var e v2Published
		check(t, xml.Unmarshal(a.Body.Bytes(), &e))
		sum := sha512.Sum512(body)
		got := []string{
			e.ID, e.String(), e.Properties.NormalizedVersion, e.Properties.PackageHash, e.Properties.PackageHashAlgorithm, e.Properties.PackageSize,
			e.Properties.Dependencies, e.Properties.Tags, e.Properties.IsLatestVersion, e.Properties.IsAbsoluteLatestVersion, e.Content.Type, e.Content.Src,
		}
		want := []string{
			externalURL + demo + "/v2/Packages(Id='Acme.Log',Version='1.0.0')", "Acme.Log 01.0", "1.0.0", base64.StdEncoding.EncodeToString(sum[:]),
			"SHA512", fmt.Sprint(len(body)), "::net8.0|Acme.Core:[1.0.0, ):netstandard2.0", " a b ", "true", "true", "application/zip",
			externalURL + demo + "/v2/package/Acme.Log/1.0.0",
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
	a := w.v2("/Packages(Id='Acme.Log',Version='1.0')", "", http.StatusOK)
	again := w.want(w.get(demo, "/v2/Packages(Id='Acme.Log',Version='1.0')", w.read, "If-None-Match", a.Header().Get("Etag")), http.StatusNotModified)
	if again.Body.Len() != 0 {
		t.Errorf("304 with a body: %s", again.Body)
	}
	// A list without SemVer 2 hides the version; its address does not, and a client
	// that understands it is told that it is the latest.
	w.checkLatest("/Packages(Id='Acme.Log',Version='2.0.0-RC.1')", "", "false false")
	w.checkLatest("/Packages(Id='Acme.Log',Version='2.0.0-rc.1')", "semVerLevel=2.0.0", "false true")
	w.checkLatest("/Packages(Id='Acme.Log',Version='1.0.0')", "semVerLevel=2.0.0", "true false")
	w.unlist("Acme.Log", "1.0")
	w.checkLatest("/Packages(Id='Acme.Log',Version='1.0.0')", "", "false false")
	if published := w.checkLatest("/Packages(Id='Acme.Log',Version='1.0.0')", "", "false false"); published != "1900-01-01T00:00:00" {
		t.Errorf("unlisted, but published %s", published)
	}
}

// checkLatest reads an entry, compares its flags, and gives its time.
func (w *world) checkLatest(path, query, want string) (published string) {
	w.t.Helper()
	var e v2Published
	check(w.t, xml.Unmarshal(w.v2(path, query, http.StatusOK).Body.Bytes(), &e))
	if got := e.Properties.IsLatestVersion + " " + e.Properties.IsAbsoluteLatestVersion; got != want {
		w.t.Errorf("%s?%s: got %s, want %s", path, query, got, want)
	}
	return e.Properties.Published
}

func TestV2Updates(t *testing.T) { onEach(t, testV2Updates) }

func testV2Updates(t *testing.T, database string) {
	w := v2World(t, database)
	tests := []struct {
		name, query string
		want        []string
	}{
		{"newest", "packageIds='acme.log|PSTool'&versions='1.0|1.0.0'&includePrerelease=false&includeAllVersions=false&targetFrameworks=''&versionConstraints=''", []string{"acme.log 1.10.0"}},
		{"prerelease", "packageIds='Acme.Log'&versions='1.0'&includePrerelease=true", []string{"Acme.Log 2.0.0-beta"}},
		{"all versions", "packageIds='Acme.Log'&versions='1.0'&includeAllVersions=true", []string{"Acme.Log 1.9.0", "acme.log 1.10.0"}},
		{"constraint", "packageIds='Acme.Log|PSTool'&versions='1.0|0.9'&versionConstraints='[1.0,1.10)|'", []string{"Acme.Log 1.9.0", "PSTool 1.0.0"}},
		{"from a prerelease to its release", "packageIds='PSTool'&versions='1.0.0-beta'", []string{"PSTool 1.0.0"}},
		{"one id in two versions", "packageIds='Acme.Log|Acme.Log'&versions='1.10|1.9'&includeAllVersions=true", []string{"acme.log 1.10.0"}},
		{"up to date", "packageIds='Acme.Log'&versions='2.0'&includePrerelease=true", []string{}},
		{"not here", "packageIds='Acme.None|a..b'&versions='1.0|1.0'", []string{}},
		{"nothing", "packageIds=''&versions=''", []string{}},
		{"filtered", "packageIds='Acme.Log|PSTool'&versions='1.0|0.1'&$filter=startswith(Id,'PS')", []string{"PSTool 1.0.0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			if diff := cmp.Diff(w.feed("/GetUpdates()", tt.query).list(), tt.want); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Pages of 250 packages, in each way that a list is read: every package once, and
// no link twice.
func TestV2Pages(t *testing.T) { onEach(t, testV2Pages) }

func testV2Pages(t *testing.T, database string) {
	w := newWorldOn(t, database)
	var want []string
	for i := range 250 {
		id := fmt.Sprintf("Acme.P%03d", i)
		want = append(want, id+" 1.0.0")
		w.publish(nupkgSpec{ID: id, Version: "1.0.0"})
	}
	backwards := slices.Clone(want)
	slices.Reverse(backwards)
	tests := []struct {
		name, path, query string
		want              []string
		pages             int
	}{
		{"index", "/Search()", "$filter=IsLatestVersion&searchTerm=''&$inlinecount=allpages", want, 3},
		{"index with a term", "/Search()", "$filter=IsLatestVersion&searchTerm='acme'&$orderby=Id&$top=220", want[:220], 3},
		{"all versions of a term", "/Search()", "searchTerm='acme'&$inlinecount=allpages", want, 3},
		{"scan", "/Packages()", "$filter=IsLatestVersion and IsPrerelease eq false", want, 3},
		{"scan with skip", "/Packages()", "$skip=30&$top=205", want[30:235], 3},
		{"exactly one page", "/Packages()", "$top=100", want[:100], 1},
		{"sorted", "/Packages()", "$orderby=Id desc&$skip=10&$inlinecount=allpages", backwards[10:], 3},
		{"sorted, some", "/Search()", "$filter=IsLatestVersion&$orderby=Id desc&searchTerm='acme'&$top=120", backwards[:120], 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			d, links := w.feed(tt.path, tt.query), map[string]bool{}
			got := d.list()
			for next := d.next(); next != ""; next = d.next() {
				if links[next] {
					t.Fatalf("the link %s comes again", next)
				}
				links[next] = true
				d = parseFeed(t, w.want(w.call(http.MethodGet, strings.TrimPrefix(next, externalURL), w.read, nil), http.StatusOK))
				if strings.Contains(tt.query, "allpages") && d.Count != "250" {
					t.Errorf("count %q", d.Count)
				}
				got = append(got, d.list()...)
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Error(diff)
			}
			if len(links)+1 != tt.pages {
				t.Errorf("%d pages, want %d", len(links)+1, tt.pages)
			}
		})
	}
}

// A search that finds little goes on in the next page; one that must see
// everything is refused.
func TestV2CostIsBounded(t *testing.T) { onEach(t, testV2CostIsBounded) }

func testV2CostIsBounded(t *testing.T, database string) {
	w := v2World(t, database)
	h, err := New(w.packages, Options{ExternalURL: externalURL})
	check(t, err)
	project, err := w.packages.ProjectByID(t.Context(), 1)
	check(t, err)
	req := &request{base: externalURL + demo, path: Path{Kind: KindV2List, List: v2Packages}, project: project, identity: w.identity(w.read)}
	const filter = "$filter=endswith(Id,'l')%20and%20IsLatestVersion"
	query, got, pages := filter, []string{}, 0
	for ; query != "" && pages < 10; pages++ {
		q, err := parseV2Query(query)
		check(t, err)
		page, err := h.readV2List(t.Context(), req, q, h.newV2Packages(req, q), &v2Cost{packages: 2, work: 1 << 20, functions: 1})
		check(t, err)
		for _, e := range page.entries {
			got = append(got, e.ID)
		}
		if query = ""; page.next != nil {
			query = q.withOptions(page.next...)
		}
	}
	if diff := cmp.Diff(got, []string{"PSTool"}); diff != "" || pages != 3 {
		t.Errorf("%d pages: %s", pages, diff)
	}
	for _, query := range []string{filter + "&$inlinecount=allpages", filter + "&$orderby=Version"} {
		q, err := parseV2Query(query)
		check(t, err)
		for _, cost := range []v2Cost{{packages: 2, work: 1 << 20, functions: 1}, {packages: 100, work: 1 << 10, functions: 100}} {
			if _, err = h.readV2List(t.Context(), req, q, h.newV2Packages(req, q), &cost); registry.KindOf(err) != registry.Invalid {
				t.Errorf("%s with %+v: %v", query, cost, err)
			}
		}
	}
}

func TestV2Downloads(t *testing.T) { onEach(t, testV2Downloads) }

func testV2Downloads(t *testing.T, database string) {
	w := newWorldOn(t, database)
	first := w.publish(nupkgSpec{ID: "Acme.Log", Version: "1.0"})
	second := w.publish(nupkgSpec{ID: "Acme.Log", Version: "2.0"})
	w.publish(nupkgSpec{ID: "Acme.Log", Version: "3.0-beta"})
	beta := w.publish(nupkgSpec{ID: "Beta.Only", Version: "1.0-beta"})
	w.publish(nupkgSpec{ID: "Gone", Version: "1.0"})
	w.unlist("Gone", "1.0")
	tests := []struct {
		name, path string
		want       []byte
	}{
		{"version", "/package/acme.log/1.0.0.0", first},
		{"value of an entry", "/Packages(Id='Acme.Log',Version='1.0')/$value", first},
		{"newest release", "/package/Acme.Log", second},
		{"newest prerelease", "/package/Beta.Only/", beta},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			if a := w.v2(tt.path, "", http.StatusOK); !slices.Equal(a.Body.Bytes(), tt.want) {
				t.Errorf("%d bytes, want %d", a.Body.Len(), len(tt.want))
			}
		})
	}
	w.t = t
	w.v2("/package/Gone", "", http.StatusNotFound)
	w.v2("/package/Gone/1.0", "", http.StatusOK)
	w.v2("/package/Acme.Log/4.0", "", http.StatusNotFound)
	w.v2("/package/Acme.Log/latest", "", http.StatusNotFound)
}

func TestV2Completion(t *testing.T) { onEach(t, testV2Completion) }

func testV2Completion(t *testing.T, database string) {
	w := v2World(t, database)
	tests := []struct{ name, path, query, want string }{
		{"ids", "/package-ids", "partialId=acme", `["Acme.Core","acme.log"]`},
		{"all ids", "/package-ids", "", `["Acme.Core","acme.log","PSTool"]`},
		{"ids with prereleases", "/package-ids", "partialId=b&includePrerelease=true", `["Beta.Only"]`},
		{"ids of SemVer 2", "/package-ids", "partialId=acme.c&includePrerelease=true&semVerLevel=2.0.0", `["Acme.Core"]`},
		{"no ids", "/package-ids", "partialId=zz", `[]`},
		{"versions", "/package-versions/ACME.LOG", "", `["1.0.0","1.9.0","1.10.0"]`},
		{"versions with prereleases", "/package-versions/Acme.Log", "includePrerelease=true&semVerLevel=2.0.0", `["1.0.0","1.9.0","1.10.0","2.0.0-beta","2.0.0-rc.1"]`},
		{"no versions", "/package-versions/Acme.None", "", `[]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			a := w.v2(tt.path, tt.query, http.StatusOK)
			if got := strings.TrimSpace(a.Body.String()); got != tt.want || !json.Valid(a.Body.Bytes()) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestV2Access(t *testing.T) { onEach(t, testV2Access) }

func testV2Access(t *testing.T, database string) {
	w := v2World(t, database)
	a := w.want(w.get(demo, "/v2/$metadata", ""), http.StatusOK)
	if !strings.HasPrefix(a.Body.String(), "<?xml") {
		t.Errorf("metadata: %s", a.Body)
	}
	w.want(w.get("/api/v4/projects/99/packages/nuget", "/v2/$metadata", ""), http.StatusNotFound)
	for _, path := range []string{
		"/v2", "/v2/", "/v2/Packages()", "/v2/Packages(Id='Acme.Log',Version='1.0')", "/v2/FindPackagesById()?id='Acme.Log'", "/v2/Search()", "/v2/Search()/$count",
		"/v2/GetUpdates()?packageIds='Acme.Log'&versions='1.0'", "/v2/package/Acme.Log", "/v2/package/Acme.Log/1.0", "/v2/package-ids", "/v2/package-versions/Acme.Log",
	} {
		t.Run(path, func(t *testing.T) {
			w.t = t
			a := w.want(w.get(demo, path, ""), http.StatusUnauthorized)
			if got := a.Header().Get("Www-Authenticate"); got != challenge {
				t.Errorf("challenge %q", got)
			}
			w.want(w.get(demo, path, w.foreign), http.StatusNotFound)
			w.want(w.get(demo, path, w.read), http.StatusOK)
			w.want(w.call(http.MethodHead, demo+path, w.read, nil), http.StatusOK)
		})
	}
	w.t = t
	// The feed of the group shows the project's packages to who may read them.
	if got := parseFeed(t, w.want(w.get(acme, "/v2/Search()?$filter=IsLatestVersion", w.group), http.StatusOK)).list(); len(got) != 3 {
		t.Errorf("group: %v", got)
	}
	if got := parseFeed(t, w.want(w.get(acme, "/v2/Packages()", w.foreign), http.StatusOK)).list(); len(got) != 0 {
		t.Errorf("a stranger sees %v", got)
	}
}

// A push to the V2 address and a delete as nuget.exe 2.8 sends them.
func TestV2PushAndDelete(t *testing.T) { onEach(t, testV2PushAndDelete) }

func testV2PushAndDelete(t *testing.T, database string) {
	w := newWorldOn(t, database)
	body := buildNupkg(t, nupkgSpec{ID: "Acme.Log", Version: "1.0"})
	w.want(w.push(demo+"/v2/", w.write, body), http.StatusCreated)
	w.want(w.push(demo+"/v2/package", w.write, body), http.StatusConflict)
	w.want(w.call(http.MethodDelete, demo+"/v2/Acme.Log/1.0", w.write, nil), http.StatusNoContent)
	if got := w.feed("/Search()", "searchTerm='log'").list(); len(got) != 0 {
		t.Errorf("found after it was unlisted: %v", got)
	}
}

func (w *world) identity(secret string) *auth.Identity {
	w.t.Helper()
	id, err := w.tokens.Identify(w.t.Context(), []auth.Credential{{Form: auth.FormAPIKey, Secret: auth.NewSecret(secret)}})
	check(w.t, err)
	return id
}
