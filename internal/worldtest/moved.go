package worldtest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

// CheckMoved moves projects and asks at their old paths (gitlab.md 0.4). below
// is the path of something that is read, below the address of a project, and
// change that of something that is PUT; send asks as a token, or anonymously.
func CheckMoved(t *testing.T, w *World, externalURL, below, change string, send func(method, target, token string) *httptest.ResponseRecorder) {
	t.Helper()
	const get, head, put, private, public = http.MethodGet, http.MethodHead, http.MethodPut, "acme%2Fdemo", "acme%2Fopen"
	const refused = "405 Method Not Allowed - Non GET methods are not allowed for moved projects: use the id "
	move(t, w, 1, "acme/between", "acme/team/now")
	move(t, w, 4, "other/opened")
	tests := []struct {
		name, method, project, token string
		id                           string // where it leads; none for an answer like that for an unknown path
	}{
		{"get", get, private, w.Read, "1"},
		{"head", head, private, w.Read, "1"},
		{"another spelling", get, "ACME%2fDemo", w.Read, "1"},
		{"the last of two moves", get, "acme%2Fbetween", w.Read, "1"},
		{"group token", get, private, w.Group, "1"},
		{"user", get, private, w.Ann, "1"},
		{"public, anonymous", get, public, "", "4"},
		{"public, stranger", head, public, w.Foreign, "4"},
		{"put", put, private, w.Write, "1"},
		{"put with a token that reads", put, private, w.Read, "1"},
		{"public, put by a stranger", put, public, w.Foreign, "4"},
		{"stranger", get, private, w.Foreign, ""},
		{"stranger, head", head, private, w.Foreign, ""},
		{"stranger, put", put, private, w.Foreign, ""},
		{"anonymous", get, private, "", ""},
		{"anonymous, head", head, private, "", ""},
		{"anonymous, put", put, private, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rest := below + "?a=b%2Fc"
			if tt.method == put {
				rest = change
			}
			got := send(tt.method, "/api/v4/projects/"+tt.project+rest, tt.token)
			switch {
			case tt.id == "":
				unknown := send(tt.method, "/api/v4/projects/acme%2Fnone"+rest, tt.token)
				if unknown.Code != http.StatusNotFound && unknown.Code != http.StatusUnauthorized {
					t.Errorf("an unknown path gets %d %s", unknown.Code, unknown.Body)
				}
				if diff := cmp.Diff(shown(unknown), shown(got)); diff != "" {
					t.Errorf("not as for an unknown path (-want +got):\n%s", diff)
				}
			case tt.method == put:
				if got.Code != http.StatusMethodNotAllowed || !strings.Contains(got.Body.String(), refused+tt.id) || got.Header().Get("Allow") != "GET, HEAD" {
					t.Errorf("%d %v %s, want 405", got.Code, got.Header(), got.Body)
				}
			default:
				want := externalURL + "/api/v4/projects/" + tt.id + rest
				if got.Code != http.StatusMovedPermanently || got.Header().Get("Location") != want || got.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("%d %v, want 301 to %s", got.Code, got.Header(), want)
				}
			}
		})
	}
	_, err := w.Packages.CreateProject(t.Context(), registry.NewProject{FullPath: "acme/demo"}, By)
	Check(t, err)
	for _, project := range []string{private, "acme%2Fteam%2Fnow"} {
		if got := send(get, "/api/v4/projects/"+project+below, w.Group); got.Code == http.StatusMovedPermanently {
			t.Errorf("%s has a project now and leads to %s", project, got.Header().Get("Location"))
		}
	}
}

func move(t *testing.T, w *World, id int64, paths ...string) {
	t.Helper()
	for _, path := range paths {
		_, err := w.Packages.MoveProject(t.Context(), id, path, By)
		Check(t, err)
	}
}

// shown is all that a client sees of an answer and that is not always another.
func shown(a *httptest.ResponseRecorder) map[string]any {
	header := a.Header().Clone()
	header.Del("X-Request-Id")
	return map[string]any{"status": a.Code, "header": header, "body": a.Body.String()}
}
