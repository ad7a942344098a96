package gitlab

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// FuzzReadNewToken: whatever the body, the answer is a token that was asked for
// whole, or a refusal that the client can act on.
func FuzzReadNewToken(f *testing.F) {
	for _, seed := range [][3]string{
		{"", "application/json", `{"name":"ci","scopes":["read_registry"],"expires_at":"2027-01-31","username":"u"}`},
		{"", "application/json", `{"name":1,"scopes":"read_registry,write_registry","expires_at":null}`},
		{"name=q", "application/x-www-form-urlencoded", "scopes[]=read_registry&scopes[]=write_registry"},
		{"", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nci\r\n--b--\r\n"},
		{"scopes[]=a", "application/json", `{"scopes":{"a":[[]]}}`},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, query, contentType, body string) {
		c := newCall(http.MethodPost, "/", "", body)
		c.Request().URL.RawQuery = query
		c.Request().Header.Set("Content-Type", contentType)
		wanted, err := readNewToken(c)
		if err != nil {
			if kind := registry.KindOf(err); kind != registry.Invalid && kind != registry.TooLarge || registry.Message(err) == "" {
				t.Errorf("%v: %v", kind, err)
			}
			return
		}
		if wanted.Scopes == 0 {
			t.Error("a token without scopes")
		}
		for _, text := range []string{wanted.Name, wanted.Username} {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				t.Errorf("a text that no database takes: %q", text)
			}
		}
		if at := wanted.ExpiresAt; !at.IsZero() && (at.Year() < 1970 || at.Year() > 9999) {
			t.Errorf("expires at %v", at)
		}
	})
}
