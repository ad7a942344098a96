package nuget

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var updateV2 = flag.Bool("update-v2", false, "rewrite the golden documents of the V2 feed")

const testV2 = "http://registry.test/api/v4/projects/1/packages/nuget/v2"

// fullEntry has everything that an entry may have, awkward texts included.
func fullEntry(t testing.TB) *v2Entry {
	t.Helper()
	return testEntry(t, &Entry{
		ID: "Acme.Log", Version: "1.2.0-Beta.1+build.7", Original: "1.02-Beta.1+build.7", Title: "Logs & <more>", Authors: "Ann, Bob",
		Description: "Writes \"logs\".\r\nBell \a, escape \x1b, broken \xff, \uFFFE and a smile \U0001F600.", Summary: "Logs.", ReleaseNotes: "None",
		Language: "en-US", Copyright: "© Acme", Tags: "log  PSModule", ProjectURL: "https://acme.example/?a=1&b=2", LicenseFile: "LICENSE.txt",
		IconFile: "icon.png", LicenseExpression: "MIT", RequireLicenseAcceptance: true, DevelopmentDependency: true, MinClientVersion: "2.12",
		Dependencies: []EntryDependents{
			{Framework: "net8.0"},
			{Framework: "netstandard2.0", Packages: []EntryDependency{{"Acme.Core", "[1.0.0, )"}, {"Acme.Text", "(, )"}}},
			{Packages: []EntryDependency{{"Acme.Base", "[1.0.0, 1.0.0]"}}},
		},
		Prerelease: true, SemVer2: true, Hash: "c2hhNTEy", Size: 4321,
	})
}

func testEntry(t testing.TB, entry *Entry) *v2Entry {
	t.Helper()
	v, err := ParseVersion(entry.Version)
	if err != nil {
		t.Fatal(err)
	}
	return &v2Entry{
		Entry: entry, feed: strings.TrimSuffix(testV2, "/v2"), at: place{foldID(entry.ID), v.Key()}, version: v,
		created: time.Date(2026, 3, 1, 10, 0, 0, 123_000_000, time.UTC), listed: true,
	}
}

func TestV2Documents(t *testing.T) {
	full := fullEntry(t)
	plain := testEntry(t, &Entry{ID: "Acme.Log", Version: "1.0.0", Original: "1.0", Hash: "c2hhNTEy", Size: 1})
	plain.listed = false
	markLatest([]*v2Entry{plain, full})
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		body []byte
	}{
		{"service", appendV2Service(nil, testV2)},
		{"metadata", appendV2Metadata(nil)},
		{"entry", appendV2EntryDocument(nil, full, testV2)},
		{"feed", appendV2Feed(nil, &v2Feed{
			base: testV2, title: "Search", updated: at, count: 250, next: testV2 + "/Search()?$skip=100&searchTerm='a'", entries: []*v2Entry{plain, full},
		})},
		{"empty", appendV2Feed(nil, &v2Feed{base: testV2, title: "FindPackagesById", updated: at, count: -1})},
		{"error", appendV2Error(nil, "$filter: there is no property <Name>")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkXML(t, tt.body)
			path := filepath.Join("testdata", "v2", tt.name+".xml")
			if *updateV2 {
				if err := os.WriteFile(path, tt.body, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(tt.body), string(want)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// checkXML reads a document to its end, strictly.
func checkXML(t testing.TB, body []byte) {
	t.Helper()
	if !strings.HasPrefix(string(body), "<?xml") {
		t.Errorf("the document begins with %.10q", body)
	}
	d := xml.NewDecoder(strings.NewReader(string(body)))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, body)
		}
	}
}

// Every property of $metadata is in every entry, under the same name and type.
func TestV2EntryMatchesMetadata(t *testing.T) {
	var entry struct {
		Properties struct {
			All []struct {
				XMLName xml.Name
				Type    string `xml:"http://schemas.microsoft.com/ado/2007/08/dataservices/metadata type,attr"`
			} `xml:",any"`
		} `xml:"properties"`
	}
	if err := xml.Unmarshal(appendV2EntryDocument(nil, fullEntry(t), testV2), &entry); err != nil {
		t.Fatal(err)
	}
	var metadata struct {
		Schemas []struct {
			Properties []struct {
				Name string `xml:",attr"`
				Type string `xml:",attr"`
			} `xml:"EntityType>Property"`
		} `xml:"DataServices>Schema"`
	}
	if err := xml.Unmarshal(appendV2Metadata(nil), &metadata); err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, p := range entry.Properties.All {
		if p.Type == "" {
			p.Type = "Edm.String"
		}
		got = append(got, p.XMLName.Local+" "+p.Type)
	}
	for _, p := range metadata.Schemas[0].Properties {
		want = append(want, p.Name+" "+p.Type)
	}
	if diff := cmp.Diff(got, want); diff != "" || len(got) < 30 {
		t.Error(len(got), diff)
	}
}

// Expressions see what documents show.
func TestV2RowMatchesDocument(t *testing.T) {
	e := fullEntry(t)
	for _, filter := range []string{
		"Id eq 'acme.log' and Version eq '1.2.0-beta.1' and startswith(Version,'1.02')", "NormalizedVersion lt '1.2.0' and IsPrerelease",
		"substringof(' psmodule ',Tags)", "Published gt datetime'2026-03-01T09:00:00' and LastEdited eq Created", "GalleryDetailsUrl eq null",
		"PackageSize eq 4321 and DownloadCount eq 0", "endswith(IconUrl,'/download/acme.log/1.2.0-beta.1/icon')", "not IsLatestVersion",
	} {
		parsed, err := parseODataFilter(v2Schema, filter)
		if err != nil {
			t.Fatal(err)
		}
		if !parsed.eval(v2Row{e}).isTrue() {
			t.Errorf("%s is false", filter)
		}
	}
}

func FuzzAppendXML(f *testing.F) {
	for _, seed := range []string{"a<b>&\"'", "\x00\x1b\r\n\t", "\xff\xc3", "\uFFFE\uFFFF\U0001F600", "]]>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		document := appendElement(nil, "a", "", text)
		document = append(appendAttribute(append(document[:0:0], "<a"...), "b", text), append([]byte(">"), document...)...)
		document = append(document, "</a>"...)
		var got struct {
			B string `xml:"b,attr"`
			A string `xml:"a"`
		}
		if err := xml.Unmarshal(document, &got); err != nil {
			t.Fatalf("%v: %q", err, document)
		}
		want := strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
				return -1
			}
			return r
		}, strings.ToValidUTF8(splitBroken(text), "\uFFFD"))
		if got.A != want || got.B != want {
			t.Fatalf("%q became %q and %q, want %q", text, got.A, got.B, want)
		}
	})
}

// splitBroken puts a mark between bytes that are not UTF-8, each of which counts
// for itself; ToValidUTF8 takes a run of them for one.
func splitBroken(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			b.WriteString("\uFFFD")
		} else {
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	return b.String()
}
