package nuget

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// The XML namespaces that V2 clients look for (nuget.md 12.1).
const (
	xmlAtom     = "http://www.w3.org/2005/Atom"
	xmlApp      = "http://www.w3.org/2007/app"
	xmlData     = "http://schemas.microsoft.com/ado/2007/08/dataservices"
	xmlDataMeta = xmlData + "/metadata"
	xmlEDMX     = "http://schemas.microsoft.com/ado/2007/06/edmx"
	xmlEDM      = "http://schemas.microsoft.com/ado/2006/04/edm"
)

// xmlHead begins each document. No byte order mark stands before it: PowerShellGet
// tells V2 from V3 by the first characters.
const xmlHead = `<?xml version="1.0" encoding="utf-8"?>` + "\n"

// appendXML appends text that may stand between tags and in attributes with
// double quotes. What XML 1.0 forbids is dropped: one such character would make
// the whole feed unreadable. A line break of Windows stays one.
func appendXML(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		replacement, keep := xmlReplacement(r)
		if r == utf8.RuneError && size == 1 {
			replacement, keep = "\uFFFD", false
		}
		if !keep {
			b = append(append(b, s[start:i]...), replacement...)
			start = i + size
		}
		i += size
	}
	return append(b, s[start:]...)
}

func xmlReplacement(r rune) (replacement string, keep bool) {
	switch r {
	case '&':
		return "&amp;", false
	case '<':
		return "&lt;", false
	case '>':
		return "&gt;", false
	case '"':
		return "&quot;", false
	case '\r':
		return "&#xD;", false
	case '\t', '\n':
		return "", true
	}
	return "", r >= ' ' && r != 0xFFFE && r != 0xFFFF
}

// appendElement appends an element that holds text. The tag may have attributes.
func appendElement(b []byte, tag, attributes, text string) []byte {
	b = append(append(append(append(b, '<'), tag...), attributes...), '>')
	b = appendXML(b, text)
	return append(append(append(b, "</"...), tag...), '>')
}

// appendAttribute appends an attribute, with a blank before it.
func appendAttribute(b []byte, name, value string) []byte {
	b = append(append(append(b, ' '), name...), `="`...)
	return append(appendXML(b, value), '"')
}

// formatAtomTime is the form of times in Atom's own elements.
func formatAtomTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// formatODataTime is the form of Edm.DateTime, which knows no zone: it is UTC.
func formatODataTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999") }

// appendODataValue appends a property's value as text; it is not null.
func appendODataValue(b []byte, v odataValue) []byte {
	switch v.typ {
	case odataBool:
		return strconv.AppendBool(b, v.truth)
	case odataNumber:
		return strconv.AppendFloat(b, v.number, 'f', -1, 64)
	case odataTime:
		return append(b, formatODataTime(v.time)...)
	}
	return appendXML(b, v.text)
}
