package nuget

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// found is a package of the asked id, with the project that holds it.
type found struct {
	project registry.Project
	head    registry.Package
}

// find gives the packages of an id that the feed covers and that the caller may
// read. None is NotFound.
func (h *Handler) find(ctx context.Context, req *request, id ID) ([]found, error) {
	heads, err := h.packages.Packages(ctx, registry.NuGet, id.Key())
	if err != nil {
		return nil, err
	}
	if req.level == projectLevel {
		for i := range heads {
			if heads[i].ProjectID == req.project.ID {
				return []found{{req.project, heads[i]}}, nil
			}
		}
		return nil, errNoPackage(id)
	}
	var all []found
	err = auth.EachBelow(ctx, h.packages, req.identity, req.group.ID, heads, func(p registry.Project, head registry.Package) {
		all = append(all, found{p, head})
	})
	if err == nil && len(all) == 0 {
		err = errNoPackage(id)
	}
	return all, err
}

// load gives the living versions of the packages, in NuGet's order. Where two
// projects of a group have the same version, the one that was pushed first
// counts: what a client has locked must not change because somebody else pushes
// into another project.
func (h *Handler) load(ctx context.Context, id ID, all []found) ([]registry.Version, error) {
	var versions []registry.Version
	for _, f := range all {
		list, err := h.packages.Versions(ctx, f.head.ID)
		if err != nil {
			return nil, err
		}
		versions = append(versions, list...)
	}
	versions = slices.DeleteFunc(versions, func(v registry.Version) bool { return v.Status == registry.Deleted })
	slices.SortFunc(versions, func(a, b registry.Version) int {
		return cmp.Or(cmp.Compare(a.SortKey, b.SortKey), cmp.Compare(a.Key, b.Key), cmp.Compare(a.ID, b.ID))
	})
	if len(all) > 1 {
		versions = slices.CompactFunc(versions, func(a, b registry.Version) bool { return a.Key == b.Key })
	}
	if len(versions) == 0 {
		return nil, errNoPackage(id)
	}
	return versions, nil
}

// span is the part of the namespace tree that the feed covers.
func (req *request) span() registry.Span {
	return registry.Span{ProjectID: req.project.ID, GroupID: req.group.ID}
}

func revisions(all []found) string {
	heads := make([]registry.Package, len(all))
	for i := range all {
		heads[i] = all[i].head
	}
	return registry.Revisions(heads)
}

func modified(all []found) time.Time {
	last := all[0].head.UpdatedAt
	for _, f := range all[1:] {
		if f.head.UpdatedAt.After(last) {
			last = f.head.UpdatedAt
		}
	}
	return last
}

// everyonesOwn tells whether an anonymous caller gets the same answer.
func everyonesOwn(c echo.Context, all []found) bool {
	return auth.From(c.Request().Context()).IsAnonymous() &&
		!slices.ContainsFunc(all, func(f found) bool { return f.project.Visibility != registry.Public })
}

// documentCaching lets clients keep documents, but ask each time: a push must be
// visible at once. Only what anyone may read may be kept by shared caches.
func documentCaching(c echo.Context, all []found) string {
	if everyonesOwn(c, all) {
		return "public, max-age=0, must-revalidate"
	}
	return "private, max-age=0, must-revalidate"
}

func errNoPackage(id ID) error {
	return registry.Errorf(registry.NotFound, "package not found: %s", id)
}

func errNoVersion(id ID, v Version) error {
	return registry.Errorf(registry.NotFound, "version not found: %s %s", id, v)
}
