package auth

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// CITokenName is the name that makes a token's secret available to CI jobs as
// CI_DEPLOY_USER and CI_DEPLOY_PASSWORD (gitlab.md 1.7).
const CITokenName = "gitlab-deploy-token"

// EffectiveUsername is the chosen user name, or GitLab's default for the id.
func (t DeployToken) EffectiveUsername() string {
	if t.Username != "" {
		return t.Username
	}
	return fmt.Sprintf("gitlab+deploy-token-%d", t.ID)
}

// Expired tells whether the token's time is over.
func (t DeployToken) Expired(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// NewDeployToken says what token to make.
type NewDeployToken struct {
	ID        int64 // chosen id, 0 for the next free one
	Name      string
	Username  string // empty: GitLab's default
	Scopes    Scope
	ProjectID int64 // exactly one of ProjectID and GroupID
	GroupID   int64
	ExpiresAt time.Time // zero: never
	// Secret imports a known secret; the zero value makes one.
	Secret Secret
}

// CreateDeployToken makes a token and gives its secret, which nobody can read
// again. Broken rules are Invalid; a taken id or secret is Conflict.
func (s *Service) CreateDeployToken(ctx context.Context, n NewDeployToken, by registry.Actor) (DeployToken, Secret, error) {
	if err := n.check(); err != nil {
		return DeployToken{}, Secret{}, err
	}
	secret := n.Secret
	var err error
	if secret.Reveal() == "" {
		secret, err = mint(deployTokenPrefix)
	} else {
		err = checkImported(secret)
	}
	if err != nil {
		return DeployToken{}, Secret{}, err
	}
	t := DeployToken{
		ID: n.ID, Name: n.Name, Username: n.Username, Scopes: n.Scopes, ProjectID: n.ProjectID, GroupID: n.GroupID,
		Digest: secret.Digest(), ExpiresAt: n.ExpiresAt, CreatedAt: s.clock(),
	}
	if by.Kind == "user" {
		t.CreatorID = by.ID
	}
	if n.Name == CITokenName {
		if t.Sealed, err = s.seal(ctx, secret); err != nil {
			return DeployToken{}, Secret{}, err
		}
	}
	t, err = s.tokens.CreateDeployToken(ctx, t, by)
	return t, secret, err
}

func (n NewDeployToken) check() error {
	switch {
	case strings.TrimSpace(n.Name) == "":
		return registry.Errorf(registry.Invalid, "name is missing")
	case utf8.RuneCountInString(n.Name) > 255 || hasControl(n.Name) || !utf8.ValidString(n.Name):
		return registry.Errorf(registry.Invalid, "name is invalid: at most 255 characters, no control characters")
	case n.Scopes == 0:
		return registry.Errorf(registry.Invalid, "Scopes can't be blank")
	case (n.ProjectID == 0) == (n.GroupID == 0):
		return registry.Errorf(registry.Invalid, "a deploy token belongs to exactly one project or group")
	case n.ID < 0:
		return registry.Errorf(registry.Invalid, "id is invalid")
	case len(n.Username) > 255 || strings.ContainsFunc(n.Username, notUsernameRune):
		return registry.Errorf(registry.Invalid, "Username can contain only letters, digits, '_', '-', '+', and '.'")
	}
	return nil
}

func notUsernameRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".+_-", r)
}

// ParseExpiry reads the end of a credential: a date, which means 00:00 UTC of
// that day, or a date with time and zone. Empty is never, the zero time.
func ParseExpiry(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05 MST"} {
		if at, err := time.Parse(layout, text); err == nil {
			if at.Year() < 1970 || at.Year() > 9999 {
				break
			}
			return at.UTC(), nil
		}
	}
	return time.Time{}, registry.Errorf(registry.Invalid, "expires_at is invalid")
}

func (s *Service) seal(ctx context.Context, secret Secret) ([]byte, error) {
	if s.sealer == nil {
		return nil, registry.Errorf(registry.Unavailable, "no instance key: a token named %s cannot be kept for CI variables", CITokenName)
	}
	return s.sealer.Seal(ctx, []byte(secret.Reveal()))
}

// CIVariables gives the user name and the secret of the active token that CI
// jobs of a project use: the project's own, else that of the nearest group.
// None is NotFound.
func (s *Service) CIVariables(ctx context.Context, p registry.Project) (username string, secret Secret, err error) {
	found, err := s.tokens.FindDeployTokensByName(ctx, p, CITokenName, s.clock())
	if err != nil {
		return "", Secret{}, err
	}
	if len(found) == 0 {
		return "", Secret{}, registry.Errorf(registry.NotFound, "project %s has no active deploy token named %s", p.FullPath, CITokenName)
	}
	plain, err := s.sealer.Open(ctx, found[0].Sealed)
	if err != nil {
		return "", Secret{}, registry.Wrapf(registry.Internal, err, "unseal deploy token %d", found[0].ID)
	}
	return found[0].EffectiveUsername(), NewSecret(string(plain)), nil
}

// FindDeployToken gives a token by id.
func (s *Service) FindDeployToken(ctx context.Context, id int64) (DeployToken, error) {
	return s.tokens.FindDeployToken(ctx, id)
}

// ListDeployTokens lists tokens by id; activeOnly leaves out revoked and expired
// ones.
func (s *Service) ListDeployTokens(ctx context.Context, at registry.Span, activeOnly bool, page registry.Page) ([]DeployToken, int64, error) {
	return s.tokens.ListDeployTokens(ctx, TokenFilter{
		ProjectID: at.ProjectID, GroupID: at.GroupID, ActiveOnly: activeOnly, Now: s.clock(),
	}, page)
}

// RevokeDeployToken ends a token; it stays listed.
func (s *Service) RevokeDeployToken(ctx context.Context, id int64, by registry.Actor) error {
	return s.tokens.RevokeDeployToken(ctx, id, s.clock(), by)
}

// DeleteDeployToken ends a token and removes its row, as GitLab's API does.
func (s *Service) DeleteDeployToken(ctx context.Context, id int64, by registry.Actor) error {
	return s.tokens.DeleteDeployToken(ctx, id, by)
}

// Now is the service's clock, so that what is shown of a token agrees with the
// gate.
func (s *Service) Now() time.Time { return s.clock() }
