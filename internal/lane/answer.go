package lane

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxHeld is up to how many bytes, of an answer whose length its handler does
// not tell, are held back to count them, as in net/http. Longer ones are sent in
// chunks.
const maxHeld = 2 << 10

// answer is the http.ResponseWriter of a connection, one request after the
// other. Its rules are those of net/http.
type answer struct {
	conn   *conn
	header http.Header
	head   []byte // room for the head as it is sent

	onlyHead bool // of a HEAD: the body is counted and not sent
	close    bool // no other answer can follow on the connection
	status   int  // 0 until the handler said it
	length   int64
	chunked  bool
	sent     bool   // the head was
	held     []byte // body of an unknown length, not sent yet
	written  int64  // bytes of body that the handler wrote
	err      error  // of the connection

	parts   [2][]byte // of buffers
	buffers net.Buffers
}

// unknown is the length of an answer whose handler declared none.
const unknown = -1

// begin makes the writer new, but for what can be used again.
func (a *answer) begin(r *http.Request) {
	clear(a.header)
	*a = answer{
		conn: a.conn, header: a.header, head: a.head[:0], held: a.held[:0],
		onlyHead: r.Method == http.MethodHead, close: r.Close, length: unknown,
	}
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status != 0 || status < 200 { // a read has nothing to say before its answer
		return
	}
	a.status = status
	if declared := a.header["Content-Length"]; len(declared) > 0 && a.bodyAllowed() {
		n, err := strconv.ParseInt(declared[0], 10, 64)
		if err != nil || n < 0 {
			delete(a.header, "Content-Length")
			return
		}
		a.length = n
	}
}

// bodyAllowed is false for statuses that never have a body.
func (a *answer) bodyAllowed() bool {
	return a.status != http.StatusNoContent && a.status != http.StatusNotModified
}

// Write implements http.ResponseWriter. The first part of the body leaves
// together with the head.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	switch {
	case len(p) == 0:
		return 0, a.err
	case !a.bodyAllowed():
		return 0, http.ErrBodyNotAllowed
	case a.length != unknown && a.written+int64(len(p)) > a.length:
		return 0, http.ErrContentLength
	case a.written == 0:
		a.guessType(p)
	}
	a.written += int64(len(p))
	switch {
	case a.onlyHead:
		return len(p), nil
	case a.length != unknown:
		return a.send(p)
	case !a.chunked && len(a.held)+len(p) <= maxHeld:
		a.held = append(a.held, p...)
		return len(p), nil
	}
	if err := a.sendChunk(a.held); err != nil {
		return 0, err
	}
	a.held = a.held[:0]
	if err := a.sendChunk(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// guessType names the type of a body for handlers that do not.
func (a *answer) guessType(p []byte) {
	if a.header["Content-Type"] == nil && a.header["Content-Encoding"] == nil {
		a.header.Set("Content-Type", http.DetectContentType(p))
	}
}

// ReadFrom implements io.ReaderFrom: an open file of a declared length reaches
// the connection by sendfile.
func (a *answer) ReadFrom(from io.Reader) (int64, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.length == unknown || a.onlyHead || a.header["Content-Type"] == nil {
		return io.Copy(struct{ io.Writer }{a}, from)
	}
	if limited, ok := from.(*io.LimitedReader); !ok || limited.N > a.length-a.written {
		from = &io.LimitedReader{R: from, N: a.length - a.written}
	}
	if _, err := a.send(nil); err != nil {
		return 0, err
	}
	n, err := a.conn.tcp.ReadFrom(from)
	a.written += n
	return n, a.fail(err)
}

// Flush implements http.Flusher.
func (a *answer) Flush() {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.length == unknown && a.bodyAllowed() && !a.onlyHead {
		if a.sendChunk(a.held) == nil {
			a.held = a.held[:0]
		}
		return
	}
	_, _ = a.send(nil) // kept in err
}

// SetWriteDeadline serves http.ResponseController. Within a second the last one
// is good enough.
func (a *answer) SetWriteDeadline(t time.Time) error {
	if d := t.Sub(a.conn.writeBy); d >= 0 && d < slack {
		return nil
	}
	a.conn.writeBy = t
	return a.conn.tcp.SetWriteDeadline(t)
}

// SetReadDeadline serves http.ResponseController. There is no body to wait for.
func (a *answer) SetReadDeadline(time.Time) error { return nil }

// sendChunk sends a part of a body whose length is not known, and the head
// before the first one.
func (a *answer) sendChunk(p []byte) error {
	if !a.sent {
		a.chunked = true
		if _, err := a.send(nil); err != nil {
			return err
		}
	}
	if len(p) == 0 {
		return nil
	}
	chunk := append(strconv.AppendInt(make([]byte, 0, len(p)+12), int64(len(p)), 16), "\r\n"...)
	_, err := a.transmit(append(append(chunk, p...), "\r\n"...), nil)
	return err
}

// send sends bytes as they are, with the head before the first ones.
func (a *answer) send(p []byte) (int, error) {
	if a.sent {
		if len(p) == 0 {
			return 0, a.err
		}
		return a.transmit(nil, p)
	}
	a.sent = true
	a.makeHead()
	return a.transmit(a.head, p)
}

// transmit writes two texts with one system call, and tells how much of the
// second one was sent.
func (a *answer) transmit(first, second []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	if len(second) == 0 {
		_, err := a.conn.tcp.Write(first)
		return 0, a.fail(err)
	}
	a.parts = [2][]byte{first, second}
	a.buffers = a.parts[:]
	if len(first) == 0 {
		a.buffers = a.parts[1:]
	}
	n, err := a.buffers.WriteTo(a.conn.tcp)
	a.parts = [2][]byte{}
	return max(0, int(n)-len(first)), a.fail(err)
}

// fail keeps the error after which the connection is of no use.
func (a *answer) fail(err error) error {
	if err != nil {
		a.err, a.close = err, true
	}
	return err
}

// finish sends what is left of the answer.
func (a *answer) finish() {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	switch {
	case a.chunked:
		_, _ = a.transmit([]byte("0\r\n\r\n"), nil) // kept in err
	case !a.sent:
		if a.length == unknown && a.bodyAllowed() && (!a.onlyHead || a.written > 0 && a.written <= maxHeld) {
			a.header["Content-Length"] = []string{strconv.FormatInt(a.written, 10)}
		}
		_, _ = a.send(a.held) // as above
	}
	if a.length != unknown && !a.onlyHead && a.written < a.length {
		a.close = true // a part must not look like the whole
	}
}

// makeHead writes the status line and all header fields, by name, into a.head.
func (a *answer) makeHead() {
	switch {
	case !a.bodyAllowed():
		delete(a.header, "Content-Length")
	case a.chunked:
		a.header["Transfer-Encoding"] = []string{"chunked"}
	}
	if c := a.header["Connection"]; len(c) > 0 && strings.EqualFold(c[0], "close") {
		a.close = true
	}
	a.head = a.endHead(AppendHead(a.head[:0], a.status, a.header, "Connection", "Date"))
}

// AppendHead appends a status line and the fields of a header, by name, but for
// some of them.
func AppendHead(b []byte, status int, h http.Header, without ...string) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = append(strconv.AppendInt(b, int64(status), 10), ' ')
	b = append(append(b, http.StatusText(status)...), "\r\n"...)
	var room [16]string
	names := room[:0]
	for name := range h {
		if !slices.Contains(without, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			b = append(append(append(append(b, name...), ": "...), oneLine.Replace(value)...), "\r\n"...)
		}
	}
	return b
}

// endHead ends a head with what is the connection's to say.
func (a *answer) endHead(b []byte) []byte {
	if a.close = a.close || a.conn.lane.draining.Load(); a.close {
		b = append(b, "Connection: close\r\n"...)
	}
	return append(append(b, a.conn.lane.date.line()...), "\r\n\r\n"...)
}

// RequestHead is the head of the request that is being answered, as it came.
func (a *answer) RequestHead() []byte { return a.conn.in[:a.conn.end] }

// oneLine keeps values from ending their line, as net/http does.
var oneLine = strings.NewReplacer("\r", " ", "\n", " ")
