package httpapi

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
)

func TestReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failure error
		asked := 0
		w := newWorld(ok, func(o *Options) {
			o.Checks = map[string]Check{
				"database": func(context.Context) error { asked++; return failure },
				"bucket":   func(context.Context) error { return nil },
			}
		})
		check := func(status int, body string) {
			t.Helper()
			got := w.call("GET", "/-/readiness")
			if got.Code != status || strings.TrimSpace(got.Body.String()) != body {
				t.Errorf("got %d %s, want %d %s", got.Code, got.Body, status, body)
			}
		}
		check(200, `{"checks":{"bucket":"ok","database":"ok"},"status":"ok"}`)
		failure = errors.New("dial canary")
		check(200, `{"checks":{"bucket":"ok","database":"ok"},"status":"ok"}`)
		if asked != 1 {
			t.Errorf("the database was asked %d times within a second", asked)
		}
		time.Sleep(verdictLife)
		check(503, `{"checks":{"bucket":"ok","database":"failed"},"status":"failed"}`)
		if !strings.Contains(w.logged.String(), "dial canary") {
			t.Error("the cause is not in the log")
		}
		if got := w.call("GET", "/-/liveness").Code; got != 200 {
			t.Errorf("not alive: %d", got)
		}
		failure = nil
		time.Sleep(verdictLife)
		check(200, `{"checks":{"bucket":"ok","database":"ok"},"status":"ok"}`)
		w.draining.Store(true)
		check(503, `{"checks":{"bucket":"ok","database":"ok"},"status":"stopping"}`)
	})
}

func TestReadinessDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		w := newWorld(ok, func(o *Options) {
			o.Checks = map[string]Check{"database": func(context.Context) error { <-release; return nil }}
		})
		start := time.Now()
		if got := w.call("GET", "/-/readiness"); got.Code != 503 {
			t.Errorf("got %d", got.Code)
		}
		if took := time.Since(start); took != checkTimeout {
			t.Errorf("took %v", took)
		}
		close(release)
	})
}

// Behind a proxy on the same machine every caller comes from loopback; a header
// that says so proves nothing either (threats.md O4).
func TestMetricsAreNotForEverybody(t *testing.T) {
	admin := false
	w := newWorld(ok, func(o *Options) {
		o.Authenticate = func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				id := &auth.Identity{Kind: auth.UserIdentity, Admin: admin}
				c.SetRequest(c.Request().WithContext(auth.With(c.Request().Context(), id)))
				return next(c)
			}
		}
	})
	tests := []struct {
		name, remote, header, value string
		admin                       bool
		status                      int
	}{
		{name: "loopback", remote: "127.0.0.1:1", status: 200},
		{name: "loopback IPv6", remote: "[::1]:1", status: 200},
		{name: "elsewhere", remote: "192.0.2.1:1", status: 404},
		{name: "lie", remote: "192.0.2.1:1", header: "X-Forwarded-For", value: "127.0.0.1", status: 404},
		{name: "behind a proxy here", remote: "127.0.0.1:1", header: "X-Forwarded-For", value: "192.0.2.1", status: 404},
		{name: "behind another proxy here", remote: "127.0.0.1:1", header: "Via", value: "1.1 x", status: 404},
		{name: "administrator", remote: "192.0.2.1:1", admin: true, status: 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			admin = tt.admin
			r := httptest.NewRequest("GET", "/metrics", nil)
			r.RemoteAddr = tt.remote
			if tt.header != "" {
				r.Header.Set(tt.header, tt.value)
			}
			got := httptest.NewRecorder()
			w.ServeHTTP(got, r)
			if got.Code != tt.status || strings.Contains(got.Body.String(), "registry_http") != (tt.status == 200) {
				t.Errorf("got %d, want %d", got.Code, tt.status)
			}
		})
	}
	aside := newWorld(ok, func(o *Options) { o.MetricsAside = true })
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.RemoteAddr = "127.0.0.1:1"
	got := httptest.NewRecorder()
	if aside.ServeHTTP(got, r); got.Code != 404 {
		t.Errorf("with a listener of their own: got %d", got.Code)
	}
}
