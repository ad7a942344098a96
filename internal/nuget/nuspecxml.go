package nuget

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// xmlReader hands out the tokens of an XML document. It refuses what can do
// harm (entities and document types), and what encoding/xml lets through though
// the clients' parser does not.
type xmlReader struct {
	decoder *xml.Decoder
	depth   int
	started bool // a token was read
}

func newXMLReader(raw []byte) (*xmlReader, error) {
	text, wide, err := decodeText(raw)
	if err != nil {
		return nil, err
	}
	r := &xmlReader{decoder: xml.NewDecoder(bytes.NewReader(text))}
	r.decoder.CharsetReader = func(name string, input io.Reader) (io.Reader, error) {
		switch name = strings.ToLower(name); {
		case name == "us-ascii" || wide && (name == "utf-16" || name == "unicode" || name == "utf-16le" || name == "utf-16be"):
			return input, nil
		}
		return nil, registry.Errorf(registry.Invalid, "the nuspec must be in UTF-8 or UTF-16: it says that it is in %q", cutText(name, 50))
	}
	return r, nil
}

// decodeText gives the text in UTF-8, without its byte order mark. Without a
// mark UTF-16 shows by the zero byte beside the first character, which is <.
func decodeText(raw []byte) (text []byte, wide bool, err error) {
	switch {
	case bytes.HasPrefix(raw, []byte{0xef, 0xbb, 0xbf}):
		return raw[3:], false, nil
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}):
		text, err = decodeUTF16(raw[2:], 0)
		return text, true, err
	case bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		text, err = decodeUTF16(raw[2:], 1)
		return text, true, err
	case bytes.HasPrefix(raw, []byte{'<', 0}):
		text, err = decodeUTF16(raw, 0)
		return text, true, err
	case bytes.HasPrefix(raw, []byte{0, '<'}):
		text, err = decodeUTF16(raw, 1)
		return text, true, err
	}
	return raw, false, nil
}

// decodeUTF16 decodes units whose lower byte is the one of the given index.
func decodeUTF16(raw []byte, low int) ([]byte, error) {
	if len(raw)%2 != 0 {
		return nil, registry.Errorf(registry.Invalid, "the nuspec is not UTF-16: half a character is left")
	}
	unit := func(i int) rune { return rune(raw[i+low]) | rune(raw[i+1-low])<<8 }
	text := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i += 2 {
		c := unit(i)
		if utf16.IsSurrogate(c) {
			if i+2 >= len(raw) {
				return nil, errSurrogate()
			}
			i += 2
			if c = utf16.DecodeRune(c, unit(i)); c == utf8.RuneError {
				return nil, errSurrogate()
			}
		}
		text = utf8.AppendRune(text, c)
	}
	return text, nil
}

func errSurrogate() error {
	return registry.Errorf(registry.Invalid, "the nuspec is not UTF-16: a half of a character stands alone")
}

// next gives the next token, or io.EOF after the last one. Character data is
// only good until the next call. Anything else is Invalid.
func (r *xmlReader) next() (xml.Token, error) {
	token, err := r.decoder.Token()
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		if registry.KindOf(err) == registry.Invalid {
			return nil, err
		}
		return nil, registry.Wrapf(registry.Invalid, err, "the nuspec is not well-formed XML")
	}
	switch t := token.(type) {
	case xml.Directive:
		return nil, registry.Errorf(registry.Invalid, "the nuspec must not have a document type (DTD)")
	case xml.ProcInst:
		if t.Target == "xml" && r.started {
			return nil, registry.Errorf(registry.Invalid, "the nuspec is not well-formed XML: its declaration is not at the begin")
		}
	case xml.StartElement:
		if r.depth++; r.depth > maxXMLDepth {
			return nil, registry.Errorf(registry.Invalid, "the nuspec has elements more than %d deep", maxXMLDepth)
		}
		if err := checkAttributes(t.Attr); err != nil {
			return nil, err
		}
	case xml.EndElement:
		r.depth--
	}
	r.started = true
	return token, nil
}

// checkAttributes refuses two attributes of one name: readers differ in which
// of them counts.
func checkAttributes(list []xml.Attr) error {
	if len(list) > maxAttributes {
		return registry.Errorf(registry.Invalid, "the nuspec has an element with more than %d attributes", maxAttributes)
	}
	for i, a := range list {
		for _, b := range list[:i] {
			if a.Name == b.Name {
				return registry.Errorf(registry.Invalid, "the nuspec has an element with two attributes %q", cutText(a.Name.Local, 50))
			}
		}
	}
	return nil
}

// eachChild calls f for the elements within the one that was begun last, until
// it ends. f reads each of them to its end.
func (r *xmlReader) eachChild(f func(xml.StartElement) error) error {
	for {
		token, err := r.next()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if err := f(t); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

// skip reads the element that was begun last to its end.
func (r *xmlReader) skip(xml.StartElement) error {
	for level := r.depth; r.depth >= level; {
		if _, err := r.next(); err != nil {
			return err
		}
	}
	return nil
}

// text reads the element that was begun last to its end. It is not plain when
// there are elements within.
func (r *xmlReader) text() (text string, plain bool, err error) {
	var b strings.Builder
	plain = true
	for level := r.depth; r.depth >= level; {
		token, err := r.next()
		if err != nil {
			return "", false, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			plain = false
		case xml.CharData:
			b.Write(t)
		}
	}
	return b.String(), plain, nil
}

// attribute finds an attribute without a prefix by its exact name.
func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// cutText cuts a text for messages after so many characters.
func cutText(s string, limit int) string {
	count := 0
	for i := range s {
		if count == limit {
			return s[:i]
		}
		count++
	}
	return s
}
