package maven_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"pakhus/internal/worldtest"
)

// BenchmarkHotReads measures what the server itself does for the reads that
// builds consist of, without net/http.
func BenchmarkHotReads(b *testing.B) {
	w := newWorld(b)
	for _, version := range []string{"1.0", "1.1"} {
		w.put("org/acme/app/"+version+"/app-"+version+".jar", "jar "+version, http.StatusCreated)
		w.put("org/acme/app/"+version+"/app-"+version+".pom", "<project/>", http.StatusCreated)
	}
	w.clock.Advance(time.Hour)
	requests := map[string]*http.Request{}
	for name, path := range map[string]string{
		"metadata": "/org/acme/app/maven-metadata.xml", "jar": "/org/acme/app/1.0/app-1.0.jar", "checksum": "/org/acme/app/1.0/app-1.0.jar.sha1",
		"absent": "/org/acme/none/1.0/none-1.0.pom",
	} {
		r := httptest.NewRequest(http.MethodGet, demo+path, nil)
		r.Header.Set("Deploy-Token", w.read)
		requests[name] = r
	}
	worldtest.BenchmarkReads(b, w.server, requests)
}
