package auth

import (
	"slices"
	"strings"

	"pakhus/internal/registry"
)

// Scope is the set of scopes of a deploy token, one bit each. The zero value
// allows nothing.
type Scope int

// The seven scopes that GitLab knows. The registry acts on the package scopes;
// the others are stored and shown, so that infrastructure code does not fail.
const (
	ReadRepository Scope = 1 << iota
	ReadRegistry
	WriteRegistry
	ReadPackageRegistry
	WritePackageRegistry
	ReadVirtualRegistry
	WriteVirtualRegistry
)

// scopeNames is in the fixed order in which GitLab lists scopes.
var scopeNames = []string{
	"read_repository", "read_registry", "write_registry", "read_package_registry",
	"write_package_registry", "read_virtual_registry", "write_virtual_registry",
}

// ParseScopes reads scopes by name, in any order; an unknown name, or none at
// all, is Invalid.
func ParseScopes(names []string) (Scope, error) {
	var set Scope
	for _, name := range names {
		i := slices.Index(scopeNames, strings.TrimSpace(name))
		if i < 0 {
			return 0, registry.Errorf(registry.Invalid, "scopes does not have a valid value")
		}
		set |= 1 << i
	}
	if set == 0 {
		return 0, registry.Errorf(registry.Invalid, "Scopes can't be blank")
	}
	return set, nil
}

// Names lists the scopes in GitLab's fixed order.
func (s Scope) Names() []string {
	names := []string{}
	for i, name := range scopeNames {
		if s.Has(1 << i) {
			names = append(names, name)
		}
	}
	return names
}

// Has tells whether the set holds the scope.
func (s Scope) Has(scope Scope) bool { return s&scope != 0 }
