package maven

import (
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// Caching of answers (maven.md 10). What is immutable and what anyone may read
// decides; documents are asked for each time.
const (
	forEver   = "max-age=31536000, immutable"
	noCaching = "no-cache"
)

// getFile answers GET of a file, or of a checksum of one.
func (h *Handler) getFile(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	all, err := h.find(ctx, req, req.path.Package)
	if err != nil {
		return err
	}
	caching := noCaching
	var file registry.File
	var ok bool
	if asked, literal := literalOf(req.path); literal {
		file, ok, err = h.findAlias(c, req, all, asked)
	} else {
		var at found
		if file, at, ok, err = h.findFile(ctx, req, all, req.path.Version, req.path.Subject); ok && err == nil {
			caching, err = h.caching(c, req, at)
			// With several, the one that counts may be shown to the caller a minute
			// later, and no change tells of it: see sees.
			req.lasting = caching != noCaching && len(all) == 1
		} else if err == nil && req.path.IsSnapshot() {
			file, ok, err = h.findShown(c, req, all)
		}
	}
	switch {
	case err != nil:
		return err
	case !ok && mayBeDirectory(req.path.File):
		return h.getShort(c, req)
	case !ok:
		return req.errAbsent()
	case req.path.Checksum != "":
		return h.sendChecksum(c, req, file, caching)
	}
	return h.sendFile(c, req, file, caching)
}

// caching is what the answer says of a stored file.
func (h *Handler) caching(c echo.Context, req *request, at found) (string, error) {
	fixed, err := h.isFixed(c.Request().Context(), at.project, req.path)
	if err != nil || !fixed {
		return noCaching, err
	}
	if everyonesOwn(req, []found{at}) {
		return "public, " + forEver, nil
	}
	return "private, " + forEver, nil
}

func (h *Handler) sendFile(c echo.Context, req *request, file registry.File, caching string) error {
	r := c.Request()
	header := c.Response().Header()
	setChecksums(header, file.Blob.Digests)
	header.Set("Vary", "Authorization")
	if serve.IsDownload(r) && !req.path.Signature {
		count := func() { h.packages.CountDownload(registry.Maven, file) }
		count()
		if req.lasting {
			serve.Repeatable(c, time.Time{}, count)
		}
	}
	if done, err := serve.Redirect(c, h.packages, file, h.opts.RedirectMin); done || err != nil {
		return err
	}
	content, err := h.packages.Open(r.Context(), file)
	if err != nil {
		dropChecksums(header)
		return err
	}
	defer func() { _ = content.Close() }() // only read from
	if mayFail(r.Header) {
		c.Response().Writer = &checksumTrimmer{c.Response().Writer}
	}
	return serve.File(c, content, serve.FileMeta{
		ContentType: contentType(req.path.Subject), ETag: serve.ETag(file.Blob.Digest()), Modified: file.CreatedAt, CacheControl: caching,
	})
}

// sendChecksum sends a checksum of a file, computed by us, without a newline:
// Gradle reads the whole body (maven.md 7.1).
func (h *Handler) sendChecksum(c echo.Context, req *request, file registry.File, caching string) error {
	if hidden, err := h.hidesChecksum(c.Request(), req, file); err != nil || hidden {
		if hidden {
			err = req.errAbsent()
		}
		return err
	}
	if req.lasting {
		serve.Repeatable(c, time.Time{}, nil)
	}
	return sendText(c, req.path.Checksum.Of(file.Blob.Digests), file.CreatedAt, caching)
}

// sendText sends a checksum.
func sendText(c echo.Context, text string, modified time.Time, caching string) error {
	doc := &registry.Document{Body: []byte(text), ETag: serve.ETag(text), Modified: modified}
	return serve.Document(c, doc, serve.DocumentMeta{ContentType: "text/plain", CacheControl: caching, Vary: "Authorization"})
}

// checksumHeaders are read by the resolver, Gradle and coursier, and save them
// a request for each file (maven.md 7.5).
var checksumHeaders = [...]struct {
	name      string
	algorithm Algorithm
	digits    int
}{
	{"X-Checksum-Md5", MD5, 32}, {"X-Checksum-Sha1", SHA1, 40}, {"X-Checksum-Sha256", SHA256, 64}, {"X-Checksum-Sha512", SHA512, 128},
}

func setChecksums(header http.Header, d registry.Digests) {
	var digits [2 * (16 + 20 + 32 + 64)]byte // of all four: one string instead of four
	n := hex.Encode(digits[:], d.MD5[:])
	n += hex.Encode(digits[n:], d.SHA1[:])
	n += hex.Encode(digits[n:], d.SHA256[:])
	hex.Encode(digits[n:], d.SHA512[:])
	all := string(digits[:])
	values := make([]string, len(checksumHeaders))
	for i, h := range checksumHeaders {
		values[i], all = all[:h.digits], all[h.digits:]
		header[h.name] = values[i : i+1 : i+1]
	}
}

// dropChecksums takes them off an error's answer.
func dropChecksums(header http.Header) {
	for _, h := range checksumHeaders {
		header.Del(h.name)
	}
}

// mayFail tells whether a request for a file that is there may be answered with
// 412 or 416.
func mayFail(h http.Header) bool {
	return len(h["Range"]) > 0 || len(h["If-Match"]) > 0 || len(h["If-Unmodified-Since"]) > 0
}

// checksumTrimmer takes the checksums off an answer that turns out to be an
// error: they are not those of its text.
type checksumTrimmer struct{ http.ResponseWriter }

func (w *checksumTrimmer) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		dropChecksums(w.Header())
	}
	w.ResponseWriter.WriteHeader(status)
}

// ReadFrom lets a local file go out without being copied.
func (w *checksumTrimmer) ReadFrom(r io.Reader) (int64, error) { return io.Copy(w.ResponseWriter, r) }

// Unwrap is for http.ResponseController.
func (w *checksumTrimmer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// contentType is what a file is sent as. Pages are not sent as pages: a browser
// would run them in the registry's origin.
func contentType(name string) string {
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "jar", "war", "ear", "aar":
		return "application/java-archive"
	case "pom", "xml":
		return "application/xml"
	case "module":
		return "application/json"
	case "asc":
		return "text/plain"
	}
	return "application/octet-stream"
}

// getNothing answers GET of what this repository never has.
func (h *Handler) getNothing(_ echo.Context, req *request) error { return req.errAbsent() }
