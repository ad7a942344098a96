package lane

import (
	"context"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options set a Listener up. Recall and Log may be nil.
type Options struct {
	Handler http.Handler
	// Recall may answer a request without the Handler, from its head alone, and
	// tells whether it did. The head is not parsed yet and may be anything.
	Recall func(*Turn) bool
	// HeaderTimeout bounds how long a new connection may wait with its first
	// request, IdleTimeout how long an old one with its next.
	HeaderTimeout, IdleTimeout time.Duration
	// Log is told of panics; log.Default() when nil.
	Log *log.Logger
}

// Listener serves simple reads itself; Accept gives the connections that want
// anything else. Close stops taking requests, Wait waits for those under way.
type Listener struct {
	net.Listener
	opts   Options
	rest   chan accepted
	closed chan struct{}
	date   date

	draining atomic.Bool
	mu       sync.Mutex
	conns    map[*conn]struct{}
	empty    chan struct{}  // closed when there are none any more, after Close
	working  sync.WaitGroup // of the goroutines of all connections, and of two loops
}

type accepted struct {
	conn net.Conn
	err  error
}

// Listen begins to serve what l accepts. Somebody must go on calling Accept.
func Listen(l net.Listener, o Options) *Listener {
	if o.Log == nil {
		o.Log = log.Default()
	}
	lane := &Listener{
		Listener: l, opts: o, rest: make(chan accepted), closed: make(chan struct{}),
		conns: map[*conn]struct{}{}, empty: make(chan struct{}),
	}
	lane.working.Go(lane.accept)
	lane.working.Go(lane.watch)
	return lane
}

// Accept gives the next connection that the lane does not serve. It implements
// net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.rest:
		return a.conn, a.err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// accept takes connections until the listener is closed. Errors are for who
// calls Accept: an http.Server waits when files run out, and so does the lane.
func (l *Listener) accept() {
	for {
		c, err := l.Listener.Accept()
		if tcp, ok := c.(*net.TCPConn); ok && err == nil {
			l.enter(tcp)
			continue
		}
		if !l.pass(c, err) {
			return
		}
	}
}

// pass gives a connection to who calls Accept; false when nobody does any more.
func (l *Listener) pass(c net.Conn, err error) bool {
	select {
	case l.rest <- accepted{c, err}:
		return true
	case <-l.closed:
		if c != nil {
			_ = c.Close() // nothing was said on it
		}
		return false
	}
}

func (l *Listener) enter(tcp *net.TCPConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.draining.Load() {
		_ = tcp.Close() // nothing was said on it
		return
	}
	c := newConn(l, tcp)
	l.conns[c] = struct{}{}
	l.working.Go(c.serve)
}

func (l *Listener) leave(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	if len(l.conns) == 0 && l.draining.Load() {
		close(l.empty)
	}
}

// Close stops accepting, and ends the connections that wait for a request. Those
// that are being answered end when they have been.
func (l *Listener) Close() error {
	err := l.Listener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.draining.Swap(true) {
		return err
	}
	close(l.closed)
	for c := range l.conns {
		c.wake()
	}
	if len(l.conns) == 0 {
		close(l.empty)
	}
	return err
}

// Wait waits, after Close, until all requests have been answered. When ctx ends
// it breaks the connections of the others, whose handlers may still run, and
// returns the context's error.
func (l *Listener) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { l.working.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.breakOff()
	}
	return ctx.Err()
}
