package gitlab

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

func (h *Handler) getGroup(c echo.Context, id *auth.Identity) error {
	g, err := h.group(c, id, auth.NoRole)
	if err != nil {
		return err
	}
	return h.sendGroup(c, http.StatusOK, g)
}

func (h *Handler) getNamespace(c echo.Context, id *auth.Identity) error {
	g, err := h.group(c, id, auth.NoRole)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, h.newNamespace(g))
}

func (h *Handler) sendGroup(c echo.Context, status int, g registry.Group) error {
	shown, err := h.newGroup(c.Request().Context(), g)
	if err != nil {
		return err
	}
	return c.JSON(status, shown)
}

func (h *Handler) newGroup(ctx context.Context, g registry.Group) (group, error) {
	name, err := h.fullName(ctx, g)
	return group{
		ID: g.ID, WebURL: h.links.group(g.FullPath), Name: g.Name, Path: g.Path, Description: g.Description,
		Visibility: string(g.Visibility), FullName: name, FullPath: g.FullPath, ParentID: optionalID(g.ParentID), CreatedAt: stamp(g.CreatedAt),
	}, err
}

// fullName joins the names of a group and those above it.
func (h *Handler) fullName(ctx context.Context, g registry.Group) (string, error) {
	names := make([]string, 0, len(g.Ancestors))
	for _, id := range g.Ancestors {
		above, err := h.packages.Group(ctx, strconv.FormatInt(id, 10))
		if err != nil {
			return "", err
		}
		names = append(names, above.Name)
	}
	return strings.Join(names, " / "), nil
}

func (h *Handler) listGroups(c echo.Context, id *auth.Identity) error {
	return h.sendGroups(c, registry.GroupFilter{Readers: id.Readers()})
}

func (h *Handler) listSubgroups(c echo.Context, id *auth.Identity) error {
	g, err := h.group(c, id, auth.NoRole)
	if err != nil {
		return err
	}
	return h.sendGroups(c, registry.GroupFilter{Readers: id.Readers(), ParentID: g.ID})
}

func (h *Handler) sendGroups(c echo.Context, f registry.GroupFilter) error {
	page, err := pageOf(c)
	if err != nil {
		return err
	}
	if f.Search, err = search(c); err != nil {
		return err
	}
	ctx := c.Request().Context()
	found, total, err := h.packages.ListGroups(ctx, f, page)
	if err != nil {
		return err
	}
	rows := make([]group, len(found))
	for i, g := range found {
		if rows[i], err = h.newGroup(ctx, g); err != nil {
			return err
		}
	}
	return h.sendList(c, rows, page, total)
}

// createGroup makes a group below parent_id for its owners. Without a parent it
// is a top-level group, whose path is the scope of npm packages: only
// administrators give those away.
func (h *Handler) createGroup(c echo.Context, id *auth.Identity) error {
	p, err := readParams(c)
	if err != nil {
		return err
	}
	if err := p.require("name", "path"); err != nil {
		return err
	}
	about, err := readDescription(p)
	if err != nil {
		return err
	}
	fullPath := about.path
	if p.has("parent_id") {
		parent, err := h.namespaceParam(c, p, id, "parent_id", auth.Owner)
		if err != nil {
			return err
		}
		fullPath = parent.FullPath + "/" + about.path
	} else if !id.Admin {
		return registry.Errorf(registry.Forbidden, "403 Forbidden - only administrators make top-level groups: give a parent_id")
	}
	made, err := h.packages.CreateGroup(c.Request().Context(), registry.NewGroup{
		FullPath: fullPath, Name: about.name, Description: about.description, Visibility: about.visibility,
	}, id.Actor())
	if err != nil {
		return taken(err)
	}
	return h.sendGroup(c, http.StatusCreated, made)
}

func (h *Handler) deleteGroup(c echo.Context, id *auth.Identity) error {
	g, err := h.group(c, id, auth.Owner)
	if err != nil {
		return err
	}
	if err := h.packages.DeleteGroup(c.Request().Context(), g.ID, id.Actor()); err != nil {
		return err
	}
	return accepted(c)
}

// namespaceParam finds the group that a parameter names by id, in which the
// caller has at least the role.
func (h *Handler) namespaceParam(c echo.Context, p params, id *auth.Identity, name string, need auth.Role) (registry.Group, error) {
	groupID, err := p.id(name)
	if err != nil {
		return registry.Group{}, err
	}
	if groupID == 0 {
		return registry.Group{}, badParam(c, name+" is invalid")
	}
	return h.groupByRef(c.Request().Context(), id, strconv.FormatInt(groupID, 10), need)
}

// slug makes a path of a name, as GitLab does for projects without a path.
func slug(name string) string {
	path := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r + ('a' - 'A')
		}
		return '-'
	}, name)
	return strings.Trim(path, "-.")
}
