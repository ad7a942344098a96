package nuget

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"
)

// nupkgSpec says what a test package holds. The zero value is Acme.Log 1.0.0.
type nupkgSpec struct {
	ID, Version string
	// Metadata is XML within the nuspec's metadata, behind id, version, authors
	// and description.
	Metadata string
	// Nuspec replaces the whole nuspec, and NuspecName its name.
	Nuspec, NuspecName string
	Files              []zipFile
}

// zipFile is an entry of a test archive, deflated unless it is stored.
type zipFile struct {
	name, body string
	stored     bool
}

// buildNupkg packs a package in the way that NuGet does, with the files of its
// container format.
func buildNupkg(t testing.TB, spec nupkgSpec) []byte {
	t.Helper()
	return buildPackage(t, spec, nil)
}

// buildSnupkg packs symbols of the same id and version.
func buildSnupkg(t testing.TB, spec nupkgSpec) []byte {
	t.Helper()
	spec.Metadata += `<packageTypes><packageType name="SymbolsPackage" /></packageTypes>`
	return buildPackage(t, spec, []zipFile{{name: "lib/net8.0/" + cmp.Or(spec.ID, "Acme.Log") + ".pdb", body: string(testPDB(t, 1))}})
}

// buildPackage adds defaults when the spec names no files.
func buildPackage(t testing.TB, spec nupkgSpec, defaults []zipFile) []byte {
	t.Helper()
	id, version := cmp.Or(spec.ID, "Acme.Log"), cmp.Or(spec.Version, "1.0.0")
	nuspec := cmp.Or(spec.Nuspec, fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?>
<package xmlns="%s"><metadata><id>%s</id><version>%s</version><authors>Ann</authors><description>Logs.</description>%s</metadata></package>`,
		newestNamespace, escapeXML(t, id), escapeXML(t, version), spec.Metadata))
	files := []zipFile{
		{name: "_rels/.rels", body: `<?xml version="1.0" encoding="utf-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships" />`},
		{name: cmp.Or(spec.NuspecName, id+".nuspec"), body: nuspec},
		{name: "[Content_Types].xml", body: `<?xml version="1.0" encoding="utf-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types" />`},
		{name: "package/services/metadata/core-properties/0123456789abcdef0123456789abcdef.psmdcp", body: `<coreProperties />`},
	}
	if spec.Files == nil {
		spec.Files = defaults
	}
	return zipBytes(t, append(files, spec.Files...)...)
}

func escapeXML(t testing.TB, s string) string {
	t.Helper()
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zipBytes(t testing.TB, files ...zipFile) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		method := zip.Deflate
		if f.stored {
			method = zip.Store
		}
		entry, err := w.CreateHeader(&zip.FileHeader{Name: f.name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(entry, f.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// testPDB is a small portable PDB whose id is made of seed.
func testPDB(t testing.TB, seed byte) []byte {
	t.Helper()
	id := bytes.Repeat([]byte{seed}, 20)
	copy(id, []byte{0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, seed})
	streams := []struct {
		name string
		body []byte
	}{
		{"#Pdb", append(id, make([]byte, 12)...)},
		{"#Strings", []byte{0, 'a', 0, 0}},
	}
	var head []byte
	head = append(head, "BSJB"...)
	head = binary.LittleEndian.AppendUint16(head, 1)
	head = binary.LittleEndian.AppendUint16(head, 1)
	head = binary.LittleEndian.AppendUint32(head, 0)
	head = binary.LittleEndian.AppendUint32(head, 12)
	head = append(head, "PDB v1.0\x00\x00\x00\x00"...)
	head = binary.LittleEndian.AppendUint16(head, 0)
	head = binary.LittleEndian.AppendUint16(head, uint16(len(streams)))
	size := len(head)
	for _, s := range streams {
		size += 8 + (len(s.name)+4)/4*4
	}
	body := []byte{}
	for _, s := range streams {
		head = binary.LittleEndian.AppendUint32(head, uint32(size+len(body)))
		head = binary.LittleEndian.AppendUint32(head, uint32(len(s.body)))
		head = append(head, s.name...)
		head = append(head, make([]byte, 4-len(s.name)%4)...)
		body = append(body, s.body...)
	}
	return append(head, body...)
}
