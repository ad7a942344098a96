package auth

import (
	"fmt"
	"strings"
	"testing"

	"pakhus/internal/registry"
)

// The tree of the tests: group 1 holds group 2, which holds project 20; project
// 10 lies in group 1, project 30 in group 3.
var (
	deep    = registry.Project{ID: 20, Ancestors: []int64{1, 2}, Visibility: registry.Private}
	shallow = registry.Project{ID: 10, Ancestors: []int64{1}, Visibility: registry.Private}
	foreign = registry.Project{ID: 30, Ancestors: []int64{3}, Visibility: registry.Private}
)

func with(p registry.Project, v registry.Visibility) registry.Project {
	p.Visibility = v
	return p
}

func deploy(scopes Scope, project, group int64) *Identity {
	return &Identity{Kind: DeployTokenIdentity, Name: "t", TokenID: 1, Scopes: scopes, ProjectID: project, GroupID: group}
}

func member(role Role, group, project int64) *Identity {
	id := &Identity{Kind: UserIdentity, Name: "ann", UserID: 7, groupRoles: map[int64]Role{}, projectRoles: map[int64]Role{}}
	if group != 0 {
		id.groupRoles[group] = role
	}
	if project != 0 {
		id.projectRoles[project] = role
	}
	return id
}

const allowed registry.Kind = -1

func TestAllow(t *testing.T) {
	anonymous := &Identity{}
	readOnly := member(Owner, 1, 0)
	readOnly.ReadOnly = true
	admin := &Identity{Kind: UserIdentity, Admin: true}
	both := ReadPackageRegistry | WritePackageRegistry
	others := ReadRepository | ReadRegistry | WriteRegistry | ReadVirtualRegistry | WriteVirtualRegistry
	tests := []struct {
		name    string
		id      *Identity
		action  Action
		project registry.Project
		want    registry.Kind
	}{
		{"zero action", admin, 0, deep, registry.Forbidden},
		{"action that is no right on packages", admin, SignedIn, deep, registry.Forbidden},
		{"anonymous reads private", anonymous, Read, deep, registry.Unauthenticated},
		{"anonymous reads internal", anonymous, Read, with(deep, registry.InternalOnly), registry.Unauthenticated},
		{"anonymous reads public", anonymous, Read, with(deep, registry.Public), allowed},
		{"anonymous publishes to public", anonymous, Publish, with(deep, registry.Public), registry.Unauthenticated},
		{"unknown visibility", anonymous, Read, with(deep, "open"), registry.Unauthenticated},

		{"read token reads", deploy(ReadPackageRegistry, 20, 0), Read, deep, allowed},
		{"read token publishes", deploy(ReadPackageRegistry, 20, 0), Publish, deep, registry.Forbidden},
		{"read token tags", deploy(ReadPackageRegistry, 20, 0), Tag, deep, registry.Forbidden},
		{"read token deprecates", deploy(ReadPackageRegistry, 20, 0), Deprecate, deep, registry.Forbidden},
		{"read token deletes", deploy(ReadPackageRegistry, 20, 0), Delete, deep, registry.Forbidden},
		{"write token reads", deploy(WritePackageRegistry, 20, 0), Read, deep, allowed},
		{"write token publishes", deploy(WritePackageRegistry, 20, 0), Publish, deep, allowed},
		{"write token deletes", deploy(WritePackageRegistry, 20, 0), Delete, deep, allowed},
		{"token without package scopes reads private", deploy(others, 20, 0), Read, deep, registry.Forbidden},
		{"token without package scopes publishes", deploy(others, 20, 0), Publish, deep, registry.Forbidden},
		{"token without package scopes reads public", deploy(others, 20, 0), Read, with(deep, registry.Public), allowed},
		{"token without scopes", deploy(0, 20, 0), Read, deep, registry.Forbidden},
		{"token without holder", deploy(both, 0, 0), Read, deep, registry.NotFound},
		{"token without holder meets project 0", deploy(both, 0, 0), Read, registry.Project{Visibility: registry.Private}, registry.NotFound},
		{"foreign token reads private", deploy(both, 30, 0), Read, deep, registry.NotFound},
		{"foreign token publishes to private", deploy(both, 30, 0), Publish, deep, registry.NotFound},
		{"foreign token reads public", deploy(both, 30, 0), Read, with(deep, registry.Public), allowed},
		{"foreign token reads internal", deploy(both, 30, 0), Read, with(deep, registry.InternalOnly), registry.NotFound},
		{"foreign token publishes to public", deploy(both, 30, 0), Publish, with(deep, registry.Public), registry.Forbidden},

		{"group token reaches its project", deploy(both, 0, 1), Publish, shallow, allowed},
		{"group token reaches a sub-group's project", deploy(both, 0, 1), Delete, deep, allowed},
		{"group token of the sub-group does not reach up", deploy(both, 0, 2), Read, shallow, registry.NotFound},
		{"group token elsewhere", deploy(both, 0, 1), Read, foreign, registry.NotFound},

		{"guest reads", member(Guest, 1, 0), Read, deep, allowed},
		{"guest publishes", member(Guest, 1, 0), Publish, deep, registry.Forbidden},
		{"developer publishes", member(Developer, 0, 20), Publish, deep, allowed},
		{"developer deletes", member(Developer, 0, 20), Delete, deep, registry.Forbidden},
		{"developer deprecates", member(Developer, 0, 20), Deprecate, deep, registry.Forbidden},
		{"maintainer deletes", member(Maintainer, 2, 0), Delete, deep, allowed},
		{"stranger reads private", member(NoRole, 0, 0), Read, deep, registry.NotFound},
		{"stranger reads internal", member(NoRole, 0, 0), Read, with(deep, registry.InternalOnly), allowed},
		{"stranger publishes to internal", member(NoRole, 0, 0), Publish, with(deep, registry.InternalOnly), registry.Forbidden},
		{"admin deletes", admin, Delete, deep, allowed},
		{"read-only personal token reads", readOnly, Read, deep, allowed},
		{"read-only personal token publishes", readOnly, Publish, deep, registry.Forbidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Allow(tt.id, tt.action, tt.project)
			got := allowed
			if err != nil {
				got = registry.KindOf(err)
			}
			if got != tt.want {
				t.Errorf("Allow = %v (%v), want %v", got, err, tt.want)
			}
		})
	}
}

// Every scope alone gives what gitlab.md 2.5 says, and nothing more.
func TestAllowSingleScopes(t *testing.T) {
	actions := []Action{Read, Publish, Tag, Deprecate, Delete}
	for i, name := range scopeNames {
		for _, action := range actions {
			want := name == "write_package_registry" || (name == "read_package_registry" && action == Read)
			if got := Allow(deploy(1<<i, 20, 0), action, deep) == nil; got != want {
				t.Errorf("%s may %s: %v, want %v", name, action, got, want)
			}
		}
	}
}

// A stranger must not learn from a refusal whether a project exists.
func TestRefusalsHideProjects(t *testing.T) {
	for _, id := range []*Identity{deploy(WritePackageRegistry, 30, 0), member(NoRole, 0, 0)} {
		hidden := Allow(id, Read, deep)
		if hidden.Error() != ErrNoProject().Error() {
			t.Errorf("refusal %q differs from that of an absent project", hidden)
		}
	}
}

func TestRefusalNamesScopes(t *testing.T) {
	err := Allow(deploy(ReadPackageRegistry, 20, 0), Publish, deep)
	for _, word := range []string{"read_package_registry", "write_package_registry", "publish"} {
		if !strings.Contains(registry.Message(err), word) {
			t.Errorf("%q does not name %s", registry.Message(err), word)
		}
	}
}

func TestReaders(t *testing.T) {
	if r := (&Identity{}).Readers(); !r.Public || r.Internal || r.All || len(r.Groups)+len(r.Projects) != 0 {
		t.Errorf("anonymous: %+v", r)
	}
	if r := deploy(ReadRepository, 20, 0).Readers(); len(r.Projects) != 0 {
		t.Errorf("token without package scopes: %+v", r)
	}
	if r := deploy(WritePackageRegistry, 0, 1).Readers(); fmt.Sprint(r.Groups) != "[1]" || r.Internal {
		t.Errorf("group token: %+v", r)
	}
	if r := member(Guest, 1, 20).Readers(); fmt.Sprint(r.Groups, r.Projects) != "[1] [20]" || !r.Internal {
		t.Errorf("member: %+v", r)
	}
}

func TestHide(t *testing.T) {
	absent, broken := registry.Errorf(registry.NotFound, "no such thing"), registry.Errorf(registry.Unavailable, "down")
	tests := []struct {
		name string
		id   *Identity
		err  error
		want registry.Kind
	}{
		{"anonymous", &Identity{}, absent, registry.Unauthenticated},
		{"token", deploy(ReadPackageRegistry, 1, 0), absent, registry.NotFound},
		{"other failures stay", &Identity{}, broken, registry.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := registry.KindOf(Hide(tt.id, tt.err)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if err := Hide(&Identity{}, nil); err != nil {
		t.Errorf("nothing to hide: %v", err)
	}
}
