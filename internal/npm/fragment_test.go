package npm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

var testState = State{
	Integrity: "sha512-AAAA", Shasum: "0123", FileCount: 3, UnpackedSize: 42, NpmUser: person{Name: "bob", Email: "bob@example.org"},
}

const (
	testUser = `"_npmUser":{"name":"bob","email":"bob@example.org"}`
	testDist = `"dist":{"integrity":"sha512-AAAA","shasum":"0123","fileCount":3,"unpackedSize":42,"tarball":"`
	testBoth = `"maintainers":[{"name":"bob","email":"bob@example.org"}],` + testUser
)

func TestFragments(t *testing.T) {
	state := func(change func(*State)) State {
		s := testState
		change(&s)
		return s
	}
	tests := []struct {
		name              string
		manifest          string
		state             State
		full, abbreviated string
	}{
		{
			"smallest", `{"name":"lib","version":"1.0.0"}`, testState,
			`{"name":"lib","version":"1.0.0","_id":"lib@1.0.0",` + testBoth + `,` + testDist,
			`{"name":"lib","version":"1.0.0",` + testUser + `,` + testDist,
		},
		{
			"blanks go, order and unknown fields stay",
			"{ \"exports\" : { \"b\" : [ 1 , 2.50 ] , \"a b\" : \" x \" },\n\"version\": \"1.0.0\", \"name\": \"lib\", \"volta\": {} }", testState,
			`{"exports":{"b":[1,2.50],"a b":" x "},"version":"1.0.0","name":"lib","volta":{},"_id":"lib@1.0.0",` + testBoth + `,` + testDist,
			`{"version":"1.0.0","name":"lib",` + testUser + `,` + testDist,
		},
		{
			"the registry's fields are its own",
			`{"name":"lib","_id":"x","dist":{"tarball":"http://evil"},"version":"1.0.0","_npmUser":{"name":"eve"},"maintainers":["eve"],"deprecated":"x","hasInstallScript":false,"_hasShrinkwrap":true}`,
			testState,
			`{"name":"lib","version":"1.0.0","_id":"lib@1.0.0",` + testBoth + `,` + testDist,
			`{"name":"lib","version":"1.0.0",` + testUser + `,` + testDist,
		},
		{
			"abbreviated keeps what installs need",
			`{"name":"lib","version":"1.0.0","description":"no","dependencies":{"a":"^1"},"optionalDependencies":{"b":"1"},"devDependencies":{"c":"1"},` +
				`"peerDependencies":{"d":"*"},"peerDependenciesMeta":{"d":{"optional":true}},"acceptDependencies":{"a":"2"},"bundleDependencies":true,` +
				`"bin":"x.js","directories":{},"engines":["node"],"os":"linux","cpu":["x64"],"libc":["glibc"],"funding":["u"],"scripts":{"install":"x"}}`,
			state(func(s *State) { s.HasInstallScript, s.HasShrinkwrap = true, true }),
			`{"name":"lib","version":"1.0.0","description":"no","dependencies":{"a":"^1"},"optionalDependencies":{"b":"1"},"devDependencies":{"c":"1"},` +
				`"peerDependencies":{"d":"*"},"peerDependenciesMeta":{"d":{"optional":true}},"acceptDependencies":{"a":"2"},"bundleDependencies":true,` +
				`"bin":"x.js","directories":{},"engines":["node"],"os":"linux","cpu":["x64"],"libc":["glibc"],"funding":["u"],"scripts":{"install":"x"},` +
				`"_id":"lib@1.0.0",` + testBoth + `,"hasInstallScript":true,"_hasShrinkwrap":true,` + testDist,
			`{"name":"lib","version":"1.0.0","dependencies":{"a":"^1"},"optionalDependencies":{"b":"1"},"devDependencies":{"c":"1"},` +
				`"peerDependencies":{"d":"*"},"peerDependenciesMeta":{"d":{"optional":true}},"acceptDependencies":{"a":"2"},"bundleDependencies":true,` +
				`"bin":"x.js","directories":{},"engines":["node"],"os":"linux","cpu":["x64"],"libc":["glibc"],"funding":["u"],` +
				testUser + `,"hasInstallScript":true,"_hasShrinkwrap":true,` + testDist,
		},
		{
			"the other spelling of bundleDependencies",
			`{"name":"lib","version":"1.0.0","bundledDependencies":["a"]}`, testState,
			`{"name":"lib","version":"1.0.0","bundledDependencies":["a"],"_id":"lib@1.0.0",` + testBoth + `,` + testDist,
			`{"name":"lib","version":"1.0.0","bundleDependencies":["a"],` + testUser + `,` + testDist,
		},
		{
			"both spellings",
			`{"name":"lib","version":"1.0.0","bundledDependencies":["a"],"bundleDependencies":["b"]}`, testState,
			`{"name":"lib","version":"1.0.0","bundledDependencies":["a"],"bundleDependencies":["b"],"_id":"lib@1.0.0",` + testBoth + `,` + testDist,
			`{"name":"lib","version":"1.0.0","bundleDependencies":["b"],` + testUser + `,` + testDist,
		},
		{
			"deprecated and signed", `{"name":"@acme/lib","version":"1.0.0"}`,
			state(func(s *State) {
				s.Deprecated = "use \"x\"\n</script>\x01"
				s.Signatures = []Signature{{"SHA256:a", "s1"}, {"SHA256:b", "s2"}}
			}),
			`{"name":"@acme/lib","version":"1.0.0","_id":"@acme/lib@1.0.0",` + testBoth + `,"deprecated":"use \"x\"\n</script>\u0001",` +
				`"dist":{"integrity":"sha512-AAAA","shasum":"0123","fileCount":3,"unpackedSize":42,"signatures":[{"keyid":"SHA256:a","sig":"s1"},{"keyid":"SHA256:b","sig":"s2"}],"tarball":"`,
			`{"name":"@acme/lib","version":"1.0.0",` + testUser + `,"deprecated":"use \"x\"\n</script>\u0001",` +
				`"dist":{"integrity":"sha512-AAAA","shasum":"0123","fileCount":3,"unpackedSize":42,"signatures":[{"keyid":"SHA256:a","sig":"s1"},{"keyid":"SHA256:b","sig":"s2"}],"tarball":"`,
		},
		{
			"imported, publisher unknown", `{"name":"lib","version":"1.0.0","maintainers":[{"name":"al"}]}`,
			State{Integrity: "sha512-AAAA", Shasum: "0123"},
			`{"name":"lib","version":"1.0.0","maintainers":[{"name":"al"}],"_id":"lib@1.0.0","dist":{"integrity":"sha512-AAAA","shasum":"0123","tarball":"`,
			`{"name":"lib","version":"1.0.0","dist":{"integrity":"sha512-AAAA","shasum":"0123","tarball":"`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			full, err := FullFragment([]byte(tt.manifest), tt.state)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(full), tt.full); diff != "" {
				t.Errorf("full (-got +want):\n%s", diff)
			}
			abbreviated, err := AbbreviatedFragment([]byte(tt.manifest), tt.state)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(abbreviated), tt.abbreviated); diff != "" {
				t.Errorf("abbreviated (-got +want):\n%s", diff)
			}
			for _, fragment := range [][]byte{full, abbreviated} {
				if whole := string(fragment) + `http://x"}}`; !json.Valid([]byte(whole)) {
					t.Errorf("not JSON when completed: %s", whole)
				}
			}
		})
	}
}

func TestFragmentsRefuse(t *testing.T) {
	for _, manifest := range []string{`{}`, `{"name":"lib"}`, `{"name":1,"version":"1.0.0"}`, `[]`, `null`, ``} {
		if _, err := FullFragment([]byte(manifest), testState); registry.KindOf(err) != registry.Invalid {
			t.Errorf("FullFragment(%s): %v, want invalid", manifest, err)
		}
		if _, err := AbbreviatedFragment([]byte(manifest), testState); registry.KindOf(err) != registry.Invalid {
			t.Errorf("AbbreviatedFragment(%s): %v, want invalid", manifest, err)
		}
	}
}

// TestPolymorphicFields is the row of npm.md 20: package.json fields have any
// shape, and all of them are served as they came.
func TestPolymorphicFields(t *testing.T) {
	for _, field := range []string{
		`"bin":"x"`, `"bin":{}`, `"license":{"type":"MIT"}`, `"licenses":[{"type":"MIT"}]`, `"repository":"a/b"`, `"author":{"name":"a"}`,
		`"keywords":"a b"`, `"bundleDependencies":true`, `"bundleDependencies":false`, `"bundleDependencies":[]`, `"engines":[]`, `"os":"linux"`,
		`"funding":[1,"a"]`, `"dependencies":[]`, `"dependencies":null`, `"man":["a.1"]`, `"version2":1e400`, `"__x":-0.0`, `"exports":{".":null}`,
	} {
		t.Run(field, func(t *testing.T) {
			m, err := StripManifest([]byte(`{"name":"lib",` + field + `,"version":"1.0.0"}`))
			if err != nil {
				t.Fatal(err)
			}
			full, err := FullFragment(m.JSON, testState)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(full), field) {
				t.Errorf("%s is not in %s", field, full)
			}
			if _, err := TopFragment(m.JSON, "", ""); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTopFragment(t *testing.T) {
	manyKeywords := `["k"` + strings.Repeat(`,"k"`, 150) + `]`
	tests := []struct {
		name, manifest, readme, want string
	}{
		{"empty", `{"name":"lib","version":"1.0.0"}`, "", `{"readme":"","readmeFilename":"README.md"}`},
		{
			"fields of the package, in its order",
			`{"license":"MIT","name":"lib","description":"d","exports":{},"author":{"name":"a"},"bugs":{},"contributors":[],"repository":"a/b","homepage":"h","keywords":["k"]}`,
			"# Hi\n",
			`{"license":"MIT","description":"d","author":{"name":"a"},"bugs":{},"contributors":[],"repository":"a/b","homepage":"h","keywords":["k"],"readme":"# Hi\n","readmeFilename":"README.md"}`,
		},
		{
			"long description", `{"description":"` + strings.Repeat("é", 5000) + `"}`, "",
			`{"description":"` + strings.Repeat("é", 4096) + `","readme":"","readmeFilename":"README.md"}`,
		},
		{
			"many keywords", `{"keywords":` + manyKeywords + `}`, "",
			`{"keywords":["k"` + strings.Repeat(`,"k"`, 99) + `],"readme":"","readmeFilename":"README.md"}`,
		},
		{
			"long readme, cut between characters", `{}`, "a" + strings.Repeat("é", 40<<10),
			`{"readme":"a` + strings.Repeat("é", 32<<10-1) + `","readmeFilename":"README.md"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := TopFragment([]byte(tt.manifest), tt.readme, "README.md")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(got), tt.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
	if _, err := TopFragment([]byte("[]"), "", ""); registry.KindOf(err) != registry.Invalid {
		t.Errorf("an array: %v, want invalid", err)
	}
}

func TestStripManifest(t *testing.T) {
	tests := []struct {
		name, in string
		want     Manifest
	}{
		{
			"readme goes apart", `{"name":"lib","readme":"# Hi","readmeFilename":"README.md","version":"1.0.0"}`,
			Manifest{JSON: []byte(`{"name":"lib","version":"1.0.0"}`), Readme: "# Hi", ReadmeFilename: "README.md"},
		},
		{
			"what leaks", `{"_resolved":"/tmp/x","_from":"file:x","_integrity":"i","_where":"/","_args":[],"_requested":{},"_inBundle":false,"name":"lib"}`,
			Manifest{JSON: []byte(`{"name":"lib"}`)},
		},
		{
			"what bun puts beside dist", `{"name":"lib","_id":"lib@1.0.0","integrity":"i","shasum":"s","dist":{"tarball":"t"}}`,
			Manifest{JSON: []byte(`{"name":"lib"}`)},
		},
		{
			"what the publishing tool says of itself stays", `{"name":"lib","_nodeVersion":"20","_npmVersion":"11","gitHead":"abc"}`,
			Manifest{JSON: []byte(`{"name":"lib","_nodeVersion":"20","_npmVersion":"11","gitHead":"abc"}`)},
		},
		{
			"fields of that name further in stay", `{"name":"lib","x":{"readme":"r","dist":1}}`,
			Manifest{JSON: []byte(`{"name":"lib","x":{"readme":"r","dist":1}}`)},
		},
		{
			"escaped key", `{"name":"lib","r\u0065adme":"x","a\u0062":1}`,
			Manifest{JSON: []byte(`{"name":"lib","a\u0062":1}`), Readme: "x"},
		},
		{"readme of another shape", `{"readme":{"a":1},"readmeFilename":false}`, Manifest{JSON: []byte(`{}`)}},
		{"lone surrogate", `{"readme":"a\ud800b"}`, Manifest{JSON: []byte(`{}`), Readme: "a\ufffdb"}},
		{"deprecated with a text", `{"deprecated":"old"}`, Manifest{JSON: []byte(`{}`), Deprecated: "old"}},
		{"deprecated true", `{"deprecated":true}`, Manifest{JSON: []byte(`{}`), Deprecated: "this version is deprecated"}},
		{"deprecated false", `{"deprecated":false}`, Manifest{JSON: []byte(`{}`)}},
		{"deprecated empty", `{"deprecated":""}`, Manifest{JSON: []byte(`{}`)}},
		{"deprecated null", `{"deprecated":null}`, Manifest{JSON: []byte(`{}`)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := StripManifest([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
	for _, in := range []string{``, `null`, `[]`, `"x"`, `{`, `{"a":1}x`} {
		if _, err := StripManifest([]byte(in)); registry.KindOf(err) != registry.Invalid {
			t.Errorf("StripManifest(%q): %v, want invalid", in, err)
		}
	}
}

func TestHasInstallScript(t *testing.T) {
	tests := []struct {
		name, manifest string
		gyp, want      bool
	}{
		{"none", `{}`, false, false},
		{"preinstall", `{"scripts":{"preinstall":"x"}}`, false, true},
		{"install", `{"scripts":{"install":"x"}}`, false, true},
		{"postinstall", `{"scripts":{"postinstall":"x"}}`, false, true},
		{"empty", `{"scripts":{"install":""}}`, false, false},
		{"not a text", `{"scripts":{"install":{}}}`, false, false},
		{"scripts of another shape", `{"scripts":"install"}`, false, false},
		{"prepare runs at home", `{"scripts":{"prepare":"x"}}`, false, false},
		{"binding.gyp", `{}`, true, true},
		{"gypfile true", `{"gypfile":true}`, true, true},
		{"gypfile false", `{"gypfile":false}`, true, false},
		{"gypfile false with a script", `{"gypfile":false,"scripts":{"install":"x"}}`, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := HasInstallScript([]byte(tt.manifest), tt.gyp); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// FuzzFragments checks that no manifest breaks the document it becomes a part
// of, and that nothing of it is lost or changed.
func FuzzFragments(f *testing.F) {
	for _, s := range []string{
		`{"name":"lib","version":"1.0.0"}`, `{"version":"1","name":"a","readme":"x\ud800","deprecated":true,"dist":{}}`,
		"{ \"name\" : \"\\u0061\" , \"version\":\"2\", \"x\":[ {} , [ ] , -1.5e3 , null ] }", `{"name":"a","version":"1","bundledDependencies":true}`,
	} {
		f.Add(s, "text \" with \\ quotes")
	}
	f.Fuzz(func(t *testing.T, raw, text string) {
		m, err := StripManifest([]byte(raw))
		if err != nil {
			return
		}
		if again, err := StripManifest(m.JSON); err != nil || !bytes.Equal(again.JSON, m.JSON) {
			t.Errorf("stripping twice changes %s to %s (%v)", m.JSON, again.JSON, err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, m.JSON); err != nil || compact.String() != string(m.JSON) {
			t.Fatalf("%q strips to %q, which is not compact JSON (%v)", raw, m.JSON, err)
		}
		s := testState
		s.Deprecated = text
		full, err := FullFragment(m.JSON, s)
		if err != nil {
			return
		}
		abbreviated, err := AbbreviatedFragment(m.JSON, s)
		if err != nil {
			t.Fatalf("full but not abbreviated: %v", err)
		}
		top, err := TopFragment(m.JSON, text, text)
		if err != nil || !json.Valid(top) {
			t.Fatalf("top of %s: %s, %v", m.JSON, top, err)
		}
		var sent map[string]json.RawMessage
		if err := json.Unmarshal(m.JSON, &sent); err != nil {
			t.Fatal(err)
		}
		for _, fragment := range [][]byte{full, abbreviated} {
			var served map[string]json.RawMessage
			if err := json.Unmarshal(append(bytes.Clone(fragment), `x"}}`...), &served); err != nil {
				t.Fatalf("%s: %v", fragment, err)
			}
			for key, value := range sent {
				if abbreviatedFields[key] && key != "bundledDependencies" && string(served[key]) != string(value) {
					t.Errorf("%s is served as %s, was %s", key, served[key], value)
				}
			}
		}
	})
}

func BenchmarkFullFragment(b *testing.B) {
	var m bytes.Buffer
	m.WriteString(`{"name":"lib","version":"1.0.0","dependencies":{`)
	for i := range 100 {
		fmt.Fprintf(&m, `"dependency-%d":"^%d.0.0",`, i, i)
	}
	m.WriteString(`"last":"1"}}`)
	b.SetBytes(int64(m.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FullFragment(m.Bytes(), testState); err != nil {
			b.Fatal(err)
		}
	}
}
