package config

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Problems are all that is wrong with the settings, one line each. No line
// shows the value of a secret.
type Problems []string

func (p Problems) Error() string { return strings.Join(p, "\n") }

// Flags are the settings given on the command line, by key. The key "config"
// names the YAML file.
type Flags map[string]string

const (
	variablePrefix = "REGISTRY_"
	fileSuffix     = "_FILE"
	// maxFile bounds the YAML file and the files of _FILE variables, in bytes.
	maxFile = 1 << 20
)

// foreignPrefixes are variables that are not ours. Kubernetes makes some of them
// for a Service that is called registry; the others steer tests.
var foreignPrefixes = []string{
	"REGISTRY_PORT", "REGISTRY_SERVICE_HOST", "REGISTRY_SERVICE_PORT", "REGISTRY_TEST_", "REGISTRY_E2E_", "REGISTRY_BENCH_",
}

// Load reads the settings. environ has the form of os.Environ. The error is of
// type Problems.
func Load(flags Flags, environ []string) (*Config, error) {
	l := &loader{values: map[string]value{}}
	given := l.environment(environ)
	file := flags["config"]
	if file == "" {
		file = given["config"].text
	}
	if file != "" {
		l.yaml(file)
	}
	for key, v := range given {
		l.values[key] = v
	}
	for key, text := range flags {
		l.values[key] = value{text, "flag"}
	}
	c := l.config()
	if len(l.problems) > 0 {
		return nil, l.problems
	}
	return c, nil
}

// value is the text of a setting and where it is from.
type value struct{ text, source string }

// loader gathers values and problems.
type loader struct {
	values   map[string]value
	problems Problems
}

func (l *loader) problem(format string, args ...any) {
	l.problems = append(l.problems, fmt.Sprintf(format, args...))
}

// environment reads the variables, and the files that _FILE variables name.
func (l *loader) environment(environ []string) map[string]value {
	found := map[string]value{}
	for _, pair := range slices.Sorted(slices.Values(environ)) {
		name, text, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, variablePrefix) || foreign(name) {
			continue
		}
		base, isFile := strings.CutSuffix(name, fileSuffix)
		key := strings.ToLower(strings.TrimPrefix(base, variablePrefix))
		switch {
		case !known(key) && key != "config":
			l.problem("%s: there is no such setting", name)
			continue
		case text == "" && (isFile || key != "secret_key"):
			continue // how container tools say "not set"; an empty key is a mistake
		}
		source := "variable " + name
		if isFile {
			read, err := readFile(text)
			if err != nil {
				l.problem("%s: %v", name, err)
			}
			text = strings.TrimRight(string(read), "\r\n")
		}
		if twin, ok := found[key]; ok {
			l.problem("%s: is set twice, by %s and by %s", key, twin.source, source)
			continue
		}
		found[key] = value{text, source}
	}
	return found
}

func foreign(name string) bool {
	return slices.ContainsFunc(foreignPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// yaml reads a flat mapping from keys to values. A list is read as its items
// with commas between them.
func (l *loader) yaml(path string) {
	text, err := readFile(path)
	if err != nil {
		l.problem("config: %v", err)
		return
	}
	var fields map[string]yaml.Node
	if err := yaml.Unmarshal(text, &fields); err != nil {
		l.problem("config: %s is not a YAML mapping, or has a key twice", path)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		node := fields[key]
		text, ok := scalar(node)
		switch {
		case !known(key):
			l.problem("%s: there is no such setting (%s, line %d)", key, path, node.Line)
		case !ok:
			l.problem("%s: is neither a text, a number nor a list of such (%s, line %d)", key, path, node.Line)
		default:
			l.values[key] = value{text, path}
		}
	}
}

func scalar(node yaml.Node) (string, bool) {
	switch node.Kind {
	case yaml.ScalarNode:
		if node.Tag == "!!null" {
			return "", true
		}
		return node.Value, true
	case yaml.SequenceNode:
		items := make([]string, len(node.Content))
		for i, item := range node.Content {
			if item.Kind != yaml.ScalarNode {
				return "", false
			}
			items[i] = item.Value
		}
		return strings.Join(items, ","), true
	}
	return "", false
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return text, errors.Join(err, f.Close())
}
