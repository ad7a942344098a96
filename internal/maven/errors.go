package maven

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
)

// maxReason bounds the text of an error answer, in bytes: clients print it in
// one line.
const maxReason = 200

// WriteError writes one line of text, or, where clients read it and nothing else
// depends on its type, a problem document.
func (h *Handler) WriteError(c echo.Context, status int, message string) error {
	if status == http.StatusUnauthorized {
		c.Response().Header().Set("WWW-Authenticate", auth.Challenge)
	}
	text := reason(status, message)
	if wantsProblem(c.Request(), status) {
		c.Response().Header().Set(echo.HeaderContentType, "application/problem+json")
		return c.JSON(status, problem{Title: http.StatusText(status), Status: status, Detail: text})
	}
	c.Response().Header().Set("X-Content-Type-Options", "nosniff")
	return c.Blob(status, "text/plain; charset=utf-8", []byte(text+"\n"))
}

// drainTime bounds how long a refused body is read away.
const drainTime = 30 * time.Second

// DrainLimit is the largest file: Maven 4 on Java 17 sends a whole body before
// it authenticates, without asking first, and reports a broken pipe in place of
// the status when it is not read (maven.md 6.5).
func (h *Handler) DrainLimit() (int64, time.Duration) { return h.opts.MaxUpload, drainTime }

// problem is a problem document of RFC 9457.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// reason is the one line that an error answer says.
func reason(status int, message string) string {
	text := message
	if text == "" {
		text = http.StatusText(status)
	}
	if code := strconv.Itoa(status); !strings.HasPrefix(text, code) {
		text = code + " " + text
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if len(text) <= maxReason {
		return text
	}
	end := maxReason
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// wantsProblem tells whether a problem document may be sent. Resolvers from
// 1.9.24 on throw another error for it than for the bare status, so never where
// they act on the status: 401, 404, 412, 429 and 5xx (maven.md 11). Gradle reads
// it without asking for it.
func wantsProblem(r *http.Request, status int) bool {
	switch r.Method {
	case http.MethodPut, http.MethodDelete:
		switch status {
		case http.StatusBadRequest, http.StatusForbidden, http.StatusConflict, http.StatusRequestEntityTooLarge,
			http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		default:
			return false
		}
	case http.MethodGet:
		if status != http.StatusForbidden {
			return false
		}
	default:
		return false
	}
	if strings.HasPrefix(r.UserAgent(), "Gradle/") {
		return true
	}
	for _, accept := range r.Header["Accept"] {
		if strings.Contains(accept, "application/problem+json") {
			return true
		}
	}
	return false
}
