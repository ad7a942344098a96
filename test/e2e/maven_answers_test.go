package e2e

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// watched are the statuses that resolvers act on, which they only do when the
// answer is no problem document (maven.md 11).
var watched = []int{
	http.StatusUnauthorized, http.StatusNotFound, http.StatusGone, http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable,
	http.StatusExpectationFailed, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable,
}

// watchAnswers leads what a world's clients ask through a proxy that fails the
// test for such an answer, or at the end when there was none to look at.
func watchAnswers(t *testing.T, s *server, w world) {
	t.Helper()
	to, err := url.Parse(s.url())
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan int, 1) // how many so far
	seen <- 0
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ErrorLog: log.New(io.Discard, "", 0), // clients that leave
		ModifyResponse: func(res *http.Response) error {
			if !slices.Contains(watched, res.StatusCode) {
				return nil
			}
			seen <- <-seen + 1
			if kind := res.Header.Get("Content-Type"); strings.Contains(kind, "problem") {
				t.Errorf("%s %s: %d is %s", res.Request.Method, res.Request.URL, res.StatusCode, kind)
			}
			return nil
		},
	}
	front := httptest.NewServer(proxy)
	t.Cleanup(func() {
		front.Close()
		if <-seen == 0 {
			t.Error("no answer was looked at")
		}
	})
	for name, value := range w.vars {
		w.vars[name] = strings.Replace(value, s.url(), front.URL, 1)
	}
}
