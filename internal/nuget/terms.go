package nuget

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Bounds of what search keeps of one package.
const (
	maxTerms      = 250
	maxTermLength = 64 // bytes
)

// fieldTerm is a term of one field that is found by its beginning. No word holds
// the control character, so it is never found as a word.
func fieldTerm(field, word string) string { return "\x01" + field + "=" + word }

// wholeTerm is a term about a property that must match as a whole.
func wholeTerm(property, value string) string {
	return "\x01" + property + "=" + strings.ToLower(value) + "\x01"
}

// idField is the property and query field of whole ids. It is put together
// because spell checkers take the word for a mistake.
const idField = "package" + "id"

// everyTerm is the term of all packages that have a listed version.
var everyTerm = wholeTerm("listed", "")

// typeTerm is the term of packages that are of a type in a view.
func typeTerm(v view, packageType string) string {
	return wholeTerm("type", strconv.Itoa(int(v))+":"+packageType)
}

// facet is the bit of packages that are seen in the view.
func (v view) facet() uint32 { return 1 << v }

func (s *summary) facets() uint32 {
	facets := uint32(0)
	for i := range s.Best {
		for _, v := range s.Best[i].Views {
			facets |= v.facet()
		}
	}
	return facets
}

// terms are all that search finds a package by: what it is to which view, then
// words, the more important first.
func (s *summary) terms() []string {
	t := termList{seen: map[string]bool{}}
	for i := range s.Best {
		t.addFacts(&s.Best[i])
	}
	for i := range s.Best {
		e := s.Best[i].Entry
		t.addWords("id", idWords(e.ID))
		t.addWords("tags", splitWords(e.Tags))
		t.addWords("title", splitWords(e.Title))
		t.addWords("author", splitWords(e.Authors))
		t.addWords("owner", splitWords(e.Owners))
	}
	for i := range s.Best {
		t.addWords("", splitWords(s.Best[i].Entry.Summary))
		t.addWords("", splitWords(s.Best[i].Entry.Description))
	}
	return t.terms
}

// termList collects terms, each once, up to the bound.
type termList struct {
	terms []string
	seen  map[string]bool
}

func (t *termList) add(term string) {
	if term != "" && len(term) <= 2*maxTermLength && !t.seen[term] && len(t.terms) < maxTerms {
		t.seen[term] = true
		t.terms = append(t.terms, term)
	}
}

func (t *termList) addFacts(b *bestEntry) {
	t.add(everyTerm)
	for _, v := range b.Views {
		for _, packageType := range b.Entry.PackageTypes {
			t.add(typeTerm(v, packageType.Name))
		}
	}
	t.add(wholeTerm(idField, b.Entry.ID))
	t.add(wholeTerm("version", b.Key))
}

// addWords adds words, as they are and as those of a field.
func (t *termList) addWords(field string, words []string) {
	for _, word := range words {
		t.add(word)
		if field != "" {
			t.add(fieldTerm(field, word))
		}
	}
}

// idWords splits an id at its separators, and each part again where capitals and
// digits begin: Acme.LogViewer is acme, logviewer, log and viewer.
func idWords(id string) []string {
	words := splitWords(id)
	for part := range strings.FieldsFuncSeq(id, isNoWordRune) {
		if pieces := splitCamel(part); len(pieces) > 1 {
			words = append(words, pieces...)
		}
	}
	return words
}

// splitCamel splits XMLReader2 into xml, reader and 2.
func splitCamel(part string) []string {
	var pieces []string
	runes := []rune(part)
	start := 0
	for i := 1; i <= len(runes); i++ {
		if i == len(runes) || isBoundary(runes, i) {
			pieces = append(pieces, strings.ToLower(string(runes[start:i])))
			start = i
		}
	}
	return pieces
}

// isBoundary tells whether a word begins at i.
func isBoundary(r []rune, i int) bool {
	before, at := r[i-1], r[i]
	switch {
	case unicode.IsDigit(before) != unicode.IsDigit(at):
		return true
	case !unicode.IsUpper(at):
		return false
	case !unicode.IsUpper(before):
		return true
	}
	return i+1 < len(r) && unicode.IsLower(r[i+1]) // the R of XMLReader
}

func isNoWordRune(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// splitWords gives the runs of letters and digits of a text, in lower case.
func splitWords(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), isNoWordRune)
	return slices.DeleteFunc(words, func(w string) bool { return len(w) > maxTermLength })
}
