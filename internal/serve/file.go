package serve

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// FileMeta is what the answer says of a file.
type FileMeta struct {
	ContentType  string    // application/octet-stream when empty
	ETag         string    // strong validator with its quotes; none when empty
	Modified     time.Time // none when zero
	CacheControl string    // none when empty
	Disposition  string    // Content-Disposition; "attachment" when empty
}

// ETag makes the strong validator of content that has this digest.
func ETag(digest string) string { return `"` + digest + `"` }

// File answers a GET or HEAD with a stored file: whole, in ranges, or with 304
// or 412 when the request's conditions say so. It does not close the content.
//
// An error after the first byte was sent is Canceled when the client left, else
// Unavailable; httpapi then breaks the connection, so that no client takes the
// part for the whole.
func File(c echo.Context, content registry.Content, meta FileMeta) error {
	w, r := unwrap(c), c.Request()
	setFileHeaders(w.Header(), meta)
	body := io.ReadSeeker(content)
	if local, ok := content.(registry.LocalContent); ok {
		body = local.File() // net/http knows how to send an *os.File without copying
	}
	if conditional(r.Header) {
		watched := &watchedReader{ReadSeeker: body}
		if _, ok := content.(registry.LocalContent); !ok {
			body = watched
		}
		http.ServeContent(w, r, "", ceilSecond(meta.Modified), body) // as Last-Modified says: If-Range may repeat it
		return readFailure(r, watched.err)
	}
	size := content.Size()
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	if memory, ok := content.(registry.MemoryContent); ok {
		_, err := w.Write(memory.Bytes())
		return readFailure(r, err)
	}
	_, err := io.CopyN(w, body, size)
	return readFailure(r, err)
}

func setFileHeaders(h http.Header, meta FileMeta) {
	if meta.ContentType == "" {
		meta.ContentType = "application/octet-stream"
	}
	if meta.Disposition == "" {
		meta.Disposition = "attachment"
	}
	to := newFields(h)
	to.set("Content-Type", meta.ContentType)
	to.set("Content-Disposition", meta.Disposition)
	to.set("Accept-Ranges", "bytes")
	// A package may hold a page with scripts: a browser must neither guess a type
	// nor run anything in the registry's origin.
	to.set("X-Content-Type-Options", "nosniff")
	to.set("Content-Security-Policy", "default-src 'none'; sandbox")
	to.set("Etag", meta.ETag)
	to.set("Cache-Control", meta.CacheControl)
	to.set("Last-Modified", lastModified(meta.Modified))
}

// fields sets headers with one allocation for all their values. Names must be
// in canonical form.
type fields struct {
	header http.Header
	values []string
}

func newFields(h http.Header) fields { return fields{h, make([]string, 0, 8)} }

// set sets a header; no value leaves it as it is.
func (f *fields) set(name, value string) {
	if value == "" {
		return
	}
	f.values = append(f.values, value)
	n := len(f.values)
	f.header[name] = f.values[n-1 : n : n]
}

// conditional tells whether a request wants anything but the whole file. Such
// requests take the longer way through http.ServeContent.
func conditional(h http.Header) bool {
	return len(h["Range"]) > 0 || len(h["If-None-Match"]) > 0 || len(h["If-Modified-Since"]) > 0 ||
		len(h["If-Match"]) > 0 || len(h["If-Unmodified-Since"]) > 0
}

// unwrap gives the writer below echo's Response, which hides io.ReaderFrom and
// so would keep sendfile from happening. What is written to it counts as the
// answer all the same.
func unwrap(c echo.Context) http.ResponseWriter {
	c.Response().Committed = true
	return c.Response().Writer
}

// watchedReader remembers why reading failed: http.ServeContent does not tell.
type watchedReader struct {
	io.ReadSeeker
	err error
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.ReadSeeker.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// readFailure gives the kind of a failure in the middle of an answer.
func readFailure(r *http.Request, err error) error {
	switch {
	case err == nil:
		return nil
	case r.Context().Err() != nil:
		return registry.Wrapf(registry.Canceled, err, "the client left")
	case registry.KindOf(err) != registry.Internal:
		return err
	}
	return registry.Wrapf(registry.Unavailable, err, "the answer broke off")
}
