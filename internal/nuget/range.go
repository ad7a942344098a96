package nuget

import (
	"strings"

	"pakhus/internal/registry"
)

// Bounds of a version range, in characters: of one that is pushed (nuget.md 9),
// and of any that is read. The latter has room for two long versions.
const (
	maxNewRange = 256
	maxRange    = 2*maxVersion + len("[, ]")
)

// Range says which versions of a dependency will do. The zero Range is all.
type Range struct {
	min, max bound
}

// bound is one end of a range; it is open when set is false.
type bound struct {
	version   Version
	set       bool
	inclusive bool
}

// ParseRange reads a range as it stands in a nuspec (nuget.md 3.4). An empty
// text is all versions. Floating versions belong into project files only: they
// are Invalid, like everything else that clients cannot read.
func ParseRange(s string) (Range, error) {
	if len(s) > maxRange {
		return Range{}, registry.Errorf(registry.Invalid, "the version range is longer than %d characters", maxRange)
	}
	text := strings.TrimSpace(s)
	if text == "" {
		return Range{}, nil
	}
	if strings.Contains(text, "*") {
		return Range{}, registry.Errorf(registry.Invalid, "version range %q floats: a package must name the versions that it depends on", s)
	}
	first, last := text[0], text[len(text)-1]
	if first != '[' && first != '(' {
		v, err := ParseVersion(text)
		if err != nil {
			return Range{}, errRange(s)
		}
		return Range{min: bound{version: v, set: true, inclusive: true}}, nil
	}
	if len(text) < 2 || last != ']' && last != ')' {
		return Range{}, errRange(s)
	}
	return parseInterval(s, text[1:len(text)-1], first == '[', last == ']')
}

// parseInterval reads what stands between the brackets.
func parseInterval(s, inner string, minInclusive, maxInclusive bool) (Range, error) {
	low, high, isPair := strings.Cut(inner, ",")
	if !isPair {
		if !minInclusive || !maxInclusive || strings.TrimSpace(inner) == "" {
			return Range{}, errRange(s)
		}
		high = low
	} else if inner == "," { // clients refuse (,) but read (, ), which they write
		return Range{}, errRange(s)
	}
	from, err := parseBound(low, minInclusive)
	if err != nil {
		return Range{}, errRange(s)
	}
	to, err := parseBound(high, maxInclusive)
	if err != nil {
		return Range{}, errRange(s)
	}
	if from.set && to.set {
		order := from.version.Compare(to.version)
		// With one bound out, [1.0,1.0) contradicts itself; (1.0,1.0) is merely empty.
		if order > 0 || order == 0 && minInclusive != maxInclusive {
			return Range{}, registry.Errorf(registry.Invalid, "version range %q holds no version: its bounds contradict each other", s)
		}
	}
	return Range{min: from, max: to}, nil
}

// parseBound reads one end of a range. White space alone leaves it open.
func parseBound(s string, inclusive bool) (bound, error) {
	if strings.TrimSpace(s) == "" {
		return bound{}, nil
	}
	v, err := ParseVersion(s)
	return bound{version: v, set: true, inclusive: inclusive}, err
}

func errRange(s string) error {
	return registry.Errorf(registry.Invalid, "%q is not a version range: it must be like 1.0, [1.0], [1.0,2.0) or (,2.0]", s)
}

// String is the normalized range, the only form to send to clients.
func (r Range) String() string {
	var b strings.Builder
	if r.min.inclusive {
		b.WriteByte('[')
	} else {
		b.WriteByte('(')
	}
	if r.min.set {
		b.WriteString(r.min.version.String())
	}
	b.WriteString(", ")
	if r.max.set {
		b.WriteString(r.max.version.String())
	}
	if r.max.inclusive {
		b.WriteByte(']')
	} else {
		b.WriteByte(')')
	}
	return b.String()
}

// Contains tells whether a version lies in the range.
func (r Range) Contains(v Version) bool {
	if r.min.set {
		if c := v.Compare(r.min.version); c < 0 || c == 0 && !r.min.inclusive {
			return false
		}
	}
	if r.max.set {
		if c := v.Compare(r.max.version); c > 0 || c == 0 && !r.max.inclusive {
			return false
		}
	}
	return true
}

// IsSemVer2 tells whether clients from before SemVer 2.0 cannot read a bound.
// A package that depends on such a range is SemVer 2 itself.
func (r Range) IsSemVer2() bool { return r.min.version.IsSemVer2() || r.max.version.IsSemVer2() }
