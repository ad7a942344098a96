package httpapi

import (
	"context"
	"net"
	"net/http"
	"time"
)

// holdingListener makes connections that can hold back what net/http writes.
type holdingListener struct{ net.Listener }

func (l holdingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &holdingConn{TCPConn: tcp}, err
	}
	return c, err
}

// maxHeld is the size of net/http's buffer of a connection: what fills it is
// written at once, and the rest of the answer follows in a write of its own.
const maxHeld = 4 << 10

// holdingConn sends the header of an answer and its body in one system call,
// where net/http makes two: for documents of some kilobytes the second one, and
// what it costs the client to be woken twice, are a third of the work.
//
// It is used by one goroutine at a time for writing, as net/http does.
type holdingConn struct {
	*net.TCPConn
	holding bool
	held    []byte    // what was written meanwhile
	moved   time.Time // when the write deadline was last set

	parts   [2][]byte   // of buffers
	buffers net.Buffers // kept here, or each answer would allocate it
}

// hold keeps the next small write back until the one after it, or release.
func (c *holdingConn) hold() { c.holding = true }

// release sends what is held.
func (c *holdingConn) release() error {
	c.holding = false
	if len(c.held) == 0 {
		return nil
	}
	_, err := c.TCPConn.Write(c.held)
	c.held = c.held[:0]
	return err
}

func (c *holdingConn) Write(p []byte) (int, error) {
	switch {
	case c.holding && len(c.held)+len(p) <= maxHeld:
		c.held = append(c.held, p...)
		return len(p), nil
	case len(c.held) == 0:
		return c.TCPConn.Write(p)
	}
	c.parts = [2][]byte{c.held, p}
	c.buffers = c.parts[:]
	sent, err := c.buffers.WriteTo(c.TCPConn)
	sent -= int64(len(c.held))
	c.held, c.parts = c.held[:0], [2][]byte{}
	return max(0, int(sent)), err
}

type connKey struct{}

// withConn lets the recorders of a connection's requests find it. TLS has
// records of its own, and connections of other kinds do not hold.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if holding, ok := c.(*holdingConn); ok {
		return context.WithValue(ctx, connKey{}, holding)
	}
	return ctx
}

func connOf(r *http.Request) *holdingConn {
	c, _ := r.Context().Value(connKey{}).(*holdingConn)
	return c
}
