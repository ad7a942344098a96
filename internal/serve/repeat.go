package serve

import (
	"time"

	"github.com/labstack/echo/v4"
)

// Repeatable says that the same request of the same caller would get the answer
// that is about to be sent as long as the registry announces no change, and
// until a time when that is not zero. Whoever sends it may then give it again
// without asking. again is called each time; it may be nil.
func Repeatable(c echo.Context, until time.Time, again func()) {
	if w, ok := c.Response().Writer.(interface{ Repeatable(time.Time, func()) }); ok {
		w.Repeatable(until, again)
	}
}
