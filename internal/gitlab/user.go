package gitlab

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
)

// gitlabVersion is the release of GitLab whose API this is: clients switch
// features by it.
const gitlabVersion = "18.5.0"

// revision names this program where GitLab shows a commit.
func (h *Handler) revision() string {
	if h.version == "" {
		return "pakhus"
	}
	return "pakhus-" + h.version
}

func (h *Handler) getVersion(c echo.Context, _ *auth.Identity) error {
	return c.JSON(http.StatusOK, map[string]string{"version": gitlabVersion, "revision": h.revision()})
}

func (h *Handler) getMetadata(c echo.Context, _ *auth.Identity) error {
	return c.JSON(http.StatusOK, map[string]any{
		"version": gitlabVersion, "revision": h.revision(), "enterprise": false,
		"kas": map[string]any{"enabled": false, "externalUrl": nil, "externalK8sProxyUrl": nil, "version": nil},
	})
}

func (h *Handler) getUser(c echo.Context, id *auth.Identity) error {
	u, err := h.tokens.FindUserByID(c.Request().Context(), id.UserID)
	if err != nil {
		return err
	}
	shown := user{
		ID: u.ID, Username: u.Username, Name: u.Name, State: "active", WebURL: h.links.user(u.Username),
		CreatedAt: stamp(u.CreatedAt), Email: u.Email,
	}
	if u.Admin {
		shown.IsAdmin = &u.Admin
	}
	return c.JSON(http.StatusOK, shown)
}

func (h *Handler) getOwnToken(c echo.Context, id *auth.Identity) error {
	t, err := h.tokens.FindPersonalToken(c.Request().Context(), id.PersonalID)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, newPersonalToken(t, h.tokens.Now()))
}

func (h *Handler) deleteOwnToken(c echo.Context, id *auth.Identity) error {
	if err := h.tokens.RevokePersonalToken(c.Request().Context(), id.PersonalID, id.Actor()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// rotatedLife is how long a rotated token lives when the caller does not say;
// it is GitLab's.
const rotatedLife = 7 * 24 * time.Hour

// rotateOwnToken replaces the token by one like it; the old one ends.
func (h *Handler) rotateOwnToken(c echo.Context, id *auth.Identity) error {
	p, err := readParams(c)
	if err != nil {
		return err
	}
	text, err := p.text("expires_at")
	if err != nil {
		return err
	}
	expiry, err := auth.ParseExpiry(text)
	if err != nil {
		return badParam(c, "expires_at is invalid")
	}
	now := h.tokens.Now()
	if expiry.IsZero() {
		expiry = now.UTC().Add(rotatedLife).Truncate(24 * time.Hour)
	} else if !expiry.After(now) {
		return badParam(c, "expires_at is invalid: it lies in the past")
	}
	t, secret, err := h.tokens.RotatePersonalToken(c.Request().Context(), id.PersonalID, expiry, id.Actor())
	if err != nil {
		return err
	}
	made := newPersonalToken(t, now)
	made.Token = secret.Reveal()
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, made)
}
