package maven

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

func mustPath(t testing.TB, s string) Path {
	t.Helper()
	p, err := ParsePath(s)
	if err != nil {
		t.Fatalf("ParsePath(%q): %v", s, err)
	}
	return p
}

func TestParsePath(t *testing.T) {
	tests := []struct {
		name string
		in   []string // all spellings of one thing
		want Path     // without Segments
	}{
		{"root", []string{"", "/"}, Path{Kind: KindListing}},
		{"directory", []string{"/org/acme/", "org/acme/", "/org/%61cme/"}, Path{Kind: KindListing}},
		{"directory called like a file", []string{"a/b/1.0/b-1.0.jar/"}, Path{Kind: KindListing}},
		{
			"release file",
			[]string{"/junit/junit/4.13/junit-4.13.jar", "junit/junit/4.13/junit-4.13.jar", "/junit/j%75nit/4.13/junit%2D4.13.jar"},
			Path{Kind: KindFile, Package: "junit/junit", Version: "4.13", File: "junit-4.13.jar", Subject: "junit-4.13.jar", Base: "junit-4.13.jar"},
		},
		{
			"checksum of a signature",
			[]string{"a/b/1-SNAPSHOT/b-1-20260301.101500-7-sources.jar.asc.sha512"},
			Path{
				Kind: KindFile, Package: "a/b", Version: "1-SNAPSHOT", File: "b-1-20260301.101500-7-sources.jar.asc.sha512",
				Subject: "b-1-20260301.101500-7-sources.jar.asc", Base: "b-1-20260301.101500-7-sources.jar", Checksum: SHA512, Signature: true,
			},
		},
		{
			"plus is a plus",
			[]string{"a/b.c/1.0+build.5/b.c-1.0+build.5.jar", "a/b.c/1.0%2Bbuild.5/b.c-1.0%2bbuild.5.jar"},
			Path{Kind: KindFile, Package: "a/b.c", Version: "1.0+build.5", File: "b.c-1.0+build.5.jar", Subject: "b.c-1.0+build.5.jar", Base: "b.c-1.0+build.5.jar"},
		},
		{
			"tilde and at sign",
			[]string{"a/b/1~c/x@y.jar", "a/b/1%7Ec/x%40y.jar"},
			Path{Kind: KindFile, Package: "a/b", Version: "1~c", File: "x@y.jar", Subject: "x@y.jar", Base: "x@y.jar"},
		},
		{
			"name with a blank",
			[]string{"a/b/1/some%20name.jar"},
			Path{Kind: KindFile, Package: "a/b", Version: "1", File: "some name.jar", Subject: "some name.jar", Base: "some name.jar"},
		},
		{
			"Ivy's layout",
			[]string{"org.acme/app/scala_2.12/sbt_1.0/1.2/jars/app.jar.sha1"},
			Path{Kind: KindFile, Package: "org.acme/app/scala_2.12/sbt_1.0/1.2", Version: "jars", File: "app.jar.sha1", Subject: "app.jar", Base: "app.jar", Checksum: SHA1},
		},
		{
			"signature of a checksum is a file",
			[]string{"a/b/1/b-1.jar.sha1.asc"},
			Path{Kind: KindFile, Package: "a/b", Version: "1", File: "b-1.jar.sha1.asc", Subject: "b-1.jar.sha1.asc", Base: "b-1.jar.sha1.asc"},
		},
		{
			"its checksum",
			[]string{"a/b/1/b-1.jar.sha1.asc.md5"},
			Path{Kind: KindFile, Package: "a/b", Version: "1", File: "b-1.jar.sha1.asc.md5", Subject: "b-1.jar.sha1.asc", Base: "b-1.jar.sha1.asc", Checksum: MD5},
		},
		{
			"Sigstore",
			[]string{"a/b/1/b-1.jar.sigstore.json"},
			Path{Kind: KindFile, Package: "a/b", Version: "1", File: "b-1.jar.sigstore.json", Subject: "b-1.jar.sigstore.json", Base: "b-1.jar", Signature: true},
		},
		{
			"suffix alone",
			[]string{"a/b/1/.sha1"},
			Path{Kind: KindFile, Package: "a/b", Version: "1", File: ".sha1", Subject: ".sha1", Base: ".sha1"},
		},
		{
			"digest that no client sends",
			[]string{"a/b/1/b-1.jar.sha384"},
			Path{Kind: KindFile, Package: "a/b", Version: "1", File: "b-1.jar.sha384", Subject: "b-1.jar.sha384", Base: "b-1.jar.sha384"},
		},
		{
			"versions of an artifact, plugins of a group",
			[]string{"a/b/maven-metadata.xml", "/a/b/maven%2Dmetadata.xml"},
			Path{Kind: KindArtifactMetadata, Package: "a/b", File: metadataFile, Subject: metadataFile, Base: metadataFile},
		},
		{
			"its checksum",
			[]string{"a/b/maven-metadata.xml.sha256"},
			Path{Kind: KindArtifactMetadata, Package: "a/b", File: "maven-metadata.xml.sha256", Subject: metadataFile, Base: metadataFile, Checksum: SHA256},
		},
		{
			"its signature",
			[]string{"a/b/maven-metadata.xml.asc"},
			Path{Kind: KindArtifactMetadata, Package: "a/b", File: "maven-metadata.xml.asc", Subject: "maven-metadata.xml.asc", Base: metadataFile, Signature: true},
		},
		{
			"metadata in a release's directory",
			[]string{"a/b/1.0/maven-metadata.xml"},
			Path{Kind: KindArtifactMetadata, Package: "a/b/1.0", File: metadataFile, Subject: metadataFile, Base: metadataFile},
		},
		{
			"metadata of a group of one word",
			[]string{"acme/maven-metadata.xml"},
			Path{Kind: KindGroupMetadata, Package: "acme", File: metadataFile, Subject: metadataFile, Base: metadataFile},
		},
		{
			"metadata of a snapshot",
			[]string{"a/b/1.0-SNAPSHOT/maven-metadata.xml"},
			Path{Kind: KindSnapshotMetadata, Package: "a/b", Version: "1.0-SNAPSHOT", File: metadataFile, Subject: metadataFile, Base: metadataFile},
		},
		{
			"metadata of a snapshot without a group",
			[]string{"a/1.0-SNAPSHOT/maven-metadata.xml"},
			Path{Kind: KindSnapshotMetadata, Package: "a", Version: "1.0-SNAPSHOT", File: metadataFile, Subject: metadataFile, Base: metadataFile},
		},
		{"metadata of the root", []string{"maven-metadata.xml"}, Path{Kind: KindRootMetadata, File: metadataFile, Subject: metadataFile, Base: metadataFile}},
		{"directory without a slash", []string{"a/b/1.0", "/a/b/1.0"}, Path{Kind: KindShort, File: "1.0", Subject: "1.0", Base: "1.0"}},
		{"robots", []string{"robots.txt"}, Path{Kind: KindShort, File: "robots.txt", Subject: "robots.txt", Base: "robots.txt"}},
		{
			"archetype catalogue",
			[]string{"archetype-catalog.xml.sha1"},
			Path{Kind: KindArchetypeCatalog, File: "archetype-catalog.xml.sha1", Subject: "archetype-catalog.xml", Base: "archetype-catalog.xml", Checksum: SHA1},
		},
		{"prefixes", []string{".meta/prefixes.txt"}, Path{Kind: KindPrefixes, File: "prefixes.txt", Subject: "prefixes.txt", Base: "prefixes.txt"}},
		{"index", []string{".index/x.gz"}, Path{Kind: KindReserved, File: "x.gz", Subject: "x.gz", Base: "x.gz"}},
		{"metadata below a reserved root", []string{".nexus/a/maven-metadata.xml"}, Path{Kind: KindReserved, File: metadataFile, Subject: metadataFile, Base: metadataFile}},
		{"percent sign", []string{"a/b/1/x%25y"}, Path{Kind: KindFile, Package: "a/b", Version: "1", File: "x%y", Subject: "x%y", Base: "x%y"}},
		{"escape of an escape", []string{"a/b/1/%252e%252e"}, Path{Kind: KindFile, Package: "a/b", Version: "1", File: "%2e%2e", Subject: "%2e%2e", Base: "%2e%2e"}},
		{"matrix parameter", []string{"a/b/1/b-1.jar;x=y"}, Path{Kind: KindFile, Package: "a/b", Version: "1", File: "b-1.jar;x=y", Subject: "b-1.jar;x=y", Base: "b-1.jar;x=y"}},
	}
	covered := map[Kind]bool{}
	for _, tt := range tests {
		covered[tt.want.Kind] = true
		for _, spelling := range tt.in {
			t.Run(tt.name+" "+spelling, func(t *testing.T) {
				got := mustPath(t, spelling)
				if again := mustPath(t, got.Escaped()); cmp.Diff(again, got) != "" {
					t.Errorf("prints as %q", got.Escaped())
				}
				got.Segments = nil
				if diff := cmp.Diff(got, tt.want); diff != "" {
					t.Errorf("ParsePath(%q) (-got +want):\n%s", spelling, diff)
				}
			})
		}
	}
	for kind := KindFile; kind < kindCount; kind++ {
		if !covered[kind] {
			t.Errorf("no test of kind %d", kind)
		}
	}
}

func TestParsePathRefuses(t *testing.T) {
	tests := []struct{ name, in string }{
		{"empty segment", "a//b/1.0/b-1.0.jar"},
		{"two slashes in front", "//a/b/1.0/b-1.0.jar"},
		{"two slashes behind", "a/b//"},
		{"slash and nothing", "a/b/1.0/%2f"},
		{"dot segments", "a/../b"},
		{"single dot", "a/./b/1/x.jar"},
		{"dot segments of a directory", "a/../"},
		{"escaped dots", "a/%2e%2e/b"},
		{"half escaped dots", "a/.%2E/b"},
		{"escaped dot of a name", "a/b/1%2e0/b.jar"},
		{"escaped slash", "a/b%2fc/.."},
		{"escaped slash alone", "a/b%2Fc/1/x.jar"},
		{"escaped backslash", "a/b%5c/1/x.jar"},
		{"backslash", `a/b\c/1/x.jar`},
		{"NUL", "a/b/1/x%00.jar"},
		{"line feed", "a/b/1/x%0a.jar"},
		{"delete", "a/b/1/x%7f"},
		{"C1 control", "a/b/1/%c2%85"},
		{"bidi mark", "a/b/1/a%e2%80%aeb"},
		{"zero width", "a/b/1/a%e2%80%8bb"},
		{"invalid UTF-8", "a/b/1/%ff"},
		{"overlong slash", "a/b/1/%c0%af"},
		{"incomplete escape", "a/b/1/x%2"},
		{"bad escape", "a/b/1/x%zz"},
		{"colon", "a:b/c/1/x.jar"},
		{"question mark", "a/b/1/x%3f"},
		{"star", "a/b/1/*"},
		{"markup", "a/b/1/%3Cscript%3E"},
		{"quote", "a/b/1/%22"},
		{"bar", "a/b/1/a|b"},
		{"256 bytes", "a/b/1/" + strings.Repeat("a", 256)},
		{"256 bytes of a directory", strings.Repeat("a", 256) + "/"},
		{"41 segments", strings.Repeat("a/", 40) + "a"},
		{"1,501 bytes", strings.Repeat(strings.Repeat("a", 249)+"/", 6) + "a"},
		{"far too long", strings.Repeat("%61", 1501)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParsePath(tt.in)
			if err == nil {
				t.Fatalf("ParsePath(%q) = %+v", tt.in, p)
			}
			if got := registry.KindOf(err); got != registry.Invalid {
				t.Errorf("kind = %v, want invalid (%v)", got, err)
			}
			if diff := cmp.Diff(p, Path{}); diff != "" {
				t.Errorf("a refused path was read:\n%s", diff)
			}
		})
	}
}

func TestParsePathBounds(t *testing.T) {
	for _, s := range []string{
		"a/b/1/" + strings.Repeat("a", 255),
		"a/b/1/" + strings.Repeat("%61", 255),
		strings.Repeat("a/", 39) + "a",
		strings.Repeat(strings.Repeat("a", 249)+"/", 5) + strings.Repeat("a", 250),
	} {
		if _, err := ParsePath(s); err != nil {
			t.Errorf("a path of %d bytes is refused: %v", len(s), err)
		}
	}
}

func TestPathString(t *testing.T) {
	tests := []struct{ name, in, text, escaped string }{
		{"root", "/", "", ""},
		{"directory", "/org/acme/", "org/acme/", "org/acme/"},
		{"plain", "a/b/1/b-1.jar", "a/b/1/b-1.jar", "a/b/1/b-1.jar"},
		{"signs", "a/b/1/x!$&'()+,=@~;%25y", "a/b/1/x!$&'()+,=@~;%y", "a/b/1/x!$&'()+,=@~%3B%25y"},
		{"blank and umlaut", "a/b/1/%c3%bc%20.jar", "a/b/1/ü .jar", "a/b/1/%C3%BC%20.jar"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustPath(t, tt.in)
			if got := p.String(); got != tt.text {
				t.Errorf("String = %q, want %q", got, tt.text)
			}
			if got := p.Escaped(); got != tt.escaped {
				t.Errorf("Escaped = %q, want %q", got, tt.escaped)
			}
		})
	}
}

func TestIsSnapshot(t *testing.T) {
	tests := []struct {
		name, in string
		want     bool
	}{
		{"release", "a/b/1.0/b-1.0.jar", false},
		{"literal", "a/b/1.0-SNAPSHOT/b-1.0-SNAPSHOT.jar", true},
		{"metadata", "a/b/1.0-SNAPSHOT/maven-metadata.xml", true},
		{"bare", "a/b/SNAPSHOT/b-SNAPSHOT.jar", true},
		{"without a dash", "a/b/1.0SNAPSHOT/b-1.0SNAPSHOT.jar", true},
		{"lower case", "a/b/1.0-snapshot/b-1.0-snapshot.jar", false},
		{"the directory decides", "a/b/1.0/b-1.0-SNAPSHOT.jar", false},
		{"artifact called so", "a/b-SNAPSHOT/1/x.jar", false},
		{"versions", "a/b/maven-metadata.xml", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := mustPath(t, tt.in).IsSnapshot(); got != tt.want {
				t.Errorf("IsSnapshot(%q) = %v, want %v", tt.in, got, tt.want)
			}
		})
	}
}

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{
		"/", "/a/b/1.0/b-1.0.jar", "a/b/1-SNAPSHOT/b-1-20260301.101500-7-sources.jar.asc.sha512", "a/b/maven-metadata.xml.sha1", "a/b/1%2B2/x%20y",
		".meta/prefixes.txt", "a/../b", "a/%2e%2e/b", "a//b", "a/b%2fc/..", "a/b/1/%252e", "a/b/1/x.sha1.asc", "archetype-catalog.xml", "a/1-SNAPSHOT/maven-metadata.xml",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePath(s)
		if err != nil {
			if registry.KindOf(err) != registry.Invalid || !utf8.ValidString(registry.Message(err)) {
				t.Fatalf("ParsePath(%q): %v", s, err)
			}
			return
		}
		for _, segment := range p.Segments {
			if segment == "" || segment == "." || segment == ".." || len(segment) > maxSegment || strings.ContainsAny(segment, `/\:"<>|?*`) ||
				!utf8.ValidString(segment) || strings.ContainsFunc(segment, unicode.IsControl) {
				t.Errorf("ParsePath(%q) let %q through", s, segment)
			}
		}
		if len(p.String()) > maxPath+1 || len(p.Segments) > maxSegments {
			t.Errorf("ParsePath(%q) is beyond the bounds", s)
		}
		if again, err := ParsePath(p.Escaped()); err != nil || cmp.Diff(again, p) != "" {
			t.Errorf("ParsePath(%q) prints as %q, which is another path", s, p.Escaped())
		}
		if err := p.CheckWrite(); err == nil && p.String() != p.Escaped() {
			t.Errorf("ParsePath(%q) may be written, and is escaped", s)
		}
	})
}

// Each request parses a path: it takes no more memory than its list of segments.
func TestParsePathAllocates(t *testing.T) {
	for _, path := range []string{"/org/acme/app/1.0/app-1.0.jar.sha1", "/org/acme/app/maven-metadata.xml", "/org/acme/app/1-SNAPSHOT/maven-metadata.xml"} {
		got := testing.AllocsPerRun(100, func() {
			if _, err := ParsePath(path); err != nil {
				t.Fatal(err)
			}
		})
		if got > 1 {
			t.Errorf("%s: %v allocations", path, got)
		}
	}
}
