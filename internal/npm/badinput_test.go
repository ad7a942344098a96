package npm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"pakhus/internal/npm"
	"pakhus/internal/registry"
)

// nothingStored proves that a refusal left nothing behind: no package, no file,
// no bytes in the bucket.
func (w *world) nothingStored(t *testing.T, name string) {
	t.Helper()
	heads, err := w.packages.Packages(t.Context(), registry.NPM, name)
	check(t, err)
	if len(heads) != 0 {
		t.Errorf("%s exists", name)
	}
	check(t, w.bucket.List(t.Context(), "", func(b registry.BlobInfo) error {
		t.Errorf("blob %s was left behind", b.Key)
		return nil
	}))
}

// Every body of npm.md 20 that a publish must refuse.
func TestBadPublishes(t *testing.T) {
	good := func() object { return pkg{name: "lib", version: "1.0.0"}.body(t) }
	edit := func(f func(body, manifest, attachment object)) object {
		body := good()
		f(body, body["versions"].(object)["1.0.0"].(object), body["_attachments"].(object)["lib-1.0.0.tgz"].(object))
		return body
	}
	withTarball := func(data []byte) object {
		return pkg{name: "lib", version: "1.0.0", tarball: data}.body(t)
	}
	version := func(v string) object { return pkg{name: "lib", version: v}.body(t) }
	tagged := func(tag string) object { return pkg{name: "lib", version: "1.0.0", tag: tag}.body(t) }
	text := func(v any) string {
		encoded, err := json.Marshal(v)
		check(t, err)
		return string(encoded)
	}
	manifest := entry{"package/package.json", `{"name":"lib","version":"1.0.0"}`}
	tests := map[string]any{
		"not JSON":             "hello",
		"empty":                "",
		"array":                "[]",
		"null":                 "null",
		"string":               `"x"`,
		"trailing bytes":       text(good()) + "x",
		"BOM":                  "\ufeff" + text(good()),
		"cut off":              text(good())[:len(text(good()))-20],
		"duplicate keys":       `{"name":"lib","name":"lib",` + text(good())[1:],
		"deep nesting":         `{"name":"lib","versions":{"1.0.0":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}}`,
		"no versions":          edit(func(b, _, _ object) { delete(b, "versions") }),
		"versions empty":       edit(func(b, _, _ object) { b["versions"] = object{} }),
		"versions no object":   edit(func(b, _, _ object) { b["versions"] = []string{} }),
		"two new versions":     edit(func(b, m, _ object) { v := maps.Clone(m); v["version"] = "2.0.0"; b["versions"].(object)["2.0.0"] = v }),
		"no name":              edit(func(b, _, _ object) { delete(b, "name"); delete(b, "_id") }),
		"other name":           edit(func(b, _, _ object) { b["name"] = "other" }),
		"other _id":            edit(func(b, _, _ object) { b["_id"] = "other" }),
		"manifest's name":      edit(func(_, m, _ object) { m["name"] = "other" }),
		"manifest's version":   edit(func(_, m, _ object) { m["version"] = "1.0.1" }),
		"manifest no object":   edit(func(b, _, _ object) { b["versions"] = object{"1.0.0": "x"} }),
		"foreign attachment":   edit(func(b, _, a object) { b["_attachments"] = object{"other-1.0.0.tgz": a} }),
		"other version's file": edit(func(b, _, a object) { b["_attachments"] = object{"lib-1.0.1.tgz": a} }),
		"two attachments":      edit(func(b, _, a object) { b["_attachments"].(object)["x/lib-1.0.0.tgz"] = a }),
		"no data":              edit(func(_, _, a object) { a["data"] = "" }),
		"data no text":         edit(func(_, _, a object) { a["data"] = 7 }),
		"bad base64":           edit(func(_, _, a object) { a["data"] = "!!!!" }),
		"base64 without end":   edit(func(_, _, a object) { a["data"] = strings.TrimRight(a["data"].(string), "=")[:9] }),
		"wrong length":         edit(func(_, _, a object) { a["length"] = a["length"].(int) + 1 }),
		"wrong shasum":         edit(func(_, m, _ object) { m["dist"].(object)["shasum"] = strings.Repeat("0", 40) }),
		"wrong integrity":      edit(func(_, m, _ object) { m["dist"].(object)["integrity"] = "sha512-" + strings.Repeat("A", 86) + "==" }),
		"weak integrity":       edit(func(_, m, _ object) { m["dist"].(object)["integrity"] = "sha1-AAAA" }),
		"version v1.0.0":       version("v1.0.0"),
		"version 1.0":          version("1.0"),
		"version with build":   version("1.0.0+x"),
		"leading zero":         version("01.0.0"),
		"300 characters":       version("1.0.0-" + strings.Repeat("a", 300)),
		"emoji":                version("1.0.0-😀"),
		"huge number":          version("99999999999999999999.0.0"),
		"tag is a version":     tagged("2.0.0"),
		"tag is a range":       tagged("^1"),
		"tag is a star":        tagged("*"),
		"tag of 1 KiB":         tagged(strings.Repeat("a", 1024)),
		"tag with dots":        tagged("../x"),
		"tag of other version": edit(func(b, _, _ object) { b["dist-tags"] = object{"latest": "3.0.0"} }),
		"empty tag":            edit(func(b, _, _ object) { b["dist-tags"] = object{"": "1.0.0"} }),
		"not gzip":             withTarball([]byte("plain text")),
		"zip":                  withTarball([]byte("PK\x03\x04 whatever follows")),
		"gzip of no tar":       withTarball(gzipped(t, bytes.Repeat([]byte("x"), 2048))),
		"no package.json":      withTarball(tarball(t, entry{"package/index.js", "1"})),
		"two package.json":     withTarball(tarball(t, manifest, manifest)),
		"case twin":            withTarball(tarball(t, manifest, entry{"package/Package.JSON", "{}"})),
		"leads out":            withTarball(tarball(t, manifest, entry{"package/../../etc/passwd", "x"})),
		"leads out, Windows":   withTarball(tarball(t, manifest, entry{`package\..\..\x`, "x"})),
		"absolute":             withTarball(tarball(t, manifest, entry{"/etc/passwd", "x"})),
		"drive letter":         withTarball(tarball(t, manifest, entry{`C:\x`, "x"})),
		"symlink manifest":     withTarball(special(t, tar.Header{Name: "package/package.json", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})),
		"symlink out":          withTarball(special(t, tar.Header{Name: "package/x", Typeflag: tar.TypeSymlink, Linkname: "../../x"}, manifest)),
		"hard link":            withTarball(special(t, tar.Header{Name: "package/x", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}, manifest)),
		"device":               withTarball(special(t, tar.Header{Name: "package/x", Typeflag: tar.TypeChar}, manifest)),
		"gzip bomb":            withTarball(gzipped(t, make([]byte, 64<<20))),
		"damaged end":          withTarball(func() []byte { d := tarball(t, manifest); return d[:len(d)-6] }()),
		"archive's name":       pkg{name: "lib", version: "1.0.0", inner: object{"name": "other", "version": "1.0.0"}}.body(t),
		"archive's version":    pkg{name: "lib", version: "1.0.0", inner: object{"name": "lib", "version": "1.0.1"}}.body(t),
		"hidden install script": pkg{name: "lib", version: "1.0.0", inner: object{
			"name": "lib", "version": "1.0.0", "scripts": object{"postinstall": "evil"},
		}}.body(t),
		"hidden dependency": pkg{name: "lib", version: "1.0.0", inner: object{
			"name": "lib", "version": "1.0.0", "dependencies": object{"evil": "1"},
		}}.body(t),
		"hidden program": pkg{name: "lib", version: "1.0.0", inner: object{"name": "lib", "version": "1.0.0", "bin": "evil.js"}}.body(t),
	}
	w := newWorld(t)
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			a := w.call(http.MethodPut, demo+"/lib", w.write, body)
			if a.Code != http.StatusBadRequest {
				t.Errorf("status = %d, want 400\n%s", a.Code, a.Body)
			}
			if message, ok := a.field(t, "error").(string); !ok || len(message) < 10 {
				t.Errorf("no clear text: %s", a.Body)
			}
			w.nothingStored(t, "lib")
		})
	}
	w.publish(pkg{name: "lib", version: "1.0.0"}) // the good body is good
}

// Text that is not UTF-8 is replaced: it must never break the packument.
func TestInvalidUTF8(t *testing.T) {
	w := newWorld(t)
	for i, broken := range []string{"\xff", `\ud800`, "\xed\xa0\x80"} {
		version := fmt.Sprintf("1.0.%d", i)
		encoded, err := json.Marshal(pkg{name: "lib", version: version, manifest: object{"description": "mark"}}.body(t))
		check(t, err)
		a := w.call(http.MethodPut, demo+"/lib", w.write, bytes.Replace(encoded, []byte("mark"), []byte(broken), 1))
		if a.Code != http.StatusOK && a.Code != http.StatusBadRequest {
			t.Errorf("%q: %d %s", broken, a.Code, a.Body)
		}
	}
	if doc := w.call(http.MethodGet, demo+"/lib", w.read, nil); doc.Code == http.StatusOK && (!utf8.Valid(doc.Body.Bytes()) || !json.Valid(doc.Body.Bytes())) {
		t.Errorf("the packument is broken: %q", doc.Body)
	}
}

// An operator may let manifests differ from their tarballs; the publisher is told.
func TestConfusionWarning(t *testing.T) {
	w := newWorld(t, func(o *npm.Options) { o.Confusion = npm.WarnOfConfusion })
	body := pkg{name: "lib", version: "1.0.0", inner: object{"name": "lib", "version": "1.0.0", "dependencies": object{"x": "1"}}}.body(t)
	a := w.want(w.call(http.MethodPut, demo+"/lib", w.write, body), http.StatusOK)
	if !strings.Contains(a.Header().Get("Npm-Notice"), "dependencies") {
		t.Errorf("notice: %q", a.Header().Get("Npm-Notice"))
	}
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	check(t, err)
	check(t, z.Close())
	return b.Bytes()
}

// special makes a tarball whose first entry is not a file.
func special(t *testing.T, header tar.Header, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	archive := tar.NewWriter(z)
	check(t, archive.WriteHeader(&header))
	for _, e := range entries {
		check(t, archive.WriteHeader(&tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.body)), Typeflag: tar.TypeReg}))
		_, err := archive.Write([]byte(e.body))
		check(t, err)
	}
	check(t, archive.Close())
	check(t, z.Close())
	return b.Bytes()
}

func TestBadNames(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{
		"Lib", "_lib", ".lib", "a b", "node_modules", "favicon.ico", "fs", "http", "@acme/.lib", "@Acme/lib", strings.Repeat("a", 215), "li~b", "lib!", "ünicode",
	} {
		body := pkg{name: name, version: "1.0.0"}.body(t)
		a := w.call(http.MethodPut, demo+"/"+strings.NewReplacer("/", "%2f", " ", "%20", "ü", "%C3%BC").Replace(name), w.write, body)
		if a.Code != http.StatusBadRequest && a.Code != http.StatusNotFound {
			t.Errorf("%q: status %d %s", name, a.Code, a.Body)
		}
	}
	for _, name := range []string{"a", "1", "lib.tgz", "__proto__", "constructor", "hasOwnProperty"} {
		if strings.HasPrefix(name, "_") || strings.ToLower(name) != name {
			continue // new unscoped names begin with a letter or digit, in lower case
		}
		w.publish(pkg{name: name, version: "1.0.0"})
		w.want(w.call(http.MethodGet, demo+"/"+name, w.read, nil), http.StatusOK)
	}
	w.publish(pkg{name: "red-button", version: "1.0.0"})
	for _, twin := range []string{"redbutton", "red_button", "red.button"} {
		w.want(w.call(http.MethodPut, demo+"/"+twin, w.write, pkg{name: twin, version: "1.0.0"}.body(t)), http.StatusForbidden)
	}
}

// Manifests whose fields have unusual shapes are the user's own, and are served
// as they came.
func TestPolymorphicManifests(t *testing.T) {
	w := newWorld(t)
	for i, fields := range []object{
		{"bin": "x.js"},
		{"bin": object{}},
		{"license": object{"type": "MIT"}},
		{"licenses": []string{"MIT"}},
		{"repository": "a/b"},
		{"author": object{"name": "x"}},
		{"keywords": "a b"},
		{"bundleDependencies": true},
		{"bundleDependencies": []string{}},
		{"engines": []string{}},
		{"os": "linux"},
		{"funding": []string{"x"}},
		{"dependencies": []string{}},
		{"dependencies": nil},
		{"man": "x.1"},
		{"description": 7},
		{"__proto__x": 1, "constructor": object{"prototype": 1}},
		{"volta": object{"node": "20"}},
		{"publishConfig": object{"access": "public"}},
		{"long": strings.Repeat("x", 30_000)},
	} {
		version := fmt.Sprintf("1.0.%d", i)
		w.publish(pkg{name: "lib", version: version, manifest: fields})
		a := w.want(w.call(http.MethodGet, demo+"/lib/"+version, w.read, nil), http.StatusOK)
		for key, value := range fields {
			encoded, err := json.Marshal(value)
			check(t, err)
			got, err := json.Marshal(a.field(t, key))
			check(t, err)
			if !bytes.Equal(got, encoded) {
				t.Errorf("%s = %s, want %s", key, got, encoded)
			}
		}
	}
	for i, deprecated := range []any{true, false, "", "old"} {
		version := fmt.Sprintf("2.0.%d", i)
		w.publish(pkg{name: "lib", version: version, manifest: object{"deprecated": deprecated}})
		got := w.call(http.MethodGet, demo+"/lib/"+version, w.read, nil).field(t, "deprecated")
		_, isText := got.(string)
		if wanted := deprecated == true || deprecated == "old"; isText != wanted {
			t.Errorf("deprecated %v is served as %v", deprecated, got)
		}
	}
}

func TestLimits(t *testing.T) {
	w := newWorld(t, func(o *npm.Options) { o.MaxUpload = 1000 })
	noise := make([]byte, 2000)
	for i := range noise {
		noise[i] = byte(i * i >> 3)
	}
	large := pkg{name: "lib", version: "1.0.0", tarball: noise}.body(t)
	large["_attachments"].(object)["lib-1.0.0.tgz"].(object)["length"] = 10 // what the client says does not count
	a := w.want(w.call(http.MethodPut, demo+"/lib", w.write, large), http.StatusRequestEntityTooLarge)
	if !strings.Contains(a.Body.String(), "1000") {
		t.Errorf("the refusal does not tell the limit: %s", a.Body)
	}
	manifest := pkg{name: "lib", version: "1.0.0", manifest: object{"x": strings.Repeat("x", 2<<20)}, tarball: []byte("x")}
	if got := w.call(http.MethodPut, demo+"/lib", w.write, manifest.body(t)).Code; got != http.StatusRequestEntityTooLarge && got != http.StatusBadRequest {
		t.Errorf("a manifest of 2 MiB: %d", got)
	}
	w.nothingStored(t, "lib")
}

// A client that leaves in the middle of a body leaves nothing behind.
func TestClientLeaves(t *testing.T) {
	w := newWorld(t)
	body, err := json.Marshal(pkg{name: "lib", version: "1.0.0"}.body(t))
	check(t, err)
	for _, part := range []int{1, len(body) / 3, len(body) / 2, len(body) - 1} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, demo+"/lib", io.MultiReader(bytes.NewReader(body[:part]), brokenReader{}))
		check(t, err)
		r.Header.Set("Authorization", "Bearer "+w.write)
		if a := w.send(r); a.Code < 400 {
			t.Errorf("a body cut at %d: %d", part, a.Code)
		}
		w.nothingStored(t, "lib")
	}
	w.publish(pkg{name: "lib", version: "1.0.0"}) // no lock is left
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Spellings of one address are one thing to the gate, or nothing at all
// (threats.md P1, P2, P4, P5).
func TestHostilePaths(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0"})
	w.want(w.call(http.MethodPut, "/api/v4/projects/3/packages/npm/secret", w.foreign, pkg{name: "secret", version: "1.0.0"}.body(t)), http.StatusOK)
	for _, path := range []string{
		demo + "/../../3/packages/npm/secret", demo + "/%2e%2e/%2e%2e/3/packages/npm/secret", demo + "/..%2f..%2f3%2fpackages%2fnpm%2fsecret",
		"/api/v4/projects/1%2f..%2f3/packages/npm/secret", "/api/v4/projects/3;1/packages/npm/secret", "/api/v4/projects/03/packages/npm/secret",
		"/api/v4//projects/3/packages/npm/secret", "/API/v4/projects/3/packages/npm/secret", "/api/v4/projects/3/packages/NPM/secret",
		"/api/v4/projects/3/packages/npm/secret/", "/api/v4/projects/3/packages/npm//secret", "/api/v4/projects/3/packages/npm/secret%00",
		"/api/v4/projects/3/packages/npm/secret/-/..%2fsecret-1.0.0.tgz", "/api/v4/projects/3/packages/npm/%73ecret", "/api/v4/projects/%33/packages/npm/secret",
		demo + "/lib/-/..%2f..%2f..%2f3%2fpackages%2fnpm%2fsecret%2f-%2fsecret-1.0.0.tgz", demo + "/lib/-/secret-1.0.0.tgz", demo + "/%252e%252e/x",
		demo + "/lib%0d%0aX-Evil:1", demo + "/lib\u202e", demo + "/lib%5c..%5cx", "/api/v4/groups/1/-/packages/npm/../../../../projects/3/packages/npm/secret",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://registry.test/", nil)
		check(t, err)
		r.URL.Path, r.URL.RawPath = "", ""
		if r.URL, err = r.URL.Parse(path); err != nil {
			continue // net/http would not take it from the wire either
		}
		r.Header.Set("Authorization", "Bearer "+w.read)
		a := w.send(r)
		if a.Code != http.StatusBadRequest && a.Code != http.StatusNotFound && a.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", path, a.Code, a.Body)
		}
	}
}

// Attacks on names as keys of objects and of SQL patterns (threats.md P8).
func TestPatternsInNames(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "a_b", version: "1.0.0"})
	w.publish(pkg{name: "axb", version: "1.0.0"})
	for _, name := range []string{"a_b", "axb"} {
		if got := w.call(http.MethodGet, demo+"/"+name, w.read, nil).field(t, "name"); got != name {
			t.Errorf("asked for %s, got %v", name, got)
		}
	}
	for _, text := range []string{"a%25b", "%25", "_", "'%20OR%201=1", "a%27"} {
		a := w.want(w.call(http.MethodGet, demo+"/-/v1/search?text="+text, w.read, nil), http.StatusOK)
		if total, ok := a.field(t, "total").(float64); !ok || total > 2 {
			t.Errorf("search %s: %s", text, a.Body)
		}
	}
}

func TestBase64IsStrict(t *testing.T) {
	w := newWorld(t)
	body := pkg{name: "lib", version: "1.0.0"}.body(t)
	attachment := body["_attachments"].(object)["lib-1.0.0.tgz"].(object)
	data, err := base64.StdEncoding.DecodeString(attachment["data"].(string))
	check(t, err)
	attachment["data"] = base64.URLEncoding.EncodeToString(append(data, 0xff, 0xfe, 0xfb))
	w.want(w.call(http.MethodPut, demo+"/lib", w.write, body), http.StatusBadRequest)
}
