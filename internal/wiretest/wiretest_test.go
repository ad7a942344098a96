package wiretest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mirror answers with what it was sent.
func mirror(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	w.Header().Set("X-Got", r.Header.Get("X-Sent"))
	w.Header()["X-Twice"] = []string{"a", "b"}
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"method":%q,"path":%q,"host":%q,"body":%q,"_rev":"3-abc","list":[{"1.0.0":7}],"none":null}`,
		r.Method, r.URL.EscapedPath(), r.Host, body)
}

func TestRun(t *testing.T) {
	Run(t, "testdata/*.txt", func(*testing.T) (http.Handler, map[string]string) {
		return http.HandlerFunc(mirror), map[string]string{"project": "7", "name": "demo"}
	})
}

// A script that expects what is not so must fail, and say in which line.
func TestFailures(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"status", "GET /\nstatus 200", "2: status 201, want 200"},
		{"no status", "GET /\ntext present", "1: the exchange expects no status"},
		{"equal", "GET /\nstatus 201\njson method == PUT", `3: json method is "GET", want == PUT`},
		{"equal to nothing", "GET /\nstatus 201\njson nothing ==", `3: json nothing is "", want ==`},
		{"not equal", "GET /\nstatus 201\njson method != GET", `3: json method is "GET"`},
		{"contains", "GET /\nstatus 201\nheader X-Twice contains c", `3: header X-Twice is "a, b"`},
		{"does not contain", "GET /\nstatus 201\nheader X-Twice !contains b", `3: header X-Twice is "a, b"`},
		{"matches", "GET /\nstatus 201\njson _rev matches ^4", `3: json _rev is "3-abc"`},
		{"bad expression", "GET /\nstatus 201\njson _rev matches (", "3: error parsing regexp"},
		{"absent", "GET /\nstatus 201\nheader X-Twice absent", "3: header X-Twice is"},
		{"present", "GET /\nstatus 201\nheader X-Once present", "3: header X-Once is"},
		{"unknown comparison", "GET /\nstatus 201\ntext like x", `3: "like" is no comparison`},
		{"unknown directive", "GET /\nstatus 201\ncookie a == b", `3: "cookie a == b" is no directive`},
		{"nothing to capture", "GET /\nstatus 201\ncapture rev = json rev", "3: nothing to capture"},
		{"unset variable", "GET /${x}\nstatus 201", "1: ${x} is not set"},
		{"no request line", "status 201", `1: "status 201" is not a request line`},
		{"no golden file", "GET /\nstatus 201\ntext golden nothing", "3: the body differs from testdata/nothing"},
		{"no body file", "PUT /\nbodyfile nothing\nstatus 201", "2: open testdata/nothing"},
		{"second exchange", "GET /\nstatus 201\n\n# more\n\nGET /\nstatus 204", "7: status 201, want 204"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var failures []string
			s := &script{handler: http.HandlerFunc(mirror), dir: "testdata", fail: func(line int, format string, args ...any) {
				failures = append(failures, fmt.Sprintf("%d: "+format, append([]any{line}, args...)...))
			}}
			s.run(tt.script)
			if len(failures) != 1 || !strings.HasPrefix(failures[0], tt.want) {
				t.Errorf("got %q, want %q", failures, tt.want)
			}
		})
	}
}

func TestFind(t *testing.T) {
	document := []byte(`{"a":{"b.c":[1.50,"x",{"d":"<>"}]},"":true,"z":null}`)
	tests := []struct {
		name, path, want string
		found            bool
	}{
		{"escaped dot and index", `a.b\.c.1`, "x", true},
		{"number as it was written", `a.b\.c.0`, "1.50", true},
		{"object", `a.b\.c.2`, `{"d":"<>"}`, true},
		{"null", "z", "null", true},
		{"index past the end", `a.b\.c.3`, "", false},
		{"key of a text", `a.b\.c.1.x`, "", false},
		{"whole", ".", `{"":true,"a":{"b.c":[1.50,"x",{"d":"<>"}]},"z":null}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, found := find(document, tt.path)
			if diff := cmp.Diff([]any{got, found}, []any{tt.want, tt.found}); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, found := find([]byte("<html>"), "a"); found {
		t.Error("found something in what is not JSON")
	}
}
