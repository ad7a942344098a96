package nuget

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// entryPath checks the name of an entry and gives its path as clients take it
// when they unpack: with forward slashes, and percent escapes undone, which
// packers of the container format write.
func entryPath(name string) (string, error) {
	path := unescapePath(name)
	for _, s := range []string{name, path} {
		if !utf8.ValidString(s) || s == "" || strings.ContainsFunc(s, unicode.IsControl) {
			return "", errEntry(name, "has an empty name, or one with control characters or bytes that are not UTF-8")
		}
		if strings.HasPrefix(s, "/") || strings.HasPrefix(s, `\`) || strings.Contains(s, ":") {
			return "", errEntry(name, "has an absolute name, or one that Windows reads in another way")
		}
		for part := range strings.SplitSeq(strings.TrimSuffix(toSlash(s), "/"), "/") {
			if strings.Trim(part, ". ") == "" { // Windows drops dots and blanks at the end
				return "", errEntry(name, "leads out of the package, or has an empty part")
			}
		}
	}
	return toSlash(path), nil
}

func toSlash(s string) string { return strings.ReplaceAll(s, `\`, "/") }

// unescapePath undoes percent escapes as clients do: what is none, or does not
// make UTF-8, stays as it is.
func unescapePath(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, low := fromHex(s[i+1]), fromHex(s[i+2])
			if high >= 0 && low >= 0 {
				b = append(b, byte(high<<4|low))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	if !utf8.Valid(b) {
		return s
	}
	return string(b)
}

// fromHex is the value of a hexadecimal digit, or negative.
func fromHex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// foldPath is the same for paths that some system takes for one file: it forgets
// case, a slash at the end, and dots and blanks at the end of each part.
func foldPath(path string) string {
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for i, part := range parts {
		parts[i] = strings.TrimRight(part, ". ")
	}
	return strings.ToLower(strings.ToUpper(strings.Join(parts, "/"))) // ſ and s are one in upper case only
}
