package maven

import (
	"context"
	"slices"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// found is a package of the asked name, with the project that holds it.
type found struct {
	project registry.Project
	head    registry.Package
}

// find gives the packages of a name that the address covers and that the caller
// may read, in the order of their ids; none is no error.
func (h *Handler) find(ctx context.Context, req *request, name string) ([]found, error) {
	heads, err := h.packages.Packages(ctx, registry.Maven, name)
	if err != nil || len(heads) == 0 {
		return nil, err
	}
	switch req.level {
	case projectLevel:
		for _, head := range heads {
			if head.ProjectID == req.project.ID {
				return []found{{req.project, head}}, nil
			}
		}
		return nil, nil
	case groupLevel:
		return h.findBelow(ctx, req, heads)
	}
	return h.findByPath(ctx, req, name, heads)
}

// findBelow keeps the packages below the group that the caller may read.
func (h *Handler) findBelow(ctx context.Context, req *request, heads []registry.Package) ([]found, error) {
	var all []found
	err := auth.EachBelow(ctx, h.packages, req.identity, req.group.ID, heads, func(p registry.Project, head registry.Package) {
		all = append(all, found{p, head})
	})
	return all, err
}

// findByPath is the instance level: the package org/acme/app lives in the
// project org/acme/app (gitlab.md 5.3).
func (h *Handler) findByPath(ctx context.Context, req *request, name string, heads []registry.Package) ([]found, error) {
	project, err := h.packages.Project(ctx, name)
	if registry.KindOf(err) == registry.NotFound {
		return nil, nil
	}
	if err != nil || auth.Allow(req.identity, auth.Read, project) != nil {
		return nil, err
	}
	for _, head := range heads {
		if head.ProjectID == project.ID {
			return []found{{project, head}}, nil
		}
	}
	return nil, nil
}

// errAbsent is the answer for what is not there. At project level the gate has
// let the caller in; above, nothing was found that this caller may read.
func (req *request) errAbsent() error {
	err := registry.Errorf(registry.NotFound, "not found: %s", req.path)
	if req.level == projectLevel {
		return err
	}
	return auth.Hide(req.identity, err)
}

// span is the part of the namespace tree that the address covers.
func (req *request) span() registry.Span {
	return registry.Span{ProjectID: req.project.ID, GroupID: req.group.ID}
}

func headsOf(all []found) []registry.Package {
	heads := make([]registry.Package, len(all))
	for i, f := range all {
		heads[i] = f.head
	}
	return heads
}

// everyonesOwn tells whether an anonymous caller gets the same answer.
func everyonesOwn(req *request, all []found) bool {
	return req.identity.IsAnonymous() &&
		!slices.ContainsFunc(all, func(f found) bool { return f.project.Visibility != registry.Public })
}

// findFile finds a file of a version in the packages that the address covers; of
// one that several of them have, the one published last. A file that is withheld
// or still to be published is not there for readers. The project tells whose it
// is.
func (h *Handler) findFile(ctx context.Context, req *request, all []found, version, name string) (registry.File, found, bool, error) {
	var newest registry.File
	var at found
	for _, f := range all {
		file, err := h.packages.VersionFile(ctx, f.head, version, name)
		if registry.KindOf(err) == registry.NotFound || (err == nil && file.Withheld) {
			continue
		}
		seen := false
		if err == nil {
			seen, err = h.sees(ctx, req, f, version, name)
		}
		if err != nil {
			return registry.File{}, found{}, false, err
		}
		if seen && (newest.ID == 0 || file.CreatedAt.After(newest.CreatedAt)) {
			newest, at = file, f
		}
	}
	return newest, at, newest.ID != 0, nil
}
