package nuget

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pakhus/internal/registry"
)

const newestNamespace = "http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"

// nuspecXML is a nuspec of Acme.Log 1.0.0 with more in its metadata.
func nuspecXML(more string) string {
	return `<?xml version="1.0" encoding="utf-8"?>
<package xmlns="` + newestNamespace + `"><metadata><id>Acme.Log</id><version>1.0.0</version><authors>Ann</authors><description>Logs.</description>` + more + `</metadata></package>`
}

func mustNuspec(t testing.TB, text string) *Nuspec {
	t.Helper()
	n, err := ParseNuspec([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestParseNuspec(t *testing.T) {
	got := mustNuspec(t, "\ufeff"+`<?xml version="1.0" encoding="utf-8"?>
<!-- made by a packer -->
<package xmlns="`+newestNamespace+`">
  <metadata minClientVersion="2.12">
    <id>Acme.Log</id>
    <version>01.2.0-Beta.1+Sha</version>
    <title>Acme &amp; Log</title>
    <authors>Ann, Bob,Ann,</authors>
    <owners>acme</owners>
    <requireLicenseAcceptance>True</requireLicenseAcceptance>
    <developmentDependency>true</developmentDependency>
    <license type="expression" version="1.0.0">MIT OR Apache-2.0</license>
    <licenseUrl>https://licenses.example/MIT</licenseUrl>
    <projectUrl>https://acme.example/log?x=1#top</projectUrl>
    <iconUrl>http://acme.example/icon.png</iconUrl>
    <icon>images\icon.png</icon>
    <readme>docs/README.md</readme>
    <description><![CDATA[Logs <everything>.]]></description>
    <summary>Logs</summary>
    <releaseNotes>First.
Second.</releaseNotes>
    <copyright>© Acme</copyright>
    <language>en-US</language>
    <tags>log, trace	log;x</tags>
    <serviceable>true</serviceable>
    <packageTypes><packageType name="DotnetTool" version="1.0" /><packageType name="dotnettool" /><other name="X" /><packageType name="Dependency"/></packageTypes>
    <repository type="git" url="https://git.example/acme/log.git" branch="main" commit="0123abcd" />
    <dependencies>
      <group targetFramework=".NETStandard2.0">
        <dependency id="Acme.Core" version="1.0" exclude="Build,Analyzers" />
        <dependency id="Acme.Net" version="[1.0,2.0-0)" />
        <dependency id="Acme.Any" />
      </group>
      <group targetFramework="net8.0" />
      <group><dependency id="acme.core" version="" /></group>
    </dependencies>
    <frameworkAssemblies><frameworkAssembly assemblyName="System.Xml" targetFramework="" /></frameworkAssemblies>
    <contentFiles><files include="**/*.txt" /></contentFiles>
  </metadata>
  <files><file src="x" /></files>
</package>
`)
	id := func(s string) ID {
		id, err := ParseID(s)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	dependency := func(name, text string) Dependency {
		r, err := ParseRange(text)
		if err != nil {
			t.Fatal(err)
		}
		return Dependency{ID: id(name), Range: r, RangeText: text}
	}
	framework := func(s string) Framework {
		f, err := ParseFramework(s)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	want := &Nuspec{
		ID: id("Acme.Log"), Version: mustVersion(t, "01.2.0-Beta.1+Sha"),
		Title: "Acme & Log", Authors: "Ann, Bob,Ann,", Owners: "acme", Description: "Logs <everything>.", Summary: "Logs",
		ReleaseNotes: "First.\nSecond.", Language: "en-US", Copyright: "© Acme", Tags: "log, trace	log;x",
		ProjectURL: "https://acme.example/log?x=1#top", LicenseURL: "https://licenses.example/MIT", IconURL: "http://acme.example/icon.png",
		License: License{Type: LicenseExpression, Text: "MIT OR Apache-2.0"}, Icon: "images/icon.png", Readme: "docs/README.md",
		RequireLicenseAcceptance: true, DevelopmentDependency: true, MinClientVersion: "2.12.0",
		PackageTypes: []PackageType{{"DotnetTool", "1.0.0"}, {"Dependency", ""}},
		Repository:   Repository{Type: "git", URL: "https://git.example/acme/log.git", Branch: "main", Commit: "0123abcd"},
		Groups: []DependencyGroup{
			{framework("netstandard2.0"), []Dependency{dependency("Acme.Core", "1.0"), dependency("Acme.Net", "[1.0,2.0-0)"), dependency("Acme.Any", "")}},
			{framework("net8.0"), nil},
			{Framework{}, []Dependency{dependency("acme.core", "")}},
		},
	}
	if diff := cmp.Diff(got, want, cmp.AllowUnexported(ID{}, Version{}, Range{}, bound{}, Framework{}, frameworkName{})); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	if diff := cmp.Diff([][]string{got.AuthorList(), got.OwnerList(), got.TagList()}, [][]string{{"Ann", "Bob"}, {"acme"}, {"log", "trace", "x"}}); diff != "" {
		t.Errorf("lists: -got +want:\n%s", diff)
	}
	if !got.IsSemVer2() || !got.HasType("DOTNETTOOL") || got.IsSymbols() {
		t.Errorf("SemVer 2 %v, tool %v, symbols %v", got.IsSemVer2(), got.HasType("DOTNETTOOL"), got.IsSymbols())
	}
}

func TestNuspecDefaults(t *testing.T) {
	n := mustNuspec(t, nuspecXML(""))
	if diff := cmp.Diff(n.PackageTypes, []PackageType{{Name: "Dependency"}}); diff != "" {
		t.Errorf("package types: -got +want:\n%s", diff)
	}
	if n.IsSemVer2() || n.Groups != nil || n.License != (License{}) || len(n.Warnings) > 0 {
		t.Errorf("got %+v", n)
	}
	if tags := n.TagList(); tags == nil || len(tags) > 0 {
		t.Errorf("tags are %#v, want an empty list", tags)
	}
}

func TestNuspecDependencies(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"none", ``, ""},
		{"empty list", `<dependencies/>`, ""},
		{"flat", `<dependencies><dependency id="A" version="1.0"/><dependency id="B"/></dependencies>`, "any: A [1.0.0, ); B (, );"},
		{"groups", `<dependencies><group targetFramework="net45"><dependency id="A" version="[1.0]"/></group><group targetFramework="net8.0"/></dependencies>`, "net45: A [1.0.0, 1.0.0]; net8.0:"},
		{"groups and flat ones", `<dependencies><dependency id="B"/><group><dependency id="A"/></group></dependencies>`, "any: A (, );"},
		{"empty group and flat ones", `<dependencies><dependency id="B"/><group targetFramework="net45"/></dependencies>`, "net45:"},
		{"two lists", `<dependencies><dependency id="A"/></dependencies><dependencies><dependency id="B"/></dependencies>`, "any: A (, ); B (, );"},
		{"same id in two groups", `<dependencies><group targetFramework="net45"><dependency id="A"/></group><group targetFramework="net46"><dependency id="a"/></group></dependencies>`, "net45: A (, ); net46: a (, );"},
		{"element names have a case", `<Dependencies><dependency id="A"/></Dependencies><dependencies><Dependency id="B"/><Group/></dependencies>`, ""},
		{"another namespace", `<dependencies xmlns="urn:other"><dependency id="A"/></dependencies>`, ""},
		{"unknown elements beside groups", `<dependencies><x/><group><dependency id="B"/></group></dependencies>`, "any: B (, );"},
		{"unknown elements", `<dependencies><x><dependency id="A"/></x><group><y/><dependency id="B"><z/></dependency></group></dependencies>`, "any: B (, );"},
		{"long id", `<dependencies><dependency id="` + strings.Repeat("a", 128) + `"/></dependencies>`, "any: " + strings.Repeat("a", 128) + " (, );"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			for _, g := range mustNuspec(t, nuspecXML(tt.in)).Groups {
				fmt.Fprintf(&b, " %s:", g.Framework)
				for _, d := range g.Dependencies {
					fmt.Fprintf(&b, " %s %s;", d.ID, d.Range)
				}
			}
			if got := strings.TrimSpace(b.String()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	for text, want := range map[string]bool{"1.0": false, "1.0-a.b": true} {
		n := mustNuspec(t, nuspecXML(`<dependencies><group><dependency id="A" version="`+text+`"/></group></dependencies>`))
		if n.IsSemVer2() != want {
			t.Errorf("depends on %s: SemVer 2 %v, want %v", text, n.IsSemVer2(), want)
		}
	}
}

func TestParseNuspecRefuses(t *testing.T) {
	meta := func(s string) string { return "<package><metadata>" + s + "</metadata></package>" }
	deps := func(s string) string { return nuspecXML("<dependencies>" + s + "</dependencies>") }
	deep := strings.Repeat("<a>", 40) + strings.Repeat("</a>", 40)
	tests := []struct{ name, in, says string }{
		{"empty", "", "empty"},
		{"comment alone", "<!-- x -->", "empty"},
		{"no XML", "hello", "well-formed"},
		{"JSON", "{}", "well-formed"},
		{"cut off", nuspecXML("")[:200], "well-formed"},
		{"wrong end", "<package><metadata></package></metadata>", "well-formed"},
		{"two roots", nuspecXML("") + "<package/>", "two roots"},
		{"text behind the root", nuspecXML("") + "x", "outside"},
		{"late declaration", " " + nuspecXML(""), "declaration"},
		{"declaration within", nuspecXML("<?xml version='1.0'?>"), "declaration"},
		{"another root", "<nuspec><metadata/></nuspec>", "root must be"},
		{"root with another case", "<Package><metadata/></Package>", "root must be"},
		{"no metadata", "<package/>", "no metadata"},
		{"metadata with another case", "<package><Metadata/></package>", "no metadata"},
		{"two metadata", "<package><metadata><id>a</id><version>1</version></metadata><metadata/></package>", "two metadata"},
		{"unknown namespace", `<package xmlns="urn:x"><metadata/></package>`, "namespace"},
		{"unknown namespace of the metadata", `<package><metadata xmlns="urn:x"/></package>`, "namespace"},
		{"document type", `<!DOCTYPE package><package/>`, "DTD"},
		{"external entity", `<!DOCTYPE package [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + meta("<id>&x;</id>"), "DTD"},
		{"billion laughs", `<!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>` + meta("<id>&b;</id>"), "DTD"},
		{"unknown entity", meta("<id>&x;</id>"), "well-formed"},
		{"NUL", meta("<id>a\x00</id>"), "well-formed"},
		{"not UTF-8", meta("<id>a\xff</id>"), "well-formed"},
		{"another encoding", `<?xml version="1.0" encoding="windows-1252"?>` + meta(""), "UTF-8 or UTF-16"},
		{"says UTF-16 and is not", `<?xml version="1.0" encoding="utf-16"?>` + meta(""), "UTF-8 or UTF-16"},
		{"half a character", string(append(utf16Bytes(binary.LittleEndian, true, meta("")), 'x')), "half a character"},
		{"half of a pair", string(append(utf16Bytes(binary.LittleEndian, true, meta("")), 0x00, 0xd8)), "stands alone"},
		{"half of a pair, then another", string(append(utf16Bytes(binary.LittleEndian, true, meta("")), 0x00, 0xd8, 'x', 0)), "stands alone"},
		{"attribute twice", nuspecXML(`<repository type="a" type="b"/>`), "two attributes"},
		{"many attributes", nuspecXML("<x " + manyAttributes(65) + "/>"), "more than 64 attributes"},
		{"deep", nuspecXML(deep), "deep"},
		{"deep beside the metadata", "<package>" + deep + "</package>", "deep"},
		{"too large", nuspecXML("<releaseNotes>" + strings.Repeat("x", 1<<20) + "</releaseNotes>"), "larger than"},
		{"no id", meta("<version>1.0</version>"), "id is empty"},
		{"bad id", meta("<id>a b</id><version>1.0</version>"), "package id"},
		{"id with a blank in front", meta("<id> a</id><version>1.0</version>"), "package id"},
		{"id not ASCII", meta("<id>\u212ait</id><version>1.0</version>"), "ASCII"},
		{"template token", meta("<id>$id$</id><version>1.0</version>"), "package id"},
		{"long id", meta("<id>" + strings.Repeat("a", 101) + "</id><version>1.0</version>"), "longer than 100"},
		{"two ids", meta("<id>a</id><id>b</id><version>1.0</version>"), "one id"},
		{"two ids by case", meta("<Id>a</Id><id>b</id><version>1.0</version>"), "one id"},
		{"two ids, the first empty", meta("<id></id><id>b</id><version>1.0</version>"), "one id"},
		{"two ids by namespace", meta(`<id>a</id><x:id xmlns:x="urn:x">b</x:id><version>1.0</version>`), "one id"},
		{"id with elements", meta("<id>a<b>c</b></id><version>1.0</version>"), "plain text"},
		{"no version", meta("<id>a</id>"), "no version"},
		{"two versions", meta("<id>a</id><version>1.0</version><version>2.0</version>"), "one version"},
		{"bad version", meta("<id>a</id><version>v1</version>"), "not a version"},
		{"long version", meta("<id>a</id><version>1.0.0-" + strings.Repeat("a", 59) + "</version>"), "longer than 64"},
		{"version that grows long", meta("<id>a</id><version>1-" + strings.Repeat("a", 62) + "</version>"), "longer than 64"},
		{"minClientVersion", `<package><metadata minClientVersion="x"><id>a</id><version>1.0</version></metadata></package>`, "minClientVersion"},
		{"dependency without id", deps(`<dependency version="1.0"/>`), "dependency is refused"},
		{"dependency with a bad id", deps(`<dependency id="a b"/>`), "dependency is refused"},
		{"dependency with a long id", deps(`<dependency id="` + strings.Repeat("a", 129) + `"/>`), "longer than 128"},
		{"bad range", deps(`<dependency id="a" version="[2,1]"/>`), "version of dependency a"},
		{"floating range", deps(`<group><dependency id="a" version="1.*"/></group>`), "floats"},
		{"long range", deps(`<dependency id="a" version="` + strings.Repeat(" ", 254) + `1.0"/>`), "longer than 256"},
		{"dependency twice", deps(`<group><dependency id="a"/><dependency id="A"/></group>`), "twice"},
		{"flat dependency twice", deps(`<dependency id="a"/><dependency id="A"/>`), "twice"},
		{"flat dependency twice in two lists", deps(`<dependency id="a"/></dependencies><dependencies><dependency id="A"/>`), "twice"},
		{"unknown framework", deps(`<group targetFramework="foo1.0"/>`), "target framework"},
		{"many groups", deps(strings.Repeat(`<group/>`, 1001)), "more than 1000 dependency groups"},
		{"many dependencies", deps(strings.Repeat(`<group>`+manyDependencies(20)+`</group>`, 501)), "more than 10000 dependencies"},
		{"bad package type", nuspecXML(`<packageTypes><packageType name="a b"/></packageTypes>`), "package type"},
		{"package type without name", nuspecXML(`<packageTypes><packageType/></packageTypes>`), "package type"},
		{"package type of a bad version", nuspecXML(`<packageTypes><packageType name="a" version="x"/></packageTypes>`), "package type a"},
		{"many package types", nuspecXML(`<packageTypes>` + manyPackageTypes(101) + `</packageTypes>`), "more than 100 package types"},
		{"license without type", nuspecXML(`<license>MIT</license>`), "expression or file"},
		{"license of another type", nuspecXML(`<license type="url">MIT</license>`), "expression or file"},
		{"license of another version", nuspecXML(`<license type="expression" version="2.0.0">MIT</license>`), "2.0.0"},
		{"empty license", nuspecXML(`<license type="expression"> </license>`), "not empty"},
		{"license with elements", nuspecXML(`<license type="file">a<b/>.txt</license>`), "plain text"},
		{"bad license expression", nuspecXML(`<license type="expression">MIT OR</license>`), "SPDX"},
		{"license file of another kind", nuspecXML(`<license type="file">license.exe</license>`), "extension"},
		{"readme of another kind", nuspecXML(`<readme>readme.html</readme>`), "extension"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := ParseNuspec([]byte(tt.in))
			if err == nil {
				t.Fatalf("was read: %+v", n)
			}
			if kind := registry.KindOf(err); kind != registry.Invalid || !strings.Contains(registry.Message(err), tt.says) {
				t.Errorf("got %v: %v, want invalid about %q", kind, err, tt.says)
			}
		})
	}
}

func manyAttributes(count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, ` a%d=""`, i)
	}
	return b.String()
}

func manyPackageTypes(count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, `<packageType name="a%d"/>`, i)
	}
	return b.String()
}

func manyDependencies(count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, `<dependency id="a%d"/>`, i)
	}
	return b.String()
}

func TestNuspecWarns(t *testing.T) {
	tests := []struct {
		name, in string
		says     string
		wrong    func(*Nuspec) bool // what must not be
	}{
		{"no authors", "<package><metadata><id>a</id><version>1</version><description>x</description></metadata></package>", "authors", func(n *Nuspec) bool { return n.Authors != "" }},
		{"no description", "<package><metadata><id>a</id><version>1</version><authors>x</authors></metadata></package>", "description", func(n *Nuspec) bool { return n.Description != "" }},
		{"relative icon", nuspecXML("<iconUrl>icon.png</iconUrl>"), "iconUrl", func(n *Nuspec) bool { return n.IconURL != "" }},
		{"script as project", nuspecXML("<projectUrl>javascript:alert(1)</projectUrl>"), "projectUrl", func(n *Nuspec) bool { return n.ProjectURL != "" }},
		{"data as icon", nuspecXML("<iconUrl>data:image/png;base64,AA==</iconUrl>"), "iconUrl", func(n *Nuspec) bool { return n.IconURL != "" }},
		{"license without host", nuspecXML("<licenseUrl>https:///x</licenseUrl>"), "licenseUrl", func(n *Nuspec) bool { return n.LicenseURL != "" }},
		{"port out of range", nuspecXML("<licenseUrl>https://a.example:70000/x</licenseUrl>"), "licenseUrl", func(n *Nuspec) bool { return n.LicenseURL != "" }},
		{"host with an empty label", nuspecXML("<licenseUrl>https://a..example/x</licenseUrl>"), "licenseUrl", func(n *Nuspec) bool { return n.LicenseURL != "" }},
		{"long address", nuspecXML("<projectUrl>https://a.example/" + strings.Repeat("x", 4000) + "</projectUrl>"), "projectUrl", func(n *Nuspec) bool { return n.ProjectURL != "" }},
		{"not ASCII", nuspecXML("<projectUrl>https://bücher.example/\u202e</projectUrl>"), "projectUrl", func(n *Nuspec) bool { return n.ProjectURL != "" }},
		{"long title", nuspecXML("<title>" + strings.Repeat("é", 257) + "</title>"), "title", func(n *Nuspec) bool { return n.Title != strings.Repeat("é", 256) }},
		{"long release notes", nuspecXML("<releaseNotes>" + strings.Repeat("x", 35_001) + "</releaseNotes>"), "releaseNotes", func(n *Nuspec) bool { return len(n.ReleaseNotes) != 35_000 }},
		{"long repository type", nuspecXML(`<repository type="` + strings.Repeat("x", 101) + `" url="u"/>`), "repository's type", func(n *Nuspec) bool { return n.Repository != Repository{URL: "u"} }},
		{"no boolean", nuspecXML("<requireLicenseAcceptance>yes</requireLicenseAcceptance>"), "requireLicenseAcceptance", func(n *Nuspec) bool { return n.RequireLicenseAcceptance }},
		{"flat dependencies beside groups", nuspecXML(`<dependencies><dependency id="B"/><group/></dependencies>`), "outside of groups", func(n *Nuspec) bool { return len(n.Groups) != 1 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := mustNuspec(t, tt.in)
			if len(n.Warnings) != 1 || !strings.Contains(n.Warnings[0], tt.says) {
				t.Errorf("warnings %q, want one about %q", n.Warnings, tt.says)
			}
			if tt.wrong(n) {
				t.Errorf("got %+v", n)
			}
		})
	}
}

func TestNuspecKeepsAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example":                "https://a.example",
		" http://a_b.example:8080/x?y=1#z": "http://a_b.example:8080/x?y=1#z",
		"HTTPS://A.example/ö x":            "https://A.example/%C3%B6%20x",
		"https://[2001:db8::1]/x":          "https://[2001:db8::1]/x",
		"https://a.example./":              "https://a.example./",
	} {
		if n := mustNuspec(t, nuspecXML("<projectUrl>"+in+"</projectUrl>")); n.ProjectURL != want || len(n.Warnings) > 0 {
			t.Errorf("%q gives %q, %q, want %q", in, n.ProjectURL, n.Warnings, want)
		}
	}
}

func utf16Bytes(order binary.AppendByteOrder, mark bool, s string) []byte {
	var b []byte
	if mark {
		b = order.AppendUint16(b, 0xfeff)
	}
	for _, unit := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, unit)
	}
	return b
}

func TestNuspecSpellings(t *testing.T) {
	plain := strings.Replace(nuspecXML("<copyright>© 😀</copyright>"), `<?xml version="1.0" encoding="utf-8"?>`, "", 1)
	wide := `<?xml version="1.0" encoding="utf-16"?>` + plain
	want := mustNuspec(t, plain)
	if want.Copyright != "© 😀" {
		t.Fatalf("copyright is %q", want.Copyright)
	}
	inner := plain[strings.Index(plain, "<metadata>")+len("<metadata>") : strings.Index(plain, "</metadata>")]
	tests := map[string][]byte{
		"byte order mark":                     []byte("\ufeff" + plain),
		"declared US-ASCII":                   []byte(`<?xml version="1.0" encoding="US-ASCII"?>` + plain),
		"UTF-16LE":                            utf16Bytes(binary.LittleEndian, true, wide),
		"UTF-16BE":                            utf16Bytes(binary.BigEndian, true, wide),
		"UTF-16LE without a mark":             utf16Bytes(binary.LittleEndian, false, wide),
		"UTF-16BE without a mark":             utf16Bytes(binary.BigEndian, false, wide),
		"UTF-16 that says nothing":            utf16Bytes(binary.LittleEndian, true, plain),
		"namespace on the metadata":           []byte(`<package><metadata xmlns="` + newestNamespace + `">` + inner + `</metadata></package>`),
		"names in another case":               []byte(strings.NewReplacer("<copyright>", "<CopyRight>", "</copyright>", "</CopyRight>", "<id>", "<ID>", "</id>", "</ID>").Replace(plain)),
		"the first one counts":                []byte(strings.Replace(plain, "</metadata>", "<Copyright>x</Copyright><authors>Eve</authors></metadata>", 1)),
		"empty ones do not count":             []byte(strings.Replace(plain, "<authors>", "<AUTHORS/><authors>", 1)),
		"ones with elements do not count":     []byte(strings.Replace(plain, "<authors>", "<authors>Eve<b/></authors><authors>", 1)),
		"comments within":                     []byte(strings.Replace(plain, "Acme.Log", "Acme<!-- x -->.Log", 1)),
		"processing instruction, white space": []byte("\n<?go on?>\n" + plain + "\n<!-- end -->\n"),
	}
	for i, namespace := range nuspecNamespaces {
		tests[fmt.Sprint("namespace ", i)] = []byte(strings.Replace(plain, newestNamespace, namespace, 1))
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseNuspec(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, want, cmp.AllowUnexported(ID{}, Version{})); diff != "" {
				t.Errorf("-got +want:\n%s", diff)
			}
		})
	}
}

func TestLicenseExpression(t *testing.T) {
	for expression, want := range map[string]bool{
		"MIT": true, "Apache-2.0": true, "GPL-2.0+": true, "MIT OR Apache-2.0": true, "(MIT)": true, "((MIT) AND (ISC OR 0BSD))": true,
		"GPL-3.0-only WITH Classpath-exception-2.0": true, "(GPL-2.0+ WITH Bison-exception-2.2 OR MIT)AND(ISC)": true,
		"LicenseRef-Acme": true, "DocumentRef-x:LicenseRef-y": true, "NoSuchLicense": true, "UNLICENSED": true,
		"": false, "MIT OR": false, "OR MIT": false, "MIT MIT": false, "MIT or ISC": false, "()": false, "(MIT": false, "MIT)": false, "+": false,
		"MIT WITH": false, "(MIT) WITH x": false, "MIT WITH x+": false, "MIT/ISC": false, "MIT, ISC": false, "MIT\x00": false, "MÏT": false, "MIT ++": false,
		strings.Repeat("(", 249) + "MI" + strings.Repeat(")", 249): true, strings.Repeat("(", 249) + "MIT" + strings.Repeat(")", 249): false,
	} {
		err := checkLicenseExpression(expression)
		if got := err == nil; got != want || !want && registry.KindOf(err) != registry.Invalid {
			t.Errorf("%q: %v, want accepted %v", expression, err, want)
		}
	}
}

func FuzzParseNuspec(f *testing.F) {
	f.Add([]byte(nuspecXML(`<dependencies><group targetFramework="net45"><dependency id="A" version="[1,2)"/></group></dependencies>`)))
	f.Add(utf16Bytes(binary.BigEndian, true, nuspecXML(`<license type="expression">MIT</license>`)))
	f.Add([]byte(`<package><metadata><id>a</id><version>1</version></metadata></package>`))
	f.Add([]byte(`<!DOCTYPE package><package/>`))
	f.Add([]byte(nuspecXML(`<packageTypes><packageType name="a"/></packageTypes><iconUrl>https://a/ö</iconUrl><title>` + strings.Repeat("é", 300) + `</title>`)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := ParseNuspec(raw)
		if err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		if bytes.Contains(raw, []byte("<!DOCTYPE")) && !bytes.Contains(raw, []byte("<!--")) && !bytes.Contains(raw, []byte("<![CDATA[")) {
			t.Error("a document type was accepted")
		}
		if _, err := ParseNewID(n.ID.String()); err != nil || len(n.Version.Full()) > maxNewVersion {
			t.Errorf("identity %q %q", n.ID, n.Version)
		}
		if len([]rune(n.Title)) > maxTitle || len([]rune(n.Description)) > maxText || len(n.Groups) > maxGroups || len(n.PackageTypes) == 0 {
			t.Error("a limit was passed")
		}
		for _, address := range []string{n.IconURL, n.ProjectURL, n.LicenseURL} {
			if address != "" && webAddress(address) != address {
				t.Errorf("address %q is not normal", address)
			}
		}
		for _, g := range n.Groups {
			for _, d := range g.Dependencies {
				if again, err := ParseRange(d.Range.String()); err != nil || again.String() != d.Range.String() {
					t.Errorf("range %q of %q: %v", d.RangeText, d.ID, err)
				}
			}
		}
		for _, w := range n.Warnings {
			if strings.ContainsFunc(w, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("warning %q does not fit into a header", w)
			}
		}
		again, err := ParseNuspec(raw)
		if err != nil || !cmp.Equal(n, again, cmpopts.EquateComparable(Framework{}), cmp.AllowUnexported(ID{}, Version{}, Range{}, bound{})) {
			t.Errorf("reading again gives something else: %v", err)
		}
	})
}
