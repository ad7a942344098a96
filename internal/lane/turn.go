package lane

import "time"

// Turn is the turn of one request on a connection, for Options.Recall. It is
// good until Recall returns.
type Turn struct{ conn *conn }

// recall lets the head be answered without being parsed.
func (c *conn) recall() bool {
	if c.end == 0 || c.lane.opts.Recall == nil {
		return false
	}
	c.answer.err, c.answer.close = nil, false
	return c.lane.opts.Recall(&c.turn)
}

// Head is the request's head as it came, up to and including the empty line.
// Nobody has looked at it.
func (t *Turn) Head() []byte { return t.conn.in[:t.conn.end] }

// RemoteAddr is the client's address, as in http.Request.
func (t *Turn) RemoteAddr() string { return t.conn.remote }

// SetWriteDeadline bounds Send, as http.ResponseController does.
func (t *Turn) SetWriteDeadline(at time.Time) error { return t.conn.answer.SetWriteDeadline(at) }

// Room is empty, for the head to be made in.
func (t *Turn) Room() []byte { return t.conn.answer.head[:0] }

// Send sends an answer: a status line and fields, whose lines all end in CRLF,
// and a body that is as long as they say. The date and the empty line are added.
// Call it once.
func (t *Turn) Send(head, body []byte) error {
	a := &t.conn.answer
	a.head = a.endHead(head)
	_, err := a.transmit(a.head, body)
	return err
}
