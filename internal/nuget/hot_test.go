package nuget

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
// restores consist of, without net/http.
func BenchmarkHotReads(b *testing.B) {
	w := newWorld(b)
	for _, version := range []string{"1.0.0", "1.1.0"} {
		w.publish(nupkgSpec{ID: "Acme.Log", Version: version})
	}
	for name, path := range map[string]string{
		"list": "/download/acme.log/index.json", "registration": "/metadata/acme.log/index.json",
		"nupkg": "/download/acme.log/1.0.0/acme.log.1.0.0.nupkg", "absent": "/download/acme.none/index.json",
	} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, demo+path, nil)
			r.Header.Set("Authorization", "Bearer "+w.read)
			r.Header.Set("Accept-Encoding", "gzip, deflate")
			recorder := httptest.NewRecorder()
			w.server.ServeHTTP(recorder, r)
			want := http.StatusOK
			if name == "absent" {
				want = http.StatusNotFound
			}
			if recorder.Code != want {
				b.Fatalf("status %d: %s", recorder.Code, recorder.Body)
			}
			b.ReportAllocs()
			for b.Loop() {
				w.server.ServeHTTP(discard{http.Header{}}, r)
			}
		})
	}
}
