package wiretest

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// comparisons are the operators of checks.
var comparisons = map[string]func(got, want string, found bool) (bool, error){
	"==":        func(got, want string, found bool) (bool, error) { return found && got == want, nil },
	"!=":        func(got, want string, _ bool) (bool, error) { return got != want, nil },
	"contains":  func(got, want string, _ bool) (bool, error) { return strings.Contains(got, want), nil },
	"!contains": func(got, want string, _ bool) (bool, error) { return !strings.Contains(got, want), nil },
	"matches":   func(got, want string, _ bool) (bool, error) { return regexp.MatchString(want, got) },
	"absent":    func(_, _ string, found bool) (bool, error) { return !found, nil },
	"present":   func(_, _ string, found bool) (bool, error) { return found, nil },
}

// check compares a part of the answer: see the package comment for the form.
func (s *script) check(l line, recorded *httptest.ResponseRecorder, text string) {
	subject, rest := cutSubject(text)
	op, want, _ := strings.Cut(rest, " ")
	got, found, known := part(recorded, subject)
	if !known {
		s.fail(l.number, "%q is no directive", text)
		return
	}
	compare, ok := comparisons[op]
	switch {
	case subject == "text" && op == "golden":
		s.golden(l, got, want)
		return
	case !ok:
		s.fail(l.number, "%q is no comparison", op)
		return
	}
	holds, err := compare(got, want, found)
	if err != nil {
		s.fail(l.number, "%v", err)
		return
	}
	if !holds {
		s.fail(l.number, "%s is %.500q, want %s; status %d", subject, got, rest, recorded.Code)
	}
}

// capture keeps a value: NAME = SUBJECT.
func (s *script) capture(l line, recorded *httptest.ResponseRecorder, text string) {
	name, subject, ok := strings.Cut(text, " = ")
	got, found, known := part(recorded, subject)
	if !ok || !known || !found {
		s.fail(l.number, "nothing to capture: %s; body: %.500s", text, recorded.Body.String())
	}
	s.vars[name] = got
}

func (s *script) golden(l line, got, name string) {
	path := filepath.Join(s.dir, name)
	if s.update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			s.fail(l.number, "%v", err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != got {
		s.fail(l.number, "the body differs from %s (%v; -update rewrites it): %.500s", path, err, got)
	}
}

// cutSubject takes the subject, of one word or two, off a check.
func cutSubject(text string) (subject, rest string) {
	word, rest, _ := strings.Cut(text, " ")
	if word == "text" {
		return word, rest
	}
	name, rest, _ := strings.Cut(rest, " ")
	return word + " " + name, rest
}

// part gives a part of the answer as text. Several headers of one name are
// joined by ", ".
func part(recorded *httptest.ResponseRecorder, subject string) (text string, found, known bool) {
	switch word, name, _ := strings.Cut(subject, " "); {
	case word == "text":
		return recorded.Body.String(), recorded.Body.Len() > 0, true
	case word == "header" && name != "":
		values := recorded.Header().Values(name)
		return strings.Join(values, ", "), len(values) > 0, true
	case word == "json" && name != "":
		text, found = find(recorded.Body.Bytes(), name)
		return text, found, true
	}
	return "", false, false
}

// find gives the value at a path of a JSON document: strings as they are, the
// rest as compact JSON. The path "." is the whole document.
func find(document []byte, path string) (string, bool) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return "", false
	}
	for _, key := range splitPath(path) {
		switch node := value.(type) {
		case map[string]any:
			next, ok := node[key]
			if !ok {
				return "", false
			}
			value = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(node) {
				return "", false
			}
			value = node[i]
		default:
			return "", false
		}
	}
	if text, ok := value.(string); ok {
		return text, true
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(value) != nil {
		return "", false
	}
	return strings.TrimSpace(out.String()), true
}

func splitPath(path string) []string {
	if path == "." {
		return nil
	}
	const escaped = "\x00"
	keys := strings.Split(strings.ReplaceAll(path, `\.`, escaped), ".")
	for i, key := range keys {
		keys[i] = strings.ReplaceAll(key, escaped, ".")
	}
	return keys
}
