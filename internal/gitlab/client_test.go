package gitlab_test

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	client "gitlab.com/gitlab-org/api/client-go"
)

// TestGitLabsGoClient runs GitLab's own client, which Terraform and glab are
// built on, without a change.
func TestGitLabsGoClient(t *testing.T) {
	w := newWorld(t)
	c, err := client.NewClient(w.secrets["olga"], client.WithBaseURL(w.URL+"/prefix"))
	if err != nil {
		t.Fatal(err)
	}
	if me, _, err := c.Users.CurrentUser(); err != nil || me.Username != "olga" {
		t.Errorf("CurrentUser: %v %v", me, err)
	}
	if m, _, err := c.Metadata.GetMetadata(); err != nil || m.Version == "" || m.Enterprise {
		t.Errorf("GetMetadata: %v %v", m, err)
	}
	p, _, err := c.Projects.GetProject("acme/platform/deep.js", nil)
	if err != nil || p.ID != w.projects["acme/platform/deep.js"].ID || p.Namespace.FullPath != "acme/platform" || p.CreatedAt == nil {
		t.Fatalf("GetProject: %+v %v", p, err)
	}
	g, _, err := c.Groups.GetGroup("acme/platform", nil)
	if err != nil || g.FullName != "acme / platform" || g.ParentID != w.groups["acme"].ID {
		t.Fatalf("GetGroup: %+v %v", g, err)
	}
	t.Run("project tokens", func(t *testing.T) { goClientTokens(t, projectTokens(c, "acme/platform/deep.js")) })
	t.Run("project tokens by id", func(t *testing.T) { goClientTokens(t, projectTokens(c, w.projects["acme/api"].ID)) })
	t.Run("group tokens", func(t *testing.T) { goClientTokens(t, groupTokens(c, "acme/platform")) })
	if _, res, err := c.DeployTokens.ListAllDeployTokens(); err == nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("ListAllDeployTokens as no administrator: %v", err)
	}
}

// tokensOf are the client's calls for one holder.
type tokensOf struct {
	create func(name string, expires time.Time) (*client.DeployToken, error)
	list   func(page, size int64) ([]*client.DeployToken, *client.Response, error)
	get    func(id int64) (*client.DeployToken, error)
	end    func(id int64) error
}

var clientScopes = []string{"read_package_registry", "write_package_registry"}

func projectTokens(c *client.Client, of any) tokensOf {
	return tokensOf{
		create: func(name string, expires time.Time) (*client.DeployToken, error) {
			t, _, err := c.DeployTokens.CreateProjectDeployToken(of, &client.CreateProjectDeployTokenOptions{Name: &name, ExpiresAt: &expires, Scopes: &clientScopes})
			return t, err
		},
		list: func(page, size int64) ([]*client.DeployToken, *client.Response, error) {
			return c.DeployTokens.ListProjectDeployTokens(of, &client.ListProjectDeployTokensOptions{ListOptions: client.ListOptions{Page: page, PerPage: size}})
		},
		get: func(id int64) (*client.DeployToken, error) {
			t, _, err := c.DeployTokens.GetProjectDeployToken(of, id)
			return t, err
		},
		end: func(id int64) error {
			_, err := c.DeployTokens.DeleteProjectDeployToken(of, id)
			return err
		},
	}
}

func groupTokens(c *client.Client, of any) tokensOf {
	return tokensOf{
		create: func(name string, expires time.Time) (*client.DeployToken, error) {
			t, _, err := c.DeployTokens.CreateGroupDeployToken(of, &client.CreateGroupDeployTokenOptions{Name: &name, ExpiresAt: &expires, Scopes: &clientScopes})
			return t, err
		},
		list: func(page, size int64) ([]*client.DeployToken, *client.Response, error) {
			return c.DeployTokens.ListGroupDeployTokens(of, &client.ListGroupDeployTokensOptions{ListOptions: client.ListOptions{Page: page, PerPage: size}})
		},
		get: func(id int64) (*client.DeployToken, error) {
			t, _, err := c.DeployTokens.GetGroupDeployToken(of, id)
			return t, err
		},
		end: func(id int64) error {
			_, err := c.DeployTokens.DeleteGroupDeployToken(of, id)
			return err
		},
	}
}

func goClientTokens(t *testing.T, of tokensOf) {
	expires := time.Date(2027, 1, 31, 12, 30, 0, 0, time.UTC)
	made, err := of.create("ci", expires)
	if err != nil {
		t.Fatal(err)
	}
	if made.Token == "" || made.Revoked || made.Expired || made.ExpiresAt == nil || !made.ExpiresAt.Equal(expires) {
		t.Errorf("created %v", made)
	}
	if diff := cmp.Diff(clientScopes, made.Scopes); diff != "" {
		t.Error(diff)
	}
	read, err := of.get(made.ID)
	if err != nil {
		t.Fatal(err)
	}
	// Terraform compares what it reads with what it made: any difference is drift.
	made.Token = ""
	if diff := cmp.Diff(made, read); diff != "" {
		t.Error(diff)
	}
	for range 2 {
		if _, err := of.create("more", expires); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	for page := int64(1); page != 0; {
		tokens, res, err := of.list(page, 2)
		if err != nil {
			t.Fatal(err)
		}
		if res.TotalItems != 3 || res.TotalPages != 2 {
			t.Errorf("page %d of %d, %d tokens in all", page, res.TotalPages, res.TotalItems)
		}
		seen += len(tokens)
		page = res.NextPage
	}
	if seen != 3 {
		t.Errorf("listed %d tokens, want 3", seen)
	}
	if err := of.end(made.ID); err != nil {
		t.Fatal(err)
	}
	var refusal *client.ErrorResponse
	if _, err := of.get(made.ID); !errors.Is(err, client.ErrNotFound) && (!errors.As(err, &refusal) || refusal.Response.StatusCode != http.StatusNotFound) {
		t.Errorf("reading an ended token: %v", err)
	}
}

// TestGitbeaker runs GitLab's JavaScript client without a change.
func TestGitbeaker(t *testing.T) {
	dir := filepath.Join(clientsDir(), "npm", "gitbeaker")
	node, err := exec.LookPath("node")
	if _, missing := os.Stat(filepath.Join(dir, "node_modules", "@gitbeaker", "rest")); missing != nil || err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("node or @gitbeaker/rest is not installed: run test/clients/gitlab.sh")
		}
		t.Skip("node or @gitbeaker/rest is not installed: run test/clients/gitlab.sh")
	}
	w := newWorld(t)
	script, err := filepath.Abs("testdata/gitbeaker.mjs")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GITLAB_HOST="+w.URL+"/prefix", "GITLAB_TOKEN="+w.secrets["olga"], "GITBEAKER="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// clientsDir is where test/clients puts the clients.
func clientsDir() string {
	if dir := os.Getenv("CLIENTS_DIR"); dir != "" {
		return dir
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	return filepath.Join(cache, "pakhus-clients")
}
