package nuget

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// Bounds of ids, in characters (nuget.md 3.1): clients let a dependency's id be
// longer than a package's.
const (
	maxID           = 100
	maxDependencyID = 128
)

// ID is the id of a package, such as Acme.Log. Ids do not differ by case. The
// zero ID is none.
type ID struct {
	text, key string
}

// ParseID reads an id that a package may have had at any time: whatever the
// client's own pattern lets through. Anything else is Invalid.
func ParseID(s string) (ID, error) { return parseID(s, maxID) }

// ParseNewID reads the id of a package that is pushed. It is stricter than
// ParseID: only ASCII, because people take the Kelvin sign for a K. A refusal is
// Invalid.
func ParseNewID(s string) (ID, error) {
	id, err := ParseID(s)
	if err != nil {
		return ID{}, err
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return ID{}, registry.Errorf(registry.Invalid, "package id %q may only hold ASCII letters, digits, _ and single . or - between them", s)
		}
	}
	return id, nil
}

func parseDependencyID(s string) (ID, error) { return parseID(s, maxDependencyID) }

func parseID(s string, limit int) (ID, error) {
	if s == "" {
		return ID{}, registry.Errorf(registry.Invalid, "the package id is empty")
	}
	if len(s) > limit && utf8.RuneCountInString(s) > limit {
		return ID{}, registry.Errorf(registry.Invalid, "the package id is longer than %d characters", limit)
	}
	separated := true // a separator must not come first
	for _, r := range s {
		switch {
		case r == '.' || r == '-':
			if separated {
				return ID{}, errID(s)
			}
			separated = true
		case isWordRune(r):
			separated = false
		default:
			return ID{}, errID(s)
		}
	}
	if separated {
		return ID{}, errID(s)
	}
	return ID{text: s, key: foldID(s)}, nil
}

func errID(s string) error {
	return registry.Errorf(registry.Invalid, "package id %q may only hold letters, digits, _ and single . or - between them", s)
}

// isWordRune tells what \w matches in .NET. Bytes that are not UTF-8 come as
// U+FFFD, which is none of it.
func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_'
	}
	return unicode.In(r, unicode.L, unicode.Mn, unicode.Nd, unicode.Pc)
}

// foldID is the id in invariant lower case. The few characters outside of ASCII
// whose lower case is an ASCII letter stay as they are: an id with the Kelvin
// sign is never the one with a K.
func foldID(s string) string {
	return strings.Map(func(r rune) rune {
		if lower := unicode.ToLower(r); r < utf8.RuneSelf || lower >= utf8.RuneSelf {
			return lower
		}
		return r
	}, s)
}

// String is the id as it was written.
func (id ID) String() string { return id.text }

// Key is the id in lower case: what makes it unique, and its form in addresses.
func (id ID) Key() string { return id.key }

// IsZero tells whether there is no id.
func (id ID) IsZero() bool { return id.text == "" }
