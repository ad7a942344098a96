package npm

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

const testPrefix = "/api/v4/projects/acme%2Fdemo/packages/npm"

func mustName(t testing.TB, s string) Name {
	t.Helper()
	n, err := ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var compareNames = cmp.AllowUnexported(Name{})

func TestParsePath(t *testing.T) {
	scoped, plain := mustName(t, "@acme/lib"), mustName(t, "lodash")
	tests := []struct {
		name string
		in   []string // all spellings of one thing
		want Path
	}{
		{"root", []string{"", "/", "//"}, Path{Kind: KindRoot}},
		{
			"packument",
			[]string{"/lodash", "/lodash/", "//lodash", "//lodash/", "/l%6fdash"},
			Path{Kind: KindPackument, Name: plain},
		},
		{
			"scoped packument",
			[]string{"/@acme%2flib", "/@acme%2Flib", "/%40acme%2flib", "/%40acme%2Flib", "/@acme/lib", "/%40acme/lib", "//@acme%2flib", "/@acme/lib/"},
			Path{Kind: KindPackument, Name: scoped},
		},
		{
			"packument with revision",
			[]string{"/@acme%2flib/-rev/3-abc", "/@acme/lib/-rev/3-abc", "/@acme%2Flib/-rev/3-abc/"},
			Path{Kind: KindPackumentRev, Name: scoped, Rev: "3-abc"},
		},
		{"undefined revision", []string{"/lodash/-rev/undefined"}, Path{Kind: KindPackumentRev, Name: plain, Rev: "undefined"}},
		{"no revision", []string{"/lodash/-rev/", "/lodash/-rev"}, Path{Kind: KindPackumentRev, Name: plain}},
		{
			"version",
			[]string{"/@acme%2flib/1.0.0", "/@acme/lib/1.0.0", "/%40acme%2flib/1.0.0/"},
			Path{Kind: KindVersion, Name: scoped, Version: "1.0.0"},
		},
		{"tag", []string{"/lodash/latest"}, Path{Kind: KindVersion, Name: plain, Version: "latest"}},
		{
			"range",
			[]string{"/lodash/%5E1.2%20%7C%7C%20%3E=3", "/lodash/%5e1.2%20%7c%7c%20>=3"},
			Path{Kind: KindVersion, Name: plain, Version: "^1.2 || >=3"},
		},
		{
			"tarball",
			[]string{"/lodash/-/lodash-1.0.0.tgz", "//lodash/-/lodash-1.0.0.tgz", "/lodash/%2d/lodash-1.0.0.tgz", "/lodash/-/lodash-1.0.0.tgz/"},
			Path{Kind: KindTarball, Name: plain, File: "lodash-1.0.0.tgz"},
		},
		{
			"scoped tarball",
			[]string{
				"/@acme/lib/-/lib-1.0.0.tgz",              // canonical: npm, pnpm, yarn 1, bun
				"/@acme%2flib/-/lib-1.0.0.tgz",            // yarn 4
				"/@acme%2Flib/-/lib-1.0.0.tgz",            //
				"/%40acme%2flib/-/lib-1.0.0.tgz",          //
				"/%40acme/lib/-/lib-1.0.0.tgz",            //
				"/@acme/lib/-/@acme/lib-1.0.0.tgz",        // GitLab's form
				"/@acme%2flib/-/@acme/lib-1.0.0.tgz",      //
				"/@acme%2flib/-/@acme%2flib-1.0.0.tgz",    //
				"/@acme/lib/-/%40acme%2Flib-1.0.0.tgz",    //
				"//%40acme%2flib/-/%40acme/lib-1.0.0.tgz", //
			},
			Path{Kind: KindTarball, Name: scoped, File: "lib-1.0.0.tgz"},
		},
		{
			"tarball with revision",
			[]string{
				"/@acme/lib/-/lib-1.0.0.tgz/-rev/3-abc",
				"/@acme%2flib/-/@acme%2flib-1.0.0.tgz/-rev/3-abc",
				"/@acme/lib/-/@acme/lib-1.0.0.tgz/-rev/3-abc/",
				testPrefix + "/@acme/lib/-/lib-1.0.0.tgz/-rev/3-abc", // npm 6 and 7
				testPrefix + "/@acme/lib/-/@acme/lib-1.0.0.tgz/-rev/3-abc",
				"/api/v4/projects/acme%2fdemo/packages/npm/@acme/lib/-/lib-1.0.0.tgz/-rev/3-abc",
			},
			Path{Kind: KindTarballRev, Name: scoped, File: "lib-1.0.0.tgz", Rev: "3-abc"},
		},
		{
			"attestations",
			[]string{
				"/-/npm/v1/attestations/@acme%2flib@1.0.0", "/-/npm/v1/attestations/@acme/lib@1.0.0",
				"/-/npm/v1/attestations/%40acme%2flib%401.0.0", testPrefix + "/-/npm/v1/attestations/@acme/lib@1.0.0",
			},
			Path{Kind: KindAttestations, Name: scoped, Version: "1.0.0"},
		},
		{"plain attestations", []string{"/-/npm/v1/attestations/lodash@1.0.0"}, Path{Kind: KindAttestations, Name: plain, Version: "1.0.0"}},
		{
			"dist-tags",
			[]string{"/-/package/@acme%2flib/dist-tags", "/-/package/@acme/lib/dist-tags/", "/%2d/package/%40acme%2Flib/dist-tags"},
			Path{Kind: KindDistTags, Name: scoped},
		},
		{
			"dist-tag",
			[]string{"/-/package/@acme%2flib/dist-tags/next", "/-/package/@acme/lib/dist-tags/n%65xt"},
			Path{Kind: KindDistTag, Name: scoped, Tag: "next"},
		},
		{"dist-tag to be refused later", []string{"/-/package/lodash/dist-tags/%5E1"}, Path{Kind: KindDistTag, Name: plain, Tag: "^1"}},
		{"percent sign alone", []string{"/-/package/lodash/dist-tags/100%25"}, Path{Kind: KindDistTag, Name: plain, Tag: "100%"}},
		{"visibility", []string{"/-/package/@acme%2flib/visibility", "/-/package/@acme/lib/visibility"}, Path{Kind: KindVisibility, Name: scoped}},
		{"access", []string{"/-/package/lodash/access"}, Path{Kind: KindAccess, Name: plain}},
		{"collaborators", []string{"/-/package/lodash/collaborators"}, Path{Kind: KindCollaborators, Name: plain}},
		{"owners", []string{"/-/package/lodash/owners"}, Path{Kind: KindOwners, Name: plain}},
		{"owner", []string{"/-/package/lodash/owners/bob"}, Path{Kind: KindOwner, Name: plain, User: "bob"}},
		{"package called package", []string{"/-/package/package/access"}, Path{Kind: KindAccess, Name: mustName(t, "package")}},
		{"packages of an organisation", []string{"/-/org/acme/package"}, Path{Kind: KindOrgPackages, User: "acme"}},
		{"users of an organisation", []string{"/-/org/acme/user"}, Path{Kind: KindOrgUsers, User: "acme"}},
		{"teams of an organisation", []string{"/-/org/acme/team"}, Path{Kind: KindOrgTeams, User: "acme"}},
		{"packages of a team", []string{"/-/team/acme/devs/package"}, Path{Kind: KindTeamPackages, User: "acme", Team: "devs"}},
		{"users of a team", []string{"/-/team/acme/devs/user"}, Path{Kind: KindTeamUsers, User: "acme", Team: "devs"}},
		{"packages of a user", []string{"/-/user/bob/package"}, Path{Kind: KindUserPackages, User: "bob"}},
		{"batch publish", []string{"/-/pnpm/v1/publish"}, Path{Kind: KindBatchPublish}},
		{"star", []string{"/-/user/v1/star"}, Path{Kind: KindStar}},
		{"starred", []string{"/-/_view/starredByUser"}, Path{Kind: KindStarred}},
		{"search", []string{"/-/v1/search", "//-/v1/search", "/-/v1/search/"}, Path{Kind: KindSearch}},
		{"all", []string{"/-/all"}, Path{Kind: KindAll}},
		{"login", []string{"/-/v1/login"}, Path{Kind: KindLogin}},
		{
			"user",
			[]string{"/-/user/org.couchdb.user:bob", "/-/user/org.couchdb.user%3Abob", "/-/user/org.couchdb.user:b%6fb"},
			Path{Kind: KindUser, User: "bob"},
		},
		{"user with an address", []string{"/-/user/org.couchdb.user:bob%40example.org"}, Path{Kind: KindUser, User: "bob@example.org"}},
		{"user with revision", []string{"/-/user/org.couchdb.user:bob/-rev/1-0"}, Path{Kind: KindUserRev, User: "bob", Rev: "1-0"}},
		{"logout", []string{"/-/user/token/gldt-abc"}, Path{Kind: KindLogout, Token: "gldt-abc"}},
		{"whoami", []string{"/-/whoami"}, Path{Kind: KindWhoami}},
		{"ping", []string{"/-/ping"}, Path{Kind: KindPing}},
		{"profile", []string{"/-/npm/v1/user"}, Path{Kind: KindProfile}},
		{"tokens", []string{"/-/npm/v1/tokens"}, Path{Kind: KindTokens}},
		{"token", []string{"/-/npm/v1/tokens/token/42"}, Path{Kind: KindToken, Token: "42"}},
		{"bulk audit", []string{"/-/npm/v1/security/advisories/bulk"}, Path{Kind: KindAuditBulk}},
		{"quick audit", []string{"/-/npm/v1/security/audits/quick"}, Path{Kind: KindAuditQuick}},
		{"audits", []string{"/-/npm/v1/security/audits"}, Path{Kind: KindAudits}},
		{"keys", []string{"/-/npm/v1/keys"}, Path{Kind: KindKeys}},
		{"name like a method", []string{"/constructor"}, Path{Kind: KindPackument, Name: mustName(t, "constructor")}},
		{"old name", []string{"/JSONStream", "/%4aSONStream"}, Path{Kind: KindPackument, Name: mustName(t, "JSONStream")}},
		{"old name with a bang", []string{"/a!b", "/a%21b"}, Path{Kind: KindPackument, Name: mustName(t, "a!b")}},
	}
	covered := map[Kind]bool{}
	for _, tt := range tests {
		covered[tt.want.Kind] = true
		for _, spelling := range append(tt.in, tt.want.Escaped()) {
			t.Run(tt.name+" "+spelling, func(t *testing.T) {
				got, err := ParsePath(testPrefix, spelling)
				if err != nil {
					t.Fatalf("ParsePath(%q): %v", spelling, err)
				}
				if diff := cmp.Diff(got, tt.want, compareNames); diff != "" {
					t.Errorf("ParsePath(%q) (-got +want):\n%s", spelling, diff)
				}
			})
		}
	}
	for kind := KindRoot; kind < kindCount; kind++ {
		if !covered[kind] {
			t.Errorf("no test of %s", kind)
		}
	}
}

func TestParsePathRefuses(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want registry.Kind
	}{
		{"dot segment", "/lodash/../x", registry.Invalid},
		{"dot segment first", "/../lodash", registry.Invalid},
		{"single dot", "/./lodash", registry.Invalid},
		{"escaped dots", "/%2e%2e/lodash", registry.Invalid},
		{"half escaped dots", "/.%2E/lodash", registry.Invalid},
		{"escaped dot in a file", "/lodash/-/lodash-1%2e0.0.tgz", registry.Invalid},
		{"escaped traversal", "/lodash/-/..%2f..%2fetc%2fpasswd", registry.Invalid},
		{"traversal behind a scope", "/@acme/lib/-/@acme%2f..%2fx.tgz", registry.Invalid},
		{"traversal in a scope", "/@..%2flib", registry.Invalid},
		{"traversal in a name", "/@acme%2f..", registry.Invalid},
		{"backslash", `/lodash\x`, registry.Invalid},
		{"escaped backslash", "/lodash%5c..%5cx", registry.Invalid},
		{"escaped backslash, upper case", "/-/package/lodash/dist-tags/%5C", registry.Invalid},
		{"NUL", "/lodash%00", registry.Invalid},
		{"NUL in a file", "/lodash/-/lodash-1.0.0.tgz%00.png", registry.Invalid},
		{"line feed", "/lodash%0a", registry.Invalid},
		{"delete", "/lodash/%7f", registry.Invalid},
		{"C1 control", "/lodash/%c2%85", registry.Invalid},
		{"invalid UTF-8", "/lodash/%ff", registry.Invalid},
		{"overlong slash", "/lodash/%c0%af", registry.Invalid},
		{"right-to-left mark", "/-/package/lodash/dist-tags/a%e2%80%aeb", registry.Invalid},
		{"zero width", "/lodash/%e2%80%8b1.0.0", registry.Invalid},
		{"doubled escape of a slash", "/@acme%252flib", registry.Invalid},
		{"doubled escape of dots", "/lodash/%252e%252e", registry.Invalid},
		{"tripled escape", "/lodash/%25252e", registry.Invalid},
		{"incomplete escape", "/lodash%2", registry.Invalid},
		{"bad escape", "/lodash%zz", registry.Invalid},
		{"empty segment inside", "/@acme//lib", registry.Invalid},
		{"empty segment before a file", "/lodash/-//lodash-1.0.0.tgz", registry.Invalid},
		{"three slashes", "///lodash", registry.Invalid},
		{"escaped slash in a version", "/lodash/1.0.0%2fx", registry.Invalid},
		{"escaped slash in a tag", "/-/package/lodash/dist-tags/a%2fb", registry.Invalid},
		{"escaped slash in a user", "/-/user/org.couchdb.user:a%2fb", registry.Invalid},
		{"escaped slash in a token", "/-/user/token/a%2fb", registry.Invalid},
		{"escaped slash in a revision", "/lodash/-rev/a%2fb", registry.Invalid},
		{"escaped slash in a file with scope", "/@acme/lib/-/@acme%2fx%2flib-1.0.0.tgz", registry.Invalid},
		{"escaped slash without a scope", "/acme%2flib", registry.Invalid},
		{"name with a blank", "/lo%20dash", registry.Invalid},
		{"matrix parameter", "/lodash;v=1", registry.Invalid},
		{"too long", "/" + strings.Repeat("a", maxPath), registry.Invalid},

		{"file of another scope", "/@acme/lib/-/@other/lib-1.0.0.tgz", registry.NotFound},
		{"file with scope, name without", "/lodash/-/@acme/lodash-1.0.0.tgz", registry.NotFound},
		{"changes feed", "/_changes", registry.NotFound},
		{"design document", "/_design/app/_view/x", registry.NotFound},
		{"well-known", "/.well-known/x", registry.NotFound},
		{"scope alone", "/@acme", registry.NotFound},
		{"no file", "/lodash/-/", registry.NotFound},
		{"too much behind a version", "/lodash/1.0.0/x", registry.NotFound},
		{"too much behind a file", "/lodash/-/lodash-1.0.0.tgz/x", registry.NotFound},
		{"too much behind a revision", "/lodash/-rev/1/2", registry.NotFound},
		{"meta space", "/-/", registry.NotFound},
		{"unknown meta route", "/-/nope", registry.NotFound},
		{"all since", "/-/all/since", registry.NotFound},
		{"by field", "/-/by-field", registry.NotFound},
		{"hooks", "/-/npm/v1/hooks", registry.NotFound},
		{"package without a verb", "/-/package/lodash", registry.NotFound},
		{"user without a name", "/-/user/org.couchdb.user:", registry.NotFound},
		{"case of a route", "/-/PING", registry.NotFound},
		{"attestations without a version", "/-/npm/v1/attestations/lodash", registry.NotFound},
		{"attestations with an empty version", "/-/npm/v1/attestations/lodash@", registry.NotFound},
		{"doubled prefix where no client sends it", testPrefix + "/lodash", registry.NotFound},
		{"doubled prefix of a tarball", testPrefix + "/lodash/-/lodash-1.0.0.tgz", registry.NotFound},
		{"doubled prefix of another project", "/api/v4/projects/2/packages/npm/lodash/-/lodash-1.0.0.tgz/-rev/1", registry.NotFound},
		{"tripled prefix", testPrefix + testPrefix + "/lodash/-/lodash-1.0.0.tgz/-rev/1", registry.NotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParsePath(testPrefix, tt.in)
			if err == nil {
				t.Fatalf("ParsePath(%q) = %+v", tt.in, p)
			}
			if got := registry.KindOf(err); got != tt.want {
				t.Errorf("kind = %v, want %v (%v)", got, tt.want, err)
			}
			if diff := cmp.Diff(p, Path{}, compareNames); diff != "" {
				t.Errorf("a refused path was read:\n%s", diff)
			}
		})
	}
}

func TestPatterns(t *testing.T) {
	seen := map[string]Kind{}
	for kind := KindRoot; kind < kindCount; kind++ {
		pattern := kind.Pattern()
		if other, twice := seen[pattern]; pattern == "" || twice {
			t.Errorf("kind %d has the pattern %q, as %d has", kind, pattern, other)
		}
		seen[pattern] = kind
	}
	if got := Kind(0).Pattern() + kindCount.Pattern() + Kind(-1).Pattern(); got != "" {
		t.Errorf("kinds that are none have the pattern %q", got)
	}
}

func TestPathTokenHides(t *testing.T) {
	p, err := ParsePath("", "/-/user/token/gldt-secret")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, p); strings.Contains(got, "secret") {
			t.Errorf("%s prints %s", format, got)
		}
	}
	if got := p.Token.Reveal(); got != "gldt-secret" {
		t.Errorf("Reveal = %q", got)
	}
}

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{
		"/", "/lodash", "/@acme%2flib", "/@acme/lib/-/lib-1.0.0.tgz", "/@acme/lib/-/@acme/lib-1.0.0.tgz/-rev/1-a", "/lodash/%5e1",
		"/-/package/@acme%2flib/dist-tags/next", "/-/npm/v1/attestations/@acme/lib@1.0.0", "/-/user/org.couchdb.user:bob/-rev/1",
		"/..%2f", "/a%00", "/%252e", "/a%5cb", testPrefix + "/lodash/-/lodash-1.0.0.tgz/-rev/1", "/lodash/-rev", "/@a/-x", "/-/user/v1/star",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePath(testPrefix, s)
		if err != nil {
			if kind := registry.KindOf(err); kind != registry.Invalid && kind != registry.NotFound {
				t.Fatalf("ParsePath(%q): kind of %v", s, err)
			}
			return
		}
		for _, part := range []string{p.Version, p.Tag, p.File, p.Rev, p.User, p.Team, p.Token.Reveal(), p.Name.Base(), p.Name.Scope()} {
			if strings.ContainsAny(part, "/\\\x00") || part == "." || part == ".." || !utf8.ValidString(part) || strings.ContainsFunc(part, unicode.IsControl) {
				t.Errorf("ParsePath(%q) let %q through", s, part)
			}
		}
		printed := p.Escaped()
		again, err := ParsePath(testPrefix, printed)
		if err != nil {
			t.Fatalf("ParsePath(%q) prints as %q, which is refused: %v", s, printed, err)
		}
		if diff := cmp.Diff(again, p, compareNames); diff != "" {
			t.Errorf("ParsePath(%q) prints as %q, which is another path:\n%s", s, printed, diff)
		}
		for _, spelling := range []string{printed + "/", "/" + printed, strings.Replace(printed, "%2f", "%2F", 1), strings.Replace(printed, "%2f", "/", 1), strings.Replace(printed, "@", "%40", 1)} {
			if p.Kind == KindRoot {
				continue
			}
			other, err := ParsePath(testPrefix, spelling)
			if err != nil || other != p {
				t.Errorf("%q is %+v (%v), but %q is %+v", spelling, other, err, printed, p)
			}
		}
	})
}

func BenchmarkParsePath(b *testing.B) {
	for _, path := range []string{"/@acme%2flib", "/@acme/lib/-/lib-1.0.0.tgz", "/-/npm/v1/security/advisories/bulk"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParsePath(testPrefix, path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
