package npm

import (
	"strconv"
	"strings"
)

// prefersAbbreviated tells whether Accept names the abbreviated packument with a
// weight at least as high as that of JSON. No Accept at all, as yarn 4 sends,
// means the full one.
func prefersAbbreviated(values []string) bool {
	abbreviated, full := 0.0, 0.0
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			kind, parameters, _ := strings.Cut(part, ";")
			switch kind = strings.TrimSpace(kind); {
			case strings.EqualFold(kind, abbreviatedType):
				abbreviated = max(abbreviated, weight(parameters))
			case strings.EqualFold(kind, "application/json"):
				full = max(full, weight(parameters))
			}
		}
	}
	return abbreviated > 0 && abbreviated >= full
}

// weight is the q-value among the parameters of a media type: 1 without one, 0
// for one that is none.
func weight(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		q, err := strconv.ParseFloat(value, 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
