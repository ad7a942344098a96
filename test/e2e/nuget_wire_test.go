package e2e

import (
	"cmp"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the wire traces of NuGet's clients anew")

// nugetWireDir has what the clients send, for the tests of internal/nuget that
// answer them without clients.
const nugetWireDir = "../../internal/nuget/testdata/wire"

// wireStep is one command of a client. Of $ words the test makes what they stand
// for: the tokens, and the file of the version that is pushed.
type wireStep struct {
	name    string
	login   string // variable of the token in the HOME; none when empty
	verb    string
	args    []string
	version string // that the file of a push holds
	fails   bool
}

var wireSteps = []wireStep{
	{name: "push with a key alone", verb: "push-key", args: []string{"$FILE", "$RW"}, version: "1.0.0"},
	{name: "push with a credential alone", login: "RW", verb: "push", args: []string{"$FILE"}, version: "1.1.0"},
	{name: "push with both", login: "RW", verb: "push-key", args: []string{"$FILE", "$RW"}, version: "1.2.0"},
	{name: "push again", verb: "push-key", args: []string{"$FILE", "$RW"}, version: "1.2.0", fails: true},
	{name: "push with a key that reads", verb: "push-key", args: []string{"$FILE", "$RO"}, version: "2.0.0", fails: true},
	{name: "restore without a credential", verb: "restore", fails: true},
	{name: "restore", login: "RO", verb: "restore"},
	{name: "install the newest", login: "RO", verb: "newest", args: []string{"$ID"}},
	{name: "list", login: "RO", verb: "list", args: []string{"$ID"}},
	{name: "search", login: "RO", verb: "search", args: []string{"$ID"}},
	{name: "outdated", login: "RO", verb: "outdated"},
	{name: "delete", verb: "delete", args: []string{"$ID", "1.2.0", "$RW"}},
}

// TestNuGetWire records what each client sends for each of its commands, and
// compares it with the traces that are kept. With -update it writes them.
func TestNuGetWire(t *testing.T) {
	for _, c := range nugetClients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			needNuGet(t, c.name)
			got := recordNuGet(t, c)
			file := filepath.Join(nugetWireDir, c.name+".txt")
			if *update {
				if err := writeFile(file, got); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(string(want), got); diff != "" {
				t.Errorf("the client's requests have changed (-update takes them over):\n%s", diff)
			}
		})
	}
}

// recordNuGet runs the steps with a server of its own.
func recordNuGet(t *testing.T, c client) string {
	t.Helper()
	s := prepare(t, nil)
	rec, err := newRecorder(t, s)
	if err != nil {
		t.Fatal(err)
	}
	s.front = rec.URL
	s.settings["REGISTRY_EXTERNAL_URL"] = rec.URL
	s.startFor(t)
	w, err := newWorld(s, "wire")
	if err != nil {
		t.Fatal(err)
	}
	source := w.vars["PROJECT_API"] + "/packages/nuget"
	id := "Wire.Lib"
	app := t.TempDir()
	file, content := nugetProject(c, [][2]string{{id, "1.0.0"}})
	if err := writeFile(filepath.Join(app, file), content); err != nil {
		t.Fatal(err)
	}
	hide := newWireMask(w)
	var b strings.Builder
	fmt.Fprintf(&b, "# What %s sends, recorded by TestNuGetWire of test/e2e.\n", c.name)
	for _, step := range wireSteps {
		if _, ok := c.verbs[step.verb]; !ok {
			continue
		}
		rec.onAnswer = func(r *http.Request, status int) {
			target := cmp.Or(strings.TrimPrefix(r.URL.RequestURI(), pathOf(source)), ".")
			line := fmt.Sprintf("%s %s %d\n", r.Method, target, status)
			b.WriteString(hide.Replace(line) + hide.header(r))
		}
		fmt.Fprintf(&b, "\n== %s", step.name)
		dir := app
		if step.version != "" {
			fmt.Fprintf(&b, ": %s %s", id, step.version)
			dir = t.TempDir()
			packed, err := nupkg{id: id, version: step.version, size: 100}.build()
			if err != nil {
				t.Fatal(err)
			}
			if err := writeFile(filepath.Join(dir, "lib.nupkg"), string(packed)); err != nil {
				t.Fatal(err)
			}
		}
		b.WriteString("\n")
		runWireStep(t, c, w, step, source, dir, id)
	}
	return b.String()
}

// runWireStep runs one command in a HOME of its own.
func runWireStep(t *testing.T, c client, w world, step wireStep, source, dir, id string) {
	t.Helper()
	home := t.TempDir()
	login := nugetLogin{source: source}
	if step.login != "" {
		login.user, login.password = w.vars[step.login+"_USER"], w.vars[step.login]
	}
	if err := login.write(home, c); err != nil {
		t.Fatal(err)
	}
	words := strings.NewReplacer("$FILE", "lib.nupkg", "$ID", id, "$RW", w.vars["RW"], "$RO", w.vars["RO"])
	var args []string
	for _, arg := range step.args {
		args = append(args, words.Replace(arg))
	}
	lines, _ := c.commands(step.verb, args)
	out, err := c.run(home, dir, lines[0])
	if (err != nil) != step.fails {
		t.Errorf("%s: %v\n%s", step.name, err, out)
	}
}

// pathOf is the path of a URL.
func pathOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	_, path, _ := strings.Cut(rest, "/")
	return "/" + path
}

// wireMask hides what differs from run to run.
type wireMask struct{ *strings.Replacer }

func newWireMask(w world) wireMask {
	var pairs []string
	for _, name := range []string{"RW", "RO"} {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(w.vars[name+"_USER"], w.vars[name])
		pairs = append(pairs, w.vars[name], "$"+name, r.Header.Get("Authorization"), "Basic $"+name)
	}
	return wireMask{strings.NewReplacer(pairs...)}
}

// wireHeaders are those that a server may decide by.
var wireHeaders = []string{
	"Accept", "Accept-Encoding", "Authorization", "Content-Type", "Expect", "If-None-Match", "X-NuGet-ApiKey",
	"X-NuGet-Client-Version", "X-NuGet-Protocol-Version",
}

var (
	wireBoundary = regexp.MustCompile(`boundary="?[^";]+"?`)
	wireSystem   = regexp.MustCompile(`\([^)]*\)`)
)

// header prints the chosen headers of a request.
func (m wireMask) header(r *http.Request) string {
	var b strings.Builder
	for _, name := range wireHeaders {
		for _, value := range r.Header.Values(name) {
			value = wireBoundary.ReplaceAllString(value, "boundary=$$BOUNDARY")
			fmt.Fprintf(&b, "  %s: %s\n", name, m.Replace(value))
		}
	}
	if agent := r.Header.Get("User-Agent"); agent != "" {
		fmt.Fprintf(&b, "  User-Agent: %s\n", wireSystem.ReplaceAllString(agent, "($$SYSTEM)"))
	}
	if r.Method == http.MethodPut {
		length := "told"
		if r.ContentLength < 0 {
			length = "not told"
		}
		fmt.Fprintf(&b, "  # Content-Length: %s\n", length)
	}
	return b.String()
}
