package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"pakhus/internal/config"
	"pakhus/internal/registry"
)

// cli is the tree of commands. A noun with several verbs has a file of its own.
type cli struct {
	settingFlags `group:"Settings"`

	Output string `short:"o" enum:"text,json" default:"text" help:"Form of what is printed: text or json." placeholder:"FORM"`

	Serve       serveCommand       `cmd:"" help:"Run the server. Brings the database up to date first."`
	Quickstart  quickstartCommand  `cmd:"" help:"Make a first project and print what clients need for it."`
	Group       groupCommand       `cmd:"" help:"Groups: create, list, delete."`
	Project     projectCommand     `cmd:"" help:"Projects: create, list, delete, move."`
	User        userCommand        `cmd:"" help:"Users: create, list, password, block, token."`
	Member      memberCommand      `cmd:"" help:"Members of groups and projects: add, remove, list."`
	Token       tokenCommand       `cmd:"" help:"Deploy tokens: create, list, show, revoke, explain."`
	CIVariables ciVariablesCommand `cmd:"" name:"ci-variables" help:"Print CI_DEPLOY_USER and CI_DEPLOY_PASSWORD of a project."`
	Package     packageCommand     `cmd:"" help:"Packages: list, delete."`
	Setting     settingCommand     `cmd:"" help:"Settings of projects and groups: set, unset, list."`
	GC          gcCommand          `cmd:"" name:"gc" help:"Remove stored bytes that nothing names any more."`
	Fsck        fsckCommand        `cmd:"" help:"Prove that every stored byte is there and right."`
	Backup      backupCommand      `cmd:"" help:"Copy the database and all packages into a folder."`
	Restore     restoreCommand     `cmd:"" help:"Make a registry from a backup."`
	Config      configCommand      `cmd:"" help:"Print the settings that hold, with secrets hidden."`
	Migrate     migrateCommand     `cmd:"" help:"Bring the database up to date, and do nothing else."`
	Version     versionCommand     `cmd:"" help:"Print the version of this program."`
}

const description = `A package registry with GitLab's addresses and deploy tokens.

Each setting is also a variable, such as REGISTRY_DATA_DIR for --data-dir, and a key of the YAML file, such as data_dir. A variable with _FILE at its end names a file that holds the value.`

// Exit statuses.
const (
	exitDone   = 0
	exitFailed = 1
	exitWrong  = 2 // wrong use: unknown flags, bad settings
)

// usageError is wrong use of a command that kong cannot see.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// streams are where a command reads and writes. Data goes to out, messages and
// logs to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is what the Run method of every command gets, beside a context.
type app struct {
	streams
	environ []string
	flags   config.Flags
	json    bool
}

// kongExit is how kong asks for the end, for --help.
type kongExit int

// execute parses the arguments, runs a command and gives the exit status.
func execute(ctx context.Context, args, environ []string, s streams) (status int) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case kongExit:
			status = int(cause)
		default:
			panic(cause)
		}
	}()
	var tree cli
	parser, err := kong.New(&tree, kong.Name("registry"), kong.Description(description), kong.Writers(s.out, s.err),
		kong.Exit(func(code int) { panic(kongExit(code)) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return report(s.err, err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return report(s.err, usageError{err.Error() + " (see registry --help)"})
	}
	command.BindTo(ctx, (*context.Context)(nil))
	a := &app{streams: s, environ: environ, flags: tree.given(), json: tree.Output == "json"}
	return report(s.err, command.Run(a))
}

// report prints an error and gives the exit status for it.
func report(w io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(w, "registry:", line)
	}
	var usage usageError
	var problems config.Problems
	if errors.As(err, &usage) || errors.As(err, &problems) {
		return exitWrong
	}
	return exitFailed
}

// config reads the settings; the error is of type config.Problems.
func (a *app) config() (*config.Config, error) { return config.Load(a.flags, a.environ) }

// print writes data: as one JSON document, or as text by the given function.
func (a *app) print(document any, text func(w io.Writer) error) error {
	if !a.json {
		return text(a.out)
	}
	encoder := json.NewEncoder(a.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(document)
}

// message tells the user something that is no data.
func (a *app) message(format string, args ...any) { fmt.Fprintf(a.err, format+"\n", args...) }

// actor is whom rows and the audit log name for what a command changes.
func (a *app) actor() registry.Actor { return registry.Actor{Kind: "command", Name: "registry"} }
