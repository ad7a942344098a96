package nuget

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestWireTraces answers what real clients have sent, as they sent it, and gives
// each the status that made the client go on. The traces are recorded by
// TestNuGetWire of test/e2e.
func TestWireTraces(t *testing.T) {
	files, err := filepath.Glob("testdata/wire/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no traces: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			w := newWorld(t)
			for _, r := range readTrace(t, file) {
				w.replay(t, r)
			}
		})
	}
}

// traced is a request of a trace.
type traced struct {
	line           int
	step           string // what the client was asked to do
	id, version    string // of the package that it pushes
	method, target string
	status         int
	header         [][2]string
}

// readTrace reads a trace: steps after ==, which may name the package that is
// pushed, then requests, each with indented headers.
func readTrace(t *testing.T, file string) (all []traced) {
	t.Helper()
	f, err := os.Open(file)
	check(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	var step traced
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		switch {
		case line == "" || strings.HasPrefix(strings.TrimSpace(line), "#"):
		case strings.HasPrefix(line, "== "):
			name, packed, _ := strings.Cut(line[3:], ": ")
			step = traced{step: name}
			step.id, step.version, _ = strings.Cut(packed, " ")
		case strings.HasPrefix(line, "  "):
			name, value, ok := strings.Cut(line[2:], ": ")
			if !ok || len(all) == 0 {
				t.Fatalf("%s:%d: no header: %s", file, n, line)
			}
			last := &all[len(all)-1]
			last.header = append(last.header, [2]string{name, value})
		default:
			words := strings.Fields(line)
			if len(words) != 3 {
				t.Fatalf("%s:%d: no request: %s", file, n, line)
			}
			r := step
			r.line, r.method, r.target = n, words[0], words[1]
			r.status, err = strconv.Atoi(words[2])
			check(t, err)
			all = append(all, r)
		}
	}
	check(t, lines.Err())
	if len(all) == 0 {
		t.Fatalf("%s holds no requests", file)
	}
	return all
}

// replay sends a request of a trace with this world's tokens.
func (w *world) replay(t *testing.T, r traced) {
	t.Helper()
	masked := []string{
		"Basic $RW", basicHeader("writer", w.write), "$RW", w.write,
		"Basic $RO", basicHeader("gitlab+deploy-token-1", w.read), "$RO", w.read,
	}
	var body io.Reader
	if r.method == http.MethodPut {
		var contentType string
		body, contentType = form(t, buildNupkg(t, nupkgSpec{ID: r.id, Version: r.version}))
		_, boundary, _ := strings.Cut(contentType, "boundary=")
		masked = append(masked, "$BOUNDARY", strconv.Quote(boundary))
	}
	words := strings.NewReplacer(masked...)
	target := demo + strings.TrimPrefix(r.target, ".") // a dot is the feed's own address
	request := httptest.NewRequest(r.method, target, body)
	for _, h := range r.header {
		request.Header.Add(h[0], words.Replace(h[1]))
	}
	got := httptest.NewRecorder()
	w.server.ServeHTTP(got, request)
	if got.Code != r.status {
		t.Errorf("line %d (%s): %s %s: status %d, the client saw %d\n%.300s", r.line, r.step, r.method, r.target, got.Code, r.status, got.Body)
	}
}
