package npm

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"pakhus/internal/registry"
)

const (
	// maxVersion bounds a version, in characters; node-semver has the same bound.
	maxVersion = 256
	// maxVersionNumber is the largest integer that JavaScript counts exactly.
	maxVersionNumber = 1<<53 - 1
)

// Version is a version of a package: Semantic Versioning 2.0, nothing looser.
type Version struct {
	major, minor, patch uint64
	pre                 []string // prerelease identifiers; empty for a release
	text                string
}

// ParseVersion reads a version: three numbers below 2^53 without leading zeros,
// then perhaps a prerelease, and no v, = or blank before them. Anything else is
// Invalid, and so is build metadata: two versions that differ in nothing else
// are the same to every client.
func ParseVersion(s string) (Version, error) {
	if len(s) > maxVersion {
		return Version{}, registry.Errorf(registry.Invalid, "the version is longer than %d characters", maxVersion)
	}
	v := Version{text: s}
	if _, build, ok := strings.Cut(s, "+"); ok {
		return Version{}, registry.Errorf(registry.Invalid, "version %q must not have build metadata (%q): npm does not tell such versions apart", s, "+"+build)
	}
	core, pre, hasPre := strings.Cut(s, "-")
	numbers := strings.Split(core, ".")
	if len(numbers) != 3 {
		return Version{}, errVersion(s)
	}
	for i, into := range []*uint64{&v.major, &v.minor, &v.patch} {
		n, ok := parseVersionNumber(numbers[i])
		if !ok {
			return Version{}, errVersion(s)
		}
		*into = n
	}
	if hasPre {
		if v.pre = strings.Split(pre, "."); !areIdentifiers(v.pre, false) {
			return Version{}, errVersion(s)
		}
	}
	return v, nil
}

func errVersion(s string) error {
	return registry.Errorf(registry.Invalid, "%q is not a version: it must be like 1.2.3 or 1.2.3-beta.1 (Semantic Versioning 2.0)", s)
}

func parseVersionNumber(s string) (uint64, bool) {
	if !isDigits(s) || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n <= maxVersionNumber
}

// areIdentifiers checks the parts of a prerelease or of build metadata. Only
// the latter may have numbers with leading zeros.
func areIdentifiers(ids []string, leadingZeros bool) bool {
	for _, id := range ids {
		if id == "" || !leadingZeros && len(id) > 1 && id[0] == '0' && isDigits(id) {
			return false
		}
		for i := range len(id) {
			if !isIdentifierByte(id[i]) {
				return false
			}
		}
	}
	return true
}

func isIdentifierByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-'
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// String is the version as it was written.
func (v Version) String() string { return v.text }

// IsPrerelease tells whether the version comes before a release.
func (v Version) IsPrerelease() bool { return len(v.pre) > 0 }

// Compare orders versions by precedence: negative when v comes before o.
func (v Version) Compare(o Version) int {
	if c := cmp.Or(cmp.Compare(v.major, o.major), cmp.Compare(v.minor, o.minor), cmp.Compare(v.patch, o.patch)); c != 0 {
		return c
	}
	if len(v.pre) == 0 || len(o.pre) == 0 {
		return cmp.Compare(len(o.pre), len(v.pre)) // a release follows its prereleases
	}
	for i := range min(len(v.pre), len(o.pre)) {
		if c := compareIdentifiers(v.pre[i], o.pre[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(v.pre), len(o.pre))
}

// compareIdentifiers puts numbers before words. Numbers may be longer than any
// integer type: dates with a time of day are.
func compareIdentifiers(a, b string) int {
	switch na, nb := isDigits(a), isDigits(b); {
	case na && nb:
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	case na:
		return -1
	case nb:
		return 1
	}
	return cmp.Compare(a, b)
}

// SortKey orders versions when compared as bytes, as Compare does: numbers
// carry their count of digits, and every part ends in a character below all
// that may follow in its place. It is printable ASCII.
func (v Version) SortKey() string {
	var b strings.Builder
	for _, n := range [...]uint64{v.major, v.minor, v.patch} {
		writeSortNumber(&b, strconv.FormatUint(n, 10))
	}
	if len(v.pre) == 0 {
		b.WriteByte('~')
		return b.String()
	}
	for _, id := range v.pre {
		if isDigits(id) {
			b.WriteByte('0')
			writeSortNumber(&b, id)
		} else {
			b.WriteByte('1')
			b.WriteString(id)
		}
		b.WriteByte('!')
	}
	return b.String()
}

func writeSortNumber(b *strings.Builder, digits string) {
	fmt.Fprintf(b, "%02x%s", len(digits), digits)
}

// looseVersion is the version that npm makes of what package.json says: it
// takes away blanks, v and = in front, leading zeros and build metadata, and
// inserts a missing hyphen. It is empty when npm would not take the text.
func looseVersion(s string) string {
	s = strings.TrimLeft(strings.TrimSpace(s), "=v \t\r\n")
	if len(s) > maxVersion {
		return ""
	}
	s, build, hasBuild := strings.Cut(s, "+")
	if hasBuild && !areIdentifiers(strings.Split(build, "."), true) {
		return ""
	}
	var parts [3]string
	for i := range parts {
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		parts[i], s = trimZeros(s[:digits]), s[digits:]
		if i < 2 {
			var ok bool
			if s, ok = strings.CutPrefix(s, "."); !ok {
				return ""
			}
		}
	}
	core := strings.Join(parts[:], ".")
	if s != "" {
		ids := strings.Split(strings.TrimPrefix(s, "-"), ".")
		for i, id := range ids {
			if isDigits(id) {
				ids[i] = trimZeros(id)
			}
		}
		core += "-" + strings.Join(ids, ".")
	}
	if v, err := ParseVersion(core); err == nil {
		return v.text
	}
	return ""
}

// trimZeros takes leading zeros away, but never the last digit.
func trimZeros(digits string) string {
	if trimmed := strings.TrimLeft(digits, "0"); trimmed != "" || digits == "" {
		return trimmed
	}
	return "0"
}
