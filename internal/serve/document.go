package serve

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// DocumentMeta is what the answer says of a prepared document.
type DocumentMeta struct {
	ContentType  string
	Coding       Coding // how the body is compressed already
	CacheControl string // none when empty
	Vary         string // "Accept-Encoding" when empty
}

// Document answers a GET or HEAD with prepared bytes: all of them, or 304 when
// the client has them. The document's ETag is strong, so it must differ between
// codings: registry.DocumentKey sees to that.
func Document(c echo.Context, doc *registry.Document, meta DocumentMeta) error {
	w, r := unwrap(c), c.Request()
	h := newFields(w.Header())
	if meta.Vary == "" {
		meta.Vary = "Accept-Encoding"
	}
	h.set("Vary", meta.Vary)
	h.set("Etag", doc.ETag)
	h.set("Cache-Control", meta.CacheControl)
	h.set("Last-Modified", lastModified(doc.Modified))
	if Fresh(r, doc.ETag, doc.Modified) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.set("Content-Type", meta.ContentType)
	if !strings.HasSuffix(meta.ContentType, "json") { // nothing is ever guessed of JSON, and a ninth header makes the map grow
		h.set("X-Content-Type-Options", "nosniff")
	}
	h.set("Content-Encoding", string(meta.Coding))
	h.set("Content-Length", strconv.Itoa(len(doc.Body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	_, err := w.Write(doc.Body)
	return readFailure(r, err)
}

// Fresh tells whether the client has what would be sent, by If-None-Match or
// else by If-Modified-Since. See RFC 9110, section 13.
func Fresh(r *http.Request, etag string, modified time.Time) bool {
	if tags := r.Header["If-None-Match"]; len(tags) > 0 {
		for _, list := range tags {
			if matches(list, etag) {
				return true
			}
		}
		return false
	}
	since := r.Header.Get("If-Modified-Since")
	if since == "" || modified.IsZero() {
		return false
	}
	at, err := http.ParseTime(since)
	return err == nil && !ceilSecond(modified).After(at)
}

// matches compares weakly, as If-None-Match asks for: proxies that compress
// turn a strong tag into a weak one.
func matches(list, etag string) bool {
	if etag == "" {
		return false
	}
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// lastModified is rounded up to the next second: pnpm 12 takes a document for
// outdated whose Last-Modified is older than the time inside of it. No time is
// no text.
func lastModified(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ceilSecond(t).UTC().Format(http.TimeFormat)
}

func ceilSecond(t time.Time) time.Time {
	if whole := t.Truncate(time.Second); whole.Before(t) {
		return whole.Add(time.Second)
	}
	return t
}

// Prepared answers with a document that is built, and compressed in the coding
// that the client wants, when it was not asked for since what its key names has
// changed. The key's Encoding and the meta's Coding are set here.
func Prepared(c echo.Context, packages *registry.Service, key registry.DocumentKey, modified time.Time, meta DocumentMeta,
	build func(context.Context) ([]byte, error),
) error {
	coding := Negotiate(c.Request())
	key.Encoding, meta.Coding = string(coding), coding
	doc, err := packages.Document(c.Request().Context(), key, modified, func(ctx context.Context) ([]byte, error) {
		body, err := build(ctx)
		if err != nil {
			return nil, err
		}
		return Compress(coding, body)
	})
	if err != nil {
		return err
	}
	Repeatable(c, doc.Expires, nil)
	return Document(c, doc, meta)
}
