package npm_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"pakhus/internal/worldtest"
)

// BenchmarkHotReads measures what the server itself does for the reads that
// installs consist of, without net/http.
func BenchmarkHotReads(b *testing.B) {
	w := newWorld(b)
	for _, version := range []string{"1.0.0", "1.0.1"} {
		w.publish(pkg{name: "@acme/lib", version: version})
	}
	requests := map[string]*http.Request{}
	for name, path := range map[string]string{"packument": "/@acme%2flib", "tarball": "/@acme/lib/-/lib-1.0.0.tgz"} {
		r := httptest.NewRequest(http.MethodGet, demo+path, nil)
		r.Header.Set("Authorization", "Bearer "+w.read)
		r.Header.Set("Accept", abbreviated)
		r.Header.Set("Accept-Encoding", "gzip, deflate")
		requests[name] = r
	}
	worldtest.BenchmarkReads(b, w.server, requests)
}

// BenchmarkPublish publishes new packages of one small version each, without the
// bucket's flushes.
func BenchmarkPublish(b *testing.B) {
	w := newWorld(b)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		n++
		p := pkg{name: fmt.Sprintf("lib-%d-x%d", n, n*7919), version: "1.0.0"}
		body, err := json.Marshal(p.body(b))
		check(b, err)
		b.StartTimer()
		w.want(w.call(http.MethodPut, demo+"/"+p.name, w.write, body), http.StatusOK)
	}
}
