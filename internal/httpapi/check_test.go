package httpapi

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// Spellings that no package client sends are refused before routing (threats.md
// P1, P5).
func TestHostilePaths(t *testing.T) {
	w := newWorld(ok)
	for _, path := range []string{
		"..", "../x", "a/../x", "a/..", ".", "./x", "a/./x", "%2e%2e", "%2e%2e/x", ".%2e/x", "a/%2E%2E/x", "%2e", "@acme%2f..", "@acme%2f..%2fx",
		"..%2fx", "%2e%2e%2fx", "a%5c..%5cx", "a%5Cx", "%00", "a%00.tgz", "a%0ab", "a%0d%0ab", "%7f", "a%09b",
		"%252e%252e", "%252f", "a%2500", "%25%32%65", "%ff", "%c3", "%c0%ae%c0%ae", "%ed%a0%80", "a%E2%80%AEb", "%E2%81%A6x", "%EF%BB%BFx",
		"a%E2%80%8Bb", "%C2%85", "%E2%80%A8", "a%C2%ADb",
	} {
		t.Run(path, func(t *testing.T) {
			got := w.call("GET", npmPath+path)
			if got.Code != 400 || !strings.HasPrefix(got.Body.String(), "npm: the path holds") {
				t.Errorf("got %d %q", got.Code, got.Body)
			}
		})
	}
	for _, path := range []string{"...", ".x", "x.", "a..b", "@acme%2fx", "100%25", "a%20b", "%C3%A4", "a+b", "a;b", "~", "a//b", "50%25off"} {
		t.Run(path, func(t *testing.T) {
			if got := w.call("GET", npmPath+path); got.Code != 200 || got.Body.String() != path {
				t.Errorf("got %d %q", got.Code, got.Body)
			}
		})
	}
}

func FuzzCleanPath(f *testing.F) {
	for _, seed := range []string{"/a/b", "/../x", "/a%2e", "/\x00", "/ä", "/\u202e", "/a\\b", "/..", "/%25"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if !cleanPath(path) {
			return
		}
		if !utf8.ValidString(path) || strings.ContainsAny(path, "\x00\r\n\\\x7f\u202e") {
			t.Errorf("%q passed", path)
		}
		for segment := range strings.SplitSeq(path, "/") {
			if segment == "." || segment == ".." {
				t.Errorf("%q passed", path)
			}
		}
		if again, err := url.PathUnescape(path); err == nil && again != path {
			t.Errorf("%q passed, and decodes once more to %q", path, again)
		}
	})
}

func TestLongCredentials(t *testing.T) {
	w := newWorld(ok)
	for _, header := range credentialHeaders {
		if got := w.call("GET", npmPath+"x", header, "Bearer "+strings.Repeat("a", 9<<10)); got.Code != 401 {
			t.Errorf("%s: got %d", header, got.Code)
		}
		if got := w.call("GET", npmPath+"x", header, "Bearer "+strings.Repeat("a", 7<<10)); got.Code != 200 {
			t.Errorf("%s: got %d", header, got.Code)
		}
	}
}

// Only what trusted proxies say counts, from the right (threats.md T18).
func TestClientIP(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		name, remote string
		forwarded    []string
		trusted      []netip.Prefix
		want         string
	}{
		{"direct", "192.0.2.1:99", nil, trusted, "192.0.2.1"},
		{"no proxy is trusted", "10.0.0.1:99", []string{"203.0.113.5"}, nil, "10.0.0.1"},
		{"lie of a stranger", "192.0.2.1:99", []string{"203.0.113.5"}, trusted, "192.0.2.1"},
		{"one proxy", "10.0.0.1:99", []string{"203.0.113.5"}, trusted, "203.0.113.5"},
		{"lie before one proxy", "10.0.0.1:99", []string{"127.0.0.1, 203.0.113.5"}, trusted, "203.0.113.5"},
		{"two proxies", "10.0.0.1:99", []string{"127.0.0.1, 203.0.113.5, 10.1.1.1"}, trusted, "203.0.113.5"},
		{"two headers", "10.0.0.1:99", []string{"127.0.0.1", "203.0.113.5,10.1.1.1"}, trusted, "203.0.113.5"},
		{"proxies only", "10.0.0.1:99", []string{"10.2.2.2, 10.1.1.1"}, trusted, "10.2.2.2"},
		{"nothing said", "10.0.0.1:99", nil, trusted, "10.0.0.1"},
		{"unreadable", "10.0.0.1:99", []string{"203.0.113.5, x"}, trusted, "10.0.0.1"},
		{"mapped", "[::ffff:10.0.0.1]:99", []string{"::ffff:203.0.113.5"}, trusted, "203.0.113.5"},
		{"IPv6", "[fd00::1]:99", []string{"2001:db8::5"}, trusted, "2001:db8::5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := clientIP(tt.remote, tt.forwarded, tt.trusted); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
