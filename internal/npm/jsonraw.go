package npm

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// errStop ends eachMember early.
var errStop = registry.Errorf(registry.Internal, "stop")

// eachMember calls each for the members of a JSON object, in their order, with
// key and value as they are written. The text must be valid JSON; it is Invalid
// when it is not an object. An error of each ends it and is returned.
func eachMember(raw []byte, each func(key string, rawKey, value []byte) error) error {
	i := skipBlanks(raw, 0)
	if i == len(raw) || raw[i] != '{' {
		return registry.Errorf(registry.Invalid, "not a JSON object")
	}
	for i = skipBlanks(raw, i+1); i < len(raw) && raw[i] == '"'; i = skipBlanks(raw, i) {
		keyEnd := skipString(raw, i)
		rawKey := raw[i:keyEnd]
		start := skipBlanks(raw, skipBlanks(raw, keyEnd)+1) // behind the colon
		if start >= len(raw) {
			break
		}
		end := skipValue(raw, start)
		if err := each(decodeKey(rawKey), rawKey, raw[start:end]); err != nil {
			return err
		}
		if i = skipBlanks(raw, end); i < len(raw) && raw[i] == ',' {
			i++
		}
	}
	return nil
}

// findMember gives the value of one member of an object, or nil.
func findMember(raw []byte, key string) []byte {
	var found []byte
	// The only errors are our own to stop, and that raw is no object: then it has
	// no members.
	_ = eachMember(raw, func(k string, _, value []byte) error {
		if k == key {
			found = value
			return errStop
		}
		return nil
	})
	return found
}

// stringValue decodes a JSON string; other values are not.
func stringValue(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

// decodeKey decodes a key, which rarely holds escapes.
func decodeKey(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	s, _ := stringValue(raw) // valid JSON: a string
	return s
}

func skipBlanks(raw []byte, i int) int {
	for i < len(raw) && isBlank(raw[i]) {
		i++
	}
	return i
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// skipString gives the end of the string that begins at i.
func skipString(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

// skipValue gives the end of the value that begins at i.
func skipValue(raw []byte, i int) int {
	for depth := 0; i < len(raw); {
		switch raw[i] {
		case '"':
			i = skipString(raw, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth == 0 {
				return i // the end of what holds a number or a word
			}
			depth--
			i++
		case ',':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i++
			if depth == 0 && i < len(raw) && !isBlank(raw[i]) {
				continue // in a number or a word
			}
		}
		if depth == 0 {
			return i
		}
	}
	return len(raw)
}

// appendCompact appends valid JSON without the blanks between its tokens.
func appendCompact(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		switch {
		case raw[i] == '"':
			end := skipString(raw, i)
			dst = append(dst, raw[i:end]...)
			i = end
		case isBlank(raw[i]):
			i++
		default:
			dst = append(dst, raw[i])
			i++
		}
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// appendText appends a text as a JSON string. What is not UTF-8 becomes U+FFFD.
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// cutText cuts a text to at most n bytes, between characters.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
