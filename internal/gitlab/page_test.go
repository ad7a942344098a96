package gitlab

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

func TestPageOf(t *testing.T) {
	for _, tt := range []struct {
		name, query, wantErr string
		want                 registry.Page
	}{
		{name: "defaults", want: registry.Page{Number: 1, Size: 20}},
		{name: "given", query: "page=3&per_page=7", want: registry.Page{Number: 3, Size: 7}},
		{name: "clamped", query: "per_page=1000", want: registry.Page{Number: 1, Size: 100}},
		{name: "page 0 is the first", query: "page=0", want: registry.Page{Number: 1, Size: 20}},
		{name: "page beyond every offset", query: "page=9223372036854775807", want: registry.Page{Number: maxPage, Size: 20}},
		{name: "no number", query: "page=x", wantErr: "page is invalid"},
		{name: "no number of rows", query: "per_page=x", wantErr: "per_page is invalid"},
		{name: "no rows", query: "per_page=0", wantErr: "per_page has a value not allowed"},
		{name: "fewer than no rows", query: "per_page=-1", wantErr: "per_page has a value not allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := pageOf(newCall(http.MethodGet, "/?"+tt.query, "", ""))
			if registry.Message(err) != tt.wantErr {
				t.Fatalf("error %v, want %q", err, tt.wantErr)
			}
			if err == nil && got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestSendListHeaders(t *testing.T) {
	h := New(nil, nil, Options{ExternalURL: "https://pkg.example.org/prefix/"})
	const base = "https://pkg.example.org/prefix/api/v4/projects/acme%2Fapi/deploy_tokens?active=true"
	for _, tt := range []struct {
		name             string
		page             registry.Page
		total            int64
		prev, next, last string
		links            []string
	}{
		{"only page", registry.Page{Number: 1, Size: 20}, 3, "", "", "1", []string{"page=1&per_page=20 first", "page=1&per_page=20 last"}},
		{"empty list", registry.Page{Number: 1, Size: 20}, 0, "", "", "1", []string{"page=1&per_page=20 first", "page=1&per_page=20 last"}},
		{
			"middle",
			registry.Page{Number: 2, Size: 2},
			5, "1", "3", "3",
			[]string{"page=1&per_page=2 prev", "page=3&per_page=2 next", "page=1&per_page=2 first", "page=3&per_page=2 last"},
		},
		{
			"full last page",
			registry.Page{Number: 2, Size: 2},
			4, "1", "", "2",
			[]string{"page=1&per_page=2 prev", "page=1&per_page=2 first", "page=2&per_page=2 last"},
		},
		{
			"beyond the last",
			registry.Page{Number: 9, Size: 2},
			4, "2", "", "2",
			[]string{"page=2&per_page=2 prev", "page=1&per_page=2 first", "page=2&per_page=2 last"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			req := httptest.NewRequest(http.MethodGet, "/api/v4/projects/acme%2Fapi/deploy_tokens?active=true&page=9", nil)
			req.Host = "evil.example"
			if err := h.sendList(echo.New().NewContext(req, rec), []int{}, tt.page, tt.total); err != nil {
				t.Fatal(err)
			}
			got := []string{rec.Header().Get("X-Prev-Page"), rec.Header().Get("X-Next-Page"), rec.Header().Get("X-Total-Pages")}
			if diff := cmp.Diff([]string{tt.prev, tt.next, tt.last}, got); diff != "" {
				t.Error(diff)
			}
			var links []string
			for _, l := range tt.links {
				query, rel, _ := strings.Cut(l, " ")
				links = append(links, "<"+base+"&"+query+`>; rel="`+rel+`"`)
			}
			if diff := cmp.Diff(strings.Join(links, ", "), rec.Header().Get("Link")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWriteError(t *testing.T) {
	h := New(nil, nil, Options{})
	for _, tt := range []struct {
		name    string
		status  int
		message string
		mark    mark
		want    string
	}{
		{"text", 404, "404 Project Not Found", 0, `{"message":"404 Project Not Found"}`},
		{"nothing to say", 500, "", 0, `{"message":"500 Internal Server Error"}`},
		{"no such route", 404, "", 0, `{"message":"404 Not Found"}`},
		{"parameter", 400, "name is missing", markParam, `{"error":"name is missing"}`},
		{"rule", 400, "Scopes can't be blank", 0, `{"message":"Scopes can't be blank"}`},
		{
			"refused", 401, "401 Unauthorized - revoked", markCredential,
			`{"message":"401 Unauthorized - revoked","error":"invalid_token","error_description":"401 Unauthorized - revoked"}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCall(http.MethodGet, "/", "", "")
			if tt.mark != 0 {
				c.Set(markKey, tt.mark)
			}
			if err := h.WriteError(c, tt.status, tt.message); err != nil {
				t.Fatal(err)
			}
			rec := c.Response().Writer.(*httptest.ResponseRecorder)
			if got := strings.TrimSpace(rec.Body.String()); got != tt.want || rec.Code != tt.status {
				t.Errorf("%d %s, want %d %s", rec.Code, got, tt.status, tt.want)
			}
			if challenge := rec.Header().Get("WWW-Authenticate"); (challenge != "") != (tt.status == 401) {
				t.Errorf("challenge %q with %d", challenge, tt.status)
			}
		})
	}
}
