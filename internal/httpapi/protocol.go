package httpapi

import (
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// API is a set of routes below /api/v4 that answers errors in one form.
type API interface {
	// Mount registers the routes. The group is /api/v4; the path prefix of the
	// external URL is gone already. Parameters (c.Param) hold the escaped text of
	// the address, whatever it is: decode each of them exactly once.
	//
	// A route for GET answers HEAD too, without being registered for it.
	Mount(api *echo.Group)
	// Routes lists every route with the action that guards it. The patterns are
	// what metrics and logs show; a handler that finds its route itself names it
	// by c.SetPath.
	Routes() []auth.Route
	// WriteError writes the body of an error answer, and the challenge that the
	// clients need with a 401. The status is decided already: see statusOf. An
	// empty message means that there is nothing to say beyond the status.
	WriteError(c echo.Context, status int, message string) error
}

// Drainer is an API whose clients send larger bodies than others before they
// look at the answer. It bounds what is read of a body after a refusal was sent,
// in bytes and in time.
type Drainer interface {
	DrainLimit() (int64, time.Duration)
}

// Protocol serves one package format.
type Protocol interface {
	API
	// Format is also the path segment after "packages" in the format's
	// addresses: by it, paths without a route are answered in the format's form.
	Format() registry.Format
}
