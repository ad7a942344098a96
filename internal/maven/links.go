package maven

import (
	"net/url"
	"strings"

	"pakhus/internal/registry"
)

// cutPrefix gives what stands behind a repository's address in the escaped path
// of a request: it begins with a slash or is empty.
func cutPrefix(u *url.URL) (string, error) {
	const mark = "/packages/maven"
	escaped := u.RawPath // httpapi leaves it empty when nothing is escaped
	if escaped == "" {
		escaped = u.EscapedPath()
	}
	i := strings.Index(escaped, mark)
	if i < 0 {
		return "", registry.Errorf(registry.NotFound, "not found")
	}
	return escaped[i+len(mark):], nil
}

// decodeRef decodes a project or group in a path exactly once.
func decodeRef(escaped string) (string, error) {
	ref, err := url.PathUnescape(escaped)
	if err != nil || strings.ContainsAny(ref, "\\%\x00") || strings.Contains(ref, "..") {
		return "", registry.Errorf(registry.Invalid, "the project or group in the address is malformed")
	}
	return ref, nil
}
