package npm

import (
	"net/url"
	"strings"
	"testing"

	"pakhus/internal/registry"
)

func TestParseName(t *testing.T) {
	long := strings.Repeat("a", maxNewName+1)
	tests := []struct {
		name     string
		in       string
		readable bool
		new      bool
	}{
		{"plain", "lodash", true, true},
		{"scoped", "@acme/lib", true, true},
		{"one character", "a", true, true},
		{"digits", "42", true, true},
		{"all separators inside", "a-b_c.d", true, true},
		{"ends in tgz", "foo.tgz", true, true},
		{"scoped underscore", "@a/_b", true, true},
		{"scoped hyphen", "@a/-x", true, true},
		{"scope hyphen", "@-a/b", true, true},
		{"scoped dot", "@a/.b", false, false},
		{"scope dot", "@.a/b", true, false},
		{"scope dots", "@../b", false, false},
		{"upper case", "JSONStream", true, false},
		{"upper case scope", "@Acme/lib", true, false},
		{"tilde", "a~b", true, false},
		{"quote", "a'b", true, false},
		{"bang", "a!b", true, false},
		{"parentheses", "a(b)", true, false},
		{"star", "a*b", true, false},
		{"214 characters", long[1:], true, true},
		{"215 characters", long, true, false},
		{"far too long", strings.Repeat("a", maxOldName+1), false, false},
		{"core module", "fs", true, false},
		{"core module with underscore", "child_process", true, false},
		{"scoped like a core module", "@acme/fs", true, true},
		{"only with the node prefix", "test", true, true},
		{"property of objects", "constructor", true, true},
		{"another", "toString", true, false},
		{"empty", "", false, false},
		{"hyphen", "-", false, false},
		{"leading hyphen", "-a", false, false},
		{"leading underscore", "_a", false, false},
		{"prototype", "__proto__", false, false},
		{"leading dot", ".a", false, false},
		{"dots", "..", false, false},
		{"blank inside", "a b", false, false},
		{"leading blank", " a", false, false},
		{"trailing blank", "a ", false, false},
		{"trailing line feed", "a\n", false, false},
		{"slash", "a/b", false, false},
		{"scope with two slashes", "@a/b/c", false, false},
		{"scope alone", "@a", false, false},
		{"scope and slash", "@a/", false, false},
		{"no scope", "@/a", false, false},
		{"at sign inside", "a@b", false, false},
		{"percent", "a%2fb", false, false},
		{"backslash", `a\b`, false, false},
		{"NUL", "a\x00", false, false},
		{"not ASCII", "naïve", false, false},
		{"Cyrillic letter that looks Latin", "lоdash", false, false},
		{"plus", "a+b", false, false},
		{"node_modules", "node_modules", false, false},
		{"Node_Modules", "Node_Modules", false, false},
		{"favicon", "favicon.ico", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := ParseName(tt.in)
			if got := err == nil; got != tt.readable {
				t.Fatalf("ParseName(%q) accepted = %v, want %v (%v)", tt.in, got, tt.readable, err)
			}
			if err != nil {
				if got := registry.KindOf(err); got != registry.Invalid {
					t.Errorf("kind = %v, want invalid", got)
				}
				return
			}
			err = n.CheckNew()
			if got := err == nil; got != tt.new {
				t.Errorf("CheckNew(%q) accepted = %v, want %v (%v)", tt.in, got, tt.new, err)
			}
			if err != nil && registry.KindOf(err) != registry.Invalid {
				t.Errorf("kind = %v, want invalid", registry.KindOf(err))
			}
		})
	}
}

func TestNameParts(t *testing.T) {
	n, err := ParseName("@acme/lib")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range [][3]string{
		{"Scope", n.Scope(), "acme"},
		{"Base", n.Base(), "lib"},
		{"String", n.String(), "@acme/lib"},
		{"Escaped", n.Escaped(), "@acme%2flib"},
		{"Key", n.Key(), "@acme/lib"},
	} {
		if got, want := tt[1], tt[2]; got != want {
			t.Errorf("%s = %q, want %q", tt[0], got, want)
		}
	}
}

func TestTwinKey(t *testing.T) {
	tests := []struct {
		name string
		a, b string
		same bool
	}{
		{"case", "Foo", "foo", true},
		{"hyphen", "react-native", "reactnative", true},
		{"hyphen and dot", "a-b", "a.b", true},
		{"scope", "@my-org/x", "@myorg/x", true},
		{"other letters", "foo", "fop", false},
		{"scoped and not", "@a/b", "ab", false},
		{"slash keeps its place", "@ab/c", "@a/bc", false},
		{"punctuation alone", "@a/_", "@a/-", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, errA := ParseName(tt.a)
			b, errB := ParseName(tt.b)
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			if got := a.TwinKey() == b.TwinKey(); got != tt.same {
				t.Errorf("%q and %q: same twin key = %v, want %v", tt.a, tt.b, got, tt.same)
			}
		})
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"lodash", "@acme/lib", "@a/_b", "JSONStream", "..", "@../x", "a%2fb", "@a/b/c", "-", "__proto__"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseName(s)
		if err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		if n.String() != s {
			t.Errorf("ParseName(%q) prints as %q", s, n)
		}
		if again, err := url.PathUnescape(n.Escaped()); err != nil || again != s {
			t.Errorf("%q escapes to %q", s, n.Escaped())
		}
		if strings.ContainsAny(n.Base()+n.Scope(), "/\\@%\x00 ") || strings.HasPrefix(n.Base(), ".") {
			t.Errorf("ParseName(%q) let a dangerous part through", s)
		}
		if twin, err := ParseName(strings.ToLower(s)); err == nil && twin.TwinKey() != n.TwinKey() {
			t.Errorf("%q and its lower-case form have different twin keys", s)
		}
	})
}
