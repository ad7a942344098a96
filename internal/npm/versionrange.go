package npm

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"pakhus/internal/registry"
)

// maxRange bounds the text of a range, in bytes.
const maxRange = 1024

// Range is a set of versions as npm writes it in dependencies: ^1.2.0,
// >=1 <3 || 4.x. It agrees with node-semver in its strict form, which the
// vectors in testdata/ranges.txt hold. Masterminds/semver does not: it lets a
// prerelease in for any version of the range, not just for the one named.
type Range struct {
	alternatives [][]comparator // one of them must hold; of it, every comparator
}

// comparator holds for versions below, above or equal to a bound.
type comparator struct {
	op    string // <, <=, >, >= or empty for equal
	bound Version
}

// ParseRange reads a range. Text that npm does not take for one is Invalid.
func ParseRange(s string) (Range, error) {
	if len(s) > maxRange {
		return Range{}, registry.Errorf(registry.Invalid, "the range is longer than %d bytes", maxRange)
	}
	s = strings.Join(strings.FieldsFunc(s, isJavaScriptSpace), " ")
	var r Range
	for alternative := range strings.SplitSeq(s, "||") {
		set, ok := parseComparatorSet(stripBuild(alternative))
		if !ok {
			return Range{}, registry.Errorf(registry.Invalid, "%q is not a range of versions", s)
		}
		r.alternatives = append(r.alternatives, set)
	}
	for _, set := range r.alternatives {
		if len(set) == 0 { // * makes the other alternatives void, and the prereleases they name
			r.alternatives = [][]comparator{nil}
			break
		}
	}
	return r, nil
}

func isJavaScriptSpace(r rune) bool {
	return unicode.IsSpace(r) && r != '\u0085' || r == '\ufeff'
}

// Contains tells whether v is in the range. A prerelease is only when the range
// names a prerelease of the same three numbers: ^1.2.3-rc.1 holds 1.2.3-rc.2,
// but not 1.3.0-rc.1.
func (r Range) Contains(v Version) bool {
	for _, set := range r.alternatives {
		if containsVersion(set, v) {
			return true
		}
	}
	return false
}

func containsVersion(set []comparator, v Version) bool {
	named := !v.IsPrerelease()
	for _, c := range set {
		if !c.holds(v) {
			return false
		}
		b := c.bound
		named = named || b.IsPrerelease() && b.major == v.major && b.minor == v.minor && b.patch == v.patch
	}
	return named
}

func (c comparator) holds(v Version) bool {
	order := v.Compare(c.bound)
	switch c.op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	return order == 0
}

// MaxSatisfying gives the highest of the versions that a range holds. It is
// false when there is none, or when the text is not a range.
func MaxSatisfying(versions []string, text string) (string, bool) {
	r, err := ParseRange(text)
	if err != nil {
		return "", false
	}
	var best Version
	found := false
	for _, version := range versions {
		v, err := ParseVersion(version)
		if err == nil && r.Contains(v) && (!found || v.Compare(best) > 0) {
			best, found = v, true
		}
	}
	return best.text, found
}

// stripBuild takes all build metadata out of a range.
func stripBuild(s string) string {
	for from := 0; ; {
		plus := strings.IndexByte(s[from:], '+')
		if plus < 0 {
			return s
		}
		plus += from
		end := plus + 1
		for end < len(s) && (isIdentifierByte(s[end]) ||
			s[end] == '.' && end > plus+1 && end+1 < len(s) && isIdentifierByte(s[end+1])) {
			end++
		}
		if end == plus+1 { // a plus sign alone stays, and makes the range invalid
			from = end
			continue
		}
		s, from = s[:plus]+s[end:], plus
	}
}

// parseComparatorSet reads what stands between two ||.
func parseComparatorSet(s string) ([]comparator, bool) {
	words := strings.Fields(s)
	if set, ok := parseHyphenRange(words); ok {
		return dropFloor(set), true
	}
	// Blanks between an operator and its version are allowed, once.
	words = joinWords(words, endsInComparison)
	words = joinWords(words, func(word string) bool { return strings.HasSuffix(word, "~") })
	words = joinWords(words, func(word string) bool { return strings.HasSuffix(word, "^") })
	var all []comparator
	for _, word := range words {
		set, ok := parseSimpleRange(word)
		if !ok {
			return nil, false
		}
		all = append(all, set...)
	}
	return dropFloor(all), true
}

// dropFloor takes >=0.0.0 out: node-semver reads it as *, which unlike a floor
// holds for the prereleases of 0.0.0.
func dropFloor(set []comparator) []comparator {
	return slices.DeleteFunc(set, func(c comparator) bool {
		return c.op == ">=" && c.bound.major+c.bound.minor+c.bound.patch == 0 && !c.bound.IsPrerelease()
	})
}

// joinWords appends to each word that ends in an operator the next one.
func joinWords(words []string, endsInOperator func(string) bool) []string {
	var joined []string
	for i := 0; i < len(words); i++ {
		word := words[i]
		if endsInOperator(word) && i+1 < len(words) {
			i++
			word += words[i]
		}
		joined = append(joined, word)
	}
	return joined
}

// endsInComparison is true for ^>= and for >, but not for ==.
func endsInComparison(word string) bool {
	op, rest := splitOperator(word[len(strings.TrimRight(word, "<>=")):])
	return op != "" && rest == ""
}

// parseHyphenRange reads 1.2 - 3.4.5. It is false for everything else.
func parseHyphenRange(words []string) ([]comparator, bool) {
	for i, word := range words {
		if word != "-" {
			continue
		}
		from, ok1 := parsePartial(strings.Join(words[:i], " "))
		to, ok2 := parsePartial(strings.Join(words[i+1:], " "))
		if !ok1 || !ok2 || !from.isPlain() || !to.isPlain() && !to.hasPre() {
			return nil, false
		}
		var set []comparator
		if from.parts() > 0 {
			set = append(set, from.bound(">="))
		}
		switch to.parts() {
		case 0:
		case 3:
			set = append(set, to.bound("<="))
		default:
			set = append(set, to.next(to.parts()))
		}
		return set, areBoundsSafe(set)
	}
	return nil, false
}

// parseSimpleRange reads one word of a range.
func parseSimpleRange(word string) ([]comparator, bool) {
	if rest, ok := strings.CutPrefix(word, "^"); ok {
		p, ok := parsePartial(rest)
		return checkBounds(p.caret(), ok)
	}
	if rest, ok := strings.CutPrefix(word, "~"); ok {
		p, ok := parsePartial(strings.TrimPrefix(rest, ">"))
		return checkBounds(p.tilde(), ok)
	}
	op, rest := splitOperator(word)
	p, ok := parsePartial(rest)
	if !ok {
		return parseStarred(word)
	}
	return checkBounds(p.compare(op))
}

// splitOperator cuts <, >, <=, >= or = off the front.
func splitOperator(word string) (op, rest string) {
	n := 0
	if n < len(word) && (word[n] == '<' || word[n] == '>') {
		n++
	}
	if n < len(word) && word[n] == '=' {
		n++
	}
	return word[:n], word[n:]
}

// parseStarred takes a star out of a word that is not a range otherwise, with
// the operator before it: node-semver reads 1.2.3* as 1.2.3.
func parseStarred(word string) ([]comparator, bool) {
	star := strings.IndexByte(word, '*')
	if star < 0 {
		return nil, false
	}
	before := strings.TrimSuffix(word[:star], "=")
	if before != "" && (before[len(before)-1] == '<' || before[len(before)-1] == '>') {
		before = before[:len(before)-1]
	}
	word = before + word[star+1:]
	op, rest := splitOperator(word)
	p, ok := parsePartial(rest)
	if !ok || p.parts() != 3 {
		return nil, false
	}
	return checkBounds(p.compare(op))
}

func checkBounds(set []comparator, ok bool) ([]comparator, bool) {
	return set, ok && areBoundsSafe(set)
}

// areBoundsSafe refuses numbers that JavaScript cannot count.
func areBoundsSafe(set []comparator) bool {
	for _, c := range set {
		if max(c.bound.major, c.bound.minor, c.bound.patch) > maxVersionNumber || c.bound.length() > maxVersion {
			return false
		}
	}
	return true
}

// length is that of the version's text without build metadata.
func (v Version) length() int {
	n := 2
	for _, part := range [...]uint64{v.major, v.minor, v.patch} {
		n += len(strconv.FormatUint(part, 10))
	}
	for _, id := range v.pre {
		n += 1 + len(id)
	}
	return n
}
