package httpapi

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// Check tells whether something the server needs does answer.
type Check func(context.Context) error

const (
	// verdictLife is how long a verdict is repeated, so that health checks cannot
	// wear out a database that is slow already (threats.md O9).
	verdictLife = time.Second
	// checkTimeout bounds one round of checks.
	checkTimeout = 3 * time.Second
)

func (s *Server) mountHealth() {
	s.echo.GET("/-/health", alive)
	s.echo.GET("/-/liveness", alive)
	s.echo.GET("/-/readiness", s.ready)
	if s.opts.Metrics != nil && !s.opts.MetricsAside {
		s.echo.GET("/metrics", s.metrics, s.opts.Authenticate)
	}
}

func alive(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// ready answers 503 while the server stops, or when a check fails. Causes are in
// the log only: anybody may ask.
func (s *Server) ready(c echo.Context) error {
	verdicts, ok := s.readiness.ask(c.Request().Context(), s.reportCheck)
	status, text := http.StatusOK, "ok"
	switch {
	case s.draining.Load():
		status, text = http.StatusServiceUnavailable, "stopping"
	case !ok:
		status, text = http.StatusServiceUnavailable, "failed"
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(status, map[string]any{"status": text, "checks": verdicts})
}

func (s *Server) reportCheck(name string, err error) {
	s.opts.Log.Warn("readiness check failed", "check", name, "error", err)
}

// metrics answers direct callers from this machine, and administrators. To
// everybody else the path does not exist.
func (s *Server) metrics(c echo.Context) error {
	if !direct(c.Request()) && !auth.From(c.Request().Context()).Admin {
		return registry.Errorf(registry.NotFound, "not found")
	}
	s.opts.Metrics.Handler().ServeHTTP(c.Response(), c.Request())
	return nil
}

// readiness keeps the verdicts of the last round of checks.
type readiness struct {
	checks map[string]Check
	now    func() time.Time

	mu       sync.Mutex // held while checks run: all who ask meanwhile share them
	at       time.Time
	verdicts map[string]string
	ok       bool
}

func (r *readiness) ask(ctx context.Context, report func(string, error)) (verdicts map[string]string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.verdicts != nil && r.now().Sub(r.at) < verdictLife {
		return r.verdicts, r.ok
	}
	// The verdict is everybody's: it must not fail because one asker left.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	failures := runChecks(ctx, r.checks)
	r.verdicts, r.ok = map[string]string{}, true
	for name := range r.checks {
		r.verdicts[name] = "ok"
		if err := failures[name]; err != nil {
			r.verdicts[name], r.ok = "failed", false
			report(name, err)
		}
	}
	r.at = r.now()
	return r.verdicts, r.ok
}

// runChecks runs all checks at once, and does not wait for one that does not
// notice the end of its context.
func runChecks(ctx context.Context, checks map[string]Check) map[string]error {
	type result struct {
		name string
		err  error
	}
	results := make(chan result, len(checks))
	failures := map[string]error{}
	for name, check := range checks {
		failures[name] = context.DeadlineExceeded
		go func() { results <- result{name, check(ctx)} }()
	}
	for range checks {
		select {
		case r := <-results:
			failures[r.name] = r.err
		case <-ctx.Done():
			return failures
		}
	}
	return failures
}
