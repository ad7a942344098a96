package httpapi

import (
	"io"
	"net/http"
	"time"

	"pakhus/internal/auth"
)

const (
	// stallTime is how long a connection may take for stallBytes, in either
	// direction: a publish of 3 GiB may take hours, a stalled one may not.
	stallTime = time.Minute
	// stallBytes is the progress that buys another stallTime: about 1 KiB/s.
	stallBytes = 64 << 10
	// sendBytes is how much is handed to sendfile at once, so that the deadline
	// of a slow reader moves with its progress. More would cut off readers below
	// 4 KiB/s, less would cost system calls.
	sendBytes = 256 << 10
)

// recorder notes what became of a request. It is the writer below echo's, and
// passes io.ReaderFrom on, so that net/http can use sendfile.
type recorder struct {
	http.ResponseWriter
	readerFrom io.ReaderFrom // of the writer; nil when it has none
	deadlines  deadlines     // of the writer; nil when it has none

	status int       // 0 until the header was written
	sent   int64     // bytes of the answer's body
	moved  time.Time // when the write deadline was last set
	body   body
	now    func() time.Time

	route string // pattern, once echo found it
	id    string // request id
	user  string // name of the verified identity
	token string // and its credential, as auth names it
	err   error  // what the handler returned
	abort bool   // the answer broke off: break the connection too

	// Of answers that may be given again: see repeats.
	repeatable bool
	until      time.Time
	again      func()
	whole      []byte // the first part of the body that was sent
	identity   *auth.Identity
}

// deadlines is what http.ResponseController looks for, without its allocation.
type deadlines interface {
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// newRecorder notes what becomes of a request, and gives the request to go on
// with. That is a copy when there is a body to watch: net/http decides by the
// body in its own one whether "100 Continue" was sent and what is left to read.
func newRecorder(w http.ResponseWriter, r *http.Request, now func() time.Time) (*recorder, *http.Request) {
	rec := &recorder{ResponseWriter: w, now: now}
	rec.readerFrom, _ = w.(io.ReaderFrom)
	rec.deadlines, _ = w.(deadlines)
	if r.Body != nil && r.Body != http.NoBody {
		r = r.WithContext(r.Context())
		rec.body = body{from: r.Body, rec: rec, declared: r.ContentLength, waits: r.Header.Get("Expect") != ""}
		r.Body = &rec.body
	}
	return rec, r
}

// Unwrap serves http.ResponseController.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 && status >= 200 { // 1xx may come before the answer
		rec.status = status
	}
	rec.moveWriteDeadline()
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Write(p []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	if rec.repeatable && rec.sent == 0 {
		rec.whole = p
	}
	written := 0
	for {
		rec.moveWriteDeadline()
		part := p[written:min(len(p), written+sendBytes)]
		n, err := rec.ResponseWriter.Write(part)
		rec.sent += int64(n)
		if written += n; err != nil || written == len(p) {
			return written, err
		}
	}
}

// ReadFrom copies to the connection, by sendfile when from is an open file,
// bounded or not.
func (rec *recorder) ReadFrom(from io.Reader) (int64, error) {
	if rec.readerFrom == nil {
		return io.Copy(struct{ io.Writer }{rec}, from)
	}
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	total := int64(0)
	for {
		rec.moveWriteDeadline()
		n, done, err := rec.sendPart(from)
		rec.sent += n
		if total += n; done || err != nil {
			return total, err
		}
	}
}

// sendPart sends up to sendBytes. A bounded reader is bounded further in place:
// net recognises a file in one io.LimitedReader, not below two.
func (rec *recorder) sendPart(from io.Reader) (n int64, done bool, err error) {
	limited, ok := from.(*io.LimitedReader)
	if !ok {
		n, err = rec.readerFrom.ReadFrom(io.LimitReader(from, sendBytes))
		return n, n < sendBytes, err
	}
	rest := limited.N
	limited.N = min(rest, sendBytes)
	asked := limited.N
	n, err = rec.readerFrom.ReadFrom(limited)
	limited.N = rest - n
	return n, n < asked || limited.N <= 0, err
}

// Flush serves http.Flusher, for handlers that stream.
func (rec *recorder) Flush() {
	if f, ok := rec.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// moveWriteDeadline gives the next write stallTime, whatever the bytes before it
// took, or the bucket to deliver them. Within a second the last one is good
// enough. A writer without deadlines is a test's.
func (rec *recorder) moveWriteDeadline() {
	if rec.deadlines == nil {
		return
	}
	now := rec.now()
	if now.Sub(rec.moved) < time.Second {
		return
	}
	rec.moved = now
	// A connection that cannot take a deadline is closed already: the write tells.
	_ = rec.deadlines.SetWriteDeadline(now.Add(stallTime))
}

// body counts a request's body and moves the read deadline with its progress.
type body struct {
	from     io.ReadCloser
	rec      *recorder
	declared int64 // Content-Length; -1 when unknown
	read     int64
	mark     int64 // read when the deadline last moved
	begun    bool
	ended    bool
	waits    bool // the client sends it only when asked to: Expect: 100-continue
}

func (b *body) Read(p []byte) (int, error) {
	if !b.begun || b.read-b.mark >= stallBytes {
		b.begun, b.mark = true, b.read
		b.setDeadline(b.rec.now().Add(stallTime))
	}
	n, err := b.from.Read(p)
	b.read += int64(n)
	if err != nil {
		b.ended = true
		// A deadline left standing would end the request's context while the
		// handler still works on what it has read.
		b.setDeadline(time.Time{})
	}
	return n, err
}

func (b *body) Close() error { return b.from.Close() }

func (b *body) setDeadline(t time.Time) {
	if b.rec.deadlines != nil {
		// As for writing: a read on such a connection fails by itself.
		_ = b.rec.deadlines.SetReadDeadline(t)
	}
}
