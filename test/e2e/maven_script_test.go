package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// mavenWorld is a world with what only Maven's scripts need.
func mavenWorld(s *server, name string) (world, error) {
	w, err := newWorld(s, name)
	if err != nil {
		return world{}, err
	}
	public, err := s.create("project", "create", name+"/public", "--visibility", "public")
	if err != nil {
		return world{}, err
	}
	token, err := s.create("token", "create", "--project", name+"/public", "--name", "public",
		"--scope", "write_package_registry")
	if err != nil {
		return world{}, err
	}
	w.vars["PUBLIC_RW"] = token.Token
	const repository = "/packages/maven"
	w.vars["MAVEN"] = w.vars["PROJECT_API"] + repository
	w.vars["MAVEN_OTHER"] = w.vars["OTHER_API"] + repository
	w.vars["MAVEN_PUBLIC"] = fmt.Sprintf("%s/projects/%d%s", w.vars["API"], public.ID, repository)
	w.vars["MAVEN_GROUP"] = w.vars["GROUP_API"] + "/-" + repository
	w.vars["MAVEN_INSTANCE"] = w.vars["API"] + repository
	return w, nil
}

// runMavenScripts runs scripts against one server. $MVN names the Maven that
// the command mvn runs. Each script has a groupId of its own, $GROUP, with its
// path in $GPATH.
func runMavenScripts(t *testing.T, files []string, s *server, maven string, w world) {
	testscript.Run(t, testscript.Params{
		Files:               files,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Condition: func(cond string) (bool, error) {
			if _, ok := mavens[cond]; !ok {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return cond == maven, nil
		},
		Setup: func(env *testscript.Env) error {
			setUpScript(env, s, nil, w)
			env.Values[javaHomesKey{}] = &javaHomes{}
			env.Setenv("MVN", maven)
			env.Setenv("GROUP", "org.acme."+scriptName(env))
			env.Setenv("GPATH", "org/acme/"+scriptName(env))
			return nil
		},
		Cmds: withCommon(commands{
			"project":   cmdProject,
			"jar":       cmdJar,
			"makejar":   cmdMakeJar,
			"mavenhome": cmdMavenHome,
			"mvn":       cmdMvn,
			"java":      cmdJava,
			"fill":      cmdFill,
			"sums":      cmdSums,
		}),
	})
}

type javaHomesKey struct{}

// javaHomes hands out the HOME folders of a script.
type javaHomes struct {
	login  mavenLogin
	groups []string
	count  int
}

// mavenhome [-form basic|header] [-user NAME] [-plugins GROUP] URL [TOKEN]
//
// Every following command of a client gets a new HOME; Maven's settings in it
// name this repository and credential.
func cmdMavenHome(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("mavenhome", flag.ContinueOnError)
	form := flags.String("form", "basic", "")
	user := flags.String("user", "deploy", "")
	plugins := flags.String("plugins", "", "")
	ts.Check(flags.Parse(args))
	if neg || flags.NArg() < 1 || flags.NArg() > 2 {
		ts.Fatalf("usage: mavenhome [-form basic|header] [-user NAME] [-plugins GROUP] URL [TOKEN]")
	}
	h := ts.Value(javaHomesKey{}).(*javaHomes)
	h.login = mavenLogin{url: flags.Arg(0), user: *user, token: flags.Arg(1), form: *form}
	h.groups = nil
	if *plugins != "" {
		h.groups = []string{*plugins}
	}
}

// next gives the HOME for a client's next command.
func (h *javaHomes) next(work string) (string, error) {
	h.count++
	home := filepath.Join(work, ".homes", fmt.Sprint(h.count))
	return home, h.login.write(home, h.groups...)
}

// mvn DIR ARG...: $MVN in a folder.
func cmdMvn(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: mvn DIR ARG...")
	}
	home, err := ts.Value(javaHomesKey{}).(*javaHomes).next(ts.Getenv("WORK"))
	ts.Check(err)
	out, err := runMaven(ts.Getenv("MVN"), home, ts.MkAbs(args[0]), args[1:])
	finishJava(ts, neg, ts.Getenv("MVN"), out, err)
}

// java DIR PROGRAM ARG...: another client in a folder.
func cmdJava(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: java DIR PROGRAM [ARG...]")
	}
	home, err := ts.Value(javaHomesKey{}).(*javaHomes).next(ts.Getenv("WORK"))
	ts.Check(err)
	var credentials []string
	if given := ts.Getenv("COURSIER_CREDENTIALS"); given != "" {
		credentials = []string{"COURSIER_CREDENTIALS=" + given}
	}
	out, err := runJava(args[1], home, ts.MkAbs(args[0]), args[2:], credentials...)
	finishJava(ts, neg, args[1], out, err)
}

// finishJava shows what a client printed and judges how it ended.
func finishJava(ts *testscript.TestScript, neg bool, name string, out []byte, err error) {
	_, writeErr := ts.Stdout().Write(out)
	ts.Check(writeErr)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%s: %v", name, err)
	}
	if (err != nil) != neg {
		ts.Fatalf("%s: %v", name, err)
	}
}

// fill FILE...: @NAME@ becomes what the script's variable NAME holds.
func cmdFill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: fill FILE...")
	}
	for _, name := range args {
		parts := strings.Split(ts.ReadFile(name), "@")
		for i := 1; i < len(parts)-1; i += 2 {
			parts[i] = ts.Getenv(parts[i])
		}
		ts.Check(writeFile(ts.MkAbs(name), strings.Join(parts, "")))
	}
}

// sums TOKEN URL: the four checksums of what is at the address are served, bare,
// and are right.
func cmdSums(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sums TOKEN URL")
	}
	ts.Check(newRaw("", args[0]).checkSums(args[1]))
}
