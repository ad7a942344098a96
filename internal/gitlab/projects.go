package gitlab

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

func (h *Handler) getProject(c echo.Context, id *auth.Identity) error {
	p, err := h.project(c, id, auth.NoRole)
	if err != nil {
		return err
	}
	return h.sendProject(c, http.StatusOK, id, p)
}

func (h *Handler) sendProject(c echo.Context, status int, id *auth.Identity, p registry.Project) error {
	shown, err := h.newProject(c.Request().Context(), id, p)
	if err != nil {
		return err
	}
	return c.JSON(status, shown)
}

func (h *Handler) newSimpleProject(ctx context.Context, p registry.Project) (simpleProject, error) {
	g, err := h.packages.Group(ctx, strconv.FormatInt(p.GroupID, 10))
	if err != nil {
		return simpleProject{}, err
	}
	groupName, err := h.fullName(ctx, g)
	if err != nil {
		return simpleProject{}, err
	}
	return simpleProject{
		ID: p.ID, Description: p.Description, Name: p.Name, NameWithNamespace: groupName + " / " + p.Name,
		Path: p.Path, PathWithNamespace: p.FullPath, CreatedAt: stamp(p.CreatedAt), LastActivityAt: stamp(p.UpdatedAt),
		WebURL: h.links.project(p.FullPath), Namespace: h.newNamespace(g),
	}, nil
}

func (h *Handler) newProject(ctx context.Context, id *auth.Identity, p registry.Project) (project, error) {
	simple, err := h.newSimpleProject(ctx, p)
	if err != nil {
		return project{}, err
	}
	level := "private"
	if p.Visibility == registry.Public {
		level = "public"
	}
	shown := project{
		simpleProject: simple, Links: map[string]string{"self": h.links.projectAPI(p.ID)}, Visibility: string(p.Visibility),
		EmptyRepo: true, PackagesEnabled: true, PackageRegistryAccessLevel: level,
	}
	if !id.IsAnonymous() {
		shown.Permissions = newPermissions(id, p)
	}
	return shown, nil
}

func newPermissions(id *auth.Identity, p registry.Project) *permissions {
	var shown permissions
	ofGroup := id.GroupRole(registry.Group{Ancestors: p.Ancestors})
	if ofGroup > auth.NoRole {
		shown.GroupAccess = &access{ofGroup}
	}
	if role := id.ProjectRole(p); role > ofGroup {
		shown.ProjectAccess = &access{role}
	}
	return &shown
}

// listProjects lists what the caller may see; with membership=true what they
// are a member of.
func (h *Handler) listProjects(c echo.Context, id *auth.Identity) error {
	f := registry.ProjectFilter{Readers: id.Readers()}
	membership, err := flag(c, "membership")
	if err != nil {
		return err
	}
	if membership {
		f.Readers.All, f.Readers.Public, f.Readers.Internal = false, false, false
	}
	return h.sendProjects(c, id, f)
}

func (h *Handler) listGroupProjects(c echo.Context, id *auth.Identity) error {
	g, err := h.group(c, id, auth.NoRole)
	if err != nil {
		return err
	}
	f := registry.ProjectFilter{Readers: id.Readers()}
	below, err := flag(c, "include_subgroups")
	if err != nil {
		return err
	}
	if below {
		f.Span.GroupID = g.ID
	} else {
		f.ParentID = g.ID
	}
	return h.sendProjects(c, id, f)
}

func (h *Handler) sendProjects(c echo.Context, id *auth.Identity, f registry.ProjectFilter) error {
	page, err := pageOf(c)
	if err != nil {
		return err
	}
	simple, err := flag(c, "simple")
	if err != nil {
		return err
	}
	if f.Search, err = search(c); err != nil {
		return err
	}
	if text := c.QueryParam("visibility"); text != "" {
		if f.Visibility, err = registry.ParseVisibility(text); err != nil {
			return badParam(c, "visibility does not have a valid value")
		}
	}
	ctx := c.Request().Context()
	found, total, err := h.packages.ListProjects(ctx, f, page)
	if err != nil {
		return err
	}
	rows := make([]any, len(found))
	for i, p := range found {
		if simple {
			rows[i], err = h.newSimpleProject(ctx, p)
		} else {
			rows[i], err = h.newProject(ctx, id, p)
		}
		if err != nil {
			return err
		}
	}
	return h.sendList(c, rows, page, total)
}

// createProject makes a project in the group namespace_id, in which the caller
// is a maintainer at least.
func (h *Handler) createProject(c echo.Context, id *auth.Identity) error {
	p, err := readParams(c)
	if err != nil {
		return err
	}
	if !p.has("name") && !p.has("path") {
		return badParam(c, "name, path are missing, at least one parameter must be provided")
	}
	if err := p.require("namespace_id"); err != nil {
		return err
	}
	g, err := h.namespaceParam(c, p, id, "namespace_id", auth.Maintainer)
	if err != nil {
		return err
	}
	about, err := readDescription(p)
	if err != nil {
		return err
	}
	made, err := h.packages.CreateProject(c.Request().Context(), registry.NewProject{
		FullPath: g.FullPath + "/" + about.path, Name: about.name, Description: about.description, Visibility: about.visibility,
	}, id.Actor())
	if err != nil {
		return taken(err)
	}
	return h.sendProject(c, http.StatusCreated, id, made)
}

// updateProject changes name, description and visibility; the last only for
// owners, because it opens the packages to others.
func (h *Handler) updateProject(c echo.Context, id *auth.Identity) error {
	found, err := h.project(c, id, auth.Maintainer)
	if err != nil {
		return err
	}
	p, err := readParams(c)
	if err != nil {
		return err
	}
	about, err := readDescription(p)
	if err != nil {
		return err
	}
	if about.name != "" {
		found.Name = about.name
	}
	if p.has("description") {
		found.Description = about.description
	}
	if about.visibility != "" && about.visibility != found.Visibility {
		if err := checkRole(id, id.ProjectRole(found), auth.Owner); err != nil {
			return err
		}
		found.Visibility = about.visibility
	}
	changed, err := h.packages.UpdateProject(c.Request().Context(), found, id.Actor())
	if err != nil {
		return err
	}
	return h.sendProject(c, http.StatusOK, id, changed)
}

func (h *Handler) deleteProject(c echo.Context, id *auth.Identity) error {
	p, err := h.project(c, id, auth.Owner)
	if err != nil {
		return err
	}
	if err := h.packages.DeleteProject(c.Request().Context(), p.ID, id.Actor()); err != nil {
		return err
	}
	return accepted(c)
}

// accepted is GitLab's answer to a deletion; here it is done already.
func accepted(c echo.Context) error {
	return c.JSON(http.StatusAccepted, map[string]string{"message": "202 Accepted"})
}

// taken gives GitLab's status for a path that is in use.
func taken(err error) error {
	if registry.KindOf(err) == registry.Conflict {
		return registry.Wrapf(registry.Invalid, err, "path has already been taken")
	}
	return err
}

// description is what projects and groups say about themselves.
type description struct {
	name, path, description string
	visibility              registry.Visibility
}

const maxDescription = 2000 // characters

// readDescription reads it; the path is made of the name when there is none.
func readDescription(p params) (description, error) {
	var d description
	var err error
	if d.name, err = p.text("name"); err != nil {
		return d, err
	}
	if d.path, err = p.text("path"); err != nil {
		return d, err
	}
	if d.description, err = p.text("description"); err != nil {
		return d, err
	}
	switch {
	case strings.Contains(d.path, "/"):
		return d, badParam(p.c, "path is invalid: the group is named by its id")
	case utf8.RuneCountInString(d.name) > 255:
		return d, badParam(p.c, "name is invalid: at most 255 characters")
	case utf8.RuneCountInString(d.description) > maxDescription:
		return d, badParam(p.c, "description is invalid: at most 2000 characters")
	}
	if d.path == "" {
		d.path = slug(d.name)
	}
	text, err := p.text("visibility")
	if err == nil && text != "" {
		if d.visibility, err = registry.ParseVisibility(text); err != nil {
			err = badParam(p.c, "visibility does not have a valid value")
		}
	}
	return d, err
}
