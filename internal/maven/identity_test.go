package maven

import (
	"strings"
	"testing"

	"pakhus/internal/registry"
)

func TestCheckPOM(t *testing.T) {
	const release, snapshot = "org/acme/app/1.0/app-1.0.pom", "org/acme/app/1.0-SNAPSHOT/app-1.0-20260301.101500-7.pom"
	const plugin = "org/acme/sbt-x_2.12_1.0/1.2/sbt-x-1.2.pom"
	project := func(inner string) string { return "<project>" + inner + "</project>" }
	own := func(groupID, artifactID, version string) string {
		return project("<groupId>" + groupID + "</groupId><artifactId>" + artifactID + "</artifactId><version>" + version + "</version>")
	}
	const parent = "<parent><groupId>org.acme</groupId><artifactId>parent</artifactId><version>1.0</version></parent>"
	tests := []struct{ name, path, pom, want string }{
		{"the same", release, own("org.acme", "app", "1.0"), ""},
		{"base version of a build", snapshot, own("org.acme", "app", "1.0-SNAPSHOT"), ""},
		{"version of a build", snapshot, own("org.acme", "app", "1.0-20260301.101500-7"), ""},
		{"another build", snapshot, own("org.acme", "app", "1.0-20260301.101500-8"), "version"},
		{"of the parent", release, project(parent + "<artifactId>app</artifactId>"), ""},
		{"another group than the parent", release, project(parent + "<groupId>org.other</groupId><artifactId>app</artifactId>"), `groupId "org.other"`},
		{"another version of the parent", "org/acme/app/2.0/app-2.0.pom", project(parent + "<artifactId>app</artifactId>"), `version "1.0"`},
		{"the parent's name is not its own", "org/acme/parent/1.0/parent-1.0.pom", project(parent + "<artifactId>app</artifactId>"), `artifactId "app"`},
		{"properties", release, own("${g}", "${a}", "${revision}${changelist}"), ""},
		{"nothing", release, project(""), ""},
		{"another artifact", release, own("org.acme", "App", "1.0"), `artifactId "App"`},
		{"sbt's old plugin", plugin, own("org.acme", "sbt-x", "1.2"), ""},
		{"sbt's old plugin, new name", plugin, own("org.acme", "sbt-x_2.12_1.0", "1.2"), ""},
		{"sbt's old plugin, another", plugin, own("org.acme", "sbt-y", "1.2"), "artifactId"},
		{"dependencies are others", release, project("<groupId>org.acme</groupId><dependencies><dependency><groupId>x</groupId></dependency></dependencies>"), ""},
		{"cut off", release, "<project><groupId>org.acme</groupId>", "well-formed"},
		{"a page", release, "<html></html>", "well-formed"},
		{"empty", release, "", "well-formed"},
		{"entities", release, `<!DOCTYPE project [<!ENTITY x "y">]><project/>`, "well-formed"},
		{"too large", release, project(strings.Repeat(" ", maxPOM)), "larger"},
		{"long and hostile", release, own(strings.Repeat("é\n", 500), "app", "1.0"), "groupId"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path, err := ParsePath(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			c, ok := ParseCoordinates(path)
			if !ok {
				t.Fatal("no coordinates")
			}
			err = CheckPOM([]byte(tt.pom), c)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(registry.Message(err), tt.want) {
				t.Errorf("CheckPOM = %v, want %q in it", err, tt.want)
			}
			if err != nil && registry.KindOf(err) != registry.Invalid {
				t.Errorf("kind = %v", registry.KindOf(err))
			}
		})
	}
}
