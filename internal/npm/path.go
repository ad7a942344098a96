package npm

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// maxPath bounds the escaped path of a request, in bytes.
const maxPath = 8 << 10

// Path is what the path of a request names, below the registry's address. It
// is all that anything later knows of the path.
type Path struct {
	Kind    Kind
	Name    Name
	Version string // a version, a dist-tag or a range, as the client wrote it
	Tag     string // unchecked: see CheckTag
	File    string // never with the scope, which may precede it in the path
	Rev     string // empty when the client left it out
	User    string // a user or an organisation
	Team    string
	Token   PathToken
}

// PathToken is a secret that stands in a path. It does not print itself.
type PathToken string

// String hides the secret.
func (PathToken) String() string { return "[hidden]" }

// GoString hides the secret.
func (PathToken) GoString() string { return "[hidden]" }

// Reveal gives the secret.
func (t PathToken) Reveal() string { return string(t) }

// ParsePath reads the escaped path of a request, cut in two: the registry's own
// prefix, and the rest, which begins with a slash or is empty. All spellings
// that clients use for a thing give the same Path (npm.md 1.1).
//
// A path that no client has reason to send is Invalid: dot segments, escaped
// dots, backslashes, control characters, escapes of escapes. One that names
// nothing is NotFound.
func ParsePath(prefix, rest string) (Path, error) {
	segments, err := splitPath(rest)
	if err != nil {
		return Path{}, err
	}
	p, err := parseSegments(segments)
	switch {
	case err == nil:
		return p, nil
	case registry.KindOf(err) != registry.NotFound:
		return Path{}, err
	}
	// npm 6 and 7 append the path of a tarball's address to the registry's
	// address when they unpublish, and npm 9 and 10 that of attestations, so
	// the prefix comes twice (npm.md 2.3).
	before, badPrefix := splitPath(prefix)
	if badPrefix != nil || len(before) == 0 || len(segments) <= len(before) || !slices.Equal(segments[:len(before)], before) {
		return Path{}, err
	}
	p, again := parseSegments(segments[len(before):]) // once: a third prefix is nobody's
	if again != nil || p.Kind != KindTarballRev && p.Kind != KindAttestations {
		return Path{}, err
	}
	return p, nil
}

var errNoRoute = registry.Errorf(registry.NotFound, "not found: no such address in this registry")

// splitPath cuts a path at its slashes and decodes each segment, once.
func splitPath(escaped string) ([]string, error) {
	if len(escaped) > maxPath {
		return nil, registry.Errorf(registry.Invalid, "the path is longer than %d bytes", maxPath)
	}
	// A registry address that ends in a slash, with a path that begins with one.
	path := strings.TrimPrefix(strings.TrimPrefix(escaped, "/"), "/")
	if path = strings.TrimSuffix(path, "/"); path == "" {
		return nil, nil
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		decoded, err := decodeSegment(segment)
		if err != nil {
			return nil, err
		}
		segments[i] = decoded
	}
	return segments, nil
}

func errPath(why string) error {
	return registry.Errorf(registry.Invalid, "the path is malformed: %s", why)
}

func decodeSegment(escaped string) (string, error) {
	s := escaped
	if strings.Contains(s, "%") {
		if strings.Contains(s, "%2e") || strings.Contains(s, "%2E") {
			return "", errPath("dots must not be escaped")
		}
		var err error
		if s, err = url.PathUnescape(escaped); err != nil {
			return "", errPath("an escape is incomplete")
		}
	}
	if s == "" {
		return "", errPath("a segment is empty")
	}
	if strings.Contains(s, `\`) {
		return "", errPath("it holds a backslash")
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "." || part == ".." || part == "" {
			return "", errPath("a segment is empty or a dot segment")
		}
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, isUnprintable) {
		return "", errPath("it holds characters that cannot be seen")
	}
	for i := range len(s) {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			return "", errPath("it is escaped twice")
		}
	}
	return s, nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// parseSegments reads the segments of a path.
func parseSegments(segments []string) (Path, error) {
	if len(segments) == 0 {
		return Path{Kind: KindRoot}, nil
	}
	if segments[0] == "-" {
		return parseMeta(segments[1:])
	}
	switch segments[0][0] {
	case '-', '_', '.': // never the beginning of a name: _changes, .well-known
		return Path{}, errNoRoute
	}
	p := Path{Kind: KindPackument}
	rest, err := p.takeName(segments)
	if err != nil {
		return Path{}, err
	}
	switch {
	case len(rest) == 0:
		return p, nil
	case rest[0] == "-":
		return parseTarball(p, rest[1:])
	case rest[0] == "-rev":
		p.Kind = KindPackumentRev
		return p, p.takeRev(rest[1:])
	case len(rest) == 1:
		p.Kind = KindVersion
		return p, takeText(&p.Version, rest[0])
	}
	return Path{}, errNoRoute
}

// takeName reads a name off the front: one segment, or two when the scope's
// slash is not escaped.
func (p *Path) takeName(segments []string) (rest []string, err error) {
	if len(segments) == 0 {
		return nil, errNoRoute
	}
	name, rest := segments[0], segments[1:]
	if name[0] == '@' && !strings.Contains(name, "/") {
		if len(rest) == 0 {
			return nil, errNoRoute
		}
		if strings.Contains(rest[0], "/") {
			return nil, errPath("it holds an escaped slash")
		}
		name, rest = name+"/"+rest[0], rest[1:]
	}
	p.Name, err = ParseName(name)
	return rest, err
}

// takeText takes a segment that may hold anything but a slash.
func takeText(into *string, segment string) error {
	if strings.Contains(segment, "/") {
		return errPath("it holds an escaped slash")
	}
	*into = segment
	return nil
}

// takeRev reads the end of a path behind -rev. A revision that is missing is
// empty, so that the answer can be about the revision (npm.md 9.3).
func (p *Path) takeRev(rest []string) error {
	switch len(rest) {
	case 0:
		return nil
	case 1:
		return takeText(&p.Rev, rest[0])
	}
	return errNoRoute
}

// parseTarball reads what follows /name/-/: the file, before which the scope
// may stand once more, as in GitLab's addresses.
func parseTarball(p Path, rest []string) (Path, error) {
	if len(rest) == 0 {
		return Path{}, errNoRoute
	}
	file, rest := rest[0], rest[1:]
	if file[0] == '@' && !strings.Contains(file, "/") && len(rest) > 0 && rest[0] != "-rev" {
		file, rest = file+"/"+rest[0], rest[1:]
	}
	if scope, base, ok := strings.Cut(file, "/"); ok {
		if strings.Contains(base, "/") {
			return Path{}, errPath("it holds an escaped slash")
		}
		if p.Name.Scope() == "" || scope != "@"+p.Name.Scope() {
			return Path{}, errNoRoute
		}
		file = base
	}
	p.Kind, p.File = KindTarball, file
	if len(rest) == 0 {
		return p, nil
	}
	if rest[0] != "-rev" {
		return Path{}, errNoRoute
	}
	p.Kind = KindTarballRev
	return p, p.takeRev(rest[1:])
}

// parseMeta reads what follows /-/.
func parseMeta(segments []string) (Path, error) {
	for _, pattern := range metaPatterns {
		if !pattern.fits(segments) {
			continue
		}
		p := Path{Kind: pattern.kind}
		ok, err := p.fill(pattern.parts, segments)
		if err != nil {
			return Path{}, err
		}
		if ok {
			return p, nil
		}
	}
	return Path{}, errNoRoute
}

// fits compares the fixed parts before the first placeholder, without cost for
// most patterns.
func (m metaPattern) fits(segments []string) bool {
	for i, part := range m.parts {
		if i == len(segments) || strings.HasPrefix(part, ":") {
			return i < len(segments)
		}
		if fixed, _, hole := strings.Cut(part, "::"); hole {
			return strings.HasPrefix(segments[i], fixed+":")
		}
		if part != segments[i] {
			return false
		}
	}
	return len(m.parts) == len(segments)
}

// fill matches the segments with a pattern and takes what stands for its
// placeholders.
func (p *Path) fill(parts, segments []string) (ok bool, err error) {
	for _, part := range parts {
		if len(segments) == 0 {
			return part == ":rev" && p.Kind == KindUserRev, nil
		}
		segment := segments[0]
		switch part {
		case ":name":
			if segments, err = p.takeName(segments); err != nil {
				return false, err
			}
			continue
		case ":name@:version":
			return p.fillAttestations(segments)
		case ":tag":
			err = takeText(&p.Tag, segment)
		case ":user":
			err = takeText(&p.User, segment)
		case "org.couchdb.user::user":
			if err = takeText(&p.User, strings.TrimPrefix(segment, "org.couchdb.user:")); p.User == "" {
				return false, err
			}
		case ":team":
			err = takeText(&p.Team, segment)
		case ":rev":
			err = takeText(&p.Rev, segment)
		case ":token":
			err = takeText((*string)(&p.Token), segment)
		default:
			ok = segment == part
			if !ok {
				return false, nil
			}
		}
		if err != nil {
			return false, err
		}
		segments = segments[1:]
	}
	return len(segments) == 0, nil
}

// fillAttestations reads name@version.
func (p *Path) fillAttestations(segments []string) (bool, error) {
	both := strings.Join(segments, "/")
	at := strings.LastIndexByte(both, '@')
	if at <= 0 {
		return false, nil
	}
	var err error
	if p.Name, err = ParseName(both[:at]); err != nil {
		return false, err
	}
	return both[at+1:] != "", takeText(&p.Version, both[at+1:])
}

// Escaped prints the path as clients should send it. Parsing it again gives the
// same Path. It reveals the token, if there is one.
func (p Path) Escaped() string {
	name := p.Name.Escaped()
	if p.Kind == KindTarball || p.Kind == KindTarballRev {
		name = p.Name.String()
	}
	values := map[string]string{
		"name": name, "version": url.PathEscape(p.Version), "tag": url.PathEscape(p.Tag),
		"file": url.PathEscape(p.File), "rev": url.PathEscape(p.Rev), "user": url.PathEscape(p.User),
		"team": url.PathEscape(p.Team), "token": url.PathEscape(p.Token.Reveal()),
	}
	var b strings.Builder
	for segment := range strings.SplitSeq(strings.TrimPrefix(p.Kind.Pattern(), "/"), "/") {
		if segment == ":rev" && p.Rev == "" {
			break
		}
		b.WriteByte('/')
		switch segment {
		case ":name@:version":
			b.WriteString(name + "@" + values["version"])
		case "org.couchdb.user::user":
			b.WriteString("org.couchdb.user:" + values["user"])
		default:
			if value, ok := values[strings.TrimPrefix(segment, ":")]; ok && segment[0] == ':' {
				segment = value
			}
			b.WriteString(segment)
		}
	}
	return b.String()
}
