package npm

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// maxSmallBody bounds the bodies of everything but publishing and audits, in
// bytes.
const maxSmallBody = 64 << 10

// readSmall decodes a small JSON body.
func readSmall(c echo.Context, into any) error {
	body, err := io.ReadAll(io.LimitReader(c.Request().Body, maxSmallBody+1))
	if err != nil {
		return registry.Wrapf(registry.Invalid, err, "the body could not be read")
	}
	if len(body) > maxSmallBody {
		return registry.Errorf(registry.TooLarge, "the body is larger than %d bytes", maxSmallBody)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return registry.Wrapf(registry.Invalid, err, "the body is not the JSON document expected here")
	}
	return nil
}

// getRoot answers probes of the registry's address itself.
func (h *Handler) getRoot(c echo.Context, _ *request) error {
	return c.JSON(http.StatusOK, map[string]string{"db_name": "registry"})
}

// getPing answers npm ping. Nothing is asked of the caller, but a credential
// that is sent must be right: that is what people ping for.
func (h *Handler) getPing(c echo.Context, _ *request) error {
	if _, err := auth.Require(c, auth.Read); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct{}{})
}

func (h *Handler) getWhoami(c echo.Context, req *request) error {
	return c.JSON(http.StatusOK, map[string]string{"username": req.identity.Name})
}

// putUser is the couch login of npm, yarn 1 and yarn 4: user name and password
// become a token. There is no registration.
func (h *Handler) putUser(c echo.Context, req *request) error {
	var body loginRequest
	if err := readSmall(c, &body); err != nil {
		return err
	}
	if body.Name != "" && body.Name != req.path.User {
		return registry.Errorf(registry.Invalid, "name is %q in the body and %q in the address", body.Name, req.path.User)
	}
	secret, _, err := h.tokens.Login(c.Request().Context(), req.path.User, auth.NewSecret(body.Password))
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusCreated, loginAnswer{OK: true, ID: "org.couchdb.user:" + req.path.User, Rev: "1-0", Token: secret.Reveal()})
}

// getUser tells npm owner whether there is such a user. Callers learn of
// themselves only: a registry is no directory of its users.
func (h *Handler) getUser(c echo.Context, req *request) error {
	if req.path.User != req.identity.Name {
		return registry.Errorf(registry.NotFound, "user not found: %s", req.path.User)
	}
	return c.JSON(http.StatusOK, userDocument{ID: "org.couchdb.user:" + req.path.User, Name: req.path.User, Email: req.identity.Email})
}

// deleteSession is npm logout: it ends a session made by a login. A deploy token
// lives on, because others use it too (npm.md 13.4).
func (h *Handler) deleteSession(c echo.Context, req *request) error {
	if err := h.tokens.Logout(c.Request().Context(), req.identity); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, written{OK: true, Success: true})
}

func (h *Handler) getProfile(c echo.Context, req *request) error {
	p := profile{Name: req.identity.Name, Email: req.identity.Email, FullName: req.identity.Name}
	var created time.Time
	ctx := c.Request().Context()
	if req.identity.Kind == auth.UserIdentity {
		user, err := h.tokens.FindUserByID(ctx, req.identity.UserID)
		if err != nil {
			return err
		}
		p.FullName, created = user.Name, user.CreatedAt
	} else {
		token, err := h.tokens.FindDeployToken(ctx, req.identity.TokenID)
		if err != nil {
			return err
		}
		p.FullName, created = token.Name, token.CreatedAt
	}
	p.Created = timestamp(created)
	p.Updated = p.Created
	return c.JSON(http.StatusOK, p)
}

// refuseAccountChange answers the routes that would change an account or make a
// token: those are made in the registry's own API, by people with the role.
func (h *Handler) refuseAccountChange(echo.Context, *request) error {
	return registry.Errorf(registry.Forbidden, "accounts and tokens are managed with the registry's own API or command line, not with npm")
}

// maxTokensListed bounds npm token list; npm shows one page.
const maxTokensListed = 100

// listTokens is npm token list: a user's personal access tokens, or the deploy
// token that asks.
func (h *Handler) listTokens(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	list := tokenList{Objects: []tokenObject{}, URLs: map[string]string{}}
	if req.identity.Kind == auth.DeployTokenIdentity {
		t, err := h.tokens.FindDeployToken(ctx, req.identity.TokenID)
		if err != nil {
			return err
		}
		list.Total = 1
		list.Objects = append(list.Objects, newTokenObject("gldt", t.ID, t.Name, !t.Scopes.Has(auth.WritePackageRegistry), t.CreatedAt, t.ExpiresAt))
		return c.JSON(http.StatusOK, list)
	}
	tokens, total, err := h.tokens.ListPersonalTokens(ctx, req.identity.UserID, registry.Page{Number: 1, Size: maxTokensListed})
	if err != nil {
		return err
	}
	list.Total = total
	for _, t := range tokens {
		if t.RevokedAt.IsZero() {
			readOnly := len(t.Scopes) == 1 && t.Scopes[0] == auth.ScopeReadAPI
			list.Objects = append(list.Objects, newTokenObject("glpat", t.ID, t.Name, readOnly, t.CreatedAt, t.ExpiresAt))
		}
	}
	return c.JSON(http.StatusOK, list)
}

func newTokenObject(prefix string, id int64, name string, readOnly bool, created, expires time.Time) tokenObject {
	return tokenObject{
		Token: prefix + "-...", Key: formatID(id), Name: name, ReadOnly: readOnly, CIDR: []string{},
		Created: string(appendTime(nil, created)), Updated: string(appendTime(nil, created)), ExpiresAt: timestamp(expires),
	}
}

// timestamp gives the ISO 8601 form with milliseconds; nil for the zero time.
func timestamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := string(appendTime(nil, t))
	return &s
}
