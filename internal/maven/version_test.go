package maven

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"testing"

	godiff "github.com/google/go-cmp/cmp"
)

// mavenOrder is in the ascending order that Maven 3.9.11's own comparison gave;
// spellings that it takes for one version stand in one line.
//
//go:embed testdata/versions.txt
var mavenOrder string

func TestVersionOrder(t *testing.T) {
	type place struct {
		line    int
		version string
	}
	var places []place
	for i, line := range strings.Split(strings.TrimSpace(mavenOrder), "\n") {
		for _, v := range strings.Fields(line) {
			places = append(places, place{i, v})
		}
	}
	if len(places) < 100 {
		t.Fatalf("only %d versions to compare", len(places))
	}
	for _, a := range places {
		for _, b := range places {
			want := cmp.Compare(a.line, b.line)
			if got := CompareVersions(a.version, b.version); got != want {
				t.Errorf("compare %s with %s = %d, want %d", a.version, b.version, got, want)
			}
			if got := strings.Compare(SortKey(a.version), SortKey(b.version)); got != want {
				t.Errorf("sort keys of %s and %s: %d, want %d", a.version, b.version, got, want)
			}
		}
		if key := SortKey(a.version); slices.ContainsFunc([]byte(key), func(c byte) bool { return c <= ' ' || c > '~' }) {
			t.Errorf("sort key of %s is %q", a.version, key)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	long := strings.Repeat("9", 300)
	tests := []struct {
		name, a, b string
		want       int
	}{
		{"hot-fix of an older line", "1.9.9", "2.0.0", -1},
		{"snapshot before its release", "1.0-SNAPSHOT", "1.0", -1},
		{"case", "1.0-RC1", "1.0-rc1", 0},
		{"nothing and zero", "", "0", 0},
		{"empty parts are zeros", "1..2", "1.0.2", 0},
		{"dots at the end", "1...", "1", 0},
		{"dash at the end", "1-", "1", 0},
		{"zeros before a dash", "1.0.0-foo.0.0", "1-foo", 0},
		{"zeros between", "1.0.1", "1.1", -1},
		{"leading zeros", "1.007", "1.7", 0},
		{"beyond every integer type", "1." + long, "1." + long + "0", -1},
		{"count of digits before digits", "1." + strings.Repeat("9", 254), "1.1" + strings.Repeat("0", 255), -1},
		{"service pack after the release", "1-sp", "1", 1},
		{"unknown words after the service pack", "1-sp", "1-x", -1},
		{"dash before dot", "1-2", "1.2", -1},
		{"a word is not its beginning", "1-foo", "1-foobar", -1},
		{"blank in a word", "1-foo bar", "1-foo", 1},
		{"letters that stand for words before digits only", "1-a1", "1-a", -1},
		{"alone they are words", "1-a", "1-alpha", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := CompareVersions(tt.a, tt.b); got != tt.want {
				t.Errorf("compare %q with %q = %d, want %d", tt.a, tt.b, got, tt.want)
			}
			if got := CompareVersions(tt.b, tt.a); got != -tt.want {
				t.Errorf("compare %q with %q = %d, want %d", tt.b, tt.a, got, -tt.want)
			}
		})
	}
}

func TestSortVersions(t *testing.T) {
	got := SortVersions(strings.Fields("2.0.0 1.0 1.9.9 1.0.0 1.0-SNAPSHOT 2.0.0 1.10 1.0"))
	want := strings.Fields("1.0-SNAPSHOT 1.0 1.0.0 1.9.9 1.10 2.0.0")
	if diff := godiff.Diff(got, want); diff != "" {
		t.Errorf("SortVersions (-got +want):\n%s", diff)
	}
}

func FuzzVersionOrder(f *testing.F) {
	versions := strings.Fields(mavenOrder)
	for i, v := range versions {
		f.Add(v, versions[(i*7+1)%len(versions)], versions[(i*11+3)%len(versions)])
	}
	f.Add("1-foo bar", "1-foo\x00", "1..-.")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		order := CompareVersions(a, b)
		if CompareVersions(b, a) != -order {
			t.Errorf("comparing %q and %q depends on the side", a, b)
		}
		if got := strings.Compare(SortKey(a), SortKey(b)); got != order {
			t.Errorf("sort keys %q and %q of %q and %q: %d, want %d", SortKey(a), SortKey(b), a, b, got, order)
		}
		if order <= 0 && CompareVersions(b, c) <= 0 && CompareVersions(a, c) > 0 {
			t.Errorf("%q, %q, %q are in order, but not the first and the last", a, b, c)
		}
		for _, suffix := range []string{".0", "-0", ".final", "-ga", "."} {
			if CompareVersions(a+suffix, a) != 0 && !strings.HasSuffix(a, "-") && a != "" {
				t.Errorf("%q differs from %q", a+suffix, a)
			}
		}
	})
}
