package httpapi

import (
	"bytes"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// connection is a net/http writer as far as the recorder can see.
type connection struct {
	*httptest.ResponseRecorder
	onWrite func()
	files   int // times a file came in the form that net sends by sendfile
	writes  []time.Time
	reads   []time.Time
}

func (c *connection) SetWriteDeadline(t time.Time) error { c.writes = append(c.writes, t); return nil }

func (c *connection) SetReadDeadline(t time.Time) error { c.reads = append(c.reads, t); return nil }

func (c *connection) Write(p []byte) (int, error) {
	if c.onWrite != nil {
		c.onWrite()
	}
	return c.ResponseRecorder.Write(p)
}

func (c *connection) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok {
		if _, ok := limited.R.(*os.File); ok {
			c.files++
		}
	}
	return io.Copy(struct{ io.Writer }{c.ResponseRecorder}, r)
}

type localFile struct {
	io.ReadSeekCloser
	size int64
}

func (l localFile) Size() int64    { return l.size }
func (l localFile) File() *os.File { return l.ReadSeekCloser.(*os.File) }

// A stored file must reach net/http as a file: echo's writer alone would hide
// that it can be sent without copying.
func TestFilesReachTheSocketAsFiles(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 3*sendBytes/16)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(func(c echo.Context) error {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		return serve.File(c, localFile{file, int64(len(want))}, serve.FileMeta{})
	})
	for _, ranged := range []string{"", "bytes=16-"} {
		conn := &connection{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequest("GET", npmPath+"x", nil)
		start := 0
		if ranged != "" {
			r.Header.Set("Range", ranged)
			start = 16
		}
		w.ServeHTTP(conn, r)
		if !bytes.Equal(conn.Body.Bytes(), want[start:]) || conn.files < 3 {
			t.Errorf("%q: %d bytes, %d times as a file", ranged, conn.Body.Len(), conn.files)
		}
		if sent := w.lastLine(t)["sent_bytes"]; sent != float64(len(want)-start) {
			t.Errorf("%q: log has %v bytes", ranged, sent)
		}
	}
}

// A deadline moves with progress and not with time: see stallTime.
func TestDeadlinesMoveWithProgress(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w := newWorld(func(c echo.Context) error {
		part := make([]byte, 1<<10)
		for {
			now = now.Add(time.Second)
			if _, err := c.Request().Body.Read(part); err == io.EOF {
				break
			} else if err != nil {
				return err
			}
		}
		_, err := c.Response().Write(make([]byte, 4*sendBytes))
		return err
	}, func(o *Options) { o.Now = func() time.Time { return now } })
	conn := &connection{ResponseRecorder: httptest.NewRecorder()}
	conn.onWrite = func() { now = now.Add(stallTime / 2) } // a slow reader
	w.ServeHTTP(conn, httptest.NewRequest("PUT", npmPath+"x", struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 3*stallBytes))}))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, at := range []time.Time{start.Add(time.Second), start.Add(65 * time.Second), start.Add(129 * time.Second)} {
		if i >= len(conn.reads) || !conn.reads[i].Equal(at.Add(stallTime)) {
			t.Fatalf("read deadline %d: %v, want %v", i, conn.reads, at.Add(stallTime))
		}
	}
	// Left standing, it would end the request while the handler still works.
	if last := conn.reads[len(conn.reads)-1]; !last.IsZero() {
		t.Errorf("the read deadline stands at %v after the body", last)
	}
	for i, at := range conn.writes {
		if want := conn.writes[0].Add(time.Duration(i) * stallTime / 2); !at.Equal(want) || len(conn.writes) != 4 {
			t.Errorf("write deadline %d of %d for 4 parts: %v, want %v", i, len(conn.writes), at, want)
		}
	}
}

func TestStatusAndBytes(t *testing.T) {
	tests := []struct {
		name   string
		handle echo.HandlerFunc
		status int
		sent   float64
	}{
		{"nothing written", func(echo.Context) error { return nil }, 200, 0},
		{"no content", func(c echo.Context) error { return c.NoContent(204) }, 204, 0},
		{"created", func(c echo.Context) error { return c.String(201, "abc") }, 201, 3},
		{"refused", func(echo.Context) error { return registry.Errorf(registry.Forbidden, "no") }, 403, float64(len("npm: no"))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(tt.handle)
			w.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", npmPath+"x", nil))
			if line := w.lastLine(t); line["status"] != float64(tt.status) || line["sent_bytes"] != tt.sent {
				t.Errorf("got %v", line)
			}
		})
	}
}
