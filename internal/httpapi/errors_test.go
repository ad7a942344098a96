package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

func TestEveryKindHasAStatus(t *testing.T) {
	for _, kind := range registry.Kinds() {
		if statuses[kind] < 400 {
			t.Errorf("%v has no row", kind)
		}
	}
}

func TestStatusOf(t *testing.T) {
	tests := []struct {
		name    string
		err     error
		status  int
		message string
	}{
		{"text for the client", registry.Errorf(registry.Conflict, "demo 1.0.0 exists"), 409, "demo 1.0.0 exists"},
		{"cause for the log", registry.Wrapf(registry.Unavailable, errors.New("dial tcp"), "no database"), 503, "no database"},
		{"wrapped without a kind", fmt.Errorf("find: %w", registry.Errorf(registry.NotFound, "package not found")), 404, "package not found"},
		{"unknown", errors.New("dial tcp"), 500, ""},
		{"routing", echo.ErrMethodNotAllowed, 405, ""},
		{"echo's own fault", echo.ErrInternalServerError, 500, ""},
		{"client left", context.Canceled, 499, ""},
		{"coding", registry.Errorf(registry.Unsupported, "no brotli"), 415, "no brotli"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, message := statusOf(tt.err)
			if status != tt.status || message != tt.message {
				t.Errorf("got %d %q, want %d %q", status, message, tt.status, tt.message)
			}
		})
	}
}

// A path is answered in the form that its client understands, with a route or
// without.
func TestErrorForm(t *testing.T) {
	w := newWorld(func(echo.Context) error { return registry.Errorf(registry.NotFound, "nothing here") })
	tests := []struct {
		name, target, want string
	}{
		{"handler", npmPath + "x", "npm: nothing here"},
		{"project without route", "/api/v4/projects/7/packages/maven", "maven: "},
		{"group", "/api/v4/groups/acme%2Ftools/-/packages/npm/x", "npm: "},
		{"instance", "/api/v4/packages/maven/org/acme", "maven: "},
		{"first format wins", "/api/v4/packages/maven/org/packages/npm/x", "maven: "},
		{"no format of ours", "/api/v4/projects/7/packages/conan/x", `{"message":"404 Not Found"}` + "\n"},
		{"not the API", "/packages/npm/x", `{"message":"404 Not Found"}` + "\n"},
		{"management", "/api/v4/nothing", `{"message":"404 Not Found"}` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := w.call("GET", tt.target)
			if got.Code != 404 || got.Body.String() != tt.want {
				t.Errorf("got %d %q, want %q", got.Code, got.Body, tt.want)
			}
			if got.Header().Get("Cache-Control") != "no-store" || got.Header().Get("Content-Length") != fmt.Sprint(len(tt.want)) {
				t.Errorf("headers: %v", got.Header())
			}
		})
	}
}

// What a handler said about the file must not describe the error.
func TestErrorDropsHeadersOfSuccess(t *testing.T) {
	w := newWorld(func(c echo.Context) error {
		h := c.Response().Header()
		for _, name := range successHeaders {
			h.Set(name, "x")
		}
		h.Set("Cache-Control", "public, immutable")
		return registry.Errorf(registry.Unavailable, "later")
	})
	got := w.call("GET", npmPath+"x", "X-Request-Id", "r1").Header()
	want := http.Header{
		"Cache-Control": {"no-store"}, "Content-Length": {"10"}, "Content-Type": {"text/plain; charset=UTF-8"},
		"Retry-After": {"5"}, "X-Request-Id": {"r1"},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

func TestErrorAfterTheFirstByte(t *testing.T) {
	w := newWorld(func(c echo.Context) error {
		if err := c.String(200, "half"); err != nil {
			return err
		}
		return registry.Errorf(registry.Unavailable, "bucket is gone")
	})
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("the connection is not broken: %v", err)
		}
		line := w.lastLine(t)
		if line["level"] != "ERROR" || line["aborted"] != true || !strings.Contains(fmt.Sprint(line["error"]), "bucket is gone") {
			t.Errorf("got %v", line)
		}
	}()
	w.call("GET", npmPath+"x")
}

func TestInternalErrorsShowNoDetail(t *testing.T) {
	w := newWorld(func(echo.Context) error { return errors.New("pq: canary") })
	got := w.call("GET", npmPath+"x")
	if got.Code != 500 || strings.Contains(got.Body.String(), "canary") {
		t.Errorf("got %d %q", got.Code, got.Body)
	}
	if line := w.lastLine(t); line["level"] != "ERROR" || line["error"] != "pq: canary" || line["kind"] != "internal" {
		t.Errorf("got %v", line)
	}
}
