package serve_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

func TestSplitAddress(t *testing.T) {
	tests := []struct {
		name, target, address, rest string
		kind                        registry.Kind
	}{
		{name: "project", target: "/api/v4/projects/1/packages/npm/left-pad", address: "/api/v4/projects/1/packages/npm", rest: "/left-pad"},
		{name: "nothing behind", target: "/api/v4/projects/1/packages/npm", address: "/api/v4/projects/1/packages/npm"},
		{name: "stays escaped", target: "/api/v4/projects/a%2Fb/packages/npm/@a%2fb", address: "/api/v4/projects/a%2Fb/packages/npm", rest: "/@a%2fb"},
		{name: "the first counts", target: "/packages/npm/x/packages/npm", address: "/packages/npm", rest: "/x/packages/npm"},
		{name: "another format", target: "/api/v4/projects/1/packages/maven/x", kind: registry.NotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, tt.target, nil)
			address, rest, err := serve.SplitAddress(r.URL, "/packages/npm")
			if address != tt.address || rest != tt.rest || (err != nil) != (tt.kind != registry.Internal) || registry.KindOf(err) != tt.kind {
				t.Errorf("got %q, %q, %v", address, rest, err)
			}
		})
	}
}

func TestDecodeRef(t *testing.T) {
	tests := []struct{ escaped, want string }{
		{"7", "7"},
		{"acme%2Fdemo", "acme/demo"},
		{"acme%2fa.b", "acme/a.b"},
		{"acme%252Fdemo", ""},
		{"acme%2", ""},
		{"a%2F..%2Fb", ""},
		{"a%5Cb", ""},
		{"a%00b", ""},
	}
	for _, tt := range tests {
		got, err := serve.DecodeRef(tt.escaped)
		if got != tt.want || (err != nil) != (tt.want == "") || err != nil && registry.KindOf(err) != registry.Invalid {
			t.Errorf("%s: got %q, %v", tt.escaped, got, err)
		}
	}
}

func TestIsDownload(t *testing.T) {
	tests := []struct {
		name, method, asked string
		want                bool
	}{
		{name: "whole file", method: http.MethodGet, want: true},
		{name: "from the first byte", method: http.MethodGet, asked: "bytes=0-99", want: true},
		{name: "resumed", method: http.MethodGet, asked: "bytes=100-"},
		{name: "the end", method: http.MethodGet, asked: "bytes=-100"},
		{name: "only headers", method: http.MethodHead},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "/", nil)
			if tt.asked != "" {
				r.Header.Set("Range", tt.asked)
			}
			if got := serve.IsDownload(r); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// bucket signs addresses, or fails to.
type bucket struct {
	registry.Blobs
	err error
}

func (b bucket) SignedURL(_ context.Context, key string, _ time.Duration) (string, error) {
	return "https://bucket.test/" + key, b.err
}

func TestRedirect(t *testing.T) {
	file := registry.File{Blob: registry.Blob{Key: "k", Digests: registry.Digests{Size: 100}}}
	tests := []struct {
		name, method string
		least        int64
		err          error
		want         bool
	}{
		{name: "large", method: http.MethodGet, least: 100, want: true},
		{name: "small", method: http.MethodGet, least: 101},
		{name: "switched off", method: http.MethodGet},
		{name: "only headers", method: http.MethodHead, least: 100},
		{name: "a bucket that cannot sign", method: http.MethodGet, least: 100, err: registry.Errorf(registry.Unsupported, "no")},
		{name: "a bucket that is down", method: http.MethodGet, least: 100, err: registry.Errorf(registry.Unavailable, "down")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packages := registry.New(nil, bucket{err: tt.err}, registry.Options{})
			var done bool
			w, err := call(tt.method, nil, func(c echo.Context) (err error) {
				done, err = serve.Redirect(c, packages, file, tt.least)
				return err
			})
			if done != tt.want || (err != nil) != (registry.KindOf(tt.err) == registry.Unavailable) {
				t.Fatalf("done %v, %v", done, err)
			}
			if got := w.Header().Get("Location"); (got == "https://bucket.test/k") != tt.want || tt.want && w.Code != http.StatusFound {
				t.Errorf("%d to %q", w.Code, got)
			}
		})
	}
}
