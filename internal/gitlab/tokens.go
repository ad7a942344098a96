package gitlab

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// holder finds what the tokens of a route belong to, the project or group in
// the address, for a caller who may do this with them (gitlab.md 1.8).
type holder func(h *Handler, c echo.Context, id *auth.Identity, do tokenAction) (registry.Span, error)

type tokenAction int

const (
	showTokens tokenAction = iota
	changeTokens
)

func ofProject(h *Handler, c echo.Context, id *auth.Identity, _ tokenAction) (registry.Span, error) {
	p, err := h.project(c, id, auth.Maintainer)
	return registry.Span{ProjectID: p.ID}, err
}

func ofGroup(h *Handler, c echo.Context, id *auth.Identity, do tokenAction) (registry.Span, error) {
	need := auth.Owner
	if do == showTokens {
		need = auth.Maintainer
	}
	g, err := h.group(c, id, need)
	return registry.Span{GroupID: g.ID}, err
}

func (h *Handler) listAllTokens(c echo.Context, id *auth.Identity) error {
	if !id.Admin {
		return registry.Errorf(registry.Forbidden, "403 Forbidden - only administrators see the deploy tokens of the whole instance")
	}
	return h.sendTokens(c, registry.Span{})
}

func listTokens(of holder) handlerFunc {
	return func(h *Handler, c echo.Context, id *auth.Identity) error {
		at, err := of(h, c, id, showTokens)
		if err != nil {
			return err
		}
		return h.sendTokens(c, at)
	}
}

func (h *Handler) sendTokens(c echo.Context, at registry.Span) error {
	page, err := pageOf(c)
	if err != nil {
		return err
	}
	activeOnly, err := flag(c, "active")
	if err != nil {
		return err
	}
	found, total, err := h.tokens.ListDeployTokens(c.Request().Context(), at, activeOnly, page)
	if err != nil {
		return err
	}
	rows := make([]deployToken, len(found))
	for i, t := range found {
		rows[i] = newDeployToken(t, h.tokens.Now())
	}
	return h.sendList(c, rows, page, total)
}

func getToken(of holder) handlerFunc {
	return func(h *Handler, c echo.Context, id *auth.Identity) error {
		t, err := h.token(c, id, of, showTokens)
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, newDeployToken(t, h.tokens.Now()))
	}
}

// deleteToken removes the row, as GitLab's API does; revoking, which keeps it
// listed, is for the web pages and the command line.
func deleteToken(of holder) handlerFunc {
	return func(h *Handler, c echo.Context, id *auth.Identity) error {
		t, err := h.token(c, id, of, changeTokens)
		if err != nil {
			return err
		}
		if err := h.tokens.DeleteDeployToken(c.Request().Context(), t.ID, id.Actor()); err != nil {
			return err
		}
		return c.NoContent(http.StatusNoContent)
	}
}

// token finds the token in the address. One of another holder is NotFound: ids
// are counted over the whole instance, so anybody can guess them.
func (h *Handler) token(c echo.Context, id *auth.Identity, of holder, do tokenAction) (auth.DeployToken, error) {
	at, err := of(h, c, id, do)
	if err != nil {
		return auth.DeployToken{}, err
	}
	tokenID, err := number(c, "token")
	if err != nil {
		return auth.DeployToken{}, err
	}
	t, err := h.tokens.FindDeployToken(c.Request().Context(), tokenID)
	if err != nil && registry.KindOf(err) != registry.NotFound {
		return auth.DeployToken{}, err
	}
	if err != nil || t.ProjectID != at.ProjectID || t.GroupID != at.GroupID {
		return auth.DeployToken{}, registry.Errorf(registry.NotFound, "404 Deploy Token Not Found")
	}
	return t, nil
}

func createToken(of holder) handlerFunc {
	return func(h *Handler, c echo.Context, id *auth.Identity) error {
		at, err := of(h, c, id, changeTokens)
		if err != nil {
			return err
		}
		wanted, err := readNewToken(c)
		if err != nil {
			return err
		}
		wanted.ProjectID, wanted.GroupID = at.ProjectID, at.GroupID
		t, secret, err := h.tokens.CreateDeployToken(c.Request().Context(), wanted, id.Actor())
		if err != nil {
			return err
		}
		made := newDeployToken(t, h.tokens.Now())
		made.Token = secret.Reveal()
		c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		return c.JSON(http.StatusCreated, made)
	}
}

// readNewToken reads what token to make (gitlab.md 1.10).
func readNewToken(c echo.Context) (auth.NewDeployToken, error) {
	p, err := readParams(c)
	if err != nil {
		return auth.NewDeployToken{}, err
	}
	if err := p.require("name", "scopes"); err != nil {
		return auth.NewDeployToken{}, err
	}
	var wanted auth.NewDeployToken
	if wanted.Name, err = p.text("name"); err != nil {
		return wanted, err
	}
	if wanted.Username, err = p.text("username"); err != nil {
		return wanted, err
	}
	expiry, err := p.text("expires_at")
	if err != nil {
		return wanted, err
	}
	if wanted.ExpiresAt, err = auth.ParseExpiry(expiry); err != nil {
		return wanted, badParam(c, registry.Message(err))
	}
	names, err := p.list("scopes")
	if err != nil {
		return wanted, err
	}
	wanted.Scopes, err = auth.ParseScopes(names)
	if err != nil && len(names) > 0 {
		return wanted, badParam(c, registry.Message(err))
	}
	return wanted, err
}
