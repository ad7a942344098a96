package maven

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// maxDepth bounds how deep elements may lie in each other.
const maxDepth = 20

// errXML marks documents that are not read: the caller says what document.
var errXML = errors.New("not a document that is read here")

// walkXML reads a document and calls found at the end of each element, with
// the names of all elements from the root to it and its text without blanks
// around. Elements below an element come before it. There are no document types
// and no entities but XML's own five. The slice is only lent.
func walkXML(r io.Reader, maxSize int64, found func(path []string, text string) error) error {
	limited := &limitedReader{r: r, left: maxSize}
	decoder := xml.NewDecoder(limited)
	decoder.CharsetReader = charsetReader
	var path []string
	var text [maxDepth][]byte
	seen := false // the root
	for {
		token, err := decoder.RawToken()
		switch {
		case limited.err != nil:
			return limited.err
		case errors.Is(err, io.EOF) && seen && len(path) == 0:
			return nil
		case err != nil:
			return errors.Join(errXML, err)
		}
		switch token := token.(type) {
		case xml.Directive:
			return errXML
		case xml.StartElement:
			if len(path) == maxDepth || seen && len(path) == 0 {
				return errXML
			}
			seen = true
			text[len(path)] = text[len(path)][:0]
			path = append(path, token.Name.Local)
		case xml.CharData:
			if len(path) > 0 {
				text[len(path)-1] = append(text[len(path)-1], token...)
			} else if strings.TrimSpace(strings.TrimPrefix(string(token), "\ufeff")) != "" {
				return errXML
			}
		case xml.EndElement:
			last := len(path) - 1
			if last < 0 || path[last] != token.Name.Local {
				return errXML
			}
			if err := found(path, string(bytes.TrimSpace(text[last]))); err != nil {
				return err
			}
			path = path[:last]
		}
	}
}

// limitedReader fails behind its limit, where io.LimitedReader would end. It
// keeps the failure, so that a client that left is not taken for a bad document.
type limitedReader struct {
	r    io.Reader
	left int64
	err  error
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		l.left, err = 0, registry.Errorf(registry.Invalid, "the document is larger than allowed")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		l.err = err
	}
	return n, err
}

// charsetReader reads what old POMs declare beside UTF-8. windows-1252 is read
// as what it extends: the difference is in dashes and quotes.
func charsetReader(charset string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "us-ascii", "ascii":
		return r, nil
	case "iso-8859-1", "latin1", "iso-8859-15", "windows-1252", "cp1252":
		return &latinReader{r: bufio.NewReader(r)}, nil
	}
	return nil, errXML
}

// latinReader turns Latin-1 into UTF-8.
type latinReader struct {
	r    io.ByteReader
	rest []byte
}

func (l *latinReader) Read(p []byte) (int, error) {
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	for n < len(p) {
		c, err := l.r.ReadByte()
		if err != nil {
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
		encoded := utf8.AppendRune(nil, rune(c))
		copied := copy(p[n:], encoded)
		n, l.rest = n+copied, append(l.rest, encoded[copied:]...)
		if len(l.rest) > 0 {
			break
		}
	}
	return n, nil
}

// appendElement appends a line with an element, at a depth of two blanks each.
func appendElement(b []byte, depth int, name, text string) []byte {
	b = appendIndent(b, depth)
	b = append(append(append(b, '<'), name...), '>')
	b = appendText(b, text)
	b = append(append(append(b, "</"...), name...), ">\n"...)
	return b
}

// appendTag appends a line with a tag.
func appendTag(b []byte, depth int, tag string) []byte {
	return append(append(append(append(appendIndent(b, depth), '<'), tag...), '>'), '\n')
}

func appendIndent(b []byte, depth int) []byte {
	for range depth {
		b = append(b, "  "...)
	}
	return b
}

// appendText appends text with what is markup in it escaped.
func appendText(b []byte, text string) []byte {
	if utf8.ValidString(text) && !slices.ContainsFunc([]byte(text), needsEscape) {
		return append(b, text...)
	}
	escaped := appendWriter(b)
	_ = xml.EscapeText(&escaped, []byte(text)) // an appendWriter takes everything
	return escaped
}

func needsEscape(c byte) bool {
	return c < ' ' || c == '&' || c == '<' || c == '>' || c == '"' || c == '\'' || c >= utf8.RuneSelf
}

type appendWriter []byte

func (w *appendWriter) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}
