package observe

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestMetrics(t *testing.T) {
	m := NewMetrics()
	m.Watch("spool", "used_bytes", "Bytes of spool files.", func() float64 { return 42 })
	request := Request{Route: "/api/v4/projects/:id/packages/npm/*", Method: "GET", Status: 200}
	for range 2 {
		m.RequestStarted()
		m.RequestDone(request, 3*time.Millisecond, 10, 100)
	}
	m.RequestStarted()
	m.Panicked()
	m.Published("npm")
	m.Downloaded("npm")
	m.LookedUp("document", true)
	m.LookedUp("document", false)
	m.Refused("expired")
	m.UsedDatabase("SavePublication", time.Millisecond)
	m.UsedBucket("Write", time.Millisecond)

	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	route := `route="/api/v4/projects/:id/packages/npm/*"`
	for _, want := range []string{
		`registry_http_requests_total{method="GET",` + route + `,status="200"} 2`,
		`registry_http_request_duration_seconds_bucket{method="GET",` + route + `,le="0.005"} 2`,
		`registry_http_received_bytes_total{` + route + `} 20`,
		`registry_http_sent_bytes_total{` + route + `} 200`,
		`registry_http_requests_in_flight 1`,
		`registry_http_panics_total 1`,
		`registry_package_publishes_total{format="npm"} 1`,
		`registry_package_downloads_total{format="npm"} 1`,
		`registry_cache_lookups_total{cache="document",outcome="hit"} 1`,
		`registry_cache_lookups_total{cache="document",outcome="miss"} 1`,
		`registry_auth_refusals_total{reason="expired"} 1`,
		`registry_database_operation_duration_seconds_count{operation="SavePublication"} 1`,
		`registry_bucket_operation_duration_seconds_count{operation="Write"} 1`,
		`registry_spool_used_bytes 42`,
	} {
		if !strings.Contains(w.Body.String(), want+"\n") {
			t.Errorf("missing %s", want)
		}
	}
	name := regexp.MustCompile(`^(registry_[a-z]+_[a-z_]+|go_[a-z_]+|process_[a-z_]+)$`)
	for _, line := range strings.Split(w.Body.String(), "\n") {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok && !name.MatchString(strings.Fields(rest)[0]) {
			t.Errorf("name %s does not follow registry_<subsystem>_<what>_<unit>", rest)
		}
	}
}

// Tests and commands have no metrics: every method must bear a nil receiver.
func TestNoMetrics(t *testing.T) {
	var m *Metrics
	m.Watch("spool", "used_bytes", "", nil)
	m.RequestStarted()
	m.RequestDone(Request{}, 0, 0, 0)
	m.Panicked()
	m.Published("npm")
	m.Downloaded("npm")
	m.LookedUp("document", true)
	m.Refused("expired")
	m.UsedDatabase("x", 0)
	m.UsedBucket("x", 0)
}

func BenchmarkRequestDone(b *testing.B) {
	m := NewMetrics()
	b.ReportAllocs()
	for b.Loop() {
		m.RequestStarted()
		m.RequestDone(Request{Route: "/x", Method: "GET", Status: 200}, time.Millisecond, 0, 100)
	}
}
