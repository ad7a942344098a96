package auth

import "pakhus/internal/registry"

// Role is a user's access level in a group or project, with GitLab's numbers.
type Role int

// The roles. The zero value is no role at all.
const (
	NoRole     Role = 0
	Guest      Role = 10
	Reporter   Role = 20
	Developer  Role = 30
	Maintainer Role = 40
	Owner      Role = 50
)

var roleNames = map[Role]string{
	Guest: "guest", Reporter: "reporter", Developer: "developer", Maintainer: "maintainer", Owner: "owner",
}

// String gives the role's name in lower case.
func (r Role) String() string { return roleNames[r] }

// ParseRole reads a role by its name; anything else is Invalid.
func ParseRole(s string) (Role, error) {
	for role, name := range roleNames {
		if name == s {
			return role, nil
		}
	}
	return NoRole, registry.Errorf(registry.Invalid, "role %q is not one of guest, reporter, developer, maintainer, owner", s)
}
