// Package arch has nothing but these tests: they keep the packages in their
// layers. Who needs an import that the tables forbid changes the table in the
// same commit, and says why.
package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "pakhus/"

// mayImport says which of our packages each of our packages may import, outside
// of its tests. A package that is not here fails the test, so that each new one
// gets its place.
var mayImport = map[string][]string{
	"internal/registry": {"internal/coherent"},
	"internal/coherent": {},
	"internal/observe":  {},
	"internal/seal":     {"internal/registry", "internal/observe"},
	"internal/config":   {"internal/observe", "internal/seal"}, // for types that cannot print
	"internal/auth":     {"internal/registry", "internal/coherent", "internal/observe"},
	"internal/blob":     {"internal/registry", "internal/observe"},
	"internal/upstream": {"internal/registry", "internal/observe"},
	"internal/store":    {"internal/registry", "internal/auth", "internal/observe"},
	"internal/serve":    {"internal/registry"},
	"internal/npm":      {"internal/registry", "internal/auth", "internal/upstream", "internal/serve"},
	"internal/nuget":    {"internal/registry", "internal/auth", "internal/upstream", "internal/serve"},
	"internal/maven":    {"internal/registry", "internal/auth", "internal/upstream", "internal/serve"},
	"internal/gitlab":   {"internal/registry", "internal/auth"},
	"internal/lane":     {},
	"internal/httpapi":  {"internal/registry", "internal/auth", "internal/observe", "internal/coherent", "internal/lane"},
	"internal/jobs":     {"internal/registry", "internal/observe"},
	"web":               {"internal/registry", "internal/auth", "internal/observe"},
	"cmd/registry":      {anything},

	// For tests only: see testOnly.
	"internal/registry/registrytest": {"internal/registry", "internal/auth", "internal/blob", "internal/store"},
	"internal/upstream/upstreamtest": {"internal/upstream"},
	"internal/pgtest":                {},
	"internal/wiretest":              {},
	"internal/worldtest":             {"internal/registry", "internal/auth", "internal/blob", "internal/store", "internal/httpapi"},
	"bench":                          {anything},
	"deploy":                         {anything},
	"test/arch":                      {anything},
	"test/ci":                        {anything},
	"test/e2e":                       {anything},
}

const anything = "*"

// onlyIn says which of our packages may import a library. The longest prefix
// that fits counts.
var onlyIn = map[string][]string{
	"gorm.io":                             {"internal/store"},
	"modernc.org/sqlite":                  {"internal/store"},
	"github.com/jackc/pgx":                {"internal/store", "internal/pgtest", "bench"},
	"github.com/pressly/goose":            {"internal/store"},
	"database/sql":                        {"internal/store"},
	"gocloud.dev":                         {"internal/blob"},
	"gocloud.dev/secrets":                 {"internal/seal"},
	"github.com/prometheus/client_golang": {"internal/observe"},
	// Of auth it is the file middleware.go alone: see TestEchoInAuth.
	"github.com/labstack/echo": {"internal/httpapi", "internal/gitlab", "internal/serve", "internal/npm", "internal/nuget", "internal/maven", "internal/auth"},
	"github.com/maypok86":      {"internal/coherent"},
	"github.com/alecthomas":    {"cmd/registry"},
}

// testOnly packages are imported by tests, and by each other.
var testOnly = []string{"internal/registry/registrytest", "internal/upstream/upstreamtest", "internal/pgtest", "internal/wiretest", "internal/worldtest", "test/", "bench", "deploy"}

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module) }

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", module+"...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var packages []pkg
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages
		case err != nil:
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func TestOurImports(t *testing.T) {
	for _, p := range list(t) {
		allowed, known := mayImport[p.name()]
		if !known {
			t.Errorf("%s has no row in the table of imports", p.name())
		}
		for _, problem := range checkOurs(p, allowed) {
			t.Error(problem)
		}
	}
}

// checkOurs finds imports of our packages that the table forbids.
func checkOurs(p pkg, allowed []string) (problems []string) {
	for _, path := range p.Imports {
		name, ours := strings.CutPrefix(path, module)
		switch {
		case !ours:
		case within(testOnly, name) && !within(testOnly, p.name()):
			problems = append(problems, p.name()+" imports "+name+", which is for tests only")
		case !slices.Contains(allowed, anything) && !slices.Contains(allowed, name):
			problems = append(problems, p.name()+" must not import "+name)
		}
	}
	return problems
}

func within(prefixes []string, name string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool {
		return name == p || strings.HasPrefix(name, strings.TrimSuffix(p, "/")+"/")
	})
}

func TestLibraries(t *testing.T) {
	for _, p := range list(t) {
		for _, problem := range checkLibraries(p) {
			t.Error(problem)
		}
	}
}

// checkLibraries finds imports of libraries that belong to another package.
func checkLibraries(p pkg) (problems []string) {
	for _, path := range p.Imports {
		longest := ""
		for library := range onlyIn {
			if len(library) > len(longest) && within([]string{library}, path) {
				longest = library
			}
		}
		if longest != "" && !slices.Contains(onlyIn[longest], p.name()) {
			problems = append(problems, p.name()+" must not import "+path+", which is for "+strings.Join(onlyIn[longest], ", "))
		}
	}
	return problems
}

// Echo ends at one file of auth: the rest decides without knowing of routes.
func TestEchoInAuth(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{range .GoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}`, module+"internal/auth").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := strings.Fields(string(out))
	if len(files) < 5 {
		t.Fatalf("only %q", files)
	}
	for _, file := range files {
		imports := importsOf(t, file)
		if slices.ContainsFunc(imports, isEcho) && !strings.HasSuffix(file, "/middleware.go") {
			t.Errorf("%s imports echo", file)
		}
	}
}

// The checks find what they are for.
func TestChecksFindViolations(t *testing.T) {
	tests := []struct {
		name string
		p    pkg
		want int
	}{
		{"format imports another", pkg{ImportPath: "pakhus/internal/npm", Imports: []string{"pakhus/internal/maven", "pakhus/internal/serve"}}, 1},
		{"domain imports SQL", pkg{ImportPath: "pakhus/internal/registry", Imports: []string{"database/sql", "pakhus/internal/store", "gorm.io/gorm"}}, 3},
		{"command imports a test package", pkg{ImportPath: "pakhus/cmd/registry", Imports: []string{"pakhus/internal/pgtest", "pakhus/internal/store"}}, 1},
		{"command imports Prometheus", pkg{ImportPath: "pakhus/cmd/registry", Imports: []string{"github.com/prometheus/client_golang/prometheus"}}, 1},
		{"secrets in blob", pkg{ImportPath: "pakhus/internal/blob", Imports: []string{"gocloud.dev/secrets/localsecrets", "gocloud.dev/blob"}}, 1},
		{"allowed", pkg{ImportPath: "pakhus/internal/store", Imports: []string{"gorm.io/gorm", "pakhus/internal/auth", "database/sql"}}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := append(checkOurs(tt.p, mayImport[tt.p.name()]), checkLibraries(tt.p)...)
			if len(got) != tt.want {
				t.Errorf("got %q, want %d", got, tt.want)
			}
		})
	}
}
