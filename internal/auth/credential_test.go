package auth

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestExtract(t *testing.T) {
	tests := []struct {
		name    string
		headers []string // alternating name and value
		query   string
		want    string // form, user and secret of the first credential
		kind    registry.Kind
	}{
		{name: "none"},
		{name: "bearer", headers: []string{"Authorization", "Bearer s3cret"}, want: "a Bearer token  s3cret"},
		{name: "bearer in lower case", headers: []string{"authorization", "bearer s3cret"}, want: "a Bearer token  s3cret"},
		{name: "basic", headers: []string{"Authorization", basic("u", "s3cret")}, want: "Basic credentials u s3cret"},
		{name: "basic with colons in the secret", headers: []string{"Authorization", basic("u", "a:b")}, want: "Basic credentials u a:b"},
		{name: "basic without padding", headers: []string{"Authorization", strings.TrimRight(basic("u", "s3cre"), "=")}, want: "Basic credentials u s3cre"},
		{name: "secret as user name", headers: []string{"Authorization", basic("s3cret", "")}, want: "Basic credentials  s3cret"},
		{name: "secret as user name, marked", headers: []string{"Authorization", basic("s3cret", "x-oauth-basic")}, want: "Basic credentials  s3cret"},
		{name: "deploy token header", headers: []string{"Deploy-Token", "s3cret"}, want: "a Deploy-Token header  s3cret"},
		{name: "private token header", headers: []string{"PRIVATE-TOKEN", "s3cret"}, want: "a Private-Token header  s3cret"},
		{name: "nuget key", headers: []string{"X-NuGet-ApiKey", "s3cret"}, want: "an X-NuGet-ApiKey header  s3cret"},
		{name: "nuget key, empty", headers: []string{"X-NuGet-ApiKey", ""}},
		{name: "nuget key that says nothing", headers: []string{"X-NuGet-ApiKey", "az", "Authorization", basic("u", "s3cret")}, want: "Basic credentials u s3cret"},
		{name: "nuget key that says nothing, alone", headers: []string{"X-NuGet-ApiKey", "az"}, want: "an X-NuGet-ApiKey header  az"},
		{name: "job token header", headers: []string{"Job-Token", "s3cret"}, kind: registry.Unauthenticated},
		{name: "basic without colon", headers: []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("abc"))}, kind: registry.Unauthenticated},
		{name: "basic that is not base64", headers: []string{"Authorization", "Basic %%%"}, kind: registry.Unauthenticated},
		{name: "basic with NUL", headers: []string{"Authorization", basic("u", "a\x00b")}, kind: registry.Unauthenticated},
		{name: "basic with line break", headers: []string{"Authorization", basic("u", "a\r\nb")}, kind: registry.Unauthenticated},
		{name: "basic with both empty", headers: []string{"Authorization", basic("", "")}, kind: registry.Unauthenticated},
		{name: "empty bearer", headers: []string{"Authorization", "Bearer "}, kind: registry.Unauthenticated},
		{name: "empty header", headers: []string{"Authorization", ""}, kind: registry.Unauthenticated},
		{name: "other scheme", headers: []string{"Authorization", "Digest x"}, kind: registry.Unauthenticated},
		{name: "over 8 KiB", headers: []string{"Authorization", "Bearer " + strings.Repeat("a", maxSecret+1)}, kind: registry.Unauthenticated},
		{name: "in the query", query: "?private_token=s3cret", kind: registry.Unauthenticated},
		{name: "job token in the query", query: "?job_token=s3cret", kind: registry.Unauthenticated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/x"+tt.query, nil)
			for i := 0; i < len(tt.headers); i += 2 {
				r.Header.Add(tt.headers[i], tt.headers[i+1])
			}
			got, err := Extract(r)
			if tt.kind != registry.Internal {
				if registry.KindOf(err) != tt.kind || err == nil {
					t.Fatalf("err = %v, want kind %v", err, tt.kind)
				}
				if strings.Contains(err.Error(), "s3cret") {
					t.Errorf("the refusal repeats the secret: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			if len(got) > 0 {
				text = string(got[0].Form) + " " + got[0].Username + " " + got[0].Secret.Reveal()
			}
			if text != tt.want {
				t.Errorf("got %q, want %q", text, tt.want)
			}
		})
	}
}

// Every pair of ways to send a secret: the same secret counts once, different
// ones are refused (threats.md T15), but for NuGet's key beside Basic.
func TestExtractPairs(t *testing.T) {
	ways := []struct{ header, prefix string }{
		{"Authorization", "Bearer "}, {"Authorization", "basic"}, {"Deploy-Token", ""}, {"Private-Token", ""}, {"X-NuGet-ApiKey", ""},
	}
	value := func(prefix, secret string) string {
		if prefix == "basic" {
			return basic("user", secret)
		}
		return prefix + secret
	}
	for i, a := range ways {
		for j, b := range ways {
			if i >= j {
				continue
			}
			for _, second := range []string{"a secret of length a", "a secret of length b"} {
				r := httptest.NewRequest(http.MethodGet, "/x", nil)
				r.Header.Add(a.header, value(a.prefix, "a secret of length a"))
				r.Header.Add(b.header, value(b.prefix, second))
				got, err := Extract(r)
				nugetPair := a.prefix == "basic" && b.header == "X-NuGet-ApiKey"
				switch {
				case second == "a secret of length a":
					if err != nil || len(got) != 1 || nugetPair && got[0].Form != FormAPIKey {
						t.Errorf("%v and %v, same secret: %d credentials, %v", a, b, len(got), err)
					}
				case nugetPair:
					if err != nil || len(got) != 2 || got[0].Form != FormAPIKey {
						t.Errorf("%v and %v: %d credentials, %v", a, b, len(got), err)
					}
				case registry.KindOf(err) != registry.Invalid || err == nil:
					t.Errorf("%v and %v, different secrets: %v, want invalid", a, b, err)
				}
			}
		}
	}
}

// NuGet compares the user name of Basic credentials (gitlab.md 2.2); the other
// formats do not.
func TestRequireNamed(t *testing.T) {
	tests := []struct {
		name string
		id   Identity
		sent any // user name in Basic credentials; nil: other credentials
		ok   bool
	}{
		{name: "deploy token, its name", id: Identity{Kind: DeployTokenIdentity, Name: "Bot"}, sent: "Bot", ok: true},
		{name: "deploy token, other case", id: Identity{Kind: DeployTokenIdentity, Name: "Bot"}, sent: "bot"},
		{name: "deploy token, other name", id: Identity{Kind: DeployTokenIdentity, Name: "Bot"}, sent: "x"},
		{name: "deploy token, CI's name", id: Identity{Kind: DeployTokenIdentity, Name: "Bot"}, sent: jobTokenUser, ok: true},
		{name: "deploy token, no name", id: Identity{Kind: DeployTokenIdentity, Name: "Bot"}, ok: true},
		{name: "user, other case", id: Identity{Kind: UserIdentity, Name: "Ann"}, sent: "ann", ok: true},
		{name: "user, other name", id: Identity{Kind: UserIdentity, Name: "Ann"}, sent: "bob"},
		{name: "user, CI's name", id: Identity{Kind: UserIdentity, Name: "Ann"}, sent: jobTokenUser},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			c := echo.New().NewContext(r.WithContext(With(r.Context(), &tt.id)), httptest.NewRecorder())
			if tt.sent != nil {
				c.Set(basicUser, tt.sent)
			}
			id, err := RequireNamed(c, Read)
			if tt.ok && (err != nil || id.Name != tt.id.Name) {
				t.Errorf("refused: %v", err)
			}
			if !tt.ok && (err == nil || registry.KindOf(err) != registry.Unauthenticated) {
				t.Errorf("err = %v, want unauthenticated", err)
			}
		})
	}
}

func FuzzParseAuthorization(f *testing.F) {
	f.Add("Bearer abc")
	f.Add(basic("u", "p"))
	f.Add("Basic =")
	f.Fuzz(func(t *testing.T, value string) {
		c, err := parseAuthorization(value)
		if err != nil {
			if registry.KindOf(err) != registry.Unauthenticated {
				t.Errorf("kind %v", registry.KindOf(err))
			}
			return
		}
		if s := c.Secret.Reveal(); s == "" || len(s) > maxSecret || hasControl(s) || hasControl(c.Username) {
			t.Errorf("accepted %q", s)
		}
	})
}
