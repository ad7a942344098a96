package npm

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// maxTag bounds a dist-tag, in characters.
const maxTag = 214

// CheckTag tells whether a text can be a dist-tag; if not, the error is Invalid
// and says why. A tag must not be a range of versions: npm install name@1.x
// could mean either.
func CheckTag(s string) error {
	switch {
	case s == "":
		return registry.Errorf(registry.Invalid, "the dist-tag is empty")
	case !utf8.ValidString(s):
		return registry.Errorf(registry.Invalid, "the dist-tag is not valid UTF-8")
	case utf8.RuneCountInString(s) > maxTag:
		return registry.Errorf(registry.Invalid, "the dist-tag is longer than %d characters", maxTag)
	case strings.ContainsAny(s, "/\\%"), s == ".", s == "..":
		return registry.Errorf(registry.Invalid, `dist-tag %q must not hold any of / \ %%, nor be a dot segment`, s)
	case strings.ContainsFunc(s, isUnprintable) || strings.ContainsFunc(s, unicode.IsSpace):
		return registry.Errorf(registry.Invalid, "dist-tag %q must not hold blanks or control characters", s)
	}
	if _, err := ParseRange(s); err == nil {
		return registry.Errorf(registry.Invalid, "dist-tag %q must not be a range of versions", s)
	}
	return nil
}

// isUnprintable tells control characters and those that have no width or turn
// the direction of text: in a name they only serve to deceive.
func isUnprintable(r rune) bool {
	if r <= unicode.MaxASCII {
		return r < ' ' || r == 0x7f
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}
