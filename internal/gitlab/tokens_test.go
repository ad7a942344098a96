package gitlab_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

const newToken = `{"name":"ci","scopes":["write_package_registry","read_package_registry"]}`

func TestCreateAnswersAsGitLab(t *testing.T) {
	w := newWorld(t)
	path := fmt.Sprintf("/projects/%d/deploy_tokens", w.projects["acme/api"].ID)
	got := w.call(t, "mia", http.MethodPost, path, `{"name":"ci","scopes":["write_package_registry","read_package_registry"],"expires_at":"2027-01-31"}`)
	if got.status != http.StatusCreated {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if cache := got.header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("an answer with a secret has Cache-Control %q", cache)
	}
	var made struct {
		ID    int64  `json:"id"`
		Token string `json:"token"`
	}
	got.decode(t, &made)
	want := fmt.Sprintf(`{"id":%d,"name":"ci","username":"gitlab+deploy-token-%d","expires_at":"2027-01-31T00:00:00.000Z",`+
		`"token":%q,"revoked":false,"expired":false,"scopes":["read_package_registry","write_package_registry"]}`, made.ID, made.ID, made.Token)
	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Error(diff)
	}

	// The secret works, and no other answer shows it.
	id, err := w.tokens.Verify(t.Context(), auth.Credential{Secret: auth.NewSecret(made.Token)})
	if err != nil || auth.Allow(id, auth.Publish, w.projects["acme/api"]) != nil {
		t.Errorf("the new token cannot publish: %v", err)
	}
	for _, path := range []string{path, fmt.Sprintf("%s/%d", path, made.ID), "/deploy_tokens"} {
		got := w.call(t, "root", http.MethodGet, path, "")
		if got.status != http.StatusOK || strings.Contains(got.body, made.Token) || strings.Contains(got.body, `"token"`) {
			t.Errorf("GET %s: %d %s", path, got.status, got.body)
		}
	}
}

// TestStatuses is gitlab.md 1.8 and 1.11: who may do what, and what is said to
// those who may not.
func TestStatuses(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name, as, method, path, body string
		status                       int
		says                         string
	}{
		{"all, nobody", "anonymous", "GET", "/deploy_tokens", "", 401, "401 Unauthorized"},
		{"all, owner of a group", "olga", "GET", "/deploy_tokens", "", 403, "403 Forbidden"},
		{"all, administrator", "root", "GET", "/deploy_tokens", "", 200, "[]"},
		{"private project, nobody", "anonymous", "GET", "/projects/acme%2Fapi/deploy_tokens", "", 404, `{"message":"404 Project Not Found"}`},
		{"private project, stranger", "oscar", "GET", "/projects/acme%2Fapi/deploy_tokens", "", 404, `{"message":"404 Project Not Found"}`},
		{"no project, stranger", "oscar", "GET", "/projects/acme%2Fnone/deploy_tokens", "", 404, `{"message":"404 Project Not Found"}`},
		{"private group, nobody", "anonymous", "GET", "/groups/other/deploy_tokens", "", 404, `{"message":"404 Group Not Found"}`},
		{"private group, stranger", "olga", "GET", "/groups/other/deploy_tokens", "", 404, `{"message":"404 Group Not Found"}`},
		{"public project, nobody", "anonymous", "GET", "/projects/acme%2Fopen/deploy_tokens", "", 401, "401 Unauthorized"},
		{"public project, stranger", "oscar", "GET", "/projects/acme%2Fopen/deploy_tokens", "", 403, "403 Forbidden"},
		{"project, developer lists", "dev", "GET", "/projects/acme%2Fapi/deploy_tokens", "", 403, "403 Forbidden"},
		{"project, developer creates", "dev", "POST", "/projects/acme%2Fapi/deploy_tokens", newToken, 403, "403 Forbidden"},
		{"project, maintainer lists", "mia", "GET", "/projects/acme%2Fapi/deploy_tokens", "", 200, "[]"},
		{"project, maintainer creates", "mia", "POST", "/projects/acme%2Fapi/deploy_tokens", newToken, 201, `"token":"gldt-`},
		{"group, developer lists", "dev", "GET", "/groups/acme/deploy_tokens", "", 403, "403 Forbidden"},
		{"group, maintainer lists", "mia", "GET", "/groups/acme/deploy_tokens", "", 200, "[]"},
		{"group, maintainer creates", "mia", "POST", "/groups/acme/deploy_tokens", newToken, 403, "403 Forbidden"},
		{"group, owner creates", "olga", "POST", "/groups/acme/deploy_tokens", newToken, 201, `"token":"gldt-`},
		{"subgroup, owner of the group above", "olga", "POST", "/groups/acme%2Fplatform/deploy_tokens", newToken, 201, `"token":"gldt-`},
		{"reading token reads", "reader", "GET", "/projects/acme%2Fapi/deploy_tokens", "", 200, `"name":"ci"`},
		{"reading token creates", "reader", "POST", "/projects/acme%2Fapi/deploy_tokens", newToken, 403, "needs the scope api"},
		{"nothing given", "mia", "POST", "/projects/acme%2Fapi/deploy_tokens", "{}", 400, `{"error":"name is missing, scopes is missing"}`},
		{"unknown scope", "mia", "POST", "/projects/acme%2Fapi/deploy_tokens", `{"name":"a","scopes":["api"]}`, 400, `{"error":"scopes does not have a valid value"}`},
		{"no scope", "mia", "POST", "/projects/acme%2Fapi/deploy_tokens", `{"name":"a","scopes":[]}`, 400, `{"message":"Scopes can't be blank"}`},
		{"bad user name", "mia", "POST", "/projects/acme%2Fapi/deploy_tokens", `{"name":"a","username":"a b","scopes":["read_registry"]}`, 400, `{"message":"Username can contain only`},
		{"bad expiry", "mia", "POST", "/projects/acme%2Fapi/deploy_tokens", `{"name":"a","expires_at":"soon","scopes":["read_registry"]}`, 400, `{"error":"expires_at is invalid"}`},
		{"as a form", "mia", "POST", "/projects/acme%2Fapi/deploy_tokens", "name=a&scopes[]=read_registry&scopes[]=write_registry", 201, `"scopes":["read_registry","write_registry"]`},
		{"unknown id", "mia", "GET", "/projects/acme%2Fapi/deploy_tokens/9999", "", 404, "404 Deploy Token Not Found"},
		{"no id", "mia", "GET", "/projects/acme%2Fapi/deploy_tokens/x", "", 400, `{"error":"token_id is invalid"}`},
		{"delete an unknown id", "mia", "DELETE", "/projects/acme%2Fapi/deploy_tokens/9999", "", 404, "404 Deploy Token Not Found"},
		{"no such route", "mia", "GET", "/projects/acme%2Fapi/nothing", "", 404, `{"message":"404 Not Found"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := w.call(t, tt.as, tt.method, tt.path, tt.body)
			if got.status != tt.status || !strings.Contains(got.body, tt.says) {
				t.Errorf("%d %s, want %d with %s", got.status, got.body, tt.status, tt.says)
			}
		})
	}
}

// TestDeployTokensOpenNothing sends a deploy token of the highest reach to every
// route, in every header (gitlab.md 0.3, fact 5).
func TestDeployTokensOpenNothing(t *testing.T) {
	w := newWorld(t)
	_, secret := w.token(t, w.group("acme"), time.Time{})
	for _, route := range w.handler.Routes() {
		path := strings.NewReplacer(":project", "acme%2Fopen", ":group", "acme", ":token", "1").Replace(route.Pattern)
		for _, header := range []string{"PRIVATE-TOKEN", "Deploy-Token", "Authorization"} {
			req, err := http.NewRequestWithContext(t.Context(), route.Method, w.api()+path, strings.NewReader(newToken))
			if err != nil {
				t.Fatal(err)
			}
			value := secret
			if header == "Authorization" {
				value = "Bearer " + secret
			}
			req.Header.Set(header, value)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			var body struct{ Message string }
			err = json.NewDecoder(res.Body).Decode(&body)
			res.Body.Close()
			if res.StatusCode != http.StatusUnauthorized || err != nil || !strings.Contains(body.Message, "personal access token") {
				t.Errorf("%s %s with a deploy token as %s: %d %q %v", route.Method, path, header, res.StatusCode, body.Message, err)
			}
		}
	}
}

// TestNobodyAndBadCredentials calls every route without a credential and with
// one that is unknown: only what is public may answer the first, nothing the
// second.
func TestNobodyAndBadCredentials(t *testing.T) {
	w := newWorld(t)
	for _, route := range w.handler.Routes() {
		path := strings.NewReplacer(":project", "acme%2Fapi", ":group", "other", ":token", "1").Replace(route.Pattern)
		got := w.call(t, "anonymous", route.Method, path, newToken)
		list := route.Method == http.MethodGet && (path == "/projects" || path == "/groups")
		if got.status != http.StatusUnauthorized && got.status != http.StatusNotFound && !list {
			t.Errorf("%s %s as nobody: %d %s", route.Method, path, got.status, got.body)
		}
		if strings.Contains(got.body, "acme/api") || strings.Contains(got.body, "other") {
			t.Errorf("%s %s as nobody tells of private things: %s", route.Method, path, got.body)
		}
		got = w.callWith(t, "glpat-unknownunknownunknown", route.Method, path, newToken)
		if got.status != http.StatusUnauthorized || !strings.Contains(got.body, `"error":"invalid_token"`) {
			t.Errorf("%s %s with an unknown token: %d %s", route.Method, path, got.status, got.body)
		}
	}
}

// TestTwoTenants: neither tenant lists, reads, makes or ends tokens of the
// other, by any mixture of addresses and ids (threats.md T7).
func TestTwoTenants(t *testing.T) {
	w := newWorld(t)
	type tenant struct{ user, project, group string }
	for _, tt := range []struct {
		name         string
		self, victim tenant
	}{
		{"other against acme", tenant{"oscar", "other/site", "other"}, tenant{"olga", "acme/api", "acme"}},
		{"acme against other", tenant{"olga", "acme/api", "acme"}, tenant{"oscar", "other/site", "other"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ofProject, _ := w.token(t, w.project(tt.victim.project), time.Time{})
			ofGroup, _ := w.token(t, w.group(tt.victim.group), time.Time{})
			theirProject := fmt.Sprintf("/projects/%d/deploy_tokens", w.projects[tt.victim.project].ID)
			theirGroup := fmt.Sprintf("/groups/%d/deploy_tokens", w.groups[tt.victim.group].ID)
			ownProject := fmt.Sprintf("/projects/%d/deploy_tokens", w.projects[tt.self.project].ID)
			ownGroup := fmt.Sprintf("/groups/%d/deploy_tokens", w.groups[tt.self.group].ID)

			var attacks [][2]string
			for _, list := range []string{theirProject, theirGroup} {
				attacks = append(attacks, [2]string{"GET", list}, [2]string{"POST", list})
			}
			for _, list := range []string{theirProject, theirGroup, ownProject, ownGroup} {
				for _, id := range []int64{ofProject.ID, ofGroup.ID} {
					one := fmt.Sprintf("%s/%d", list, id)
					attacks = append(attacks, [2]string{"GET", one}, [2]string{"DELETE", one})
				}
			}
			for _, a := range attacks {
				if got := w.call(t, tt.self.user, a[0], a[1], newToken); got.status != http.StatusNotFound {
					t.Errorf("%s %s as %s: %d %s, want 404", a[0], a[1], tt.self.user, got.status, got.body)
				}
			}
			// The negative control: the holder may, and the tokens are still there.
			for list, id := range map[string]int64{theirProject: ofProject.ID, theirGroup: ofGroup.ID} {
				if got := w.call(t, tt.victim.user, "GET", fmt.Sprintf("%s/%d", list, id), ""); got.status != http.StatusOK {
					t.Errorf("the holder reads %s/%d: %d %s", list, id, got.status, got.body)
				}
			}
			if got := w.call(t, tt.victim.user, "GET", theirProject, ""); strings.Count(got.body, `"id"`) != 1 {
				t.Errorf("the holder lists %s", got.body)
			}
		})
	}
}

// TestExpiredTellsWhatTheGateSays holds the API's field against the gate, before,
// during and after the day on which a token ends.
func TestExpiredTellsWhatTheGateSays(t *testing.T) {
	w := newWorld(t)
	expires := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	made, secret := w.token(t, w.project("acme/api"), expires)
	path := fmt.Sprintf("/projects/acme%%2Fapi/deploy_tokens/%d", made.ID)
	for _, tt := range []struct {
		name string
		at   time.Time
		want bool
	}{
		{"the day before", start, false},
		{"a second before", expires.Add(-time.Second), false},
		{"at the moment", expires, true},
		{"during the day", expires.Add(12 * time.Hour), true},
		{"the day after", expires.Add(36 * time.Hour), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.clock.Store(int64(tt.at.Sub(start).Round(time.Second) / time.Second))
			if tt.at.Before(expires) != w.tokens.Now().Before(expires) {
				t.Fatalf("the clock stands at %v", w.tokens.Now())
			}
			var shown struct{ Expired bool }
			w.call(t, "mia", "GET", path, "").decode(t, &shown)
			_, err := w.tokens.Verify(t.Context(), auth.Credential{Secret: auth.NewSecret(secret)})
			if refused := registry.KindOf(err) == registry.Unauthenticated; shown.Expired != tt.want || refused != tt.want {
				t.Errorf("expired %v, refused %v, want %v", shown.Expired, refused, tt.want)
			}
			active := w.call(t, "mia", "GET", "/projects/acme%2Fapi/deploy_tokens?active=true", "")
			if listed := active.body != "[]"; listed == tt.want {
				t.Errorf("listed as active: %v", listed)
			}
		})
	}
}

func TestDeleteEndsTheToken(t *testing.T) {
	w := newWorld(t)
	made, secret := w.token(t, w.group("acme"), time.Time{})
	credential := auth.Credential{Secret: auth.NewSecret(secret)}
	if _, err := w.tokens.Verify(t.Context(), credential); err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/groups/acme/deploy_tokens/%d", made.ID)
	if got := w.call(t, "mia", "DELETE", path, ""); got.status != http.StatusForbidden {
		t.Errorf("a maintainer deletes a group's token: %d", got.status)
	}
	if got := w.call(t, "olga", "DELETE", path, ""); got.status != http.StatusNoContent || got.body != "" {
		t.Errorf("DELETE: %d %q", got.status, got.body)
	}
	if _, err := w.tokens.Verify(t.Context(), credential); registry.KindOf(err) != registry.Unauthenticated {
		t.Errorf("the deleted token at the gate: %v", err)
	}
	if got := w.call(t, "olga", "GET", path, ""); got.status != http.StatusNotFound {
		t.Errorf("GET after DELETE: %d", got.status)
	}
}

func TestPages(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		w.token(t, w.project("acme/api"), time.Time{})
	}
	next, seen, pages := "/projects/acme%2Fapi/deploy_tokens?per_page=2", 0, 0
	for next != "" {
		got := w.call(t, "mia", "GET", next, "")
		if got.status != http.StatusOK || got.header.Get("X-Total") != "5" || got.header.Get("X-Total-Pages") != "3" {
			t.Fatalf("%s: %d %v", next, got.status, got.header)
		}
		seen += strings.Count(got.body, `"id"`)
		pages++
		next = ""
		for _, link := range strings.Split(got.header.Get("Link"), ", ") {
			if target, ok := strings.CutSuffix(link, `>; rel="next"`); ok {
				next = strings.TrimPrefix(target, "<"+w.api())
			}
		}
	}
	if seen != 5 || pages != 3 {
		t.Errorf("following Link gave %d tokens on %d pages", seen, pages)
	}
	for _, bad := range []string{"page=x", "per_page=x", "per_page=0", "active=perhaps"} {
		if got := w.call(t, "mia", "GET", "/projects/acme%2Fapi/deploy_tokens?"+bad, ""); got.status != http.StatusBadRequest || !strings.HasPrefix(got.body, `{"error":`) {
			t.Errorf("%s: %d %s", bad, got.status, got.body)
		}
	}
}
