package nuget

import (
	"strings"
	"testing"

	"pakhus/internal/registry"
)

func TestParseID(t *testing.T) {
	tests := []struct {
		name, in  string
		read, new bool // accepted by ParseID, by ParseNewID
	}{
		{"dots", "Acme.Log", true, true},
		{"hyphens and underscores", "_acme-log_4.x-", false, false},
		{"hyphen within", "_acme-log_4.x_", true, true},
		{"one digit", "7", true, true},
		{"100 characters", strings.Repeat("a", 100), true, true},
		{"101 characters", strings.Repeat("a", 101), false, false},
		{"100 characters outside of ASCII", strings.Repeat("é", 100), true, false},
		{"101 characters outside of ASCII", strings.Repeat("é", 101), false, false},
		{"letters outside of ASCII", "Größe.日本", true, false},
		{"combining mark", "e\u0301", true, false},
		{"Kelvin sign", "\u212ait", true, false},
		{"dotless i", "l\u0131b", true, false},
		{"empty", "", false, false},
		{"leading dot", ".a", false, false},
		{"trailing dot", "a.", false, false},
		{"doubled dot", "a..b", false, false},
		{"dot and hyphen", "a.-b", false, false},
		{"dots alone", "..", false, false},
		{"plus, which GitLab lets through", "a+b", false, false},
		{"template token", "$id$", false, false},
		{"slash", "a/b", false, false},
		{"backslash", `a\b`, false, false},
		{"percent", "a%2fb", false, false},
		{"blank", "a b", false, false},
		{"line feed at the end", "a\n", false, false},
		{"NUL", "a\x00", false, false},
		{"bidi mark", "a\u202eb", false, false},
		{"zero width joiner", "a\u200db", false, false},
		{"emoji", "a😀", false, false},
		{"not UTF-8", "a\xff", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for how, parse := range map[string]func(string) (ID, error){"read": ParseID, "new": ParseNewID} {
				want := tt.read
				if how == "new" {
					want = tt.new
				}
				id, err := parse(tt.in)
				if got := err == nil; got != want {
					t.Fatalf("%s: %q accepted = %v, want %v", how, tt.in, got, want)
				}
				if err != nil && registry.KindOf(err) != registry.Invalid {
					t.Errorf("%s: kind of %v, want invalid", how, err)
				}
				if err == nil && id.String() != tt.in {
					t.Errorf("%s: prints as %q, want %q", how, id, tt.in)
				}
			}
		})
	}
}

func TestDependencyIDMayBeLonger(t *testing.T) {
	if _, err := parseDependencyID(strings.Repeat("a", 128)); err != nil {
		t.Error(err)
	}
	if _, err := parseDependencyID(strings.Repeat("a", 129)); registry.KindOf(err) != registry.Invalid {
		t.Errorf("129 characters: %v, want invalid", err)
	}
}

func TestIDKey(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"ASCII", "Acme.LOG-X_1", "acme.log-x_1"},
		{"Latin", "GRÖSSE", "grösse"},
		{"Greek", "ΩΣ", "ωσ"},
		{"Kelvin sign is no K", "\u212ait", "\u212ait"},
		{"I with a dot is no I", "L\u0130b", "l\u0130b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, err := ParseID(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := id.Key(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzParseID(f *testing.F) {
	for _, s := range []string{"Acme.Log", "a-b_c.1", "Größe", "\u212a", "a..b", "$id$", "İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseID(s)
		if err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			if _, err := ParseNewID(s); err == nil {
				t.Fatalf("%q is refused in paths and accepted at push", s)
			}
			return
		}
		if id.String() != s || id.IsZero() || strings.ContainsAny(id.Key(), "/\\%\x00 ") {
			t.Errorf("%q prints as %q, key %q", s, id, id.Key())
		}
		again, err := ParseID(id.Key())
		if err != nil || again.Key() != id.Key() {
			t.Errorf("the key of %q does not fold to itself: %q, %v", s, again.Key(), err)
		}
		if isASCII(id.Key()) != isASCII(s) {
			t.Errorf("%q has the key %q: another package's", s, id.Key())
		}
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 })
}
