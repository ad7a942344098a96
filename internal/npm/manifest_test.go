package npm

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

func TestCheckManifests(t *testing.T) {
	tests := []struct {
		name, sent, packed string
		want               []string // fields that differ
	}{
		{"same", `"scripts":{"install":"x"},"dependencies":{"a":"^1"},"bin":{"lib":"x.js"}`, `"scripts":{"install":"x"},"dependencies":{"a":"^1"},"bin":{"lib":"x.js"}`, nil},
		{"other fields may differ", `"description":"a","devDependencies":{"a":"1"},"exports":{}`, `"main":"x","scripts":{"test":"x","prepare":"y"}`, nil},

		{"hidden install script", ``, `"scripts":{"install":"evil"}`, []string{"scripts.install"}},
		{"hidden preinstall script", `"scripts":{}`, `"scripts":{"preinstall":"evil"}`, []string{"scripts.preinstall"}},
		{"hidden postinstall script", `"scripts":{"postinstall":"good"}`, `"scripts":{"postinstall":"evil"}`, []string{"scripts.postinstall"}},
		{"install script that is not packed", `"scripts":{"install":"evil"}`, ``, []string{"scripts.install"}},
		{"script hidden behind another case", ``, `"scripts":{"install":"evil"},"Scripts":{}`, []string{"scripts.install"}},
		{"hook hidden behind another case", ``, `"scripts":{"install":"evil","Install":""}`, []string{"scripts.install"}},
		{"script in a key that comes twice", ``, `"scripts":{},"scripts":{"install":"evil"}`, []string{"scripts.install"}},
		{"script in an escaped key", ``, `"scr\u0069pts":{"inst\u0061ll":"evil"}`, []string{"scripts.install"}},
		{"npm builds binding.gyp", `"scripts":{"install":"node-gyp rebuild","test":"x"},"gypfile":true`, `"scripts":{"test":"x"}`, nil},
		{"but not beside a preinstall script", `"scripts":{"install":"node-gyp rebuild","preinstall":"x"}`, `"scripts":{"preinstall":"x"}`, []string{"scripts.install"}},
		{"npm cuts node_modules/.bin", `"scripts":{"install":"tool x"}`, `"scripts":{"install":"./node_modules/.bin/tool x"}`, nil},
		{"scripts of another shape", ``, `"scripts":"install"`, nil},
		{"scripts that are no texts", ``, `"scripts":{"install":false,"postinstall":null}`, nil},

		{"hidden dependency", ``, `"dependencies":{"evil":"1"}`, []string{"dependencies"}},
		{"dependency that is not packed", `"dependencies":{"evil":"1"}`, ``, []string{"dependencies"}},
		{"another range", `"dependencies":{"a":"^1"}`, `"dependencies":{"a":"^2"}`, []string{"dependencies"}},
		{"hidden optional dependency", ``, `"optionalDependencies":{"evil":"1"}`, []string{"dependencies"}},
		{"hidden peer dependency", ``, `"peerDependencies":{"evil":"1"}`, []string{"peerDependencies"}},
		{"dependency hidden behind another case", ``, `"dependencies":{"evil":"1"},"DEPENDENCIES":{}`, []string{"dependencies"}},
		{"npm 6 copies optional dependencies", `"dependencies":{"a":"1","b":"2"},"optionalDependencies":{"b":"2"}`, `"dependencies":{"a":"1"},"optionalDependencies":{"b":"2"}`, nil},
		{"yarn 1 takes them out", `"dependencies":{"a":"1"},"optionalDependencies":{"b":"2"}`, `"dependencies":{"a":"1","b":"2"},"optionalDependencies":{"b":"2"}`, nil},
		{"null, empty and missing", `"dependencies":{},"peerDependencies":{}`, `"dependencies":null,"optionalDependencies":[]`, nil},
		{"values that are no texts", `"dependencies":{"a":"1"}`, `"dependencies":{"a":"1","b":2,"c":null}`, nil},
		{"list", `"dependencies":{"a":"^1","@s/b":"2","c":"","d":">1"}`, `"dependencies":["a@^1","@s/b@2","c","d >1"]`, nil},
		{"list that hides one", `"dependencies":{"a":"^1"}`, `"dependencies":["a@^1","evil@1"]`, []string{"dependencies"}},
		{"text", `"dependencies":{"a":"^1","b":"2"}`, `"dependencies":"a@^1, b@2"`, nil},
		{"blanks in a range", `"dependencies":{"a":">=1 <2"}`, `"dependencies":{"a":" >=1   <2 "}`, nil},
		{"workspace range replaced", `"dependencies":{"a":"^1.2.0"}`, `"dependencies":{"a":"workspace:^"}`, nil},
		{"catalogue range replaced", `"dependencies":{"a":"catalog:"}`, `"dependencies":{"a":"^1.2.0"}`, nil},
		{"git host written anew", `"dependencies":{"a":"github:o/r","b":"git+ssh://git@github.com/o/r.git#v1"}`, `"dependencies":{"a":"o/r","b":"git@github.com:o/r.git#v1"}`, nil},
		{"git host in full", `"dependencies":{"a":"git+https://gitlab.com/o/p/r.git#abc"}`, `"dependencies":{"a":"gitlab:o/p/r#abc"}`, nil},
		{"gist", `"dependencies":{"a":"gist:me/0123#x"}`, `"dependencies":{"a":"git+https://gist.github.com/0123.git#x"}`, nil},
		{"another repository", `"dependencies":{"a":"github:good/r"}`, `"dependencies":{"a":"evil/r"}`, []string{"dependencies"}},
		{"another commit", `"dependencies":{"a":"github:o/r#1"}`, `"dependencies":{"a":"o/r#2"}`, []string{"dependencies"}},
		{"repository for a range", `"dependencies":{"a":"^1"}`, `"dependencies":{"a":"github:evil/r"}`, []string{"dependencies"}},
		{"alias", `"dependencies":{"a":"^1"}`, `"dependencies":{"a":"npm:evil@1"}`, []string{"dependencies"}},

		{"hidden program", ``, `"bin":{"ls":"evil.js"}`, []string{"bin"}},
		{"another file", `"bin":{"lib":"good.js"}`, `"bin":{"lib":"evil.js"}`, []string{"bin"}},
		{"text", `"bin":{"lib":"x.js"}`, `"bin":"./x.js"`, nil},
		{"text with the scope", `"bin":{"@acme/lib":"x.js"}`, `"bin":"x.js"`, nil},
		{"list", `"bin":{"a.js":"bin/a.js","b":"bin/b"}`, `"bin":["bin/a.js","./bin/b"]`, nil},
		{"paths that lead out", `"bin":{"a":"x.js"}`, `"bin":{"../../a":"../../x.js","":"y","b":1}`, nil},
		{"backslashes", `"bin":{"a":"bin/x.js"}`, `"bin":{"a":".\\bin\\x.js"}`, nil},
		{"folder of programs", `"bin":{"a":"bin/a","b":"bin/b.js"}`, `"directories":{"bin":"./bin"}`, nil},
		{"folder of programs, not expanded", ``, `"directories":{"bin":"bin"}`, nil},
		{"program outside the folder", `"bin":{"a":"evil/a"}`, `"directories":{"bin":"bin"}`, []string{"bin"}},
		{"empty", `"bin":{}`, `"bin":""`, nil},

		{"several", `"bin":"x"`, `"scripts":{"install":"x"},"dependencies":{"a":"1"}`, []string{"scripts.install", "dependencies", "bin"}},
	}
	name := mustName(t, "@acme/lib")
	whole := func(fields string) []byte {
		if fields != "" {
			fields = "," + fields
		}
		return []byte(`{"name":"@acme/lib","version":"1.0.0"` + fields + `}`)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := WarnOfConfusion.Check(whole(tt.sent), whole(tt.packed), name, "1.0.0")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
			if got, err := IgnoreConfusion.Check(whole(tt.sent), whole(tt.packed), name, "1.0.0"); err != nil || got != nil {
				t.Errorf("ignored: %v, %v", got, err)
			}
			err = compareManifests(whole(tt.sent), whole(tt.packed), name, "1.0.0")
			if refused := err != nil; refused != (tt.want != nil) {
				t.Errorf("refused = %v (%v)", refused, err)
			}
			if err != nil && (registry.KindOf(err) != registry.Invalid || !strings.Contains(err.Error(), strings.Join(tt.want, ", "))) {
				t.Errorf("got %v: %v, want invalid about %v", registry.KindOf(err), err, tt.want)
			}
		})
	}
}

func TestCheckManifestsIdentity(t *testing.T) {
	name := mustName(t, "lib")
	tests := []struct {
		name, packed string
		ok           bool
	}{
		{"same", `{"name":"lib","version":"1.0.0"}`, true},
		{"build metadata", `{"name":"lib","version":"1.0.0+build.7"}`, true},
		{"leading v and blanks", `{"name":" lib ","version":" v1.0.0"}`, true},
		{"another name", `{"name":"evil","version":"1.0.0"}`, false},
		{"another name behind another case", `{"name":"evil","version":"1.0.0","NAME":"lib"}`, false},
		{"another version", `{"name":"lib","version":"2.0.0"}`, false},
		{"prerelease", `{"name":"lib","version":"1.0.0-rc"}`, false},
		{"another version behind another case", `{"name":"lib","version":"2.0.0","Version":"1.0.0"}`, false},
		{"no name", `{"version":"1.0.0"}`, false},
		{"no version", `{"name":"lib"}`, false},
		{"name of another shape", `{"name":["lib"],"version":"1.0.0"}`, false},
		{"not JSON", `{"name":"lib","version":"1.0.0",}`, false},
		{"array", `[]`, false},
		{"empty", ``, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, mode := range []ConfusionMode{RefuseConfusion, WarnOfConfusion, IgnoreConfusion} {
				_, err := mode.Check([]byte(`{"name":"lib","version":"1.0.0"}`), []byte(tt.packed), name, "1.0.0")
				if got := err == nil; got != tt.ok || err != nil && registry.KindOf(err) != registry.Invalid {
					t.Errorf("mode %d: accepted = %v, want %v (%v)", mode, got, tt.ok, err)
				}
			}
		})
	}
	for _, sent := range []string{
		`{"name":"evil","version":"1.0.0","NAME":"lib"}`, `{"name":"lib","version":"9.0.0","Version":"1.0.0"}`, `{"Name":"lib","Version":"1.0.0"}`,
	} {
		if err := compareManifests([]byte(sent), []byte(`{"name":"lib","version":"1.0.0"}`), name, "1.0.0"); registry.KindOf(err) != registry.Invalid {
			t.Errorf("manifest %s: %v, want invalid", sent, err)
		}
	}
	if err := compareManifests([]byte(`"x"`), []byte(`{"name":"lib","version":"1.0.0"}`), name, "1.0.0"); registry.KindOf(err) != registry.Invalid {
		t.Errorf("manifest of another shape: %v", err)
	}
}

// FuzzCheckManifests checks that a manifest never differs from itself, nor from
// what we store of it, and that the order of the two does not matter for what
// is neither a script nor a folder of programs.
func FuzzCheckManifests(f *testing.F) {
	f.Add(`{"name":"lib","version":"1.0.0","bin":["a","b/c"],"dependencies":["a@1","@b/c@2"]}`, `{"name":"lib","version":"v1.0.0"}`)
	f.Add(`{"name":"lib","version":"1.0.0","bin":"x","directories":{"bin":"b"},"optionalDependencies":{"a":"o/r#x"}}`, `{"name":"lib","version":"1.0.0","dependencies":"a o/r#x"}`)
	name := mustName(f, "lib")
	f.Fuzz(func(t *testing.T, a, b string) {
		if _, err := WarnOfConfusion.Check([]byte(a), []byte(a), name, "1.0.0"); err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		if err := compareManifests([]byte(a), []byte(a), name, "1.0.0"); err != nil && !strings.Contains(a, "directories") {
			t.Errorf("%s differs from itself: %v", a, err)
		}
		one, err := WarnOfConfusion.Check([]byte(a), []byte(b), name, "1.0.0")
		if err != nil {
			return
		}
		other, err := WarnOfConfusion.Check([]byte(b), []byte(a), name, "1.0.0")
		if err != nil {
			return
		}
		for _, field := range []string{"dependencies", "peerDependencies"} {
			if strings.Contains(strings.Join(one, " ")+" ", field+" ") != strings.Contains(strings.Join(other, " ")+" ", field+" ") {
				t.Errorf("%s of %s and %s depend on the side", field, a, b)
			}
		}
	})
}

// compareManifests is Check as publishing uses it by default.
func compareManifests(sent, packed []byte, name Name, version string) error {
	_, err := RefuseConfusion.Check(sent, packed, name, version)
	return err
}
