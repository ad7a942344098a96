package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// answers serves h on loopback as Run does, and gives its address.
func answers(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h, ConnContext: withConn, ReadHeaderTimeout: 300 * time.Millisecond, IdleTimeout: 300 * time.Millisecond}
	done := make(chan error, 1)
	sparing := newListener(l)
	watched, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var watching sync.WaitGroup
	watching.Go(func() { sparing.watch(watched) })
	go func() { done <- server.Serve(sparing) }()
	t.Cleanup(func() {
		stop()
		watching.Wait()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// Whatever the size, around the buffers of net/http above all, the answer is
// whole and the connection is good for the next one.
func TestAnswersOfAllSizes(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 40<<10)
	base := answers(t, func(w http.ResponseWriter, r *http.Request) {
		rec, _ := newRecorder(w, r, time.Now)
		size, err := strconv.Atoi(r.URL.Path[1:])
		if err != nil {
			t.Error(err)
		}
		if r.URL.RawQuery == "" {
			rec.Header().Set("Content-Length", strconv.Itoa(size))
		}
		if _, err := rec.Write(body[:size]); err != nil {
			t.Error(err)
		}
		if r.URL.RawQuery == "" && rec.conn == nil {
			t.Error("the connection is not found")
		}
	})
	sizes := []int{0, 1, 2047, 2048, 2049, 256 << 10, 256<<10 + 1, len(body)}
	for size := 3500; size < 9000; size += 23 {
		sizes = append(sizes, size)
	}
	client := &http.Client{Timeout: 10 * time.Second}
	reused, local := 0, ""
	for _, size := range sizes {
		for _, query := range []string{"", "?chunked"} {
			conn, got := fetch(t, client, fmt.Sprintf("%s/%d%s", base, size, query))
			if !bytes.Equal(got, body[:size]) {
				t.Fatalf("%d bytes%s: got %d others", size, query, len(got))
			}
			if conn == local {
				reused++
			}
			local = conn
		}
	}
	if reused < len(sizes) {
		t.Errorf("only %d of %d answers left the connection in order", reused, 2*len(sizes))
	}
}

// fetch gives the client's end of the connection, and the body.
func fetch(t *testing.T, client *http.Client, address string) (local string, body []byte) {
	t.Helper()
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { local = info.Conn.LocalAddr().String() }}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	return local, body
}

func TestConnHolds(t *testing.T) {
	big := bytes.Repeat([]byte{'b'}, maxHeld+1)
	tests := []struct {
		name   string
		writes [][]byte
	}{
		{"nothing", nil},
		{"a small one", [][]byte{[]byte("h")}},
		{"small ones", [][]byte{[]byte("h"), []byte("i")}},
		{"header and body", [][]byte{[]byte("header"), big}},
		{"body alone", [][]byte{big}},
		{"full buffer and body", [][]byte{big[:maxHeld], big, big[:3], big[:4]}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, far := connected(t)
			var want []byte
			c.hold()
			for _, p := range tt.writes {
				if n, err := c.Write(p); err != nil || n != len(p) {
					t.Fatalf("wrote %d of %d: %v", n, len(p), err)
				}
				want = append(want, p...)
			}
			if err := c.release(); err != nil {
				t.Fatal(err)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(far)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes arrived, want %d: %v", len(got), len(want), err)
			}
		})
	}
}

// A connection that is gone is told by the write that finds out, or by release.
func TestConnTellsOfFailure(t *testing.T) {
	c, _ := connected(t)
	c.hold()
	if _, err := c.Write([]byte("header")); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.release(); err == nil {
		t.Error("what was held went nowhere, and nobody was told")
	}
	c.hold()
	if n, err := c.Write(make([]byte, maxHeld+1)); err == nil || n != 0 {
		t.Errorf("wrote %d bytes to a closed connection: %v", n, err)
	}
}

func connected(t *testing.T) (*conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	near, err := newListener(l).Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	return near.(*conn), far
}

// connect opens a connection of one's own to a server.
func connect(t *testing.T, base string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// A handler that waits learns that its client has left.
func TestClientThatLeavesIsNoticed(t *testing.T) {
	arrived, noticed := make(chan bool, 1), make(chan bool, 1)
	base := answers(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- true
		select {
		case <-r.Context().Done():
			noticed <- true
		case <-time.After(20 * time.Second):
			noticed <- false
		}
	})
	c := connect(t, base)
	send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-arrived
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if !<-noticed {
		t.Error("nobody told the handler")
	}
}

// A request that takes longer than the watch waits leaves the connection in
// order, and one that was sent meanwhile is answered next.
func TestSlowRequestsOnOneConnection(t *testing.T) {
	base := answers(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			time.Sleep(4 * watchEvery)
		}
		if _, err := io.WriteString(w, r.URL.Path); err != nil {
			t.Error(err)
		}
	})
	c := connect(t, base)
	send(t, c, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n")
	in := bufio.NewReader(c)
	for _, want := range []string{"/slow", "/next", "/slow", "/last"} {
		if want == "/last" {
			send(t, c, "GET /last HTTP/1.1\r\nHost: x\r\n\r\n")
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(want, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil || string(body) != want {
			t.Errorf("got %q, want %q: %v", body, want, err)
		}
		if want == "/next" {
			send(t, c, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
		}
	}
}

// Deadlines that are set late still end connections that stall.
func TestStalledConnectionsEnd(t *testing.T) {
	base := answers(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for name, text := range map[string]string{
		"half a header":            "GET / HTTP/1.1\r\nHo",
		"idle":                     "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"half a header, then more": "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, base)
			send(t, c, text)
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Errorf("the server did not end it: %v", err)
			}
		})
	}
}
