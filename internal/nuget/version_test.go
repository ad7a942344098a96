package nuget

import (
	"cmp"
	"strings"
	"testing"

	"pakhus/internal/registry"
)

func TestParseVersion(t *testing.T) {
	tests := []struct {
		name, in, normalized, full string // normalized empty: invalid
		pre, semVer2               bool
	}{
		{"one number", "1", "1.0.0", "1.0.0", false, false},
		{"two numbers", "1.0", "1.0.0", "1.0.0", false, false},
		{"leading zeros", "01.002.0003", "1.2.3", "1.2.3", false, false},
		{"fourth number 0", "1.2.3.0", "1.2.3", "1.2.3", false, false},
		{"fourth number", "1.2.3.04", "1.2.3.4", "1.2.3.4", false, false},
		{"fourth number and label", "1.2.3.4-b", "1.2.3.4-b", "1.2.3.4-b", true, false},
		{"labels keep their case", "1.0-Beta.0A", "1.0.0-Beta.0A", "1.0.0-Beta.0A", true, true},
		{"one label", "1.0.0-rc1", "1.0.0-rc1", "1.0.0-rc1", true, false},
		{"label of a digit", "1.0.0-0", "1.0.0-0", "1.0.0-0", true, false},
		{"meta", "1.0.0+META.007", "1.0.0", "1.0.0+META.007", false, true},
		{"label and meta with hyphen", "1.0.0-a+b-c", "1.0.0-a", "1.0.0-a+b-c", true, true},
		{"meta with hyphen first", "1.0.0+-b", "1.0.0", "1.0.0+-b", false, true},
		{"two hyphens", "1.0.0--5", "1.0.0--5", "1.0.0--5", true, false},
		{"white space", " 1 . 0 ", "1.0.0", "1.0.0", false, false},
		{"white space before the label", "1.0 -beta\n", "1.0.0-beta", "1.0.0-beta", true, false},
		{"largest number", "2147483647.0.0.2147483647", "2147483647.0.0.2147483647", "2147483647.0.0.2147483647", false, false},
		{"many leading zeros", strings.Repeat("0", 40) + "1", "1.0.0", "1.0.0", false, false},
		{"256 characters", "1.0-" + strings.Repeat("a", 250), "1.0.0-" + strings.Repeat("a", 250), "1.0.0-" + strings.Repeat("a", 250), true, false},
		{"five numbers", "1.2.3.4.5", "", "", false, false},
		{"empty number", "1..2", "", "", false, false},
		{"leading dot", ".1", "", "", false, false},
		{"trailing dot", "1.", "", "", false, false},
		{"blank number", "1. .2", "", "", false, false},
		{"empty label", "1.0-", "", "", false, false},
		{"empty meta", "1.0+", "", "", false, false},
		{"empty label, meta", "1.0-+x", "", "", false, false},
		{"label, empty meta", "1.0-a+", "", "", false, false},
		{"two metas", "1.0+a+b", "", "", false, false},
		{"empty label within", "1.0-a..b", "", "", false, false},
		{"leading zero in a label", "1.0-01", "", "", false, false},
		{"leading zero in the second label", "1.0-a.00", "", "", false, false},
		{"number too large", "2147483648.0", "", "", false, false},
		{"leading v", "v1.0", "", "", false, false},
		{"empty", "", "", "", false, false},
		{"blank", " ", "", "", false, false},
		{"blank between digits", "1.0 0", "", "", false, false},
		{"blank in a label", "1.0-a b", "", "", false, false},
		{"sign", "+1.0", "", "", false, false},
		{"minus", "-1.0", "", "", false, false},
		{"hexadecimal", "0x1.0", "", "", false, false},
		{"underscore", "1_0.0", "", "", false, false},
		{"full-width digit", "１.0", "", "", false, false},
		{"letter outside of ASCII in a label", "1.0-\u212a", "", "", false, false},
		{"floating", "1.*", "", "", false, false},
		{"word", "latest", "", "", false, false},
		{"slash", "1.0-a/b", "", "", false, false},
		{"NUL", "1.0\x00", "", "", false, false},
		{"not UTF-8", "1.0-\xff", "", "", false, false},
		{"257 characters", "1.0-" + strings.Repeat("a", 251), "", "", false, false},
		{"257 characters with the white space", strings.Repeat(" ", 254) + "1.0", "", "", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := ParseVersion(tt.in)
			if tt.normalized == "" {
				if registry.KindOf(err) != registry.Invalid || err == nil {
					t.Fatalf("got %v, %v, want invalid", v, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if v.String() != tt.normalized || v.Full() != tt.full || v.Key() != strings.ToLower(tt.normalized) || v.Original() != strings.TrimSpace(tt.in) {
				t.Errorf("got %q, full %q, key %q, original %q, want %q, %q", v, v.Full(), v.Key(), v.Original(), tt.normalized, tt.full)
			}
			if v.IsPrerelease() != tt.pre || v.IsSemVer2() != tt.semVer2 {
				t.Errorf("prerelease %v, SemVer 2 %v, want %v, %v", v.IsPrerelease(), v.IsSemVer2(), tt.pre, tt.semVer2)
			}
		})
	}
}

// orderedVersions is in ascending order; those of one line are equal.
var orderedVersions = []string{
	"0.0.0-0",
	"0.0.0 0",
	"1.0.0--2147483648",
	"1.0.0--6",
	"1.0.0--5 1.0.0--05",
	"1.0.0-0 1.0.0--0",
	"1.0.0-0.0",
	"1.0.0-9",
	"1.0.0-10",
	"1.0.0-2147483647",
	"1.0.0--2147483649",
	"1.0.0--a",
	"1.0.0-20250101120000",
	"1.0.0-2147483648",
	"1.0.0-9999999999",
	"1.0.0-a",
	"1.0.0-A-",
	"1.0.0-a-b",
	"1.0.0-a0",
	"1.0.0-aa",
	"1.0.0-alpha 1.0-ALPHA+z",
	"1.0.0-alpha.1",
	"1.0.0-alpha.beta 1.0.0-ALPHA.Beta",
	"1.0.0-alpha.beta.1",
	"1.0.0-alpha1",
	"1.0.0-rc",
	"1.0.0-Z",
	"1.0.0 1.0.0+x 1.0 01.0.0.0",
	"1.0.0.1-b",
	"1.0.0.1",
	"1.0.1",
	"1.2",
	"1.10",
	"2.0-a",
	"2",
	"10",
	"2147483647",
}

func TestVersionOrder(t *testing.T) {
	for i, left := range orderedVersions {
		for j, right := range orderedVersions {
			for l := range strings.SplitSeq(left, " ") {
				for r := range strings.SplitSeq(right, " ") {
					a, b := mustVersion(t, l), mustVersion(t, r)
					if got, want := a.Compare(b), cmp.Compare(i, j); got != want {
						t.Errorf("compare %s with %s = %d, want %d", l, r, got, want)
					}
					if got, want := cmp.Compare(a.SortKey(), b.SortKey()), cmp.Compare(i, j); got != want {
						t.Errorf("sort keys of %s and %s: %d, want %d", l, r, got, want)
					}
				}
			}
		}
	}
}

func mustVersion(t testing.TB, s string) Version {
	t.Helper()
	v, err := ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func FuzzVersion(f *testing.F) {
	for i := range orderedVersions {
		f.Add(strings.Fields(orderedVersions[i])[0], strings.Fields(orderedVersions[(i*7+3)%len(orderedVersions)])[0])
	}
	f.Add(" 1 . 02 -A.b+007", "1.2.3.4-a")
	f.Fuzz(func(t *testing.T, s, other string) {
		v, err := ParseVersion(s)
		if err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		for _, form := range []string{v.String(), v.Full(), v.Original(), v.Key()} {
			again, err := ParseVersion(form)
			if err != nil {
				t.Fatalf("%q gives %q, which cannot be read: %v", s, form, err)
			}
			if again.Key() != v.Key() || again.SortKey() != v.SortKey() || again.Compare(v) != 0 {
				t.Errorf("%q and its form %q are not the same version", s, form)
			}
		}
		if full := mustVersion(t, v.Full()); full.Full() != v.Full() || full.IsSemVer2() != v.IsSemVer2() {
			t.Errorf("full form of %q: normalizing again gives %q", s, full.Full())
		}
		o, err := ParseVersion(other)
		if err != nil {
			return
		}
		if got, want := cmp.Compare(v.SortKey(), o.SortKey()), v.Compare(o); got != want || o.Compare(v) != -want {
			t.Errorf("%q and %q: sort keys %d, compare %d, the other way round %d", s, other, got, want, o.Compare(v))
		}
	})
}
