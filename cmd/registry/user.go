package main

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// userCommand has the commands about users.
type userCommand struct {
	Create   userCreateCommand   `cmd:"" help:"Make a user."`
	List     userListCommand     `cmd:"" help:"List users."`
	Password userPasswordCommand `cmd:"" help:"Give a user another password. Sessions end."`
	Block    userBlockCommand    `cmd:"" help:"Block a user: every credential stops working."`
	Token    userTokenCommand    `cmd:"" help:"Make, list or revoke a user's personal access tokens."`
}

type userView struct {
	ID        int64  `json:"id"`
	Username  string `json:"username"`
	Name      string `json:"name"`
	Email     string `json:"email"`
	State     string `json:"state"`
	IsAdmin   bool   `json:"is_admin"`
	CreatedAt *stamp `json:"created_at"`
	Password  string `json:"password,omitempty"` // one that was made up just now
}

func newUserView(u auth.User) userView {
	state := "active"
	if !u.BlockedAt.IsZero() {
		state = "blocked"
	}
	return userView{ID: u.ID, Username: u.Username, Name: u.Name, Email: u.Email, State: state, IsAdmin: u.Admin, CreatedAt: optional(u.CreatedAt)}
}

func (v userView) cells() []cell {
	cells := []cell{
		{"id", idText(&v.ID)}, {"username", v.Username}, {"name", v.Name}, {"email", v.Email}, {"state", v.State}, {"admin", yes(v.IsAdmin)},
	}
	if v.Password != "" {
		cells = append(cells, cell{"password", v.Password})
	}
	return cells
}

type userCreateCommand struct {
	Username     string `arg:"" help:"User name."`
	Admin        bool   `help:"May do everything."`
	Name         string `help:"Full name."`
	Email        string `help:"Mail address."`
	PasswordFile string `help:"File with the password, - for standard input; without one the user has tokens only." placeholder:"F"`
}

// Run makes the user.
func (c *userCreateCommand) Run(ctx context.Context, a *app) error {
	wanted := auth.NewUser{Username: c.Username, Name: c.Name, Email: c.Email, Admin: c.Admin}
	if c.PasswordFile != "" {
		var err error
		if wanted.Password, err = readSecret(c.PasswordFile, a.in); err != nil {
			return err
		}
	}
	return a.with(ctx, func(s *parts) error {
		u, err := s.tokens.CreateUser(ctx, wanted, a.actor())
		if err != nil {
			return err
		}
		return a.show(newUserView(u))
	})
}

type userListCommand struct{}

// Run lists the users.
func (c *userListCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		users, err := everything(func(p registry.Page) ([]auth.User, int64, error) { return s.tokens.ListUsers(ctx, p) })
		if err != nil {
			return err
		}
		return showAll(a, users, newUserView)
	})
}

type userPasswordCommand struct {
	Username     string `arg:"" help:"User name."`
	PasswordFile string `help:"File with the password, - for standard input; without one a password is made up and printed." placeholder:"F"`
}

// Run sets the password.
func (c *userPasswordCommand) Run(ctx context.Context, a *app) error {
	madeUp := ""
	password := auth.NewSecret(rand.Text())
	if c.PasswordFile == "" {
		madeUp = password.Reveal()
	} else {
		var err error
		if password, err = readSecret(c.PasswordFile, a.in); err != nil {
			return err
		}
	}
	return a.with(ctx, func(s *parts) error {
		u, err := s.tokens.SetPassword(ctx, c.Username, password, a.actor())
		if err != nil {
			return err
		}
		view := newUserView(u)
		view.Password = madeUp
		return a.show(view)
	})
}

type userBlockCommand struct {
	Username string `arg:"" help:"User name."`
	Undo     bool   `help:"Unblock instead."`
}

// Run blocks or unblocks the user.
func (c *userBlockCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		u, err := s.tokens.SetBlocked(ctx, c.Username, !c.Undo, a.actor())
		if err != nil {
			return err
		}
		return a.show(newUserView(u))
	})
}

type userTokenCommand struct {
	Username  string   `arg:"" help:"User name."`
	Name      string   `help:"Name of the token to make." default:"command line"`
	Scope     []string `help:"Scopes: api, or read_api for reading only." enum:"api,read_api" default:"api"`
	ExpiresAt string   `help:"Day on which the token ends, at 00:00 UTC; never if not given." placeholder:"D"`
	List      bool     `help:"List the user's tokens instead." xor:"do"`
	Revoke    int64    `help:"Revoke the token with this id instead." placeholder:"ID" xor:"do"`

	expires time.Time
}

// Validate reads the expiry.
func (c *userTokenCommand) Validate() (err error) {
	c.expires, err = auth.ParseExpiry(c.ExpiresAt)
	return err
}

type personalTokenView struct {
	ID        int64    `json:"id"`
	Name      string   `json:"name"`
	UserID    int64    `json:"user_id"`
	Scopes    []string `json:"scopes"`
	Revoked   bool     `json:"revoked"`
	Active    bool     `json:"active"`
	ExpiresAt *stamp   `json:"expires_at"`
	LastUsed  *stamp   `json:"last_used_at"`
	CreatedAt *stamp   `json:"created_at"`
	Token     string   `json:"token,omitempty"` // of one that was made just now
}

func newPersonalTokenView(t auth.PersonalToken, now time.Time) personalTokenView {
	revoked := !t.RevokedAt.IsZero()
	return personalTokenView{
		ID: t.ID, Name: t.Name, UserID: t.UserID, Scopes: t.Scopes, Revoked: revoked,
		Active:    !revoked && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt)),
		ExpiresAt: optional(t.ExpiresAt), LastUsed: optional(t.LastUsedAt), CreatedAt: optional(t.CreatedAt),
	}
}

func (v personalTokenView) cells() []cell {
	cells := []cell{
		{"id", idText(&v.ID)},
		{"name", v.Name},
		{"scopes", strings.Join(v.Scopes, ",")},
		{"active", yes(v.Active)},
		{"expires", v.ExpiresAt.String()},
		{"last used", v.LastUsed.String()},
	}
	if v.Token != "" {
		cells = append(cells, cell{"token", v.Token})
	}
	return cells
}

// Run makes, lists or revokes.
func (c *userTokenCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		u, err := s.tokens.FindUser(ctx, c.Username)
		if err != nil {
			return err
		}
		switch {
		case c.List:
			tokens, err := everything(func(p registry.Page) ([]auth.PersonalToken, int64, error) {
				return s.tokens.ListPersonalTokens(ctx, u.ID, p)
			})
			if err != nil {
				return err
			}
			return showAll(a, tokens, func(t auth.PersonalToken) personalTokenView { return newPersonalTokenView(t, s.tokens.Now()) })
		case c.Revoke != 0:
			return c.revoke(ctx, a, s, u)
		}
		t, secret, err := s.tokens.CreatePersonalToken(ctx, u.ID, c.Name, c.Scope, c.expires, a.actor())
		if err != nil {
			return err
		}
		view := newPersonalTokenView(t, s.tokens.Now())
		view.Token = secret.Reveal()
		a.message("the token is shown this once: it cannot be read again")
		return a.show(view)
	})
}

func (c *userTokenCommand) revoke(ctx context.Context, a *app, s *parts, u auth.User) error {
	t, err := s.tokens.FindPersonalToken(ctx, c.Revoke)
	if err != nil {
		return err
	}
	if t.UserID != u.ID {
		return registry.Errorf(registry.NotFound, "user %s has no token with the id %d", u.Username, c.Revoke)
	}
	if err := s.tokens.RevokePersonalToken(ctx, t.ID, a.actor()); err != nil {
		return err
	}
	a.message("revoked personal access token %d of %s", t.ID, u.Username)
	return nil
}
