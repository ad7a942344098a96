package main

import (
	"context"
	"strings"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// tokenCommand has the commands about deploy tokens.
type tokenCommand struct {
	Create  tokenCreateCommand  `cmd:"" help:"Make a deploy token. Its secret is printed once."`
	List    tokenListCommand    `cmd:"" help:"List deploy tokens."`
	Show    tokenShowCommand    `cmd:"" help:"Show a deploy token."`
	Revoke  tokenRevokeCommand  `cmd:"" help:"End a deploy token. It stays listed."`
	Explain tokenExplainCommand `cmd:"" help:"Say what a token is, what it may do, and why it is refused."`
}

type tokenView struct {
	ID        int64    `json:"id"`
	Name      string   `json:"name"`
	Username  string   `json:"username"`
	ProjectID *int64   `json:"project_id"`
	GroupID   *int64   `json:"group_id"`
	Scopes    []string `json:"scopes"`
	ExpiresAt *stamp   `json:"expires_at"`
	Revoked   bool     `json:"revoked"`
	Expired   bool     `json:"expired"`
	LastUsed  *stamp   `json:"last_used_at"`
	CreatedAt *stamp   `json:"created_at"`
	Token     string   `json:"token,omitempty"` // of one that was made just now
}

func newTokenView(t auth.DeployToken, now time.Time) tokenView {
	return tokenView{
		ID: t.ID, Name: t.Name, Username: t.EffectiveUsername(), ProjectID: optionalID(t.ProjectID), GroupID: optionalID(t.GroupID),
		Scopes: t.Scopes.Names(), ExpiresAt: optional(t.ExpiresAt), Revoked: !t.RevokedAt.IsZero(), Expired: t.Expired(now),
		LastUsed: optional(t.LastUsedAt), CreatedAt: optional(t.CreatedAt),
	}
}

func (v tokenView) state() string {
	switch {
	case v.Revoked:
		return "revoked"
	case v.Expired:
		return "expired"
	}
	return "active"
}

func (v tokenView) cells() []cell {
	cells := []cell{
		{"id", idText(&v.ID)},
		{"name", v.Name},
		{"username", v.Username},
		{"project", idText(v.ProjectID)},
		{"group", idText(v.GroupID)},
		{"scopes", strings.Join(v.Scopes, ",")},
		{"state", v.state()},
		{"expires", v.ExpiresAt.String()},
		{"last used", v.LastUsed.String()},
	}
	if v.Token != "" {
		cells = append(cells, cell{"token", v.Token})
	}
	return cells
}

type tokenCreateCommand struct {
	Project    string   `help:"Project that the token is for: id or path." placeholder:"P" xor:"holder" required:""`
	Group      string   `help:"Group that the token is for, with all projects below it: id or path." placeholder:"G" xor:"holder" required:""`
	Name       string   `required:"" help:"Name. A token named gitlab-deploy-token is handed out by ci-variables."`
	Scope      []string `required:"" help:"Scopes, such as read_package_registry or write_package_registry." placeholder:"S"`
	Username   string   `help:"User name; gitlab+deploy-token-ID if not given." placeholder:"U"`
	ExpiresAt  string   `help:"Day on which the token ends, at 00:00 UTC, or a time; never if not given." placeholder:"D"`
	ID         int64    `help:"Chosen id, for tokens made elsewhere." placeholder:"N"`
	SecretFile string   `help:"File with the secret of a token made elsewhere, - for standard input." placeholder:"F"`

	wanted auth.NewDeployToken
}

// Validate reads what is wrong use if it cannot be read.
func (c *tokenCreateCommand) Validate() (err error) {
	c.wanted = auth.NewDeployToken{ID: c.ID, Name: c.Name, Username: c.Username}
	if err = checkChosenID(c.ID); err != nil {
		return err
	}
	if c.wanted.Scopes, err = auth.ParseScopes(c.Scope); err != nil {
		return err
	}
	c.wanted.ExpiresAt, err = auth.ParseExpiry(c.ExpiresAt)
	return err
}

// Run makes the token.
func (c *tokenCreateCommand) Run(ctx context.Context, a *app) error {
	wanted := c.wanted
	if c.SecretFile != "" {
		var err error
		if wanted.Secret, err = readSecret(c.SecretFile, a.in); err != nil {
			return err
		}
	}
	return a.with(ctx, func(s *parts) error {
		at, err := s.span(ctx, c.Project, c.Group)
		if err != nil {
			return err
		}
		wanted.ProjectID, wanted.GroupID = at.ProjectID, at.GroupID
		t, secret, err := s.tokens.CreateDeployToken(ctx, wanted, a.actor())
		if err != nil {
			return err
		}
		view := newTokenView(t, s.tokens.Now())
		view.Token = secret.Reveal()
		a.message("the secret is shown this once: it cannot be read again")
		return a.show(view)
	})
}

type tokenListCommand struct {
	Project string `help:"Only those of this project: id or path." placeholder:"P" xor:"holder"`
	Group   string `help:"Only those of this group: id or path." placeholder:"G" xor:"holder"`
	Active  bool   `help:"Only those that are neither revoked nor expired."`
}

// Run lists the tokens.
func (c *tokenListCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		at, err := s.span(ctx, c.Project, c.Group)
		if err != nil {
			return err
		}
		tokens, err := everything(func(p registry.Page) ([]auth.DeployToken, int64, error) {
			return s.tokens.ListDeployTokens(ctx, at, c.Active, p)
		})
		if err != nil {
			return err
		}
		return showAll(a, tokens, func(t auth.DeployToken) tokenView { return newTokenView(t, s.tokens.Now()) })
	})
}

type tokenShowCommand struct {
	ID int64 `arg:"" help:"Id of the token."`
}

// Run shows the token.
func (c *tokenShowCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		t, err := s.tokens.FindDeployToken(ctx, c.ID)
		if err != nil {
			return err
		}
		return a.show(newTokenView(t, s.tokens.Now()))
	})
}

type tokenRevokeCommand struct {
	ID int64 `arg:"" help:"Id of the token."`
}

// Run ends the token.
func (c *tokenRevokeCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(s *parts) error {
		if err := s.tokens.RevokeDeployToken(ctx, c.ID, a.actor()); err != nil {
			return err
		}
		a.message("revoked deploy token %d", c.ID)
		return nil
	})
}
