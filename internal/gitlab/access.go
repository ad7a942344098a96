package gitlab

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// admit decides whether an identity may use a route at all. Deploy tokens may
// not: they are Unauthenticated, and told what is needed instead (gitlab.md 0.3).
func admit(id *auth.Identity, r route) error {
	switch {
	case id.Kind == auth.DeployTokenIdentity:
		return registry.Errorf(registry.Unauthenticated,
			"401 Unauthorized - the credential that was sent is the deploy token %q: it opens the package addresses only. A personal access token is needed here", id.Name)
	case id.IsAnonymous():
		if !r.guests {
			return errNoCredential()
		}
	case id.Kind != auth.UserIdentity:
		return registry.Errorf(registry.Forbidden, "403 Forbidden")
	case r.Action == auth.WriteAPI && id.ReadOnly:
		return registry.Errorf(registry.Forbidden, "403 Forbidden - the personal access token may read only: it needs the scope api")
	}
	return nil
}

func errNoCredential() error {
	return registry.Errorf(registry.Unauthenticated,
		"401 Unauthorized - no credential was sent: a personal access token is needed, in the header PRIVATE-TOKEN or as a Bearer token")
}

// project finds the project in the address, for a caller who may see it and has
// at least the role. It is NotFound for those who may not know of it, else
// Unauthenticated or Forbidden.
func (h *Handler) project(c echo.Context, id *auth.Identity, need auth.Role) (registry.Project, error) {
	ref, ok := reference(c.Param("project"))
	if !ok {
		return registry.Project{}, auth.ErrNoProject()
	}
	p, err := h.packages.Project(c.Request().Context(), ref)
	if err != nil {
		return registry.Project{}, err
	}
	role := id.ProjectRole(p)
	if role == auth.NoRole && !visible(id, p.Visibility) {
		return registry.Project{}, auth.ErrNoProject()
	}
	return p, checkRole(id, role, need)
}

// group finds the group in the address, as project does.
func (h *Handler) group(c echo.Context, id *auth.Identity, need auth.Role) (registry.Group, error) {
	ref, ok := reference(c.Param("group"))
	if !ok {
		return registry.Group{}, auth.ErrNoGroup()
	}
	return h.groupByRef(c.Request().Context(), id, ref, need)
}

func (h *Handler) groupByRef(ctx context.Context, id *auth.Identity, ref string, need auth.Role) (registry.Group, error) {
	g, err := h.packages.Group(ctx, ref)
	if err != nil {
		return registry.Group{}, err
	}
	role := id.GroupRole(g)
	if role == auth.NoRole && !visible(id, g.Visibility) {
		known := false
		if need == auth.NoRole {
			known, err = h.readsBelow(ctx, id, g)
		}
		if err == nil && !known {
			err = auth.ErrNoGroup()
		}
		if err != nil {
			return registry.Group{}, err
		}
	}
	return g, checkRole(id, role, need)
}

// readsBelow tells whether the caller may read a project of the group. Who may
// knows the groups that hold it: they are its path.
func (h *Handler) readsBelow(ctx context.Context, id *auth.Identity, g registry.Group) (bool, error) {
	_, total, err := h.packages.ListProjects(ctx,
		registry.ProjectFilter{Readers: id.Readers(), Span: registry.Span{GroupID: g.ID}}, registry.Page{Number: 1, Size: 1})
	return total > 0, err
}

// visible tells whether a visibility alone shows a thing to the caller.
func visible(id *auth.Identity, v registry.Visibility) bool {
	switch v {
	case registry.Public:
		return true
	case registry.InternalOnly:
		return !id.IsAnonymous()
	}
	return false
}

// checkRole refuses a caller who may see a thing but lacks the role.
func checkRole(id *auth.Identity, have, need auth.Role) error {
	switch {
	case have >= need:
		return nil
	case id.IsAnonymous():
		return errNoCredential()
	}
	return registry.Errorf(registry.Forbidden, "403 Forbidden - user %s needs the role %s here", id.Name, need)
}

// reference decodes an id or a path from the address, once. It is not ok when
// nothing can have that name, such as one with control characters.
func reference(escaped string) (string, bool) {
	ref, err := url.PathUnescape(escaped)
	return ref, err == nil && ref != "" && cleanText(ref)
}

// cleanText is false for what no database should be asked: text that is not
// UTF-8, or that holds control characters other than line breaks and tabs.
func cleanText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	})
}

// number reads an id from the address.
func number(c echo.Context, name string) (int64, error) {
	text, ok := reference(c.Param(name))
	id, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || id < 1 {
		return 0, badParam(c, name+"_id is invalid")
	}
	return id, nil
}
