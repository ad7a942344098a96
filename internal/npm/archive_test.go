package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

const testManifest = `{"name":"lib","version":"1.0.0"}`

// entry of a test tarball; type TypeReg when 0.
type tarEntry struct {
	name, body string
	kind       byte
	link       string
	pax        map[string]string
}

var manifestEntry = tarEntry{name: "package/package.json", body: testManifest}

func tarBytes(t testing.TB, entries ...tarEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Size: int64(len(e.body)), Mode: 0o644, Linkname: e.link, PAXRecords: e.pax}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if e.kind == tar.TypeXGlobalHeader {
			*h = tar.Header{Typeflag: e.kind, PAXRecords: e.pax}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipBytes(t testing.TB, parts ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tgz(t testing.TB, entries ...tarEntry) []byte { return gzipBytes(t, tarBytes(t, entries...)) }

func TestReadArchive(t *testing.T) {
	long := "package/" + strings.Repeat("deep/", 60) + "file.js"
	tests := []struct {
		name string
		in   []byte
		want Archive
	}{
		{
			"as npm packs", tgz(t, manifestEntry, tarEntry{name: "package/index.js", body: "x"}, tarEntry{name: "package/lib/a.js", body: "yy"}),
			Archive{Manifest: []byte(testManifest), FileCount: 3, UnpackedSize: int64(len(testManifest)) + 3},
		},
		{
			"another folder, files before the manifest, folders", tgz(t,
				tarEntry{name: "lib-1.0.0/", kind: tar.TypeDir}, tarEntry{name: "lib-1.0.0/x/package.json", body: "{}"}, tarEntry{name: "lib-1.0.0/package.json", body: testManifest}),
			Archive{Manifest: []byte(testManifest), FileCount: 2, UnpackedSize: int64(len(testManifest)) + 2},
		},
		{
			"as tar packs a whole folder", tgz(t, tarEntry{name: "./", kind: tar.TypeDir}, tarEntry{name: "./package.json", body: testManifest}),
			Archive{Manifest: []byte(testManifest), FileCount: 1, UnpackedSize: int64(len(testManifest))},
		},
		{
			"shrinkwrap and binding.gyp", tgz(t, manifestEntry, tarEntry{name: "package/npm-shrinkwrap.json", body: "{}"}, tarEntry{name: "package/binding.gyp", body: "{}"}),
			Archive{Manifest: []byte(testManifest), FileCount: 3, UnpackedSize: int64(len(testManifest)) + 4, HasShrinkwrap: true, HasBindingGyp: true},
		},
		{
			"those of a dependency do not count", tgz(t, manifestEntry,
				tarEntry{name: "package/node_modules/a/npm-shrinkwrap.json", body: "{}"}, tarEntry{name: "package/node_modules/a/binding.gyp", body: "{}"}, tarEntry{name: "package/node_modules/a/package.json", body: "{}"}),
			Archive{Manifest: []byte(testManifest), FileCount: 4, UnpackedSize: int64(len(testManifest)) + 6},
		},
		{
			"byte order mark", tgz(t, tarEntry{name: "package/package.json", body: "\ufeff" + testManifest}),
			Archive{Manifest: []byte(testManifest), FileCount: 1, UnpackedSize: int64(len(testManifest)) + 3},
		},
		{
			"git archive's header, long names, UTF-8 names", tgz(t,
				tarEntry{kind: tar.TypeXGlobalHeader, pax: map[string]string{"comment": "0123456789"}},
				manifestEntry, tarEntry{name: long, body: "x"}, tarEntry{name: "package/é€😀.js", body: "x"}),
			Archive{Manifest: []byte(testManifest), FileCount: 3, UnpackedSize: int64(len(testManifest)) + 2},
		},
		{
			"yarn 4's links within the package", tgz(t, manifestEntry,
				tarEntry{name: "package/bin/a", kind: tar.TypeSymlink, link: "../lib/a.js"}, tarEntry{name: "package/b", kind: tar.TypeSymlink, link: "bin/a"},
				tarEntry{name: "package/c", kind: tar.TypeLink, link: "package/b"}),
			Archive{Manifest: []byte(testManifest), FileCount: 1, UnpackedSize: int64(len(testManifest))},
		},
		{
			"file beside the folder", tgz(t, tarEntry{name: "package.json", body: "{}"}, manifestEntry),
			Archive{Manifest: []byte(testManifest), FileCount: 2, UnpackedSize: int64(len(testManifest)) + 2},
		},
		{
			"another file twice, as some packers do", tgz(t, manifestEntry, tarEntry{name: "package/a.js", body: "x"}, tarEntry{name: "package/a.js", body: "x"}),
			Archive{Manifest: []byte(testManifest), FileCount: 3, UnpackedSize: int64(len(testManifest)) + 2},
		},
		{
			"padding", gzipBytes(t, tarBytes(t, manifestEntry), make([]byte, 10240)),
			Archive{Manifest: []byte(testManifest), FileCount: 1, UnpackedSize: int64(len(testManifest))},
		},
		{
			"manifest of 200 KB", tgz(t, tarEntry{name: "package/package.json", body: `{"a":"` + strings.Repeat("x", 200_000) + `"}`}),
			Archive{Manifest: []byte(`{"a":"` + strings.Repeat("x", 200_000) + `"}`), FileCount: 1, UnpackedSize: 200_008},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{"whole": bytes.NewReader(tt.in), "bytes": iotest.OneByteReader(bytes.NewReader(tt.in))} {
				got, err := ReadArchive(r, DefaultLimits)
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				if diff := cmp.Diff(*got, tt.want); diff != "" {
					t.Errorf("%s (-got +want):\n%s", how, diff)
				}
			}
		})
	}
}

func TestReadArchiveRefuses(t *testing.T) {
	plain := tgz(t, manifestEntry)
	damaged := bytes.Clone(plain)
	damaged[len(damaged)-6] ^= 0xff // the checksum
	file := func(name string) []byte { return tgz(t, manifestEntry, tarEntry{name: name, body: "x"}) }
	link := func(kind byte, target string) []byte {
		return tgz(t, manifestEntry, tarEntry{name: "package/lib/a", kind: kind, link: target})
	}
	many := make([]tarEntry, 0, 1001)
	for i := range 1001 {
		many = append(many, tarEntry{name: fmt.Sprintf("package/%d", i)})
	}
	sparse := rewriteTar(t, tarBytes(t, tarEntry{name: "package/sparse", body: "x"}), 0, func(block []byte) { block[156] = 'S' })
	// The name that does not fit into the header of old is in a record before it.
	renamed := bytes.ReplaceAll(tarBytes(t, manifestEntry, tarEntry{name: "package/packaé.json", body: "{}"}), []byte("path=package/packaé.json"), []byte("path=package/package.json"))
	limits := Limits{Entries: 1000, Unpacked: 20 << 20, Ratio: 200, Manifest: 1 << 20, Path: 300}
	tests := []struct {
		name, says string
		in         []byte
	}{
		{"empty", "not gzip", nil},
		{"not gzip", "not gzip", []byte("hello, world, this is no archive")},
		{"zip", "not gzip", []byte("PK\x03\x04 and the rest of it")},
		{"tar without gzip", "not gzip", tarBytes(t, manifestEntry)},
		{"gzip of something else", "not a tar", gzipBytes(t, bytes.Repeat([]byte("hello "), 500))},
		{"gzip of nothing", "no package.json", gzipBytes(t)},
		{"cut off", "", plain[:len(plain)/2]},
		{"cut off in the checksum", "", plain[:len(plain)-2]},
		{"wrong checksum", "", damaged},
		{"no package.json", "no package.json", tgz(t, tarEntry{name: "package/index.js", body: "x"})},
		{"package.json too deep", "no package.json", tgz(t, tarEntry{name: "package/lib/package.json", body: "{}"})},
		{"package.json without a folder", "no package.json", tgz(t, tarEntry{name: "package.json", body: "{}"})},
		{"package.json twice", "comes twice", tgz(t, manifestEntry, manifestEntry)},
		{"package.json twice, in two folders", "comes twice", tgz(t, manifestEntry, tarEntry{name: "other/package.json", body: "{}"})},
		{"shrinkwrap twice", "comes twice", tgz(t, manifestEntry, tarEntry{name: "package/npm-shrinkwrap.json"}, tarEntry{name: "other/npm-shrinkwrap.json"})},
		{"package.json and a twin", "only in case", file("package/Package.json")},
		{"twin of package.json alone", "take the place", tgz(t, tarEntry{name: "package/PACKAGE.JSON", body: "{}"})},
		{"case twins", "only in case", tgz(t, manifestEntry, tarEntry{name: "package/a/Readme"}, tarEntry{name: "package/a/README"})},
		{"case twins in two folders", "only in case", tgz(t, manifestEntry, tarEntry{name: "package/É.js"}, tarEntry{name: "other/é.js"})},
		{"name by PAX that is taken", "comes twice", gzipBytes(t, renamed)},
		{"name for all entries", "for all entries", tgz(t, tarEntry{kind: tar.TypeXGlobalHeader, pax: map[string]string{"path": "package/x"}}, manifestEntry)},
		{"size for all entries", "for all entries", tgz(t, tarEntry{kind: tar.TypeXGlobalHeader, pax: map[string]string{"size": "1"}}, manifestEntry)},
		{"package.json a symbolic link", "not a file", tgz(t, tarEntry{name: "package/package.json", kind: tar.TypeSymlink, link: "a.json"})},
		{"package.json a hard link", "not a file", tgz(t, tarEntry{name: "package/package.json", kind: tar.TypeLink, link: "package/a.json"})},
		{"package.json a folder", "not a file", tgz(t, tarEntry{name: "package/package.json/", kind: tar.TypeDir})},
		{"file called like a folder", "like a folder", rewrittenName(t, "package/package.jsonX", "package/package.json/")},
		{"traversal", "leads out", file("package/../../etc/passwd")},
		{"traversal first", "leads out", file("../x")},
		{"traversal that stays", "leads out", file("package/lib/../x")},
		{"absolute", "absolute", file("/etc/passwd")},
		{"drive", "absolute", file("C:/x")},
		{"drive, relative", "absolute", file("c:x")},
		{"backslash", "absolute", file(`package\..\x`)},
		{"backslash inside", "absolute", file(`package/a\b`)},
		{"dot inside", "a dot", file("package/./package.json")},
		{"empty part", "empty", file("package//package.json")},
		{"line feed", "control", file("package/a\nb")},
		{"long name", "longer than", file("package/" + strings.Repeat("x", 300))},
		{"symbolic link out", "leads out", link(tar.TypeSymlink, "../../x")},
		{"symbolic link absolute", "leads out", link(tar.TypeSymlink, "/etc/passwd")},
		{"symbolic link with backslash", "leads out", link(tar.TypeSymlink, `..\..\x`)},
		{"symbolic link of the folder", "leads out", link(tar.TypeSymlink, "../../../..")},
		{"hard link out", "leads out", link(tar.TypeLink, "../x")},
		{"hard link absolute", "leads out", link(tar.TypeLink, "/etc/passwd")},
		{"character device", "neither", tgz(t, manifestEntry, tarEntry{name: "package/tty", kind: tar.TypeChar})},
		{"block device", "neither", tgz(t, manifestEntry, tarEntry{name: "package/sda", kind: tar.TypeBlock})},
		{"pipe", "neither", tgz(t, manifestEntry, tarEntry{name: "package/pipe", kind: tar.TypeFifo})},
		{"sparse file", "", gzipBytes(t, sparse)},
		{"data behind the archive", "data follows", gzipBytes(t, tarBytes(t, manifestEntry), tarBytes(t, tarEntry{name: "package/evil.js", body: "x"}))},
		{"second gzip member", "data follows", append(bytes.Clone(plain), plain...)},
		{"data behind gzip", "data follows", append(bytes.Clone(plain), "x"...)},
		{"too many entries", "more than 1000 entries", tgz(t, many...)},
		{"large package.json", "package.json is larger", tgz(t, tarEntry{name: "package/package.json", body: strings.Repeat(" ", 1<<20+1)})},
		{"bomb by ratio", "times its size", tgz(t, manifestEntry, tarEntry{name: "package/zeros", body: strings.Repeat("\x00", 16<<20)})},
		{"bomb behind the end", "times its size", gzipBytes(t, tarBytes(t, manifestEntry), make([]byte, 16<<20))},
		{"unpacked size", "more than 20971520 bytes", tgz(t, manifestEntry, tarEntry{name: "package/noise", body: noise(21 << 20)})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadArchive(bytes.NewReader(tt.in), limits)
			if err == nil {
				t.Fatalf("was read: %+v", got)
			}
			if kind := registry.KindOf(err); kind != registry.Invalid || !strings.Contains(registry.Message(err), tt.says) {
				t.Errorf("got %v: %v, want invalid about %q", kind, err, tt.says)
			}
		})
	}
}

// rewriteTar changes one header block and makes its checksum right again.
func rewriteTar(t testing.TB, b []byte, offset int, change func(block []byte)) []byte {
	t.Helper()
	b = bytes.Clone(b)
	block := b[offset : offset+512]
	change(block)
	copy(block[148:156], "        ")
	sum := 0
	for _, c := range block {
		sum += int(c)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

func rewrittenName(t testing.TB, from, to string) []byte {
	return gzipBytes(t, rewriteTar(t, tarBytes(t, tarEntry{name: from, body: testManifest}), 0, func(block []byte) {
		copy(block, to+"\x00")
	}))
}

func noise(n int) string {
	b := make([]byte, n)
	if _, err := rand.NewChaCha8([32]byte{1}).Read(b); err != nil {
		panic(err) // it never fails
	}
	return string(b)
}

func TestReadArchiveKeepsReadErrors(t *testing.T) {
	plain := tgz(t, manifestEntry, tarEntry{name: "package/noise", body: noise(1 << 20)})
	gone := registry.Errorf(registry.Unavailable, "the spool is gone")
	_, err := ReadArchive(io.MultiReader(bytes.NewReader(plain[:len(plain)/2]), iotest.ErrReader(gone)), DefaultLimits)
	if registry.KindOf(err) != registry.Unavailable || !errors.Is(err, gone) {
		t.Errorf("got %v, want %v", err, gone)
	}
}

// FuzzReadArchive compares with what npm would unpack: it takes the first part
// off every name, and a later file replaces an earlier one.
func FuzzReadArchive(f *testing.F) {
	f.Add(tarBytes(f, manifestEntry, tarEntry{name: "package/lib/a.js", body: "x"}))
	f.Add(tarBytes(f, manifestEntry, manifestEntry))
	f.Add(tarBytes(f, tarEntry{name: "package/a", kind: tar.TypeSymlink, link: "b"}, manifestEntry))
	f.Add(tarBytes(f, tarEntry{name: "./package.json", body: testManifest}, tarEntry{name: "x/../y"}))
	f.Add(tarBytes(f, tarEntry{kind: tar.TypeXGlobalHeader, pax: map[string]string{"path": "x"}}, manifestEntry))
	f.Fuzz(func(t *testing.T, plain []byte) {
		limits := Limits{Entries: 8, Unpacked: 64 << 10, Ratio: 200, Manifest: 1 << 10, Path: 200}
		var packed bytes.Buffer
		w, err := gzip.NewWriterLevel(&packed, gzip.NoCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain); err != nil || w.Close() != nil {
			t.Fatal("gzip fails")
		}
		got, err := ReadArchive(&packed, limits)
		if err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		if len(plain) > 64<<10 || len(got.Manifest) > 1<<10 {
			t.Fatal("a limit was passed")
		}
		var manifest []byte
		files := 0
		r := tar.NewReader(bytes.NewReader(plain))
		for {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if h.Typeflag == tar.TypeXGlobalHeader {
				continue
			}
			if strings.HasPrefix(h.Name, "/") || strings.Contains("/"+h.Name+"/", "/../") || strings.Contains(h.Name, `\`) {
				t.Errorf("entry %q was accepted", h.Name)
			}
			if h.Typeflag != tar.TypeReg {
				continue
			}
			files++
			if _, rest, _ := strings.Cut(h.Name, "/"); rest == "package.json" {
				if manifest, err = io.ReadAll(r); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !bytes.Equal(bytes.TrimPrefix(manifest, []byte("\ufeff")), got.Manifest) || files != got.FileCount || files > 8 {
			t.Errorf("npm would see %q and %d files, we %q and %d", manifest, files, got.Manifest, got.FileCount)
		}
	})
}

func BenchmarkReadArchive(b *testing.B) {
	text := strings.Repeat("export function identity(value) { return value }\n// a line of comment "+noise(100), 50)
	large := []tarEntry{manifestEntry}
	for i := range 2000 {
		large = append(large, tarEntry{name: fmt.Sprintf("package/lib/file-%d.js", i), body: fmt.Sprint(i, text)})
	}
	for name, entries := range map[string][]tarEntry{
		"small":          {manifestEntry, {name: "package/index.js", body: text}},
		"2000 files":     large,
		"one large file": {manifestEntry, {name: "package/noise", body: noise(16 << 20)}},
	} {
		b.Run(name, func(b *testing.B) {
			plain := tarBytes(b, entries...)
			packed := gzipBytes(b, plain)
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ReadArchive(bytes.NewReader(packed), DefaultLimits); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
