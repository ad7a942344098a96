package maven_test

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/maven"
	"pakhus/internal/registry"
)

// packagesIn lists all packages of acme/demo, also those that show nothing.
func (w *world) packagesIn() []string {
	w.t.Helper()
	filter := registry.PackageFilter{Readers: registry.Readers{All: true}, Span: registry.Span{ProjectID: 1}, Format: registry.Maven}
	keys, err := w.packages.PackageKeys(w.t.Context(), filter, "", "\U0010ffff", 100)
	check(w.t, err)
	return keys
}

// TestBadPaths is maven.md 17 for paths: refused in every spelling, also to
// those who may do everything, and nothing is stored.
func TestBadPaths(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("a", 256)
	tests := []struct {
		name     string
		path     string
		get, put int
	}{
		{"dot segments", "a/../b/1/b-1.jar", 400, 400},
		{"dot segments that lead out", "../../../api/v4/version", 400, 400},
		{"single dot", "a/./b/1/b-1.jar", 400, 400},
		{"escaped dot segments", "a/%2e%2e/b/1/b-1.jar", 400, 400},
		{"half escaped dot segments", "a/.%2E/b/1/b-1.jar", 400, 400},
		{"empty segment", "a//b/1/b-1.jar", 400, 400},
		{"empty segment in front", "/a/b/1/b-1.jar", 400, 400},
		{"escaped slash", "a/b%2f1/b-1.jar", 400, 400},
		{"escaped slash and dots", "a/b%2fc/..", 400, 400},
		{"escaped backslash", "a/b%5c1/1/b-1.jar", 400, 400},
		{"NUL", "a/b/1/b-1.jar%00.txt", 400, 400},
		{"line feed", "a/b/1/b-1%0a.jar", 400, 400},
		{"delete", "a/b/1/b-1%7f.jar", 400, 400},
		{"C1 control", "a/b/1/b-1%c2%85.jar", 400, 400},
		{"bidi mark", "a/b/1/b-1%e2%80%ae.jar", 400, 400},
		{"invalid UTF-8", "a/b/1/b-1%ff.jar", 400, 400},
		{"overlong slash", "a/b/1/b-1%c0%af.jar", 400, 400},
		{"double escape", "a/b/1/%252e%252e", 400, 400},
		{"percent sign", "a/b/1/b-1%25.jar", 404, 400},
		{"long segment", "a/b/1/" + long, 400, 400},
		{"long path", strings.Repeat(long[:250]+"/", 6) + "a", 400, 400},
		{"41 segments", strings.Repeat("a/", 40) + "a", 400, 400},
		{"matrix parameter", "a/b/1/b-1.jar;x=y", 404, 400},
		{"markup", "a/b/1/%3Cscript%3E.jar", 400, 400},
		{"blank", "a/b/1/b%201.jar", 404, 400},
		{"umlaut", "a/b/1/%c3%bc.jar", 404, 400},
		{"directory", "a/b/1/", 404, 400},
		{"directory called like a file", "a/b/1/b-1.jar/", 404, 400},
		{"too short", "a/b/1.0", 404, 400},
		{"root metadata", "maven-metadata.xml", 404, 400},
		{"snapshot metadata without a group", "a/1.0-SNAPSHOT/maven-metadata.xml", 404, 400},
		{"index", ".index/nexus-maven-repository-index.gz", 404, 403},
		{"meta", ".meta/prefixes.txt", 404, 403},
		{"nexus", ".nexus/attributes/x", 404, 403},
		{"any leading dot", ".x/b/1/b-1.jar", 404, 403},
		{"leading dot inside", "a/.b/1/b-1.jar", 404, 400},
		{"note of the resolver", "a/b/1/_remote.repositories", 404, 400},
		{"failed download", "a/b/1/b-1.jar.lastUpdated", 404, 400},
		{"local metadata", "a/b/1/maven-metadata-local.xml", 404, 400},
		{"its checksum", "a/b/1/maven-metadata-local.xml.sha1", 404, 400},
		{"state of the resolver", "a/b/1/resolver-status.properties", 404, 400},
		{"timestamp as release", "a/b/1-20260301.101500-7/b-1-20260301.101500-7.jar", 404, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := artifactMetadata("a", "b", "1")
			for _, c := range []struct {
				method, token string
				want          int
			}{{http.MethodPut, w.write, tt.put}, {http.MethodGet, w.read, tt.get}, {http.MethodHead, w.read, tt.get}} {
				answer := w.call(c.method, demo+"/"+tt.path, c.token, body)
				if answer.Code != c.want {
					t.Errorf("%s: status = %d, want %d\n%s", c.method, answer.Code, c.want, answer.Body)
				}
			}
			if stored := w.packagesIn(); len(stored) > 0 {
				t.Fatalf("stored: %q", stored)
			}
		})
	}
}

// TestGoodSpellings: what clients escape with different zeal is the same file.
func TestGoodSpellings(t *testing.T) { onEach(t, testGoodSpellings) }

func testGoodSpellings(t *testing.T, w *world) {
	w.put("a/b/1+x/b-1+x.jar", "plus", http.StatusCreated)
	w.put("a/b/1%2Bx/b-1%2bx.jar", "plus", http.StatusOK)
	w.put("a/b/2/b-2~c@d.jar?query=ignored", "tilde", http.StatusCreated)
	for path, want := range map[string]string{
		"a/b/1+x/b-1+x.jar": "plus", "a/b/1%2bx/b-1%2Bx.jar": "plus", "%61/b/1+x/b%2D1+x.jar": "plus",
		"a/b/2/b-2~c@d.jar": "tilde", "a/b/2/b-2%7Ec%40d.jar": "tilde",
	} {
		if got := w.get(path, http.StatusOK); got != want {
			t.Errorf("%s = %q, want %q", path, got, want)
		}
	}
	w.get("a/b/1%20x/b-1%20x.jar", http.StatusNotFound)
}

// TestClashes: a name is a file or a directory, never both, and a refused PUT
// leaves what is there as it is.
func TestClashes(t *testing.T) { onEach(t, testClashes) }

func testClashes(t *testing.T, w *world) {
	w.put("a/b/1/b-1.jar", "jar", http.StatusCreated)
	w.put("a/b/c/d/1/d-1.jar", "jar", http.StatusCreated)
	before := w.packagesIn()
	for name, path := range map[string]string{
		"below a file":             "a/b/1/b-1.jar/x",
		"far below a file":         "a/b/1/b-1.jar/x/y/z.jar",
		"in the place of a group":  "a/b/c/d",
		"in the place of versions": "a/b/c/d/1",
	} {
		t.Run(name, func(t *testing.T) {
			w.put(path, "clash", http.StatusBadRequest)
			if diff := cmp.Diff(w.packagesIn(), before); diff != "" {
				t.Errorf("something was stored (-got +want):\n%s", diff)
			}
		})
	}
	w.get("a/b/1/b-1.jar", http.StatusOK)
	w.get("a/b/c/d/1/d-1.jar", http.StatusOK)
}

// TestBadMetadata: a document that is refused stores nothing and signals
// nothing.
func TestBadMetadata(t *testing.T) {
	w := newWorld(t)
	const path = "org/acme/app/maven-metadata.xml"
	good := artifactMetadata("org.acme", "app", "1.0")
	tests := map[string]string{
		"empty":          "",
		"no XML":         "hello",
		"other root":     "<project/>",
		"cut off":        good[:len(good)-5],
		"document type":  "<!DOCTYPE metadata>" + good,
		"entity":         `<!DOCTYPE m [<!ENTITY a "1.0">]>` + strings.Replace(good, "1.0", "&a;", 1),
		"external file":  `<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + strings.Replace(good, "1.0", "&a;", 1),
		"growing entity": `<!DOCTYPE m [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><metadata>&c;</metadata>`,
		"deep":           "<metadata>" + strings.Repeat("<a>", 30) + strings.Repeat("</a>", 30) + "</metadata>",
		"8 MiB and more": strings.Replace(good, "<versioning>", strings.Repeat(" ", 8<<20)+"<versioning>", 1),
		"many versions":  artifactMetadata("org.acme", "app", strings.Split(strings.Repeat("1,", 50_000)+"1", ",")...),
		"other group":    artifactMetadata("org.evil", "app", "1.0"),
		"other artifact": artifactMetadata("org.acme", "lib", "1.0"),
		"build number":   "<metadata><versioning><snapshot><buildNumber>x</buildNumber></snapshot></versioning></metadata>",
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			w.put(path, body, http.StatusBadRequest)
			if stored := w.packagesIn(); len(stored) > 0 {
				t.Fatalf("stored: %q", stored)
			}
		})
	}
	w.put(path, good, http.StatusOK) // names nothing that is stored: passed over
	w.get(path, http.StatusNotFound)
}

// TestOddFiles: what is inside a jar or a POM never fails an upload.
func TestOddFiles(t *testing.T) {
	w := newWorld(t)
	for file, body := range map[string]string{
		"b-1.jar":         bomb(t),
		"b-1-sources.jar": "no archive",
		"b-1-tests.jar":   "PK\x05\x06" + strings.Repeat("\xff", 18),
		"b-1.pom":         "<project><groupId>other</groupId><artifactId>name</artifactId",
		"b-1.war":         "\x00",
		"b-1.html":        "<script>alert(1)</script>",
	} {
		w.put("a/b/1/"+file, body, http.StatusCreated)
		if got := w.get("a/b/1/"+file, http.StatusOK); got != body {
			t.Errorf("%s has other bytes", file)
		}
	}
	answer := w.call(http.MethodGet, demo+"/a/b/1/b-1.html", w.read, "")
	for header, want := range map[string]string{"Content-Type": "application/octet-stream", "Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"} {
		if got := answer.Header().Get(header); !strings.HasPrefix(got, want) {
			t.Errorf("%s of an uploaded page = %q, want %q", header, got, want)
		}
	}
	w.get("a/maven-metadata.xml", http.StatusNotFound) // no plugin
}

// bomb is a jar whose plugin.xml unpacks to 64 MiB.
func bomb(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	entry, err := z.Create("META-INF/maven/plugin.xml")
	check(t, err)
	_, err = io.WriteString(entry, "<plugin><groupId>a</groupId><artifactId>b</artifactId><goalPrefix>b</goalPrefix>")
	check(t, err)
	blanks := bytes.Repeat([]byte(" "), 1<<20)
	for range 64 {
		_, err = entry.Write(blanks)
		check(t, err)
	}
	_, err = io.WriteString(entry, "</plugin>")
	check(t, err)
	check(t, z.Close())
	return b.String()
}

// TestBadRequests is maven.md 17 and 5.1 for everything but path and content.
func TestBadRequests(t *testing.T) {
	w := newWorld(t)
	const file = demo + "/a/b/1/b-1.jar"
	tests := []struct {
		name, method, target string
		header               []string
		body                 string
		want                 int
		text                 string // in the body
	}{
		{"POST", http.MethodPost, file, nil, "x", 405, ""},
		{"PATCH", http.MethodPatch, file, nil, "x", 405, ""},
		{"MKCOL", "MKCOL", demo + "/a/b", nil, "", 405, ""},
		{"PROPFIND", "PROPFIND", demo + "/a/b/", nil, "", 405, ""},
		{"LOCK", "LOCK", file, nil, "", 405, ""},
		{"deploy by checksum", http.MethodPut, file, []string{"X-Checksum-Deploy", "true"}, "", 400, "X-Checksum-Deploy"},
		{"compressed body", http.MethodPut, file, []string{"Content-Encoding", "gzip"}, "x", 415, ""},
		{"PUT at the group's address", http.MethodPut, acmeGroup + "/a/b/1/b-1.jar", nil, "x", 405, ""},
		{"PUT at the instance's address", http.MethodPut, instance + "/a/b/1/b-1.jar", nil, "x", 405, ""},
		{"checksum that is none", http.MethodPut, file + ".sha1", nil, "hello", 400, ""},
		{"checksum of 4 KiB and more", http.MethodPut, file + ".sha1", nil, strings.Repeat("0", 5000), 400, ""},
		{"checksum of another length", http.MethodPut, file + ".sha256", nil, sums("x")["sha1"], 400, ""},
		{"GitLab's internal route", http.MethodPut, file + "/authorize", nil, "", 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer := w.call(tt.method, tt.target, w.group, tt.body, tt.header...)
			if answer.Code != tt.want || !strings.Contains(answer.Body.String(), tt.text) {
				t.Errorf("status = %d, want %d\n%s", answer.Code, tt.want, answer.Body)
			}
			if allow := answer.Header().Get("Allow"); (answer.Code == 405) != (allow != "") {
				t.Errorf("Allow = %q", allow)
			}
			if stored := w.packagesIn(); len(stored) > 0 {
				t.Fatalf("stored: %q", stored)
			}
		})
	}
	answer := w.call(http.MethodOptions, file, "", "")
	if answer.Code/100 != 2 || answer.Header().Get("Allow") == "" || answer.Header().Get("Dav") != "" {
		t.Errorf("OPTIONS: %d %v", answer.Code, answer.Header())
	}
}

// cutReader ends as a connection does whose Content-Length promised more.
type cutReader struct{ io.Reader }

func (c cutReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// TestShortBody: a body that breaks off stores nothing, whatever it was to be.
func TestShortBody(t *testing.T) {
	w := newWorld(t)
	for name, body := range map[string]string{
		"b-1.jar": "half a jar", "b-1.jar.sha1": sums("x")["sha1"], "b-1.jar.asc": "half a signature", "../maven-metadata.xml": artifactMetadata("a", "b", "1"),
	} {
		t.Run(name, func(t *testing.T) {
			path := "a/b/1/" + name
			if up, ok := strings.CutPrefix(name, "../"); ok {
				path = "a/b/" + up
			}
			request := httptest.NewRequest(http.MethodPut, demo+"/"+path, cutReader{strings.NewReader(body)})
			request.ContentLength = int64(len(body)) + 10
			request.Header.Set("Deploy-Token", w.write)
			w.want(w.send(request), http.StatusBadRequest)
			if stored := w.packagesIn(); len(stored) > 0 {
				t.Fatalf("stored: %q", stored)
			}
		})
	}
}

// FuzzRequests: no path and no body is our fault, an absent file is plain text,
// and what was stored comes back under its path.
func FuzzRequests(f *testing.F) {
	for _, path := range []string{
		"a/b/1/b-1.jar", "a/b/1/b-1.jar.sha1", "a/b/1/b-1.jar.asc.md5", "a/b/1-SNAPSHOT/b-1-20260301.101500-7.jar", "a/b/1-SNAPSHOT/maven-metadata.xml",
		"a/b/maven-metadata.xml", "a/../b", "a/%2e%2e/b", ".meta/prefixes.txt", "archetype-catalog.xml", "a/b/", "", "a/b/1/%252e", "a/b%2fc/1/x", "a/maven-metadata.xml.asc",
	} {
		f.Add(path, artifactMetadata("a", "b", "1"))
		f.Add(path, sums("x")["sha1"])
	}
	whole := newWorld(f)
	f.Fuzz(func(t *testing.T, path, body string) {
		here := *whole
		w := &here
		w.t = t
		target := demo + "/" + path
		if u, err := url.ParseRequestURI(target); err != nil || u.EscapedPath() != strings.SplitN(target, "?", 2)[0] || strings.ContainsAny(target, " #\r\n") {
			return // no HTTP request line holds it
		}
		for _, call := range []struct{ method, token string }{
			{http.MethodPut, w.read}, {http.MethodPut, ""}, {http.MethodPut, w.write}, {http.MethodGet, w.read}, {http.MethodHead, w.read}, {http.MethodDelete, w.read},
		} {
			answer := w.call(call.method, target, call.token, body, "Accept", "application/problem+json,*/*")
			if answer.Code >= 500 {
				t.Fatalf("%s %q: %d %s", call.method, path, answer.Code, answer.Body)
			}
			if answer.Code == http.StatusNotFound && strings.Contains(answer.Header().Get("Content-Type"), "problem") {
				t.Errorf("%s %q: a problem document for 404", call.method, path)
			}
			if call.method == http.MethodPut && call.token != w.write && answer.Code/100 == 2 {
				t.Errorf("PUT %q without the right: %d", path, answer.Code)
			}
			if call.method == http.MethodPut && answer.Code == http.StatusCreated {
				p, err := maven.ParsePath(strings.SplitN(path, "?", 2)[0])
				if err != nil || p.CheckWrite() != nil || p.Kind != maven.KindFile {
					t.Fatalf("PUT %q was accepted", path)
				}
				if got := w.call(http.MethodGet, demo+"/"+p.Escaped(), w.read, ""); got.Code != http.StatusOK || got.Body.String() != body {
					t.Errorf("%q comes back as %d %q, want %q", path, got.Code, got.Body, body)
				}
			}
		}
	})
}
