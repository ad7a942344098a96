package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// clientTimeout is how long one command of a client may take.
const clientTimeout = 120 * time.Second

// runScripts runs scripts for one client against one server. $CLIENT names the
// client; a script may set it to go on with another one.
func runScripts(t *testing.T, files []string, s *server, rec *recorder, c client, w world) {
	testscript.Run(t, testscript.Params{
		Files:               files,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Condition:           func(cond string) (bool, error) { return c.satisfies(cond) },
		Setup: func(env *testscript.Env) error {
			setUpScript(env, s, rec, w)
			env.Values[homesKey{}] = &homes{}
			script := scriptName(env)
			env.Setenv("CLIENT", c.name)
			env.Setenv("PKG", "@"+w.name+"/"+script)
			env.Setenv("FLAT", w.name+"-"+script)
			for _, status := range []int{401, 403, 404} {
				pattern := c.shows[status]
				if pattern == "" {
					pattern = fmt.Sprint(status)
				}
				env.Setenv(fmt.Sprintf("E%d", status), pattern)
			}
			return nil
		},
		Cmds: withCommon(commands{
			"pkg":       cmdPkg,
			"app":       cmdApp,
			"installed": cmdInstalled,
			"npmhome":   cmdNPMHome,
			"client":    cmdClient,
			"tool":      cmdTool,
		}),
	})
}

// commands are a script's, beside those that testscript has.
type commands = map[string]func(*testscript.TestScript, bool, []string)

// withCommon adds the commands that scripts of every format have.
func withCommon(own commands) commands {
	maps.Copy(own, commands{
		"http":        cmdHTTP,
		"registry":    cmdRegistry,
		"capture":     cmdCapture,
		"setting":     cmdSetting,
		"requests":    cmdRequests,
		"startserver": cmdStartServer,
		"stopserver":  cmdStopServer,
		"killserver":  cmdKillServer,
	})
	return own
}

// setUpScript gives a script what those commands need, and its world's
// variables.
func setUpScript(env *testscript.Env, s *server, rec *recorder, w world) {
	env.Values[serverKey{}] = s
	env.Values[recorderKey{}] = rec
	env.Setenv("DATA", s.dir)
	for key, value := range w.vars {
		env.Setenv(key, value)
	}
}

// scriptName is the name of a script's file, without its ending.
func scriptName(env *testscript.Env) string {
	return strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
}

type (
	serverKey struct{}
	homesKey  struct{}
)

// satisfies answers the conditions [can:VERB], [npm], [pnpm] and the like, and
// the name of a client such as [npm12].
func (c client) satisfies(cond string) (bool, error) {
	if verb, ok := strings.CutPrefix(cond, "can:"); ok {
		_, able := c.verbs[verb]
		return able, nil
	}
	for _, other := range clients {
		if cond == other.family || cond == other.name {
			return cond == c.family || cond == c.name, nil
		}
	}
	return false, fmt.Errorf("unknown condition %q", cond)
}

// homes hands out the HOME folders of a script.
type homes struct {
	login login
	keep  bool // one HOME for all following commands
	count int
	kept  string
}

// npmhome [-form token|auth|basic] [-scope @SCOPE] [-defaults] [-keep] URL [TOKEN]
//
// Every following command of a client gets a new HOME that names this registry
// and credential; with -keep they share one. With -defaults the clients hold
// back young versions as they do by default.
func cmdNPMHome(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("npmhome", flag.ContinueOnError)
	form := flags.String("form", "token", "")
	scope := flags.String("scope", "", "")
	defaults := flags.Bool("defaults", false, "")
	keep := flags.Bool("keep", false, "")
	ts.Check(flags.Parse(args))
	if neg || flags.NArg() < 1 || flags.NArg() > 2 {
		ts.Fatalf("usage: npmhome [-form token|auth|basic] [-scope @SCOPE] [-defaults] [-keep] URL [TOKEN]")
	}
	h := ts.Value(homesKey{}).(*homes)
	h.login = login{
		registry: flags.Arg(0), token: flags.Arg(1), form: *form, scope: *scope, ageGate: *defaults,
	}
	h.keep, h.kept = *keep, ""
}

// next gives the HOME for a client's next command.
func (h *homes) next(work string, c client) (string, error) {
	if h.login.registry == "" {
		return "", errors.New("npmhome comes first")
	}
	if h.keep && h.kept != "" {
		return h.kept, nil
	}
	h.count++
	home := filepath.Join(work, ".homes", fmt.Sprint(h.count))
	h.kept = home
	return home, h.login.write(home, c)
}

// client DIR VERB [ARG...]: what the verb means for $CLIENT, in DIR. Both
// outputs of the client go to stdout: clients differ in which they use.
func cmdClient(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: client DIR VERB [ARG...]")
	}
	c, ok := findClient(ts.Getenv("CLIENT"))
	if !ok {
		ts.Fatalf("no client is called %q", ts.Getenv("CLIENT"))
	}
	commands, ok := c.commands(args[1], args[2:])
	if !ok {
		ts.Fatalf("%s has no verb %s", c.name, args[1])
	}
	runClient(ts, neg, c, args[0], commands)
}

// tool DIR NAME [ARG...]: a client's own words.
func cmdTool(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: tool DIR NAME [ARG...]")
	}
	c, ok := findClient(args[1])
	if !ok {
		ts.Fatalf("no client is called %q", args[1])
	}
	runClient(ts, neg, c, args[0], [][]string{args[2:]})
}

// runClient runs commands one after the other with one HOME; with neg the last
// of them must fail.
func runClient(ts *testscript.TestScript, neg bool, c client, dir string, commands [][]string) {
	home, err := ts.Value(homesKey{}).(*homes).next(ts.Getenv("WORK"), c)
	ts.Check(err)
	dir = ts.MkAbs(dir)
	if c.family == "yarn4" {
		// Else it takes a folder above for the project.
		lock, err := os.OpenFile(filepath.Join(dir, "yarn.lock"), os.O_CREATE, 0o644)
		ts.Check(err)
		ts.Check(lock.Close())
	}
	for i, argv := range commands {
		out, err := c.run(home, dir, argv)
		_, writeErr := ts.Stdout().Write(out)
		ts.Check(writeErr)
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			ts.Fatalf("%s %q: %v", c.name, argv, err)
		}
		last := i == len(commands)-1
		if failed := err != nil; failed != (neg && last) {
			ts.Fatalf("%s %q: %v", c.name, argv, err)
		}
	}
}

// run runs the client once and gives all that it printed; more is added to its
// environment.
func (c client) run(home, dir string, argv []string, more ...string) ([]byte, error) {
	path, ok := findProgram(c.name)
	if !ok {
		return nil, fmt.Errorf("%s is not installed", c.name)
	}
	env, err := clientEnviron(home)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), clientTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, argv...)
	cmd.Dir, cmd.Env = dir, append(env, more...)
	// A client's own children must not outlive it and hold the pipe.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return out, fmt.Errorf("no end after %s", clientTimeout)
	}
	return out, err
}

// clientEnviron is the whole environment of a client.
func clientEnviron(home string) ([]string, error) {
	proxy, err := outside.environ()
	if err != nil {
		return nil, err
	}
	// pnpm 9 and 10 publish by the npm on PATH.
	bin := filepath.Join(home, "bin")
	if npm, ok := findProgram("npm10"); ok {
		if err := os.MkdirAll(bin, 0o755); err != nil {
			return nil, err
		}
		if err := os.Symlink(npm, filepath.Join(bin, "npm")); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
	}
	return append(proxy,
		"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HOME="+home,
		// As root, yarn 1 caches outside HOME.
		"YARN_CACHE_FOLDER="+filepath.Join(home, "yarn-cache"),
	), nil
}

// registry ARG...: one of the registry's own commands.
func cmdRegistry(ts *testscript.TestScript, neg bool, args []string) {
	out, err := ts.Value(serverKey{}).(*server).command(args...)
	_, writeErr := ts.Stdout().Write(out)
	ts.Check(writeErr)
	if (err != nil) != neg {
		ts.Fatalf("registry %q: %v", args, err)
	}
	if err != nil {
		_, writeErr := io.WriteString(ts.Stderr(), err.Error())
		ts.Check(writeErr)
	}
}

// setting NAME VALUE: a REGISTRY_* variable for the server's next start and for
// commands.
func cmdSetting(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: setting NAME VALUE")
	}
	ts.Value(serverKey{}).(*server).settings[args[0]] = args[1]
}

// capture NAME PATTERN: the pattern's first group in the last output becomes a
// variable.
func cmdCapture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture NAME PATTERN")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	found := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("no match for %s in the last output", args[1])
	}
	ts.Setenv(args[0], found[1])
}

func cmdStartServer(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Value(serverKey{}).(*server).start())
}

func cmdStopServer(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Value(serverKey{}).(*server).stop())
}

func cmdKillServer(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Value(serverKey{}).(*server).kill())
}

// http [-token T] [-H 'Name: value']... [-d BODY] [-within D] METHOD URL STATUS
//
// One request as it stands. The body of the answer goes to stdout, its status
// and headers to stderr; another status than the given one fails, or is asked
// again until the duration D is over. A BODY of @FILE is that file's.
func cmdHTTP(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("http", flag.ContinueOnError)
	token := flags.String("token", "", "")
	body := flags.String("d", "", "")
	within := flags.Duration("within", 0, "")
	header := http.Header{}
	flags.Func("H", "", func(line string) error {
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			return fmt.Errorf("header %q has no value", line)
		}
		header.Add(name, value)
		return nil
	})
	ts.Check(flags.Parse(args))
	if neg || flags.NArg() != 3 {
		ts.Fatalf("usage: http [-token T] [-H 'Name: value']... [-d BODY] METHOD URL STATUS")
	}
	content := []byte(*body)
	if file, ok := strings.CutPrefix(*body, "@"); ok {
		content = []byte(ts.ReadFile(file))
	}
	if *token != "" {
		header.Set("Authorization", "Bearer "+*token)
	}
	deadline := time.Now().Add(*within)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		status, headers, answer, err := request(flags.Arg(0), flags.Arg(1), header, content)
		ts.Check(err)
		if code, _, _ := strings.Cut(status, " "); code != flags.Arg(2) {
			if now := <-tick.C; now.Before(deadline) {
				continue
			}
			ts.Fatalf("%s %s: %s, not %s\n%s", flags.Arg(0), flags.Arg(1), status, flags.Arg(2), answer)
		}
		_, err = ts.Stdout().Write(answer)
		ts.Check(err)
		fmt.Fprintf(ts.Stderr(), "%s\n", status)
		ts.Check(headers.Write(ts.Stderr()))
		return
	}
}

// request sends one request; redirects are answers too.
func request(method, url string, header http.Header, body []byte) (status string, headers http.Header, answer []byte, err error) {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return "", nil, nil, err
	}
	req.Header = header.Clone()
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return "", nil, nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	return res.Status, res.Header, answer, err
}
