package npm

import (
	"context"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

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
	serve.CountDownload(c, func() { h.packages.CountDownload(registry.NPM, file) })
	caching := "private, max-age=31536000, immutable"
	if everyonesOwn(c, all) {
		caching = "public, max-age=31536000, immutable"
	}
	if done, err := serve.Redirect(c, h.packages, file, h.opts.RedirectMin); done || err != nil {
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
