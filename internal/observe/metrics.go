package observe

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are all metrics of a server. The values of every label are countable
// in advance: formats, route patterns, statuses, kinds, operations of ours;
// never a package, project, version or anything else that a client chooses.
type Metrics struct {
	registry *prometheus.Registry

	requests   *prometheus.CounterVec
	latency    *prometheus.HistogramVec
	received   *prometheus.CounterVec
	sent       *prometheus.CounterVec
	inFlight   prometheus.Gauge
	panics     prometheus.Counter
	publishes  *prometheus.CounterVec
	downloads  *prometheus.CounterVec
	lookups    *prometheus.CounterVec
	refusals   *prometheus.CounterVec
	operations *prometheus.HistogramVec
	bucket     *prometheus.HistogramVec

	series sync.Map // Request -> *requestSeries
	hits   sync.Map // lookup -> prometheus.Counter
}

// NewMetrics makes the metrics of one server, on a registry of their own, with
// those of the Go runtime and the process.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: counter("http", "requests_total", "Requests answered.", "route", "method", "status"),
		latency: histogram("http", "request_duration_seconds", "Time from the request's header to the end of the answer.",
			[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30, 300}, "route", "method"),
		received: counter("http", "received_bytes_total", "Bytes of request bodies.", "route"),
		sent:     counter("http", "sent_bytes_total", "Bytes of answer bodies.", "route"),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "registry_http_requests_in_flight", Help: "Requests being answered."}),
		panics:   prometheus.NewCounter(prometheus.CounterOpts{Name: "registry_http_panics_total", Help: "Requests that ended in a panic: each is a bug."}),

		publishes: counter("package", "publishes_total", "Versions published.", "format"),
		downloads: counter("package", "downloads_total", "Files handed out.", "format"),
		lookups:   counter("cache", "lookups_total", "Look-ups in a cache, by outcome.", "cache", "outcome"),
		refusals:  counter("auth", "refusals_total", "Credentials refused, by reason.", "reason"),
		operations: histogram("database", "operation_duration_seconds", "Time of one use of the database.",
			[]float64{.0002, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}, "operation"),
		bucket: histogram("bucket", "operation_duration_seconds", "Time of one use of the bucket.",
			[]float64{.0002, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 30}, "operation"),
	}
	m.registry.MustRegister(m.requests, m.latency, m.received, m.sent, m.inFlight, m.panics, m.publishes, m.downloads,
		m.lookups, m.refusals, m.operations, m.bucket,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(subsystem, name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "registry", Subsystem: subsystem, Name: name, Help: help}, labels)
}

func histogram(subsystem, name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "registry", Subsystem: subsystem, Name: name, Help: help, Buckets: buckets,
	}, labels)
}

// Handler serves the metrics in Prometheus' text form.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Watch adds a gauge whose value is asked for when the metrics are read, such as
// ("spool", "used_bytes", …). The name is ours and is registered once.
func (m *Metrics) Watch(subsystem, name, help string, value func() float64) {
	if m == nil {
		return
	}
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "registry", Subsystem: subsystem, Name: name, Help: help,
	}, value))
}

// Request is what names a series of requests. Route is a pattern, never a path.
type Request struct {
	Route, Method string
	Status        int
}

// requestSeries are the counters of one Request, found once: looking them up by
// labels for every request costs more than the rest of the bookkeeping.
type requestSeries struct {
	requests, received, sent prometheus.Counter
	latency                  prometheus.Observer
}

// RequestStarted counts a request as in flight until RequestDone.
func (m *Metrics) RequestStarted() {
	if m != nil {
		m.inFlight.Inc()
	}
}

// RequestDone counts an answered request with the bytes of both bodies.
func (m *Metrics) RequestDone(r Request, took time.Duration, received, sent int64) {
	if m == nil {
		return
	}
	m.inFlight.Dec()
	known, ok := m.series.Load(r)
	if !ok {
		known, _ = m.series.LoadOrStore(r, &requestSeries{
			requests: m.requests.WithLabelValues(r.Route, r.Method, strconv.Itoa(r.Status)),
			received: m.received.WithLabelValues(r.Route),
			sent:     m.sent.WithLabelValues(r.Route),
			latency:  m.latency.WithLabelValues(r.Route, r.Method),
		})
	}
	s := known.(*requestSeries)
	s.requests.Inc()
	s.latency.Observe(took.Seconds())
	s.received.Add(float64(received))
	s.sent.Add(float64(sent))
}

// Panicked counts a request that ended in a panic.
func (m *Metrics) Panicked() {
	if m != nil {
		m.panics.Inc()
	}
}

// Published counts a version of a format.
func (m *Metrics) Published(format string) {
	if m != nil {
		m.publishes.WithLabelValues(format).Inc()
	}
}

// Downloaded counts a file of a format that was handed out.
func (m *Metrics) Downloaded(format string) {
	if m != nil {
		m.downloads.WithLabelValues(format).Inc()
	}
}

// LookedUp counts a look-up in one of our caches. A hot read makes several.
func (m *Metrics) LookedUp(cache string, hit bool) {
	if m == nil {
		return
	}
	known, ok := m.hits.Load(lookup{cache, hit})
	if !ok {
		outcome := "miss"
		if hit {
			outcome = "hit"
		}
		known, _ = m.hits.LoadOrStore(lookup{cache, hit}, m.lookups.WithLabelValues(cache, outcome))
	}
	known.(prometheus.Counter).Inc()
}

// lookup names a series of look-ups.
type lookup struct {
	cache string
	hit   bool
}

// Refused counts a credential that was refused for one of auth's reasons.
func (m *Metrics) Refused(reason string) {
	if m != nil {
		m.refusals.WithLabelValues(reason).Inc()
	}
}

// UsedDatabase records how long a use of the database took. The operation is a
// name of ours, such as a method's.
func (m *Metrics) UsedDatabase(operation string, took time.Duration) {
	if m != nil {
		m.operations.WithLabelValues(operation).Observe(took.Seconds())
	}
}

// UsedBucket records how long a use of the bucket took.
func (m *Metrics) UsedBucket(operation string, took time.Duration) {
	if m != nil {
		m.bucket.WithLabelValues(operation).Observe(took.Seconds())
	}
}
