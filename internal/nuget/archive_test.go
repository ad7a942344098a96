package nuget

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

const (
	testPNG  = "\x89PNG\r\n\x1a\nand so on"
	testJPEG = "\xff\xd8\xff\xe0and so on"
)

func noise(n int) string {
	b := make([]byte, n)
	if _, err := rand.NewChaCha8([32]byte{1}).Read(b); err != nil {
		panic(err) // it never fails
	}
	return string(b)
}

func readPackage(b []byte) (*PackageContents, error) {
	return ReadPackage(bytes.NewReader(b), int64(len(b)))
}

func TestReadPackage(t *testing.T) {
	files := []zipFile{
		{name: "lib/net8.0/Acme.Log.dll", body: noise(5000)},
		{name: "images/my%20icon.png", body: testPNG},
		{name: `docs\README.md`, body: "# Log"},
		{name: "LICENSE", body: "Do what you want.", stored: true},
		{name: ".signature.p7s", body: "signature", stored: true},
	}
	metadata := `<icon>images\My Icon.png</icon><readme>docs/readme.md</readme><license type="file">license</license>`
	got, err := readPackage(buildNupkg(t, nupkgSpec{Version: "2.0", Metadata: metadata, Files: files}))
	if err != nil {
		t.Fatal(err)
	}
	if got.Nuspec.ID.String() != "Acme.Log" || got.Nuspec.Version.String() != "2.0.0" || !bytes.Contains(got.NuspecBytes, []byte("<version>2.0</version>")) {
		t.Errorf("nuspec %+v", got.Nuspec)
	}
	want := PackageContents{Icon: []byte(testPNG), IconType: "image/png", Readme: []byte("# Log"), License: []byte("Do what you want."), Signed: true}
	got.Nuspec, got.NuspecBytes = nil, nil
	if diff := cmp.Diff(*got, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func TestReadPackageWithoutMore(t *testing.T) {
	got, err := readPackage(buildNupkg(t, nupkgSpec{}))
	if err != nil {
		t.Fatal(err)
	}
	got.Nuspec, got.NuspecBytes = nil, nil
	if diff := cmp.Diff(*got, PackageContents{}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func TestReadPackageKinds(t *testing.T) {
	tests := []struct {
		name  string
		spec  nupkgSpec
		holds func(*PackageContents) bool
	}{
		{"icon of JPEG", nupkgSpec{Metadata: "<icon>a.jpg</icon>", Files: []zipFile{{name: "a.jpg", body: testJPEG}}}, func(c *PackageContents) bool { return c.IconType == "image/jpeg" }},
		{"license expression", nupkgSpec{Metadata: `<license type="expression">MIT</license>`}, func(c *PackageContents) bool { return c.License == nil && c.Nuspec.License.Text == "MIT" }},
		{"signature elsewhere", nupkgSpec{Files: []zipFile{{name: "lib/.signature.p7s"}}}, func(c *PackageContents) bool { return !c.Signed }},
		{"signature in another case", nupkgSpec{Files: []zipFile{{name: ".SIGNATURE.p7s"}}}, func(c *PackageContents) bool { return !c.Signed }},
		{"nuspec of another name", nupkgSpec{NuspecName: "other.NUSPEC"}, func(c *PackageContents) bool {
			return len(c.Warnings) == 1 && strings.Contains(c.Warnings[0], "not called")
		}},
		{"nuspec in another case", nupkgSpec{NuspecName: "acme.log.nuspec"}, func(c *PackageContents) bool { return len(c.Warnings) == 0 }},
		{"nuspec of another one deeper", nupkgSpec{Files: []zipFile{{name: "content/a.nuspec", body: "x"}}}, func(c *PackageContents) bool { return len(c.Warnings) == 0 }},
		{"warnings of the nuspec", nupkgSpec{Metadata: "<iconUrl>x</iconUrl>"}, func(c *PackageContents) bool {
			return len(c.Warnings) == 1 && strings.Contains(c.Warnings[0], "iconUrl")
		}},
		{"MCP server", nupkgSpec{Metadata: `<packageTypes><packageType name="McpServer"/></packageTypes>`, Files: []zipFile{{name: ".mcp/server.json", body: "{}"}}}, func(c *PackageContents) bool { return len(c.Warnings) == 0 }},
		{"MCP server without its file", nupkgSpec{Metadata: `<packageTypes><packageType name="mcpserver"/></packageTypes>`}, func(c *PackageContents) bool {
			return len(c.Warnings) == 1 && strings.Contains(c.Warnings[0], "server.json")
		}},
		{"readme of the largest size", nupkgSpec{Metadata: "<readme>a.md</readme>", Files: []zipFile{{name: "a.md", body: strings.Repeat("x", 1<<20)}}}, func(c *PackageContents) bool { return len(c.Readme) == 1<<20 }},
		{"large file that no one reads", nupkgSpec{Files: []zipFile{{name: "zeros", body: strings.Repeat("\x00", 8<<20)}}}, func(c *PackageContents) bool { return true }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := readPackage(buildNupkg(t, tt.spec))
			if err != nil {
				t.Fatal(err)
			}
			if !tt.holds(c) {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestReadPackageRefuses(t *testing.T) {
	file := func(metadata, name, body string) nupkgSpec {
		return nupkgSpec{Metadata: metadata, Files: []zipFile{{name: name, body: body}}}
	}
	large := strings.Repeat("x", 1<<20+1)
	tests := []struct {
		name, says string
		in         []byte
	}{
		{"no archive", "not a zip", []byte("hello")},
		{"no nuspec", "no nuspec", zipBytes(t, zipFile{name: "lib/a.dll"})},
		{"nuspec too deep", "no nuspec", zipBytes(t, zipFile{name: "a/a.nuspec", body: nuspecXML("")})},
		{"nuspec that is a folder", "no nuspec", zipBytes(t, zipFile{name: "a.nuspec/", stored: true})},
		{"nuspec with a backslash", "backslash", zipBytes(t, zipFile{name: `a\a.nuspec`, body: nuspecXML("")})},
		{"two nuspecs", "two nuspecs", buildNupkg(t, file("", "other.nuspec", nuspecXML("")))},
		{"two nuspecs by case", "two nuspecs", buildNupkg(t, file("", "Other.NuSpec", "x"))},
		{"two nuspecs by an escape", "two nuspecs", buildNupkg(t, file("", "other%2enuspec", "x"))},
		{"two nuspecs by a dot at the end", "two nuspecs", buildNupkg(t, file("", "other.nuspec.", "x"))},
		{"same nuspec twice", "comes twice", buildNupkg(t, file("", "acme.log.nuspec", "x"))},
		{"bad nuspec", "well-formed", buildNupkg(t, nupkgSpec{Nuspec: "<package>"})},
		{"large nuspec", "larger than", buildNupkg(t, nupkgSpec{Nuspec: nuspecXML("<summary>" + large + "</summary>")})},
		{"symbols", "symbolpackage", buildSnupkg(t, nupkgSpec{})},
		{"icon missing", "does not hold its icon", buildNupkg(t, nupkgSpec{Metadata: "<icon>a.png</icon>"})},
		{"icon a folder", "does not hold its icon", buildNupkg(t, nupkgSpec{Metadata: "<icon>a</icon>", Files: []zipFile{{name: "a/", stored: true}}})},
		{"icon out of the package", "does not hold its icon", buildNupkg(t, nupkgSpec{Metadata: "<icon>../../etc/passwd</icon>"})},
		{"icon of text", "neither PNG", buildNupkg(t, file("<icon>a.png</icon>", "a.png", "<svg onload='alert(1)'/>"))},
		{"empty icon", "is empty", buildNupkg(t, file("<icon>a.png</icon>", "a.png", ""))},
		{"large icon", "larger than", buildNupkg(t, file("<icon>a.png</icon>", "a.png", testPNG+large))},
		{"readme missing", "does not hold its readme", buildNupkg(t, nupkgSpec{Metadata: "<readme>a.md</readme>"})},
		{"empty readme", "is empty", buildNupkg(t, file("<readme>a.md</readme>", "a.md", ""))},
		{"large readme", "larger than", buildNupkg(t, file("<readme>a.md</readme>", "a.md", large))},
		{"license missing", "does not hold its license", buildNupkg(t, nupkgSpec{Metadata: `<license type="file">a.txt</license>`})},
		{"license not UTF-8", "UTF-8", buildNupkg(t, file(`<license type="file">a.txt</license>`, "a.txt", "\xff\xfe"))},
		{"large license", "larger than", buildNupkg(t, file(`<license type="file">a.txt</license>`, "a.txt", large))},
		{"readme bomb", "more than the directory says", rawZip(t, "", []rawEntry{
			{name: "a.nuspec", body: nuspecXML("<readme>a.md</readme>")},
			{name: "a.md", body: strings.Repeat("x", 1<<22), method: methodDeflate, local: put32(22, 1<<20), directory: put32(24, 1<<20)},
		}, nil)},
		{"nuspec bomb", "more than the directory says", rawZip(t, "", []rawEntry{
			{name: "a.nuspec", body: nuspecXML("<summary>" + strings.Repeat("x", 1<<22) + "</summary>"), method: methodDeflate, local: put32(22, 1<<19), directory: put32(24, 1<<19)},
		}, nil)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readPackage(tt.in)
			if err == nil {
				t.Fatalf("was read: %+v", got)
			}
			if kind := registry.KindOf(err); kind != registry.Invalid || !strings.Contains(registry.Message(err), tt.says) {
				t.Errorf("got %v: %v, want invalid about %q", kind, err, tt.says)
			}
		})
	}
}

// A small body must not make the server hold much (threats.md A2). Bytes
// allocated in all bound what is held at any time.
func TestHostilePackagesTakeLittleMemory(t *testing.T) {
	zeros := deflated(t, string(testPDB(t, 1))+strings.Repeat("\x00", 64<<20)) // 64 KiB
	bomb := func(name string, packed []byte, says uint32) rawEntry {
		return rawEntry{name: name, method: methodDeflate, packed: packed, local: put32(22, says), directory: put32(24, says)}
	}
	manyEntries := make([]rawEntry, 0, maxEntries)
	for i := range maxEntries {
		manyEntries = append(manyEntries, rawEntry{name: fmt.Sprintf("FOLDER/%0100d", i)})
	}
	tests := []struct {
		name string
		in   []byte
		most uint64 // bytes
	}{
		{"nuspec of 64 MB", rawZip(t, "", []rawEntry{bomb("a.nuspec", zeros, 64<<20)}, nil), 1 << 20},
		{"nuspec of 64 MB that says 1 MB", rawZip(t, "", []rawEntry{bomb("a.nuspec", zeros, 1<<20)}, nil), 8 << 20},
		{"many entries", rawZip(t, "", manyEntries, nil), 64 << 20},
		{"directory that says it has many entries", rawZip(t, "", nil, func(b []byte) []byte { return put16(8, maxEntries)(put16(10, maxEntries)(b)) }), 8 << 20},
		{"deep nuspec", buildNupkg(t, nupkgSpec{Nuspec: "<package><metadata>" + strings.Repeat("<a>", 300_000)}), 8 << 20},
		{"nuspec of many elements", buildNupkg(t, nupkgSpec{Metadata: strings.Repeat("<a/>", 250_000)}), 192 << 20},
		{"nuspec of many attributes", buildNupkg(t, nupkgSpec{Metadata: "<a" + strings.Repeat(" a=''", 200_000) + "/>"}), 128 << 20},
		{"PDB of 64 MB that says less", rawZip(t, "", []rawEntry{
			{name: "a.nuspec", body: nuspecXML(`<packageTypes><packageType name="SymbolsPackage"/></packageTypes>`)}, bomb("a.pdb", zeros, 1<<20),
		}, nil), 8 << 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, asPackage := readPackage(tt.in)
			_, asSymbols := ReadSymbols(bytes.NewReader(tt.in), int64(len(tt.in)))
			runtime.ReadMemStats(&after)
			t.Logf("%v; %v", asPackage, asSymbols)
			if got := (after.TotalAlloc - before.TotalAlloc) / 2; got > tt.most {
				t.Errorf("allocates %d bytes, want no more than %d", got, tt.most)
			}
			for _, err := range []error{asPackage, asSymbols} {
				if err != nil && registry.KindOf(err) != registry.Invalid {
					t.Errorf("kind of %v", err)
				}
			}
		})
	}
}

func FuzzReadPackage(f *testing.F) {
	f.Add(nuspecXML(""), "lib/a.dll", "x")
	f.Add(nuspecXML("<icon>a.png</icon>"), "a.png", testPNG)
	f.Add(nuspecXML("<readme>docs\\a.md</readme>"), "docs/A.md", "# a")
	f.Add(nuspecXML(`<license type="file">L</license>`), "l", "text")
	f.Add(nuspecXML(""), "b%2enuspec", "x")
	f.Fuzz(func(t *testing.T, nuspec, name, body string) {
		if len(name) > 60_000 {
			return
		}
		c, err := readPackage(rawZip(t, "", []rawEntry{{name: "a.nuspec", body: nuspec, method: methodDeflate}, {name: name, body: body}}, nil))
		if err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		if string(c.NuspecBytes) != nuspec || c.Nuspec.IsSymbols() {
			t.Error("another nuspec was read")
		}
		if (c.Nuspec.Icon != "") != (c.IconType != "") || (c.Nuspec.Readme != "") != (len(c.Readme) > 0) || (c.Nuspec.License.Type == LicenseFile) != (len(c.License) > 0) {
			t.Error("what the nuspec names was not read")
		}
		for _, content := range [][]byte{c.Icon, c.Readme, c.License} {
			if len(content) > 0 && (len(content) > maxEmbedded || string(content) != body && string(content) != nuspec) {
				t.Error("a file was read that is not there")
			}
		}
	})
}

func BenchmarkReadPackage(b *testing.B) {
	many := []zipFile{}
	for i := range 2000 {
		many = append(many, zipFile{name: fmt.Sprintf("lib/net8.0/file-%d.dll", i), body: "x"})
	}
	for name, files := range map[string][]zipFile{"small": {{name: "lib/net8.0/a.dll", body: noise(5000)}}, "2000 files": many} {
		b.Run(name, func(b *testing.B) {
			archive := buildNupkg(b, nupkgSpec{Files: files})
			b.SetBytes(int64(len(archive)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := readPackage(archive); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
