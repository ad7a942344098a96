package npm

import (
	"context"
	"slices"
	"strings"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// found is a package of the asked name, with the project that holds it.
type found struct {
	project registry.Project
	head    registry.Package
}

// find gives the packages of the name that the address covers and that the
// caller may read, least recently changed first. None is NotFound, or, where
// that could tell an anonymous caller what is hidden, Unauthenticated.
func (h *Handler) find(ctx context.Context, req *request) ([]found, error) {
	heads, err := h.packages.Packages(ctx, registry.NPM, req.path.Name.Key())
	if err != nil {
		return nil, err
	}
	var all []found
	switch req.level {
	case projectLevel:
		for _, head := range heads {
			if head.ProjectID == req.project.ID {
				return []found{{req.project, head}}, nil
			}
		}
		return nil, errNoPackage(req.path.Name)
	case groupLevel:
		all, err = h.findBelow(ctx, req.identity, req.group.ID, heads)
	case instanceLevel:
		all, err = h.findByScope(ctx, req, heads)
	}
	if err == nil && len(all) == 0 {
		err = auth.Hide(req.identity, errNoPackage(req.path.Name))
	}
	return all, err
}

// findBelow keeps the packages below a group that the caller may read.
func (h *Handler) findBelow(ctx context.Context, id *auth.Identity, groupID int64, heads []registry.Package) ([]found, error) {
	var all []found
	err := auth.EachBelow(ctx, h.packages, id, groupID, heads, func(p registry.Project, head registry.Package) {
		all = append(all, found{p, head})
	})
	slices.SortStableFunc(all, func(a, b found) int { return a.head.UpdatedAt.Compare(b.head.UpdatedAt) })
	return all, err
}

// findByScope is the instance level: a scoped name lives below the top-level
// group that is called like its scope (gitlab.md 3.1).
func (h *Handler) findByScope(ctx context.Context, req *request, heads []registry.Package) ([]found, error) {
	scope := req.path.Name.Scope()
	if scope == "" || len(heads) == 0 {
		return nil, nil
	}
	group, err := h.packages.Group(ctx, scope)
	if registry.KindOf(err) == registry.NotFound {
		return nil, nil
	}
	if err != nil || !strings.EqualFold(group.FullPath, scope) {
		return nil, err
	}
	return h.findBelow(ctx, req.identity, group.ID, heads)
}

// target gives the one package that a change works on. At group and instance
// level it is the most recently changed one that the caller may read, and the
// gate decides for its project now.
func (h *Handler) target(ctx context.Context, req *request, action auth.Action) (found, error) {
	all, err := h.find(ctx, req)
	if err != nil {
		return found{}, err
	}
	newest := all[len(all)-1]
	return newest, auth.Allow(req.identity, action, newest.project)
}

// span is the part of the namespace tree that the address covers.
func (req *request) span() registry.Span {
	return registry.Span{ProjectID: req.project.ID, GroupID: req.group.ID}
}

func errNoPackage(name Name) error {
	return registry.Errorf(registry.NotFound, "package not found: %s", name)
}

func errNoVersion(version string) error {
	return registry.Errorf(registry.NotFound, "version not found: %s", version)
}
