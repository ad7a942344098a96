package lane_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/lane"
)

// world is a server with a lane in front, and what net/http had to answer.
type world struct {
	addr   string
	handed atomic.Int64 // connections that left the lane
	lane   *lane.Listener
	server *http.Server
}

type counting struct {
	net.Listener
	n *atomic.Int64
}

func (l counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return c, err
}

func start(t *testing.T, o lane.Options) *world {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout, o.HeaderTimeout = 20*time.Second, 20*time.Second
	}
	w := &world{addr: l.Addr().String(), lane: lane.Listen(l, o), server: &http.Server{Handler: o.Handler, ErrorLog: o.Log}}
	done := make(chan error, 1)
	go func() { done <- w.server.Serve(counting{w.lane, &w.handed}) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := errors.Join(w.server.Close(), w.lane.Wait(ctx)); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return w
}

// client is a connection of one's own.
type client struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &client{t, c, bufio.NewReader(c)}
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// answer is all of an answer that a client can see.
type answer struct {
	Status int
	Header http.Header
	Length int64
	Coding []string
	Close  bool
	Body   string
	Err    string
}

func (c *client) read(method string) answer {
	c.t.Helper()
	resp, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		return answer{Err: err.Error()}
	}
	body, err := io.ReadAll(resp.Body)
	a := answer{resp.StatusCode, resp.Header, resp.ContentLength, resp.TransferEncoding, resp.Close, string(body), ""}
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		a.Err = err.Error()
	}
	if resp.Header.Get("Date") == "" && resp.StatusCode != http.StatusBadRequest && resp.StatusCode >= 200 { // those net/http answers by itself
		c.t.Error("an answer without its date")
	}
	resp.Header.Del("Date")
	return a
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n" }

// handlers do all that a handler may do to its answer.
func handlers(t *testing.T) map[string]http.HandlerFunc {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, bytes.Repeat([]byte("0123456789"), 60_000), 0o600); err != nil {
		t.Fatal(err)
	}
	write := func(w io.Writer, n int) { _, _ = w.Write(bytes.Repeat([]byte("x"), n)) } // errors are the answer's
	declare := func(w http.ResponseWriter, n int) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Length", strconv.Itoa(n))
	}
	all := map[string]http.HandlerFunc{
		"nothing":           func(http.ResponseWriter, *http.Request) {},
		"status alone":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) },
		"unknown status":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(499) },
		"second status":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); write(w, 3) },
		"guessed type":      func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"no body":           func(w http.ResponseWriter, _ *http.Request) { declare(w, 5); w.WriteHeader(204); write(w, 5) },
		"not modified":      func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Etag", `"x"`); w.WriteHeader(304) },
		"several values":    func(w http.ResponseWriter, _ *http.Request) { w.Header()["X-Two"] = []string{"a", "b\r\nX-Evil: c"} },
		"closing":           func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close"); write(w, 3) },
		"too little":        func(w http.ResponseWriter, _ *http.Request) { declare(w, 10); write(w, 3) },
		"too much":          func(w http.ResponseWriter, _ *http.Request) { declare(w, 10); write(w, 7); write(w, 7) },
		"nothing of ten":    func(w http.ResponseWriter, _ *http.Request) { declare(w, 10) },
		"flushed":           func(w http.ResponseWriter, _ *http.Request) { write(w, 3); w.(http.Flusher).Flush(); write(w, 4) },
		"flushed, of seven": func(w http.ResponseWriter, _ *http.Request) { declare(w, 7); w.(http.Flusher).Flush(); write(w, 7) },
		"file": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			http.ServeFile(w, r, file)
		},
		"file of unknown length": func(w http.ResponseWriter, _ *http.Request) {
			f, err := os.Open(file)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			_, _ = io.Copy(w, f)
		},
		"part of a file": func(w http.ResponseWriter, _ *http.Request) {
			declare(w, 1000)
			f, err := os.Open(file)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			_, _ = io.CopyN(w, f, 400)
			_, _ = io.CopyN(w, f, 600)
		},
		"abort": func(w http.ResponseWriter, _ *http.Request) {
			declare(w, 9)
			write(w, 3)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
		"bug": func(http.ResponseWriter, *http.Request) { panic("a bug") },
		"echo path": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.URL.EscapedPath(), r.URL.Query(), r.Host)
		},
	}
	for _, size := range []int{1, 2047, 2048, 2049, 4096, 4097, 5000, 300_000} {
		all[fmt.Sprintf("%d bytes", size)] = func(w http.ResponseWriter, _ *http.Request) { write(w, size) }
		all[fmt.Sprintf("%d bytes, declared", size)] = func(w http.ResponseWriter, _ *http.Request) { declare(w, size); write(w, size) }
		all[fmt.Sprintf("%d bytes in two", size)] = func(w http.ResponseWriter, _ *http.Request) {
			declare(w, 2*size)
			write(w, size)
			write(w, size)
		}
	}
	return all
}

// A client sees no difference between the lane and net/http, and neither does
// the next request on the connection.
func TestSameAnswersAsNetHTTP(t *testing.T) {
	quiet := log.New(io.Discard, "", 0)
	all := handlers(t)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Header.Get("X-Handler")
		if name == "" {
			name = "echo path"
		}
		all[name](w, r)
	})
	w := start(t, lane.Options{Handler: handler, Log: quiet})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain := &http.Server{Handler: handler, ErrorLog: quiet}
	done := make(chan error, 1)
	go func() { done <- plain.Serve(l) }()
	for name := range all {
		for _, method := range []string{"GET", "HEAD"} {
			t.Run(method+" "+name, func(t *testing.T) {
				request := method + " /a%2fb?c=d HTTP/1.1\r\nHost: x\r\nX-Handler: " + name + "\r\n\r\n"
				var seen [2][]answer
				for i, addr := range []string{w.addr, l.Addr().String()} {
					c := dial(t, addr)
					c.send(request)
					first := c.read(method)
					seen[i] = append(seen[i], first)
					if first.Err == "" && !first.Close {
						c.send(get("/next"))
						seen[i] = append(seen[i], c.read("GET"))
					}
				}
				if diff := cmp.Diff(seen[1], seen[0]); diff != "" {
					t.Errorf("-net/http +lane\n%s", diff)
				}
			})
		}
	}
	if err := plain.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if n := w.handed.Load(); n > 0 {
		t.Errorf("%d connections left the lane", n)
	}
}
