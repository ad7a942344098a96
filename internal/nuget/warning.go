package nuget

import (
	"net/http"
	"strings"
)

// Bounds of what is sent in warnings: headers have an end, and people's patience
// has one.
const (
	maxWarnings      = 10
	maxWarningLength = 500 // characters
)

// warn adds warnings, which clients from 4.x on print whatever the status is.
func warn(header http.Header, texts ...string) {
	for _, text := range texts {
		if len(header["X-Nuget-Warning"]) < maxWarnings {
			header.Add("X-Nuget-Warning", oneLine(text))
		}
	}
}

// oneLine makes a text fit for a header: one line of printable ASCII.
func oneLine(text string) string {
	line := strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r == 0x7f:
			return ' '
		case r > '~':
			return '?'
		}
		return r
	}, text)
	return line[:min(len(line), maxWarningLength)]
}
