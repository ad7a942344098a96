package nuget

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// putPackage answers PUT at the feed's address: a push.
func (h *Handler) putPackage(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	body, err := h.receive(c.Request())
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // its file is temporary
	up, err := inspect(body)
	if err != nil {
		return err
	}
	if up.replaces, err = h.checkDuplicate(ctx, req.project, up); err != nil {
		return err
	}
	pub, err := h.publication(req, up)
	if err != nil {
		return err
	}
	heads, err := h.packages.Publish(ctx, []registry.Publication{pub})
	if registry.KindOf(err) == registry.Conflict { // somebody else was faster
		_, again := h.checkDuplicate(ctx, req.project, up)
		return firstError(again, err)
	}
	if err != nil {
		return err
	}
	if up.replaces {
		if err := h.relist(ctx, req, heads[0]); err != nil {
			return err
		}
	}
	warn(c.Response().Header(), up.warnings...)
	return c.NoContent(http.StatusCreated)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// upload is a checked package.
type upload struct {
	body     *registry.Spool
	digests  registry.Digests
	nuspec   *Nuspec
	manifest []byte // the nuspec's bytes
	warnings []string
	replaces bool // a version that exists, where that is allowed
}

func (u *upload) place() place { return place{u.nuspec.ID.Key(), u.nuspec.Version.Key()} }

// inspect checks a package from its bytes: what it is called is in its nuspec
// and nowhere else.
func inspect(body *registry.Spool) (*upload, error) {
	r, err := body.Open()
	if err != nil {
		return nil, err
	}
	contents, err := ReadPackage(r, body.Size())
	if err != nil {
		return nil, err
	}
	return &upload{
		body: body, digests: body.Digests(), nuspec: contents.Nuspec, manifest: contents.NuspecBytes, warnings: contents.Warnings,
	}, nil
}

// checkDuplicate refuses a version that exists or existed, unless the project
// lets it be replaced. A client repeats a push whose answer was lost, so the
// text says whether the bytes are the same.
func (h *Handler) checkDuplicate(ctx context.Context, project registry.Project, up *upload) (replaces bool, err error) {
	at := up.place()
	head, err := h.packages.Package(ctx, project.ID, registry.NuGet, at.id)
	if registry.KindOf(err) == registry.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	v, err := h.packages.Version(ctx, head.ID, at.version)
	if registry.KindOf(err) == registry.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if v.Status == registry.Deleted {
		return false, registry.Errorf(registry.Conflict,
			"%s %s was deleted and cannot be pushed again, because builds may have locked its old content: push a new version", head.Name, v.Version)
	}
	allowed, err := h.mayReplace(ctx, project, up.nuspec.ID, up.nuspec.Version)
	if err != nil || allowed {
		return allowed, err
	}
	return false, h.errDuplicate(ctx, head, &v, up)
}

// errDuplicate begins with GitLab's words, which scripts look for.
func (h *Handler) errDuplicate(ctx context.Context, head registry.Package, v *registry.Version, up *upload) error {
	at := up.place()
	file, err := h.packages.File(ctx, head, packageFile(at.id, at.version))
	if err != nil && registry.KindOf(err) != registry.NotFound {
		return err
	}
	bytes := "other bytes: nothing was changed"
	if err == nil && file.Blob.SHA256 == up.digests.SHA256 {
		bytes = "the same bytes: if this push was a retry, the one before has succeeded"
	}
	listed := ""
	if v.Status == registry.Unlisted {
		listed = ", unlisted,"
	}
	return registry.Errorf(registry.Conflict, "A package with the same name and version already exists: %s %s is there%s with %s", head.Name, v.Version, listed, bytes)
}

// publication turns a checked package into rows.
func (h *Handler) publication(req *request, up *upload) (registry.Publication, error) {
	entry, at := newEntry(up.nuspec, up.digests), up.place()
	encoded, err := entry.encode()
	if err != nil {
		return registry.Publication{}, err
	}
	row, err := state{SemVer2: entry.SemVer2}.encode()
	if err != nil {
		return registry.Publication{}, err
	}
	version := up.nuspec.Version
	return registry.Publication{
		ProjectID: req.project.ID, Format: registry.NuGet, Name: entry.ID, Key: at.id, By: req.identity.Actor(),
		Relist: func(before []byte) (*registry.Listing, error) {
			return addToListing(before, at.version, version.SortKey(), entry)
		},
		Versions: []registry.NewVersion{{
			Version: entry.Version, Key: at.version, SortKey: version.SortKey(), Manifest: up.manifest, State: row, Replace: up.replaces,
			Fragments: map[registry.FragmentKind][]byte{entryFragment: encoded, leafFragment: newLeafFragment(entry, at)},
			Files:     []registry.NewFile{{Name: packageFile(at.id, at.version), Body: up.body, Replace: up.replaces}},
		}},
	}, nil
}
