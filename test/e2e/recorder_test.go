package e2e

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// recorder stands in front of a server and remembers what was asked.
type recorder struct {
	*httptest.Server
	mu    sync.Mutex
	lines []string // method, escaped path, status
	// onAnswer, when set, sees each request as it was sent and how it ended.
	onAnswer func(r *http.Request, status int)
}

func newRecorder(t testing.TB, s *server) (*recorder, error) {
	to, err := url.Parse("http://" + s.addr)
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ErrorLog: log.New(io.Discard, "", 0), // a server that was killed on purpose
	}
	rec := &recorder{}
	proxy.ModifyResponse = func(res *http.Response) error {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		// SetURL keeps the path as the client escaped it.
		line := fmt.Sprintf("%s %s %d", res.Request.Method, res.Request.URL.EscapedPath(), res.StatusCode)
		rec.lines = append(rec.lines, line)
		if rec.onAnswer != nil {
			rec.onAnswer(res.Request, res.StatusCode)
		}
		return nil
	}
	rec.Server = httptest.NewServer(proxy)
	t.Cleanup(rec.Close)
	return rec, nil
}

// requests: what was asked since the last time, one line each.
func cmdRequests(ts *testscript.TestScript, neg bool, args []string) {
	rec := ts.Value(recorderKey{}).(*recorder)
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for _, line := range rec.lines {
		fmt.Fprintln(ts.Stdout(), line)
	}
	rec.lines = nil
}

type recorderKey struct{}
