package e2e

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"strings"
)

// nupkg is a NuGet package to be made without a client.
type nupkg struct {
	id, version string
	size        int               // of payload.bin, in bytes
	fields      map[string]string // more elements of the nuspec
	depends     [][2]string       // id and range
	more        string            // XML within metadata
	files       map[string]string // more files, by name
}

// build packs it as NuGet's own packers do: 2.8 opens packages by the rules of
// OPC, which want a relationship to the nuspec and a type for every file.
func (p nupkg) build() ([]byte, error) {
	files := []zipEntry{
		{"_rels/.rels", fmt.Appendf(nil, `<?xml version="1.0" encoding="utf-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/%s.nuspec" Id="R1"/>
</Relationships>`, p.id)},
		{p.id + ".nuspec", p.nuspec()},
		{"payload.bin", payload(p.id, p.version, p.size)},
		{"[Content_Types].xml", []byte(`<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
  <Default Extension="nuspec" ContentType="application/octet"/>
  <Default Extension="bin" ContentType="application/octet"/>
  <Default Extension="md" ContentType="application/octet"/>
  <Default Extension="pdb" ContentType="application/octet"/>
</Types>`)},
	}
	for name, content := range p.files {
		files = append(files, zipEntry{name, []byte(content)})
	}
	return packZip(files)
}

type zipEntry struct {
	name    string
	content []byte
}

// packZip stores the entries as they are: payloads do not compress.
func packZip(entries []zipEntry) ([]byte, error) {
	var b bytes.Buffer
	packed := zip.NewWriter(&b)
	for _, e := range entries {
		w, err := packed.CreateHeader(&zip.FileHeader{Name: e.name, Method: zip.Store})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, err
		}
	}
	err := packed.Close()
	return b.Bytes(), err
}

func (p nupkg) nuspec() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
<id>%s</id><version>%s</version><authors>Ann</authors>`, p.id, p.version)
	fields := map[string]string{"description": "Made by the end-to-end tests."}
	maps.Copy(fields, p.fields)
	for name, value := range fields {
		fmt.Fprintf(&b, "<%s>", name)
		// A strings.Builder never fails.
		_ = xml.EscapeText(&b, []byte(value))
		fmt.Fprintf(&b, "</%s>", name)
	}
	if len(p.depends) > 0 {
		b.WriteString("<dependencies>")
		for _, d := range p.depends {
			fmt.Fprintf(&b, `<dependency id="%s" version="%s"/>`, d[0], d[1])
		}
		b.WriteString("</dependencies>")
	}
	b.WriteString(p.more + "</metadata></package>")
	return []byte(b.String())
}

// symbols makes the snupkg of a package: one portable PDB, and what a debugger
// asks for it by.
func (p nupkg) symbols() (content []byte, key, checksum string, err error) {
	pdb, key, checksum := portablePDB(p.id, p.version)
	nuspec := bytes.Replace(p.nuspec(), []byte("</metadata>"),
		[]byte(`<packageTypes><packageType name="SymbolsPackage"/></packageTypes></metadata>`), 1)
	content, err = packZip([]zipEntry{
		{p.id + ".nuspec", nuspec},
		{"lib/netstandard2.0/" + p.id + ".pdb", pdb},
	})
	return content, key, checksum, err
}

// portablePDB makes the smallest file that is one: metadata with a #Pdb stream.
// Its 20 bytes of identity follow from id and version.
func portablePDB(id, version string) (pdb []byte, key, checksum string) {
	identity := sha256.Sum256([]byte(id + version))
	const versionText = "PDB v1.0\x00\x00\x00\x00" // padded to four bytes
	var b bytes.Buffer
	b.WriteString("BSJB")
	for _, value := range []any{uint16(1), uint16(1), uint32(0), uint32(len(versionText))} {
		// A bytes.Buffer never fails.
		_ = binary.Write(&b, binary.LittleEndian, value)
	}
	b.WriteString(versionText)
	_ = binary.Write(&b, binary.LittleEndian, [2]uint16{0, 1}) // flags, streams
	// The stream: 20 bytes of identity, entry point, no tables.
	const stream = 20 + 4 + 8
	offset := b.Len() + 8 + len("#Pdb\x00\x00\x00\x00")
	_ = binary.Write(&b, binary.LittleEndian, [2]uint32{uint32(offset), stream})
	b.WriteString("#Pdb\x00\x00\x00\x00")
	b.Write(make([]byte, stream))
	pdb = b.Bytes()
	sum := sha256.Sum256(pdb) // with the identity zeroed
	copy(pdb[offset:], identity[:20])
	return pdb, pdbKey(identity[:16]) + "FFFFFFFF", fmt.Sprintf("SHA256:%x", sum)
}

// pdbKey is a GUID in text order: its first three fields are stored with the
// lowest byte first.
func pdbKey(guid []byte) string {
	return fmt.Sprintf("%08X%04X%04X%X", binary.LittleEndian.Uint32(guid), binary.LittleEndian.Uint16(guid[4:]),
		binary.LittleEndian.Uint16(guid[6:]), guid[8:16])
}

// payloadOf reads payload.bin of a package.
func payloadOf(content []byte) ([]byte, error) {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	file, err := archive.Open("payload.bin")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}
