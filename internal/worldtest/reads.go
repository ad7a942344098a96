package worldtest

import (
	"maps"
	"net/http"
	"slices"
	"testing"
)

// discard is a connection that nobody reads from.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkReads measures what a server itself does for requests, by name,
// without net/http.
func BenchmarkReads(b *testing.B, server http.Handler, requests map[string]*http.Request) {
	b.Helper()
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				server.ServeHTTP(discard{http.Header{}}, requests[name])
			}
		})
	}
}
