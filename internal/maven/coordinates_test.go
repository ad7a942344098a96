package maven

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCoordinates(t *testing.T) {
	build := Build{"20260301.101500", 7}
	tests := []struct {
		name, in string
		want     Coordinates
	}{
		{"release", "junit/junit/4.13/junit-4.13.jar", Coordinates{"junit", "junit", "4.13", Build{}, "", "jar", "junit"}},
		{"long group", "org/acme/x/app/1/app-1.pom", Coordinates{"org.acme.x", "app", "1", Build{}, "", "pom", "app"}},
		{"build", "a/b/1-SNAPSHOT/b-1-20260301.101500-7.jar", Coordinates{"a", "b", "1-SNAPSHOT", build, "", "jar", "b"}},
		{"build, signed, checksum", "a/b/1-SNAPSHOT/b-1-20260301.101500-7-sources.jar.asc.sha512", Coordinates{"a", "b", "1-SNAPSHOT", build, "sources", "jar", "b"}},
		{"literal snapshot", "a/b/1.0-SNAPSHOT/b-1.0-SNAPSHOT.jar", Coordinates{"a", "b", "1.0-SNAPSHOT", Build{}, "", "jar", "b"}},
		{"bare snapshot", "a/b/SNAPSHOT/b-SNAPSHOT.jar", Coordinates{"a", "b", "SNAPSHOT", Build{}, "", "jar", "b"}},
		{"build of a bare snapshot", "a/b/SNAPSHOT/b-20260301.101500-7.jar", Coordinates{"a", "b", "SNAPSHOT", build, "", "jar", "b"}},
		{"snapshot without a dash", "a/b/1SNAPSHOT/b-1SNAPSHOT.jar", Coordinates{"a", "b", "1SNAPSHOT", Build{}, "", "jar", "b"}},
		{"compound extension", "a/b/1.0/b-1.0-bin.tar.gz", Coordinates{"a", "b", "1.0", Build{}, "bin", "tar.gz", "b"}},
		{"compound extension alone", "a/b/1.0/b-1.0.tar.gz", Coordinates{"a", "b", "1.0", Build{}, "", "tar.gz", "b"}},
		{"unknown compound", "a/b/1.0/b-1.0-x.y.z", Coordinates{"a", "b", "1.0", Build{}, "x.y", "z", "b"}},
		{"dotted classifier", "a/b/1.0/b-1.0-jdk1.5.jar", Coordinates{"a", "b", "1.0", Build{}, "jdk1.5", "jar", "b"}},
		{"classifier with dashes", "a/b/1.0/b-1.0-linux-x86_64.exe", Coordinates{"a", "b", "1.0", Build{}, "linux-x86_64", "exe", "b"}},
		{"classifier without extension", "a/b/1.0/b-1.0-bin", Coordinates{"a", "b", "1.0", Build{}, "bin", "", "b"}},
		{"plus", "a/b.c/1.0+build.5/b.c-1.0%2Bbuild.5.jar", Coordinates{"a", "b.c", "1.0+build.5", Build{}, "", "jar", "b.c"}},
		{"version in the artifactId", "a/b-1.0/2/b-1.0-2.jar", Coordinates{"a", "b-1.0", "2", Build{}, "", "jar", "b-1.0"}},
		{"number in the version", "a/b/1.0-1/b-1.0-1.jar", Coordinates{"a", "b", "1.0-1", Build{}, "", "jar", "b"}},
		{"number as classifier", "a/b/1.0/b-1.0-1.jar", Coordinates{"a", "b", "1.0", Build{}, "1", "jar", "b"}},
		{"no extension", "a/b/1.0/b-1.0", Coordinates{"a", "b", "1.0", Build{}, "", "", "b"}},
		{"Maven 4's build POM", "a/b/1.0/b-1.0-build.pom", Coordinates{"a", "b", "1.0", Build{}, "build", "pom", "b"}},
		{"stamp in a release's name", "a/b/1.0/b-1.0-20260301.101500-7.jar", Coordinates{"a", "b", "1.0", Build{}, "20260301.101500-7", "jar", "b"}},
		{"sbt plugin, old form", "a/sbt-x_2.12_1.0/1.2/sbt-x-1.2.pom", Coordinates{"a", "sbt-x_2.12_1.0", "1.2", Build{}, "", "pom", "sbt-x"}},
		{"sbt plugin, new form", "a/sbt-x_2.12_1.0/1.2/sbt-x_2.12_1.0-1.2.pom", Coordinates{"a", "sbt-x_2.12_1.0", "1.2", Build{}, "", "pom", "sbt-x_2.12_1.0"}},
		{"sbt 2 plugin, old form", "a/sbt-x_3_2/1-SNAPSHOT/sbt-x-1-SNAPSHOT-sources.jar", Coordinates{"a", "sbt-x_3_2", "1-SNAPSHOT", Build{}, "sources", "jar", "sbt-x"}},
		{"Scala library", "a/x_2.13/1/x_2.13-1.jar", Coordinates{"a", "x_2.13", "1", Build{}, "", "jar", "x_2.13"}},
		{"dots in a directory", "org.acme/app/1/app-1.jar", Coordinates{"org.acme", "app", "1", Build{}, "", "jar", "app"}},
		{"signature of a checksum", "a/b/1/b-1.jar.sha1.asc", Coordinates{"a", "b", "1", Build{}, "", "jar.sha1.asc", "b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustPath(t, tt.in)
			got, ok := ParseCoordinates(p)
			if !ok {
				t.Fatalf("%q has no coordinates", tt.in)
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("ParseCoordinates(%q) (-got +want):\n%s", tt.in, diff)
			}
			if name := got.FileName(); name != p.Base {
				t.Errorf("prints as %q, want %q", name, p.Base)
			}
		})
	}
}

func TestParseCoordinatesOpaque(t *testing.T) {
	tests := []struct{ name, in string }{
		{"other case", "a/b/1.0/B-1.0.jar"},
		{"Ivy's descriptor", "a/app/1.0/ivy-1.0.xml"},
		{"Ivy's layout", "org.acme/app/scala_2.12/sbt_1.0/1.2/jars/app.jar"},
		{"other version", "a/b/1.0/b-1.1.jar"},
		{"longer version", "a/b/1.0/b-1.01.jar"},
		{"other base version", "a/b/1.0-SNAPSHOT/b-1.1-20260301.101500-7.jar"},
		{"release in a snapshot's directory", "a/b/1.0-SNAPSHOT/b-1.0.jar"},
		{"build of a snapshot without a dash", "a/b/1SNAPSHOT/b-120260301.101500-7.jar"},
		{"time that no clock shows", "a/b/1-SNAPSHOT/b-1-20261301.101500-7.jar"},
		{"24 o'clock", "a/b/1-SNAPSHOT/b-1-20260301.240000-7.jar"},
		{"number with a leading zero", "a/b/1-SNAPSHOT/b-1-20260301.101500-07.jar"},
		{"number too large", "a/b/1-SNAPSHOT/b-1-20260301.101500-9223372036854775808.jar"},
		{"stamp without a number", "a/b/1-SNAPSHOT/b-1-20260301.101500-.jar"},
		{"stamp without a dash", "a/b/1-SNAPSHOT/b-1-20260301.1015007.jar"},
		{"name cut off", "a/b/1-SNAPSHOT/b-1-2026"},
		{"dot at the end", "a/b/1/b-1."},
		{"empty classifier", "a/b/1/b-1-.jar"},
		{"dash at the end", "a/b/1/b-1-"},
		{"empty extension", "a/b/1/b-1-sources."},
		{"Scala version of no plugin", "a/x_2/1/x-1.jar"},
		{"nothing before the Scala version", "a/_2.12/1/-1.jar"},
		{"metadata", "a/b/maven-metadata.xml"},
		{"directory", "a/b/1/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := ParseCoordinates(mustPath(t, tt.in)); ok {
				t.Errorf("ParseCoordinates(%q) = %+v", tt.in, got)
			}
		})
	}
}

func TestBuildOrder(t *testing.T) {
	builds := []Build{{}, {"20260301.101500", 0}, {"20260301.101500", 7}, {"20260301.101500", 10}, {"20260301.101501", 1}, {"20270101.000000", 1}}
	for i, a := range builds {
		for j, b := range builds {
			if got, want := a.Compare(b), compareInts(i, j); got != want {
				t.Errorf("%v compared with %v = %d, want %d", a, b, got, want)
			}
		}
		if got, ok := ParseBuild(a.String()); ok == a.IsZero() || got != a {
			t.Errorf("build %+v prints as %q", a, a.String())
		}
	}
}

func compareInts(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func FuzzCoordinates(f *testing.F) {
	f.Add("a/b/1/b-1.jar", "sources", "jar", true)
	f.Add("a/b/1-SNAPSHOT/b-1-20260301.101500-7-x.tar.gz", "jdk1.5", "tar.gz", false)
	f.Add("a/sbt-x_2.12_1.0/1/sbt-x-1.pom", "", "", true)
	f.Fuzz(func(t *testing.T, path, classifier, extension string, signed bool) {
		p, err := ParsePath(path)
		if err != nil {
			return
		}
		c, ok := ParseCoordinates(p)
		if !ok {
			return
		}
		if name := c.FileName(); name != p.Base {
			t.Fatalf("%q prints as %q", p.Base, name)
		}
		// Any other file of the version is read as what it was printed from, unless
		// its own parts could be split in another way.
		if extension == "" || strings.Contains(extension, ".") || strings.Contains(classifier, ".") {
			return
		}
		other := c
		other.Classifier, other.Extension = classifier, extension
		name := other.FileName()
		if signed {
			name += ".asc"
		}
		q, err := ParsePath(p.Package + "/" + p.Version + "/" + escapeSegment(name))
		if err != nil || q.Base != other.FileName() {
			return
		}
		got, ok := ParseCoordinates(q)
		if diff := cmp.Diff(got, other); !ok || diff != "" {
			t.Errorf("%q is read as other coordinates (-got +want):\n%s", name, diff)
		}
	})
}
