package httpapi

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

const (
	// smallBody is what net/http reads of a body itself before it answers.
	smallBody = 256 << 10
	// drainBytes and drainTime bound, unless an API is a Drainer, what is read of a body that is not wanted,
	// after the answer was sent: a client that sends on until the end would see a
	// reset connection and never the status.
	drainBytes = 64 << 20
	drainTime  = 10 * time.Second
)

// successHeaders describe what a handler wanted to send, not the error.
var successHeaders = []string{
	"Accept-Ranges", "Content-Disposition", "Content-Encoding", "Content-Length", "Content-Range", "Etag", "Last-Modified", "Location",
}

// handleError answers with the status of an error, in the form of the API that
// the path belongs to. It is echo's error handler.
func (s *Server) handleError(err error, c echo.Context) {
	rec := findRecorder(c.Response().Writer)
	rec.err = err
	if rec.status != 0 {
		rec.abort = true // half an answer must not look like a whole one
		return
	}
	api := s.apiOf(c.Request().URL.EscapedPath())
	status, message, more := s.answerOf(c.Request(), err)
	if status == statusClientLeft {
		rec.status, rec.abort = status, true
		return
	}
	if status == http.StatusInternalServerError {
		message = "internal error; the server's log tells more under request " + rec.id
	}
	header := rec.Header()
	for _, name := range successHeaders {
		header.Del(name)
	}
	header.Set("Cache-Control", "no-store")
	maps.Copy(header, more)
	if more != nil { // the project is there: for the log, it is not "not found"
		rec.err = nil
		if status >= http.StatusBadRequest {
			rec.err = registry.Errorf(registry.Unsupported, "%s", message)
		}
	}
	if (status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests) && header.Get("Retry-After") == "" {
		header.Set("Retry-After", "5")
	}
	s.sendError(c, rec, api, status, message)
}

// sendError sends the whole error answer, with its length, and then reads what
// the client still sends, within bounds.
func (s *Server) sendError(c echo.Context, rec *recorder, api API, status int, message string) {
	held := &heldAnswer{header: rec.Header(), status: status}
	c.Response().Writer, c.Response().Committed = held, false
	err := api.WriteError(c, status, message)
	c.Response().Writer = rec
	if err != nil {
		s.opts.Log.Error("error answer not written", "request_id", rec.id, "error", err)
	}
	rec.Header().Set("Content-Length", strconv.Itoa(held.body.Len()))
	drain := rec.body.unwanted(c.Request())
	if drain {
		rec.Header().Set("Connection", "close")
		// Without it net/http reads a part of the body first, then closes. HTTP/2
		// never comes here, and a test's writer has no connection to lose.
		_ = http.NewResponseController(rec.ResponseWriter).EnableFullDuplex()
	}
	rec.WriteHeader(held.status)
	if _, err := rec.Write(held.body.Bytes()); err != nil {
		rec.abort = true
		return
	}
	if drain {
		rec.Flush()
		s.drain(c, rec, api)
	}
}

// unwanted tells whether the rest of the body must be drained by us. Of bodies
// that are small, or that the client holds back, net/http takes care.
func (b *body) unwanted(r *http.Request) bool {
	if b.from == nil || b.ended || r.ProtoMajor != 1 || (b.waits && !b.begun) {
		return false
	}
	if left := b.declared - b.read; b.declared >= 0 && left < smallBody {
		b.setDeadline(b.rec.now().Add(drainTime))
		return false
	}
	return true
}

// drain reads the rest of a body, up to what the API allows. Over the cap of its
// address a client is cut off at once: bodies that nobody wants must not be a way
// to keep a server busy.
func (s *Server) drain(c echo.Context, rec *recorder, api API) {
	address := c.RealIP()
	if !s.drains.begin(address) {
		return
	}
	defer s.drains.end(address)
	bytes, period := int64(drainBytes), drainTime
	if d, ok := api.(Drainer); ok {
		bytes, period = d.DrainLimit()
	}
	rec.body.setDeadline(rec.now().Add(period))
	// Whatever ends it, the connection is closed next.
	n, _ := io.CopyN(io.Discard, rec.body.from, bytes)
	rec.body.read += n
}

// maxDrains is how many bodies of one address are read away at once.
const maxDrains = 32

// drains counts the bodies that are being read away, by address.
type drains struct {
	mu     sync.Mutex
	counts map[string]int
}

func (d *drains) begin(address string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.counts == nil {
		d.counts = map[string]int{}
	}
	if d.counts[address] >= maxDrains {
		return false
	}
	d.counts[address]++
	return true
}

func (d *drains) end(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.counts[address]--; d.counts[address] == 0 {
		delete(d.counts, address)
	}
}

// heldAnswer keeps an error answer until its length is known.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header         { return h.header }
func (h *heldAnswer) WriteHeader(status int)      { h.status = status }
func (h *heldAnswer) Write(p []byte) (int, error) { return h.body.Write(p) }

// findRecorder gives the recorder below the writers that handlers may have put
// around it.
func findRecorder(w http.ResponseWriter) *recorder {
	for {
		switch next := w.(type) {
		case *recorder:
			return next
		case interface{ Unwrap() http.ResponseWriter }:
			w = next.Unwrap()
		default:
			panic("httpapi: the answer is not written through a recorder")
		}
	}
}

// apiOf gives the API whose form answers errors of an escaped path, whether it
// has a route or not: a format's below …/packages/<format>, in all its prefixes.
func (s *Server) apiOf(path string) API {
	rest, ok := strings.CutPrefix(path, apiRoot)
	if !ok {
		return s.fallback
	}
	for {
		segment, after, more := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
		if segment == "packages" {
			name, _, _ := strings.Cut(after, "/")
			if p, ok := s.protocols[registry.Format(name)]; ok {
				return p
			}
		}
		if !more {
			return s.fallback
		}
		rest = after
	}
}

// plain answers errors in GitLab's form where no management API is mounted.
type plain struct{}

func (plain) Mount(*echo.Group) {}

func (plain) Routes() []auth.Route { return nil }

func (plain) WriteError(c echo.Context, status int, message string) error {
	text := strconv.Itoa(status) + " " + http.StatusText(status)
	if message != "" {
		text += " - " + message
	}
	return c.JSON(status, map[string]string{"message": text})
}
