package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mavens are the lines of Maven, with the scripts of testdata/maven that each
// runs, all of them when none is named. Maven 3.10 has the transport of 4; its
// answers are looked at on their way.
var mavens = map[string][]string{
	"mvn3.8": nil, "mvn3.9": nil, "mvn3.10": {"release", "snapshot"}, "mvn4": nil,
}

// TestMaven runs the scripts of testdata/maven with every line of Maven. The
// scripts of one Maven share its world; their packages have their own names.
func TestMaven(t *testing.T) {
	for maven, only := range mavens {
		t.Run(maven, func(t *testing.T) {
			t.Parallel()
			needJava(t, maven)
			s := sharedServer(t)
			w, err := mavenWorld(s, maven)
			if err != nil {
				t.Fatal(err)
			}
			if maven == "mvn3.10" {
				watchAnswers(t, s, w)
			}
			files := slices.DeleteFunc(scripts(t, "testdata/maven"), func(file string) bool {
				return len(only) > 0 && !slices.Contains(only, strings.TrimSuffix(filepath.Base(file), ".txtar"))
			})
			runMavenScripts(t, files, s, maven, w)
		})
	}
}

// TestMavenClients runs the scripts of the clients beside Maven. What they read
// is deployed by one Maven.
func TestMavenClients(t *testing.T) {
	t.Parallel()
	needJava(t, "mvn3.9", "gradle4", "ivy", "lein", "sbt", "coursier")
	s := sharedServer(t)
	w, err := mavenWorld(s, "mavenclients")
	if err != nil {
		t.Fatal(err)
	}
	w.vars["SHARED"], w.vars["SHARED_PATH"] = "org.acme.shared", "org/acme/shared"
	t.Run("deploy", func(t *testing.T) {
		runMavenScripts(t, scripts(t, "testdata/mavenshared"), s, "mvn3.9", w)
	})
	runMavenScripts(t, scripts(t, "testdata/mavenclients"), s, "mvn3.9", w)
}

// needJava ends a test that lacks one of these programs.
func needJava(t testing.TB, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, ok := findProgram(program); !ok {
			missing(t, program, "maven.sh")
		}
	}
}
