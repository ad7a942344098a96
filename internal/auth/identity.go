package auth

import (
	"context"
	"strconv"
	"time"

	"pakhus/internal/registry"
)

// IdentityKind says what an identity is. The zero value is nobody.
type IdentityKind int

// The kinds of identity.
const (
	Anonymous IdentityKind = iota
	DeployTokenIdentity
	UserIdentity
)

// Identity is who a request proved to be. The zero value is anonymous. It is
// shared between requests: do not change it.
type Identity struct {
	Kind IdentityKind
	// Name is the user name: a deploy token's, or the user's.
	Name  string
	Email string // users only
	// Form is how the credential came, for the text of refusals.
	Form Form
	// ExpiresAt is when the credential ends by itself; never when zero.
	ExpiresAt time.Time

	// Of deploy tokens.
	TokenID   int64
	Scopes    Scope
	ProjectID int64 // exactly one of ProjectID and GroupID is set
	GroupID   int64

	// Of users.
	UserID        int64
	Admin         bool
	PersonalID    int64 // the personal access token
	ReadOnly      bool  // the personal access token has read_api only
	groupRoles    map[int64]Role
	projectRoles  map[int64]Role
	tokenName     string
	lastTouchSlot *touchSlot
	logID         string // kept by the service, because every request is logged
}

// IsAnonymous tells whether no credential was sent.
func (id *Identity) IsAnonymous() bool { return id.Kind == Anonymous }

// Actor is the identity as rows and the audit log name it.
func (id *Identity) Actor() registry.Actor {
	switch id.Kind {
	case DeployTokenIdentity:
		return registry.Actor{Kind: "deploy_token", ID: id.TokenID, Name: id.Name}
	case UserIdentity:
		return registry.Actor{Kind: "user", ID: id.UserID, Name: id.Name}
	}
	return registry.Actor{Kind: "anonymous"}
}

// LogID names the credential in logs without its secret.
func (id *Identity) LogID() string {
	switch {
	case id.logID != "":
		return id.logID
	case id.Kind == DeployTokenIdentity:
		return "deploy_token:" + strconv.FormatInt(id.TokenID, 10)
	case id.Kind == UserIdentity:
		return "user:" + strconv.FormatInt(id.UserID, 10)
	}
	return ""
}

// GroupRole is the user's role in a group: the highest of the memberships in it
// and in the groups above it.
func (id *Identity) GroupRole(g registry.Group) Role { return id.highest(g.Ancestors) }

// ProjectRole is the user's role in a project: the highest of the memberships
// in it and in the groups that hold it.
func (id *Identity) ProjectRole(p registry.Project) Role {
	return max(id.projectRoles[p.ID], id.highest(p.Ancestors))
}

func (id *Identity) highest(groups []int64) Role {
	if id.Admin {
		return Owner
	}
	role := NoRole
	for _, g := range groups {
		role = max(role, id.groupRoles[g])
	}
	return role
}

// Readers is the set of projects whose packages the identity may read, for
// queries that list.
func (id *Identity) Readers() registry.Readers {
	r := registry.Readers{Public: true}
	switch id.Kind {
	case DeployTokenIdentity:
		if !id.Scopes.Has(ReadPackageRegistry | WritePackageRegistry) {
			break
		}
		if id.GroupID != 0 {
			r.Groups = []int64{id.GroupID}
		} else {
			r.Projects = []int64{id.ProjectID}
		}
	case UserIdentity:
		r.Internal, r.All = true, id.Admin
		for g := range id.groupRoles {
			r.Groups = append(r.Groups, g)
		}
		for p := range id.projectRoles {
			r.Projects = append(r.Projects, p)
		}
	}
	return r
}

type contextKey struct{}

// With puts a verified identity into a context.
func With(ctx context.Context, id *Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// From gives the request's identity; nobody when none was verified.
func From(ctx context.Context) *Identity {
	if id, ok := ctx.Value(contextKey{}).(*Identity); ok {
		return id
	}
	return &Identity{}
}
