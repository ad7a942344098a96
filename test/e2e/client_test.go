package e2e

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// client is an npm client: how it is called for what scripts ask it to do.
type client struct {
	name   string // of its program, see test/clients/npm.sh
	family string // npm, pnpm, yarn1, yarn4, bun
	// verbs are the commands for each verb. $1, $2 and so on stand for one
	// argument of the script, $@ for all; without any, all are appended to the
	// last command. A verb that the client does not have is absent.
	verbs map[string][][]string
	// only are the scripts that it runs, all of them when empty.
	only []string
	// shows are patterns for what the client prints of a refusal, where it does
	// not print the status.
	shows map[int]string
}

// do makes the commands of a verb from lines such as "dist-tag add".
func do(lines ...string) [][]string {
	var commands [][]string
	for _, line := range lines {
		commands = append(commands, strings.Fields(line))
	}
	return commands
}

// npmVerbs are those of every npm, and of pnpm where it passes them on.
var npmVerbs = map[string][][]string{
	"publish":       do("publish"),
	"install":       do("install"),
	"ci":            do("ci"),
	"view":          do("view"),
	"tag-add":       do("dist-tag add"),
	"tag-list":      do("dist-tag ls"),
	"tag-remove":    do("dist-tag rm"),
	"deprecate":     do("deprecate"),
	"undeprecate":   {{"deprecate", "$1", ""}},
	"unpublish":     do("unpublish"),
	"unpublish-all": do("unpublish --force"),
	"search":        do("search"),
	"whoami":        do("whoami"),
	"ping":          do("ping"),
	"audit":         do("audit"),
}

var pnpmVerbs = with(npmVerbs, map[string][][]string{
	// Without a git repository the check for a clean one fails.
	"publish": do("publish --no-git-checks"),
	"install": do("install --no-frozen-lockfile"),
	"ci":      do("install --frozen-lockfile"),
})

// pnpmOwnVerbs are those of a pnpm that no longer calls npm.
var pnpmOwnVerbs = with(pnpmVerbs, map[string][][]string{"undeprecate": do("undeprecate")})

var yarn1Verbs = map[string][][]string{
	"publish":    do("publish --non-interactive"),
	"install":    do("install --non-interactive"),
	"ci":         do("install --non-interactive --frozen-lockfile"),
	"view":       do("info"),
	"tag-add":    do("tag add"),
	"tag-list":   do("tag list"),
	"tag-remove": do("tag remove"),
	// Its audit asks its maker's host whatever is configured.
}

var yarn4Verbs = map[string][][]string{
	"publish":    do("install", "npm publish"),
	"install":    do("install"),
	"ci":         do("install --immutable"),
	"view":       do("npm info $1 --fields $2"),
	"tag-add":    do("npm tag add"),
	"tag-list":   do("npm tag list"),
	"tag-remove": do("npm tag remove"),
	"whoami":     do("npm whoami"),
	"audit":      do("npm audit"),
}

var bunVerbs = map[string][][]string{
	"publish": do("publish"),
	"install": do("install"),
	"ci":      do("install --frozen-lockfile"),
	"view":    do("info"),
	"whoami":  do("pm whoami"),
	"audit":   do("audit"),
}

// clients are those of which every script must be green.
var clients = []client{
	{name: "npm6", family: "npm", verbs: npmVerbs},
	{name: "npm8", family: "npm", verbs: npmVerbs},
	{name: "npm10", family: "npm", verbs: npmVerbs},
	{name: "npm11", family: "npm", verbs: npmVerbs},
	{name: "npm12", family: "npm", verbs: npmVerbs},
	{name: "pnpm9", family: "pnpm", verbs: pnpmVerbs},
	{name: "pnpm10", family: "pnpm", verbs: pnpmVerbs},
	// What it has in common with its neighbours, those show.
	{name: "pnpm11", family: "pnpm", verbs: pnpmOwnVerbs, only: []string{"publish", "agegate", "deprecate", "unpublish"}},
	{name: "pnpm12", family: "pnpm", verbs: pnpmOwnVerbs},
	{name: "yarn1", family: "yarn1", verbs: yarn1Verbs, shows: map[int]string{
		// It prints the server's text when it publishes, and the status else.
		401: "401|(?i)token|credential", 403: "403|write_package_registry", 404: "404|(?i)not found",
	}},
	{name: "yarn4", family: "yarn4", verbs: yarn4Verbs, shows: map[int]string{401: "401|YN0041"}},
	{name: "bun", family: "bun", verbs: bunVerbs},
}

// with gives base with some verbs replaced, or removed when nil.
func with(base, replaced map[string][][]string) map[string][][]string {
	verbs := map[string][][]string{}
	for verb, commands := range base {
		verbs[verb] = commands
	}
	for verb, commands := range replaced {
		if verbs[verb] = commands; commands == nil {
			delete(verbs, verb)
		}
	}
	return verbs
}

func clientNames() (names []string) {
	for _, c := range clients {
		names = append(names, c.name)
	}
	return names
}

func findClient(name string) (client, bool) {
	for _, c := range clients {
		if c.name == name {
			return c, true
		}
	}
	return client{}, false
}

// commands gives the argument lists for a verb with a script's arguments.
func (c client) commands(verb string, args []string) ([][]string, bool) {
	templates, ok := c.verbs[verb]
	if !ok {
		return nil, false
	}
	var out [][]string
	for i, template := range templates {
		argv, filled := fill(template, args)
		if !filled && i == len(templates)-1 {
			argv = append(argv, args...)
		}
		out = append(out, argv)
	}
	return out, true
}

// fill replaces the placeholders of a template and tells whether it has any.
func fill(template, args []string) (argv []string, filled bool) {
	for _, word := range template {
		switch {
		case word == "$@":
			argv, filled = append(argv, args...), true
		case len(word) == 2 && word[0] == '$' && int(word[1]-'1') < len(args):
			argv, filled = append(argv, args[word[1]-'1']), true
		default:
			argv = append(argv, word)
		}
	}
	return argv, filled
}

// login is how a HOME names a registry and its credential.
type login struct {
	registry string // URL with its final slash
	token    string // empty: no credential
	form     string // token, auth, basic: the three of npm.md 4.1
	scope    string // when set, the registry serves this npm scope alone
	ageGate  bool   // leave on what holds back young versions by default
}

// write makes the client's configuration in a new HOME.
func (l login) write(home string, c client) error {
	npmrc, err := l.npmrc(c)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(home, ".npmrc"), npmrc); err != nil {
		return err
	}
	if !l.ageGate {
		// What the scripts publish is seconds old.
		const pnpm = "minimumReleaseAge: 0\n"
		if err := writeFile(filepath.Join(home, ".config/pnpm/config.yaml"), pnpm); err != nil {
			return err
		}
	}
	yarnrc, err := l.yarnrc()
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(home, ".yarnrc.yml"), yarnrc)
}

// writeFile writes a file of a HOME and makes its folder.
func writeFile(name, content string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(content), 0o600)
}

// npmrc is what npm, pnpm, yarn 1 and bun read.
func (l login) npmrc(c client) (string, error) {
	var b strings.Builder
	if l.scope != "" {
		elsewhere, err := l.elsewhere()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "registry=%s\n%s:", elsewhere, l.scope)
	}
	fmt.Fprintf(&b, "registry=%s\n", l.registry)
	if c.family == "yarn1" {
		// Without it yarn 1 asks for unscoped packages without a credential.
		b.WriteString("always-auth=true\n")
	}
	if l.token == "" {
		return b.String(), nil
	}
	_, key, ok := strings.Cut(l.registry, ":")
	if !ok {
		return "", fmt.Errorf("registry %q is no URL", l.registry)
	}
	encode := base64.StdEncoding.EncodeToString
	switch l.form {
	case "token":
		fmt.Fprintf(&b, "%s:_authToken=%s\n", key, l.token)
	case "auth":
		fmt.Fprintf(&b, "%s:_auth=%s\n", key, encode([]byte("deploy:"+l.token)))
	case "basic":
		fmt.Fprintf(&b, "%s:username=deploy\n%s:_password=%s\n", key, key, encode([]byte(l.token)))
		fmt.Fprintf(&b, "%s:email=deploy@example.com\n", key)
	default:
		return "", fmt.Errorf("no form of credentials is called %q", l.form)
	}
	return b.String(), nil
}

// elsewhere is a default registry that has nothing, in place of the public one.
func (l login) elsewhere() (string, error) {
	u, err := url.Parse(l.registry)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host + "/elsewhere/", nil
}

// yarnrc is what yarn 4 reads.
func (l login) yarnrc() (string, error) {
	elsewhere, err := l.elsewhere()
	if err != nil {
		return "", err
	}
	proxy, err := outside.url()
	if err != nil {
		return "", err
	}
	lines := []string{
		"enableTelemetry: false", "enableGlobalCache: false", "nodeLinker: node-modules",
		// A new lockfile in CI is refused by default.
		"enableImmutableInstalls: false",
		"unsafeHttpWhitelist: [localhost, 127.0.0.1]",
		// It does not look at the environment for a proxy.
		fmt.Sprintf("httpsProxy: %q", proxy),
	}
	const noGate = "npmMinimalAgeGate: 0"
	if !l.ageGate {
		lines = append(lines, noGate)
	}
	indent := ""
	if l.scope != "" {
		lines = append(lines, fmt.Sprintf("npmRegistryServer: %q", elsewhere),
			"npmScopes:", fmt.Sprintf("  %s:", strings.TrimPrefix(l.scope, "@")),
			// Else it publishes to the default registry.
			fmt.Sprintf("    npmPublishRegistry: %q", l.registry),
			// An npm scope does not inherit it.
			"    "+noGate)
		indent = "    "
	}
	lines = append(lines, fmt.Sprintf("%snpmRegistryServer: %q", indent, l.registry))
	if l.token != "" {
		credential := fmt.Sprintf("%snpmAuthToken: %q", indent, l.token)
		if l.form != "token" {
			credential = fmt.Sprintf("%snpmAuthIdent: %q", indent, "deploy:"+l.token)
		}
		lines = append(lines, credential, indent+"npmAlwaysAuth: true")
	}
	return strings.Join(lines, "\n") + "\n", nil
}
