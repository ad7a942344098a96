package npm

import (
	"slices"
	"strings"
	"unicode"
)

// Bounds of what search keeps of one package.
const (
	maxTerms      = 200
	maxTermLength = 64 // bytes
	// maxAsked bounds the terms of a search, each of which is one more condition
	// for the database. Words beyond it are not looked at.
	maxAsked = 16
)

// SearchText is what a search text asks for (npm.md 12).
type SearchText struct {
	Terms []string // each must begin a word of the package
	Not   []string // none may
	Exact string   // package that comes first when it matches
}

// noSuchTerm is a term that no package has.
const noSuchTerm = "\x02"

// exactTerm is a term about a property of the package, apart from the words of
// its text: the control characters, which no word holds, keep it from being
// found by its beginning.
func exactTerm(property, value string) string {
	return "\x01" + property + "=" + strings.ToLower(value) + "\x01"
}

// Terms are the words by which search finds a package: those of its name, its
// description and its keywords, in lower case, and its scope, keywords and
// maintainer as exact terms.
func Terms(name Name, description string, keywords []string, maintainer string) []string {
	terms := []string{exactTerm("scope", name.Scope()), exactTerm("maintainer", maintainer)}
	terms = append(terms, strings.ToLower(name.String()), strings.ToLower(name.Base()))
	terms = append(terms, splitWords(name.String())...)
	for _, keyword := range keywords {
		if len(keyword) <= maxTermLength {
			terms = append(terms, exactTerm("keyword", keyword))
		}
		terms = append(terms, splitWords(keyword)...)
	}
	terms = append(terms, splitWords(description)...)
	var kept []string
	seen := map[string]bool{}
	for _, term := range terms {
		if !seen[term] && term != "" && len(term) <= 2*maxTermLength && len(kept) < maxTerms {
			seen[term] = true
			kept = append(kept, term)
		}
	}
	return kept
}

// splitWords gives the runs of letters and digits of a text, in lower case.
func splitWords(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.DeleteFunc(words, func(w string) bool { return len(w) > maxTermLength })
}

// ParseSearchText reads what somebody typed: words, all of which must match, and
// qualifiers. Qualifiers about what this registry does not judge (is, boost-exact
// and the like) change nothing.
func ParseSearchText(text string) SearchText {
	var q SearchText
	for word := range strings.FieldsSeq(text) {
		property, value, qualified := strings.Cut(word, ":")
		if !qualified {
			q.addWords(word)
			continue
		}
		switch strings.ToLower(property) {
		case "scope":
			q.Terms = append(q.Terms, exactTerm("scope", strings.TrimPrefix(value, "@")))
		case "author", "maintainer":
			q.Terms = append(q.Terms, exactTerm("maintainer", value))
		case "keywords":
			for keyword := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == '+' }) {
				q.Terms = append(q.Terms, exactTerm("keyword", keyword))
			}
		case "not":
			q.Not = append(q.Not, splitWords(value)...)
		case "is", "boost-exact", "quality-weight", "popularity-weight", "maintenance-weight":
		default:
			q.addWords(word)
		}
	}
	q.Terms, q.Not = firstTerms(q.Terms), firstTerms(q.Not)
	return q
}

// firstTerms keeps the first terms, each once.
func firstTerms(terms []string) []string {
	var kept []string
	for _, term := range terms {
		if len(kept) < maxAsked && !slices.Contains(kept, term) {
			kept = append(kept, term)
		}
	}
	return kept
}

func (q *SearchText) addWords(word string) {
	words := splitWords(word)
	if len(words) == 0 {
		words = []string{noSuchTerm} // punctuation alone asks for something, and we have nothing
	}
	q.Terms = append(q.Terms, words...)
	if q.Exact == "" {
		q.Exact = word
	}
}
