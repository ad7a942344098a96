package nuget

import (
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// deleteVersion answers DELETE /:id/:version: as the project is set, the version
// goes out of listings, or it goes for good. Either way its coordinates stay
// taken.
func (h *Handler) deleteVersion(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	mode, err := h.packages.Setting(ctx, req.project, settingDelete, "unlist")
	if err != nil {
		return err
	}
	action, status := "unlist", registry.Unlisted
	if mode == "delete" {
		action, status = "delete", registry.Deleted
	}
	if err := h.setStatus(ctx, req, action, status); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// postVersion answers POST /:id/:version: the version is listed again.
func (h *Handler) postVersion(c echo.Context, req *request) error {
	if err := h.setStatus(c.Request().Context(), req, "relist", registry.Listed); err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}

// setStatus changes a living version. One that is as it should be is left alone.
func (h *Handler) setStatus(ctx context.Context, req *request, action string, status registry.Status) error {
	id, version := req.path.ID, req.path.Version
	head, err := h.packages.Package(ctx, req.project.ID, registry.NuGet, id.Key())
	if registry.KindOf(err) == registry.NotFound {
		return errNoPackage(id)
	}
	if err != nil {
		return err
	}
	return h.edit(ctx, req, head, action, func(versions []registry.Version) ([]registry.VersionEdit, error) {
		i := findVersion(versions, version)
		switch {
		case i < 0:
			return nil, errNoVersion(id, version)
		case versions[i].Status == status:
			return nil, nil
		}
		return []registry.VersionEdit{{VersionID: versions[i].ID, Status: status}}, nil
	})
}

// findVersion gives the index of a living version; -1 when there is none.
func findVersion(versions []registry.Version, version Version) int {
	key := version.Key()
	return slices.IndexFunc(versions, func(v registry.Version) bool { return v.Key == key && v.Status != registry.Deleted })
}
