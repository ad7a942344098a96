package serve

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// signedURLLife is how long a redirect to the bucket works: clients follow at
// once.
const signedURLLife = 10 * time.Minute

// IsDownload tells whether a request gets a file from its first byte: only those
// are counted.
func IsDownload(r *http.Request) bool {
	if r.Method != http.MethodGet {
		return false
	}
	asked := r.Header.Get("Range")
	return asked == "" || strings.HasPrefix(asked, "bytes=0-")
}

// CountDownload calls count when a request gets a file from its first byte, and
// each time that the answer is given again: see Repeatable.
func CountDownload(c echo.Context, count func()) {
	if IsDownload(c.Request()) {
		count()
		Repeatable(c, time.Time{}, count)
	}
}

// Redirect sends a client to the bucket for a file of at least least bytes, when
// the bucket can sign addresses. Nobody is sent there when least is 0.
func Redirect(c echo.Context, packages *registry.Service, file registry.File, least int64) (done bool, err error) {
	if least <= 0 || file.Blob.Size < least || c.Request().Method != http.MethodGet {
		return false, nil
	}
	address, err := packages.SignedURL(c.Request().Context(), file, signedURLLife)
	if registry.KindOf(err) == registry.Unsupported {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return true, c.Redirect(http.StatusFound, address)
}
