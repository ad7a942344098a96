package httpapi

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// maxCredential bounds a header that carries a secret, in bytes. The whole
// header may be larger: see Server.httpServer.
const maxCredential = 8 << 10

// credentialHeaders carry secrets; auth reads them.
var credentialHeaders = []string{"Authorization", "Deploy-Token", "Private-Token", "Job-Token", "X-Nuget-Apikey"}

// checkRequest refuses what no package client sends, before anything looks at
// it: Invalid paths and credentials beyond any size of ours.
func checkRequest(r *http.Request) error {
	if !cleanPath(r.URL.Path) {
		return registry.Errorf(registry.Invalid, "the path holds characters or segments that are not accepted")
	}
	for _, name := range credentialHeaders {
		for _, value := range r.Header[name] {
			if len(value) > maxCredential {
				return registry.Errorf(registry.Unauthenticated, "the %s header is longer than any credential", name)
			}
		}
	}
	return nil
}

// cleanPath looks at the path decoded once. It is false for control and format
// characters (NUL, line breaks, bidi marks), invalid UTF-8, backslashes, dot
// segments in any spelling, and what would change if somebody decoded it once
// more. An encoded slash is no matter of ours: npm's scoped names have one.
func cleanPath(path string) bool {
	segment := 0 // where the current segment begins
	ascii := true
	for i := 0; i < len(path); i++ {
		switch b := path[i]; {
		case b == '/':
			if dots(path[segment:i]) {
				return false
			}
			segment = i + 1
		case b < ' ', b == 0x7f, b == '\\':
			return false
		case b == '%' && i+2 < len(path) && hex(path[i+1]) && hex(path[i+2]):
			return false
		case b >= utf8.RuneSelf:
			ascii = false
		}
	}
	return !dots(path[segment:]) && (ascii || cleanText(path))
}

func dots(segment string) bool { return segment == "." || segment == ".." }

func hex(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}

// cleanText is false for text with invalid UTF-8 or invisible characters.
func cleanText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
	})
}

// cutPrefix takes the path prefix of the external URL off the request's path. A
// path without it stays as it is: the proxy in front may have taken it off.
func cutPrefix(r *http.Request, prefix string) {
	escaped := r.URL.EscapedPath()
	rest, ok := strings.CutPrefix(escaped, prefix)
	if ok && prefix != "" && (rest == "" || rest[0] == '/') {
		r.URL.Path = strings.TrimPrefix(r.URL.Path, prefix)
		escaped = rest
	}
	// Echo routes by RawPath, which net/http leaves empty for many paths with
	// escapes, such as blanks. Set always, parameters are escaped always, and
	// handlers decode them exactly once.
	if escaped != r.URL.Path || r.URL.RawPath != "" {
		r.URL.RawPath = escaped
	}
}
