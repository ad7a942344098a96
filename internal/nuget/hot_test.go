package nuget

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"pakhus/internal/worldtest"
)

// BenchmarkHotReads measures what the server itself does for the reads that
// restores consist of, without net/http.
func BenchmarkHotReads(b *testing.B) {
	w := newWorld(b)
	for _, version := range []string{"1.0.0", "1.0.1"} {
		w.publish(nupkgSpec{Version: version})
	}
	requests := map[string]*http.Request{}
	for name, path := range map[string]string{
		"index": "/index.json", "registration": "/metadata/acme.log/index.json", "list": "/download/acme.log/index.json",
		"nupkg": "/download/acme.log/1.0.0/acme.log.1.0.0.nupkg", "missing": "/download/system.text.json/index.json",
	} {
		r := httptest.NewRequest(http.MethodGet, demo+path, nil)
		r.Header.Set("Authorization", basicHeader("writer", w.write))
		r.Header.Set("Accept-Encoding", "gzip, deflate")
		requests[name] = r
	}
	worldtest.BenchmarkReads(b, w.server, requests)
}

// BenchmarkPush pushes new packages of one small version each, without the
// bucket's flushes.
func BenchmarkPush(b *testing.B) {
	w := newWorld(b)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		n++
		body := buildNupkg(b, nupkgSpec{ID: fmt.Sprintf("Acme.Log%d", n)})
		b.StartTimer()
		w.want(w.call(http.MethodPut, demo, w.write, bytes.NewReader(body)), http.StatusCreated)
	}
}
