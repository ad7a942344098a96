package main

import (
	"context"

	"pakhus/internal/auth"
)

// memberCommand has the commands about who has which role where.
type memberCommand struct {
	Add    memberAddCommand    `cmd:"" help:"Give a user a role in a group, and so in all below it, or in a project."`
	Remove memberRemoveCommand `cmd:"" help:"Take a user's role away."`
	List   memberListCommand   `cmd:"" help:"List the members made for a group or project itself."`
}

type memberView struct {
	UserID   int64     `json:"id"`
	Username string    `json:"username"`
	Level    auth.Role `json:"access_level"`
	Role     string    `json:"role"`
}

func newMemberView(m auth.Membership) memberView {
	return memberView{UserID: m.UserID, Username: m.Username, Level: m.Role, Role: m.Role.String()}
}

func (v memberView) cells() []cell {
	return []cell{{"id", idText(&v.UserID)}, {"username", v.Username}, {"role", v.Role}}
}

type memberAddCommand struct {
	Path string `arg:"" help:"Full path of the group or project."`
	User string `arg:"" help:"User name."`
	Role string `required:"" help:"guest, reporter, developer, maintainer or owner." enum:"guest,reporter,developer,maintainer,owner" placeholder:"ROLE"`
}

// Run gives the role.
func (c *memberAddCommand) Run(ctx context.Context, a *app) error {
	role, err := auth.ParseRole(c.Role)
	if err != nil {
		return err
	}
	return a.with(ctx, func(s *parts) error {
		at, err := s.holder(ctx, c.Path)
		if err != nil {
			return err
		}
		if err := s.tokens.SetMember(ctx, c.User, at, role, a.actor()); err != nil {
			return err
		}
		u, err := s.tokens.FindUser(ctx, c.User)
		if err != nil {
			return err
		}
		return a.show(newMemberView(auth.Membership{UserID: u.ID, Username: u.Username, Role: role}))
	})
}

type memberRemoveCommand struct {
	Path string `arg:"" help:"Full path of the group or project."`
	User string `arg:"" help:"User name."`
}

// Run takes the role away.
func (c *memberRemoveCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		at, err := s.holder(ctx, c.Path)
		if err != nil {
			return err
		}
		if err := s.tokens.RemoveMember(ctx, c.User, at, a.actor()); err != nil {
			return err
		}
		a.message("removed %s from %s", c.User, c.Path)
		return nil
	})
}

type memberListCommand struct {
	Path string `arg:"" help:"Full path of the group or project."`
}

// Run lists the members.
func (c *memberListCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		at, err := s.holder(ctx, c.Path)
		if err != nil {
			return err
		}
		members, err := s.tokens.ListMembers(ctx, at)
		if err != nil {
			return err
		}
		return showAll(a, members, newMemberView)
	})
}
