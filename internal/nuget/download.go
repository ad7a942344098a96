package nuget

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// getFile answers GET /download/:id/:version/:file.
func (h *Handler) getFile(c echo.Context, req *request) error {
	all, err := h.find(c.Request().Context(), req, req.path.ID)
	if err != nil {
		return err
	}
	idKey, versionKey := req.path.ID.Key(), req.path.Version.Key()
	switch req.path.File {
	case FilePackage:
		return h.sendStored(c, req, all, packageFile(idKey, versionKey))
	case FileSymbols:
		return h.sendStored(c, req, all, symbolsFile(idKey, versionKey))
	case FileNuspec:
		return h.sendNuspec(c, req, all)
	}
	return h.sendInner(c, req, all)
}

// sendStored sends a stored file as it was pushed: locked builds compare its
// hash. Never by a redirect, which clients do not follow here (gitlab.md 4.5).
func (h *Handler) sendStored(c echo.Context, req *request, all []found, name string) error {
	ctx := c.Request().Context()
	file, err := h.findFile(ctx, all, name)
	if registry.KindOf(err) == registry.NotFound {
		return errNoVersion(req.path.ID, req.path.Version)
	}
	if err != nil {
		return err
	}
	if req.path.File == FilePackage {
		serve.CountDownload(c, func() { h.packages.CountDownload(registry.NuGet, file) })
	}
	caching, err := h.fileCaching(c, req, all)
	if err != nil {
		return err
	}
	content, err := h.packages.Open(ctx, file)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // only read from
	c.Response().Header().Set("Vary", "Authorization")
	return serve.File(c, content, serve.FileMeta{
		ETag: serve.ETag(file.Blob.Digest()), Modified: file.CreatedAt, CacheControl: caching,
	})
}

// fileCaching lets clients keep files for ever, unless a project lets them be
// replaced.
func (h *Handler) fileCaching(c echo.Context, req *request, all []found) (string, error) {
	for i := range all {
		replaceable, err := h.mayReplace(c.Request().Context(), all[i].project, req.path.ID, req.path.Version)
		if err != nil || replaceable {
			return documentCaching(c, all), err
		}
	}
	if everyonesOwn(c, all) {
		return "public, max-age=31536000, immutable", nil
	}
	return "private, max-age=31536000, immutable", nil
}

// findFile finds a file in the packages that the feed covers; of a version that
// several of them have, the one pushed first, as in the documents.
func (h *Handler) findFile(ctx context.Context, all []found, name string) (registry.File, error) {
	var first registry.File
	for i := range all {
		file, err := h.packages.File(ctx, all[i].head, name)
		if registry.KindOf(err) == registry.NotFound {
			continue
		}
		if err != nil {
			return registry.File{}, err
		}
		if first.ID == 0 || file.VersionID < first.VersionID {
			first = file
		}
	}
	if first.ID == 0 {
		return registry.File{}, registry.Errorf(registry.NotFound, "file not found: %s", name)
	}
	return first, nil
}

// sendNuspec sends the nuspec as it is in the package.
func (h *Handler) sendNuspec(c echo.Context, req *request, all []found) error {
	return h.sendPart(c, req, all, "application/xml", func(_ context.Context, v registry.Version) ([]byte, error) {
		return v.Manifest, nil
	})
}

// sendPart sends a piece of a version, which is read once for each revision. The
// type of images is told by their content.
func (h *Handler) sendPart(c echo.Context, req *request, all []found, contentType string, read func(context.Context, registry.Version) ([]byte, error)) error {
	version := req.path.Version
	key := registry.DocumentKey{Kind: "nuget/" + string(req.path.File) + "/" + version.Key(), Of: revisions(all)}
	doc, err := h.packages.Document(c.Request().Context(), key, modified(all), func(ctx context.Context) ([]byte, error) {
		v, err := h.version(ctx, req.path.ID, version, all)
		if err != nil {
			return nil, err
		}
		return read(ctx, v)
	})
	if err != nil {
		return err
	}
	if contentType == "" {
		contentType = http.DetectContentType(doc.Body)
	}
	// A package's texts are the publisher's: no browser may run them here.
	c.Response().Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	serve.Repeatable(c, doc.Expires, nil)
	return serve.Document(c, doc, serve.DocumentMeta{ContentType: contentType, CacheControl: documentCaching(c, all), Vary: "Authorization"})
}
