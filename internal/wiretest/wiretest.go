// Package wiretest runs scripts of requests and expected answers against an
// http.Handler. It is for tests only.
//
// A script is a text file of exchanges with blank lines between them. Lines that
// begin with # are comments. An exchange is a request line, then one directive a
// line:
//
//	PUT /api/v4/projects/${project}/packages/npm/demo
//	header Authorization: Bearer ${token}
//	body {"name":"demo"}
//	status 200
//	header Content-Type == application/json
//	json versions.1\.0\.0.dist.shasum == 0beec7b5
//	capture rev = json _rev
//
// What is sent: "header NAME: VALUE", "body TEXT" (several are joined by line
// breaks), "bodyfile PATH". What is expected: "status N", and checks of the form
// "SUBJECT OP VALUE", where the subject is "header NAME", "json PATH" or "text",
// and OP is ==, !=, contains, !contains, matches (a regular expression), or
// "absent" and "present" without a value. "text golden PATH" compares the body
// with a file, and writes it under the flag -update. "capture NAME = SUBJECT"
// keeps a value for ${NAME} in later lines.
//
// In a JSON path, dots separate keys and indexes, \. is a dot in a key. Objects
// and arrays are compared as compact JSON with sorted keys. Every exchange must
// expect a status. Paths of files begin at the script's folder.
package wiretest

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files of wire scripts")

// Run runs every script that the pattern finds, each as a test of its own with
// its own handler and variables.
func Run(t *testing.T, pattern string, prepare func(t *testing.T) (http.Handler, map[string]string)) {
	t.Helper()
	scripts, err := filepath.Glob(pattern)
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %s (%v)", pattern, err)
	}
	for _, path := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			handler, vars := prepare(t)
			s := &script{handler: handler, vars: vars, dir: filepath.Dir(path), update: *update, fail: func(line int, format string, args ...any) {
				t.Errorf("%s:%d: %s", path, line, fmt.Sprintf(format, args...))
			}}
			s.run(string(text))
		})
	}
}

// script is a script as it runs.
type script struct {
	handler http.Handler
	vars    map[string]string
	dir     string
	update  bool
	fail    func(line int, format string, args ...any)
}

// line is a line of the script with its number.
type line struct {
	number int
	text   string
}

func (s *script) run(text string) {
	if s.vars == nil {
		s.vars = map[string]string{}
	}
	var exchange []line
	for i, l := range strings.Split(text+"\n", "\n") {
		switch {
		case strings.HasPrefix(l, "#"):
		case l != "":
			exchange = append(exchange, line{i + 1, l})
		case len(exchange) > 0:
			s.exchange(exchange)
			exchange = nil
		}
	}
}

// exchange sends a request and checks the answer.
func (s *script) exchange(lines []line) {
	r, checks := s.request(lines)
	if r == nil {
		return
	}
	recorded := httptest.NewRecorder()
	s.handler.ServeHTTP(recorded, r)
	expected := false
	for _, l := range checks {
		word, rest, _ := strings.Cut(s.expand(l), " ")
		switch word {
		case "status":
			expected = true
			if got := strconv.Itoa(recorded.Code); got != rest {
				s.fail(l.number, "status %s, want %s; body: %.500s", got, rest, recorded.Body.String())
			}
		case "capture":
			s.capture(l, recorded, rest)
		default:
			s.check(l, recorded, word+" "+rest)
		}
	}
	if !expected {
		s.fail(lines[0].number, "the exchange expects no status")
	}
}

var sentHeader = regexp.MustCompile(`^header ([A-Za-z0-9-]+): ?(.*)$`)

// request builds the request; the lines that are left are checks.
func (s *script) request(lines []line) (r *http.Request, checks []line) {
	header, body, named := http.Header{}, []string{}, ""
	var file []byte
	for _, l := range lines {
		text := s.expand(l)
		sent := sentHeader.FindStringSubmatch(text)
		switch word, rest, _ := strings.Cut(text, " "); {
		case named == "":
			named = text
		case sent != nil:
			header.Add(sent[1], sent[2])
		case word == "body":
			body = append(body, rest)
		case word == "bodyfile":
			var err error
			if file, err = os.ReadFile(filepath.Join(s.dir, rest)); err != nil {
				s.fail(l.number, "%v", err)
			}
		default:
			checks = append(checks, l)
		}
	}
	method, target, ok := strings.Cut(named, " ")
	if !ok || !strings.HasPrefix(target, "/") {
		s.fail(lines[0].number, "%q is not a request line", named)
		return nil, nil
	}
	if file == nil {
		file = []byte(strings.Join(body, "\n"))
	}
	r = httptest.NewRequest(method, target, bytes.NewReader(file))
	for name, values := range header {
		r.Header[name] = values
	}
	return r, checks
}

var variable = regexp.MustCompile(`\$\{(\w+)\}`)

func (s *script) expand(l line) string {
	return variable.ReplaceAllStringFunc(l.text, func(ref string) string {
		value, ok := s.vars[ref[2:len(ref)-1]]
		if !ok {
			s.fail(l.number, "%s is not set", ref)
		}
		return value
	})
}
