package maven_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRefusalAfterBody: Maven 4 on Java 17 sends a whole body without a
// credential before it reads the answer (maven.md 6.5).
func TestRefusalAfterBody(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.server)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	check(t, err)
	defer conn.Close()
	const size = 100 << 20
	_, err = fmt.Fprintf(conn, "PUT %s/org/acme/app/1.0/app-1.0.jar HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", demo, size)
	check(t, err)
	part := []byte(strings.Repeat("x", 1<<20))
	for range size / len(part) {
		_, err := conn.Write(part)
		check(t, err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	check(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized || answer.Header.Get("WWW-Authenticate") != `Basic realm="GitLab Packages Registry"` {
		t.Errorf("status = %d, challenge %q", answer.StatusCode, answer.Header.Get("WWW-Authenticate"))
	}
}
