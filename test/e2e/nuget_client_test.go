package e2e

import (
	"encoding/xml"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// exeVerbs are those of nuget.exe from 4 on. "reg" is the source that HOMEs
// name; the last word of push-key is the API key.
var exeVerbs = map[string][][]string{
	"pack":         do("pack $1 -NonInteractive -OutputDirectory out"),
	"push":         do("push $1 -Source reg -NonInteractive"),
	"push-key":     do("push $1 -ApiKey $2 -Source reg -NonInteractive"),
	"install":      do("install $1 -Version $2 -OutputDirectory packages -NonInteractive"),
	"newest":       do("install $1 -OutputDirectory packages -NonInteractive"),
	"install-from": do("install $2 -Version $3 -Source $1 -OutputDirectory packages -NonInteractive"),
	"restore":      do("restore packages.config -PackagesDirectory packages -NonInteractive"),
	"list":         do("list -Source reg -NonInteractive"),
	"delete":       do("delete $1 $2 -ApiKey $3 -Source reg -NonInteractive"),
	"source":       do("sources add -Name added -Source $1 -UserName $2 -Password $3 -StorePasswordInClearText -NonInteractive"),
	"set-key":      do("setapikey $1 -Source reg -NonInteractive"),
}

// nugetClients are the programs of test/clients/nuget.sh.
var nugetClients = []client{
	{name: "dotnet", family: "dotnet", verbs: map[string][][]string{
		"pack":      do("pack -c Release -o out"),
		"push":      do("nuget push $1 -s reg"),
		"push-key":  do("nuget push $1 -s reg -k $2"),
		"push-skip": do("nuget push $1 -s reg -k $2 --skip-duplicate"),
		"restore":   do("restore"),
		"add":       do("add package"),
		"outdated":  do("list package --outdated"),
		"delete":    do("nuget delete $1 $2 -s reg -k $3 --non-interactive"),
	}},
	{name: "nuget5", family: "exe", verbs: with(exeVerbs, map[string][][]string{
		"push-skip": do("push $1 -ApiKey $2 -Source reg -SkipDuplicate -NonInteractive"),
		"search":    do("search -Source reg -NonInteractive"),
	})},
	{name: "nuget4", family: "exe", verbs: exeVerbs},
	// It speaks V2 alone. What it does with a key it does at the source push: at a
	// private V2 feed it would ask for a credential first.
	{name: "nuget2", family: "v2", verbs: map[string][][]string{
		"push-key": do("push $1 $2 -Source push -NonInteractive"),
		"install":  do("install $1 -Version $2 -Source reg -OutputDirectory packages -NonInteractive"),
		"newest":   do("install $1 -Source reg -OutputDirectory packages -NonInteractive"),
		"restore":  do("restore packages.config -PackagesDirectory packages -Source reg -NonInteractive"),
		"list":     do("list -Source reg -NonInteractive"),
		"delete":   do("delete $1 $2 $3 -Source push -NonInteractive"),
	}},
}

func findNuGetClient(name string) (client, bool) {
	i := slices.IndexFunc(nugetClients, func(c client) bool { return c.name == name })
	if i < 0 {
		return client{}, false
	}
	return nugetClients[i], true
}

// nugetLogin is what a HOME tells about a NuGet registry.
type nugetLogin struct {
	source    string // where the registry begins: .../packages/nuget; or folder:PATH
	user      string
	password  string // empty: no credential
	inEnviron bool   // the credential is in the environment, not in a file
}

// environ is what the client's environment tells of the credential.
func (l nugetLogin) environ() []string {
	if !l.inEnviron {
		return nil
	}
	return []string{fmt.Sprintf("NuGetPackageSourceCredentials_reg=Username=%s;Password=%s", l.user, l.password)}
}

// address is the source as the client takes it.
func (l nugetLogin) address(c client) string {
	if path, ok := strings.CutPrefix(l.source, "folder:"); ok {
		return path
	}
	if c.family == "v2" {
		return l.source + "/v2"
	}
	return l.source + "/index.json"
}

// write makes the client's configuration in a new HOME: dotnet looks in
// .nuget, mono's programs in .config. Both files are the same.
func (l nugetLogin) write(home string, c client) error {
	type entry struct {
		Key   string `xml:"key,attr"`
		Value string `xml:"value,attr"`
	}
	var config struct {
		XMLName xml.Name `xml:"configuration"`
		Sources struct {
			Clear struct{} `xml:"clear"`
			Add   []entry  `xml:"add"`
		} `xml:"packageSources"`
		Credentials *struct {
			Reg []entry `xml:"reg>add"`
		} `xml:"packageSourceCredentials"`
	}
	config.Sources.Add = []entry{{"reg", l.address(c)}}
	if c.family == "v2" {
		config.Sources.Add = append(config.Sources.Add, entry{"push", l.source})
	}
	if l.password != "" && !l.inEnviron {
		config.Credentials = &struct {
			Reg []entry `xml:"reg>add"`
		}{[]entry{{"Username", l.user}, {"ClearTextPassword", l.password}}}
	}
	text, err := xml.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	for _, dir := range []string{".nuget/NuGet", ".config/NuGet"} {
		if err := writeFile(filepath.Join(home, dir, "NuGet.Config"), string(text)); err != nil {
			return err
		}
	}
	return nil
}

// project is what a folder must hold to depend on packages: a project file for
// dotnet, else packages.config.
func nugetProject(c client, packages [][2]string) (file, content string) {
	var b strings.Builder
	if c.family != "dotnet" {
		b.WriteString("<packages>\n")
		for _, p := range packages {
			fmt.Fprintf(&b, "  <package id=%q version=%q/>\n", p[0], p[1])
		}
		b.WriteString("</packages>\n")
		return "packages.config", b.String()
	}
	// Packages go beside the project and not into HOME. A target of the SDK's own
	// needs nothing from elsewhere.
	b.WriteString(`<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>netstandard2.1</TargetFramework>
    <RestorePackagesPath>packages</RestorePackagesPath>
  </PropertyGroup>
  <ItemGroup>
`)
	for _, p := range packages {
		fmt.Fprintf(&b, "    <PackageReference Include=%q Version=%q/>\n", p[0], p[1])
	}
	b.WriteString("  </ItemGroup>\n</Project>\n")
	return "app.csproj", b.String()
}

// restoredPath is where the client puts a package below the project's folder.
func restoredPath(c client, id, version string) string {
	if c.family == "dotnet" {
		return filepath.Join("packages", strings.ToLower(id), strings.ToLower(version))
	}
	return filepath.Join("packages", id+"."+version)
}
