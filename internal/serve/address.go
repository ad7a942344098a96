package serve

import (
	"net/url"
	"strings"

	"pakhus/internal/registry"
)

// SplitAddress cuts the escaped path of a request behind mark, which ends the
// address of a format's registry: the address as the client spelled it, and the
// rest, which begins with a slash or is empty.
func SplitAddress(u *url.URL, mark string) (address, rest string, err error) {
	escaped := u.RawPath // httpapi leaves it empty when nothing is escaped
	if escaped == "" {
		escaped = u.EscapedPath()
	}
	i := strings.Index(escaped, mark)
	if i < 0 {
		return "", "", registry.Errorf(registry.NotFound, "not found")
	}
	return escaped[:i+len(mark)], escaped[i+len(mark):], nil
}

// DecodeRef decodes a project or group in an address exactly once.
func DecodeRef(escaped string) (string, error) {
	ref, err := url.PathUnescape(escaped)
	if err != nil || strings.ContainsAny(ref, "\\%\x00") || strings.Contains(ref, "..") {
		return "", registry.Errorf(registry.Invalid, "the project or group in the address is malformed")
	}
	return ref, nil
}
