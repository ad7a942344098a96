package npm

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// run consumes the bytes of a string up to the next quote or backslash, which
// it consumes too and gives as stop, or up to the end of the buffer; then stop
// is 0. The bytes are valid until more is read, and never end within a
// character.
func (s *scanner) run() (p []byte, stop byte, err error) {
	if s.pos == s.end {
		if err := s.fill(); err != nil {
			return nil, 0, err
		}
	}
	start := s.pos
	for i := start; i < s.end; i++ {
		switch c := s.buf[i]; {
		case c == '"' || c == '\\':
			s.pos = i + 1
			return s.buf[start:i], c, nil
		case c < ' ':
			return nil, 0, errSyntax("a string holds a control character")
		}
	}
	whole := wholeCharacters(s.buf[start:s.end])
	if whole == 0 { // a few bytes of one character: read the others
		return nil, 0, s.fill()
	}
	s.pos = start + whole
	return s.buf[start:s.pos], 0, nil
}

// wholeCharacters is the length of p without a character that is cut off.
func wholeCharacters(p []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(p); back++ {
		if i := len(p) - back; utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return i
			}
			break
		}
	}
	return len(p)
}

// text reads a string as it is written, quotes and escapes included. It tells
// whether there are escapes.
func (s *scanner) text(t *rawText) (escaped bool, err error) {
	return s.copyText(t, false)
}

// keyText is text for keys, where nothing may be replaced: two keys could
// become one.
func (s *scanner) keyText(t *rawText) (escaped bool, err error) {
	return s.copyText(t, true)
}

func (s *scanner) copyText(t *rawText, exact bool) (escaped bool, err error) {
	s.pos++ // the quote, which the caller saw
	t.put('"')
	for {
		p, stop, err := s.run()
		if err != nil {
			return escaped, err
		}
		if err := s.addRun(t, p, exact); err != nil {
			return escaped, err
		}
		switch stop {
		case '"':
			t.put('"')
			return escaped, nil
		case '\\':
			escaped = true
			if err := s.copyEscape(t, exact); err != nil {
				return escaped, err
			}
		}
	}
}

func (s *scanner) addRun(t *rawText, p []byte, exact bool) error {
	if t.discard {
		return nil
	}
	if utf8.Valid(p) {
		t.b = append(t.b, p...)
	} else if exact {
		return errSyntax("a key is not valid UTF-8")
	} else {
		t.b = appendValid(t.b, p)
	}
	return t.check()
}

// copyEscape copies an escape whose backslash is consumed.
func (s *scanner) copyEscape(t *rawText, exact bool) error {
	r, c, err := s.escape()
	if err != nil {
		return err
	}
	for utf16.IsSurrogate(r) {
		second, again, err := s.secondHalf(r)
		if err != nil {
			return err
		}
		if whole := utf16.DecodeRune(r, second); whole != utf8.RuneError {
			appendUnicodeEscape(t, r)
			appendUnicodeEscape(t, second)
			return nil
		}
		if exact {
			return errSyntax("a key holds half a character")
		}
		t.add('\\', 'u', 'f', 'f', 'f', 'd')
		if !again {
			return nil
		}
		r, c = second, 'u'
	}
	if c == 'u' {
		appendUnicodeEscape(t, r)
	} else {
		t.add('\\', c)
	}
	return nil
}

// secondHalf reads the escape behind a surrogate, if one follows. again says
// that it is to be looked at in its own right when the two do not fit.
func (s *scanner) secondHalf(first rune) (second rune, again bool, err error) {
	if first >= 0xdc00 { // the second half comes first: alone
		return 0, false, nil
	}
	for s.end-s.pos < 2 {
		if s.end > s.pos && s.buf[s.pos] != '\\' {
			return 0, false, nil
		}
		if err := s.fill(); err != nil {
			return 0, false, err
		}
	}
	if s.buf[s.pos] != '\\' || s.buf[s.pos+1] != 'u' {
		return 0, false, nil
	}
	s.pos++
	second, _, err = s.escape()
	return second, true, err
}

func appendUnicodeEscape(t *rawText, r rune) {
	t.add('\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// escape reads an escape behind its backslash: the character that it stands for,
// perhaps half of one, and the letter it is written with.
func (s *scanner) escape() (r rune, letter byte, err error) {
	c, err := s.take()
	if err != nil {
		return 0, 0, err
	}
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), c); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), c, nil
	}
	if c != 'u' {
		return 0, 0, errSyntax("an escape is unknown")
	}
	for range 4 {
		digit, err := s.take()
		if err != nil {
			return 0, 0, err
		}
		value := bytes.IndexByte([]byte(hexDigits), digit|0x20)
		if value < 0 || !isHex(digit) {
			return 0, 0, errSyntax("an escape is malformed")
		}
		r = r<<4 | rune(value)
	}
	return r, 'u', nil
}

// string reads a string of at most max bytes and decodes it; what says whose
// it is. Other values are Invalid.
func (s *scanner) string(what string, max int) (string, error) {
	if c, err := s.next(); err != nil {
		return "", err
	} else if c != '"' {
		return "", registry.Errorf(registry.Invalid, "%s must be a string", what)
	}
	t := rawText{limit: 6*max + 2, what: what} // a character takes up to six as an escape
	if _, err := s.text(&t); err != nil {
		return "", err
	}
	value, _ := stringValue(t.b) // the scanner let only valid strings through
	if len(value) > max {
		return "", registry.Errorf(registry.TooLarge, "%s is longer than %d bytes", what, max)
	}
	return value, nil
}

// cutString reads a string and keeps its first max bytes. Other values are
// skipped and empty.
func (s *scanner) cutString(max int) (string, error) {
	if c, err := s.next(); err != nil {
		return "", err
	} else if c != '"' {
		return "", s.skip()
	}
	s.pos++
	var kept []byte
	err := s.decode(func(p []byte) error {
		if room := max + utf8.UTFMax - len(kept); room > 0 {
			kept = append(kept, p[:min(len(p), room)]...)
		}
		return nil
	})
	return cutText(string(bytes.ToValidUTF8(kept, []byte("\ufffd"))), max), err
}

// decode reads a string, whose opening quote is consumed, and hands its text
// over in pieces.
func (s *scanner) decode(each func(p []byte) error) error {
	for {
		p, stop, err := s.run()
		if err != nil {
			return err
		}
		if err := each(p); err != nil {
			return err
		}
		switch stop {
		case '"':
			return nil
		case '\\':
			var t rawText
			t.limit = maxNumber
			t.put('"')
			if err := s.copyEscape(&t, false); err != nil {
				return err
			}
			t.put('"')
			text, _ := stringValue(t.b)
			if err := each([]byte(text)); err != nil {
				return err
			}
		}
	}
}

// pour is decode for a tarball in base64: the bytes do not count to the
// document's bound, and only quotes and backslashes are looked for, because
// each refuses what is not base64.
func (s *scanner) pour(each func(p []byte) error) error {
	for {
		if s.pos == s.end {
			if err := s.fill(); err != nil {
				return err
			}
		}
		p := s.buf[s.pos:s.end]
		stop := byte(0)
		if i := bytes.IndexByte(p, '"'); i >= 0 {
			p, stop = p[:i], '"'
		}
		if i := bytes.IndexByte(p, '\\'); i >= 0 {
			p, stop = p[:i], '\\'
		}
		s.pos += len(p)
		s.exempt += int64(len(p))
		if err := each(p); err != nil {
			return err
		}
		if stop == 0 {
			continue
		}
		s.pos++
		if stop == '"' {
			return nil
		}
		r, _, err := s.escape()
		if err != nil {
			return err
		}
		if r >= utf8.RuneSelf {
			return errBase64
		}
		s.exempt += 2
		if err := each([]byte{byte(r)}); err != nil {
			return err
		}
	}
}
