package nuget

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"pakhus/internal/registry"
)

// Bounds of one OData expression. A search of several words, which old clients
// spell out as a filter, takes about 200 bytes a word (nuget.md 12.2).
const (
	maxODataLength = 8 << 10 // bytes
	maxODataDepth  = 32      // parentheses, functions and negations in one another
	maxODataCalls  = 128     // functions
)

// odataType is the type of an expression, known before any entry is read.
type odataType int

const (
	odataNull odataType = iota // the literal; or a value that is missing
	odataBool
	odataNumber
	odataText
	odataTime
	odataVersion // compares as versions do, and counts as text for functions
)

var odataTypeNames = [...]string{"null", "a truth value", "a number", "text", "a time", "a version"}

func (t odataType) String() string { return odataTypeNames[t] }

// odataValue is what an expression comes to for one entry. Its zero value is
// null.
type odataValue struct {
	typ     odataType
	truth   bool
	number  float64
	text    string // of a version: as it was written
	time    time.Time
	version Version
}

func odataTruth(b bool) odataValue       { return odataValue{typ: odataBool, truth: b} }
func odataNumberOf(n float64) odataValue { return odataValue{typ: odataNumber, number: n} }
func odataTextOf(s string) odataValue    { return odataValue{typ: odataText, text: s} }
func odataTimeOf(t time.Time) odataValue { return odataValue{typ: odataTime, time: t} }
func (v odataValue) isNull() bool        { return v.typ == odataNull }
func (v odataValue) isTrue() bool        { return v.typ == odataBool && v.truth }
func odataVersionOf(v Version) odataValue {
	return odataValue{typ: odataVersion, text: v.Original(), version: v}
}

// odataRow is an entry that expressions are asked of. A property that the entry
// does not have is false.
type odataRow interface {
	propertyOf(name string) (odataValue, bool)
}

// odataSchema has the properties that expressions may name, by lower-case name:
// clients disagree about case, and no two names differ by it alone.
type odataSchema map[string]odataColumn

// odataColumn is one property of every entry.
type odataColumn struct {
	name string
	typ  odataType
	// isID says that equality with it names a package: see odataIDs.
	isID bool
}

func newODataSchema(columns ...odataColumn) odataSchema {
	s := make(odataSchema, len(columns))
	for _, c := range columns {
		s[strings.ToLower(c.name)] = c
	}
	return s
}

// compareOData orders two values of one type; null comes first. Text is compared
// without regard to case, as ids are (nuget.md 3.1): clients that ask for
// Id eq 'x' mean the package x in any spelling.
func compareOData(a, b odataValue) int {
	if a.isNull() || b.isNull() {
		return cmp.Compare(min(a.typ, 1), min(b.typ, 1))
	}
	switch a.typ {
	case odataBool:
		return cmp.Compare(odataBit(a.truth), odataBit(b.truth))
	case odataNumber:
		return cmp.Compare(a.number, b.number)
	case odataTime:
		return a.time.Compare(b.time)
	case odataVersion:
		return a.version.Compare(b.version)
	}
	return cmp.Compare(foldID(a.text), foldID(b.text))
}

func odataBit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// odataTimeForms are the forms of a datetime literal, with and without seconds
// and zone. Without a zone it is UTC.
var odataTimeForms = []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"}

func parseODataTime(s string) (time.Time, error) {
	for _, form := range odataTimeForms {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, registry.Errorf(registry.Invalid, "datetime'%s' is not a time like 2026-03-01T10:00:00", s)
}

// quoteOData writes text as a literal.
func quoteOData(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func formatODataNumber(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }
