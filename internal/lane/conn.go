package lane

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"time"
)

const (
	// maxHead bounds the heads that the lane reads, in bytes. They are a tenth of
	// it; larger ones are for net/http, whose bound is its server's.
	maxHead = 4 << 10
	// slack is how far a deadline may be off: setting one costs as much as
	// parsing a head.
	slack = time.Second
)

// How long, and for how many bytes, a client is listened to after its last answer.
const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 256 << 10
)

// past is a deadline that has passed: it ends a read under way.
var past = time.Unix(1, 0)

// conn is a connection that the lane serves.
type conn struct {
	lane   *Listener
	tcp    *net.TCPConn
	ctx    context.Context
	cancel context.CancelFunc
	remote string
	blank  *http.Request // with what is the same for all requests
	turn   Turn
	answer answer

	in     []byte // room for a head and what was sent behind it
	filled int
	end    int // of the head of the current request
	// When the deadlines that the system knows will pass.
	readBy, writeBy time.Time

	look lookout
}

func newConn(l *Listener, tcp *net.TCPConn) *conn {
	c := &conn{lane: l, tcp: tcp, remote: tcp.RemoteAddr().String(), in: make([]byte, maxHead)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.blank = (&http.Request{RemoteAddr: c.remote}).WithContext(c.ctx)
	c.turn.conn = c
	c.answer = answer{conn: c, header: http.Header{}}
	return c
}

// serve answers requests until the connection ends, or is not the lane's any
// more.
func (c *conn) serve() {
	defer c.lane.leave(c)
	defer c.cancel()
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if err, ok := cause.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			c.lane.opts.Log.Printf("panic serving %s: %v\n%s", c.remote, cause, debug.Stack())
		}
		_ = c.tcp.Close() // half an answer must not look like a whole one
	}()
	wait := c.lane.opts.HeaderTimeout
	for {
		if err := c.readHead(wait); err != nil {
			_ = c.tcp.Close() // it ended, or waited too long: nobody is there to tell
			return
		}
		if !c.recall() {
			r := c.parse()
			if r == nil {
				c.handOver()
				return
			}
			c.handle(r)
		}
		if c.answer.close {
			c.hangUp()
			return
		}
		c.filled = copy(c.in, c.in[c.end:c.filled])
		wait = c.lane.opts.IdleTimeout
	}
}

// readHead waits for a request. Its end is 0 when what came is not a whole head
// that fits.
func (c *conn) readHead(wait time.Duration) error {
	if c.filled == 0 {
		if err := c.waitUntil(time.Now().Add(wait)); err != nil {
			return err
		}
		n, err := c.tcp.Read(c.in)
		if err != nil {
			return err
		}
		c.filled = n
	}
	c.end = 0
	if i := bytes.Index(c.in[:c.filled], []byte("\r\n\r\n")); i >= 0 {
		c.end = i + 4
	}
	return nil
}

// waitUntil sets the deadline for the next read. The order matters: Close sets
// the flag, then wakes the reads.
func (c *conn) waitUntil(t time.Time) error {
	if d := t.Sub(c.readBy); d >= slack || d < 0 {
		c.readBy = t
		if err := c.tcp.SetReadDeadline(t); err != nil {
			return err
		}
	}
	if c.lane.draining.Load() {
		return net.ErrClosed
	}
	return nil
}

// wake ends the wait for a request; who is being answered goes on.
func (c *conn) wake() { _ = c.tcp.SetReadDeadline(past) } // fails on a connection that has ended

// breakOff ends the connection at once.
func (c *conn) breakOff() {
	c.cancel()
	_ = c.tcp.Close() // its reads and writes tell
}

// handOver lets net/http serve the connection, from the first byte that was not
// answered on, and without the deadlines of what was.
func (c *conn) handOver() {
	if err := c.tcp.SetDeadline(time.Time{}); err != nil {
		_ = c.tcp.Close() // as above
		return
	}
	c.lane.pass(&rest{Conn: c.tcp, tcp: c.tcp, early: c.in[:c.filled]}, nil)
}

// hangUp ends the connection after the last answer. What the client still sends
// is read away for a moment: a reset would take the answer from it.
func (c *conn) hangUp() {
	if c.answer.err == nil && c.tcp.CloseWrite() == nil && c.tcp.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.CopyN(io.Discard, c.tcp, lingerBytes) // whatever ends it
	}
	_ = c.tcp.Close() // as above
}

// parse gives the request; nil when it is not a simple read.
func (c *conn) parse() *http.Request {
	r := new(http.Request)
	*r = *c.blank
	if !parse(c.in[:c.end], r) {
		return nil
	}
	return r
}

// handle lets the handler answer a request.
func (c *conn) handle(r *http.Request) {
	c.answer.begin(r)
	c.look.begin()
	defer c.look.end(c)
	c.lane.opts.Handler.ServeHTTP(&c.answer, r)
	c.answer.finish()
}

// rest is a connection from which the lane has read already.
type rest struct {
	net.Conn
	tcp   *net.TCPConn
	early []byte
}

// Read implements net.Conn.
func (c *rest) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil // the memory behind it
		}
		return n, nil
	}
	return c.tcp.Read(p)
}

// CloseWrite lets net/http end a connection without a reset.
func (c *rest) CloseWrite() error { return c.tcp.CloseWrite() }

// ReadFrom keeps sendfile in net/http's reach.
func (c *rest) ReadFrom(r io.Reader) (int64, error) { return c.tcp.ReadFrom(r) }
