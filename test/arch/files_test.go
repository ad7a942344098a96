package arch

import (
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// importsOf gives the imports of a file.
func importsOf(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range parsed.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

func isEcho(path string) bool { return strings.HasPrefix(path, "github.com/labstack/echo") }
