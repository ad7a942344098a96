package npm

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// maxTagBody bounds the body of a dist-tag PUT, in bytes (npm.md 10).
const maxTagBody = 4 << 10

// getDistTags answers GET /-/package/:name/dist-tags.
func (h *Handler) getDistTags(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	all, err := h.find(ctx, req)
	if err != nil {
		return err
	}
	contents, err := h.load(ctx, req.path.Name, all, "")
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-cache")
	return c.JSONBlob(http.StatusOK, appendTags(nil, contents.tags))
}

// putDistTag sets a tag to a version. The answer has a body with ok, which
// yarn 1 needs (npm.md 0.2).
func (h *Handler) putDistTag(c echo.Context, req *request) error {
	version, err := readTagBody(c.Request().Body)
	if err != nil {
		return err
	}
	if err := CheckTag(req.path.Tag); err != nil {
		return err
	}
	return h.edit(c, req, "dist-tag", func(state *packageState) (registry.Edit, error) {
		v, ok := state.byVersion[version]
		if !ok {
			return registry.Edit{}, errNoVersion(version)
		}
		e := registry.Edit{SetTags: []registry.TagChange{{Tag: req.path.Tag, VersionKey: v.Key}}}
		if req.path.Tag == latestTag {
			var err error
			e.Listing, err = h.listingOf(c.Request().Context(), req.path.Name, v)
			return e, err
		}
		return e, nil
	})
}

// deleteDistTag removes a tag. latest stays: yarn and pnpm fail without it.
func (h *Handler) deleteDistTag(c echo.Context, req *request) error {
	if req.path.Tag == latestTag {
		return registry.Errorf(registry.Invalid, "the tag latest cannot be removed: set it to another version instead")
	}
	return h.edit(c, req, "dist-tag", func(state *packageState) (registry.Edit, error) {
		if _, ok := state.tags[req.path.Tag]; !ok {
			return registry.Edit{}, registry.Errorf(registry.NotFound, "dist-tag not found: %s", req.path.Tag)
		}
		return registry.Edit{DropTags: []string{req.path.Tag}}, nil
	})
}

// readTagBody reads a version as a JSON string, or as {"version": "…"}.
func readTagBody(body io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxTagBody+1))
	if err != nil {
		return "", registry.Wrapf(registry.Invalid, err, "the body could not be read")
	}
	if len(text) > maxTagBody {
		return "", registry.Errorf(registry.TooLarge, "the body is larger than %d bytes", maxTagBody)
	}
	var version string
	if json.Unmarshal(text, &version) == nil && version != "" {
		return version, nil
	}
	var object struct {
		Version string `json:"version"`
	}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) && json.Unmarshal(text, &object) == nil && object.Version != "" {
		return object.Version, nil
	}
	return "", registry.Errorf(registry.Invalid, "the body must be the version as a JSON string")
}
