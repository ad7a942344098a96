package auth

import (
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// Route is one row of a route table: every route declares the action that
// decides who may call it.
type Route struct {
	Method  string
	Pattern string // below /api/v4, with :project, :group and the format's words
	Action  Action
}

// CheckRoutes refuses a table in which a route declares no action, so that a
// forgotten one ends the start and not the protection.
func CheckRoutes(routes []Route) error {
	for _, r := range routes {
		if !r.Action.Valid() {
			return registry.Errorf(registry.Internal, "route %s %s declares no action", r.Method, r.Pattern)
		}
	}
	return nil
}

// identityError is the context key under which a refused credential waits for
// the route: some routes answer without looking at credentials at all.
const identityError = "auth.error"

// basicUser is the context key under which the user name of Basic credentials
// waits for RequireNamed.
const basicUser = "auth.user"

// Middleware finds and verifies the credentials of each request, completely,
// before the identity reaches the request's context. A refusal is kept for
// Require, so that the format can answer it in its own form.
func (s *Service) Middleware(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		credentials, err := Extract(c.Request())
		var id *Identity
		if err == nil {
			id, err = s.Identify(c.Request().Context(), credentials)
		} else {
			s.onRefusal(refusalReason(err))
		}
		if err != nil {
			c.Set(identityError, err)
			return next(c)
		}
		if len(credentials) > 0 && credentials[0].Form == FormBasic && credentials[0].Username != "" {
			c.Set(basicUser, credentials[0].Username)
		}
		if !id.IsAnonymous() {
			c.SetRequest(c.Request().WithContext(With(c.Request().Context(), id)))
		}
		return next(c)
	}
}

func refusalReason(err error) string {
	if registry.KindOf(err) == registry.Invalid {
		return "conflict"
	}
	return "malformed"
}

// Require gives the request's identity, or the error with which its credential
// was refused. With the action SignedIn, anonymous is Unauthenticated.
func Require(c echo.Context, action Action) (*Identity, error) {
	if action == Open {
		return From(c.Request().Context()), nil
	}
	if err, ok := c.Get(identityError).(error); ok {
		return nil, err
	}
	id := From(c.Request().Context())
	if action == SignedIn && id.IsAnonymous() {
		return nil, ErrCredentialNeeded()
	}
	return id, nil
}

// RequireNamed is Require for formats that insist on the user name of Basic
// credentials, as GitLab does for NuGet (gitlab.md 2.2): a deploy token's exactly
// its own, a user's without regard to case. A secret alone, which dotnet-symbol
// sends with an empty name, is enough; and so is a deploy token under the name
// that CI scripts use.
func RequireNamed(c echo.Context, action Action) (*Identity, error) {
	id, err := Require(c, action)
	if err != nil || action == Open {
		return id, err
	}
	name, ok := c.Get(basicUser).(string)
	if !ok || name == id.Name || name == jobTokenUser && id.Kind == DeployTokenIdentity || id.Kind == UserIdentity && strings.EqualFold(name, id.Name) {
		return id, nil
	}
	return nil, registry.Errorf(registry.Unauthenticated,
		"401 Unauthorized - the token is valid, but its user name is not the one that was sent with it: Basic credentials need the token's own user name")
}
