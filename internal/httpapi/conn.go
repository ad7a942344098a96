package httpapi

import (
	"context"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// watchEvery is how often connections are looked at whose request takes its
// time: a client that leaves is noticed within twice as long.
const watchEvery = 250 * time.Millisecond

// listener makes connections that spare system calls; see conn. Run it while it
// is served.
type listener struct {
	net.Listener
	mu    sync.Mutex
	conns map[*conn]struct{}
}

func newListener(l net.Listener) *listener {
	return &listener{Listener: l, conns: map[*conn]struct{}{}}
}

func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	tcp, ok := accepted.(*net.TCPConn)
	if !ok {
		return accepted, err
	}
	c := &conn{TCPConn: tcp, wake: make(chan bool, 1), closed: l.drop}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = struct{}{}
	return c, nil
}

func (l *listener) drop(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

// watch lets connections look for clients that leave, until ctx ends.
func (l *listener) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.look()
		}
	}
}

func (l *listener) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.look()
	}
}

// maxHeld is the size of net/http's buffer of a connection: what fills it is
// written at once, and the rest of the answer follows in a write of its own.
const maxHeld = 4 << 10

// conn is a connection below net/http that spares system calls, which are half
// the work of a hot read.
//
// It can hold an answer's header back until the body comes. It sets a read
// deadline when somebody reads, not whenever net/http changes its mind, which it
// does six times for a request. And it begins to watch for a client that leaves,
// as net/http asks it to for each request, only when the request takes longer
// than most do.
//
// One goroutine at a time writes, one reads, as net/http does.
type conn struct {
	*net.TCPConn
	closed func(*conn)

	// Of the goroutine that writes:
	holding bool
	held    []byte      // what was written meanwhile
	moved   time.Time   // when the write deadline was last set
	parts   [2][]byte   // of buffers
	buffers net.Buffers // kept here, or each answer would allocate it

	mu      sync.Mutex
	want    time.Time // read deadline that was asked for
	set     time.Time // read deadline that the system knows
	reading bool
	waiting bool // net/http watches, and the connection is not looked at yet
	aged    bool // it has waited for one look
	// wake ends the wait: true to look at the connection, false when the watch was
	// called off. It never blocks: only who takes waiting back sends.
	wake chan bool
}

// longAgo is later than the time with which net/http calls a read off, and
// earlier than any deadline.
var longAgo = time.Unix(1e9, 0)

func calledOff(deadline time.Time) bool { return !deadline.IsZero() && deadline.Before(longAgo) }

// SetReadDeadline implements net.Conn. A read under way learns of it at once.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.want = t
	switch {
	case c.reading:
		c.set = t
		return c.TCPConn.SetReadDeadline(t)
	case c.waiting && calledOff(t):
		c.waiting = false
		c.wake <- false
	}
	return nil
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// Read implements net.Conn. net/http reads a single byte to learn whether the
// client leaves, and else never less than its buffer holds.
func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 1 && !c.wait() {
		return 0, os.ErrDeadlineExceeded
	}
	if err := c.beginRead(); err != nil {
		return 0, err
	}
	n, err := c.TCPConn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	return n, err
}

// wait waits until the connection is worth a look; false when it was called off.
func (c *conn) wait() bool {
	c.mu.Lock()
	if calledOff(c.want) {
		c.mu.Unlock()
		return false
	}
	c.waiting, c.aged = true, false
	c.mu.Unlock()
	return <-c.wake
}

// look ends the wait of a request that takes its time.
func (c *conn) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.waiting {
		return
	}
	if !c.aged {
		c.aged = true
		return
	}
	c.waiting = false
	c.wake <- true
}

// beginRead makes the system know the deadline. One that moved by less than a
// second, as from request to request, is good enough.
func (c *conn) beginRead() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = true
	if !c.want.Equal(c.set) && (c.want.IsZero() || c.set.IsZero() || c.want.Before(c.set) || c.want.Sub(c.set) >= time.Second) {
		c.set = c.want
		return c.TCPConn.SetReadDeadline(c.want)
	}
	return nil
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.closed(c)
	c.mu.Lock()
	if c.waiting {
		c.waiting = false
		c.wake <- true // the read will tell
	}
	c.mu.Unlock()
	return c.TCPConn.Close()
}

// hold keeps the next small write back until the one after it, or release.
func (c *conn) hold() { c.holding = true }

// release sends what is held.
func (c *conn) release() error {
	c.holding = false
	if len(c.held) == 0 {
		return nil
	}
	_, err := c.TCPConn.Write(c.held)
	c.held = c.held[:0]
	return err
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
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
// records of its own: its connections are others.
func withConn(ctx context.Context, nc net.Conn) context.Context {
	if c, ok := nc.(*conn); ok {
		return context.WithValue(ctx, connKey{}, c)
	}
	return ctx
}

func connOf(r *http.Request) *conn {
	c, _ := r.Context().Value(connKey{}).(*conn)
	return c
}
