package e2e

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/rogpeppe/go-internal/testscript"
)

// mavenProject is a project that a Maven can build with Debian's plugins.
type mavenProject struct {
	Group, Artifact, Version string
	Packaging                string
	URL                      string // of the registry, for distributionManagement
	Modules                  []string
	Parent                   []string // group, artifact, version; its file is in the folder above
	Dependencies             [][]string
	Sources, Sign, AtEnd     bool
	Prefix                   string // of a plugin
}

// mavenPom names every plugin's version: Debian's repository has no metadata to
// choose by. With a fixed time two builds of the same sources are the same bytes.
// Maven 3.8 gives plugins a plexus-utils that Debian does not have, unless they
// name one.
var mavenPom = template.Must(template.New("pom").Parse(`<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
{{with .Parent}}<parent><groupId>{{index . 0}}</groupId><artifactId>{{index . 1}}</artifactId><version>{{index . 2}}</version></parent>
{{else}}<groupId>{{.Group}}</groupId><version>{{.Version}}</version>
{{end}}<artifactId>{{.Artifact}}</artifactId><packaging>{{.Packaging}}</packaging>
<name>{{.Artifact}}</name><description>made by the end-to-end tests</description>
<properties>
 <project.build.outputTimestamp>2026-03-01T10:15:00Z</project.build.outputTimestamp>
 <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
 <maven.compiler.source>8</maven.compiler.source><maven.compiler.target>8</maven.compiler.target>
</properties>
{{with .Modules}}<modules>{{range .}}<module>{{.}}</module>{{end}}</modules>
{{end}}<distributionManagement>
 <repository><id>reg</id><url>{{.URL}}</url></repository>
 <snapshotRepository><id>reg</id><url>{{.URL}}</url></snapshotRepository>
</distributionManagement>
<dependencies>
{{range .Dependencies}} <dependency><groupId>{{index . 0}}</groupId><artifactId>{{index . 1}}</artifactId><version>{{index . 2}}</version>{{if gt (len .) 3}}<classifier>{{index . 3}}</classifier>{{end}}</dependency>
{{end}}{{if .Prefix}} <dependency><groupId>org.apache.maven</groupId><artifactId>maven-plugin-api</artifactId><version>3.8.7</version><scope>provided</scope></dependency>
 <dependency><groupId>org.codehaus.plexus</groupId><artifactId>plexus-utils</artifactId><version>2.x</version></dependency>
{{end}}</dependencies>
<build><plugins>
 <plugin><artifactId>maven-clean-plugin</artifactId><version>3.2.0</version></plugin>
 <plugin><artifactId>maven-resources-plugin</artifactId><version>3.3.0</version></plugin>
 <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.10.1</version></plugin>
 <plugin><artifactId>maven-surefire-plugin</artifactId><version>2.22.3</version></plugin>
 <plugin><artifactId>maven-jar-plugin</artifactId><version>3.3.0</version></plugin>
 <plugin><artifactId>maven-install-plugin</artifactId><version>3.1.0</version></plugin>
 <plugin><artifactId>maven-dependency-plugin</artifactId><version>3.5.0</version></plugin>
 <plugin><artifactId>maven-deploy-plugin</artifactId><version>3.0.0</version>{{if .AtEnd}}<configuration><deployAtEnd>true</deployAtEnd></configuration>{{end}}</plugin>
{{if .Prefix}} <plugin><artifactId>maven-plugin-plugin</artifactId><version>3.7.1</version><configuration><goalPrefix>{{.Prefix}}</goalPrefix></configuration></plugin>
{{end}}{{if .Sources}} <plugin><artifactId>maven-source-plugin</artifactId><version>3.2.1</version><executions><execution><goals><goal>jar-no-fork</goal></goals></execution></executions></plugin>
{{end}}{{if .Sign}} <plugin><artifactId>maven-gpg-plugin</artifactId><version>3.2.7</version><executions><execution><goals><goal>sign</goal></goals></execution></executions></plugin>
{{end}}</plugins></build>
</project>
`))

// mavenMojo is the one goal of a plugin: it prints a line. The comment is what
// the plugin's descriptor is made from.
const mavenMojo = `package acme;

/**
 * @goal hello
 * @requiresProject false
 */
public class Hello extends org.apache.maven.plugin.AbstractMojo {
	public void execute() { System.out.println("hello from %s"); }
}
`

// project DIR GROUP:ARTIFACT:VERSION [KEY[=VALUE]...]: a folder for Maven.
//
// Keys are packaging, content (text of a resource), module and dep (may be
// repeated), parent, sources, sign, atend, and prefix, which makes a plugin.
func cmdProject(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: project DIR GROUP:ARTIFACT:VERSION [KEY[=VALUE]...]")
	}
	gav := strings.Split(args[1], ":")
	if len(gav) != 3 {
		ts.Fatalf("project: %q is not GROUP:ARTIFACT:VERSION", args[1])
	}
	p := mavenProject{Group: gav[0], Artifact: gav[1], Version: gav[2], Packaging: "jar", URL: ts.Getenv("MAVEN")}
	content := ""
	for _, option := range args[2:] {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "packaging":
			p.Packaging = value
		case "content":
			content = value
		case "module":
			p.Modules = append(p.Modules, value)
		case "dep":
			p.Dependencies = append(p.Dependencies, strings.Split(value, ":"))
		case "parent":
			p.Parent = strings.Split(value, ":")
		case "sources":
			p.Sources = true
		case "sign":
			p.Sign = true
		case "atend":
			p.AtEnd = true
		case "prefix":
			p.Prefix, p.Packaging = value, "maven-plugin"
		default:
			ts.Fatalf("project: there is no key %q", key)
		}
	}
	ts.Check(p.write(ts.MkAbs(args[0]), content))
}

// write makes the project's files; a folder that exists is written again.
func (p mavenProject) write(dir, content string) error {
	var pom strings.Builder
	if err := mavenPom.Execute(&pom, p); err != nil {
		return err
	}
	files := map[string]string{"pom.xml": pom.String()}
	if content != "" {
		files["src/main/resources/content.txt"] = content
	}
	if p.Prefix != "" {
		files["src/main/java/acme/Hello.java"] = fmt.Sprintf(mavenMojo, p.Version)
	}
	for name, text := range files {
		if err := writeFile(filepath.Join(dir, name), text); err != nil {
			return err
		}
	}
	return nil
}

// jar FILE TEXT: the jar holds content.txt with this text, and nothing else in
// it. FILE may be a pattern that one file matches.
func cmdJar(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: jar FILE TEXT")
	}
	found, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(found) != 1 {
		ts.Fatalf("%d files match %s, not one", len(found), args[0])
	}
	got, err := readJar(found[0], "content.txt")
	ts.Check(err)
	if got != args[1] {
		ts.Fatalf("%s holds %q, not %q", found[0], got, args[1])
	}
}

// readJar gives one file of an archive, without its last line's end.
func readJar(file, name string) (string, error) {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return "", err
	}
	defer archive.Close()
	content, err := archive.Open(name)
	if err != nil {
		return "", err
	}
	defer content.Close()
	text, err := io.ReadAll(content)
	return strings.TrimSuffix(string(text), "\n"), err
}

// makejar FILE TEXT: a jar that holds content.txt alone.
func cmdMakeJar(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: makejar FILE TEXT")
	}
	file := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o755))
	jar, err := jarOf(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(file, jar, 0o644))
}
