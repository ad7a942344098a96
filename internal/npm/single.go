package npm

import (
	"context"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// getVersion answers GET /:name/:version, where the last part is a version, a
// tag or a range. Corepack and Dependabot ask so.
func (h *Handler) getVersion(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	all, err := h.find(ctx, req)
	if err != nil {
		return err
	}
	key := registry.DocumentKey{Kind: "npm/version/" + req.path.Version, Of: revisions(all), Base: req.base}
	return serve.Prepared(c, h.packages, key, modified(all), serve.DocumentMeta{
		ContentType: "application/json", CacheControl: documentCaching(c, all), Vary: "Accept-Encoding, Authorization",
	}, func(ctx context.Context) ([]byte, error) { return h.buildVersion(ctx, req, all) })
}

func (h *Handler) buildVersion(ctx context.Context, req *request, all []found) ([]byte, error) {
	contents, err := h.load(ctx, req.path.Name, all, "")
	if err != nil {
		return nil, err
	}
	i, ok := contents.resolve(req.path.Version)
	if !ok {
		return nil, errNoVersion(req.path.Version)
	}
	e := contents.entries[i]
	if e.fragment, err = h.packages.Fragment(ctx, e.version.ID, fullFragment); err != nil {
		return nil, err
	}
	before, after := h.tarballURLs(req.base, e.from.project.ID, req.path.Name)
	return appendVersion(nil, e, before, after), nil
}

// resolve finds what a text names: an exact version, then a tag, then the best
// version of a range, which is latest when it satisfies the range.
func (c *contents) resolve(wanted string) (int, bool) {
	if i, ok := c.index[wanted]; ok {
		return i, true
	}
	if i, ok := c.index[c.tags[wanted]]; ok {
		return i, true
	}
	if latest, ok := MaxSatisfying([]string{c.latest().version.Version}, wanted); ok {
		return c.index[latest], true
	}
	versions := make([]string, 0, len(c.entries))
	for _, e := range c.entries {
		versions = append(versions, e.version.Version)
	}
	best, ok := MaxSatisfying(versions, wanted)
	return c.index[best], ok
}
