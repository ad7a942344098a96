package npm

import (
	"slices"
	"strings"

	"pakhus/internal/registry"
)

// Bounds of package names, in characters with scope. Names that are published
// now keep npm's bound; older ones, which may come in by migration, were longer.
const (
	maxNewName = 214
	maxOldName = 1024
)

// Name is the name of a package: lodash, or @acme/lib. The zero Name is none.
type Name struct {
	scope string // without the @; empty when the package has none
	base  string
}

// ParseName reads a package name, with the scope's slash unescaped. It accepts
// every name that npm's validator accepts for packages that exist already
// (npm.md 3.1); CheckNew is stricter. Anything else is Invalid.
func ParseName(s string) (Name, error) {
	if s == "" {
		return Name{}, registry.Errorf(registry.Invalid, "the package name is empty")
	}
	if len(s) > maxOldName {
		return Name{}, registry.Errorf(registry.Invalid, "the package name is longer than %d characters", maxOldName)
	}
	var n Name
	rest, scoped := strings.CutPrefix(s, "@")
	if scoped {
		var ok bool
		if n.scope, n.base, ok = strings.Cut(rest, "/"); !ok || n.scope == "" || n.base == "" {
			return Name{}, registry.Errorf(registry.Invalid, "package name %q is not of the form @scope/name", s)
		}
		if !isURLSafe(n.scope) || n.scope == "." || n.scope == ".." {
			return Name{}, errNameCharacters(s)
		}
	} else {
		n.base = s
	}
	if !isURLSafe(n.base) {
		return Name{}, errNameCharacters(s)
	}
	if n.base[0] == '.' || !scoped && (n.base[0] == '_' || n.base[0] == '-') {
		return Name{}, registry.Errorf(registry.Invalid, "package name %q must not begin with %q", s, n.base[:1])
	}
	if lower := strings.ToLower(s); lower == "node_modules" || lower == "favicon.ico" {
		return Name{}, registry.Errorf(registry.Invalid, "%q cannot be a package name", s)
	}
	return n, nil
}

func errNameCharacters(s string) error {
	return registry.Errorf(registry.Invalid, "package name %q may only hold letters, digits, - _ and . beside the scope's @ and /", s)
}

// isURLSafe tells whether encodeURIComponent would leave s alone, which is what
// npm's validator asks of names.
func isURLSafe(s string) bool {
	for i := range len(s) {
		if !isURLSafeByte(s[i]) {
			return false
		}
	}
	return true
}

func isURLSafeByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("-_.!~*'()", c) >= 0
}

// CheckNew tells whether a package that does not exist yet may get this name.
// If not, the error is Invalid and says why.
func (n Name) CheckNew() error {
	s := n.String()
	switch {
	case len(s) > maxNewName:
		return registry.Errorf(registry.Invalid, "the package name is longer than %d characters", maxNewName)
	case strings.ToLower(s) != s:
		return registry.Errorf(registry.Invalid, "package name %q must not hold capital letters", s)
	case strings.ContainsAny(s, "~'!()*"):
		return registry.Errorf(registry.Invalid, "package name %q must not hold any of ~ ' ! ( ) *", s)
	case strings.HasPrefix(n.scope, "."):
		return registry.Errorf(registry.Invalid, "the scope of package name %q must not begin with a dot", s)
	case n.scope == "" && slices.Contains(coreModules, s):
		return registry.Errorf(registry.Invalid, "%q is the name of a module of Node itself: require would never find the package", s)
	}
	return nil
}

// coreModules are the modules that Node finds before any package of the name.
// Those that need the node: prefix, such as node:test, are not among them.
var coreModules = strings.Fields(`
	assert async_hooks buffer child_process cluster console constants crypto dgram
	diagnostics_channel dns domain events fs http http2 https inspector
	module net os path perf_hooks process punycode querystring readline repl stream
	string_decoder sys timers tls trace_events tty url util v8 vm wasi
	worker_threads zlib`)

// Scope is the scope without its @, or empty.
func (n Name) Scope() string { return n.scope }

// Base is the name without its scope.
func (n Name) Base() string { return n.base }

// IsZero tells whether there is no name.
func (n Name) IsZero() bool { return n.base == "" }

// String is the name as users write it.
func (n Name) String() string {
	if n.scope == "" {
		return n.base
	}
	return "@" + n.scope + "/" + n.base
}

// Escaped is the name as one segment of a URL's path.
func (n Name) Escaped() string {
	if n.scope == "" {
		return n.base
	}
	return "@" + n.scope + "%2f" + n.base
}

// Key is what makes the name unique in a project. npm's names differ by case:
// old packages exist that do.
func (n Name) Key() string { return n.String() }

// TwinKey is the same for names that people take for each other: it forgets
// case and the characters - _ and . (npm.md 3.1). New names whose TwinKey is
// taken are refused.
func (n Name) TwinKey() string {
	if n.scope == "" {
		return foldTwin(n.base)
	}
	return "@" + foldTwin(n.scope) + "/" + foldTwin(n.base)
}

func foldTwin(s string) string {
	s = strings.ToLower(s)
	folded := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' {
			return -1
		}
		return r
	}, s)
	if folded == "" { // @acme/_: nothing else tells it apart
		return s
	}
	return folded
}
