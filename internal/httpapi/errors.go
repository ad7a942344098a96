package httpapi

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// statusClientLeft is what logs and metrics show when the client left before
// the answer; nobody receives it.
const statusClientLeft = 499

// statuses is the one table from kinds to statuses.
var statuses = map[registry.Kind]int{
	registry.Internal:        http.StatusInternalServerError,
	registry.Invalid:         http.StatusBadRequest,
	registry.Unauthenticated: http.StatusUnauthorized,
	registry.Forbidden:       http.StatusForbidden,
	registry.NotFound:        http.StatusNotFound,
	registry.Conflict:        http.StatusConflict,
	registry.TooLarge:        http.StatusRequestEntityTooLarge,
	// Of a body's coding, RFC 9110 section 15.5.16. That a path does not have a
	// method is echo's to say: 405, with Allow.
	registry.Unsupported:     http.StatusUnsupportedMediaType,
	registry.RateLimited:     http.StatusTooManyRequests,
	registry.UpstreamFailed:  http.StatusBadGateway,
	registry.UpstreamTimeout: http.StatusGatewayTimeout,
	registry.Unavailable:     http.StatusServiceUnavailable,
	registry.Canceled:        statusClientLeft,
}

// statusOf decides the status of an error answer and the text that goes with it.
func statusOf(err error) (status int, message string) {
	var routing *echo.HTTPError
	if errors.As(err, &routing) && registry.KindOf(err) == registry.Internal && routing.Code >= 400 && routing.Code < 500 {
		return routing.Code, ""
	}
	status, ok := statuses[registry.KindOf(err)]
	if !ok {
		status = http.StatusInternalServerError
	}
	return status, registry.Message(err)
}
