package npm

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// Bounds of a JSON document (threats.md A5).
const (
	maxDepth   = 100     // of objects and arrays
	maxKeys    = 100_000 // in one object
	maxKey     = 64 << 10
	maxNumber  = 256 // characters
	scanBuffer = 64 << 10
)

// scanner reads JSON as a stream. encoding/json would hold each string whole,
// and a publish body has its tarball in one string.
//
// It is as strict as RFC 8259, and stricter where readers differ: an object's
// keys must be unique, and none may be __proto__, which in JavaScript is no key
// like others. Strings that are not UTF-8 and surrogates without their other
// half become U+FFFD, but in a key they are an error.
//
// All errors are registry errors: Invalid for the document, TooLarge for its
// size, and what the reader says where that has a kind.
type scanner struct {
	r        io.Reader
	buf      []byte // buf[pos:end] is not consumed yet
	pos, end int
	err      error // the reader's last word
	size     int64 // bytes read
	exempt   int64 // bytes of them that do not count to max
	max      int64
	depth    int
	keys     [maxDepth + 1]keySet // of the open objects
	key      rawText
}

func newScanner(r io.Reader, max int64) *scanner {
	return &scanner{r: r, buf: make([]byte, scanBuffer), max: max, key: rawText{limit: maxKey, what: "a key"}}
}

// rawText collects JSON text without blanks.
type rawText struct {
	b       []byte
	limit   int
	what    string // for the error when the limit is passed
	discard bool   // only check
}

func (t *rawText) add(p ...byte) {
	if !t.discard {
		t.b = append(t.b, p...)
	}
}

func (t *rawText) put(c byte) {
	if !t.discard {
		t.b = append(t.b, c)
	}
}

// check tells whether the text is within its limit. Call it once for each piece.
func (t *rawText) check() error {
	if len(t.b) > t.limit {
		return registry.Errorf(registry.TooLarge, "%s is larger than %d bytes", t.what, t.limit)
	}
	return nil
}

func errSyntax(why string) error {
	return registry.Errorf(registry.Invalid, "the body is not valid JSON: %s", why)
}

var errCutOff = errSyntax("it ends too early")

// fill reads more behind what is not consumed. At the end it is errCutOff.
func (s *scanner) fill() error {
	if s.size-s.exempt-int64(s.end-s.pos) > s.max {
		return registry.Errorf(registry.TooLarge, "the document is larger than %d bytes", s.max)
	}
	s.end = copy(s.buf, s.buf[s.pos:s.end])
	s.pos = 0
	for empty := 0; s.err == nil; empty++ {
		var n int
		n, s.err = s.r.Read(s.buf[s.end:])
		s.end += n
		s.size += int64(n)
		if n > 0 {
			return nil
		}
		if empty == 100 {
			s.err = io.ErrNoProgress
		}
	}
	switch {
	case errors.Is(s.err, io.EOF):
		return errCutOff
	case registry.KindOf(s.err) != registry.Internal:
		return s.err
	}
	return registry.Wrapf(registry.Invalid, s.err, "the body ended before it was complete")
}

// next peeks at the next byte that is not blank.
func (s *scanner) next() (byte, error) {
	for {
		for ; s.pos < s.end; s.pos++ {
			if c := s.buf[s.pos]; !isBlank(c) {
				return c, nil
			}
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// peek peeks at the next byte.
func (s *scanner) peek() (byte, error) {
	if s.pos == s.end {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	return s.buf[s.pos], nil
}

// take consumes the next byte.
func (s *scanner) take() (byte, error) {
	c, err := s.peek()
	if err == nil {
		s.pos++
	}
	return c, err
}

// expect consumes the next byte that is not blank, which must be c.
func (s *scanner) expect(c byte) error {
	got, err := s.next()
	if err != nil {
		return err
	}
	if got != c {
		return errSyntax("expected " + string(rune(c)))
	}
	s.pos++
	return nil
}

// finish checks that nothing but blanks follows.
func (s *scanner) finish() error {
	_, err := s.next()
	switch {
	case err == nil:
		return registry.Errorf(registry.Invalid, "the body goes on behind the end of the document")
	case errors.Is(err, errCutOff):
		return nil
	}
	return err
}

// value reads any value.
func (s *scanner) value(t *rawText) error {
	c, err := s.next()
	if err != nil {
		return err
	}
	switch {
	case c == '"':
		_, err = s.text(t)
	case c == '{':
		err = s.object(t, nil)
	case c == '[':
		err = s.array(t, func() error { return s.value(t) })
	case c == '-' || '0' <= c && c <= '9':
		err = s.number(t)
	case c == 't':
		err = s.word(t, "true")
	case c == 'f':
		err = s.word(t, "false")
	case c == 'n':
		err = s.word(t, "null")
	default:
		err = errSyntax("a value is missing or malformed")
	}
	if err != nil {
		return err
	}
	return t.check()
}

// skip reads any value and forgets it.
func (s *scanner) skip() error { return s.value(&rawText{discard: true}) }

func (s *scanner) word(t *rawText, word string) error {
	for i := range len(word) {
		c, err := s.take()
		if err != nil {
			return err
		}
		if c != word[i] {
			return errSyntax("a value is malformed")
		}
	}
	t.add([]byte(word)...)
	return nil
}

// number reads a number; it may end where the document ends.
func (s *scanner) number(t *rawText) error {
	var text [maxNumber]byte
	n := 0
	for {
		c, err := s.peek()
		if err != nil && !errors.Is(err, errCutOff) {
			return err
		}
		if err != nil || !isNumberByte(c) {
			break
		}
		if n == maxNumber {
			return errSyntax("a number is too long")
		}
		text[n] = c
		n++
		s.pos++
	}
	if !isNumber(text[:n]) {
		return errSyntax("a number is malformed")
	}
	t.add(text[:n]...)
	return nil
}

func isNumberByte(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// isNumber checks the grammar of RFC 8259, section 6.
func isNumber(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("-"))
	whole := countDigits(b)
	if whole == 0 || whole > 1 && b[0] == '0' {
		return false
	}
	if b = b[whole:]; len(b) > 0 && b[0] == '.' {
		n := countDigits(b[1:])
		if n == 0 {
			return false
		}
		b = b[1+n:]
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		if b = b[1:]; len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		n := countDigits(b)
		return n > 0 && n == len(b)
	}
	return len(b) == 0
}

func countDigits(b []byte) int {
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	return n
}

func (s *scanner) enter() error {
	if s.depth++; s.depth > maxDepth {
		return registry.Errorf(registry.Invalid, "the document is nested deeper than %d levels", maxDepth)
	}
	return nil
}

// array reads an array; element reads each element.
func (s *scanner) array(t *rawText, element func() error) error {
	if err := s.expect('['); err != nil {
		return err
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer func() { s.depth-- }()
	t.put('[')
	for first := true; ; first = false {
		c, err := s.next()
		if err != nil {
			return err
		}
		if c == ']' && first {
			break
		}
		if err := element(); err != nil {
			return err
		}
		if c, err = s.next(); err != nil {
			return err
		}
		if c == ']' {
			break
		}
		if err := s.expect(','); err != nil {
			return err
		}
		t.put(',')
	}
	s.pos++
	t.put(']')
	return nil
}

// object reads an object. member reads the value of each member; without it
// every value is read as it comes.
func (s *scanner) object(t *rawText, member func(key string) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer func() { s.depth-- }()
	s.keys[s.depth].reset()
	t.put('{')
	for first := true; ; first = false {
		c, err := s.next()
		if err != nil {
			return err
		}
		if c == '}' && first {
			break
		}
		if err := s.member(t, member); err != nil {
			return err
		}
		if c, err = s.next(); err != nil {
			return err
		}
		if c == '}' {
			break
		}
		if err := s.expect(','); err != nil {
			return err
		}
		t.put(',')
	}
	s.pos++
	t.put('}')
	return nil
}

func (s *scanner) member(t *rawText, member func(key string) error) error {
	if c, err := s.next(); err != nil {
		return err
	} else if c != '"' {
		return errSyntax("a key must be a string")
	}
	s.key.b = s.key.b[:0]
	escaped, err := s.keyText(&s.key)
	if err != nil {
		return err
	}
	name := s.key.b[1 : len(s.key.b)-1]
	if escaped {
		name = []byte(decodeKey(s.key.b))
	}
	if err := s.keys[s.depth].add(name); err != nil {
		return err
	}
	if err := s.expect(':'); err != nil {
		return err
	}
	if member != nil {
		return member(string(name))
	}
	if string(name) == "__proto__" {
		return errProto
	}
	t.add(s.key.b...)
	t.put(':')
	return s.value(t)
}

var errProto = registry.Errorf(registry.Invalid, "__proto__ must not be a key")

// appendValid appends text with U+FFFD for each byte that is not UTF-8.
func appendValid(dst, p []byte) []byte {
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		dst = utf8.AppendRune(dst, r)
		p = p[n:]
	}
	return dst
}
