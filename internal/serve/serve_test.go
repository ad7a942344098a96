package serve_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// memory is content as a remote bucket gives it: not a local file.
type memory struct{ *bytes.Reader }

func (memory) Close() error    { return nil }
func (m memory) Size() int64   { return m.Reader.Size() }
func open(text string) memory  { return memory{bytes.NewReader([]byte(text))} }
func (l local) Size() int64    { return l.size }
func (l local) File() *os.File { return l.ReadSeekCloser.(*os.File) }

type local struct {
	io.ReadSeekCloser
	size int64
}

// broken fails after its first bytes.
type broken struct {
	memory
	err error
}

func (b broken) Read(p []byte) (int, error) {
	if b.Len() <= 2 {
		return 0, b.err
	}
	return b.memory.Read(p[:1])
}

var modified = time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)

func call(method string, header http.Header, handler echo.HandlerFunc) (*httptest.ResponseRecorder, error) {
	r := httptest.NewRequest(method, "/", nil)
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	err := handler(echo.New().NewContext(r, w))
	return w, err
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, method, header, value string
		status                      int
		body, length, contentRange  string
	}{
		{name: "whole", method: "GET", status: 200, body: "0123456789", length: "10"},
		{name: "head", method: "HEAD", status: 200, length: "10"},
		{name: "range", method: "GET", header: "Range", value: "bytes=2-4", status: 206, body: "234", length: "3", contentRange: "bytes 2-4/10"},
		{name: "range of a head", method: "HEAD", header: "Range", value: "bytes=2-4", status: 206, length: "3", contentRange: "bytes 2-4/10"},
		{name: "last bytes", method: "GET", header: "Range", value: "bytes=-1", status: 206, body: "9", length: "1", contentRange: "bytes 9-9/10"},
		{name: "range past the end", method: "GET", header: "Range", value: "bytes=10-", status: 416, body: "invalid range: failed to overlap\n", contentRange: "bytes */10"},
		{name: "same tag", method: "GET", header: "If-None-Match", value: `"abc"`, status: 304},
		{name: "other tag", method: "GET", header: "If-None-Match", value: `"abd"`, status: 200, body: "0123456789", length: "10"},
		{name: "not modified", method: "GET", header: "If-Modified-Since", value: "Sun, 01 Mar 2026 12:00:01 GMT", status: 304},
		{name: "failed precondition", method: "GET", header: "If-Match", value: `"abd"`, status: 412},
	}
	for _, tt := range tests {
		for _, kind := range []string{"local", "remote"} {
			t.Run(tt.name+" "+kind, func(t *testing.T) {
				w, err := call(tt.method, http.Header{tt.header: {tt.value}}, func(c echo.Context) error {
					var content registry.Content = open("0123456789")
					if kind == "local" {
						file, err := os.Open(path)
						if err != nil {
							return err
						}
						content = local{file, 10}
					}
					defer content.Close()
					return serve.File(c, content, serve.FileMeta{ETag: serve.ETag("abc"), Modified: modified})
				})
				if err != nil {
					t.Fatal(err)
				}
				got := []any{w.Code, w.Body.String(), w.Header().Get("Content-Length"), w.Header().Get("Content-Range")}
				want := []any{tt.status, tt.body, tt.length, tt.contentRange}
				if tt.status == 416 { // net/http declares the length of its own text
					got[2], want[2] = "", ""
				}
				if diff := cmp.Diff(got, want); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// A package may hold a page with scripts, which must not run in the registry's
// origin (threats.md B1, R9).
func TestFileIsNeverAPage(t *testing.T) {
	w, err := call("GET", nil, func(c echo.Context) error {
		return serve.File(c, open("<script>"), serve.FileMeta{CacheControl: "private"})
	})
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Content-Type": {"application/octet-stream"}, "Content-Disposition": {"attachment"}, "Content-Length": {"8"},
		"X-Content-Type-Options": {"nosniff"}, "Content-Security-Policy": {"default-src 'none'; sandbox"},
		"Accept-Ranges": {"bytes"}, "Cache-Control": {"private"},
	}
	if diff := cmp.Diff(w.Header(), want); diff != "" {
		t.Error(diff)
	}
}

func TestFileTellsOfABrokenRead(t *testing.T) {
	for _, header := range []string{"", "Range"} {
		_, err := call("GET", http.Header{header: {"bytes=0-"}}, func(c echo.Context) error {
			return serve.File(c, broken{open("0123456789"), errors.New("disk")}, serve.FileMeta{})
		})
		if got := registry.KindOf(err); got != registry.Unavailable {
			t.Errorf("%q: got %v (%v)", header, got, err)
		}
	}
}

func TestDocument(t *testing.T) {
	doc := &registry.Document{Body: []byte(`{"name":"demo"}`), ETag: `"r7"`, Modified: modified}
	tests := []struct {
		name, method, header, value string
		status                      int
		body                        string
	}{
		{name: "get", method: "GET", status: 200, body: `{"name":"demo"}`},
		{name: "head", method: "HEAD", status: 200},
		{name: "same tag", method: "GET", header: "If-None-Match", value: `"r6", "r7"`, status: 304},
		{name: "weakened tag", method: "GET", header: "If-None-Match", value: `W/"r7"`, status: 304},
		{name: "any tag", method: "GET", header: "If-None-Match", value: `*`, status: 304},
		{name: "other tag", method: "GET", header: "If-None-Match", value: `"r6"`, status: 200, body: `{"name":"demo"}`},
		{name: "time of the change, rounded down", method: "GET", header: "If-Modified-Since", value: "Sun, 01 Mar 2026 12:00:00 GMT", status: 200, body: `{"name":"demo"}`},
		{name: "time that was sent", method: "GET", header: "If-Modified-Since", value: "Sun, 01 Mar 2026 12:00:01 GMT", status: 304},
		{name: "no time", method: "GET", header: "If-Modified-Since", value: "yesterday", status: 200, body: `{"name":"demo"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, err := call(tt.method, http.Header{tt.header: {tt.value}}, func(c echo.Context) error {
				return serve.Document(c, doc, serve.DocumentMeta{ContentType: "application/json", Coding: serve.Gzip, CacheControl: "private", Vary: "Accept, Accept-Encoding"})
			})
			if err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.status || w.Body.String() != tt.body {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, tt.status, tt.body)
			}
			want := http.Header{
				"Etag": {`"r7"`}, "Vary": {"Accept, Accept-Encoding"}, "Cache-Control": {"private"},
				"Last-Modified": {"Sun, 01 Mar 2026 12:00:01 GMT"},
			}
			if tt.status == 200 {
				want["Content-Type"], want["Content-Length"], want["Content-Encoding"] = []string{"application/json"}, []string{"15"}, []string{"gzip"}
			}
			if diff := cmp.Diff(w.Header(), want); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Of anything but JSON a browser could guess that it is a page.
func TestDocumentIsNotGuessed(t *testing.T) {
	for contentType, want := range map[string]string{"application/xml": "nosniff", "text/html": "nosniff", "application/json": "", "application/vnd.npm.install-v1+json": ""} {
		w, err := call("GET", nil, func(c echo.Context) error {
			return serve.Document(c, &registry.Document{Body: []byte("x"), ETag: `"r"`}, serve.DocumentMeta{ContentType: contentType})
		})
		if got := w.Header().Get("X-Content-Type-Options"); err != nil || got != want {
			t.Errorf("%s: %q, want %q (%v)", contentType, got, want, err)
		}
	}
}

func TestNegotiate(t *testing.T) {
	tests := []struct {
		name, accept string
		want         serve.Coding
	}{
		{"nothing sent", "", serve.Identity},
		{"npm 11", "gzip, deflate", serve.Gzip},
		{"pnpm 12", "zstd, gzip, deflate", serve.Gzip},
		{"pnpm 11 tarballs", "identity", serve.Identity},
		{"bun's whoami", "gzip/deflate", serve.Identity},
		{"zstd alone", "zstd", serve.Zstd},
		{"zstd wanted more", "gzip;q=0.5, zstd;q=0.9", serve.Zstd},
		{"gzip refused", "gzip;q=0", serve.Identity},
		{"all but gzip", "*, gzip;q=0", serve.Zstd},
		{"anything", "*", serve.Gzip},
		{"identity wanted more", "gzip;q=0.5, identity", serve.Identity},
		{"bad weight", "gzip;q=NaN", serve.Identity},
		{"case and blanks", " GZIP ; q=1", serve.Gzip},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			if tt.accept != "" {
				r.Header.Set("Accept-Encoding", tt.accept)
			}
			if got := serve.Negotiate(r); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCompress(t *testing.T) {
	body := bytes.Repeat([]byte("a packument repeats itself "), 4000)
	for range 2 { // the second time with a writer that was used before
		packed, err := serve.Compress(serve.Gzip, body)
		if err != nil {
			t.Fatal(err)
		}
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		checkUnpacked(t, packed, r, body)

		if packed, err = serve.Compress(serve.Zstd, body); err != nil {
			t.Fatal(err)
		}
		z, err := zstd.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		checkUnpacked(t, packed, z, body)
		z.Close()
	}
	if same, err := serve.Compress(serve.Identity, body); err != nil || &same[0] != &body[0] {
		t.Errorf("identity made a copy: %v", err)
	}
	if _, err := serve.Compress("br", body); err == nil {
		t.Error("an unknown coding was accepted")
	}
}

func checkUnpacked(t *testing.T, packed []byte, r io.Reader, want []byte) {
	t.Helper()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) || len(packed) > len(want)/10 {
		t.Errorf("%d bytes from %d packed, want %d from far less", len(got), len(packed), len(want))
	}
}

// discard is a connection that takes everything.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// A hot read is a document that is sent again and again.
func BenchmarkDocument(b *testing.B) {
	doc := &registry.Document{Body: make([]byte, 18<<10), ETag: serve.ETag("abc"), Modified: modified}
	meta := serve.DocumentMeta{ContentType: "application/json", Coding: serve.Gzip, CacheControl: "private, max-age=0, must-revalidate"}
	e, r := echo.New(), httptest.NewRequest("GET", "/", nil)
	for b.Loop() {
		w := &discard{header: http.Header{}}
		if err := serve.Document(e.NewContext(r, w), doc, meta); err != nil {
			b.Fatal(err)
		}
	}
}
