package maven

import (
	"strings"
	"testing"

	"pakhus/internal/registry"
)

func TestCheckWrite(t *testing.T) {
	const fine = registry.Kind(-1)
	tests := []struct {
		name, in string
		want     registry.Kind
		text     string // in the message
	}{
		{"release", "org/acme/app/1.0/app-1.0.jar", fine, ""},
		{"all signs of a version", "a/b/1.0+x~y_z-1/b.jar", fine, ""},
		{"all signs of a file", "a/b/1/+a_.~@=,!$()-", fine, ""},
		{"snapshot", "a/b/1-SNAPSHOT/b-1-20260301.101500-7.jar", fine, ""},
		{"stamp of another version", "a/b/1-SNAPSHOT/x-20260301.101500-7.jar", fine, ""},
		{"Ivy's layout", "org.acme/app/scala_2.12/sbt_1.0/1.2/ivys/ivy.xml", fine, ""},
		{"versions", "a/b/maven-metadata.xml", fine, ""},
		{"plugins", "a/maven-metadata.xml.sha1", fine, ""},
		{"builds", "a/b/1-SNAPSHOT/maven-metadata.xml", fine, ""},
		{"archetype catalogue", "archetype-catalog.xml", fine, ""},
		{"artifact like a copy of metadata", "a/maven-metadata-api/1/maven-metadata-api-1.xml", fine, ""},
		{"two dots in a file", "a/b/1/b..jar", fine, ""},

		{"index", ".index/x.gz", registry.Forbidden, ".index"},
		{"prefixes", ".meta/prefixes.txt", registry.Forbidden, ".meta"},
		{"any leading dot", ".x/b/1/b-1.jar", registry.Forbidden, ".x"},
		{"directory", "a/b/1/", registry.Invalid, "slash"},
		{"root", "/", registry.Invalid, "slash"},
		{"metadata of the root", "maven-metadata.xml", registry.Invalid, "no group"},
		{"three segments", "a/b/1.0", registry.Invalid, "too short"},
		{"robots", "robots.txt", registry.Invalid, "too short"},
		{"snapshot without a group", "a/1.0-SNAPSHOT/maven-metadata.xml", registry.Invalid, "no groupId"},
		{"leading dot in the group", "a/.b/c/1/c-1.jar", registry.Invalid, `".b"`},
		{"leading dot in the file", "a/b/1/.b", registry.Invalid, `".b"`},
		{"leading dot in the version", "a/b/.1/b", registry.Invalid, `".1"`},
		{"plus in the group", "a+c/b/1/b-1.jar", registry.Invalid, `"a+c"`},
		{"two dots in the version", "a/b/1..0/b-1.jar", registry.Invalid, "two dots"},
		{"at sign in the version", "a/b/1@0/b-1.jar", registry.Invalid, `"1@0"`},
		{"blank", "a/b/1/some%20name", registry.Invalid, `"some name"`},
		{"percent sign", "a/b/1/%25", registry.Invalid, `"%"`},
		{"escape of an escape", "a/b/1/%252e%252e", registry.Invalid, `"%2e%2e"`},
		{"matrix parameter", "a/b/1/b-1.jar;x=y", registry.Invalid, "b-1.jar;x=y"},
		{"umlaut", "a/b/1/%c3%bc", registry.Invalid, "ü"},
		{"group that looks Latin", "%d0%b0/b/1/b-1.jar", registry.Invalid, "may only hold letters"},
		{"blank in metadata's group", "a/b%20c/maven-metadata.xml", registry.Invalid, "b c"},
		{"stamp as release", "a/b/1.0-20260301.101500-7/b-1.0-20260301.101500-7.jar", registry.Invalid, "-SNAPSHOT"},
		{"bare stamp as release", "a/b/20260301.101500-7/b.jar", registry.Invalid, "-SNAPSHOT"},
		{"stamp as release in metadata", "a/b/1-20260301.101500-7/maven-metadata.xml", fine, ""}, // of artifact 1-2026…, for all that we know

		{"GitLab's internal route", "a/b/1/b-1.jar/authorize", registry.NotFound, "not found"},
		{"debris of the resolver", "a/b/1/_remote.repositories", registry.Invalid, "local repository"},
		{"its checksum", "a/b/1/_remote.repositories.sha1", registry.Invalid, "local repository"},
		{"debris of a failed download", "a/b/1/b-1.jar.lastUpdated", registry.Invalid, "local repository"},
		{"debris of metadata", "a/b/1-SNAPSHOT/maven-metadata-central.xml", registry.Invalid, "local copy"},
		{"debris of the resolver's state", "a/b/c/resolver-status.properties", registry.Invalid, "local repository"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := mustPath(t, tt.in).CheckWrite()
			if tt.want == fine {
				if err != nil {
					t.Fatalf("CheckWrite(%q): %v", tt.in, err)
				}
				return
			}
			if err == nil {
				t.Fatalf("%q may be written", tt.in)
			}
			if got := registry.KindOf(err); got != tt.want {
				t.Errorf("kind = %v, want %v (%v)", got, tt.want, err)
			}
			if !strings.Contains(registry.Message(err), tt.text) {
				t.Errorf("message %q does not hold %q", registry.Message(err), tt.text)
			}
		})
	}
}
