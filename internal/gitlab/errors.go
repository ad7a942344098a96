package gitlab

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// GitLab answers a parameter that it cannot take with "error", a credential
// that it refuses with "error" and "error_description", and everything else
// with "message". The handler knows which it is; the mark takes it to WriteError.
const markKey = "gitlab.error"

type mark int

const (
	markParam mark = iota + 1
	markCredential
)

// badParam is Invalid, about a parameter of the request.
func badParam(c echo.Context, text string) error {
	c.Set(markKey, markParam)
	return registry.Errorf(registry.Invalid, "%s", text)
}

// refused marks an answer to a credential that was not accepted.
func refused(c echo.Context, err error) error {
	c.Set(markKey, markCredential)
	return err
}

type errorBody struct {
	Message     string `json:"message,omitempty"`
	Error       string `json:"error,omitempty"`
	Description string `json:"error_description,omitempty"`
}

// WriteError writes an error answer in GitLab's form (gitlab.md 0.4).
func (h *Handler) WriteError(c echo.Context, status int, message string) error {
	if message == "" {
		message = phrase(status)
	}
	body := errorBody{Message: message}
	switch marked, _ := c.Get(markKey).(mark); {
	case status == http.StatusUnauthorized:
		challenge := `Bearer realm="Pakhus"`
		if marked == markCredential {
			challenge += `, error="invalid_token"`
			body.Error, body.Description = "invalid_token", message
		}
		c.Response().Header().Set(echo.HeaderWWWAuthenticate, challenge)
	case status == http.StatusBadRequest && marked == markParam:
		body = errorBody{Error: message}
	}
	return c.JSON(status, body)
}

// phrase is what GitLab says when there is nothing to say beyond the status.
func phrase(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "400 Bad request"
	case http.StatusNotFound:
		return "404 Not Found"
	}
	return fmt.Sprintf("%d %s", status, http.StatusText(status))
}
