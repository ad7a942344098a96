package nuget

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"pakhus/internal/registry"
)

func readSymbols(b []byte) (*SymbolContents, error) {
	return ReadSymbols(bytes.NewReader(b), int64(len(b)))
}

func TestReadSymbols(t *testing.T) {
	first, second := testPDB(t, 1), append(testPDB(t, 2), noise(100_000)...)
	c, err := readSymbols(buildSnupkg(t, nupkgSpec{Files: []zipFile{
		{name: "lib/net8.0/Acme.Log.pdb", body: string(first)},
		{name: "lib/net48/Acme.Log.pdb", body: string(second)},
		{name: "lib/netstandard2.0/acme.log.PDB", body: string(first)}, // shared by two frameworks
		{name: "lib/net8.0/Other.pdb", body: string(first)},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) > 0 || c.Nuspec.ID.String() != "Acme.Log" || len(c.NuspecBytes) == 0 {
		t.Errorf("got %+v", c)
	}
	checksum := func(pdb []byte) string {
		pdb = bytes.Clone(pdb)
		clear(pdb[bytes.Index(pdb, []byte("\x33\x22\x11\x00")):][:20])
		sum := sha256.Sum256(pdb)
		return hex.EncodeToString(sum[:])
	}
	want := []struct {
		entry, file, key string
		body             []byte
	}{
		{"lib/net8.0/Acme.Log.pdb", "Acme.Log.pdb", "00112233445566778899aabbccddee01FFFFFFFF", first},
		{"lib/net48/Acme.Log.pdb", "Acme.Log.pdb", "00112233445566778899aabbccddee02FFFFFFFF", second},
		{"lib/net8.0/Other.pdb", "Other.pdb", "00112233445566778899aabbccddee01FFFFFFFF", first},
	}
	if len(c.PDBs) != len(want) {
		t.Fatalf("got %d PDBs, want %d", len(c.PDBs), len(want))
	}
	for i, w := range want {
		got := c.PDBs[i]
		if got.Entry != w.entry || got.File != w.file || got.Key != w.key || got.Checksum != checksum(w.body) || got.Size != int64(len(w.body)) {
			t.Errorf("got %+v, want %s %s %s", got, w.entry, w.key, checksum(w.body))
		}
		for range 2 {
			content, err := got.Open()
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(content); err != nil || !bytes.Equal(body, w.body) {
				t.Errorf("%s gives %d bytes, %v, want those packed", w.entry, len(body), err)
			}
		}
	}
}

func TestReadSymbolsWithoutPDB(t *testing.T) {
	c, err := readSymbols(buildSnupkg(t, nupkgSpec{Files: []zipFile{{name: ".signature.p7s"}, {name: "lib/", stored: true}}}))
	if err != nil || len(c.PDBs) > 0 || len(c.Warnings) != 1 {
		t.Errorf("got %+v, %v, want a warning", c, err)
	}
}

func TestReadSymbolsRefuses(t *testing.T) {
	file := func(name, body string) []byte {
		return buildSnupkg(t, nupkgSpec{Files: []zipFile{{name: name, body: body}}})
	}
	pdb := string(testPDB(t, 1))
	replaced := func(from, to string) []byte {
		if len(from) != len(to) || !strings.Contains(pdb, from) {
			t.Fatalf("%q is not in the PDB", from)
		}
		return file("a.pdb", strings.Replace(pdb, from, to, 1))
	}
	tests := []struct {
		name, says string
		in         []byte
	}{
		{"no archive", "not a zip", []byte("hello")},
		{"no symbols package", "SymbolsPackage", buildNupkg(t, nupkgSpec{})},
		{"two nuspecs", "two nuspecs", file("b.nuspec", "x")},
		{"program", "is no PDB", file("lib/a.dll", "MZ")},
		{"program called with a dot at the end", "is no PDB", file("lib/a.pdb.", pdb)},
		{"no extension", "is no PDB", file("LICENSE", "x")},
		{"empty PDB", "no portable PDB", file("a.pdb", "")},
		{"text", "no portable PDB", file("a.pdb", "hello")},
		{"Windows PDB", "Windows PDB", file("a.pdb", "Microsoft C/C++ MSF 7.00\r\n\x1aDS")},
		{"signature alone", "cut off", file("a.pdb", "BSJB")},
		{"cut off in the list of streams", "cut off", file("a.pdb", pdb[:38])},
		{"cut off in the id", "leads out", file("a.pdb", pdb[:70])},
		{"long version", "too long", file("a.pdb", pdb[:12]+"\x00\x00\x01\x00"+pdb[16:])},
		{"no streams", "no id", file("a.pdb", pdb[:30]+"\x00\x00"+pdb[32:])},
		{"many streams", "too many streams", file("a.pdb", pdb[:30]+"\x21\x00"+pdb[32:])},
		{"stream without end of its name", "cut off", file("a.pdb", pdb[:40]+strings.Repeat("x", 300))},
		{"another stream", "no id", replaced("#Pdb", "#Foo")},
		{"two ids", "one id", file("a.pdb", strings.Replace(pdb, "#Strings\x00\x00\x00\x00", "#Pdb\x00\x00\x00\x00\x00\x00\x00\x00", 1))},
		{"id within the list", "no id", file("a.pdb", pdb[:32]+"\x10\x00\x00\x00"+pdb[36:])},
		{"id too short", "one id", file("a.pdb", pdb[:36]+"\x13\x00\x00\x00"+pdb[40:])},
		{"id beyond the end", "leads out", file("a.pdb", pdb[:32]+"\xff\xff\xff\xff"+pdb[36:])},
		{"one id, two contents", "id of another", buildSnupkg(t, nupkgSpec{Files: []zipFile{{name: "a/x.pdb", body: pdb}, {name: "b/X.pdb", body: pdb + "more"}}})},
		{"bomb by ratio", "times its size", file("a.pdb", pdb+strings.Repeat("\x00", 65<<20))},
		{"too large", "unpacks to more than 2147483648", rawZip(t, "", []rawEntry{
			{name: "a.nuspec", body: nuspecXML(`<packageTypes><packageType name="SymbolsPackage"/></packageTypes>`)},
			{name: "a.pdb", method: methodDeflate, packed: make([]byte, 3<<20), local: put32(22, 2<<30+1), directory: put32(24, 2<<30+1)},
		}, nil)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readSymbols(tt.in)
			if err == nil {
				t.Fatalf("was read: %+v", got)
			}
			if kind := registry.KindOf(err); kind != registry.Invalid || !strings.Contains(registry.Message(err), tt.says) {
				t.Errorf("got %v: %v, want invalid about %q", kind, err, tt.says)
			}
		})
	}
}

func FuzzReadSymbols(f *testing.F) {
	f.Add(testPDB(f, 1))
	f.Add(append(testPDB(f, 2), "more"...))
	f.Add([]byte("BSJB"))
	f.Fuzz(func(t *testing.T, pdb []byte) {
		c, err := readSymbols(buildSnupkg(t, nupkgSpec{Files: []zipFile{{name: "lib/a.pdb", body: string(pdb), stored: true}}}))
		if err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		if len(c.PDBs) != 1 || len(c.PDBs[0].Key) != 40 || len(c.PDBs[0].Checksum) != 64 || c.PDBs[0].Size != int64(len(pdb)) {
			t.Fatalf("got %+v", c.PDBs)
		}
		// The checksum must not depend on the id, and on everything else.
		at, err := findPDBID(pdb, int64(len(pdb)))
		if err != nil {
			t.Fatal(err)
		}
		pdb[at] ^= 0xff
		other, err := readSymbols(buildSnupkg(t, nupkgSpec{Files: []zipFile{{name: "lib/a.pdb", body: string(pdb)}}}))
		if err != nil || other.PDBs[0].Checksum != c.PDBs[0].Checksum || other.PDBs[0].Key == c.PDBs[0].Key {
			t.Errorf("with another id: %+v, %v, before %+v", other, err, c.PDBs)
		}
		last := int64(len(pdb) - 1)
		if last < at+pdbIDLength {
			return
		}
		pdb[last] ^= 0xff
		if other, err := readSymbols(buildSnupkg(t, nupkgSpec{Files: []zipFile{{name: "lib/a.pdb", body: string(pdb)}}})); err == nil && other.PDBs[0].Checksum == c.PDBs[0].Checksum {
			t.Error("another content has the same checksum")
		}
	})
}
