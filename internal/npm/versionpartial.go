package npm

import (
	"strconv"
	"strings"
)

// partial is a version in a range, of which parts may be missing or be x, X or
// a star: 1, 1.x, 1.2.3-rc.1.
type partial struct {
	prefix  string // v and = before it
	numbers [3]uint64
	given   [3]bool // there is a number
	written [3]bool // there is a number or an x
	pre     []string
}

// parsePartial reads a partial version.
func parsePartial(s string) (partial, bool) {
	var p partial
	rest := strings.TrimLeft(s, "v= ")
	p.prefix = s[:len(s)-len(rest)]
	core, pre, hasPre := strings.Cut(rest, "-")
	parts := strings.Split(core, ".")
	if len(parts) > 3 || hasPre && len(parts) != 3 {
		return partial{}, false
	}
	for i, part := range parts {
		p.written[i] = true
		if part == "x" || part == "X" || part == "*" {
			continue
		}
		if !isDigits(part) || len(part) > 1 && part[0] == '0' {
			return partial{}, false
		}
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			n = maxVersionNumber + 1 // refused later, where it counts
		}
		p.numbers[i], p.given[i] = min(n, maxVersionNumber+1), true
	}
	if hasPre {
		if p.pre = strings.Split(pre, "."); !areIdentifiers(p.pre, false) {
			return partial{}, false
		}
	}
	return p, true
}

// parts counts the numbers before the first x or end.
func (p partial) parts() int {
	for i, given := range p.given {
		if !given {
			return i
		}
	}
	return 3
}

// hasPre tells whether a prerelease is named and counts.
func (p partial) hasPre() bool { return p.parts() == 3 && len(p.pre) > 0 }

// isPlain tells whether what stands in front may stand in front of a version:
// a v may, once. In front of an x or nothing more is forgiven.
func (p partial) isPlain() bool { return p.parts() < 3 || p.prefix == "" || p.prefix == "v" }

// isOrdered tells whether no number follows an x: 1.x.3 is not a range.
func (p partial) isOrdered() bool {
	for i := p.parts(); i < 3; i++ {
		if p.given[i] {
			return false
		}
	}
	return true
}

// bound is a comparator with the numbers given, and zeros for those missing.
func (p partial) bound(op string) comparator {
	v := Version{major: p.numbers[0]}
	switch p.parts() {
	case 3:
		v.patch, v.pre = p.numbers[2], p.pre
		fallthrough
	case 2:
		v.minor = p.numbers[1]
	}
	return comparator{op, v}
}

// next is the comparator below the next version when part counts up: below
// 2.0.0-0 for the first part of 1.2.3.
func (p partial) next(part int) comparator {
	v := Version{major: p.numbers[0], pre: []string{"0"}}
	switch part {
	case 1:
		v.major++
	case 2:
		v.minor = p.numbers[1] + 1
	case 3:
		v.minor, v.patch = p.numbers[1], p.numbers[2]+1
	}
	return comparator{"<", v}
}

// span is everything from the version up to the next one of a part.
func (p partial) span(part int) []comparator { return []comparator{p.bound(">="), p.next(part)} }

// tilde is ~: what may change is the patch, or the first part that is missing.
func (p partial) tilde() []comparator {
	if p.parts() == 0 {
		return nil
	}
	return p.span(min(p.parts(), 2))
}

// caret is ^: what may change is all behind the first part that is not zero.
func (p partial) caret() []comparator {
	switch n := p.parts(); {
	case n == 0:
		return nil
	case n == 1 || p.numbers[0] != 0:
		return p.span(1)
	case n == 2 || p.numbers[1] != 0:
		return p.span(2)
	}
	return p.span(3)
}

// nothing holds for no version: 0.0.0-0 is the lowest.
var nothing = comparator{"<", Version{pre: []string{"0"}}}

// compare is the partial version behind an operator, or behind none.
func (p partial) compare(op string) ([]comparator, bool) {
	n := p.parts()
	if n == 3 {
		return []comparator{p.bound(strings.TrimPrefix(op, "="))}, p.isPlain()
	}
	if !p.isOrdered() {
		return nil, false
	}
	if n == 0 {
		if op == "<" || op == ">" {
			return []comparator{nothing}, true
		}
		return nil, true
	}
	switch op {
	case "", "=":
		return p.span(n), true
	case ">=":
		return []comparator{p.bound(">=")}, true
	case "<":
		below := p.bound("<")
		below.bound.pre = []string{"0"}
		return []comparator{below}, true
	case "<=":
		return []comparator{p.next(n)}, true
	}
	above := p.next(n) // >1.2 begins at 1.3.0
	above.op, above.bound.pre = ">=", nil
	return []comparator{above}, true
}
