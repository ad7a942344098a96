package maven

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

func TestParseMetadata(t *testing.T) {
	tests := []struct {
		name, in string
		want     Metadata
	}{
		{"empty", "<metadata/>", Metadata{}},
		{
			"artifact",
			`<?xml version="1.0" encoding="UTF-8"?>
<metadata>
  <groupId>org.acme</groupId>
  <artifactId>app</artifactId>
  <versioning>
    <release>2.0</release>
    <versions>
      <version>1.0</version>
      <version> 2.0 </version>
      <version/>
    </versions>
    <lastUpdated>20260301101502</lastUpdated>
  </versioning>
</metadata>`,
			Metadata{GroupID: "org.acme", ArtifactID: "app", Release: "2.0", Versions: []string{"1.0", "2.0"}, LastUpdated: "20260301101502"},
		},
		{
			"snapshot",
			`<metadata modelVersion="1.1.0"><groupId>a</groupId><artifactId>b</artifactId><version>2-SNAPSHOT</version><versioning>
				<snapshot><timestamp>20260301.101500</timestamp><buildNumber>7</buildNumber></snapshot>
				<snapshotVersions>
				<snapshotVersion><extension>jar</extension><value>2-20260301.101500-7</value><updated>20260301101500</updated></snapshotVersion>
				<snapshotVersion><classifier>sources</classifier><extension>jar</extension><value>2-20260301.101400-6</value><updated>20260301101400</updated></snapshotVersion>
				</snapshotVersions></versioning></metadata>`,
			Metadata{
				GroupID: "a", ArtifactID: "b", Version: "2-SNAPSHOT", Snapshot: Build{"20260301.101500", 7},
				SnapshotVersions: []SnapshotVersion{
					{"", "jar", "2-20260301.101500-7", "20260301101500"},
					{"sources", "jar", "2-20260301.101400-6", "20260301101400"},
				},
			},
		},
		{
			"group",
			`<metadata><plugins><plugin><name>Hello &amp; more</name><prefix>hello</prefix><artifactId>hello-maven-plugin</artifactId></plugin>
			<plugin><prefix>x</prefix><artifactId>y</artifactId></plugin></plugins></metadata>`,
			Metadata{Plugins: []Plugin{{"Hello & more", "hello", "hello-maven-plugin"}, {"", "x", "y"}}},
		},
		{
			"empty elements, as coursier writes them",
			`<metadata><groupId>a</groupId><artifactId>b</artifactId><versioning><latest></latest><release/><snapshot><buildNumber/></snapshot></versioning></metadata>`,
			Metadata{GroupID: "a", ArtifactID: "b"},
		},
		{"local copy", `<metadata><versioning><snapshot><localCopy>true</localCopy></snapshot></versioning></metadata>`, Metadata{}},
		{"unknown elements", `<metadata><x><versions><version>1</version></versions></x><versioning><a/></versioning></metadata>`, Metadata{}},
		{"namespace", `<m:metadata xmlns:m="urn:x"><m:groupId>a</m:groupId></m:metadata>`, Metadata{GroupID: "a"}},
		{"byte order mark", "\ufeff<?xml version=\"1.0\"?><metadata><groupId>a</groupId></metadata>\n", Metadata{GroupID: "a"}},
		{"comments and CDATA", `<!-- x --><metadata><groupId><![CDATA[a]]></groupId><!-- y --></metadata>`, Metadata{GroupID: "a"}},
		{"numbered characters", `<metadata><groupId>&#97;</groupId></metadata>`, Metadata{GroupID: "a"}},
		{"Latin-1", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><metadata><plugins><plugin><name>gr\xfcn</name></plugin></plugins></metadata>", Metadata{Plugins: []Plugin{{Name: "grün"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in))} {
				got, err := ParseMetadata(r)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(got, &tt.want); diff != "" {
					t.Errorf("ParseMetadata (-got +want):\n%s", diff)
				}
			}
		})
	}
}

func TestParseMetadataRefuses(t *testing.T) {
	nested := func(n int) string {
		return "<metadata>" + strings.Repeat("<a>", n) + strings.Repeat("</a>", n) + "</metadata>"
	}
	versions := func(n int) string {
		return "<metadata><versioning><versions>" + strings.Repeat("<version>1</version>", n) + "</versions></versioning></metadata>"
	}
	if _, err := ParseMetadata(strings.NewReader(nested(maxDepth - 1))); err != nil {
		t.Errorf("%d elements in each other: %v", maxDepth, err)
	}
	if _, err := ParseMetadata(strings.NewReader(versions(maxMetadataEntries))); err != nil {
		t.Errorf("%d versions: %v", maxMetadataEntries, err)
	}
	tests := []struct{ name, in string }{
		{"nothing", ""},
		{"blanks", " \n"},
		{"text", "1.0"},
		{"other root", "<project/>"},
		{"HTML", "<!DOCTYPE html><html></html>"},
		{"document type", `<!DOCTYPE metadata><metadata/>`},
		{"entity that grows", `<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><metadata><groupId>&b;</groupId></metadata>`},
		{"external entity", `<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/passwd">]><metadata><groupId>&a;</groupId></metadata>`},
		{"document type behind the root's beginning", `<metadata><!DOCTYPE x></metadata>`},
		{"unknown entity", `<metadata><groupId>&a;</groupId></metadata>`},
		{"cut off", `<metadata><groupId>a`},
		{"cut off between elements", `<metadata><groupId>a</groupId>`},
		{"wrong order of ends", `<metadata><a><b></a></b></metadata>`},
		{"end without beginning", `</metadata>`},
		{"two roots", `<metadata/><metadata/>`},
		{"text behind the root", `<metadata/>x`},
		{"text before the root", `x<metadata/>`},
		{"not UTF-8", "<metadata><groupId>\xff</groupId></metadata>"},
		{"NUL", "<metadata>\x00</metadata>"},
		{"unknown encoding", `<?xml version="1.0" encoding="EBCDIC"?><metadata/>`},
		{"XML 1.1", `<?xml version="1.1"?><metadata/>`},
		{"build number", `<metadata><versioning><snapshot><buildNumber>x</buildNumber></snapshot></versioning></metadata>`},
		{"negative build number", `<metadata><versioning><snapshot><buildNumber>-1</buildNumber></snapshot></versioning></metadata>`},
		{"too deep", nested(maxDepth)},
		{"too many versions", versions(maxMetadataEntries + 1)},
		{"too many plugins", "<metadata><plugins>" + strings.Repeat("<plugin/>", maxMetadataEntries+1) + "</plugins></metadata>"},
		{"too many files", "<metadata><versioning><snapshotVersions>" + strings.Repeat("<snapshotVersion/>", maxMetadataEntries+1) + "</snapshotVersions></versioning></metadata>"},
		{"too large", "<metadata><groupId>" + strings.Repeat("a", maxMetadata) + "</groupId></metadata>"},
		{"large attribute", `<metadata a="` + strings.Repeat("a", maxMetadata) + `"/>`},
		{"blanks behind the bound", "<metadata/>" + strings.Repeat(" ", maxMetadata)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := ParseMetadata(strings.NewReader(tt.in))
			if err == nil {
				t.Fatalf("read as %+v", m)
			}
			if got := registry.KindOf(err); got != registry.Invalid || registry.Message(err) == "" {
				t.Errorf("kind = %v, want invalid (%v)", got, err)
			}
		})
	}
}

func TestParseMetadataReadError(t *testing.T) {
	broken := errors.New("disk")
	for _, in := range []string{"", "<metadata>", "<metadata/>"} {
		_, err := ParseMetadata(io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || registry.KindOf(err) != registry.Internal {
			t.Errorf("behind %q: %v, want the failure of the reader", in, err)
		}
	}
}

func TestMetadataCheckPath(t *testing.T) {
	const artifact, snapshot = "org/acme/app/maven-metadata.xml", "org/acme/app/1-SNAPSHOT/maven-metadata.xml"
	tests := []struct {
		name, path string
		m          Metadata
		fits       bool
	}{
		{"nothing said", artifact, Metadata{}, true},
		{"artifact", artifact, Metadata{GroupID: "org.acme", ArtifactID: "app"}, true},
		{"artifact with Maven 2's version", artifact, Metadata{GroupID: "org.acme", ArtifactID: "app", Version: "1.0"}, true},
		{"other group", artifact, Metadata{GroupID: "org.evil", ArtifactID: "app"}, false},
		{"other artifact", artifact, Metadata{GroupID: "org.acme", ArtifactID: "lib"}, false},
		{"artifact alone", artifact, Metadata{ArtifactID: "lib"}, false},
		{"group read as group", artifact, Metadata{GroupID: "org.acme.app"}, true},
		{"group that is none", artifact, Metadata{GroupID: "org"}, false},
		{"snapshot", snapshot, Metadata{GroupID: "org.acme", ArtifactID: "app", Version: "1-SNAPSHOT"}, true},
		{"snapshot without artifact", snapshot, Metadata{GroupID: "org.acme", Version: "1-SNAPSHOT"}, true},
		{"other version", snapshot, Metadata{GroupID: "org.acme", ArtifactID: "app", Version: "2-SNAPSHOT"}, false},
		{"other group of a snapshot", snapshot, Metadata{GroupID: "org.acme.app"}, false},
		{"group of one word", "acme/maven-metadata.xml", Metadata{GroupID: "acme"}, true},
		{"artifact of no group", "acme/maven-metadata.xml", Metadata{GroupID: "acme", ArtifactID: "x"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.m.CheckPath(mustPath(t, tt.path))
			if got := err == nil; got != tt.fits {
				t.Errorf("fits = %v, want %v (%v)", got, tt.fits, err)
			}
			if err != nil && registry.KindOf(err) != registry.Invalid {
				t.Errorf("kind of %v", err)
			}
		})
	}
}

var testTime = time.Date(2026, 3, 1, 11, 15, 2, 5e8, time.FixedZone("CET", 3600))

func TestAppendMetadata(t *testing.T) {
	tests := []struct {
		name string
		got  []byte
		want string
	}{
		{"nothing", AppendArtifactMetadata(nil, ArtifactMetadata{GroupID: "a", ArtifactID: "b", Updated: testTime}), ""},
		{"no plugins", AppendGroupMetadata(nil, nil), ""},
		{"no files", AppendSnapshotMetadata(nil, SnapshotMetadata{GroupID: "a", ArtifactID: "b", Version: "1-SNAPSHOT"}), ""},
		{
			"hot-fix of an older line", AppendArtifactMetadata(nil, ArtifactMetadata{"org.acme", "app", []string{"1.9.9", "2.0.0", "2.1-SNAPSHOT"}, testTime, nil}),
			`<?xml version="1.0" encoding="UTF-8"?>
<metadata modelVersion="1.1.0">
  <groupId>org.acme</groupId>
  <artifactId>app</artifactId>
  <versioning>
    <latest>2.1-SNAPSHOT</latest>
    <release>2.0.0</release>
    <versions>
      <version>1.9.9</version>
      <version>2.0.0</version>
      <version>2.1-SNAPSHOT</version>
    </versions>
    <lastUpdated>20260301101502</lastUpdated>
  </versioning>
</metadata>
`,
		},
		{
			"artifact and group at once, plugins by prefix and once each",
			AppendArtifactMetadata([]byte("before\n"), ArtifactMetadata{"a", "b", []string{"1-SNAPSHOT"}, testTime, []Plugin{
				{"Z", "z", "z-maven-plugin"}, {"<A> & 'B'", "a", "maven-a-plugin"}, {"Z", "z", "z-maven-plugin"}, {"", "z", "other"},
			}}),
			`before
<?xml version="1.0" encoding="UTF-8"?>
<metadata modelVersion="1.1.0">
  <groupId>a</groupId>
  <artifactId>b</artifactId>
  <versioning>
    <latest>1-SNAPSHOT</latest>
    <versions>
      <version>1-SNAPSHOT</version>
    </versions>
    <lastUpdated>20260301101502</lastUpdated>
  </versioning>
  <plugins>
    <plugin>
      <name>&lt;A&gt; &amp; &#39;B&#39;</name>
      <prefix>a</prefix>
      <artifactId>maven-a-plugin</artifactId>
    </plugin>
    <plugin>
      <prefix>z</prefix>
      <artifactId>other</artifactId>
    </plugin>
    <plugin>
      <name>Z</name>
      <prefix>z</prefix>
      <artifactId>z-maven-plugin</artifactId>
    </plugin>
  </plugins>
</metadata>
`,
		},
		{
			"group", AppendArtifactMetadata(nil, ArtifactMetadata{GroupID: "a", ArtifactID: "b", Updated: testTime, Plugins: []Plugin{{"X", "x", "x-maven-plugin"}}}),
			`<?xml version="1.0" encoding="UTF-8"?>
<metadata modelVersion="1.1.0">
  <plugins>
    <plugin>
      <name>X</name>
      <prefix>x</prefix>
      <artifactId>x-maven-plugin</artifactId>
    </plugin>
  </plugins>
</metadata>
`,
		},
		{
			"snapshot", AppendSnapshotMetadata(nil, SnapshotMetadata{"a", "b", "2-SNAPSHOT", Build{"20260301.101500", 7}, testTime, []SnapshotVersion{
				{"", "pom", "2-20260301.101500-7", "20260301101500"}, {"sources", "jar", "2-20260301.101400-6", "20260301101400"},
			}}),
			`<?xml version="1.0" encoding="UTF-8"?>
<metadata modelVersion="1.1.0">
  <groupId>a</groupId>
  <artifactId>b</artifactId>
  <version>2-SNAPSHOT</version>
  <versioning>
    <snapshot>
      <timestamp>20260301.101500</timestamp>
      <buildNumber>7</buildNumber>
    </snapshot>
    <lastUpdated>20260301101502</lastUpdated>
    <snapshotVersions>
      <snapshotVersion>
        <extension>pom</extension>
        <value>2-20260301.101500-7</value>
        <updated>20260301101500</updated>
      </snapshotVersion>
      <snapshotVersion>
        <classifier>sources</classifier>
        <extension>jar</extension>
        <value>2-20260301.101400-6</value>
        <updated>20260301101400</updated>
      </snapshotVersion>
    </snapshotVersions>
  </versioning>
</metadata>
`,
		},
		{
			"literal files only", AppendSnapshotMetadata(nil, SnapshotMetadata{"a", "b", "2-SNAPSHOT", Build{}, testTime, []SnapshotVersion{{"", "jar", "2-SNAPSHOT", "20260301101500"}}}),
			`<?xml version="1.0" encoding="UTF-8"?>
<metadata modelVersion="1.1.0">
  <groupId>a</groupId>
  <artifactId>b</artifactId>
  <version>2-SNAPSHOT</version>
  <versioning>
    <lastUpdated>20260301101502</lastUpdated>
    <snapshotVersions>
      <snapshotVersion>
        <extension>jar</extension>
        <value>2-SNAPSHOT</value>
        <updated>20260301101500</updated>
      </snapshotVersion>
    </snapshotVersions>
  </versioning>
</metadata>
`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(string(tt.got), tt.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
}

func TestAppendPluginsLeavesItsInputAlone(t *testing.T) {
	plugins := []Plugin{{"", "b", "b"}, {"", "a", "a"}, {"", "b", "b"}}
	before := append([]Plugin(nil), plugins...)
	AppendGroupMetadata(nil, plugins)
	if diff := cmp.Diff(plugins, before); diff != "" {
		t.Errorf("the caller's plugins changed:\n%s", diff)
	}
}

// FuzzMetadata: what is read can be written, is then read as the same, and is
// written as the same bytes again.
func FuzzMetadata(f *testing.F) {
	f.Add(`<metadata><groupId>a</groupId><artifactId>b</artifactId><versioning><versions><version>1</version></versions></versioning></metadata>`)
	f.Add(`<metadata><plugins><plugin><name>a&amp;b</name><prefix>p</prefix><artifactId>q</artifactId></plugin></plugins></metadata>`)
	f.Add(`<metadata><version>1-SNAPSHOT</version><versioning><snapshot><timestamp>20260301.101500</timestamp><buildNumber>7</buildNumber></snapshot><snapshotVersions><snapshotVersion><extension>jar</extension><value>1-20260301.101500-7</value><updated>1</updated></snapshotVersion></snapshotVersions></versioning></metadata>`)
	f.Add(`<!DOCTYPE m [<!ENTITY a "x">]><metadata>&a;</metadata>`)
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMetadata(strings.NewReader(s))
		if err != nil {
			if registry.KindOf(err) != registry.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		write := func(m *Metadata) string {
			a := AppendArtifactMetadata(nil, ArtifactMetadata{m.GroupID, m.ArtifactID, SortVersions(m.Versions), testTime, m.Plugins})
			return string(a)
		}
		writeSnapshot := func(m *Metadata) string {
			return string(AppendSnapshotMetadata(nil, SnapshotMetadata{m.GroupID, m.ArtifactID, m.Version, m.Snapshot, testTime, m.SnapshotVersions}))
		}
		for _, write := range []func(*Metadata) string{write, writeSnapshot} {
			first := write(m)
			if first == "" {
				continue
			}
			again, err := ParseMetadata(strings.NewReader(first))
			if err != nil {
				t.Fatalf("%q is written as %q, which is refused: %v", s, first, err)
			}
			if second := write(again); second != first {
				t.Errorf("%q is written as\n%s\nand then as\n%s", s, first, second)
			}
		}
	})
}
