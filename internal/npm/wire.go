package npm

import "encoding/json"

// errorDocument is npm's error body: both keys, because clients differ in which
// one they print.
type errorDocument struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

// written is the answer to every change. yarn 1 needs ok, and success after an
// owner change.
type written struct {
	OK      bool   `json:"ok"`
	Success bool   `json:"success"`
	ID      string `json:"id,omitempty"`
	Rev     string `json:"rev,omitempty"`
}

type person struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// searchResult is one object of a search answer.
type searchResult struct {
	Package     json.RawMessage `json:"package"`
	Score       searchScore     `json:"score"`
	SearchScore float64         `json:"searchScore"`
}

type searchScore struct {
	Final  float64      `json:"final"`
	Detail searchDetail `json:"detail"`
}

type searchDetail struct {
	Quality     float64 `json:"quality"`
	Popularity  float64 `json:"popularity"`
	Maintenance float64 `json:"maintenance"`
}

type searchAnswer struct {
	Objects []searchResult `json:"objects"`
	Total   int64          `json:"total"`
	Time    string         `json:"time"`
}

// summary is what search shows of a package. It is written when a version
// becomes latest, and stored.
type summary struct {
	Name          string            `json:"name"`
	SanitizedName string            `json:"sanitized_name"`
	Scope         string            `json:"scope,omitempty"`
	Version       string            `json:"version"`
	Description   string            `json:"description,omitempty"`
	Keywords      []string          `json:"keywords"`
	Date          string            `json:"date"`
	Links         map[string]string `json:"links"`
	Publisher     publisher         `json:"publisher"`
	Maintainers   []publisher       `json:"maintainers"` // never null: npm crashes without
	License       string            `json:"license,omitempty"`
}

type publisher struct {
	Username string `json:"username"`
	Email    string `json:"email"`
}

// loginRequest is the body of the couch login.
type loginRequest struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

type loginAnswer struct {
	OK    bool   `json:"ok"`
	ID    string `json:"id"`
	Rev   string `json:"rev"`
	Token string `json:"token"`
}

type userDocument struct {
	ID    string `json:"_id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// profile is what npm profile get shows.
type profile struct {
	Name          string  `json:"name"`
	Email         string  `json:"email"`
	EmailVerified bool    `json:"email_verified"`
	TFA           bool    `json:"tfa"`
	Created       *string `json:"created"`
	Updated       *string `json:"updated"`
	FullName      string  `json:"fullname"`
}

// tokenObject is one line of npm token list.
type tokenObject struct {
	Token     string   `json:"token"` // redacted
	Key       string   `json:"key"`
	Name      string   `json:"name"`
	ReadOnly  bool     `json:"readonly"`
	CIDR      []string `json:"cidr_whitelist"`
	Created   string   `json:"created"`
	Updated   string   `json:"updated"`
	ExpiresAt *string  `json:"expires"`
}

type tokenList struct {
	Objects []tokenObject     `json:"objects"`
	Total   int64             `json:"total"`
	URLs    map[string]string `json:"urls"`
}

// auditAnswer is the answer of the older audit endpoints.
type auditAnswer struct {
	Actions    []struct{}          `json:"actions"`
	Advisories map[string]struct{} `json:"advisories"`
	Muted      []struct{}          `json:"muted"`
	Metadata   auditMetadata       `json:"metadata"`
}

type auditMetadata struct {
	Vulnerabilities      map[string]int `json:"vulnerabilities"`
	Dependencies         int            `json:"dependencies"`
	DevDependencies      int            `json:"devDependencies"`
	OptionalDependencies int            `json:"optionalDependencies"`
	TotalDependencies    int            `json:"totalDependencies"`
}

type keyList struct {
	Keys []signingKey `json:"keys"`
}

// signingKey is a public key of the registry, as audit signatures reads it.
type signingKey struct {
	KeyID   string  `json:"keyid"`
	KeyType string  `json:"keytype"`
	Scheme  string  `json:"scheme"`
	Key     string  `json:"key"` // SPKI, DER, base64
	Expires *string `json:"expires"`
}
