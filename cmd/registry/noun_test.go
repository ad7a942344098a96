package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/auth"
)

// console runs commands in this process, over a data folder of its own.
type console struct {
	t       *testing.T
	dir     string
	environ []string
}

func newConsole(t *testing.T) *console {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	return &console{t, dir, []string{"REGISTRY_DATA_DIR=" + dir, "REGISTRY_EXTERNAL_URL=https://pkg.example.org/prefix"}}
}

// try runs a command line; what is in stdin reaches it by standard input.
func (c *console) try(stdin string, args ...string) (status int, out, messages string) {
	c.t.Helper()
	var stdout, stderr bytes.Buffer
	status = execute(c.t.Context(), args, c.environ, streams{in: strings.NewReader(stdin), out: &stdout, err: &stderr})
	return status, stdout.String(), stderr.String()
}

// run runs a command line that must succeed, and gives what it printed.
func (c *console) run(args ...string) string {
	c.t.Helper()
	status, out, messages := c.try("", args...)
	if status != exitDone {
		c.t.Fatalf("registry %q: status %d\n%s%s", args, status, out, messages)
	}
	return out
}

// object runs a command line with -o json and gives the object that it printed.
func (c *console) object(args ...string) map[string]any {
	c.t.Helper()
	var v map[string]any
	c.decode(c.run(append(args, "-o", "json")...), &v)
	return v
}

// list is object for commands that list; it gives one field of each row.
func (c *console) list(field string, args ...string) []string {
	c.t.Helper()
	var rows []map[string]any
	c.decode(c.run(append(args, "-o", "json")...), &rows)
	values := []string{}
	for _, row := range rows {
		values = append(values, fmt.Sprint(row[field]))
	}
	return values
}

func (c *console) decode(out string, into any) {
	c.t.Helper()
	decoder := json.NewDecoder(strings.NewReader(out))
	if err := decoder.Decode(into); err != nil {
		c.t.Fatalf("%v in %q", err, out)
	}
	if decoder.More() {
		c.t.Errorf("more than one JSON document: %q", out)
	}
}

// open gives the parts over the console's data, for a look behind the commands.
func (c *console) open() *parts {
	c.t.Helper()
	p, err := (&app{streams: streams{err: os.Stderr}, environ: c.environ}).open(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		if err := p.Close(); err != nil {
			c.t.Error(err)
		}
	})
	return p
}

func (c *console) same(got []string, want ...string) {
	c.t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		c.t.Error(diff)
	}
}

func TestGroupsAndProjects(t *testing.T) {
	c := newConsole(t)
	if g := c.object("group", "create", "acme", "--id", "77"); g["id"] != 77.0 || g["full_path"] != "acme" || g["parent_id"] != nil {
		t.Errorf("group create: %v", g)
	}
	if g := c.object("group", "create", "acme/team"); g["parent_id"] != 77.0 || g["path"] != "team" {
		t.Errorf("group create below: %v", g)
	}
	p := c.object("project", "create", "acme/team/lib", "--id", "42", "--visibility", "internal")
	if p["id"] != 42.0 || p["path_with_namespace"] != "acme/team/lib" || p["visibility"] != "internal" {
		t.Errorf("project create: %v", p)
	}
	c.run("project", "create", "acme/app")
	c.same(c.list("full_path", "group", "list"), "acme", "acme/team")
	c.same(c.list("full_path", "project", "list"), "acme/app", "acme/team/lib")
	c.same(c.list("full_path", "project", "list", "--group", "acme/team"), "acme/team/lib")
	if moved := c.object("project", "move", "42", "acme/moved"); moved["full_path"] != "acme/moved" {
		t.Errorf("project move: %v", moved)
	}
	c.run("project", "delete", "acme/moved")
	c.same(c.list("full_path", "project", "list"), "acme/app")
	c.run("group", "delete", "acme/team")
	c.same(c.list("full_path", "group", "list"), "acme")
	if text := c.run("project", "list"); text != "ID  PATH      VISIBILITY\n43  acme/app  private\n" {
		t.Errorf("as text:\n%s", text)
	}
}

// TestExitStatuses: 2 for wrong use, 1 for what fails; data never goes with it.
func TestExitStatuses(t *testing.T) {
	c := newConsole(t)
	c.run("group", "create", "acme")
	c.run("project", "create", "acme/lib")
	for _, tt := range []struct {
		name   string
		args   string
		status int
		says   string
	}{
		{"no such command", "frobnicate", exitWrong, "frobnicate"},
		{"no such flag", "group list --frob", exitWrong, "--frob"},
		{"bad visibility", "project create acme/x --visibility secret", exitWrong, "--visibility"},
		{"bad id", "project create acme/x --id -3", exitWrong, "--id"},
		{"bad role", "member add acme root --role boss", exitWrong, "--role"},
		{"token without holder", "token create --name a --scope read_registry", exitWrong, "--project"},
		{"token with two holders", "token create --project 1 --group 1 --name a --scope read_registry", exitWrong, "--group"},
		{"unknown scope", "token create --project 1 --name a --scope api", exitWrong, "scopes"},
		{"bad expiry", "token create --project 1 --name a --scope read_registry --expires-at soon", exitWrong, "expires_at"},
		{"explain nothing", "token explain", exitWrong, "--secret-file"},
		{"unknown format", "package list --format pypi", exitWrong, "--format"},
		{"bad setting", "group list --database-url mysql://x", exitWrong, "database_url"},
		{"taken", "group create ACME", exitFailed, "taken"},
		{"no such group", "project create none/x", exitFailed, "not"},
		{"group in use", "group delete acme", exitFailed, ""},
		{"no such token", "token revoke 99", exitFailed, "not found"},
		{"no such user", "user password nobody", exitFailed, "not found"},
		{"no such project", "token create --project none/x --name a --scope read_registry", exitFailed, "Project Not Found"},
		{"no such package", "package delete left --project acme/lib --format npm", exitFailed, "no npm package left"},
		{"member of an id", "member add 1 root --role guest", exitFailed, "not a path"},
		{"no CI token", "ci-variables --project acme/lib", exitFailed, "gitlab-deploy-token"},
		{"secret file absent", "token create --project 1 --name a --scope read_registry --secret-file /nonexistent", exitFailed, "/nonexistent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, messages := c.try("", strings.Fields(tt.args)...)
			if status != tt.status || out != "" || !strings.Contains(messages, tt.says) || strings.Contains(messages, "constraint") {
				t.Errorf("status %d, printed %q, said %q; want %d and %q", status, out, messages, tt.status, tt.says)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	c := newConsole(t)
	c.run("group", "create", "acme")
	c.run("project", "create", "acme/lib")
	made := c.object("token", "create", "--project", "acme/lib", "--name", "ci", "--scope", "write_package_registry", "--scope", "read_package_registry", "--expires-at", "2099-01-31")
	secret := made["token"].(string)
	want := map[string]any{
		"id": 1.0, "name": "ci", "username": "gitlab+deploy-token-1", "project_id": 1.0, "group_id": nil, "token": secret,
		"scopes":     []any{"read_package_registry", "write_package_registry"},
		"expires_at": "2099-01-31T00:00:00.000Z", "revoked": false, "expired": false, "last_used_at": nil, "created_at": made["created_at"],
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Error(diff)
	}
	p := c.open()
	id, err := p.tokens.Verify(t.Context(), auth.Credential{Secret: auth.NewSecret(secret)})
	if err != nil || id.TokenID != 1 {
		t.Fatalf("the printed secret: %v %v", id, err)
	}

	delete(want, "token")
	if diff := cmp.Diff(want, c.object("token", "show", "1")); diff != "" {
		t.Error(diff)
	}
	group := c.object("token", "create", "--group", "acme", "--name", "all", "--scope", "read_package_registry,read_registry", "--username", "bot", "--id", "500")
	if group["id"] != 500.0 || group["username"] != "bot" || group["group_id"] != 1.0 {
		t.Errorf("a group's token: %v", group)
	}
	c.same(c.list("id", "token", "list"), "1", "500")
	c.same(c.list("id", "token", "list", "--group", "acme"), "500")
	c.run("token", "revoke", "1")
	c.same(c.list("id", "token", "list", "--active"), "500")
	c.same(c.list("revoked", "token", "list"), "true", "false")
	for _, listing := range []string{c.run("token", "list"), c.run("token", "list", "-o", "json"), c.run("token", "show", "1")} {
		if strings.Contains(listing, secret) || strings.Contains(listing, "gldt-") {
			t.Errorf("a secret is shown again:\n%s", listing)
		}
	}
}

// TestImportedSecret: a token made elsewhere goes on working (gitlab.md 8.3).
func TestImportedSecret(t *testing.T) {
	c := newConsole(t)
	c.run("group", "create", "acme")
	c.run("project", "create", "acme/lib")
	const secret = "gldt-Zk3vQ9aT_w7Rj0YpLmNd"
	args := []string{"token", "create", "--project", "acme/lib", "--name", "old", "--scope", "read_package_registry", "--id", "318", "--secret-file"}
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if made := c.object(append(args, file)...); made["token"] != secret || made["id"] != 318.0 {
		t.Errorf("imported: %v", made)
	}
	if id, err := c.open().tokens.Verify(t.Context(), auth.Credential{Secret: auth.NewSecret(secret)}); err != nil || id.TokenID != 318 {
		t.Errorf("the imported secret: %v %v", id, err)
	}
	args[9] = "319"
	if status, _, messages := c.try("short\n", append(args, "-")...); status != exitFailed || !strings.Contains(messages, "too short") {
		t.Errorf("a short secret on standard input: %d %s", status, messages)
	}
	if status, _, messages := c.try("\n", append(args, "-")...); status != exitFailed || !strings.Contains(messages, "empty") {
		t.Errorf("no secret on standard input: %d %s", status, messages)
	}
}

func TestExplain(t *testing.T) {
	c := newConsole(t)
	c.run("group", "create", "acme")
	c.run("project", "create", "acme/lib")
	c.run("project", "create", "acme/open", "--visibility", "public")
	read := c.object("token", "create", "--project", "acme/lib", "--name", "r", "--scope", "read_package_registry")
	old := c.object("token", "create", "--group", "acme", "--name", "o", "--scope", "write_package_registry", "--expires-at", "2020-01-01")
	c.run("user", "create", "dev")
	c.run("member", "add", "acme/lib", "dev", "--role", "developer")
	personal := c.object("user", "token", "dev")
	mistyped := strings.Replace(read["token"].(string), "gldt-", "gldt-x", 1)[:len(read["token"].(string))]

	for _, tt := range []struct {
		name, stdin, args    string
		kind, state, reason  string
		may, mayNot, because string
	}{
		{"by id", "", "1 --project acme/lib", "deploy_token", "active", "", "read", "publish", "needs write_package_registry"},
		{"by secret", read["token"].(string), "--secret-file - --project acme/lib", "deploy_token", "active", "", "read", "publish", "needs write_package_registry"},
		{"on another project", "", "1 --project acme/open", "deploy_token", "active", "", "read", "publish", "does not cover"},
		{"expired", old["token"].(string), "--secret-file - --project acme/lib", "deploy_token", "expired", "expired at 2020-01-01", "", "read", "expired"},
		{"mistyped", mistyped, "--secret-file - --project acme/lib", "unknown", "refused", "typing error", "", "read", "refused"},
		{"personal", personal["token"].(string), "--secret-file - --project acme/lib", "personal_access_token", "active", "", "publish", "delete", "needs the role maintainer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, messages := c.try(tt.stdin, append([]string{"token", "explain", "-o", "json"}, strings.Fields(tt.args)...)...)
			if status != exitDone {
				t.Fatalf("status %d: %s", status, messages)
			}
			if tt.stdin != "" && strings.Contains(out+messages, tt.stdin) {
				t.Error("the secret is printed")
			}
			var x struct {
				Kind, State, Reason string
				Actions             []judgement
			}
			if err := json.Unmarshal([]byte(out), &x); err != nil {
				t.Fatalf("%v in %s", err, out)
			}
			if x.Kind != tt.kind || x.State != tt.state || !strings.Contains(x.Reason, tt.reason) {
				t.Errorf("explained as %+v", x)
			}
			for _, j := range x.Actions {
				if j.Action == tt.may && !j.Allowed {
					t.Errorf("may not %s: %s", j.Action, j.Reason)
				}
				if j.Action == tt.mayNot && (j.Allowed || !strings.Contains(j.Reason, tt.because)) {
					t.Errorf("%s: allowed %v, because %q", j.Action, j.Allowed, j.Reason)
				}
			}
		})
	}
	c.run("token", "revoke", "1")
	if text := c.run("token", "explain", "1", "--project", "acme/lib"); !strings.Contains(text, "it was revoked at") || !strings.Contains(text, "no: the token is revoked") {
		t.Errorf("a revoked token:\n%s", text)
	}
}

func TestUsersAndMembers(t *testing.T) {
	c := newConsole(t)
	c.run("group", "create", "acme")
	status, out, messages := c.try("correct horse battery\n", "user", "create", "Olga", "--admin", "--name", "Olga O", "--email", "o@example.com", "--password-file", "-", "-o", "json")
	if status != exitDone || strings.Contains(out, "horse") {
		t.Fatalf("user create: %d %s %s", status, out, messages)
	}
	p := c.open()
	if _, id, err := p.tokens.Login(t.Context(), "olga", auth.NewSecret("correct horse battery")); err != nil || !id.Admin {
		t.Errorf("login with the password: %v", err)
	}
	made := c.object("user", "password", "olga")
	if _, _, err := p.tokens.Login(t.Context(), "olga", auth.NewSecret(made["password"].(string))); err != nil {
		t.Errorf("login with the made-up password: %v", err)
	}
	c.run("user", "create", "bob")
	c.same(c.list("username", "user", "list"), "Olga", "bob")

	c.run("member", "add", "acme", "bob", "--role", "reporter")
	c.run("member", "add", "acme", "bob", "--role", "owner")
	c.same(c.list("access_level", "member", "list", "acme"), "50")
	c.run("member", "remove", "acme", "bob")
	c.same(c.list("username", "member", "list", "acme"))

	token := c.object("user", "token", "bob", "--scope", "read_api", "--name", "x", "--expires-at", "2099-01-01")
	credential := auth.Credential{Secret: auth.NewSecret(token["token"].(string))}
	if id, err := p.tokens.Verify(t.Context(), credential); err != nil || !id.ReadOnly {
		t.Errorf("the printed token: %v %v", id, err)
	}
	c.same(c.list("name", "user", "token", "bob", "--list"), "x")
	if status, _, _ := c.try("", "user", "token", "olga", "--revoke", fmt.Sprint(token["id"])); status != exitFailed {
		t.Error("a token of bob is revoked as olga's")
	}
	c.run("user", "token", "bob", "--revoke", fmt.Sprint(token["id"]))
	c.same(c.list("revoked", "user", "token", "bob", "--list"), "true")
	if blocked := c.object("user", "block", "bob"); blocked["state"] != "blocked" {
		t.Errorf("user block: %v", blocked)
	}
	if active := c.object("user", "block", "bob", "--undo"); active["state"] != "active" {
		t.Errorf("user block --undo: %v", active)
	}
}

func TestQuickstartAndCIVariables(t *testing.T) {
	c := newConsole(t)
	first := c.run("quickstart")
	if second := c.run("quickstart"); second != first {
		t.Errorf("a second run prints\n%s\nafter\n%s", second, first)
	}
	q := c.object("quickstart")
	secret := q["token"].(string)
	for _, line := range []string{
		"@acme:registry=https://pkg.example.org/prefix/api/v4/projects/1/packages/npm/\n",
		"//pkg.example.org/prefix/api/v4/projects/1/packages/npm/:_authToken=" + secret + "\n",
		`value="https://pkg.example.org/prefix/api/v4/projects/1/packages/nuget/index.json"`,
		`<add key="Username" value="gitlab+deploy-token-1" />`,
		`url = uri("https://pkg.example.org/prefix/api/v4/projects/1/packages/maven")`,
		"<value>" + secret + "</value>",
		`curl --header "Deploy-Token: ` + secret + `" https://`,
	} {
		if !strings.Contains(first, line) {
			t.Errorf("no line %q in\n%s", line, first)
		}
	}
	if strings.Contains(first, "nsecure") {
		t.Error("clients are told to accept plain HTTP")
	}
	if vars := c.run("ci-variables", "--project", "acme/demo"); vars != "CI_DEPLOY_USER=gitlab+deploy-token-1\nCI_DEPLOY_PASSWORD="+secret+"\n" {
		t.Errorf("ci-variables: %s", vars)
	}
	id, err := c.open().tokens.Verify(t.Context(), auth.Credential{Secret: auth.NewSecret(secret)})
	if err != nil || id.ProjectID != 1 || !id.Scopes.Has(auth.WritePackageRegistry) {
		t.Errorf("the printed token: %v %v", id, err)
	}

	// A revoked token is replaced: what is printed works always.
	c.run("token", "revoke", "1")
	if again := c.object("quickstart"); again["username"] != "gitlab+deploy-token-2" || again["token"] == secret {
		t.Errorf("after a revocation: %v", again)
	}
	c.same(c.list("full_path", "project", "list"), "acme/demo")
}
