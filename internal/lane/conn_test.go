package lane_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/lane"
)

// What is not a simple read leaves the lane with every byte, also after others.
func TestHandsOver(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprint(w, r.Method, " ", r.URL.Path, " ", len(r.Header.Get("X-Long")), " ", string(body))
	})
	put := "PUT /put HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
	tests := []struct {
		name  string
		parts []string
		want  []string
	}{
		{"a body", []string{put}, []string{"PUT /put 0 body"}},
		{"a body after a read", []string{get("/1"), put, get("/2")}, []string{"GET /1 0 ", "PUT /put 0 body", "GET /2 0 "}},
		{"all at once", []string{get("/1") + get("/2") + put + get("/3")}, []string{"GET /1 0 ", "GET /2 0 ", "PUT /put 0 body", "GET /3 0 "}},
		{"a head in two parts", []string{"GET /1 HTT", "P/1.1\r\nHost: x\r\n\r\n"}, []string{"GET /1 0 "}},
		{"half a head behind a read", []string{get("/1") + "GET /2 HTT", "P/1.1\r\nHost: x\r\n\r\n"}, []string{"GET /1 0 ", "GET /2 0 "}},
		{"a long head", []string{"GET /1 HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("x", 9000) + "\r\n\r\n"}, []string{"GET /1 9000 "}},
		{"a malformed head", []string{"GET /1 HTTP/1.1\r\nHost : x\r\n\r\n"}, []string{"400 Bad Request: missing required Host header"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := start(t, lane.Options{Handler: handler})
			c := dial(t, w.addr)
			go func() {
				for i, part := range tt.parts {
					if i > 0 {
						time.Sleep(20 * time.Millisecond) // so that they arrive apart
					}
					if _, err := io.WriteString(c, part); err != nil {
						t.Error(err)
					}
				}
			}()
			var got []string
			for range tt.want {
				got = append(got, c.read("GET").Body)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if n := w.handed.Load(); n != 1 {
				t.Errorf("%d connections left the lane", n)
			}
		})
	}
}

// A handler that waits learns that its client has left.
func TestClientThatLeavesIsNoticed(t *testing.T) {
	arrived, noticed := make(chan bool, 1), make(chan bool, 1)
	w := start(t, lane.Options{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- true
		select {
		case <-r.Context().Done():
			noticed <- true
		case <-time.After(20 * time.Second):
			noticed <- false
		}
	})})
	c := dial(t, w.addr)
	c.send(get("/"))
	<-arrived
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if !<-noticed {
		t.Error("nobody told the handler")
	}
}

// A request that takes long enough to be watched leaves the connection in order,
// and what is sent meanwhile, or was before, is answered next.
func TestSlowRequests(t *testing.T) {
	arrived, goOn := make(chan bool, 1), make(chan bool)
	w := start(t, lane.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			arrived <- true
			<-goOn
		}
		if r.Context().Err() != nil {
			t.Error("a client that is there was taken for gone")
		}
		_, _ = io.WriteString(w, r.URL.Path)
	})})
	const watched = 700 * time.Millisecond // after which the lane reads from the connection
	for _, behind := range []bool{true, false} {
		c := dial(t, w.addr)
		if c.send(get("/slow") + map[bool]string{true: get("/next")}[behind]); !behind {
			<-arrived
			time.Sleep(watched)
			c.send(get("/next"))
		} else {
			<-arrived
		}
		time.Sleep(watched)
		goOn <- true
		for _, want := range []string{"/slow", "/next", "/last"} {
			if want == "/last" {
				c.send(get("/last"))
			}
			if got := c.read("GET"); got.Body != want {
				t.Errorf("got %+v, want %q", got, want)
			}
		}
	}
	if n := w.handed.Load(); n > 1 { // what came in two reads, its first byte alone, is net/http's
		t.Errorf("%d connections left the lane", n)
	}
}

func TestStalledConnectionsEnd(t *testing.T) {
	w := start(t, lane.Options{
		Handler:     http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		IdleTimeout: 200 * time.Millisecond, HeaderTimeout: 100 * time.Millisecond,
	})
	for name, text := range map[string]string{"new": "", "idle": get("/")} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, w.addr)
			c.send(text)
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Errorf("the server did not end it: %v", err)
			}
		})
	}
}

// The last answer says that it is the last, and arrives although the client has
// sent more.
func TestClosing(t *testing.T) {
	w := start(t, lane.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100000")
		_, _ = w.Write(make([]byte, 100_000))
	})})
	for range 20 {
		c := dial(t, w.addr)
		c.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + strings.Repeat(get("/"), 100))
		if got := c.read("GET"); !got.Close || len(got.Body) != 100_000 || got.Err != "" {
			t.Fatalf("got %d bytes, %+v", len(got.Body), got.Err)
		}
		if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
			t.Fatalf("%d more bytes: %v", len(rest), err)
		}
	}
}

// A stop ends who waits, lets who is being answered finish, and breaks off those
// that take longer than it may.
func TestStop(t *testing.T) {
	arrived, goOn := make(chan bool), make(chan bool)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			arrived <- true
			select {
			case <-goOn:
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			}
		}
		_, _ = io.WriteString(w, r.URL.Path)
	})
	w := start(t, lane.Options{Handler: handler})
	idle, fresh, busy := dial(t, w.addr), dial(t, w.addr), dial(t, w.addr)
	idle.send(get("/quick"))
	idle.read("GET")
	busy.send(get("/slow"))
	<-arrived
	if err := w.lane.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*client{idle, fresh} {
		if rest, err := io.ReadAll(c.in); len(rest) > 0 || err != nil {
			t.Errorf("%q, %v", rest, err)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- w.lane.Wait(t.Context()) }()
	select {
	case err := <-ended:
		t.Fatalf("a request is under way, and the stop is over: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	goOn <- true
	if got := busy.read("GET"); got.Body != "/slow" || !got.Close {
		t.Errorf("got %+v", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}

	w = start(t, lane.Options{Handler: handler})
	late := dial(t, w.addr)
	late.send(get("/slow"))
	<-arrived
	if err := w.lane.Close(); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.lane.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if got := late.read("GET"); got.Err == "" {
		t.Errorf("got %+v", got)
	}
}

// Recall answers without the handler, and what it sends looks like any answer.
func TestRecall(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "handler "+r.URL.Path) })
	w := start(t, lane.Options{Handler: handler, Recall: func(turn *lane.Turn) bool {
		if !bytes.HasPrefix(turn.Head(), []byte("GET /known ")) || !strings.HasPrefix(turn.RemoteAddr(), "127.0.0.1:") {
			return false
		}
		head := lane.AppendHead(turn.Room(), 200, http.Header{"Content-Length": {"6"}, "X-A": {"1"}, "X-B": {"2"}}, "X-B")
		return errors.Join(turn.SetWriteDeadline(time.Now().Add(time.Minute)), turn.Send(head, []byte("recall"))) == nil
	}})
	c := dial(t, w.addr)
	for _, path := range []string{"/known", "/other", "/known"} {
		c.send(get(path))
		want := answer{Status: 200, Header: http.Header{"Content-Length": {"6"}, "X-A": {"1"}}, Length: 6, Body: "recall"}
		if path == "/other" {
			want = answer{Status: 200, Header: http.Header{"Content-Length": {"14"}, "Content-Type": {"text/plain; charset=utf-8"}}, Length: 14, Body: "handler /other"}
		}
		if diff := cmp.Diff(want, c.read("GET")); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

// A connection is handed over without the deadlines of what was answered on it:
// a client that idles before it publishes must still hear what came of it.
func TestHandsOverWithoutDeadlines(t *testing.T) {
	w := start(t, lane.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
				t.Error(err)
			}
		}
		body, err := io.ReadAll(r.Body) // asks for it: "100 Continue"
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(body)
	})})
	c := dial(t, w.addr)
	c.send(get("/"))
	c.read("GET")
	time.Sleep(100 * time.Millisecond) // the deadline is in the past
	c.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
	if got := c.read("PUT"); got.Status != http.StatusContinue {
		t.Fatalf("got %+v", got)
	}
	c.send("body")
	if got := c.read("PUT"); got.Status != http.StatusOK || got.Body != "body" {
		t.Errorf("got %+v", got)
	}
}

// A bug in what runs before the handler costs its connection, not the server.
func TestPanicsEndTheirConnectionOnly(t *testing.T) {
	var logged bytes.Buffer
	w := start(t, lane.Options{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") }),
		Recall: func(turn *lane.Turn) bool {
			if bytes.HasPrefix(turn.Head(), []byte("GET /bug ")) {
				panic("a bug")
			}
			return false
		},
		Log: log.New(&logged, "", 0),
	})
	c := dial(t, w.addr)
	c.send(get("/bug"))
	if rest, err := io.ReadAll(c.in); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	c = dial(t, w.addr)
	c.send(get("/"))
	if got := c.read("GET"); got.Body != "fine" {
		t.Errorf("got %+v", got)
	}
	if err := errors.Join(w.lane.Close(), w.lane.Wait(t.Context())); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(logged.String(), "a bug") {
		t.Errorf("logged: %q", logged.String())
	}
}
