package auth

import (
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"

	"pakhus/internal/registry"
)

// Form is where a client carries its secret.
type Form string

// The forms, with the words that refusals use for them.
const (
	FormBasic        Form = "Basic credentials"
	FormBearer       Form = "a Bearer token"
	FormDeployToken  Form = "a Deploy-Token header"
	FormPrivateToken Form = "a Private-Token header"
	FormJobToken     Form = "a Job-Token header"
	FormAPIKey       Form = "an X-NuGet-ApiKey header"
)

// Credential is what a client presented, not verified yet.
type Credential struct {
	Form     Form
	Username string // Basic only; NuGet compares it, npm and Maven ignore it
	Secret   Secret
}

// jobTokenUser is the user name that GitLab's CI scripts send with a job token.
// A deploy token sent under that name works: scripts then need no change.
const jobTokenUser = "gitlab-ci-token"

// secretHeaders are the headers that carry a bare secret, in the order in which
// they are tried after Authorization.
var secretHeaders = []struct {
	header string
	form   Form
}{
	{"Deploy-Token", FormDeployToken},
	{"Private-Token", FormPrivateToken},
	{"X-Nuget-Apikey", FormAPIKey},
	{"Job-Token", FormJobToken},
}

// secretParameters are query parameters in which GitLab takes secrets. They end
// up in the logs of every proxy on the way, so they are refused, not ignored.
var secretParameters = []string{"private_token", "job_token", "access_token", "token"}

// Extract finds the credentials of a request, in a fixed order: Authorization,
// then the headers. One that is malformed is Unauthenticated; two that differ
// are Invalid. The same secret in two places counts once.
func Extract(r *http.Request) ([]Credential, error) {
	if r.URL.RawQuery != "" {
		query := r.URL.Query()
		for _, name := range secretParameters {
			if query.Has(name) {
				return nil, registry.Errorf(registry.Unauthenticated,
					"a token in the address (%s=) is not accepted, because addresses are logged: send it in a header and replace it", name)
			}
		}
	}
	var found []Credential
	for _, value := range r.Header["Authorization"] {
		c, err := parseAuthorization(value)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	for _, h := range secretHeaders {
		for _, value := range r.Header[h.header] {
			if h.form == FormAPIKey && isPlaceholder(value, found) {
				continue
			}
			c, err := newCredential(h.form, "", value)
			if err != nil {
				return nil, err
			}
			found = append(found, c)
		}
	}
	return dropRepeats(found)
}

// minAPIKey is the length in characters from which an X-NuGet-ApiKey is taken
// for a secret: shorter ones are never made nor imported.
const minAPIKey = 16

// isPlaceholder tells whether a NuGet key says nothing. Scripts made for Azure
// Artifacts send "az" or "any" as the key because the client asks for one, with
// the real secret in Basic credentials beside it (nuget.md 13.2).
func isPlaceholder(key string, found []Credential) bool {
	return key == "" || len(key) < minAPIKey && len(found) > 0 && found[0].Form == FormBasic
}

// dropRepeats keeps one credential of those with the same secret; different
// secrets in one request are refused, because it would depend on the server
// which of them counts (threats.md T15). NuGet's key beside Basic is the one
// pair that real clients send: dotnet with both a source and a key. Then both
// must be valid, and the key, which was given for this very push, counts.
func dropRepeats(found []Credential) ([]Credential, error) {
	if len(found) < 2 {
		return found, nil
	}
	first := found[0]
	kept := found[:1:1]
	for _, c := range found[1:] {
		same := subtle.ConstantTimeCompare([]byte(c.Secret.Reveal()), []byte(first.Secret.Reveal())) == 1
		switch {
		case c.Form == FormAPIKey && first.Form == FormBasic && len(kept) == 1 && same:
			kept = []Credential{c}
		case same:
		case c.Form == FormAPIKey && first.Form == FormBasic && len(kept) == 1:
			kept = []Credential{c, first}
		default:
			return nil, registry.Errorf(registry.Invalid,
				"the request carries two different credentials, %s and %s: send one", first.Form, c.Form)
		}
	}
	return kept, nil
}

func parseAuthorization(value string) (Credential, error) {
	scheme, rest, _ := strings.Cut(value, " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(scheme) {
	case "bearer":
		return newCredential(FormBearer, "", rest)
	case "basic":
		return parseBasic(rest)
	}
	return Credential{}, registry.Errorf(registry.Unauthenticated, "the Authorization header is neither Basic nor Bearer")
}

// parseBasic reads Basic credentials. The secret is the password; with an empty
// password, or the word x-oauth-basic, it is the user name (npm.md 4.2).
func parseBasic(encoded string) (Credential, error) {
	if len(encoded) > maxSecret*2 {
		return Credential{}, errMalformed(FormBasic)
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		if decoded, err = base64.RawStdEncoding.DecodeString(encoded); err != nil {
			return Credential{}, errMalformed(FormBasic)
		}
	}
	user, password, ok := strings.Cut(string(decoded), ":")
	if !ok {
		return Credential{}, errMalformed(FormBasic)
	}
	if password == "" || password == "x-oauth-basic" {
		return newCredential(FormBasic, "", user)
	}
	return newCredential(FormBasic, user, password)
}

func newCredential(form Form, username, secret string) (Credential, error) {
	if form == FormJobToken {
		return Credential{}, errJobToken()
	}
	if secret == "" || len(secret) > maxSecret || hasControl(secret) || hasControl(username) {
		return Credential{}, errMalformed(form)
	}
	return Credential{Form: form, Username: username, Secret: NewSecret(secret)}, nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func errMalformed(form Form) error {
	return registry.Errorf(registry.Unauthenticated, "the request carries %s that cannot be read", form)
}

func errJobToken() error {
	return registry.Errorf(registry.Unauthenticated,
		"a CI job token is not accepted here: it belongs to the GitLab that runs the job. Put a deploy token into a CI variable and send that")
}
