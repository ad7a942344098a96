package nuget

import (
	"strings"
	"testing"

	"pakhus/internal/registry"
)

func TestParseRange(t *testing.T) {
	long := strings.Repeat("a", 250)
	tests := []struct{ name, in, want string }{ // want empty: invalid
		{"version", "1.0", "[1.0.0, )"},
		{"exact", "[1.0]", "[1.0.0, 1.0.0]"},
		{"above", "(1.0,)", "(1.0.0, )"},
		{"from", "[1.0,)", "[1.0.0, )"},
		{"up to", "(,1.0]", "(, 1.0.0]"},
		{"up to, bracket of the other kind", "[,1.0]", "(, 1.0.0]"},
		{"below", "(,1.0)", "(, 1.0.0)"},
		{"both", "[1.0,2.0)", "[1.0.0, 2.0.0)"},
		{"white space", " [ 1.0 , 2.0 ) ", "[1.0.0, 2.0.0)"},
		{"empty", "", "(, )"},
		{"blank", " ", "(, )"},
		{"all", "(, )", "(, )"},
		{"all with more blanks", "( , )", "(, )"},
		{"empty, both out", "(1.0,1.0)", "(1.0.0, 1.0.0)"},
		{"labels and meta", "[1.0-Beta.1+x,2.0-0)", "[1.0.0-Beta.1, 2.0.0-0)"},
		{"four numbers", "[1.2.3.4, 01.2.3.40]", "[1.2.3.4, 1.2.3.40]"},
		{"exact with one bracket out", "(1.0)", ""},
		{"exact with the other out", "[1.0)", ""},
		{"exact nothing", "[]", ""},
		{"exact blank", "[ ]", ""},
		{"nothing", "()", ""},
		{"nothing on both sides", "(,)", ""},
		{"nothing on both sides, in", "[,]", ""},
		{"order", "[2.0,1.0]", ""},
		{"order, both out", "(2.0,1.0)", ""},
		{"one in, one out", "[1.0,1.0)", ""},
		{"one out, one in", "(1.0,1.0.0.0]", ""},
		{"three", "[1,2,3]", ""},
		{"two without brackets", "1.0,2.0", ""},
		{"no end", "[1.0", ""},
		{"no begin", "1.0]", ""},
		{"bracket alone", "[", ""},
		{"bracket of another kind", "{1.0,2.0}", ""},
		{"nested", "[[1.0]]", ""},
		{"floating", "1.*", ""},
		{"floating in brackets", "[1.*,2.0)", ""},
		{"star", "*", ""},
		{"floating prerelease", "1.0.0-*", ""},
		{"npm's form", "^1.0", ""},
		{"word", "latest", ""},
		{"NUL", "[1.0\x00,)", ""},
		{"two long versions", "[1-" + long + ",2-" + long + "]", "[1.0.0-" + long + ", 2.0.0-" + long + "]"},
		{"517 characters", strings.Repeat(" ", 514) + "1.0", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ParseRange(tt.in)
			if tt.want == "" {
				if err == nil || registry.KindOf(err) != registry.Invalid {
					t.Fatalf("got %v, %v, want invalid", r, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := r.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRangeContains(t *testing.T) {
	tests := []struct {
		name, of, version string
		want              bool
	}{
		{"all", "", "0.0.1-a", true},
		{"minimum", "1.0", "1.0.0+x", true},
		{"prerelease of the minimum", "1.0", "1.0.0-rc", false},
		{"below", "1.0", "0.9", false},
		{"far above", "1.0", "100.0", true},
		{"exact", "[1.0]", "1.0.0.0", true},
		{"exact, another", "[1.0]", "1.0.0.1", false},
		{"lower bound out", "(1.0,)", "1.0", false},
		{"above lower bound", "(1.0,)", "1.0.0.1-a", true},
		{"upper bound in", "(,2.0]", "2.0", true},
		{"upper bound out", "[1.0,2.0)", "2.0", false},
		{"prerelease of the upper bound, which is out", "[1.0,2.0)", "2.0-rc", true},
		{"case", "[1.0-RC]", "1.0-rc", true},
		{"empty range", "(1.0,1.0)", "1.0", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ParseRange(tt.of)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Contains(mustVersion(t, tt.version)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRangeIsSemVer2(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "1.0": false, "1.0-a": false, "[1.0,2.0-a)": false,
		"1.0-a.b": true, "[1.0,2.0+x)": true, "(,1.0-a.1]": true,
	} {
		r, err := ParseRange(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.IsSemVer2(); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"1.0", "[1.0]", "(1.0,)", "(,1.0]", "[1.0,2.0)", "(1.0,1.0)", "( , )", "(,)", "[2,1]", "1.*", "[1.0-A.b+c, 2.0]"} {
		f.Add(s, "1.0")
	}
	f.Fuzz(func(t *testing.T, s, version string) {
		r, err := ParseRange(s)
		if err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		again, err := ParseRange(r.String())
		if err != nil {
			t.Fatalf("%q gives %q, which cannot be read: %v", s, r, err)
		}
		if again.String() != r.String() {
			t.Errorf("%q: normalizing twice gives %q, then %q", s, r, again)
		}
		if v, err := ParseVersion(version); err == nil && r.Contains(v) != again.Contains(v) {
			t.Errorf("%q and %q disagree about %q", s, r, v)
		}
	})
}
