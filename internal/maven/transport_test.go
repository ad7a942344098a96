package maven_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestConditionalFile is maven.md 10 for a file: validators, ranges, and the
// whole file's checksums with each answer that has content to say of.
func TestConditionalFile(t *testing.T) {
	w := newWorld(t)
	const body = "0123456789"
	w.put(jarPath, body, http.StatusCreated)
	plain := w.want(w.call(http.MethodGet, demo+"/"+jarPath, w.read, ""), http.StatusOK)
	etag, modified := plain.Header().Get("ETag"), plain.Header().Get("Last-Modified")
	if !strings.HasPrefix(etag, `"`) || len(etag) < 20 {
		t.Fatalf("ETag %q is not strong", etag)
	}
	at, err := http.ParseTime(modified)
	check(t, err)
	earlier, later := at.Add(-time.Minute).Format(http.TimeFormat), at.Add(time.Minute).Format(http.TimeFormat)
	tests := []struct {
		name         string
		header       []string
		status       int
		body         string
		contentRange string
	}{
		{"known", []string{"If-None-Match", etag}, 304, "", ""},
		{"known among others", []string{"If-None-Match", `"x", W/` + etag}, 304, "", ""},
		{"other", []string{"If-None-Match", `"x"`}, 200, body, ""},
		{"not modified since", []string{"If-Modified-Since", modified}, 304, "", ""},
		{"later", []string{"If-Modified-Since", later}, 304, "", ""},
		{"modified since", []string{"If-Modified-Since", earlier}, 200, body, ""},
		{"no date", []string{"If-Modified-Since", "yesterday"}, 200, body, ""},
		{"ETag before date", []string{"If-None-Match", `"x"`, "If-Modified-Since", modified}, 200, body, ""},
		{"resumed", []string{"Range", "bytes=4-"}, 206, "456789", "bytes 4-9/10"},
		{"middle", []string{"Range", "bytes=2-3"}, 206, "23", "bytes 2-3/10"},
		{"end", []string{"Range", "bytes=-3"}, 206, "789", "bytes 7-9/10"},
		{"beyond the end", []string{"Range", "bytes=8-100"}, 206, "89", "bytes 8-9/10"},
		{"nothing left", []string{"Range", "bytes=10-"}, 416, "", "bytes */10"},
		{"resumed, same file", []string{"Range", "bytes=4-", "If-Range", etag}, 206, "456789", "bytes 4-9/10"},
		{"resumed, other file", []string{"Range", "bytes=4-", "If-Range", `"x"`}, 200, body, ""},
		{"resumed, same date", []string{"Range", "bytes=4-", "If-Range", modified}, 206, "456789", "bytes 4-9/10"},
		{"resolver resumes", []string{"Range", "bytes=4-", "If-Unmodified-Since", modified}, 206, "456789", "bytes 4-9/10"},
		{"resolver resumes another file", []string{"Range", "bytes=4-", "If-Unmodified-Since", earlier}, 412, "", ""},
		{"never compressed", []string{"Accept-Encoding", "gzip, zstd, deflate"}, 200, body, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				got := w.call(method, demo+"/"+jarPath, w.read, "", tt.header...)
				if got.Code != tt.status {
					t.Fatalf("%s: status = %d, want %d\n%s", method, got.Code, tt.status, got.Body)
				}
				if method == http.MethodHead && tt.status < 400 && got.Body.Len() > 0 { // net/http drops that of errors
					t.Errorf("HEAD has a body: %q", got.Body)
				}
				if method == http.MethodGet && tt.status < 400 && got.Body.String() != tt.body {
					t.Errorf("body = %q, want %q", got.Body, tt.body)
				}
				if r := got.Header().Get("Content-Range"); r != tt.contentRange {
					t.Errorf("%s: Content-Range = %q, want %q", method, r, tt.contentRange)
				}
				if got.Header().Get("Content-Encoding") != "" {
					t.Errorf("%s: compressed", method)
				}
				if tt.status < 400 && (got.Header().Get("ETag") != etag || tt.status != 304 && got.Header().Get("Last-Modified") != modified) {
					t.Errorf("%s: ETag = %q, Last-Modified = %q", method, got.Header().Get("ETag"), got.Header().Get("Last-Modified"))
				}
				checkSums(t, got, body, tt.status < 400)
			}
		})
	}
}

// checkSums tells whether an answer names the checksums of a body, or none.
func checkSums(t *testing.T, a *httptest.ResponseRecorder, body string, wanted bool) {
	t.Helper()
	for name, sum := range sums(body) {
		if !wanted {
			sum = ""
		}
		if got := a.Header().Get("X-Checksum-" + name); got != sum {
			t.Errorf("status %d: X-Checksum-%s = %q, want %q", a.Code, name, got, sum)
		}
	}
}

// TestWagonDate: Wagon writes dates in a form of its own. It may be understood
// or passed over, but is no error.
func TestWagonDate(t *testing.T) {
	w := newWorld(t)
	w.put(jarPath, "x", http.StatusCreated)
	for _, date := range []string{"Sun, 01-Mar-26 23:00:00 GMT", "Thu, 01-Jan-70 00:00:00 UTC"} {
		if got := w.call(http.MethodGet, demo+"/"+jarPath, w.read, "", "If-Modified-Since", date).Code; got != 200 && (got != 304 || strings.Contains(date, "70")) {
			t.Errorf("If-Modified-Since: %s gives %d", date, got)
		}
	}
}

// TestHeadIsGet: HEAD says all that GET does, of files, checksums, documents
// and listings.
func TestHeadIsGet(t *testing.T) {
	w := newWorld(t)
	w.deploy("1.0")
	for _, path := range []string{jarPath, jarPath + ".sha1", "org/acme/app/maven-metadata.xml", "org/acme/app/maven-metadata.xml.md5", "org/acme/app/"} {
		t.Run(path, func(t *testing.T) {
			get := w.want(w.call(http.MethodGet, demo+"/"+path, w.read, ""), http.StatusOK)
			head := w.want(w.call(http.MethodHead, demo+"/"+path, w.read, ""), http.StatusOK)
			for _, a := range []*httptest.ResponseRecorder{get, head} {
				a.Header().Del("X-Request-Id")
				a.Header().Del("Date")
			}
			if diff := cmp.Diff(head.Header(), get.Header()); diff != "" {
				t.Errorf("headers (-HEAD +GET):\n%s", diff)
			}
			if get.Header().Get("Content-Length") == "" && !strings.HasSuffix(path, "/") {
				t.Error("the length is not told")
			}
		})
	}
}

// TestConditionalMetadata: a document keeps its validators until it changes.
func TestConditionalMetadata(t *testing.T) {
	w := newWorld(t)
	const path = demo + "/org/acme/app/maven-metadata.xml"
	w.deploy("1.0")
	first := w.want(w.call(http.MethodGet, path, w.read, ""), http.StatusOK)
	etag := first.Header().Get("ETag")
	w.clock.Advance(time.Hour)
	w.get(jarPath, http.StatusOK)
	again := w.want(w.call(http.MethodGet, path, w.read, "", "If-None-Match", etag), http.StatusNotModified)
	checkSums(t, again, first.Body.String(), true)
	at, err := http.ParseTime(first.Header().Get("Last-Modified"))
	check(t, err)
	if said := "<lastUpdated>" + at.UTC().Format("20060102150405") + "</lastUpdated>"; !strings.Contains(first.Body.String(), said) {
		t.Errorf("%s is not in\n%s", said, first.Body)
	}
	if got := first.Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("Cache-Control = %q", got)
	}
	w.deploy("1.1")
	changed := w.want(w.call(http.MethodGet, path, w.read, "", "If-None-Match", etag), http.StatusOK)
	if changed.Header().Get("ETag") == etag {
		t.Error("the ETag did not change with the document")
	}
	checkSums(t, changed, changed.Body.String(), true)
}

// TestContentTypes is maven.md 10, last row.
func TestContentTypes(t *testing.T) {
	w := newWorld(t)
	for ending, want := range map[string]string{
		".jar": "application/java-archive", ".war": "application/java-archive", ".ear": "application/java-archive", ".aar": "application/java-archive",
		".pom": "application/xml", "-features.xml": "application/xml", ".module": "application/json", ".jar.asc": "text/plain",
		".tar.gz": "application/octet-stream", ".html": "application/octet-stream", ".svg": "application/octet-stream", "": "application/octet-stream",
	} {
		path := "org/acme/app/1.0/app-1.0" + ending
		w.put(path, "<html>"+ending, http.StatusCreated)
		got := w.want(w.call(http.MethodGet, demo+"/"+path, w.read, "", "Accept-Encoding", "gzip"), http.StatusOK).Header()
		if ct := got.Get("Content-Type"); ct != want {
			t.Errorf("%s is %q, want %q", ending, ct, want)
		}
		if got.Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed", ending)
		}
		if sum := w.want(w.call(http.MethodGet, demo+"/"+path+".sha256", w.read, ""), http.StatusOK); sum.Header().Get("Content-Type") != "text/plain" {
			t.Errorf("the checksum of %s is %q", ending, sum.Header().Get("Content-Type"))
		}
	}
}

// TestErrorForms is maven.md 11: a problem document only where no client acts on
// the bare status, and only for those that read it; else one line of text.
func TestErrorForms(t *testing.T) {
	w := newWorld(t)
	w.put(jarPath, "one", http.StatusCreated)
	const resolver, gradle = "application/problem+json,*/*", "Gradle/9.0.0 (Linux)"
	tests := []struct {
		name, method, path, token, accept, agent, body string
		status                                         int
		problem                                        bool
	}{
		{"redeploy, resolver", "PUT", jarPath, w.write, resolver, "", "two", 409, true},
		{"redeploy, Gradle", "PUT", jarPath, w.write, "", gradle, "two", 409, true},
		{"redeploy, Wagon", "PUT", jarPath, w.write, "*/*", "Apache-Maven/3.8.7", "two", 409, false},
		{"bad name", "PUT", "org/acme/app/1.0/a%20b", w.write, resolver, "", "x", 400, true},
		{"no right to write", "PUT", jarPath, w.read, resolver, "", "x", 403, true},
		{"reserved", "PUT", ".index/x", w.write, resolver, "", "x", 403, true},
		{"nobody", "PUT", jarPath, "", resolver, gradle, "x", 401, false},
		{"absent", "GET", "org/acme/app/2.0/app-2.0.jar", w.read, resolver, gradle, "", 404, false},
		{"absent metadata", "GET", "org/acme/no/maven-metadata.xml", w.read, resolver, gradle, "", 404, false},
		{"bad path", "GET", "a//b", w.read, resolver, gradle, "", 400, false},
		{"delete of an absent file", "DELETE", "org/acme/app/2.0/app-2.0.jar", w.write, resolver, gradle, "", 404, false},
		{"method", "POST", jarPath, w.write, resolver, gradle, "x", 405, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := w.call(tt.method, demo+"/"+tt.path, tt.token, tt.body, "Accept", tt.accept, "User-Agent", tt.agent)
			w.want(a, tt.status)
			want := "text/plain"
			if tt.problem {
				want = "application/problem+json"
			}
			if got := a.Header().Get("Content-Type"); !strings.HasPrefix(got, want) {
				t.Errorf("type = %q, want %q", got, want)
			}
			text := strings.TrimSuffix(a.Body.String(), "\n")
			if text == "" || !tt.problem && (len(text) > 200 || strings.ContainsAny(text, "\r\n<>")) {
				t.Errorf("text = %q", text)
			}
			checkSums(t, a, "one", false)
			if got := a.Header().Get("Cache-Control"); tt.status == 404 && got != "no-store" {
				t.Errorf("Cache-Control of a 404 = %q", got)
			}
		})
	}
}

// TestConditionalPut: scripts compare and swap.
func TestConditionalPut(t *testing.T) {
	w := newWorld(t)
	const literal = "org/acme/app/1.0-SNAPSHOT/app-1.0-SNAPSHOT.jar"
	put := func(body, header, value string, status int) {
		t.Helper()
		w.want(w.call(http.MethodPut, demo+"/"+literal, w.write, body, header, value), status)
	}
	put("one", "If-Match", `"x"`, http.StatusPreconditionFailed)
	w.get(literal, http.StatusNotFound)
	put("one", "If-None-Match", "*", http.StatusCreated)
	put("two", "If-None-Match", "*", http.StatusPreconditionFailed)
	put("two", "If-Match", `"x"`, http.StatusPreconditionFailed)
	if got := w.get(literal, http.StatusOK); got != "one" {
		t.Fatalf("file = %q", got)
	}
	etag := w.call(http.MethodGet, demo+"/"+literal, w.read, "").Header().Get("ETag")
	put("two", "If-Match", etag, http.StatusOK)
	put("three", "If-Match", etag, http.StatusPreconditionFailed)
	if got := w.get(literal, http.StatusOK); got != "two" {
		t.Errorf("file = %q", got)
	}
}
