package nuget

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"pakhus/internal/registry"
)

// rawEntry is an entry of an archive that is written record by record, so that
// its records can contradict each other.
type rawEntry struct {
	name, body string
	method     uint16
	flags      uint16
	packed     []byte // what stands in the archive; made from body when nil
	descriptor []byte // behind the data
	local      func(header []byte) []byte
	directory  func(header []byte) []byte
	gap        string // behind all of it
}

// rawZip writes an archive. end may change its end record.
func rawZip(t testing.TB, prefix string, entries []rawEntry, end func(record []byte) []byte) []byte {
	t.Helper()
	out, directory := []byte(prefix), []byte{}
	for _, e := range entries {
		if e.packed == nil {
			if e.packed = []byte(e.body); e.method == methodDeflate {
				e.packed = deflated(t, e.body)
			}
		}
		fields := binary.LittleEndian.AppendUint16(nil, e.flags)
		fields = binary.LittleEndian.AppendUint16(fields, e.method)
		fields = binary.LittleEndian.AppendUint32(fields, 0x58210000) // a day in 2024
		sums := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(e.body)))
		sums = binary.LittleEndian.AppendUint32(sums, uint32(len(e.packed)))
		sums = binary.LittleEndian.AppendUint32(sums, uint32(len(e.body)))
		lengths := binary.LittleEndian.AppendUint16(nil, uint16(len(e.name)))
		lengths = append(lengths, 0, 0)

		local := []byte(localSignature + "\x14\x00")
		central := []byte(directorySignature + "\x14\x00\x14\x00")
		local, central = append(local, fields...), append(central, fields...)
		local, central = append(local, sums...), append(central, sums...)
		local, central = append(local, lengths...), append(central, lengths...)
		central = append(central, make([]byte, 10)...) // comment, disk, attributes
		central = binary.LittleEndian.AppendUint32(central, uint32(len(out)))
		local, central = append(local, e.name...), append(central, e.name...)
		if e.local != nil {
			local = e.local(local)
		}
		if e.directory != nil {
			central = e.directory(central)
		}
		for _, part := range [][]byte{local, e.packed, e.descriptor, []byte(e.gap)} {
			out = append(out, part...)
		}
		directory = append(directory, central...)
	}
	record := append([]byte(endSignature), 0, 0, 0, 0)
	record = binary.LittleEndian.AppendUint16(record, uint16(len(entries)))
	record = binary.LittleEndian.AppendUint16(record, uint16(len(entries)))
	record = binary.LittleEndian.AppendUint32(record, uint32(len(directory)))
	record = binary.LittleEndian.AppendUint32(record, uint32(len(out)))
	record = append(record, 0, 0)
	if end != nil {
		record = end(record)
	}
	return append(append(out, directory...), record...)
}

func deflated(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, s); err != nil || w.Close() != nil {
		t.Fatal("deflate fails")
	}
	return b.Bytes()
}

// put16 and put32 change a field of a record.
func put16(at int, value uint16) func([]byte) []byte {
	return func(b []byte) []byte { binary.LittleEndian.PutUint16(b[at:], value); return b }
}

func put32(at int, value uint32) func([]byte) []byte {
	return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[at:], value); return b }
}

// descriptor is the record behind data whose size was not known beforehand.
func descriptor(signature, wide bool, body string, packed int) []byte {
	var b []byte
	if signature {
		b = append(b, "PK\x07\x08"...)
	}
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE([]byte(body)))
	if wide {
		b = binary.LittleEndian.AppendUint64(b, uint64(packed))
		return binary.LittleEndian.AppendUint64(b, uint64(len(body)))
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(packed))
	return binary.LittleEndian.AppendUint32(b, uint32(len(body)))
}

func readZip(t testing.TB, archive []byte) (map[string]string, error) {
	t.Helper()
	z, err := openZip(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for i := range z.entries {
		content, err := z.read(&z.entries[i], 1<<20)
		if err != nil {
			return nil, err
		}
		files[z.entries[i].path] = string(content)
	}
	return files, nil
}

func TestZipReads(t *testing.T) {
	zero := func(b []byte) []byte { clear(b[14:26]); return b }
	wide := func(sizes ...uint64) func([]byte) []byte {
		return func(b []byte) []byte {
			b = put16(28, 20+8)(put32(22, zip64Size)(put32(18, zip64Size)(b)))
			b = append(b, 0x20, 0xa2, 4, 0, 'p', 'a', 'd', 's', 1, 0, 16, 0)
			for _, size := range sizes {
				b = binary.LittleEndian.AppendUint64(b, size)
			}
			return b
		}
	}
	tests := []struct {
		name  string
		entry rawEntry
	}{
		{"stored", rawEntry{}},
		{"deflated", rawEntry{method: methodDeflate}},
		{"descriptor", rawEntry{flags: flagDescriptor, local: zero, descriptor: descriptor(true, false, "hello", 5)}},
		{"descriptor without signature", rawEntry{flags: flagDescriptor, local: zero, descriptor: descriptor(false, false, "hello", 5)}},
		{"descriptor of 8 bytes", rawEntry{flags: flagDescriptor, local: zero, descriptor: descriptor(true, true, "hello", 5)}},
		{"descriptor of 8 bytes without signature", rawEntry{flags: flagDescriptor, local: zero, descriptor: descriptor(false, true, "hello", 5)}},
		{"descriptor and sizes", rawEntry{flags: flagDescriptor, descriptor: descriptor(true, false, "hello", 5)}},
		{"size in an extra field", rawEntry{local: wide(5, 5)}},
		{"size in an extra field and behind", rawEntry{flags: flagDescriptor, descriptor: descriptor(true, true, "hello", 5), local: func(b []byte) []byte { return wide(0, 0)(zero(b)) }}},
		{"UTF-8 flag in one place, plain name", rawEntry{directory: put16(8, flagUTF8)}},
		{"same name in an extra field", rawEntry{directory: extraName("a.txt")}},
		{"packed on Unix", rawEntry{directory: unixMode(0o100644)}},
		{"packed on Windows, where the mode says nothing", rawEntry{directory: put16(40, 0o120777)}},
		{"extra field and comment in the directory", rawEntry{directory: func(b []byte) []byte {
			return append(put16(32, 3)(put16(30, 4)(b)), 0, 0, 0, 0, 'x', 'y', 'z')
		}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.entry.name, tt.entry.body = "a.txt", "hello"
			other := rawEntry{name: "b.txt", body: strings.Repeat("b", 100), method: methodDeflate}
			for _, list := range [][]rawEntry{{tt.entry, other}, {other, tt.entry}} {
				files, err := readZip(t, rawZip(t, "", list, nil))
				if err != nil {
					t.Fatal(err)
				}
				if files["a.txt"] != "hello" || files["b.txt"] != other.body || len(files) != 2 {
					t.Errorf("got %q", files)
				}
			}
		})
	}
	t.Run("comment", func(t *testing.T) {
		archive := rawZip(t, "", []rawEntry{{name: "a"}}, func(b []byte) []byte { return append(put16(20, 5)(b), "hello"...) })
		if _, err := readZip(t, archive); err != nil {
			t.Error(err)
		}
	})
	t.Run("directory in another order", func(t *testing.T) {
		archive := rawZip(t, "", []rawEntry{{name: "a", body: "1"}, {name: "b", body: "2"}}, nil)
		length := directoryLength + 1
		at := len(archive) - endLength - 2*length
		swapped := append(bytes.Clone(archive[at+length:at+2*length]), archive[at:at+length]...)
		copy(archive[at:], swapped)
		files, err := readZip(t, archive)
		if err != nil || files["a"] != "1" || files["b"] != "2" {
			t.Errorf("got %q, %v", files, err)
		}
	})
}

// Each of these archives is read differently by different readers (threats.md
// A3), or makes a reader work or write where it should not (A1, A2).
func TestZipRefuses(t *testing.T) {
	hello := rawEntry{name: "a.txt", body: "hello"}
	with := func(change func(*rawEntry)) []byte {
		e := hello
		change(&e)
		return rawZip(t, "", []rawEntry{{name: "first", body: "1"}, e, {name: "last", body: "2"}}, nil)
	}
	local := func(f func([]byte) []byte) []byte { return with(func(e *rawEntry) { e.local = f }) }
	central := func(f func([]byte) []byte) []byte { return with(func(e *rawEntry) { e.directory = f }) }
	end := func(f func([]byte) []byte) []byte { return rawZip(t, "", []rawEntry{hello}, f) }
	plain := end(nil)
	twice := func(a, b string) []byte { return rawZip(t, "", []rawEntry{{name: a}, {name: b}}, nil) }
	descriptorOf := func(b []byte) []byte {
		return with(func(e *rawEntry) { e.flags, e.descriptor = flagDescriptor, b })
	}
	tests := []struct {
		name, says string
		in         []byte
	}{
		{"empty", "not a zip", nil},
		{"one byte", "not a zip", []byte("P")},
		{"text", "not a zip", []byte(strings.Repeat("hello, this is no archive. ", 5000))},
		{"cut off", "not a zip", plain[:len(plain)-1]},
		{"data behind", "not a zip, or data|data follows", append(bytes.Clone(plain), "x"...)},
		{"data before", "data stands before", append([]byte("x"), plain...)},
		{"data before, offsets right", "stands before", rawZip(t, "MZ program", []rawEntry{hello}, nil)},
		{"second archive behind", "data stands before", append(bytes.Clone(plain), plain...)},
		{"second archive in the comment", "", append(end(put16(20, uint16(len(plain)))), plain...)},
		{"end record in the comment", "data follows", end(func(b []byte) []byte {
			return append(put16(20, 30)(b), endSignature+strings.Repeat("\x00", 26)...)
		})},
		{"comment too long", "data follows", end(put16(20, 1))},
		{"comment too short", "data follows", end(func(b []byte) []byte { return append(put16(20, 1)(b), "xy"...) })},
		{"several disks", "several files", end(put16(4, 1))},
		{"entries on other disks", "several files", end(put16(10, 2))},
		{"entry on another disk", "several files", central(put16(34, 1))},
		{"more entries than the end says", "more than its end", rawZip(t, "", []rawEntry{hello, {name: "b"}}, func(b []byte) []byte { return put16(8, 1)(put16(10, 1)(b)) })},
		{"fewer entries than the end says", "cut off", end(func(b []byte) []byte { return put16(8, 2)(put16(10, 2)(b)) })},
		{"too many entries", "more than 65533", end(func(b []byte) []byte { return put16(8, 65_534)(put16(10, 65_534)(b)) })},
		{"directory too large", "directory is larger", end(put32(12, maxDirectory+1))},
		{"directory elsewhere", "not where its end says", end(put32(16, 3))},
		{"zip64 end", "zip64", rawZip(t, "", []rawEntry{{name: "a", directory: func(b []byte) []byte {
			return append(put16(32, zip64LocatorLength)(b), zip64Signature+strings.Repeat("\x00", zip64LocatorLength-4)...)
		}}}, nil)},
		{"zip64 size", "zip64", central(put32(24, zip64Size))},
		{"zip64 packed size", "zip64", central(put32(20, zip64Size))},
		{"zip64 offset", "zip64", central(put32(42, zip64Size))},
		{"damaged directory", "damaged", central(put32(0, 0))},
		{"another name in its header", "another name", local(func(b []byte) []byte { b[localLength] = 'b'; return b })},
		{"longer name in its header", "another name", local(func(b []byte) []byte { return append(put16(26, 6)(b), 'x') })},
		{"another method in its header", "packed in another way", local(put16(8, methodDeflate))},
		{"another checksum in its header", "another size or checksum", local(put32(14, 1))},
		{"another size in its header", "another size or checksum", local(put32(22, 4))},
		{"another packed size in its header", "another size or checksum", local(put32(18, 4))},
		{"no size in its header", "no size", local(put32(18, zip64Size))},
		{"descriptor only by its header", "other flags", local(put16(6, flagDescriptor))},
		{"descriptor only by the directory", "other flags", central(put16(8, flagDescriptor))},
		{"no descriptor", "does not end", descriptorOf(nil)},
		{"descriptor of another size", "behind it", descriptorOf(descriptor(true, false, "hello", 4))},
		{"descriptor of another checksum", "behind it", descriptorOf(descriptor(false, false, "hallo", 5))},
		{"descriptor of another signature", "something else", descriptorOf(append([]byte("PK\x07\x09"), descriptor(false, false, "hello", 5)...))},
		{"two descriptors", "something else", descriptorOf(append(descriptor(false, false, "hello", 5), descriptor(false, false, "hello", 5)...))},
		{"descriptor and wrong sizes", "own header", with(func(e *rawEntry) {
			e.flags, e.descriptor, e.local = flagDescriptor, descriptor(true, false, "hello", 5), put32(22, 4)
		})},
		{"encrypted", "encrypted", central(put16(8, flagEncrypted))},
		{"encrypted by its header", "other flags", local(put16(6, flagEncrypted))},
		{"UTF-8 flag in one place", "other flags", rawZip(t, "", []rawEntry{{name: "é", directory: put16(8, flagUTF8)}}, nil)},
		{"method of bzip2", "cannot unpack", with(func(e *rawEntry) { e.method = 12 })},
		{"Deflate64 that we should read", "Deflate64", with(func(e *rawEntry) { e.method = methodDeflate64 })},
		{"gap behind", "data follows it", with(func(e *rawEntry) { e.gap = "x" })},
		{"entry between that the directory does not list", "data follows it", with(func(e *rawEntry) {
			e.gap = string(plain[:len(plain)-endLength-directoryLength-len("a.txt")])
		})},
		{"gap before the directory", "data follows it", rawZip(t, "", []rawEntry{{name: "a", gap: "x"}}, nil)},
		{"no entries, data before the directory", "data stands before", rawZip(t, "x", nil, nil)},
		{"entry of the same data", "or data follows it", rawZip(t, "", []rawEntry{hello, {name: "b", directory: put32(42, 0)}}, nil)},
		{"entry within another", "or data follows it", central(put32(42, 20))},
		{"entry beyond the end", "or data follows it", central(put32(42, 1<<30))},
		{"entry that ends beyond the end", "is cut off", rawZip(t, "", []rawEntry{
			{name: "a", method: methodDeflate, local: put32(18, 1<<20), directory: put32(20, 1<<20)},
			{name: "b", directory: put32(42, 1<<20+31)},
		}, nil)},
		{"descriptor beyond the end", "is cut off", rawZip(t, "", []rawEntry{
			{name: "a", flags: flagDescriptor, method: methodDeflate, local: put32(18, 1<<20), directory: put32(20, 1<<20)},
			{name: "b", directory: put32(42, 1<<20+31+12)},
		}, nil)},
		{"extra field that is cut off", "no size", local(func(b []byte) []byte {
			return append(put16(28, 4)(put32(18, zip64Size)(b)), 1, 0, 16, 0)
		})},
		{"another name in an extra field", "extra field", central(extraName("b.txt"))},
		{"another name in an extra field of its header", "extra field", with(func(e *rawEntry) {
			e.local = func(b []byte) []byte { return append(put16(28, 14)(b), extraField("b.txt")...) }
		})},
		{"two names in extra fields", "extra field", central(func(b []byte) []byte {
			return append(put16(30, 28)(b), extraField("b.txt")+extraField("a.txt")...)
		})},
		{"second name in extra fields", "extra field", central(func(b []byte) []byte {
			return append(put16(30, 28)(b), extraField("a.txt")+extraField("b.txt")...)
		})},
		{"short name in an extra field", "extra field", central(func(b []byte) []byte { return append(put16(30, 5)(b), "up\x01\x00\x01"...) })},
		{"symbolic link", "a link or a device", central(unixMode(0o120777))},
		{"device", "a link or a device", central(unixMode(0o020600))},
		{"header is none", "not where", local(put32(0, 0))},
		{"two sizes though not packed", "two sizes", central(put32(24, 4))},
		{"more than deflate can", "more than it can", with(func(e *rawEntry) { e.method, e.directory = methodDeflate, put32(24, 1<<20) })},
		{"unpacks to more", "more than the directory says", with(func(e *rawEntry) { lie(e, 4) })},
		{"unpacks to less", "another size or checksum than", with(func(e *rawEntry) { lie(e, 6) })},
		{"checksum", "another size or checksum than", with(func(e *rawEntry) {
			e.local, e.directory = put32(14, 1), put32(16, 1)
		})},
		{"damaged data", "damaged", with(func(e *rawEntry) { e.method, e.packed = methodDeflate, []byte("\xff\xff\xff\xff\xff\xff\xff") })},
		{"packed data cut off", "damaged", with(func(e *rawEntry) { e.method, e.packed = methodDeflate, deflated(t, "hello")[:4] })},
		{"more packed data than it needs", "holds more", with(func(e *rawEntry) { e.method, e.packed = methodDeflate, append(deflated(t, "hello"), "more"...) })},
		{"the same name", "comes twice", twice("a", "a")},
		{"case twins", "comes twice", twice("lib/A.dll", "LIB/a.DLL")},
		{"case twins outside of ASCII", "comes twice", twice("É", "é")},
		{"twins by the long s", "comes twice", twice("s", "ſ")},
		{"twins by an escape", "comes twice", twice("a+b", "a%2Bb")},
		{"twins by a backslash", "comes twice", twice("a/b", `a\b`)},
		{"twins by a dot at the end", "comes twice", twice("a.txt", "a.txt.")},
		{"twins by a blank at the end of a folder", "comes twice", twice("a/b", "a /b")},
		{"file and folder", "comes twice", twice("a", "a/")},
		{"unpacks to too much", "unpacks to more than", rawZip(t, "", []rawEntry{
			{name: "a", method: methodDeflate, directory: func(b []byte) []byte { return put32(24, 4_000_000_000)(put32(20, 4_000_000)(b)) }},
			{name: "b", method: methodDeflate, directory: func(b []byte) []byte { return put32(24, 4_000_000_000)(put32(20, 4_000_000)(b)) }},
			{name: "c", method: methodDeflate, directory: func(b []byte) []byte { return put32(24, 4_000_000_000)(put32(20, 4_000_000)(b)) }},
			{name: "d", method: methodDeflate, directory: func(b []byte) []byte { return put32(24, 4_000_000_000)(put32(20, 4_000_000)(b)) }},
			{name: "e", method: methodDeflate, directory: func(b []byte) []byte { return put32(24, 4_000_000_000)(put32(20, 4_000_000)(b)) }},
		}, nil)},
		{"folder with a content", "like a folder", rawZip(t, "", []rawEntry{{name: "a/", body: "x"}}, nil)},
		{"long name", "name is longer", rawZip(t, "", []rawEntry{{name: strings.Repeat("a", 1025)}}, nil)},
	}
	for name, says := range map[string]string{
		"": "empty name", "a\x00.txt": "control", "a\nb": "control", "a\xff": "UTF-8", "a%00": "control", "a\u0085": "control",
		"/etc/passwd": "absolute", `\a`: "absolute", "%2fetc": "absolute", "C:/x": "Windows", "c:x": "Windows", "a%3ax": "Windows", "x.nuspec::$DATA": "Windows",
		"..": "leads out", "../a": "leads out", "a/../b": "leads out", "a/..": "leads out", `..\a`: "leads out", `a\..\b`: "leads out",
		"%2e%2e/a": "leads out", "..%2fa": "leads out", "%2E%2E%5Ca": "leads out", ".. /a": "leads out", ".../a": "leads out", "./a": "leads out", "a/./b": "leads out", " /a": "leads out",
		"a//b": "leads out", `a\\b`: "leads out", "a//": "leads out", "a/%2fb": "leads out",
	} {
		tests = append(tests, struct {
			name, says string
			in         []byte
		}{fmt.Sprintf("name %q", name), says, rawZip(t, "", []rawEntry{{name: name}}, nil)})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files, err := readZip(t, tt.in)
			if err == nil {
				t.Fatalf("was read: %q", files)
			}
			fits := false
			for says := range strings.SplitSeq(tt.says, "|") {
				fits = fits || strings.Contains(registry.Message(err), says)
			}
			if kind := registry.KindOf(err); kind != registry.Invalid || !fits {
				t.Errorf("got %v: %v, want invalid about %q", kind, err, tt.says)
			}
		})
	}
}

// lie makes an entry say everywhere that it unpacks to so many bytes.
func lie(e *rawEntry, size uint32) {
	e.method, e.local, e.directory = methodDeflate, put32(22, size), put32(24, size)
}

func extraField(name string) string {
	return "up" + string([]byte{byte(5 + len(name)), 0}) + "\x01csum" + name
}

func extraName(name string) func([]byte) []byte {
	return func(b []byte) []byte { return append(put16(30, uint16(9+len(name)))(b), extraField(name)...) }
}

func unixMode(mode uint16) func([]byte) []byte {
	return func(b []byte) []byte { b[5] = hostUnix; return put16(40, mode)(b) }
}

func TestUnescapePath(t *testing.T) {
	for in, want := range map[string]string{
		"a": "a", "a%2Bb": "a+b", "%41%42c": "ABc", "100%": "100%", "%4": "%4", "%zz": "%zz", "%c3%a9": "é", "%ff": "%ff", "%2525": "%25", "[%20]": "[ ]",
	} {
		if got := unescapePath(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

// badSector cannot be read at one byte.
type badSector struct {
	*bytes.Reader
	at   int64
	err  error
	hits *int
}

func (r badSector) ReadAt(p []byte, offset int64) (int, error) {
	if offset <= r.at && r.at < offset+int64(len(p)) {
		*r.hits++
		n, err := r.Reader.ReadAt(p[:r.at-offset], offset)
		return n, errors.Join(err, r.err)
	}
	return r.Reader.ReadAt(p, offset)
}

// A disk that breaks is no fault of the publisher.
func TestZipKeepsReadErrors(t *testing.T) {
	files := []zipFile{{name: "lib/a.pdb", body: string(testPDB(t, 1)) + noise(500)}, {name: ".signature.p7s", body: "x", stored: true}}
	archives := map[string][]byte{
		"package": buildNupkg(t, nupkgSpec{Files: files}),
		"symbols": buildSnupkg(t, nupkgSpec{Files: files}),
		"zip64 header": rawZip(t, "", []rawEntry{{name: "a.nuspec", body: nuspecXML(""), local: func(b []byte) []byte {
			size := uint64(binary.LittleEndian.Uint32(b[22:]))
			b = append(put16(28, 20)(put32(22, zip64Size)(put32(18, zip64Size)(b))), 1, 0, 16, 0)
			return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, size), size)
		}}}, nil),
	}
	for name, archive := range archives {
		for _, cause := range []error{errors.New("disk broke"), registry.Errorf(registry.Unavailable, "the spool is gone")} {
			failed := 0
			for at := range int64(len(archive)) {
				hits := 0
				r := badSector{bytes.NewReader(archive), at, cause, &hits}
				var err error
				if name == "symbols" {
					_, err = ReadSymbols(r, int64(len(archive)))
				} else {
					_, err = ReadPackage(r, int64(len(archive)))
				}
				if hits > 0 != (err != nil) || err != nil && (registry.KindOf(err) != registry.Unavailable || !errors.Is(err, cause)) {
					t.Fatalf("%s fails at byte %d, read %d times: got %v, want %v", name, at, hits, err, cause)
				}
				failed += hits
			}
			if failed == 0 {
				t.Errorf("%s: nothing was read", name)
			}
		}
	}
}

// FuzzZip compares with archive/zip: what we accept, it must read in the same
// way, and there must be nothing else in the file.
func FuzzZip(f *testing.F) {
	f.Add(buildNupkg(f, nupkgSpec{}))
	f.Add(rawZip(f, "", []rawEntry{{name: "a/", body: ""}, {name: "a/b%2B", body: "hello", flags: flagDescriptor, descriptor: descriptor(true, false, "hello", 5)}}, nil))
	f.Add(rawZip(f, "", []rawEntry{{name: "a", body: "hello", method: methodDeflate}}, func(b []byte) []byte { return append(put16(20, 1)(b), 'x') }))
	f.Fuzz(func(t *testing.T, raw []byte) {
		files, err := readZip(t, raw)
		if err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		r, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
			t.Fatalf("archive/zip does not read it: %v", err)
		}
		if len(r.File) != len(files) {
			t.Fatalf("archive/zip sees %d entries, we %d", len(r.File), len(files))
		}
		for _, file := range r.File {
			path, err := entryPath(file.Name)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(path, "/") || strings.Contains("/"+path+"/", "/../") || strings.ContainsAny(path, "\\:\x00") {
				t.Errorf("path %q was accepted", path)
			}
			if strings.HasSuffix(file.Name, "/") {
				continue
			}
			content, err := file.Open()
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(content)
			if err != nil || string(body) != files[path] {
				t.Errorf("%q: archive/zip reads %q, %v, we %q", path, body, err, files[path])
			}
		}
	})
}
