package httpapi

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// start runs a server on loopback until the test ends.
func start(t *testing.T, w world, config *tls.Config) (addr string, stop context.CancelFunc, done chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done = make(chan error, 1)
	go func() { done <- w.Run(ctx, l, config); close(done) }()
	t.Cleanup(func() {
		stop()
		for range done { // until it is closed; a test may have taken the error
		}
	})
	return l.Addr().String(), stop, done
}

// dial opens a connection that a hung server cannot hold for ever.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func refuse(echo.Context) error { return registry.Errorf(registry.Unauthenticated, "who are you") }

// npm 6 and NuGet send the whole package before they read the answer. Without
// draining, they would see a reset connection instead of the status.
func TestRefusalReachesClientsThatSendFirst(t *testing.T) {
	tests := []struct {
		name   string
		header string
		handle echo.HandlerFunc
	}{
		{"length declared", fmt.Sprintf("Content-Length: %d", 20<<20), refuse},
		{"small", "Content-Length: 1000", refuse},
		{"chunked", "Transfer-Encoding: chunked", refuse},
		{"refused on the way", fmt.Sprintf("Content-Length: %d", 20<<20), func(c echo.Context) error {
			if _, err := io.CopyN(io.Discard, c.Request().Body, 3<<20); err != nil {
				return err
			}
			return refuse(c)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr, _, _ := start(t, newWorld(tt.handle), nil)
			conn := dial(t, addr)
			fmt.Fprintf(conn, "PUT %sx HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", npmPath, tt.header)
			sendBody(t, conn, tt.header)
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != 401 || string(text) != "npm: who are you" {
				t.Errorf("got %d %q %v", answer.StatusCode, text, err)
			}
		})
	}
}

func sendBody(t *testing.T, conn net.Conn, header string) {
	t.Helper()
	part := strings.Repeat("x", 1<<20)
	var err error
	switch {
	case strings.HasPrefix(header, "Transfer"):
		for i := 0; i < 20 && err == nil; i++ {
			_, err = fmt.Fprintf(conn, "%x\r\n%s\r\n", len(part), part)
		}
		if err == nil {
			_, err = io.WriteString(conn, "0\r\n\r\n")
		}
	case strings.HasSuffix(header, " 1000"):
		_, err = io.WriteString(conn, part[:1000])
	default:
		for i := 0; i < 20 && err == nil; i++ {
			_, err = io.WriteString(conn, part)
		}
	}
	if err != nil {
		t.Fatalf("sending: %v", err)
	}
}

// A client that waits for "100 Continue" is refused without being asked for its
// body.
func TestRefusalBeforeContinue(t *testing.T) {
	addr, _, _ := start(t, newWorld(refuse), nil)
	conn := dial(t, addr)
	fmt.Fprintf(conn, "PUT %sx HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n", npmPath)
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, " 401 ") {
		t.Errorf("got %q %v", line, err)
	}
}

// A small refused body costs no connection: clients send the next request on it.
func TestRefusalKeepsTheConnection(t *testing.T) {
	addr, _, _ := start(t, newWorld(refuse), nil)
	conn := dial(t, addr)
	answers := bufio.NewReader(conn)
	for i := range 2 {
		fmt.Fprintf(conn, "PUT %sx HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", npmPath)
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
}

// Of a broken answer no client may believe that it is whole, chunked or not.
func TestBrokenAnswerBreaksTheConnection(t *testing.T) {
	addr, _, _ := start(t, newWorld(func(c echo.Context) error {
		if _, err := c.Response().Write([]byte("half")); err != nil {
			return err
		}
		c.Response().Flush()
		return errors.New("the other half is gone")
	}), nil)
	answer, err := http.Get("http://" + addr + npmPath + "x")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err == nil {
		t.Errorf("the client believes %q", text)
	}
}

func TestStopLetsRequestsFinish(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	w := newWorld(func(c echo.Context) error { close(entered); <-release; return ok(c) })
	addr, stop, done := start(t, w, nil)
	answered := make(chan string, 1)
	go func() {
		answer, err := http.Get("http://" + addr + npmPath + "whole")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		answered <- fmt.Sprint(string(text), err)
	}()
	<-entered
	stop()
	for { // accepting ends soon after; nothing tells when
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		conn.Close()
	}
	if got := w.call("GET", "/-/readiness"); got.Code != 503 {
		t.Errorf("ready while stopping: %d", got.Code)
	}
	close(release)
	if got := <-answered; got != "whole<nil>" {
		t.Errorf("got %q", got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestStopHasABound(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	w := newWorld(func(echo.Context) error { close(entered); <-release; return nil },
		func(o *Options) { o.StopTimeout = time.Millisecond })
	addr, stop, done := start(t, w, nil)
	conn := dial(t, addr)
	fmt.Fprintf(conn, "GET %sx HTTP/1.1\r\nHost: x\r\n\r\n", npmPath)
	<-entered
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !strings.Contains(w.logged.String(), "requests were cut off by the stop") {
		t.Errorf("log: %s", w.logged)
	}
	close(release) // only now: the request writes its line too
}

func TestTLSSpeaksHTTP2(t *testing.T) {
	borrowed := httptest.NewUnstartedServer(nil)
	borrowed.StartTLS()
	defer borrowed.Close()
	config := &tls.Config{Certificates: borrowed.TLS.Certificates, MinVersion: tls.VersionTLS12}
	addr, _, _ := start(t, newWorld(ok), config)
	transport := borrowed.Client().Transport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2 = true
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Get("https://" + addr + npmPath + "x")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 || answer.ProtoMajor != 2 {
		t.Errorf("got %d over %s", answer.StatusCode, answer.Proto)
	}
}

func TestMetricsListener(t *testing.T) {
	w := newWorld(ok)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.RunMetrics(ctx, l) }()
	for _, path := range []string{"/metrics", "/debug/pprof/cmdline"} {
		answer, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 200 {
			t.Errorf("%s: got %d", path, answer.StatusCode)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
