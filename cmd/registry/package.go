package main

import (
	"context"
	"strings"

	"pakhus/internal/registry"
)

// packageCommand has the commands about packages.
type packageCommand struct {
	List   packageListCommand   `cmd:"" help:"List packages."`
	Delete packageDeleteCommand `cmd:"" help:"Delete a package with all its versions. Their numbers stay taken."`
}

type packageView struct {
	ID        int64  `json:"id"`
	ProjectID int64  `json:"project_id"`
	Format    string `json:"package_type"`
	Name      string `json:"name"`
	Revision  int64  `json:"revision"`
	CreatedAt *stamp `json:"created_at"`
	UpdatedAt *stamp `json:"updated_at"`
}

func newPackageView(p registry.Package) packageView {
	return packageView{
		ID: p.ID, ProjectID: p.ProjectID, Format: string(p.Format), Name: p.Name, Revision: p.Revision,
		CreatedAt: optional(p.CreatedAt), UpdatedAt: optional(p.UpdatedAt),
	}
}

func (v packageView) cells() []cell {
	return []cell{{"project", idText(&v.ProjectID)}, {"format", v.Format}, {"name", v.Name}, {"updated", v.UpdatedAt.String()}}
}

type packageListCommand struct {
	Project string `help:"Only those of this project: id or path." placeholder:"P" xor:"span"`
	Group   string `help:"Only those below this group: id or path." placeholder:"G" xor:"span"`
	Format  string `help:"Only npm, nuget or maven." enum:",npm,nuget,maven" default:""`
}

// Run lists the packages.
func (c *packageListCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		at, err := s.span(ctx, c.Project, c.Group)
		if err != nil {
			return err
		}
		f := registry.PackageFilter{Readers: registry.Readers{All: true}, Span: at, Format: registry.Format(c.Format)}
		packages, err := everything(func(p registry.Page) ([]registry.Package, int64, error) { return s.packages.ListPackages(ctx, f, p) })
		if err != nil {
			return err
		}
		return showAll(a, packages, newPackageView)
	})
}

type packageDeleteCommand struct {
	Name    string `arg:"" help:"Name of the package."`
	Project string `required:"" help:"Project: id or path." placeholder:"P"`
	Format  string `required:"" help:"npm, nuget or maven." enum:"npm,nuget,maven" placeholder:"F"`
}

// deleteAttempts bounds how often a deletion is tried anew when somebody else
// changes the package at the same time.
const deleteAttempts = 5

// Run deletes the package.
func (c *packageDeleteCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		p, err := s.packages.Project(ctx, c.Project)
		if err != nil {
			return err
		}
		for attempt := 1; ; attempt++ {
			found, err := s.findPackage(ctx, p.ID, registry.Format(c.Format), c.Name)
			if err != nil {
				return err
			}
			_, err = s.packages.Edit(ctx, registry.Edit{
				PackageID: found.ID, Revision: found.Revision, Delete: true, By: a.actor(), Action: "delete",
			})
			if err == nil {
				a.message("deleted %s package %s of project %s", c.Format, found.Name, p.FullPath)
				return nil
			}
			if registry.KindOf(err) != registry.Conflict || attempt == deleteAttempts {
				return err
			}
		}
	})
}

// findPackage finds a package with a living version by its name, in the
// spelling that its format compares by.
func (s *parts) findPackage(ctx context.Context, projectID int64, format registry.Format, name string) (registry.Package, error) {
	key := name
	if format == registry.NuGet {
		key = strings.ToLower(name) // NuGet ids are the same in any case
	}
	all, err := s.store.FindPackages(ctx, format, key)
	if err != nil {
		return registry.Package{}, err
	}
	for _, found := range all {
		if found.ProjectID != projectID {
			continue
		}
		versions, err := s.store.ListVersions(ctx, found.ID)
		if err != nil {
			return registry.Package{}, err
		}
		for _, v := range versions {
			if v.Status != registry.Deleted {
				return found, nil
			}
		}
	}
	return registry.Package{}, registry.Errorf(registry.NotFound, "the project has no %s package %s", format, name)
}
