package gitlab

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

func newCall(method, target, contentType, body string) echo.Context {
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return echo.New().NewContext(req, httptest.NewRecorder())
}

// multipartBody writes fields in pairs.
func multipartBody(t *testing.T, pairs ...string) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		if err := w.WriteField(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.String()
}

func TestReadNewToken(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	multiType, multiBody := multipartBody(t, "name", "ci", "scopes[]", "read_registry", "scopes[]", "read_package_registry")
	both := auth.NewDeployToken{Name: "ci", Scopes: auth.ReadRegistry | auth.ReadPackageRegistry}
	one := auth.NewDeployToken{Name: "ci", Scopes: auth.ReadPackageRegistry}
	for _, tt := range []struct {
		name, target, contentType, body string
		want                            auth.NewDeployToken
		wantErr                         string
	}{
		{name: "json", contentType: "application/json; charset=utf-8", body: `{"name":"ci","scopes":["read_package_registry","read_registry"]}`, want: both},
		{name: "json with commas", contentType: "application/json", body: `{"name":"ci","scopes":"read_package_registry,read_registry"}`, want: both},
		{name: "json of old python-gitlab", contentType: "application/json", body: `{"name":"ci","scopes":["read_package_registry"],"username":"","expires_at":""}`, want: one},
		{name: "json with nulls and unknown fields", contentType: "application/json", body: `{"name":"ci","scopes":["read_package_registry"],"username":null,"expires_at":null,"x":{"y":1}}`, want: one},
		{name: "json repeats a field: the last counts", contentType: "application/json", body: `{"name":"old","name":"ci","scopes":["read_package_registry"]}`, want: one},
		{name: "form", contentType: form, body: "name=ci&scopes[]=read_registry&scopes%5B%5D=read_package_registry", want: both},
		{name: "form with commas", contentType: form, body: "name=ci&scopes=read_registry,read_package_registry", want: both},
		{name: "multipart", contentType: multiType, body: multiBody, want: both},
		{name: "query", target: "/?name=ci&scopes[]=read_package_registry", want: one},
		{name: "the body wins over the query", target: "/?name=x", contentType: "application/json", body: `{"name":"ci","scopes":["read_package_registry"]}`, want: one},
		{name: "nothing", wantErr: "name is missing, scopes is missing"},
		{name: "no scopes", contentType: "application/json", body: `{"name":"ci"}`, wantErr: "scopes is missing"},
		{name: "null scopes", contentType: "application/json", body: `{"name":"ci","scopes":null}`, wantErr: "scopes is missing"},
		{name: "empty scopes", contentType: "application/json", body: `{"name":"ci","scopes":[]}`, wantErr: "Scopes can't be blank"},
		{name: "unknown scope", contentType: "application/json", body: `{"name":"ci","scopes":["sudo"]}`, wantErr: "scopes does not have a valid value"},
		{name: "odd scopes", contentType: "application/json", body: `{"name":"ci","scopes":{"a":1}}`, wantErr: "scopes is invalid"},
		{name: "name is a list", contentType: "application/json", body: `{"name":["ci"],"scopes":["read_registry"]}`, wantErr: "name is invalid"},
		{name: "bad expiry", contentType: "application/json", body: `{"name":"ci","scopes":["read_registry"],"expires_at":"tomorrow"}`, wantErr: "expires_at is invalid"},
		{name: "json list", contentType: "application/json", body: `[]`, wantErr: "The body is not a JSON object"},
		{name: "json with a tail", contentType: "application/json", body: `{} {}`, wantErr: "The body is not a JSON object"},
		{name: "xml", contentType: "application/xml", body: `<a/>`, wantErr: "The provided content-type is not supported: send JSON or a form"},
		{name: "NUL in a form", contentType: form, body: "name=a%00b&scopes=read_registry", wantErr: "name is invalid"},
		{name: "invalid UTF-8 in a form", contentType: form, body: "name=%ff&scopes=read_registry", wantErr: "name is invalid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := tt.target
			if target == "" {
				target = "/"
			}
			got, err := readNewToken(newCall(http.MethodPost, target, tt.contentType, tt.body))
			if registry.Message(err) != tt.wantErr {
				t.Fatalf("error %v, want %q", err, tt.wantErr)
			}
			if err != nil {
				if registry.KindOf(err) != registry.Invalid {
					t.Errorf("kind %v, want Invalid", registry.KindOf(err))
				}
				return
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(auth.Secret{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadParamsBoundsTheBody(t *testing.T) {
	body := `{"name":"` + strings.Repeat("x", maxBody) + `"}`
	_, err := readParams(newCall(http.MethodPost, "/", "application/json", body))
	if registry.KindOf(err) != registry.TooLarge {
		t.Errorf("a body beyond the bound: %v, want TooLarge", err)
	}
	fits := `{"name":"` + strings.Repeat("x", maxBody-len(`{"name":""}`)) + `"}`
	if _, err := readParams(newCall(http.MethodPost, "/", "application/json", fits)); err != nil {
		t.Errorf("a body of just the bound: %v", err)
	}
}

func TestReference(t *testing.T) {
	for _, tt := range []struct {
		name, escaped, want string
		ok                  bool
	}{
		{"id", "42", "42", true},
		{"path", "acme%2Fapi", "acme/api", true},
		{"lower-case escape", "acme%2fapi", "acme/api", true},
		{"GitLab's Go client escapes dots", "acme%2Fapi%2Ejs", "acme/api.js", true},
		{"decoded once only", "acme%252Fapi", "acme%2Fapi", true},
		{"NUL", "acme%00", "acme\x00", false},
		{"line break", "acme%0d%0a", "acme\r\n", true}, // no path has one: not found
		{"not UTF-8", "%ff", "\xff", false},
		{"empty", "", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := reference(tt.escaped); got != tt.want || ok != tt.ok {
				t.Errorf("reference(%q) = %q, %v, want %q, %v", tt.escaped, got, ok, tt.want, tt.ok)
			}
		})
	}
}
