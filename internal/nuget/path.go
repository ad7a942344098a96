package nuget

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"pakhus/internal/registry"
)

// maxPath bounds the escaped path of a request, in bytes.
const maxPath = 8 << 10

// Kind says what a path asks for.
type Kind int

// The kinds of paths. The zero value is none.
const (
	_ Kind = iota
	KindIndex
	KindSearch
	KindAutocomplete
	KindRegistration
	KindRegistrationPage
	KindRegistrationLeaf
	KindList
	KindFile
	KindSymbol
	KindPush
	KindSymbolPush
	KindVersion
	KindDeprecations
	KindV2Service
	KindV2Metadata
	KindV2Entry
	KindV2List
	KindV2Count
	KindV2Download
	KindV2Newest
	KindV2IDs
	KindV2Versions

	kindCount
)

// Path is what the path of a request names, below the feed's address. It is all
// that anything later knows of the path.
type Path struct {
	Kind         Kind
	ID           ID
	Version      Version
	Lower, Upper Version // bounds of a registration page
	File         FileKind
	Symbol       SymbolKey
	List         v2Resource // of the V2 feed
}

// FileKind says which file of a version a path asks for.
type FileKind string

// The files of a version.
const (
	FilePackage FileKind = "nupkg"
	FileSymbols FileKind = "snupkg"
	FileNuspec  FileKind = "nuspec"
	FileReadme  FileKind = "readme"
	FileIcon    FileKind = "icon"
	FileLicense FileKind = "license"
)

var errNoRoute = registry.Errorf(registry.NotFound, "not found: no such address in this feed")

// splitPath cuts a path at its slashes and decodes each segment, once. What no
// id, version or file name can hold is NotFound (nuget.md 15).
func splitPath(escaped string) ([]string, error) {
	if len(escaped) > maxPath {
		return nil, registry.Errorf(registry.Invalid, "the path is longer than %d bytes", maxPath)
	}
	// A source that ends in a slash, with a path that begins with one.
	path := strings.TrimPrefix(strings.TrimPrefix(escaped, "/"), "/")
	if path = strings.TrimSuffix(path, "/"); path == "" {
		return nil, nil
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		decoded, err := url.PathUnescape(segment)
		if err != nil || decoded == "" || strings.ContainsAny(decoded, "/\\\x00") || decoded == "." || decoded == ".." || !utf8.ValidString(decoded) {
			return nil, errNoRoute
		}
		segments[i] = decoded
	}
	return segments, nil
}

// ParsePath reads what follows the feed's address in an escaped path, for a
// method; HEAD is a GET. All spellings that clients use for a thing give the same
// Path: ids and versions in any case, versions in any form.
//
// A path that names nothing is NotFound. Whether another method would find
// something is for allowedMethods to say.
func ParsePath(method, rest string) (Path, error) {
	segments, err := splitPath(rest)
	if err != nil {
		return Path{}, err
	}
	switch method {
	case http.MethodGet, http.MethodHead:
		return parseRead(segments)
	case http.MethodPut:
		return parsePut(segments)
	case http.MethodPost:
		if p, err := parsePut(segments); err == nil && p.Kind != KindDeprecations {
			return p, nil
		}
		return parseVersionPath(segments)
	case http.MethodDelete:
		return parseVersionPath(segments)
	}
	return Path{}, errNoRoute
}

// allowedMethods are the methods that a path could be asked with; none when no
// method finds anything.
func allowedMethods(rest string) []string {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete} {
		if _, err := ParsePath(method, rest); err == nil {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// parseRead reads the path of a GET. The index has several addresses, because
// clients tell V3 from V2 by how the address ends (nuget.md 1.1).
func parseRead(segments []string) (Path, error) {
	if len(segments) <= 2 { // the others are asked for often
		switch strings.ToLower(strings.Join(segments, "/")) {
		case "", "index.json", "index", "v3/index.json", "v3/index", "v3":
			return Path{Kind: KindIndex}, nil
		case "query":
			return Path{Kind: KindSearch}, nil
		case "autocomplete":
			return Path{Kind: KindAutocomplete}, nil
		}
	}
	if strings.EqualFold(segments[0], "v2") {
		return parseV2(segments[1:])
	}
	if len(segments) < 2 {
		return Path{}, errNoRoute
	}
	switch strings.ToLower(segments[0]) {
	case "metadata":
		return parseRegistration(segments[1:])
	case "download":
		return parseDownload(segments[1:])
	case "symbolfiles":
		return parseSymbolPath(segments[1:])
	}
	return Path{}, errNoRoute
}

// isIndex tells whether a segment asks for the list of what lies in its folder;
// GitLab serves it without an extension too (gitlab.md 4.1).
func isIndex(segment string) bool {
	return strings.EqualFold(segment, "index.json") || strings.EqualFold(segment, "index")
}

// parseRegistration reads ID/index.json, ID/VERSION.json and
// ID/page/LOWER/UPPER.json.
func parseRegistration(segments []string) (Path, error) {
	id, err := ParseID(segments[0])
	if err != nil {
		return Path{}, errNoRoute
	}
	switch {
	case len(segments) == 1, len(segments) == 2 && isIndex(segments[1]):
		return Path{Kind: KindRegistration, ID: id}, nil
	case len(segments) == 2:
		v, err := ParseVersion(trimJSON(segments[1]))
		if err != nil {
			return Path{}, errNoRoute
		}
		return Path{Kind: KindRegistrationLeaf, ID: id, Version: v}, nil
	case len(segments) == 4 && strings.EqualFold(segments[1], "page"):
		lower, lowErr := ParseVersion(segments[2])
		upper, highErr := ParseVersion(trimJSON(segments[3]))
		if lowErr != nil || highErr != nil {
			return Path{}, errNoRoute
		}
		return Path{Kind: KindRegistrationPage, ID: id, Lower: lower, Upper: upper}, nil
	}
	return Path{}, errNoRoute
}

func trimJSON(segment string) string {
	if rest, ok := cutSuffixFold(segment, ".json"); ok {
		return rest
	}
	return segment
}

// parseDownload reads ID/index.json and ID/VERSION/FILE.
func parseDownload(segments []string) (Path, error) {
	id, err := ParseID(segments[0])
	if err != nil {
		return Path{}, errNoRoute
	}
	switch {
	case len(segments) == 2 && isIndex(segments[1]):
		return Path{Kind: KindList, ID: id}, nil
	case len(segments) == 3:
		v, err := ParseVersion(segments[1])
		if err != nil {
			return Path{}, errNoRoute
		}
		file, ok := parseFileName(segments[2], id, v)
		if !ok {
			return Path{}, errNoRoute
		}
		return Path{Kind: KindFile, ID: id, Version: v, File: file}, nil
	}
	return Path{}, errNoRoute
}

// parseFileName reads the last segment of a download. Id and version in it must
// be those of the segments before, in whatever spelling.
func parseFileName(name string, id ID, v Version) (FileKind, bool) {
	switch lower := strings.ToLower(name); FileKind(lower) {
	case FileReadme, FileIcon, FileLicense:
		return FileKind(lower), true
	}
	if stem, ok := cutSuffixFold(name, ".nuspec"); ok {
		return FileNuspec, foldID(stem) == id.Key()
	}
	for _, kind := range []FileKind{FileSymbols, FilePackage} {
		stem, ok := cutSuffixFold(name, "."+string(kind))
		if !ok {
			continue
		}
		if rest, ok := strings.CutPrefix(foldID(stem), id.Key()+"."); ok {
			named, err := ParseVersion(rest)
			return kind, err == nil && named.Key() == v.Key()
		}
	}
	return "", false
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if i := len(s) - len(suffix); i >= 0 && strings.EqualFold(s[i:], suffix) {
		return s[:i], true
	}
	return s, false
}

// parsePut reads the path of a push. V2 clients push to the same packages.
func parsePut(segments []string) (Path, error) {
	switch strings.ToLower(strings.Join(segments, "/")) {
	case "", "package", "v2", "v2/package", "index.json", "v3/index.json":
		return Path{Kind: KindPush}, nil
	case "symbolpackage", "v2/symbolpackage":
		return Path{Kind: KindSymbolPush}, nil
	}
	segments = cutPublishPrefix(segments)
	if len(segments) == 2 && strings.EqualFold(segments[1], "deprecations") {
		if id, err := ParseID(segments[0]); err == nil {
			return Path{Kind: KindDeprecations, ID: id}, nil
		}
	}
	return Path{}, errNoRoute
}

// cutPublishPrefix takes off what may stand between the feed's address and the
// id: clients append to the address that they push to (nuget.md 7.2).
func cutPublishPrefix(segments []string) []string {
	if len(segments) > 2 && strings.EqualFold(segments[0], "v2") {
		segments = segments[1:]
	}
	if len(segments) > 2 && strings.EqualFold(segments[0], "package") {
		segments = segments[1:]
	}
	return segments
}

// parseVersionPath reads ID/VERSION, which DELETE and POST work on.
func parseVersionPath(segments []string) (Path, error) {
	segments = cutPublishPrefix(segments)
	if len(segments) != 2 {
		return Path{}, errNoRoute
	}
	id, err := ParseID(segments[0])
	if err != nil {
		return Path{}, errNoRoute
	}
	v, err := ParseVersion(segments[1])
	if err != nil {
		return Path{}, errNoRoute
	}
	return Path{Kind: KindVersion, ID: id, Version: v}, nil
}
