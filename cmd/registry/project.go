package main

import (
	"context"

	"pakhus/internal/registry"
)

// projectCommand has the commands about projects.
type projectCommand struct {
	Create projectCreateCommand `cmd:"" help:"Make a project in an existing group."`
	List   projectListCommand   `cmd:"" help:"List projects."`
	Delete projectDeleteCommand `cmd:"" help:"Delete a project with its packages, tokens and members."`
	Move   projectMoveCommand   `cmd:"" help:"Give a project another path. Tokens of its old group stop reaching it."`
}

type projectView struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	Path       string `json:"path"`
	FullPath   string `json:"full_path"`
	WithGroup  string `json:"path_with_namespace"` // GitLab's name for the full path
	Visibility string `json:"visibility"`
	CreatedAt  *stamp `json:"created_at"`
}

func newProjectView(p registry.Project) projectView {
	return projectView{
		ID: p.ID, Name: p.Name, Path: p.Path, FullPath: p.FullPath, WithGroup: p.FullPath,
		Visibility: string(p.Visibility), CreatedAt: optional(p.CreatedAt),
	}
}

func (v projectView) cells() []cell {
	return []cell{{"id", idText(&v.ID)}, {"path", v.FullPath}, {"visibility", v.Visibility}}
}

type projectCreateCommand struct {
	Path       string `arg:"" help:"Full path: GROUP/NAME."`
	ID         int64  `help:"Chosen id, so that addresses made elsewhere keep working." placeholder:"N"`
	Name       string `help:"Display name; the last part of the path if not given."`
	Visibility string `help:"Who may read the packages without a token: private, internal or public." enum:"private,internal,public" default:"private"`
}

// Validate refuses an id that no row can have.
func (c *projectCreateCommand) Validate() error { return checkChosenID(c.ID) }

// Run makes the project.
func (c *projectCreateCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		p, err := s.packages.CreateProject(ctx, registry.NewProject{
			ID: c.ID, FullPath: c.Path, Name: c.Name, Visibility: registry.Visibility(c.Visibility),
		}, a.actor())
		if err != nil {
			return err
		}
		return a.show(newProjectView(p))
	})
}

type projectListCommand struct {
	Group  string `help:"Only those below this group (id or path), at any depth." placeholder:"G"`
	Search string `help:"Only those with this in name or path."`
}

// Run lists the projects.
func (c *projectListCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		at, err := s.span(ctx, "", c.Group)
		if err != nil {
			return err
		}
		f := registry.ProjectFilter{Readers: registry.Readers{All: true}, Span: at, Search: c.Search}
		projects, err := everything(func(p registry.Page) ([]registry.Project, int64, error) { return s.packages.ListProjects(ctx, f, p) })
		if err != nil {
			return err
		}
		return showAll(a, projects, newProjectView)
	})
}

type projectDeleteCommand struct {
	Project string `arg:"" help:"Id or full path."`
}

// Run deletes the project.
func (c *projectDeleteCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		p, err := s.packages.Project(ctx, c.Project)
		if err != nil {
			return err
		}
		if err := s.packages.DeleteProject(ctx, p.ID, a.actor()); err != nil {
			return err
		}
		a.message("deleted project %s (id %d)", p.FullPath, p.ID)
		return nil
	})
}

type projectMoveCommand struct {
	Project string `arg:"" help:"Id or full path."`
	To      string `arg:"" help:"New full path: GROUP/NAME. The group must exist."`
}

// Run moves the project.
func (c *projectMoveCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		p, err := s.packages.Project(ctx, c.Project)
		if err != nil {
			return err
		}
		moved, err := s.packages.MoveProject(ctx, p.ID, c.To, a.actor())
		if err != nil {
			return err
		}
		return a.show(newProjectView(moved))
	})
}
