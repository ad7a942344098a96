package main

import (
	"context"

	"pakhus/internal/registry"
)

// groupCommand has the commands about groups.
type groupCommand struct {
	Create groupCreateCommand `cmd:"" help:"Make a group. Its parent must exist."`
	List   groupListCommand   `cmd:"" help:"List groups."`
	Delete groupDeleteCommand `cmd:"" help:"Delete an empty group, with its tokens and members."`
}

type groupView struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	Path       string `json:"path"`
	FullPath   string `json:"full_path"`
	Visibility string `json:"visibility"`
	ParentID   *int64 `json:"parent_id"`
	CreatedAt  *stamp `json:"created_at"`
}

func newGroupView(g registry.Group) groupView {
	return groupView{
		ID: g.ID, Name: g.Name, Path: g.Path, FullPath: g.FullPath, Visibility: string(g.Visibility),
		ParentID: optionalID(g.ParentID), CreatedAt: optional(g.CreatedAt),
	}
}

func (v groupView) cells() []cell {
	return []cell{{"id", idText(&v.ID)}, {"path", v.FullPath}, {"visibility", v.Visibility}}
}

type groupCreateCommand struct {
	Path       string `arg:"" help:"Full path: NAME, or PARENT/NAME."`
	ID         int64  `help:"Chosen id, so that addresses made elsewhere keep working." placeholder:"N"`
	Name       string `help:"Display name; the last part of the path if not given."`
	Visibility string `help:"Who may see the group: private, internal or public." enum:"private,internal,public" default:"private"`
}

// Validate refuses an id that no row can have.
func (c *groupCreateCommand) Validate() error { return checkChosenID(c.ID) }

func checkChosenID(id int64) error {
	if id < 0 {
		return registry.Errorf(registry.Invalid, "--id must be a positive number")
	}
	return nil
}

// Run makes the group.
func (c *groupCreateCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		g, err := s.packages.CreateGroup(ctx, registry.NewGroup{
			ID: c.ID, FullPath: c.Path, Name: c.Name, Visibility: registry.Visibility(c.Visibility),
		}, a.actor())
		if err != nil {
			return err
		}
		return a.show(newGroupView(g))
	})
}

type groupListCommand struct {
	Search string `help:"Only those with this in name or path."`
}

// Run lists the groups.
func (c *groupListCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		f := registry.GroupFilter{Readers: registry.Readers{All: true}, Search: c.Search}
		groups, err := everything(func(p registry.Page) ([]registry.Group, int64, error) { return s.packages.ListGroups(ctx, f, p) })
		if err != nil {
			return err
		}
		return showAll(a, groups, newGroupView)
	})
}

type groupDeleteCommand struct {
	Group string `arg:"" help:"Id or full path."`
}

// Run deletes the group.
func (c *groupDeleteCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		g, err := s.packages.Group(ctx, c.Group)
		if err != nil {
			return err
		}
		if err := s.packages.DeleteGroup(ctx, g.ID, a.actor()); err != nil {
			return err
		}
		a.message("deleted group %s (id %d)", g.FullPath, g.ID)
		return nil
	})
}
