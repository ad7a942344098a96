package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// runNuGetScripts runs scripts for one client. $ID is a package id that no
// other script and client has.
func runNuGetScripts(t *testing.T, files []string, s *server, rec *recorder, c client, w world) {
	testscript.Run(t, testscript.Params{
		Files:               files,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Condition: func(cond string) (bool, error) {
			if verb, ok := strings.CutPrefix(cond, "can:"); ok {
				_, able := c.verbs[verb]
				return able, nil
			}
			return cond == c.name || cond == c.family, nil
		},
		Setup: func(env *testscript.Env) error {
			setUpScript(env, s, rec, w)
			env.Values[nugetHomesKey{}] = &nugetHomes{client: c}
			env.Setenv("CLIENT", c.name)
			env.Setenv("WORLD", w.name)
			env.Setenv("E401", "401")
			if c.family == "v2" {
				env.Setenv("E401", "provide credentials") // it would ask for others
			}
			env.Setenv("ID", "Acme."+w.name+"."+scriptName(env))
			for name, prefix := range map[string]string{"PROJECT": "PROJECT_API", "OTHER": "OTHER_API"} {
				env.Setenv(name, w.vars[prefix]+"/packages/nuget")
			}
			for name, prefix := range map[string]string{"GROUP": "GROUP_API", "SUBGROUP": "SUBGROUP_API"} {
				env.Setenv(name, w.vars[prefix]+"/-/packages/nuget")
			}
			return nil
		},
		Cmds: withCommon(commands{
			"nupkg":     cmdNupkg,
			"pushed":    cmdPushed,
			"unpack":    cmdUnpack,
			"library":   cmdLibrary,
			"nugethome": cmdNuGetHome,
			"nuget":     cmdNuGet,
			"depend":    cmdDepend,
			"restored":  cmdRestored,
		}),
	})
}

type nugetHomesKey struct{}

// nugetHomes hands out the HOME folders of a script: a new one for each command
// of a client, unless one is kept.
type nugetHomes struct {
	client client
	login  nugetLogin
	keep   bool
	kept   string
	count  int
}

func (h *nugetHomes) next(work string) (string, error) {
	if h.login.source == "" {
		return "", errors.New("nugethome comes first")
	}
	if h.keep && h.kept != "" {
		return h.kept, nil
	}
	h.count++
	h.kept = filepath.Join(work, ".homes", fmt.Sprint(h.count))
	return h.kept, h.login.write(h.kept, h.client)
}

// nugethome [-keep] [-environ] SOURCE [USER PASSWORD]: the registry that the
// following commands of the client find in their HOME as the source reg. With
// -environ the credential is in the environment.
func cmdNuGetHome(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("nugethome", flag.ContinueOnError)
	keep := flags.Bool("keep", false, "")
	environ := flags.Bool("environ", false, "")
	ts.Check(flags.Parse(args))
	if neg || flags.NArg() != 1 && flags.NArg() != 3 {
		ts.Fatalf("usage: nugethome [-keep] [-environ] SOURCE [USER PASSWORD]")
	}
	h := ts.Value(nugetHomesKey{}).(*nugetHomes)
	h.login = nugetLogin{source: flags.Arg(0), user: flags.Arg(1), password: flags.Arg(2), inEnviron: *environ}
	h.keep, h.kept = *keep, ""
}

// nuget DIR VERB [ARG...]: what the verb means for the client, in DIR. Both of
// its outputs go to stdout.
func cmdNuGet(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: nuget DIR VERB [ARG...]")
	}
	h := ts.Value(nugetHomesKey{}).(*nugetHomes)
	lines, ok := h.client.commands(args[1], args[2:])
	if !ok {
		ts.Fatalf("%s has no verb %s", h.client.name, args[1])
	}
	home, err := h.next(ts.Getenv("WORK"))
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	for _, argv := range lines {
		out, err := h.client.run(home, dir, argv, h.login.environ()...)
		_, writeErr := ts.Stdout().Write(out)
		ts.Check(writeErr)
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) || (err != nil) != neg {
			ts.Fatalf("%s %q: %v", h.client.name, argv, err)
		}
	}
}

// pushed ID VERSION [ID@RANGE...] [FIELD=TEXT...]: a package that was pushed to
// $PROJECT without the client, whose pushes other scripts are about.
func cmdPushed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: pushed ID VERSION [ID@RANGE...] [FIELD=TEXT...]")
	}
	p, err := parseNupkg(args)
	ts.Check(err)
	caller := nugetRaw{http.DefaultClient, ts.Getenv("PROJECT"), ts.Getenv("RW"), ts.Getenv("RW_USER")}
	ts.Check(caller.push(context.Background(), p))
}

// parseNupkg reads ID VERSION [ID@RANGE...] [FIELD=TEXT...].
func parseNupkg(args []string) (nupkg, error) {
	p := nupkg{id: args[0], version: args[1], size: 3000, fields: map[string]string{}}
	for _, more := range args[2:] {
		if key, value, ok := strings.Cut(more, "="); ok {
			p.fields[key] = value
		} else if id, versions, ok := strings.Cut(more, "@"); ok {
			p.depends = append(p.depends, [2]string{id, versions})
		} else {
			return p, fmt.Errorf("%q is neither ID@RANGE nor FIELD=TEXT", more)
		}
	}
	return p, nil
}

// nupkg [-symbols] FILE ID VERSION [ID@RANGE...] [FIELD=TEXT...]: a package made
// without a client, with dependencies and more elements of the nuspec. With
// -symbols its snupkg is put beside it, and $PDB_KEY and $PDB_CHECKSUM tell by
// what a debugger asks for its PDB.
func cmdNupkg(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("nupkg", flag.ContinueOnError)
	symbols := flags.Bool("symbols", false, "")
	ts.Check(flags.Parse(args))
	if neg || flags.NArg() < 3 {
		ts.Fatalf("usage: nupkg [-symbols] FILE ID VERSION [ID@RANGE...] [FIELD=TEXT...]")
	}
	p, err := parseNupkg(flags.Args()[1:])
	ts.Check(err)
	content, err := p.build()
	ts.Check(err)
	file := ts.MkAbs(flags.Arg(0))
	ts.Check(writeFile(file, string(content)))
	if *symbols {
		content, key, checksum, err := p.symbols()
		ts.Check(err)
		ts.Check(writeFile(strings.TrimSuffix(file, ".nupkg")+".snupkg", string(content)))
		ts.Setenv("PDB_KEY", key)
		ts.Setenv("PDB_CHECKSUM", checksum)
	}
}

// unpack FILE DIR: the files of a package, for clients that pack from a nuspec.
func cmdUnpack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: unpack FILE DIR")
	}
	content := ts.ReadFile(args[0])
	archive, err := zip.NewReader(strings.NewReader(content), int64(len(content)))
	ts.Check(err)
	for _, file := range archive.File {
		if strings.HasPrefix(file.Name, "_rels/") || strings.HasPrefix(file.Name, "[") {
			continue // packers write these themselves
		}
		from, err := file.Open()
		ts.Check(err)
		text, err := io.ReadAll(from)
		ts.Check(err)
		ts.Check(from.Close())
		ts.Check(writeFile(filepath.Join(ts.MkAbs(args[1]), file.Name), string(text)))
	}
}

// library DIR ID VERSION: sources that dotnet packs, with symbols.
func cmdLibrary(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: library DIR ID VERSION")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(writeFile(filepath.Join(dir, "library.csproj"), fmt.Sprintf(`<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>netstandard2.1</TargetFramework>
    <PackageId>%s</PackageId><Version>%s</Version><Authors>Ann</Authors>
    <IncludeSymbols>true</IncludeSymbols><SymbolPackageFormat>snupkg</SymbolPackageFormat>
  </PropertyGroup>
  <ItemGroup><None Include="payload.bin" Pack="true" PackagePath="/"/></ItemGroup>
</Project>
`, args[1], args[2])))
	ts.Check(writeFile(filepath.Join(dir, "one.cs"), "public static class One { public static int Value() => 1; }\n"))
	ts.Check(writeFile(filepath.Join(dir, "payload.bin"), string(payload(args[1], args[2], 3000))))
}

// depend DIR ID@VERSION...: a folder that depends on packages.
func cmdDepend(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: depend DIR ID@VERSION...")
	}
	var packages [][2]string
	for _, spec := range args[1:] {
		id, version, ok := strings.Cut(spec, "@")
		if !ok {
			ts.Fatalf("depend: %q is not ID@VERSION", spec)
		}
		packages = append(packages, [2]string{id, version})
	}
	file, content := nugetProject(ts.Value(nugetHomesKey{}).(*nugetHomes).client, packages)
	ts.Check(writeFile(filepath.Join(ts.MkAbs(args[0]), file), content))
}

// restored DIR ID VERSION: the folder has this version with the bytes that were
// published. Negated: it does not have it at all.
func cmdRestored(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: restored DIR ID VERSION")
	}
	c := ts.Value(nugetHomesKey{}).(*nugetHomes).client
	dir := filepath.Join(ts.MkAbs(args[0]), restoredPath(c, args[1], args[2]))
	if neg {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			ts.Fatalf("%s is there (%v)", dir, err)
		}
		return
	}
	got, err := os.ReadFile(filepath.Join(dir, "payload.bin"))
	ts.Check(err)
	if !bytes.Equal(got, payload(args[1], args[2], len(got))) || len(got) == 0 {
		ts.Fatalf("%s has not the bytes that were published", dir)
	}
}
