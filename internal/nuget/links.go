package nuget

import (
	"net/url"
	"strconv"
	"strings"

	"pakhus/internal/registry"
)

// splitPrefix cuts the escaped path of a request behind "/packages/nuget": the
// prefix as the client spelled it, and the rest, which begins with a slash or is
// empty. Addresses in documents begin with that spelling: a client sends its
// credential at once only below the folder of the index that it was given
// (nuget.md 1).
func splitPrefix(escaped string) (prefix, rest string, err error) {
	const mark = "/packages/nuget"
	i := strings.Index(escaped, mark)
	if i < 0 {
		return "", "", registry.Errorf(registry.NotFound, "not found")
	}
	return escaped[:i+len(mark)], escaped[i+len(mark):], nil
}

// decodeRef decodes a project or group in a path exactly once.
func decodeRef(escaped string) (string, error) {
	ref, err := url.PathUnescape(escaped)
	if err != nil || strings.ContainsAny(ref, "\\%\x00") || strings.Contains(ref, "..") {
		return "", registry.Errorf(registry.Invalid, "the project or group in the address is malformed")
	}
	return ref, nil
}

// place is the part of addresses below a feed that names a version.
type place struct{ id, version string } // keys

func (p place) folder() string { return "/download/" + url.PathEscape(p.id) + "/" + p.version }

func (p place) nupkg() string {
	return p.folder() + "/" + url.PathEscape(p.id) + "." + p.version + ".nupkg"
}

func (p place) leaf() string {
	return "/metadata/" + url.PathEscape(p.id) + "/" + p.version + ".json"
}

// registrationPath is the address of a package's registration below a feed.
func registrationPath(idKey string) string {
	return "/metadata/" + url.PathEscape(idKey) + "/index.json"
}

// packageFile and symbolsFile are the names that a version's files are stored
// under.
func packageFile(idKey, versionKey string) string { return idKey + "." + versionKey + ".nupkg" }

func symbolsFile(idKey, versionKey string) string { return idKey + "." + versionKey + ".snupkg" }

func formatID(id int64) string { return strconv.FormatInt(id, 10) }
