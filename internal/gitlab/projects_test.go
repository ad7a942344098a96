package gitlab_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// TestReferences: a project is found by its id and by every spelling of its
// path that clients send, decoded exactly once (gitlab.md 0.4).
func TestReferences(t *testing.T) {
	w := newWorld(t)
	deep := w.projects["acme/platform/deep.js"]
	for _, tt := range []struct {
		name, ref string
		status    int
	}{
		{"id", fmt.Sprint(deep.ID), 200},
		{"path", "acme%2Fplatform%2Fdeep.js", 200},
		{"lower-case escapes", "acme%2fplatform%2fdeep.js", 200},
		{"another case", "ACME%2FPlatform%2Fdeep.js", 200},
		{"escaped dot, as GitLab's Go client sends", "acme%2Fplatform%2Fdeep%2Ejs", 200},
		{"escaped letters", "%61cme%2Fplatform%2Fdeep.js", 200},
		{"escaped twice", "acme%252Fplatform%252Fdeep.js", 400},
		{"plain slashes", "acme/platform/deep.js", 404},
		{"dot segments", "acme%2Fplatform%2F..%2Fapi", 400},
		{"NUL", "acme%2Fapi%00", 400},
		{"not UTF-8", "acme%2Fapi%FF", 400},
		{"the last part only", "deep.js", 404},
		{"a group's path", "acme%2Fplatform", 404},
		{"beyond every id", "99999999999999999999", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := w.call(t, "dev", "GET", "/projects/"+tt.ref, "")
			if got.status != tt.status || (tt.status == 200 && !strings.Contains(got.body, fmt.Sprintf(`{"id":%d,`, deep.ID))) {
				t.Errorf("%d %s, want %d", got.status, got.body, tt.status)
			}
		})
	}
}

func TestProjectFields(t *testing.T) {
	w := newWorld(t)
	p, g := w.projects["acme/platform/deep.js"], w.groups["acme/platform"]
	got := map[string]any{}
	w.call(t, "dev", "GET", "/projects/acme%2Fplatform%2Fdeep.js", "").decode(t, &got)
	base := w.URL + "/prefix"
	want := map[string]any{
		"id": float64(p.ID), "name": "deep.js", "path": "deep.js", "path_with_namespace": "acme/platform/deep.js",
		"name_with_namespace": "acme / platform / deep.js", "description": "", "visibility": "private",
		"web_url": base + "/acme/platform/deep.js", "http_url_to_repo": "", "ssh_url_to_repo": "", "default_branch": nil,
		"namespace": map[string]any{
			"id": float64(g.ID), "name": "platform", "path": "platform", "kind": "group", "full_path": "acme/platform",
			"parent_id": float64(w.groups["acme"].ID), "web_url": base + "/groups/acme/platform",
		},
		"created_at": "2026-03-01T10:15:00.123Z", "last_activity_at": "2026-03-01T10:15:00.123Z", "archived": false, "empty_repo": true,
		"packages_enabled": true, "package_registry_access_level": "private",
		"_links":      map[string]any{"self": fmt.Sprintf("%s/api/v4/projects/%d", base, p.ID)},
		"permissions": map[string]any{"project_access": nil, "group_access": map[string]any{"access_level": float64(30)}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// paths lists the full paths in an answer that is a list.
func (a answer) paths(t *testing.T) []string {
	t.Helper()
	var rows []struct {
		Project string `json:"path_with_namespace"`
		Group   string `json:"full_path"`
	}
	a.decode(t, &rows)
	paths := []string{}
	for _, row := range rows {
		paths = append(paths, row.Project+row.Group)
	}
	return paths
}

func TestLists(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name, as, path string
		want           []string
	}{
		{"nobody sees what is public", "anonymous", "/projects", []string{"acme/open"}},
		{"a member sees theirs", "dev", "/projects", []string{"acme/api", "acme/open", "acme/platform/deep.js"}},
		{"a stranger sees theirs and what is public", "oscar", "/projects?simple=true", []string{"acme/open", "other/site"}},
		{"membership leaves the public out", "oscar", "/projects?membership=true", []string{"other/site"}},
		{"an administrator is a member of nothing", "root", "/projects?membership=true", []string{}},
		{"an administrator sees all", "root", "/projects", []string{"acme/api", "acme/open", "acme/platform/deep.js", "other/site"}},
		{"search", "dev", "/projects?search=DEEP", []string{"acme/platform/deep.js"}},
		{"search takes no wildcards", "dev", "/projects?search=%25", []string{}},
		{"visibility", "dev", "/projects?visibility=public", []string{"acme/open"}},
		{"a group's own", "dev", "/groups/acme/projects", []string{"acme/api", "acme/open"}},
		{"a group's, with those below", "dev", "/groups/acme/projects?include_subgroups=true", []string{"acme/api", "acme/open", "acme/platform/deep.js"}},
		{"a stranger in a group that holds a public project", "oscar", "/groups/acme/projects", []string{"acme/open"}},
		{"groups", "dev", "/groups", []string{"acme", "acme/platform"}},
		{"groups of an administrator", "root", "/groups", []string{"acme", "acme/platform", "other"}},
		{"groups, searched", "root", "/groups?search=oth", []string{"other"}},
		{"subgroups", "dev", "/groups/acme/subgroups", []string{"acme/platform"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := w.call(t, tt.as, "GET", tt.path, "")
			if got.status != http.StatusOK {
				t.Fatalf("%d %s", got.status, got.body)
			}
			if diff := cmp.Diff(tt.want, got.paths(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := w.call(t, "dev", "GET", "/projects?visibility=secret", ""); got.status != http.StatusBadRequest {
		t.Errorf("an unknown visibility: %d", got.status)
	}
}

func TestChangeProjects(t *testing.T) {
	w := newWorld(t)
	acme, other := w.groups["acme"].ID, w.groups["other"].ID
	for _, tt := range []struct {
		name, as, method, path, body string
		status                       int
		says                         string
	}{
		{"nobody", "anonymous", "POST", "/projects", fmt.Sprintf(`{"name":"x","namespace_id":%d}`, acme), 401, "401"},
		{"no name", "mia", "POST", "/projects", fmt.Sprintf(`{"namespace_id":%d}`, acme), 400, `{"error":"name, path are missing`},
		{"no group", "mia", "POST", "/projects", `{"name":"x"}`, 400, `{"error":"namespace_id is missing"}`},
		{"another's group", "mia", "POST", "/projects", fmt.Sprintf(`{"name":"x","namespace_id":%d}`, other), 404, "404 Group Not Found"},
		{"developer", "dev", "POST", "/projects", fmt.Sprintf(`{"name":"x","namespace_id":%d}`, acme), 403, "403 Forbidden"},
		{"path climbs out", "mia", "POST", "/projects", fmt.Sprintf(`{"path":"../other/x","namespace_id":%d}`, acme), 400, "path is invalid"},
		{
			"maintainer", "mia", "POST", "/projects", fmt.Sprintf(`{"name":"My New Lib","description":"d","visibility":"internal","namespace_id":%d}`, acme), 201,
			`"path_with_namespace":"acme/my-new-lib"`,
		},
		{"taken", "mia", "POST", "/projects", fmt.Sprintf(`{"path":"My-New-Lib","namespace_id":%d}`, acme), 400, "path has already been taken"},
		{"developer updates", "dev", "PUT", "/projects/acme%2Fmy-new-lib", `{"name":"x"}`, 403, "403"},
		{"maintainer renames", "mia", "PUT", "/projects/acme%2Fmy-new-lib", `{"name":"Better","description":""}`, 200, `"description":"","name":"Better"`},
		{"maintainer opens it", "mia", "PUT", "/projects/acme%2Fmy-new-lib", `{"visibility":"public"}`, 403, "needs the role owner"},
		{"owner opens it", "olga", "PUT", "/projects/acme%2Fmy-new-lib", `{"visibility":"public"}`, 200, `"visibility":"public"`},
		{"now nobody reads it", "anonymous", "GET", "/projects/acme%2Fmy-new-lib", "", 200, `"name":"Better"`},
		{"nobody deletes it", "anonymous", "DELETE", "/projects/acme%2Fmy-new-lib", "", 401, "401"},
		{"stranger deletes it", "oscar", "DELETE", "/projects/acme%2Fmy-new-lib", "", 403, "403"},
		{"maintainer deletes it", "mia", "DELETE", "/projects/acme%2Fmy-new-lib", "", 403, "403"},
		{"owner deletes it", "olga", "DELETE", "/projects/acme%2Fmy-new-lib", "", 202, "202 Accepted"},
		{"gone", "olga", "GET", "/projects/acme%2Fmy-new-lib", "", 404, "404 Project Not Found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := w.call(t, tt.as, tt.method, tt.path, tt.body)
			if got.status != tt.status || !strings.Contains(got.body, tt.says) {
				t.Errorf("%d %s, want %d with %s", got.status, got.body, tt.status, tt.says)
			}
		})
	}
}

func TestChangeGroups(t *testing.T) {
	w := newWorld(t)
	acme := w.groups["acme"].ID
	for _, tt := range []struct {
		name, as, method, path, body string
		status                       int
		says                         string
	}{
		{"top level, user", "olga", "POST", "/groups", `{"name":"Evil","path":"evil"}`, 403, "only administrators"},
		{"top level, administrator", "root", "POST", "/groups", `{"name":"Fresh","path":"fresh","visibility":"public"}`, 201, `"full_path":"fresh"`},
		{"taken", "root", "POST", "/groups", `{"name":"Fresh","path":"FRESH"}`, 400, "path has already been taken"},
		{"no path", "root", "POST", "/groups", `{"name":"Fresh"}`, 400, `{"error":"path is missing"}`},
		{"below, maintainer", "mia", "POST", "/groups", fmt.Sprintf(`{"name":"Sub","path":"sub","parent_id":%d}`, acme), 403, "403"},
		{"below, owner", "olga", "POST", "/groups", fmt.Sprintf(`{"name":"Sub","path":"sub","parent_id":%d}`, acme), 201, `"full_name":"acme / Sub","full_path":"acme/sub"`},
		{"below another's", "oscar", "POST", "/groups", fmt.Sprintf(`{"name":"Sub","path":"sub2","parent_id":%d}`, acme), 404, "404 Group Not Found"},
		{"bad parent", "root", "POST", "/groups", `{"name":"Sub","path":"sub2","parent_id":""}`, 400, `{"error":"parent_id is invalid"}`},
		{"delete one that holds things", "olga", "DELETE", "/groups/acme", "", 409, ""},
		{"delete, maintainer", "mia", "DELETE", "/groups/acme%2Fsub", "", 403, "403"},
		{"delete", "olga", "DELETE", "/groups/acme%2Fsub", "", 202, "202 Accepted"},
		{"gone", "olga", "GET", "/groups/acme%2Fsub", "", 404, "404 Group Not Found"},
		{"namespace", "dev", "GET", "/namespaces/acme%2Fplatform", "", 200, `"kind":"group","full_path":"acme/platform"`},
		{"namespace of another", "dev", "GET", "/namespaces/other", "", 404, "404 Group Not Found"},
		{"public group, nobody", "anonymous", "GET", "/groups/fresh", "", 200, `"visibility":"public"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := w.call(t, tt.as, tt.method, tt.path, tt.body)
			if got.status != tt.status || !strings.Contains(got.body, tt.says) {
				t.Errorf("%d %s, want %d with %s", got.status, got.body, tt.status, tt.says)
			}
		})
	}
}

func TestUserAndVersion(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name, as, path string
		status         int
		says, hides    string
	}{
		{"version", "dev", "/version", 200, `{"revision":"pakhus-1.2.3","version":"18.`, ""},
		{"metadata", "dev", "/metadata", 200, `"kas":{"enabled":false,`, ""},
		{"version, nobody", "anonymous", "/version", 401, "401", "18."},
		{"user", "dev", "/user", 200, `"username":"dev"`, "is_admin"},
		{"administrator", "root", "/user", 200, `"is_admin":true`, ""},
		{"own token", "reader", "/personal_access_tokens/self", 200, `"scopes":["read_api"]`, `"token"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := w.call(t, tt.as, "GET", tt.path, "")
			if got.status != tt.status || !strings.Contains(got.body, tt.says) || (tt.hides != "" && strings.Contains(got.body, tt.hides)) {
				t.Errorf("%d %s, want %d with %s and without %q", got.status, got.body, tt.status, tt.says, tt.hides)
			}
		})
	}
}

func TestOwnTokenEndsAndRotates(t *testing.T) {
	w := newWorld(t)
	// A token for reading only may still end itself.
	if got := w.call(t, "reader", "DELETE", "/personal_access_tokens/self", ""); got.status != http.StatusNoContent {
		t.Errorf("DELETE: %d %s", got.status, got.body)
	}
	if got := w.call(t, "reader", "GET", "/user", ""); got.status != http.StatusUnauthorized {
		t.Errorf("the ended token: %d", got.status)
	}
	if got := w.call(t, "dev", "POST", "/personal_access_tokens/self/rotate", `{"expires_at":"2020-01-01"}`); got.status != http.StatusBadRequest {
		t.Errorf("rotated into the past: %d", got.status)
	}
	got := w.call(t, "dev", "POST", "/personal_access_tokens/self/rotate", "")
	var made struct {
		Token   string
		Expires string `json:"expires_at"`
	}
	got.decode(t, &made)
	if got.status != http.StatusOK || made.Expires != "2026-03-08" || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("rotate: %d %s", got.status, made.Expires)
	}
	if got := w.call(t, "dev", "GET", "/user", ""); got.status != http.StatusUnauthorized {
		t.Errorf("the old token: %d", got.status)
	}
	if got := w.callWith(t, made.Token, "GET", "/user", ""); got.status != http.StatusOK {
		t.Errorf("the new token: %d", got.status)
	}
}

func TestRoutesDeclareActions(t *testing.T) {
	w := newWorld(t)
	if err := auth.CheckRoutes(w.handler.Routes()); err != nil {
		t.Error(err)
	}
	for _, r := range w.handler.Routes() {
		if r.Method != http.MethodGet && r.Action == auth.ReadAPI {
			t.Errorf("%s %s changes things with the action %s", r.Method, r.Pattern, r.Action)
		}
	}
	if err := auth.CheckRoutes([]auth.Route{{Method: "GET", Pattern: "/x"}}); registry.KindOf(err) != registry.Internal {
		t.Errorf("a route without an action starts: %v", err)
	}
}

// TestMovedProject: an old path leads to the id, for those who may see the
// project (gitlab.md 0.4).
func TestMovedProject(t *testing.T) {
	w := newWorld(t)
	ids := map[string]int64{}
	for old, paths := range map[string][]string{"acme/api": {"acme/between", "acme/platform/api"}, "acme/open": {"acme/opened"}} {
		ids[old] = w.projects[old].ID
		for _, path := range paths {
			if _, err := w.packages.MoveProject(t.Context(), ids[old], path, operator); err != nil {
				t.Fatal(err)
			}
		}
	}
	ids["acme/between"] = ids["acme/api"]
	for _, tt := range []struct {
		as, method, path, rest, body string
		status                       int // 0 for the same answer as for an unknown path
	}{
		{"dev", "GET", "acme/api", "", "", 301},
		{"reader", "HEAD", "acme/api", "?license=true&x=%2F", "", 301},
		{"root", "GET", "acme/between", "/deploy_tokens?active=true", "", 301},
		{"dev", "GET", "acme/api", "/deploy_tokens/1", "", 301},
		{"anonymous", "GET", "acme/open", "", "", 301},
		{"oscar", "HEAD", "acme/open", "", "", 301},
		{"olga", "PUT", "acme/api", "", `{"name":"x"}`, 405},
		{"olga", "DELETE", "acme/api", "", "", 405},
		{"mia", "POST", "acme/between", "/deploy_tokens", `{"name":"x","scopes":["read_package_registry"]}`, 405},
		{"oscar", "GET", "acme/api", "", "", 0},
		{"oscar", "GET", "acme/api", "/deploy_tokens", "", 0},
		{"oscar", "PUT", "acme/api", "", `{"name":"x"}`, 0},
		{"oscar", "DELETE", "acme/between", "", "", 0},
		{"anonymous", "GET", "acme/api", "", "", 0},
		{"anonymous", "DELETE", "acme/api", "", "", 0},
	} {
		t.Run(strings.Join([]string{tt.as, tt.method, tt.path, tt.rest}, " "), func(t *testing.T) {
			address := func(ref string) string { return "/projects/" + strings.ReplaceAll(ref, "/", "%2F") + tt.rest }
			got := w.callWith(t, w.secrets[tt.as], tt.method, address(tt.path), tt.body)
			switch location := got.header.Get("Location"); tt.status {
			case 301:
				if want := w.api() + address(fmt.Sprint(ids[tt.path])); got.status != 301 || location != want {
					t.Errorf("%d to %q, want 301 to %s", got.status, location, want)
				}
			case 405:
				want := fmt.Sprintf(`{"message":"405 Method Not Allowed - Non GET methods are not allowed for moved projects: use the id %d"}`, ids[tt.path])
				if got.status != 405 || strings.TrimSpace(got.body) != want || got.header.Get("Allow") != "GET, HEAD" {
					t.Errorf("%d %v %s, want 405 %s", got.status, got.header, got.body, want)
				}
			default:
				unknown := w.callWith(t, w.secrets[tt.as], tt.method, address("acme/none"), tt.body)
				for _, a := range []answer{got, unknown} {
					a.header.Del("X-Request-Id")
					a.header.Del("Date")
				}
				if diff := cmp.Diff(fmt.Sprint(unknown), fmt.Sprint(got)); diff != "" || unknown.status != 404 {
					t.Errorf("not as for an unknown path (-want +got):\n%s", diff)
				}
			}
		})
	}
	if _, err := w.packages.CreateProject(t.Context(), registry.NewProject{FullPath: "acme/api"}, operator); err != nil {
		t.Fatal(err)
	}
	if got := w.call(t, "olga", "PUT", "/projects/acme%2Fapi", `{"name":"x"}`); got.status != 200 {
		t.Errorf("the project that has the path now: %d %s", got.status, got.body)
	}
}
