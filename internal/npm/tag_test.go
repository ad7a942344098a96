package npm

import (
	"strings"
	"testing"

	"pakhus/internal/registry"
)

func TestCheckTag(t *testing.T) {
	tests := []struct {
		name string
		in   string
		ok   bool
	}{
		{"latest", "latest", true},
		{"with number", "next-11", true},
		{"begins like a version", "v1-lts", true},
		{"prototype", "__proto__", true},
		{"accents", "bêta", true},
		{"214 characters", strings.Repeat("t", 214), true},
		{"215 characters", strings.Repeat("t", 215), false},
		{"1 KiB", strings.Repeat("t", 1024), false},
		{"empty", "", false},
		{"version", "1.0.0", false},
		{"v and version", "v1.0.0", false},
		{"number", "1", false},
		{"v and number", "v1", false},
		{"x range", "1.x", false},
		{"x", "x", false},
		{"caret", "^1", false},
		{"star", "*", false},
		{"comparison", ">=2", false},
		{"traversal", "../x", false},
		{"slash", "a/b", false},
		{"backslash", `a\b`, false},
		{"dot", ".", false},
		{"dots", "..", false},
		{"escape", "a%2fb", false},
		{"blank", "a b", false},
		{"leading blank", " latest", false},
		{"no-break space", "a\u00a0b", false},
		{"line feed", "latest\n", false},
		{"NUL", "a\x00", false},
		{"delete", "a\x7f", false},
		{"C1 control", "a\u0085", false},
		{"direction mark", "a\u202eb", false},
		{"zero width", "la\u200btest", false},
		{"invalid UTF-8", "a\xff", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckTag(tt.in)
			if got := err == nil; got != tt.ok {
				t.Errorf("CheckTag(%q) accepted = %v, want %v (%v)", tt.in, got, tt.ok, err)
			}
			if err != nil && registry.KindOf(err) != registry.Invalid {
				t.Errorf("kind = %v, want invalid", registry.KindOf(err))
			}
		})
	}
}
