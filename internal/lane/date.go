package lane

import (
	"net/http"
	"sync/atomic"
	"time"
)

// date makes the Date field of all answers, once a second.
type date struct{ latest atomic.Pointer[dated] }

type dated struct {
	second int64
	line   string
}

func (d *date) line() string {
	now := time.Now()
	if last := d.latest.Load(); last != nil && last.second == now.Unix() {
		return last.line
	}
	made := &dated{now.Unix(), "Date: " + now.UTC().Format(http.TimeFormat)}
	d.latest.Store(made)
	return made.line
}
