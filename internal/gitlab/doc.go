// Package gitlab is the management API: deploy tokens, projects, groups and
// the caller, in the words of GitLab's REST API, so that its clients work
// unchanged (GitLab's Go client, python-gitlab, gitbeaker, Terraform, glab).
//
// The rules live in internal/registry and internal/auth. This package decodes
// requests, decides by role who may ask, and renders GitLab's JSON. Packages
// are not listed here: their addresses belong to the formats.
//
// Invariants:
//   - Every route is a row of the one table in gitlab.go, with its action.
//   - A deploy token opens nothing here: it is answered 401, as GitLab does.
//   - What the caller may not know of is answered like what does not exist.
//   - A secret appears in one answer only: that of the call that made it.
//
// Deliberate deviations: there are no personal namespaces, so a project is made
// in a group; only administrators make top-level groups, because those are the
// scopes of npm packages; the totals of long lists are always sent; "expired"
// says what the gate says, also during the day of the expiry.
package gitlab
