package npm

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTerms(t *testing.T) {
	terms := Terms(mustName(t, "@acme/Red-button"), "A button that is RED; 100%", []string{"user interface", "ui"}, "Ann")
	for _, want := range []string{
		"@acme/red-button", "red-button", "acme", "red", "button", "100", "interface", "ui",
		exactTerm("scope", "acme"), exactTerm("keyword", "user interface"), exactTerm("maintainer", "ann"),
	} {
		if !slices.Contains(terms, want) {
			t.Errorf("%q is missing in %q", want, terms)
		}
	}
	long := Terms(mustName(t, "x"), strings.Repeat("a", 1000)+" "+strings.Repeat("b ", 10)+strings.Join(numbers(1000), " "), nil, "")
	if len(long) > maxTerms {
		t.Errorf("%d terms", len(long))
	}
}

func numbers(n int) []string {
	var out []string
	for i := range n {
		out = append(out, strings.Repeat("n", 1+i%20)+string(rune('a'+i%26)))
	}
	return out
}

func TestParseSearchText(t *testing.T) {
	for text, want := range map[string]SearchText{
		"":                      {},
		"Red button":            {Terms: []string{"red", "button"}, Exact: "Red"},
		"@acme/lib":             {Terms: []string{"acme", "lib"}, Exact: "@acme/lib"},
		"scope:@acme":           {Terms: []string{exactTerm("scope", "acme")}},
		"keywords:a,b+c":        {Terms: []string{exactTerm("keyword", "a"), exactTerm("keyword", "b"), exactTerm("keyword", "c")}},
		"maintainer:Ann x":      {Terms: []string{exactTerm("maintainer", "ann"), "x"}, Exact: "x"},
		"ui not:old is:stable":  {Terms: []string{"ui"}, Not: []string{"old"}, Exact: "ui"},
		"%":                     {Terms: []string{noSuchTerm}, Exact: "%"},
		"what:ever":             {Terms: []string{"what", "ever"}, Exact: "what:ever"},
		"a A a not:b not:B":     {Terms: []string{"a"}, Not: []string{"b"}, Exact: "a"},
		"boost-exact:false a_b": {Terms: []string{"a", "b"}, Exact: "a_b"},
	} {
		if diff := cmp.Diff(want, ParseSearchText(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func FuzzParseSearchText(f *testing.F) {
	for _, s := range []string{"red button", "scope:@acme keywords:a,b+c not:x", "is:stable %", "author:", strings.Repeat("a b c d e ", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q := ParseSearchText(text)
		if len(q.Terms) > maxAsked || len(q.Not) > maxAsked {
			t.Fatalf("%d and %d terms", len(q.Terms), len(q.Not))
		}
		for _, term := range append(q.Terms, q.Not...) {
			if term == "" {
				t.Errorf("%q asks for an empty term, which every package has", text)
			}
		}
	})
}
