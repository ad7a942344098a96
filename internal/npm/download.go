package npm

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// signedURLLife is how long a redirect to the bucket works: clients follow at
// once.
const signedURLLife = 10 * time.Minute

// getTarball answers GET /:name/-/:file.
func (h *Handler) getTarball(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	all, err := h.find(ctx, req)
	if err != nil {
		return err
	}
	file, err := h.findFile(ctx, all, req.path.File)
	if err != nil {
		return err
	}
	if c.Request().Method == http.MethodGet && startsAtZero(c.Request().Header.Get("Range")) {
		h.packages.CountDownload(registry.NPM, file)
	}
	caching := "private, max-age=31536000, immutable"
	if everyonesOwn(c, all) {
		caching = "public, max-age=31536000, immutable"
	}
	if done, err := h.redirect(c, file); done || err != nil {
		return err
	}
	content, err := h.packages.Open(ctx, file)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // only read from
	c.Response().Header().Set("Vary", "Authorization")
	return serve.File(c, content, serve.FileMeta{ETag: serve.ETag(file.Blob.Digest()), Modified: file.CreatedAt, CacheControl: caching})
}

// findFile finds a tarball in the packages that the address covers; of a version
// that several of them have, the one published last, as in the packument.
func (h *Handler) findFile(ctx context.Context, all []found, name string) (registry.File, error) {
	var newest registry.File
	for _, f := range all {
		file, err := h.packages.File(ctx, f.head, name)
		if registry.KindOf(err) == registry.NotFound {
			continue
		}
		if err != nil {
			return registry.File{}, err
		}
		if newest.ID == 0 || file.CreatedAt.After(newest.CreatedAt) {
			newest = file
		}
	}
	if newest.ID == 0 {
		return registry.File{}, registry.Errorf(registry.NotFound, "file not found: %s", name)
	}
	return newest, nil
}

// redirect sends a client to the bucket, when that is switched on, the file is
// large enough and the bucket can sign addresses.
func (h *Handler) redirect(c echo.Context, file registry.File) (done bool, err error) {
	if h.opts.RedirectMin <= 0 || file.Blob.Size < h.opts.RedirectMin || c.Request().Method != http.MethodGet {
		return false, nil
	}
	address, err := h.packages.SignedURL(c.Request().Context(), file, signedURLLife)
	if registry.KindOf(err) == registry.Unsupported {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return true, c.Redirect(http.StatusFound, address)
}

// startsAtZero tells whether a download begins at the first byte: only those are
// counted.
func startsAtZero(rangeHeader string) bool {
	return rangeHeader == "" || strings.HasPrefix(rangeHeader, "bytes=0-")
}
