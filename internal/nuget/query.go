package nuget

import (
	"strings"
)

// Bounds of a search text.
const (
	maxQuery = 2 << 10 // bytes
	// maxAsked bounds the terms of a search, each of which is one more condition
	// for the database. Words beyond it are not looked at.
	maxAsked = 16
)

// Query is what a search text asks for (nuget.md 6.2).
type Query struct {
	Terms  []string // each must begin a term of the package
	Having []string // each must be one
	Exact  string   // key of the package that comes first when it matches
}

// noSuchTerm is a term that no package has.
const noSuchTerm = "\x02"

// queryFields are the fields whose words can be asked for. Words of summaries
// and descriptions are not kept apart from others.
var queryFields = map[string]string{
	"id": "id", "title": "title", "tags": "tags", "tag": "tags", "author": "author", "authors": "author", "owner": "owner", "owners": "owner",
	"description": "", "summary": "",
}

// ParseQuery reads what somebody typed: words, phrases in quotes, and both after
// the name of a field and a colon. All of them must match. A field that is not
// known is left out.
func ParseQuery(text string) Query {
	q := Query{}
	for _, token := range splitQuery(text) {
		field, value, qualified := strings.Cut(token.text, ":")
		if token.quoted || !qualified {
			q.addText("", token.text)
			continue
		}
		q.addField(strings.ToLower(field), value)
	}
	return q
}

func (q *Query) addField(field, value string) {
	switch field {
	case idField:
		q.have(wholeTerm(idField, value))
	case "version":
		if v, err := ParseVersion(value); err == nil {
			value = v.Key()
		}
		q.have(wholeTerm("version", value))
	default:
		if of, known := queryFields[field]; known {
			q.addText(of, value)
		}
	}
}

func (q *Query) have(term string) {
	if len(q.Having) < maxAsked {
		q.Having = append(q.Having, term)
	}
}

// addText asks for all words of a text. A text of punctuation asks for something
// that no package has.
func (q *Query) addText(field, text string) {
	words := splitWords(text)
	if len(words) == 0 {
		words = []string{noSuchTerm}
	}
	for _, word := range words {
		if field != "" {
			word = fieldTerm(field, word)
		}
		if len(q.Terms) < maxAsked {
			q.Terms = append(q.Terms, word)
		}
	}
	if q.Exact == "" && (field == "" || field == "id") {
		q.Exact = foldID(text)
	}
}

// queryToken is a word or a phrase of a search text.
type queryToken struct {
	text   string
	quoted bool // all of it
}

// splitQuery splits at blanks that are not in quotes. A quote that is never
// closed ends with the text.
func splitQuery(text string) []queryToken {
	var tokens []queryToken
	var b strings.Builder
	inQuotes, quotedFrom := false, false
	flush := func() {
		if b.Len() > 0 {
			tokens = append(tokens, queryToken{b.String(), quotedFrom})
		}
		b.Reset()
		quotedFrom = false
	}
	for _, r := range text {
		switch {
		case r == '"':
			quotedFrom = quotedFrom || !inQuotes && b.Len() == 0
			inQuotes = !inQuotes
		case r <= ' ' && !inQuotes:
			flush()
		default:
			b.WriteRune(r)
		}
	}
	flush()
	return tokens
}
