package maven

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const testDescriptor = `<?xml version="1.0" encoding="UTF-8"?>
<plugin>
  <name>Hello &amp; more</name>
  <groupId>org.acme</groupId>
  <artifactId>hello-maven-plugin</artifactId>
  <goalPrefix>hello</goalPrefix>
  <mojos><mojo><goal>hi</goal><name>not this one</name></mojo></mojos>
</plugin>
`

// makeJar packs pairs of names and contents.
func makeJar(t testing.TB, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: entries[i], Method: method(entries[i+1])})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(entry, entries[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func method(content string) uint16 {
	if content == "" {
		return zip.Store
	}
	return zip.Deflate
}

func readJar(t testing.TB, b []byte) Jar {
	t.Helper()
	jar, err := ReadJar(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

var helloJar = Coordinates{GroupID: "org.acme", ArtifactID: "hello-maven-plugin", Version: "1.0", Extension: "jar", Prefix: "hello-maven-plugin"}

func TestReadJarPlugin(t *testing.T) {
	whole := makeJar(t, "META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n", "org/acme/Hi.class", strings.Repeat("x", 1000), pluginDescriptor, testDescriptor)
	hello := Plugin{"Hello & more", "hello", "hello-maven-plugin"}
	with := func(change func(*Coordinates)) Coordinates {
		c := helloJar
		change(&c)
		return c
	}
	stored := func() []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		entry, err := w.CreateHeader(&zip.FileHeader{Name: pluginDescriptor, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(entry, testDescriptor); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.SetComment("a comment"), w.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	many := make([]string, 0, 140_000)
	for i := range 66_000 { // more than zip's first form counts
		many = append(many, fmt.Sprintf("c/%d", i), "")
	}
	tests := []struct {
		name string
		jar  []byte
		at   Coordinates
		want Plugin // zero: none
	}{
		{"plugin", whole, helloJar, hello},
		{"stored, with a comment", stored(), helloJar, hello},
		{"behind a script", append([]byte("#!/bin/sh\nexec java -jar \"$0\"\n"), whole...), helloJar, hello},
		{"66,001 entries", makeJar(t, append(many, pluginDescriptor, testDescriptor)...), helloJar, hello},
		{"without a prefix", makeJar(t, pluginDescriptor, strings.Replace(testDescriptor, "<goalPrefix>hello</goalPrefix>", "", 1)), helloJar, hello},
		{"other group", whole, with(func(c *Coordinates) { c.GroupID = "org.evil" }), Plugin{}},
		{"other artifact", whole, with(func(c *Coordinates) { c.ArtifactID = "x" }), Plugin{}},
		{"sources", whole, with(func(c *Coordinates) { c.Classifier = "sources" }), Plugin{}},
		{"no jar by its name", whole, with(func(c *Coordinates) { c.Extension = "zip" }), Plugin{}},
		{"no descriptor", makeJar(t, "a", "b"), helloJar, Plugin{}},
		{"empty archive", makeJar(t), helloJar, Plugin{}},
		{"descriptor twice", makeJar(t, pluginDescriptor, testDescriptor, pluginDescriptor, testDescriptor), helloJar, Plugin{}},
		{"other case", makeJar(t, strings.ToLower(pluginDescriptor), testDescriptor), helloJar, Plugin{}},
		{"broken descriptor", makeJar(t, pluginDescriptor, testDescriptor[:200]), helloJar, Plugin{}},
		{"document type", makeJar(t, pluginDescriptor, "<!DOCTYPE plugin>"+testDescriptor[strings.Index(testDescriptor, "<plugin>"):]), helloJar, Plugin{}},
		{"bomb", makeJar(t, pluginDescriptor, strings.Replace(testDescriptor, "<mojos>", strings.Repeat(" ", maxDescriptor)+"<mojos>", 1)), helloJar, Plugin{}},
		{"long prefix", makeJar(t, pluginDescriptor, strings.Replace(testDescriptor, ">hello<", ">"+strings.Repeat("h", maxPrefix+1)+"<", 1)), helloJar, Plugin{}},
		{"long name", makeJar(t, pluginDescriptor, strings.Replace(testDescriptor, ">Hello ", ">"+strings.Repeat("h", maxPluginName), 1)), helloJar, Plugin{"", "hello", "hello-maven-plugin"}},
		{"cut off", whole[:len(whole)-1], helloJar, Plugin{}},
		{"beginning missing", whole[30:], helloJar, Plugin{}},
		{"data behind the end", append(bytes.Clone(whole), 0), helloJar, Plugin{}},
		{"no archive", []byte("not a jar"), helloJar, Plugin{}},
		{"HTML", []byte(strings.Repeat("<html>", 20_000)), helloJar, Plugin{}},
		{"empty file", nil, helloJar, Plugin{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := readJar(t, tt.jar).Plugin(tt.at)
			if ok != (tt.want != Plugin{}) {
				t.Errorf("is a plugin: %v", ok)
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("plugin (-got +want):\n%s", diff)
			}
		})
	}
}

func TestReadJarArchetype(t *testing.T) {
	tests := []struct {
		name string
		jar  []byte
		want bool
	}{
		{"archetype", makeJar(t, "a", "b", archetypeDescriptor, "<archetype-descriptor/>"), true},
		{"library", makeJar(t, "META-INF/maven/org.acme/app/pom.xml", "<project/>"), false},
		{"twice", makeJar(t, archetypeDescriptor, "x", archetypeDescriptor, "y"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := readJar(t, tt.jar).IsArchetype; got != tt.want {
				t.Errorf("IsArchetype = %v, want %v", got, tt.want)
			}
		})
	}
}

// failingReader fails behind a number of reads.
type failingReader struct {
	r    io.ReaderAt
	left int
	err  error
}

func (f *failingReader) ReadAt(p []byte, off int64) (int, error) {
	if f.left--; f.left < 0 {
		return 0, f.err
	}
	return f.r.ReadAt(p, off)
}

func TestReadJarReadError(t *testing.T) {
	b := makeJar(t, pluginDescriptor, testDescriptor)
	broken := errors.New("disk")
	for reads := 0; ; reads++ {
		jar, err := ReadJar(&failingReader{bytes.NewReader(b), reads, broken}, int64(len(b)))
		if err == nil {
			if _, ok := jar.Plugin(helloJar); !ok || reads < 3 {
				t.Errorf("after %d reads there is no failure: %+v", reads, jar)
			}
			return
		}
		if !errors.Is(err, broken) {
			t.Fatalf("after %d reads: %v", reads, err)
		}
	}
}

func TestDefaultPrefix(t *testing.T) {
	for artifactID, want := range map[string]string{
		"maven-deploy-plugin": "deploy", "hello-maven-plugin": "hello", "spring-boot-maven-plugin": "spring-boot", "maven-a-maven-plugin": "a-maven",
		"maven-plugin": "", "hello": "", "hello-plugin": "", "maven-hello": "", "": "", "-plugin": "", "maven--plugin": "",
	} {
		if got := DefaultPrefix(artifactID); got != want {
			t.Errorf("DefaultPrefix(%q) = %q, want %q", artifactID, got, want)
		}
	}
}

// FuzzReadJar: what is found in a jar, another reader of zips finds too.
func FuzzReadJar(f *testing.F) {
	whole := makeJar(f, "a", "b", pluginDescriptor, testDescriptor, archetypeDescriptor, "")
	f.Add(whole)
	f.Add(append([]byte("#!/bin/sh\n"), whole...))
	f.Add(whole[:len(whole)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		jar := readJar(t, b)
		p, isPlugin := jar.Plugin(helloJar)
		if isPlugin && (p.Prefix == "" || len(p.Prefix) > maxPrefix || p.ArtifactID != helloJar.ArtifactID) {
			t.Errorf("plugin %+v", p)
		}
		other, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil || !isPlugin {
			return
		}
		content, err := other.Open(pluginDescriptor)
		if err != nil {
			return
		}
		text, err := io.ReadAll(io.LimitReader(content, maxDescriptor))
		if err == nil && !bytes.Contains(text, []byte(helloJar.ArtifactID)) {
			t.Errorf("a plugin is found where another reader finds %q", text)
		}
	})
}
