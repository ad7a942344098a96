package npm

import "testing"

func TestPrefersAbbreviated(t *testing.T) {
	for accept, want := range map[string]bool{
		"":                 false, // yarn 4
		"*/*":              false,
		"application/json": false, // npm 10 and later
		"application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*": true, // npm 6 to 9, pnpm
		"application/vnd.npm.install-v1+json":                                      true,
		"application/json; q=1.0, */*":                                             false, // pnpm when it needs time
		"application/json, application/vnd.npm.install-v1+json; q=0.5":             false,
		"application/vnd.npm.install-v1+json; q=0":                                 false,
		"application/vnd.npm.install-v1+json; q=nonsense":                          false,
		"text/html, image/png":                                                     false,
		"APPLICATION/JSON; q=0.1, Application/vnd.npm.install-v1+json; q=0.2":      true,
	} {
		if got := prefersAbbreviated([]string{accept}); got != want {
			t.Errorf("%q: %v, want %v", accept, got, want)
		}
	}
}
