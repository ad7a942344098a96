package npm

import (
	"mime"
	"strconv"
	"strings"
)

// prefersAbbreviated tells whether Accept names the abbreviated packument with a
// weight at least as high as that of JSON. No Accept at all, as yarn 4 sends,
// means the full one.
func prefersAbbreviated(values []string) bool {
	abbreviated, full := 0.0, 0.0
	for _, value := range values {
		switch value { // what most clients send; parsing costs more than the rest of the choice
		case "*/*":
			continue
		case "application/json":
			full = 1
			continue
		}
		for part := range strings.SplitSeq(value, ",") {
			kind, parameters, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			weight := 1.0
			if q, ok := parameters["q"]; ok {
				if weight, err = strconv.ParseFloat(q, 64); err != nil || !(weight >= 0 && weight <= 1) {
					weight = 0
				}
			}
			switch kind {
			case abbreviatedType:
				abbreviated = max(abbreviated, weight)
			case "application/json":
				full = max(full, weight)
			}
		}
	}
	return abbreviated > 0 && abbreviated >= full
}
