package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/observe"
	"pakhus/internal/registry"
)

const headerRequestID = "X-Request-Id"

// ServeHTTP answers a request: see the package comment for the order.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.opts.Now()
	s.opts.Metrics.RequestStarted()
	if s.opts.Rewrite != nil {
		r = s.opts.Rewrite(r)
	}
	state := s.repeats.state.Load()
	rec, r := newRecorder(w, r, s.opts.Now)
	rec.id = requestID(r.Header)
	w.Header()[headerRequestID] = []string{rec.id}
	s.guard(rec, r)
	s.finish(rec, r.Method, clientIP(r.RemoteAddr, r.Header[headerForwarded], s.opts.TrustedProxies), start)
	if rec.abort {
		panic(http.ErrAbortHandler) // net/http breaks the connection, without a log line
	}
	s.repeats.keep(rec, r, state)
}

// requestID takes the client's or the proxy's own id when it can do no harm in
// logs, else a new one.
func requestID(h http.Header) string {
	if given := h.Get(headerRequestID); given != "" && len(given) <= 64 && !strings.ContainsFunc(given, notIDRune) {
		return given
	}
	return newRequestID()
}

// newRequestID makes an id to find a line by, not a secret.
func newRequestID() string {
	const digits = "0123456789abcdef"
	var id [16]byte
	for n, i := rand.Uint64(), 0; i < len(id); n, i = n>>4, i+1 {
		id[i] = digits[n&15]
	}
	return string(id[:])
}

func notIDRune(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_' && r != '.'
}

// guard routes the request. A panic below is a bug of ours: it is counted and
// answered, and the other requests go on.
func (s *Server) guard(rec *recorder, r *http.Request) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			rec.abort = true
			return
		}
		s.opts.Metrics.Panicked()
		s.opts.Log.Error("request panicked", "request_id", rec.id, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		s.handleError(registry.Errorf(registry.Internal, "panic"), s.echo.NewContext(r, rec))
	}()
	cutPrefix(r, s.prefix)
	if err := checkRequest(r); err != nil {
		s.handleError(err, s.echo.NewContext(r, rec))
		return
	}
	s.echo.ServeHTTP(rec, r)
}

// note is the innermost middleware of echo: it notes what only echo knows, the
// route's pattern and who was identified on the way.
func (s *Server) note(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		rec := findRecorder(c.Response().Writer)
		if s.routes[c.Path()] {
			rec.route = c.Path()
		}
		if rec.identity = auth.From(c.Request().Context()); !rec.identity.IsAnonymous() {
			rec.user, rec.token = rec.identity.Name, rec.identity.LogID()
		}
		return err
	}
}

// finish counts the request and writes its one log line.
func (s *Server) finish(rec *recorder, method, client string, start time.Time) {
	end := s.opts.Now()
	took := end.Sub(start)
	if rec.status == 0 {
		rec.status = http.StatusOK // net/http answers so when nothing was written
	}
	if rec.route == "" {
		rec.route = "unmatched"
	}
	method = methodLabel(method)
	s.opts.Metrics.RequestDone(observe.Request{Route: rec.route, Method: method, Status: rec.status}, took, rec.body.read, rec.sent)
	level := slog.LevelInfo
	if rec.status >= http.StatusInternalServerError || (rec.abort && rec.status != statusClientLeft) {
		level = slog.LevelError
	}
	if rec.err != nil && registry.KindOf(rec.err) == registry.Canceled {
		level = slog.LevelInfo
	}
	if s.opts.Log.Enabled(context.Background(), level) {
		// The handler is asked directly: through the logger each line would cost a
		// look at the call stack.
		line := slog.NewRecord(end, level, "request", 0)
		s.describe(&line, rec, method, client, took)
		_ = s.opts.Log.Handler().Handle(context.Background(), line) // as slog does: a log that fails has nowhere to tell
	}
}

// describe fills a line of the access log. It shows the route and never the path
// or the query: a token that was sent in either must not be found in a log
// (threats.md T19).
func (s *Server) describe(line *slog.Record, rec *recorder, method, client string, took time.Duration) {
	attrs := make([]slog.Attr, 0, 13)
	attrs = append(attrs,
		slog.String("method", method),
		slog.String("route", rec.route),
		slog.Int("status", rec.status),
		slog.Int64("duration_us", took.Microseconds()),
		slog.Int64("received_bytes", rec.body.read),
		slog.Int64("sent_bytes", rec.sent),
		slog.String("client", client),
		slog.String("request_id", rec.id),
	)
	if rec.token != "" {
		attrs = append(attrs, slog.String("user", rec.user), slog.String("credential", rec.token))
	}
	if rec.abort {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	if rec.err != nil {
		attrs = append(attrs, slog.String("kind", registry.KindOf(rec.err).String()), slog.String("error", rec.err.Error()))
	}
	line.AddAttrs(attrs...)
}

// methodLabel keeps methods that a client invents out of labels.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}
