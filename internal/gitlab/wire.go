package gitlab

import (
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// stamp is a time as GitLab prints it: ISO 8601, UTC, milliseconds.
type stamp time.Time

// MarshalText prints the time.
func (s stamp) MarshalText() ([]byte, error) {
	return []byte(time.Time(s).UTC().Format("2006-01-02T15:04:05.000Z")), nil
}

// optional is nil, JSON's null, for the zero time.
func optional(t time.Time) *stamp {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}

// day is a time as GitLab prints the end of access tokens: a date.
func day(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(time.DateOnly)
	return &text
}

// optionalID is nil, JSON's null, for 0.
func optionalID(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

type deployToken struct {
	ID        int64    `json:"id"`
	Name      string   `json:"name"`
	Username  string   `json:"username"`
	ExpiresAt *stamp   `json:"expires_at"`
	Token     string   `json:"token,omitempty"` // of the call that made it only
	Revoked   bool     `json:"revoked"`
	Expired   bool     `json:"expired"`
	Scopes    []string `json:"scopes"`
}

// newDeployToken shows a token; expired says what the gate would say now.
func newDeployToken(t auth.DeployToken, now time.Time) deployToken {
	return deployToken{
		ID: t.ID, Name: t.Name, Username: t.EffectiveUsername(), ExpiresAt: optional(t.ExpiresAt),
		Revoked: !t.RevokedAt.IsZero(), Expired: t.Expired(now), Scopes: t.Scopes.Names(),
	}
}

type namespace struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Path     string `json:"path"`
	Kind     string `json:"kind"`
	FullPath string `json:"full_path"`
	ParentID *int64 `json:"parent_id"`
	WebURL   string `json:"web_url"`
}

func (h *Handler) newNamespace(g registry.Group) namespace {
	return namespace{
		ID: g.ID, Name: g.Name, Path: g.Path, Kind: "group", FullPath: g.FullPath,
		ParentID: optionalID(g.ParentID), WebURL: h.links.group(g.FullPath),
	}
}

type group struct {
	ID          int64  `json:"id"`
	WebURL      string `json:"web_url"`
	Name        string `json:"name"`
	Path        string `json:"path"`
	Description string `json:"description"`
	Visibility  string `json:"visibility"`
	FullName    string `json:"full_name"`
	FullPath    string `json:"full_path"`
	ParentID    *int64 `json:"parent_id"`
	CreatedAt   stamp  `json:"created_at"`
}

// simpleProject is what lists show with simple=true.
type simpleProject struct {
	ID                int64     `json:"id"`
	Description       string    `json:"description"`
	Name              string    `json:"name"`
	NameWithNamespace string    `json:"name_with_namespace"`
	Path              string    `json:"path"`
	PathWithNamespace string    `json:"path_with_namespace"`
	CreatedAt         stamp     `json:"created_at"`
	DefaultBranch     *string   `json:"default_branch"`
	SSHURLToRepo      string    `json:"ssh_url_to_repo"`
	HTTPURLToRepo     string    `json:"http_url_to_repo"`
	WebURL            string    `json:"web_url"`
	LastActivityAt    stamp     `json:"last_activity_at"`
	Namespace         namespace `json:"namespace"`
}

// project is the whole. There is no git here: the repository's addresses are
// empty and there is no default branch, as with an empty repository of GitLab.
type project struct {
	simpleProject
	Links                      map[string]string `json:"_links"`
	Visibility                 string            `json:"visibility"`
	Archived                   bool              `json:"archived"`
	EmptyRepo                  bool              `json:"empty_repo"`
	PackagesEnabled            bool              `json:"packages_enabled"`
	PackageRegistryAccessLevel string            `json:"package_registry_access_level"`
	Permissions                *permissions      `json:"permissions,omitempty"`
}

type permissions struct {
	ProjectAccess *access `json:"project_access"`
	GroupAccess   *access `json:"group_access"`
}

type access struct {
	Level auth.Role `json:"access_level"`
}

type user struct {
	ID        int64   `json:"id"`
	Username  string  `json:"username"`
	Name      string  `json:"name"`
	State     string  `json:"state"`
	AvatarURL *string `json:"avatar_url"`
	WebURL    string  `json:"web_url"`
	CreatedAt stamp   `json:"created_at"`
	Email     string  `json:"email"`
	IsAdmin   *bool   `json:"is_admin,omitempty"` // shown to administrators only
}

type personalToken struct {
	ID         int64    `json:"id"`
	Name       string   `json:"name"`
	Revoked    bool     `json:"revoked"`
	CreatedAt  stamp    `json:"created_at"`
	Scopes     []string `json:"scopes"`
	UserID     int64    `json:"user_id"`
	LastUsedAt *stamp   `json:"last_used_at"`
	Active     bool     `json:"active"`
	ExpiresAt  *string  `json:"expires_at"`
	Token      string   `json:"token,omitempty"` // of the call that made it only
}

func newPersonalToken(t auth.PersonalToken, now time.Time) personalToken {
	revoked := !t.RevokedAt.IsZero()
	expired := !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
	return personalToken{
		ID: t.ID, Name: t.Name, Revoked: revoked, CreatedAt: stamp(t.CreatedAt), Scopes: t.Scopes, UserID: t.UserID,
		LastUsedAt: optional(t.LastUsedAt), Active: !revoked && !expired, ExpiresAt: day(t.ExpiresAt),
	}
}
