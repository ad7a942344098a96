package npm

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"pakhus/internal/registry"
)

func TestParseVersion(t *testing.T) {
	tests := []struct {
		name  string
		in    string
		valid bool
	}{
		{"release", "1.2.3", true},
		{"zeros", "0.0.0", true},
		{"prerelease", "1.0.0-beta.1", true},
		{"hyphens", "1.0.0--x-", true},
		{"date as prerelease", "1.0.0-20261123115959123", true},
		{"largest number", "9007199254740991.0.0", true},
		{"number too large", "9007199254740992.0.0", false},
		{"number far too large", "99999999999999999999.0.0", false},
		{"256 characters", "1.0.0-" + strings.Repeat("a", 250), true},
		{"257 characters", "1.0.0-" + strings.Repeat("a", 251), false},
		{"300 characters", "1.0.0-" + strings.Repeat("a", 294), false},
		{"build metadata", "1.0.0+x", false},
		{"prerelease and build metadata", "1.0.0-rc.1+001.x", false},
		{"empty", "", false},
		{"leading v", "v1.0.0", false},
		{"leading equals sign", "=1.0.0", false},
		{"leading blank", " 1.0.0", false},
		{"trailing line feed", "1.0.0\n", false},
		{"two numbers", "1.0", false},
		{"four numbers", "1.0.0.0", false},
		{"leading zero", "01.0.0", false},
		{"leading zero in prerelease", "1.0.0-01", false},
		{"zero and letter in prerelease", "1.0.0-0a", true},
		{"empty identifier", "1.0.0-a..b", false},
		{"empty prerelease", "1.0.0-", false},
		{"empty build", "1.0.0+", false},
		{"no hyphen", "1.0.0beta", false},
		{"negative", "-1.0.0", false},
		{"sign", "+1.0.0", false},
		{"range", "1.x.0", false},
		{"emoji", "1.0.0-😀", false},
		{"full-width digit", "１.0.0", false},
		{"slash", "1.0.0-a/b", false},
		{"NUL", "1.0.0\x00", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := ParseVersion(tt.in)
			if got := err == nil; got != tt.valid {
				t.Fatalf("ParseVersion(%q) accepted = %v, want %v", tt.in, got, tt.valid)
			}
			if err != nil {
				if got := registry.KindOf(err); got != registry.Invalid {
					t.Errorf("kind = %v, want invalid", got)
				}
				return
			}
			if v.String() != tt.in {
				t.Errorf("prints as %q, want %q", v, tt.in)
			}
		})
	}
}

// ordered is in ascending order: the chain of the specification's section 11,
// and what else sorts wrongly as text.
var ordered = strings.Fields(`
	0.0.0-0 0.0.0 0.0.1 0.1.0 0.9.0 0.10.0 1.0.0-0 1.0.0-1 1.0.0-2 1.0.0-10 1.0.0-99
	1.0.0-20261123115959123 1.0.0-- 1.0.0--1 1.0.0-0a 1.0.0-1a 1.0.0-A 1.0.0-Z 1.0.0-a 1.0.0-a-b 1.0.0-a0 1.0.0-alpha
	1.0.0-alpha.0 1.0.0-alpha.1 1.0.0-alpha.1.0 1.0.0-alpha.beta 1.0.0-alpha- 1.0.0-alpha1 1.0.0-beta 1.0.0-beta.2
	1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1-a 1.0.1 1.2.0 1.10.0 2.0.0 10.0.0 9007199254740991.0.0`)

func TestVersionOrder(t *testing.T) {
	for i := range ordered {
		for j := range ordered {
			a, b := mustVersion(t, ordered[i]), mustVersion(t, ordered[j])
			if got, want := a.Compare(b), cmp.Compare(i, j); got != want {
				t.Errorf("compare %s with %s = %d, want %d", a, b, got, want)
			}
			if got, want := cmp.Compare(a.SortKey(), b.SortKey()), cmp.Compare(i, j); got != want {
				t.Errorf("sort keys of %s and %s: %d, want %d", a, b, got, want)
			}
		}
	}
}

func mustVersion(t *testing.T, s string) Version {
	t.Helper()
	v, err := ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestLooseVersion(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"strict", "1.2.3", "1.2.3"},
		{"prerelease", "1.2.3-beta.1", "1.2.3-beta.1"},
		{"leading v", "v1.2.3", "1.2.3"},
		{"leading equals sign and blanks", " = v1.2.3 ", "1.2.3"},
		{"leading zeros", "01.002.0", "1.2.0"},
		{"no hyphen", "1.2.3beta", "1.2.3-beta"},
		{"zeros in prerelease", "1.2.3-001", "1.2.3-1"},
		{"build metadata", "1.2.3-rc+build.5", "1.2.3-rc"},
		{"two numbers", "1.2", ""},
		{"bad build metadata", "1.2.3+", ""},
		{"word", "latest", ""},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := looseVersion(tt.in); got != tt.want {
				t.Errorf("looseVersion(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func FuzzVersion(f *testing.F) {
	for i := range ordered {
		f.Add(ordered[i], ordered[(i*7+1)%len(ordered)])
	}
	f.Add("1.0.0+a", "v1.0.0")
	f.Add("01.0.0", "1.0.0-")
	f.Fuzz(func(t *testing.T, s, o string) {
		a, err := ParseVersion(s)
		if err != nil {
			return
		}
		if a.String() != s || len(s) > maxVersion {
			t.Fatalf("ParseVersion(%q) prints as %q", s, a)
		}
		if got := looseVersion("v" + s + "+build"); got != s {
			t.Errorf("looseVersion(v%s+build) = %q", s, got)
		}
		if r, err := ParseRange(s); err == nil && !r.Contains(a) {
			t.Errorf("the range %s does not hold its own version", s)
		}
		b, err := ParseVersion(o)
		if err != nil {
			return
		}
		order := a.Compare(b)
		if b.Compare(a) != -order {
			t.Errorf("comparing %s and %s depends on the side", a, b)
		}
		if cmp.Compare(a.SortKey(), b.SortKey()) != order {
			t.Errorf("sort keys %q and %q of %s and %s do not order as the versions: %d", a.SortKey(), b.SortKey(), a, b, order)
		}
	})
}

func TestSortKeyIsPrintable(t *testing.T) {
	for _, s := range ordered {
		if key := mustVersion(t, s).SortKey(); slices.ContainsFunc([]byte(key), func(c byte) bool { return c <= ' ' || c > '~' }) {
			t.Errorf("sort key of %s is %q", s, key)
		}
	}
}
