package auth

import (
	"pakhus/internal/registry"
)

// Action is what a route does. The zero value is no action: a route that
// declares none must not start, and Allow denies it.
type Action int

// The actions.
const (
	_         Action = iota
	Open             // answers anyone, says nothing about projects
	SignedIn         // needs a valid credential, whatever it covers
	Read             // read packages
	Publish          // add versions
	Tag              // set a dist-tag
	Deprecate        // deprecate, unlist, drop a dist-tag
	Delete           // unpublish
	ReadAPI          // management API, reading; never a deploy token
	WriteAPI         // management API, changing; never a deploy token
)

var actionNames = map[Action]string{
	Open: "open", SignedIn: "signed in", Read: "read", Publish: "publish", Tag: "tag",
	Deprecate: "deprecate", Delete: "delete", ReadAPI: "read api", WriteAPI: "write api",
}

// String gives the action's name, for refusals and golden files.
func (a Action) String() string { return actionNames[a] }

// Valid tells whether a route may declare the action.
func (a Action) Valid() bool { return actionNames[a] != "" }

// needs says, for each action on packages, what grants it (gitlab.md 2.5). An
// action that is not in the table is denied.
var needs = map[Action]struct {
	scopes Scope // any of them, in a deploy token that covers the project
	role   Role  // or this role
}{
	Read:      {ReadPackageRegistry | WritePackageRegistry, Guest},
	Publish:   {WritePackageRegistry, Developer},
	Tag:       {WritePackageRegistry, Developer},
	Deprecate: {WritePackageRegistry, Maintainer},
	Delete:    {WritePackageRegistry, Maintainer},
}

// Allow is the one decision: may the identity do this with the packages of the
// project? It answers nil, or Unauthenticated, NotFound (for callers who may
// not know of the project) or Forbidden, with a text that says what was
// presented and what is missing.
func Allow(id *Identity, action Action, p registry.Project) error {
	need, known := needs[action]
	if !known {
		return registry.Errorf(registry.Forbidden, "this action is not allowed")
	}
	if id.grants(need.scopes, need.role, p) {
		if id.ReadOnly && action != Read {
			return registry.Errorf(registry.Forbidden, "403 Forbidden - the personal access token may read only: it needs the scope api to %s", action)
		}
		return nil
	}
	if action == Read && readableByAll(id, p) {
		return nil
	}
	return refuse(id, action, p)
}

// grants tells whether the identity itself, not the project's visibility, gives
// the right.
func (id *Identity) grants(scopes Scope, role Role, p registry.Project) bool {
	switch id.Kind {
	case DeployTokenIdentity:
		return id.Scopes.Has(scopes) && id.covers(p)
	case UserIdentity:
		return id.ProjectRole(p) >= role
	}
	return false
}

// covers tells whether a deploy token was made for the project, or for a group
// that holds it at any depth.
func (id *Identity) covers(p registry.Project) bool {
	if id.Kind != DeployTokenIdentity {
		return false
	}
	if id.GroupID != 0 {
		return p.Within(id.GroupID)
	}
	return id.ProjectID != 0 && id.ProjectID == p.ID
}

// readableByAll tells whether the project's visibility alone lets the identity
// read. A deploy token counts as an anonymous reader of what it does not cover.
func readableByAll(id *Identity, p registry.Project) bool {
	switch p.Visibility {
	case registry.Public:
		return true
	case registry.InternalOnly:
		return id.Kind == UserIdentity
	}
	return false
}

// refuse picks the kind of refusal (gitlab.md 2.4): an anonymous caller is asked
// for a credential whether or not there is such a project; one who may not know
// of the project is told that there is none.
func refuse(id *Identity, action Action, p registry.Project) error {
	if id.IsAnonymous() {
		return ErrCredentialNeeded()
	}
	if !Sees(id, p) {
		return ErrNoProject()
	}
	if id.Kind == DeployTokenIdentity {
		if !id.covers(p) {
			return registry.Errorf(registry.Forbidden, "403 Forbidden - the deploy token %q does not cover this project, so it cannot %s here", id.Name, action)
		}
		scope := "write_package_registry"
		if action == Read {
			scope = "read_package_registry"
		}
		return registry.Errorf(registry.Forbidden, "403 Forbidden - the deploy token %q has the scopes %v; to %s it needs %s", id.Name, id.Scopes.Names(), action, scope)
	}
	return registry.Errorf(registry.Forbidden, "403 Forbidden - user %s needs the role %s in this project to %s", id.Name, needs[action].role, action)
}

// Sees tells whether the identity may know of the project.
func Sees(id *Identity, p registry.Project) bool {
	return readableByAll(id, p) || id.covers(p) || (id.Kind == UserIdentity && id.ProjectRole(p) > NoRole)
}

const credentialNeeded = "401 Unauthorized - no credential was sent: a deploy token with the scope read_package_registry (or write_package_registry to publish) is needed for this address"

// ErrCredentialNeeded is what anonymous callers get for everything that is not
// public, whether it exists or not.
func ErrCredentialNeeded() error {
	return registry.Errorf(registry.Unauthenticated, credentialNeeded)
}

// ErrNoProject is what a caller with a valid credential gets for a project that
// does not exist or that they may not know of.
func ErrNoProject() error {
	return registry.Errorf(registry.NotFound, "404 Project Not Found")
}

// ErrNoGroup is ErrNoProject for groups.
func ErrNoGroup() error {
	return registry.Errorf(registry.NotFound, "404 Group Not Found")
}

// Challenge goes with every 401 of a format whose clients send their credential
// only when asked. Its words are GitLab's and never change: Ivy and sbt look up
// credentials by realm and host, old coursier fails on anything behind the quote
// (maven.md 6.3), and a second scheme beside Basic would make NuGet's credential
// providers guess (nuget.md 13.1).
const Challenge = `Basic realm="GitLab Packages Registry"`

// Hide asks an anonymous caller for a credential where a known one is told that
// something does not exist: both answers are those for something hidden. With a
// 404, Maven would take a private artifact for one that was never deployed, and
// start anew (maven.md 0.3).
func Hide(id *Identity, err error) error {
	if registry.KindOf(err) == registry.NotFound && id.IsAnonymous() {
		return registry.Wrapf(registry.Unauthenticated, err, credentialNeeded) // with the cause: see registry.MovedTo
	}
	return err
}
