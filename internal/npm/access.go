package npm

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// getVisibility answers npm access get status, and npm before it publishes with
// provenance.
func (h *Handler) getVisibility(c echo.Context, req *request) error {
	all, err := h.findLiving(c, req)
	if err != nil {
		return err
	}
	public := all[len(all)-1].project.Visibility == registry.Public
	return c.JSON(http.StatusOK, map[string]bool{"public": public})
}

// findLiving is find for packages that have a version.
func (h *Handler) findLiving(c echo.Context, req *request) ([]found, error) {
	ctx := c.Request().Context()
	all, err := h.find(ctx, req)
	if err != nil {
		return nil, err
	}
	_, err = h.load(ctx, req.path.Name, all, "")
	return all, err
}

// getCollaborators answers npm access list collaborators with the members of
// the project and of its groups. Only users who are members themselves see
// others; a token sees itself.
func (h *Handler) getCollaborators(c echo.Context, req *request) error {
	if req.identity.IsAnonymous() {
		return auth.ErrCredentialNeeded()
	}
	all, err := h.findLiving(c, req)
	if err != nil {
		return err
	}
	project := all[len(all)-1].project
	list := map[string]string{req.identity.Name: h.permission(req.identity, project)}
	if req.identity.ProjectRole(project) > auth.NoRole {
		spans := []registry.Span{{ProjectID: project.ID}}
		for _, group := range project.Ancestors {
			spans = append(spans, registry.Span{GroupID: group})
		}
		for _, at := range spans {
			members, err := h.tokens.ListMembers(c.Request().Context(), at)
			if err != nil {
				return err
			}
			for _, m := range members {
				if list[m.Username] != readWrite {
					list[m.Username] = rolePermission(m.Role)
				}
			}
		}
	}
	return c.JSON(http.StatusOK, list)
}

// npm's words for what somebody may do.
const (
	readWrite = "read-write"
	readOnly  = "read-only"
)

func rolePermission(role auth.Role) string {
	if role >= auth.Developer {
		return readWrite
	}
	return readOnly
}

func (h *Handler) permission(id *auth.Identity, p registry.Project) string {
	if auth.Allow(id, auth.Publish, p) == nil {
		return readWrite
	}
	return readOnly
}

// getOrgPackages answers npm access list packages @scope.
func (h *Handler) getOrgPackages(c echo.Context, req *request) error {
	scope := "@" + strings.TrimPrefix(req.path.User, "@") + "/"
	return h.listPackages(c, req, func(name string) bool { return strings.HasPrefix(name, scope) })
}

// getUserPackages answers npm access list packages USER, for the caller alone.
func (h *Handler) getUserPackages(c echo.Context, req *request) error {
	if req.identity.IsAnonymous() {
		return auth.ErrCredentialNeeded()
	}
	if req.path.User != req.identity.Name {
		return registry.Errorf(registry.NotFound, "user not found: %s", req.path.User)
	}
	return h.listPackages(c, req, func(string) bool { return true })
}

// maxPackagesListed bounds the answer, which the protocol does not page.
const maxPackagesListed = 10_000

func (h *Handler) listPackages(c echo.Context, req *request, wanted func(string) bool) error {
	ctx := c.Request().Context()
	filter := registry.PackageFilter{Readers: req.identity.Readers(), Span: req.span(), Format: registry.NPM}
	list := map[string]string{}
	for page := (registry.Page{Number: 1, Size: 500}); ; page.Number++ {
		packages, total, err := h.packages.ListPackages(ctx, filter, page)
		if err != nil {
			return err
		}
		for _, p := range packages {
			if !wanted(p.Name) || len(list) >= maxPackagesListed {
				continue
			}
			project, err := h.packages.ProjectByID(ctx, p.ProjectID)
			if err != nil {
				return err
			}
			if list[p.Name] != readWrite {
				list[p.Name] = h.permission(req.identity, project)
			}
		}
		if int64(page.Number*page.Size) >= total {
			return c.JSON(http.StatusOK, list)
		}
	}
}

// refuseAccess answers npm access set: visibility belongs to the project.
func (h *Handler) refuseAccess(echo.Context, *request) error {
	return registry.Errorf(registry.Forbidden, "the visibility of a package is that of its project: change it there")
}

// starRequest is pnpm's body for stars.
type starRequest struct {
	Name    string `json:"name"`
	Package string `json:"package"`
}

// putStar adds or removes the caller's star (pnpm's form; npm puts the document
// with users in it).
func (h *Handler) putStar(c echo.Context, req *request) error {
	if req.identity.Kind != auth.UserIdentity {
		return errStarNeedsUser(req.identity)
	}
	var body starRequest
	if err := readSmall(c, &body); err != nil {
		return err
	}
	if body.Name == "" {
		body.Name = body.Package
	}
	name, err := ParseName(body.Name)
	if err != nil {
		return err
	}
	req.path.Name = name
	f, err := h.target(c.Request().Context(), req, auth.Read)
	if err != nil {
		return err
	}
	if err := h.packages.Star(c.Request().Context(), f.head.ID, req.identity.Name, c.Request().Method == http.MethodPut); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, written{OK: true, Success: true})
}

func errStarNeedsUser(id *auth.Identity) error {
	if id.IsAnonymous() {
		return auth.ErrCredentialNeeded()
	}
	return registry.Errorf(registry.Forbidden, "only users can star packages: a deploy token is shared")
}

// getStar lists the caller's stars in pnpm's form.
func (h *Handler) getStar(c echo.Context, req *request) error {
	names, err := h.starred(c, req, req.identity.Name)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, names)
}

// getStarred answers npm stars.
func (h *Handler) getStarred(c echo.Context, req *request) error {
	user := strings.Trim(c.QueryParam("key"), `"`)
	names, err := h.starred(c, req, user)
	if err != nil {
		return err
	}
	rows := []map[string]string{}
	for _, name := range names {
		rows = append(rows, map[string]string{"value": name})
	}
	return c.JSON(http.StatusOK, map[string]any{"rows": rows})
}

// starred gives the names of the packages that a user starred, as far as the
// address covers them and the caller may read them.
func (h *Handler) starred(c echo.Context, req *request, user string) ([]string, error) {
	ctx := c.Request().Context()
	packages, err := h.packages.Starred(ctx, registry.NPM, user)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, p := range packages {
		project, err := h.packages.ProjectByID(ctx, p.ProjectID)
		if err != nil {
			return nil, err
		}
		covered := req.level == instanceLevel || project.ID == req.project.ID || (req.group.ID != 0 && project.Within(req.group.ID))
		if covered && auth.Allow(req.identity, auth.Read, project) == nil {
			names = append(names, p.Name)
		}
	}
	return names, nil
}
