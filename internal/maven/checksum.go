package maven

import (
	"strings"

	"pakhus/internal/registry"
)

// MaxChecksumBody bounds the body of an uploaded checksum, in bytes: the hex
// digits and perhaps a file's name.
const MaxChecksumBody = 4 << 10

// hexLen is the count of hex digits in a checksum.
func (a Algorithm) hexLen() int {
	switch a {
	case MD5:
		return 32
	case SHA1:
		return 40
	case SHA256:
		return 64
	case SHA512:
		return 128
	}
	return 0
}

// ParseChecksum reads the body of an uploaded checksum and gives its hex digits
// in lower case. Beside bare digits it knows the forms of sha1sum (hex  name), of
// OpenSSL and BSD (SHA1(name)= hex) and of checksum plugins (name= hex); the
// first line that is not empty counts (maven.md 7.1). Anything else is Invalid.
func ParseChecksum(a Algorithm, text []byte) (string, error) {
	if len(text) > MaxChecksumBody {
		return "", registry.Errorf(registry.Invalid, "the checksum is longer than %d bytes", MaxChecksumBody)
	}
	line := strings.TrimSpace(string(text))
	if line == "" {
		return "", registry.Errorf(registry.Invalid, "the checksum is empty")
	}
	if end := strings.IndexAny(line, "\r\n"); end >= 0 {
		line = line[:end]
	}
	first, _, _ := strings.Cut(line, " ")
	first, _, _ = strings.Cut(first, "\t")
	candidates := []string{first}
	if at := strings.LastIndexByte(line, '='); at >= 0 {
		candidates = append(candidates, strings.TrimSpace(line[at+1:]))
	}
	for _, s := range candidates {
		if len(s) == a.hexLen() && isHex(s) {
			return strings.ToLower(s), nil
		}
	}
	return "", registry.Errorf(registry.Invalid, "the checksum is not %d hex digits, as %s has", a.hexLen(), strings.ToUpper(string(a)))
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; !isDigit(s[i]) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}
