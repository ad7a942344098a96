package nuget

import (
	"strings"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// odataTokenKind tells the tokens of an expression apart.
type odataTokenKind int

const (
	odataEnd    odataTokenKind = iota
	odataWord                  // name of a property or function, operator, true, false, null
	odataQuoted                // text, with its quotes taken off
	odataDigits                // number
	odataDated                 // datetime'..', the text between the quotes
	odataMark                  // one of ( ) , =
)

type odataToken struct {
	kind odataTokenKind
	text string
}

func (t odataToken) is(mark string) bool { return t.kind == odataMark && t.text == mark }

// isWord tells whether the token is a keyword, in any case.
func (t odataToken) isWord(word string) bool {
	return t.kind == odataWord && strings.EqualFold(t.text, word)
}

// String is the token as refusals show it.
func (t odataToken) String() string {
	switch t.kind {
	case odataEnd:
		return "the end"
	case odataQuoted:
		return quoteOData(t.text)
	case odataDated:
		return "datetime" + quoteOData(t.text)
	}
	return t.text
}

// lexOData splits an expression into its tokens, the last of which is odataEnd.
func lexOData(s string) ([]odataToken, error) {
	if len(s) > maxODataLength {
		return nil, registry.Errorf(registry.Invalid, "the expression is longer than %d bytes", maxODataLength)
	}
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return nil, registry.Errorf(registry.Invalid, "the expression is not text in UTF-8")
	}
	var tokens []odataToken
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		if s == "" {
			return append(tokens, odataToken{kind: odataEnd}), nil
		}
		token, rest, err := lexODataToken(s)
		if err != nil {
			return nil, err
		}
		tokens, s = append(tokens, token), rest
	}
}

func lexODataToken(s string) (token odataToken, rest string, err error) {
	switch c := s[0]; {
	case strings.IndexByte("(),=", c) >= 0:
		return odataToken{odataMark, s[:1]}, s[1:], nil
	case c == '\'':
		text, rest, err := lexODataQuoted(s)
		return odataToken{odataQuoted, text}, rest, err
	case c == '-' || isDigit(c):
		n := 1
		for n < len(s) && (isDigit(s[n]) || isODataLetter(s[n]) || s[n] == '.' || isSign(s[n]) && s[n-1]|0x20 == 'e') {
			n++
		}
		return odataToken{odataDigits, s[:n]}, s[n:], nil
	case isODataLetter(c):
		return lexODataWord(s)
	}
	r, _ := utf8.DecodeRuneInString(s)
	return odataToken{}, "", registry.Errorf(registry.Invalid, "%q means nothing in an expression", r)
}

// lexODataWord reads a word, or the literal of a time, which is a word with a
// quoted text right behind it.
func lexODataWord(s string) (token odataToken, rest string, err error) {
	n := 1
	for n < len(s) && (isODataLetter(s[n]) || isDigit(s[n])) {
		n++
	}
	word := s[:n]
	if n == len(s) || s[n] != '\'' {
		return odataToken{odataWord, word}, s[n:], nil
	}
	text, rest, err := lexODataQuoted(s[n:])
	if err != nil {
		return odataToken{}, "", err
	}
	if !strings.EqualFold(word, "datetime") && !strings.EqualFold(word, "datetimeoffset") {
		return odataToken{}, "", registry.Errorf(registry.Invalid, "%s'..' is not a literal that is known here", word)
	}
	return odataToken{odataDated, text}, rest, nil
}

// lexODataQuoted reads a text in quotes; two quotes in it stand for one.
func lexODataQuoted(s string) (text, rest string, err error) {
	var b strings.Builder
	for s = s[1:]; ; {
		i := strings.IndexByte(s, '\'')
		if i < 0 {
			return "", "", registry.Errorf(registry.Invalid, "a text has no closing quote")
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		if !strings.HasPrefix(s, "'") {
			return b.String(), s, nil
		}
		b.WriteByte('\'')
		s = s[1:]
	}
}

func isDigit(c byte) bool       { return '0' <= c && c <= '9' }
func isSign(c byte) bool        { return c == '+' || c == '-' }
func isODataLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }
