package maven

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// deleteAttempts bounds how often a deletion is tried anew when somebody else
// changes the package at the same time.
const deleteAttempts = 5

// deleteFile answers DELETE of a file. No build tool sends it; people and web
// pages do. The path may be a version's directory without its slash.
func (h *Handler) deleteFile(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	at, err := h.findSubject(ctx, req)
	switch {
	case err != nil:
		return err
	case at.file.ID == 0:
		return h.deleteDirectory(c, req)
	case req.path.Checksum != "":
		return c.NoContent(http.StatusNoContent) // it is computed, and goes with its file
	}
	fixed, err := h.isFixed(ctx, req.project, req.path)
	if err != nil {
		return err
	}
	if fixed && !req.path.IsSnapshot() {
		return registry.Errorf(registry.Forbidden, "403 Forbidden - files of a release do not go alone: delete the whole version, %s/", req.path.Version)
	}
	err = h.edit(ctx, req.project, req.path.Package, func(head registry.Package) (registry.Edit, error) {
		return h.dropFile(ctx, req, head)
	})
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// dropFile is the edit that removes a file, and with the last one its version.
func (h *Handler) dropFile(ctx context.Context, req *request, head registry.Package) (registry.Edit, error) {
	e := registry.Edit{By: req.identity.Actor(), Action: "delete", Notes: []registry.Note{deletionNote(h.packages.Now())}}
	file, err := h.packages.VersionFile(ctx, head, req.path.Version, req.path.File)
	if err != nil {
		return e, err
	}
	files, err := h.packages.Files(ctx, file.VersionID)
	if err != nil {
		return e, err
	}
	if len(files) == 1 {
		e.Versions = []registry.VersionEdit{{VersionID: file.VersionID, Status: registry.Deleted}}
		return e, nil
	}
	e.Files = []registry.FileEdit{{FileID: file.ID, Drop: true}}
	build := buildOf(req.path, file.Name)
	if build.IsZero() {
		return e, nil
	}
	s, err := h.readStoredSnapshot(ctx, head, req.path.Version, &timeline{})
	if err != nil {
		return e, err
	}
	others := 0
	for i, f := range s.files {
		if f.Build == build && s.ids[i] != file.ID {
			others++
		}
	}
	if others == 0 { // the last file of its build
		notes := e.Notes
		e.Files = nil
		s.drop(&e, req.path.Version, build)
		e.Notes = append(e.Notes, notes...)
	}
	return e, nil
}

// deleteDirectory answers DELETE of a version or of a whole package. Releases
// leave a tombstone: their coordinates stay taken.
func (h *Handler) deleteDirectory(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	segments := req.path.Segments
	name := strings.Join(segments, "/")
	if len(segments) > 2 {
		version := segments[len(segments)-1]
		err := h.edit(ctx, req.project, strings.Join(segments[:len(segments)-1], "/"), func(head registry.Package) (registry.Edit, error) {
			v, err := h.packages.Version(ctx, head.ID, version)
			if err == nil && v.Status == registry.Deleted {
				err = req.errAbsent()
			}
			return registry.Edit{
				By: req.identity.Actor(), Action: "delete", Notes: []registry.Note{deletionNote(h.packages.Now())},
				Versions: []registry.VersionEdit{{VersionID: v.ID, Status: registry.Deleted}},
			}, err
		})
		if err == nil {
			return c.NoContent(http.StatusNoContent)
		}
		if registry.KindOf(err) != registry.NotFound {
			return err
		}
	}
	err := h.edit(ctx, req.project, name, func(head registry.Package) (registry.Edit, error) {
		notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: head.ID, Kind: noteVersion})
		if err == nil && len(notes) == 0 {
			err = req.errAbsent()
		}
		if err != nil {
			return registry.Edit{}, err
		}
		kept, err := h.keptKeys(ctx, head.ID, "")
		return registry.Edit{
			By: req.identity.Actor(), Action: "delete", Delete: true, Notes: []registry.Note{deletionNote(h.packages.Now())}, DropNotes: kept,
		}, err
	})
	if registry.KindOf(err) == registry.NotFound {
		return req.errAbsent()
	}
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// edit changes a package of the project by what plan makes of it, again when
// somebody else was faster.
func (h *Handler) edit(ctx context.Context, p registry.Project, name string, plan func(registry.Package) (registry.Edit, error)) error {
	for attempt := 1; ; attempt++ {
		head, err := h.packages.Package(ctx, p.ID, registry.Maven, name)
		if err != nil {
			return err
		}
		e, err := plan(head)
		if err != nil {
			return err
		}
		e.PackageID, e.Revision = head.ID, head.Revision
		_, err = h.packages.Edit(ctx, e)
		if registry.KindOf(err) != registry.Conflict || attempt == deleteAttempts {
			return err
		}
		h.packages.Forget([]registry.Change{registry.PackageChange(registry.Maven, name)}) // which may be what was read
	}
}
