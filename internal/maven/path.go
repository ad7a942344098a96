package maven

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// Bounds of a path below the repository's root, decoded (maven.md 17).
const (
	maxPath     = 1500 // bytes
	maxSegment  = 255  // bytes
	maxSegments = 40
)

// metadataFile is the one name that the layout keeps for itself everywhere.
const metadataFile = "maven-metadata.xml"

// Kind is what a path names. The zero Kind is none.
type Kind int

// The kinds of path (maven.md 2.1). Checksums and signatures are of the kind of
// what they belong to.
const (
	// KindFile is a file of a version: group, artifact, version, file.
	KindFile Kind = iota + 1
	// KindArtifactMetadata is maven-metadata.xml below two directories or more.
	// It lists the versions of an artifact and, at the same address, the plugins
	// of the group that all directories together name: both are served as one
	// document (maven.md 3.4).
	KindArtifactMetadata
	// KindGroupMetadata is maven-metadata.xml below one directory, which can only
	// be a group.
	KindGroupMetadata
	// KindSnapshotMetadata is maven-metadata.xml of a snapshot version. Package
	// may be one directory, which names no artifact: see CheckWrite.
	KindSnapshotMetadata
	// KindRootMetadata is maven-metadata.xml at the root.
	KindRootMetadata
	// KindListing is a directory with its trailing slash, or the root.
	KindListing
	// KindShort has too few segments for a file. A reader may have left a
	// directory's slash away.
	KindShort
	// KindArchetypeCatalog is archetype-catalog.xml at the root.
	KindArchetypeCatalog
	// KindPrefixes is .meta/prefixes.txt.
	KindPrefixes
	// KindReserved is everything else below a root that begins with a dot.
	KindReserved

	kindCount
)

// Path is what the path of a request names, below the repository's root. It is
// all that anything later knows of the path.
type Path struct {
	Kind     Kind
	Segments []string // decoded; never the trailing empty one of a listing
	// Package is the path without version and file: org/acme/app. Of an artifact's
	// or a group's metadata it is all directories; otherwise it is empty.
	Package string
	// Version is the version's directory, of files and of snapshot metadata.
	Version string
	// File is the last segment, Subject the same without a checksum's suffix, and
	// Base without a signature's as well.
	File, Subject, Base string
	// Checksum is set when the path names a checksum of Subject.
	Checksum Algorithm
	// Signature is set when Subject is a signature of Base.
	Signature bool
}

// ParsePath reads the escaped path of a request below the repository's root,
// with or without the slash in front. All spellings of a path give the same
// Path. It accepts every path that could be read from somewhere; CheckWrite is
// stricter. What no client has reason to send is Invalid: dot segments, escaped
// dots and slashes, backslashes, control characters, paths beyond the bounds.
func ParsePath(escaped string) (Path, error) {
	if len(escaped) > 3*maxPath {
		return Path{}, errTooLong()
	}
	rest, listing := strings.CutSuffix(strings.TrimPrefix(escaped, "/"), "/")
	if rest == "" && !listing {
		return Path{Kind: KindListing}, nil
	}
	segments := strings.Split(rest, "/")
	if len(segments) > maxSegments {
		return Path{}, registry.Errorf(registry.Invalid, "the path has more than %d segments", maxSegments)
	}
	size := len(segments) - 1
	for i, segment := range segments {
		decoded, err := decodeSegment(segment)
		if err != nil {
			return Path{}, err
		}
		segments[i] = decoded
		size += len(decoded)
	}
	if size > maxPath {
		return Path{}, errTooLong()
	}
	if listing {
		return Path{Kind: KindListing, Segments: segments}, nil
	}
	whole := rest
	if strings.Contains(rest, "%") {
		whole = strings.Join(segments, "/")
	}
	return classify(whole, segments), nil
}

func errTooLong() error {
	return registry.Errorf(registry.Invalid, "the path is longer than %d bytes", maxPath)
}

// decodeSegment decodes a segment, once.
func decodeSegment(escaped string) (string, error) {
	s := escaped
	if strings.Contains(s, "%") {
		if strings.Contains(s, "%2e") || strings.Contains(s, "%2E") {
			return "", errSegment(escaped, "dots must not be escaped")
		}
		var err error
		if s, err = url.PathUnescape(escaped); err != nil {
			return "", errSegment(escaped, "an escape is incomplete")
		}
	}
	switch {
	case s == "":
		return "", registry.Errorf(registry.Invalid, "the path is malformed: a segment is empty")
	case s == "." || s == "..":
		return "", errSegment(escaped, "dot segments lead elsewhere")
	case len(s) > maxSegment:
		return "", registry.Errorf(registry.Invalid, "the path is malformed: a segment is longer than %d bytes", maxSegment)
	}
	for i := range len(s) {
		if !isPlain(s[i]) {
			return s, checkCharacters(s, escaped)
		}
	}
	return s, nil
}

// isPlain is true for what nearly all names are made of.
func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_'
}

func checkCharacters(s, escaped string) error {
	switch {
	case !utf8.ValidString(s):
		return errSegment(escaped, "it is not UTF-8")
	case strings.ContainsFunc(s, isUnprintable):
		return errSegment(escaped, "it holds characters that cannot be seen")
	case strings.ContainsAny(s, `/\:"<>|?*`):
		return errSegment(escaped, `none of / \ : " < > | ? * may stand in a name`)
	}
	return nil
}

func errSegment(escaped, why string) error {
	if len(escaped) > maxSegment {
		escaped = escaped[:maxSegment]
	}
	return registry.Errorf(registry.Invalid, "the path is malformed: segment %q: %s", escaped, why)
}

func isUnprintable(r rune) bool {
	if r <= unicode.MaxASCII {
		return r < ' ' || r == 0x7f
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// classify tells what a path without a trailing slash names. whole are its
// segments, joined: packages are named by the beginning of it.
func classify(whole string, segments []string) Path {
	p := Path{Segments: segments, File: segments[len(segments)-1]}
	p.splitFile()
	dirs := segments[:len(segments)-1]
	switch {
	case len(segments) == 2 && segments[0] == ".meta" && p.Base == "prefixes.txt":
		p.Kind = KindPrefixes
	case segments[0][0] == '.':
		p.Kind = KindReserved
	case p.Base == metadataFile:
		p.classifyMetadata(parent(whole, segments), dirs)
	case len(dirs) == 0 && p.Base == "archetype-catalog.xml":
		p.Kind = KindArchetypeCatalog
	case len(dirs) < 3:
		p.Kind = KindShort
	default:
		p.Kind = KindFile
		p.Package, p.Version = parent(parent(whole, segments), dirs), dirs[len(dirs)-1]
	}
	return p
}

// parent is a path of these segments without the last of them.
func parent(whole string, segments []string) string {
	return whole[:max(0, len(whole)-len(segments[len(segments)-1])-len("/"))]
}

func (p *Path) classifyMetadata(whole string, dirs []string) {
	switch n := len(dirs); {
	case n == 0:
		p.Kind = KindRootMetadata
	case n > 1 && IsSnapshotVersion(dirs[n-1]):
		p.Kind = KindSnapshotMetadata
		p.Package, p.Version = parent(whole, dirs), dirs[n-1]
	case n == 1:
		p.Kind, p.Package = KindGroupMetadata, dirs[0]
	default:
		p.Kind, p.Package = KindArtifactMetadata, whole
	}
}

// IsSnapshot tells whether the path lies in a snapshot version. Its directory
// decides, never the file's name.
func (p Path) IsSnapshot() bool { return IsSnapshotVersion(p.Version) }

// IsMetadata tells whether the path names a maven-metadata.xml, or a checksum
// or signature of one.
func (p Path) IsMetadata() bool {
	switch p.Kind {
	case KindArtifactMetadata, KindGroupMetadata, KindSnapshotMetadata, KindRootMetadata:
		return true
	}
	return false
}

// GroupID is the group that Package names when it is taken as one: that of the
// plugins in a group's metadata.
func (p Path) GroupID() string { return strings.ReplaceAll(p.Package, "/", ".") }

// String is the path, decoded, without a slash in front.
func (p Path) String() string {
	s := strings.Join(p.Segments, "/")
	if p.Kind == KindListing && s != "" {
		s += "/"
	}
	return s
}

// Escaped is the path as it stands in a URL, without a slash in front.
func (p Path) Escaped() string {
	var b strings.Builder
	for i, segment := range p.Segments {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(escapeSegment(segment))
	}
	if p.Kind == KindListing && b.Len() > 0 {
		b.WriteByte('/')
	}
	return b.String()
}

// escapeSegment escapes what RFC 3986 does not allow in a segment. What it
// allows stays as it is: Ivy compares the names in a listing's links with their
// text (maven.md 12).
func escapeSegment(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case isPlain(c), strings.IndexByte("~!$&'()*+,=@", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}
