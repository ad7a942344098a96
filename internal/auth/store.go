package auth

import (
	"context"
	"time"

	"pakhus/internal/registry"
)

// Digest is the SHA-256 of a secret: all that the database keeps of it.
type Digest [32]byte

// DeployToken is a credential made for one project or one group.
type DeployToken struct {
	ID        int64
	Name      string
	Username  string // empty: the default, gitlab+deploy-token-<id>
	Scopes    Scope
	ProjectID int64 // exactly one of ProjectID and GroupID is set
	GroupID   int64
	CreatorID int64 // user, 0 for a command; kept for audit, never used to decide
	Digest    Digest
	// Sealed is the secret under the instance key, only for tokens that CI
	// variables must hand out again.
	Sealed     []byte
	ExpiresAt  time.Time // zero: never
	RevokedAt  time.Time // zero: not revoked
	LastUsedAt time.Time // zero: never; written at most once a minute
	CreatedAt  time.Time
}

// User is a person or a bot with memberships.
type User struct {
	ID           int64
	Username     string // unique without regard to case
	Name         string
	Email        string
	PasswordHash string // argon2id, PHC string; empty: no password sign-in
	Admin        bool
	BlockedAt    time.Time // zero: active
	CreatedAt    time.Time
}

// PersonalToken is a credential that acts as its user.
type PersonalToken struct {
	ID         int64
	UserID     int64
	Name       string
	Scopes     []string // "api", "read_api"
	Session    bool     // made by a login; logout revokes it
	Digest     Digest
	ExpiresAt  time.Time
	RevokedAt  time.Time
	LastUsedAt time.Time
	CreatedAt  time.Time
}

// Membership gives a user a role in a group, and so in all below it, or in a
// project.
type Membership struct {
	UserID    int64
	Username  string // of the user; filled when listed
	GroupID   int64  // exactly one of GroupID and ProjectID is set
	ProjectID int64
	Role      Role
	CreatedAt time.Time
}

// TokenFilter selects deploy tokens; the zero value selects all of the instance.
type TokenFilter struct {
	ProjectID  int64
	GroupID    int64
	ActiveOnly bool      // neither revoked nor expired at Now
	Now        time.Time // set with ActiveOnly
}

// Tokens keeps users, memberships and credentials. The rules of registry.Store
// hold: NotFound, Conflict, Unavailable, one transaction a method, a change row
// of topic access with every write but the touches.
type Tokens interface {
	// CreateDeployToken stores a token; an ID of 0 gets the next free one. A
	// digest or id that is taken is Conflict.
	CreateDeployToken(ctx context.Context, t DeployToken, by registry.Actor) (DeployToken, error)
	FindDeployToken(ctx context.Context, id int64) (DeployToken, error)
	FindDeployTokenByDigest(ctx context.Context, digest Digest) (DeployToken, error)
	// FindDeployTokensByName gives the active tokens of this name made for the
	// project or for one of its groups, the nearest holder first.
	FindDeployTokensByName(ctx context.Context, p registry.Project, name string, now time.Time) ([]DeployToken, error)
	// ListDeployTokens lists by ascending id.
	ListDeployTokens(ctx context.Context, f TokenFilter, page registry.Page) (tokens []DeployToken, total int64, err error)
	// RevokeDeployToken sets RevokedAt; revoking again changes nothing.
	RevokeDeployToken(ctx context.Context, id int64, at time.Time, by registry.Actor) error
	DeleteDeployToken(ctx context.Context, id int64, by registry.Actor) error

	CreateUser(ctx context.Context, u User, by registry.Actor) (User, error)
	FindUser(ctx context.Context, id int64) (User, error)
	// FindUserByName finds without regard to case.
	FindUserByName(ctx context.Context, username string) (User, error)
	ListUsers(ctx context.Context, page registry.Page) (users []User, total int64, err error)
	// UpdateUser stores all of the user's fields but the id and the name; a new
	// password or a block revokes the user's sessions.
	UpdateUser(ctx context.Context, u User, by registry.Actor) (User, error)

	CreatePersonalToken(ctx context.Context, t PersonalToken, by registry.Actor) (PersonalToken, error)
	FindPersonalToken(ctx context.Context, id int64) (PersonalToken, error)
	FindPersonalTokenByDigest(ctx context.Context, digest Digest) (PersonalToken, error)
	ListPersonalTokens(ctx context.Context, userID int64, page registry.Page) (tokens []PersonalToken, total int64, err error)
	RevokePersonalToken(ctx context.Context, id int64, at time.Time, by registry.Actor) error

	// SaveMembership adds a member or changes the role.
	SaveMembership(ctx context.Context, m Membership, by registry.Actor) error
	DeleteMembership(ctx context.Context, m Membership, by registry.Actor) error
	// ListMemberships gives all memberships of one user.
	ListMemberships(ctx context.Context, userID int64) ([]Membership, error)
	// ListMembers gives the members made for one project or group itself.
	ListMembers(ctx context.Context, at registry.Span) ([]Membership, error)

	// Touch records when credentials were last used.
	Touch(ctx context.Context, deployTokens, personalTokens map[int64]time.Time) error
}
