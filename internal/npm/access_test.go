package npm_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
	"pakhus/internal/worldtest"
)

func TestWhoMayRead(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0"})
	expired := w.token(auth.NewDeployToken{Name: "old", Scopes: auth.ReadPackageRegistry, ProjectID: 1, ExpiresAt: w.clock.Now().Add(time.Minute)})
	w.clock.Advance(time.Hour)
	for name, tt := range map[string]struct {
		path, token string
		want        int
	}{
		"anonymous, private":      {demo + "/lib", "", http.StatusUnauthorized},
		"anonymous, tarball":      {demo + "/lib/-/lib-1.0.0.tgz", "", http.StatusUnauthorized},
		"anonymous, absent":       {"/api/v4/projects/99/packages/npm/lib", "", http.StatusUnauthorized},
		"foreign token":           {demo + "/lib", w.foreign, http.StatusNotFound},
		"absent project":          {"/api/v4/projects/99/packages/npm/lib", w.read, http.StatusNotFound},
		"wrong token":             {demo + "/lib", "gldt-nonsense", http.StatusUnauthorized},
		"expired token":           {demo + "/lib", expired, http.StatusUnauthorized},
		"group token":             {demo + "/lib", w.group, http.StatusOK},
		"user":                    {demo + "/lib", w.ann, http.StatusOK},
		"absent package":          {demo + "/nope", w.read, http.StatusNotFound},
		"absent package, foreign": {demo + "/nope", w.foreign, http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.call(http.MethodGet, tt.path, tt.token, nil)
			if a.Code != tt.want {
				t.Errorf("status = %d, want %d\n%s", a.Code, tt.want, a.Body)
			}
			if a.Header().Get("WWW-Authenticate") != "" {
				t.Error("npm hides our text behind its own when it is challenged")
			}
			if a.Code != http.StatusOK && (a.field(t, "error") == nil || a.Header().Get("Cache-Control") != "no-store") {
				t.Errorf("error answer: %v %s", a.Header(), a.Body)
			}
		})
	}
}

func TestPublicProject(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0"})
	p, err := w.packages.ProjectByID(t.Context(), 1)
	check(t, err)
	p.Visibility = registry.Public
	_, err = w.packages.UpdateProject(t.Context(), p, by)
	check(t, err)
	a := w.want(w.call(http.MethodGet, demo+"/lib", "", nil), http.StatusOK)
	if got := a.Header().Get("Cache-Control"); !strings.HasPrefix(got, "public") {
		t.Errorf("Cache-Control = %s", got)
	}
	w.want(w.call(http.MethodGet, demo+"/lib", "gldt-stale", nil), http.StatusUnauthorized)
	w.want(w.call(http.MethodGet, demo+"/lib", w.foreign, nil), http.StatusOK)
	w.want(w.call(http.MethodPut, demo+"/lib2", w.foreign, pkg{name: "lib2", version: "1.0.0"}.body(t)), http.StatusForbidden)
	w.want(w.call(http.MethodPut, demo+"/lib2", "", pkg{name: "lib2", version: "1.0.0"}.body(t)), http.StatusUnauthorized)
	w.want(w.call(http.MethodGet, "/api/v4/groups/acme/-/packages/npm/lib", "", nil), http.StatusOK)
}

func TestRevokedAtOnce(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0"})
	w.want(w.call(http.MethodGet, demo+"/lib", w.read, nil), http.StatusOK)
	check(t, w.tokens.RevokeDeployToken(t.Context(), 1, by))
	w.want(w.call(http.MethodGet, demo+"/lib", w.read, nil), http.StatusUnauthorized)
}

func TestAccount(t *testing.T) {
	w := newWorld(t)
	w.want(w.call(http.MethodGet, demo+"/-/ping?write=true", "", nil), http.StatusOK)
	w.want(w.call(http.MethodGet, demo+"/-/ping", "gldt-wrong", nil), http.StatusUnauthorized)
	w.want(w.call(http.MethodGet, demo+"/-/whoami", "", nil), http.StatusUnauthorized)
	if got := w.call(http.MethodGet, demo+"/-/whoami", w.read, nil).field(t, "username"); got != "gitlab+deploy-token-1" {
		t.Errorf("whoami = %v", got)
	}
	login := func(user, password string) answer {
		return w.call(http.MethodPut, demo+"/-/user/org.couchdb.user:"+user, "", object{"_id": "org.couchdb.user:" + user, "name": user, "password": password, "type": "user"})
	}
	token := w.want(login("ann", "correct horse"), http.StatusCreated).field(t, "token").(string)
	if got := w.call(http.MethodGet, demo+"/-/whoami", token, nil).field(t, "username"); got != "ann" {
		t.Errorf("whoami = %v", got)
	}
	if got := w.want(login("ci", w.read), http.StatusCreated).field(t, "token"); got != w.read {
		t.Error("a deploy token is handed back as it is")
	}
	w.want(login("ann", "wrong horse"), http.StatusUnauthorized)
	w.want(login("nobody", "correct horse"), http.StatusUnauthorized)
	w.want(w.call(http.MethodPost, demo+"/-/v1/login", "", object{}), http.StatusNotFound)
	w.want(w.call(http.MethodGet, demo+"/-/npm/v1/user", w.read, nil), http.StatusOK)
	list := w.want(w.call(http.MethodGet, demo+"/-/npm/v1/tokens", token, nil), http.StatusOK)
	if list.field(t, "urls") == nil || strings.Contains(list.Body.String(), token) {
		t.Errorf("token list: %s", list.Body)
	}
	w.want(w.call(http.MethodDelete, demo+"/-/user/token/"+token, token, nil), http.StatusOK)
	w.want(w.call(http.MethodGet, demo+"/-/whoami", token, nil), http.StatusUnauthorized)
	w.want(w.call(http.MethodDelete, demo+"/-/user/token/"+w.read, w.read, nil), http.StatusOK)
	w.want(w.call(http.MethodGet, demo+"/-/whoami", w.read, nil), http.StatusOK)
}

func TestAccess(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "@acme/lib", version: "1.0.0"})
	if got := w.call(http.MethodGet, demo+"/-/package/@acme%2flib/visibility", w.read, nil).field(t, "public"); got != false {
		t.Errorf("public = %v", got)
	}
	w.want(w.call(http.MethodGet, demo+"/-/package/nope/visibility", w.read, nil), http.StatusNotFound)
	if got := w.call(http.MethodGet, demo+"/-/package/@acme%2flib/collaborators?format=cli", w.ann, nil).field(t, "ann"); got != "read-write" {
		t.Errorf("ann = %v", got)
	}
	if got := w.call(http.MethodGet, demo+"/-/org/acme/package", w.read, nil).field(t, "@acme/lib"); got != "read-only" {
		t.Errorf("packages: %v", got)
	}
	w.want(w.call(http.MethodPost, demo+"/-/package/@acme%2flib/access", w.write, object{"access": "public"}), http.StatusForbidden)
}

func TestMovedProject(t *testing.T) {
	w := newWorld(t)
	worldtest.CheckMoved(t, w.ready, externalURL, "/packages/npm/@acme%2fdemo", "/packages/npm/@acme%2fdemo",
		func(method, target, token string) *httptest.ResponseRecorder {
			return w.call(method, target, token, nil).ResponseRecorder
		})
}
