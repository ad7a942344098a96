package npm

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

// TestRangeVectors proves that we read ranges as node-semver does.
func TestRangeVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/ranges.txt")
	if err != nil {
		t.Fatal(err)
	}
	var versions []Version
	tested := 0
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if list, ok := strings.CutPrefix(line, "versions: "); ok {
			for _, s := range strings.Fields(list) {
				versions = append(versions, mustVersion(t, s))
			}
			continue
		}
		text, want, ok := strings.Cut(line, " =>")
		if !ok {
			continue
		}
		tested++
		want = strings.TrimSpace(want)
		r, err := ParseRange(text)
		if err != nil {
			if registry.KindOf(err) != registry.Invalid || want != "invalid" {
				t.Errorf("%q: %v, want %s", text, err, want)
			}
			continue
		}
		var held []string
		for _, v := range versions {
			if r.Contains(v) {
				held = append(held, v.String())
			}
		}
		if diff := cmp.Diff(strings.Join(held, " "), want); diff != "" {
			t.Errorf("%q holds other versions (-got +want):\n%s", text, diff)
		}
	}
	if tested < 100 || len(versions) == 0 {
		t.Errorf("only %d vectors read", tested)
	}
}

func TestMaxSatisfying(t *testing.T) {
	versions := []string{"1.10.0", "1.2.0", "not a version", "2.0.0-rc.1", "1.9.0"}
	tests := []struct{ name, in, want string }{
		{"by number, not by text", "^1", "1.10.0"},
		{"star", "*", "1.10.0"},
		{"prerelease named", "2.0.0-rc.0 || ^2.0.0-rc.0", "2.0.0-rc.1"},
		{"none", ">=3", ""},
		{"not a range", "latest", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := MaxSatisfying(versions, tt.in)
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("MaxSatisfying(%q) = %q, %v, want %q", tt.in, got, ok, tt.want)
			}
		})
	}
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"^1.2.3", "~>1.2", "1 - 2", ">= 1 <2 || 3.x", "1.2.3*", "x", "v1", ">=0.0.0-0"} {
		f.Add(s, "1.2.3-beta.1")
	}
	f.Fuzz(func(t *testing.T, s, version string) {
		r, err := ParseRange(s)
		if err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		if len(s) > maxRange {
			t.Fatalf("a range of %d bytes was read", len(s))
		}
		if strings.ContainsFunc(s, func(r rune) bool {
			return !strings.ContainsRune(" <>=~^|*+-.", r) && r < 0x80 && !isIdentifierByte(byte(r)) && !isJavaScriptSpace(r)
		}) {
			t.Errorf("range %q was read in spite of its characters", s)
		}
		again, err := ParseRange(" " + s + "  ")
		if err != nil && len(s)+3 <= maxRange {
			t.Fatalf("blanks around %q: %v", s, err)
		}
		v, errVersion := ParseVersion(version)
		if err == nil && errVersion == nil && r.Contains(v) != again.Contains(v) {
			t.Errorf("blanks around %q change what it holds", s)
		}
		if either, err := ParseRange(s + "||>999"); err == nil && errVersion == nil && v.major < 999 && !v.IsPrerelease() && r.Contains(v) != either.Contains(v) {
			t.Errorf("an alternative changes whether %q holds %s", s, v)
		}
	})
}
