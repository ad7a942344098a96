package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"text/template"
	"time"
)

// debianRepository is where Debian keeps Maven's plugins and what they need. It
// stands in for the repository that every Maven asks by default.
const debianRepository = "/usr/share/maven-repo"

// mavenLogin is how settings.xml names the registry's credential, for the server
// ids reg and public, of which only the first has one.
type mavenLogin struct {
	url   string // of the repository
	user  string
	token string // empty: no credential
	form  string // basic or header: the two of maven.md 6.1
}

// mavenSettings has the mirror for all repositories but those of the tests, so
// that nothing is asked for elsewhere. Debian's files have no checksums, which
// Maven 4 takes for a failure. The last mirror has the id of the one that blocks
// plain http, and matches nothing.
var mavenSettings = template.Must(template.New("settings").Parse(`<settings>
 <interactiveMode>false</interactiveMode>
 <mirrors>
  <mirror><id>central</id><mirrorOf>*,!reg,!public,!own</mirrorOf><url>file://{{.Debian}}</url></mirror>
  <mirror><id>maven-default-http-blocker</id><mirrorOf>none</mirrorOf><url>http://127.0.0.1:1/</url></mirror>
 </mirrors>
 <servers><server><id>reg</id>
{{- if eq .Form "basic"}}<username>{{.User}}</username><password>{{.Token}}</password>{{end}}
{{- if eq .Form "header"}}<configuration><httpHeaders><property><name>Deploy-Token</name><value>{{.Token}}</value></property></httpHeaders></configuration>{{end}}
 </server></servers>
 <profiles><profile><id>tests</id>
  <repositories>
   <repository><id>central</id><url>https://registry.example/</url><releases><checksumPolicy>ignore</checksumPolicy></releases></repository>
   <repository><id>reg</id><url>{{.URL}}</url><snapshots><updatePolicy>always</updatePolicy></snapshots></repository>
  </repositories>
  <pluginRepositories>
   <pluginRepository><id>central</id><url>https://registry.example/</url><releases><checksumPolicy>ignore</checksumPolicy></releases></pluginRepository>
   <pluginRepository><id>own</id><url>file://{{.Own}}</url><releases><checksumPolicy>ignore</checksumPolicy></releases></pluginRepository>
   <pluginRepository><id>reg</id><url>{{.URL}}</url></pluginRepository>
  </pluginRepositories>
 </profile></profiles>
 <activeProfiles><activeProfile>tests</activeProfile></activeProfiles>
 <pluginGroups>{{range .Groups}}<pluginGroup>{{.}}</pluginGroup>{{end}}</pluginGroups>
</settings>
`))

// write makes settings.xml in a new HOME.
func (l mavenLogin) write(home string, pluginGroups ...string) error {
	form := l.form
	if l.token == "" {
		form = ""
	}
	var b bytes.Buffer
	err := mavenSettings.Execute(&b, map[string]any{
		"Debian": debianRepository, "Own": filepath.Join(clientsDir(), "maven", "plugins"),
		"URL": l.url, "User": l.user, "Token": l.token, "Form": form, "Groups": pluginGroups,
	})
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(home, ".m2", "settings.xml"), b.String())
}

// jvmFlags start a Java virtual machine quickly, keep it from writing outside of
// HOME, and leave it no way to other hosts.
func jvmFlags(home string) (string, error) {
	proxy, err := outside.url()
	if err != nil {
		return "", err
	}
	u, err := url.Parse(proxy)
	if err != nil {
		return "", err
	}
	return strings.Join([]string{
		"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
		"-Duser.home=" + home, "-Divy.home.dir=" + filepath.Join(home, ".ivy2"),
		"-Dhttps.proxyHost=" + u.Hostname(), "-Dhttps.proxyPort=" + u.Port(),
	}, " "), nil
}

// javaEnviron is the whole environment of a client that runs on Java.
func javaEnviron(home string) ([]string, error) {
	flags, err := jvmFlags(home)
	if err != nil {
		return nil, err
	}
	key, err := signingKey()
	if err != nil {
		return nil, err
	}
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8", "GNUPGHOME=" + key,
		"MAVEN_OPTS=" + flags, "JVM_FLAGS=" + flags, "JAVA_OPTS=" + flags, "LEIN_JVM_OPTS=" + flags, "JVM_OPTS=" + flags,
		"GRADLE_USER_HOME=" + filepath.Join(home, ".gradle"),
		"COURSIER_CACHE=" + filepath.Join(home, ".coursier"), "COURSIER_PROGRESS=disable",
		"LEIN_SILENT=true",
	}, nil
}

// runJava runs a client once in dir, with more variables, and gives all that it
// printed.
func runJava(program, home, dir string, argv []string, more ...string) ([]byte, error) {
	path, ok := findProgram(program)
	if !ok {
		return nil, fmt.Errorf("%s is not installed", program)
	}
	env, err := javaEnviron(home)
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

// runMaven runs one of the Mavens with the settings of a HOME, and a local
// repository of that HOME alone, in which nothing is of the registry.
func runMaven(program, home, dir string, argv []string) ([]byte, error) {
	if err := plantSeed(home); err != nil {
		return nil, err
	}
	return mavenIn(program, home, dir, argv)
}

// mavenIn is runMaven with whatever local repository is there.
func mavenIn(program, home, dir string, argv []string) ([]byte, error) {
	argv = append([]string{
		"-B", "-q", "-s", filepath.Join(home, ".m2", "settings.xml"),
		"-Dmaven.repo.local=" + filepath.Join(home, "repository"), "-Dmaven.test.skip=true",
	}, argv...)
	return runJava(program, home, dir, argv)
}

// signingKey makes the key that signs, once: a folder for GnuPG. Its path is
// short, as the name of a socket in it must be.
var signingKey = sync.OnceValues(func() (string, error) {
	gpg, err := exec.LookPath("gpg")
	if err != nil {
		return "", nil // the scripts that sign say that it is missing
	}
	dir := filepath.Join(scratch, "gpg")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	cmd := exec.Command(gpg, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "",
		"--quick-generate-key", "deploy@example.com", "ed25519", "sign", "never")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GNUPGHOME=" + dir}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make a key: %w\n%s", err, out)
	}
	return dir, nil
})

// stopSigning ends the agent that holds the key, if there is one.
func stopSigning() error {
	dir := filepath.Join(scratch, "gpg")
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	cmd := exec.Command("gpgconf", "--kill", "all")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GNUPGHOME=" + dir}
	return cmd.Run()
}
