package npm_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// discard is a connection that nobody reads from.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkHotReads measures what the server itself does for the reads that
// installs consist of, without net/http.
func BenchmarkHotReads(b *testing.B) {
	w := newWorld(b)
	for _, version := range []string{"1.0.0", "1.0.1"} {
		w.publish(pkg{name: "@acme/lib", version: version})
	}
	for name, path := range map[string]string{"packument": "/@acme%2flib", "tarball": "/@acme/lib/-/lib-1.0.0.tgz"} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, demo+path, nil)
			r.Header.Set("Authorization", "Bearer "+w.read)
			r.Header.Set("Accept", abbreviated)
			r.Header.Set("Accept-Encoding", "gzip, deflate")
			b.ReportAllocs()
			for b.Loop() {
				w.server.ServeHTTP(discard{http.Header{}}, r)
			}
		})
	}
}
