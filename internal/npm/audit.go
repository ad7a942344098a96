package npm

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// Bounds of an audit body, in bytes (npm.md 14).
const (
	maxAuditBody     = 8 << 20
	maxAuditExpanded = 64 << 20
)

// postBulkAudit answers npm 7 and later, pnpm 11 and later, yarn 4 and bun. The
// registry has no advisories: it says that nothing is known, and never sends
// the names anywhere.
func (h *Handler) postBulkAudit(c echo.Context, _ *request) error {
	body, err := auditBody(c.Request())
	if err != nil {
		return err
	}
	if err := checkBulkAudit(newDecoder(body, DecodeOptions{MaxDocument: maxAuditExpanded})); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct{}{})
}

// postAudit answers npm 6 and pnpm 9 and 10, which send their whole tree.
func (h *Handler) postAudit(c echo.Context, _ *request) error {
	body, err := auditBody(c.Request())
	if err != nil {
		return err
	}
	d := newDecoder(body, DecodeOptions{MaxDocument: maxAuditExpanded})
	if err := d.object("the body", func(string) error { return d.s.skip() }); err != nil {
		return err
	}
	if err := d.s.finish(); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, auditAnswer{
		Actions: []struct{}{}, Advisories: map[string]struct{}{}, Muted: []struct{}{},
		Metadata: auditMetadata{Vulnerabilities: map[string]int{"info": 0, "low": 0, "moderate": 0, "high": 0, "critical": 0}},
	})
}

// auditBody opens the body, expanding what npm compresses, within the bounds.
func auditBody(r *http.Request) (io.Reader, error) {
	body, err := expand(&boundedReader{r: r.Body, left: maxAuditBody}, r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, err
	}
	return body, nil
}

// expand undoes a content coding of a request. Others than gzip and deflate are
// Unsupported.
func expand(body io.Reader, coding string) (io.Reader, error) {
	switch strings.ToLower(strings.TrimSpace(coding)) {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		r, err := gzip.NewReader(body)
		if err != nil {
			return nil, bodyError(err, "the body is not gzip")
		}
		return r, nil
	case "deflate":
		r, err := zlib.NewReader(body)
		if err != nil {
			return nil, bodyError(err, "the body is not deflate")
		}
		return r, nil
	}
	return nil, registry.Errorf(registry.Unsupported, "Content-Encoding %q is not supported: send gzip or nothing", coding)
}

// boundedReader fails with TooLarge where io.LimitReader would pretend that the
// body ends.
type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, registry.Errorf(registry.TooLarge, "the body is larger than the limit")
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// bodyError keeps the kind of a failure that has one, and calls the rest
// Invalid.
func bodyError(err error, text string) error {
	if registry.KindOf(err) != registry.Internal {
		return err
	}
	return registry.Wrapf(registry.Invalid, err, "%s", text)
}

// checkBulkAudit reads {name: [versions]} without keeping it.
func checkBulkAudit(d *decoder) error {
	err := d.object("the body", func(string) error {
		return d.array("the versions", func() error {
			if c, err := d.s.next(); err != nil || c != '"' {
				return errors.Join(err, registry.Errorf(registry.Invalid, "the body must hold package names with arrays of versions"))
			}
			return d.s.skip()
		})
	})
	if err != nil {
		return err
	}
	return d.s.finish()
}
