package npm

import (
	"net/url"
	"strings"

	"pakhus/internal/registry"
)

// TarballForm says what tarball addresses look like in documents.
type TarballForm string

// The forms (npm.md 2.2). Canonical addresses lie below the registry that was
// asked, which npm 12 insists on; GitLab's lie below the project and repeat the
// scope, as the lockfiles of installations that come from GitLab have them.
const (
	CanonicalTarballs TarballForm = "canonical"
	GitLabTarballs    TarballForm = "gitlab"
)

// tarballFile is the file name that a version is stored under and asked by.
func tarballFile(name Name, version string) string { return name.Base() + "-" + version + ".tgz" }

// tarballURLs gives what stands before and behind the version in each tarball
// address of a package: only the version differs between them.
func (h *Handler) tarballURLs(base string, projectID int64, name Name) (before, after string) {
	if h.opts.Tarballs == GitLabTarballs {
		base = h.projectBase(projectID)
		return base + "/" + name.String() + "/-/" + name.String() + "-", ".tgz"
	}
	return base + "/" + name.String() + "/-/" + name.Base() + "-", ".tgz"
}

// projectBase is the registry address of a project, without a final slash.
func (h *Handler) projectBase(projectID int64) string {
	return h.opts.ExternalURL + "/api/v4/projects/" + formatID(projectID) + "/packages/npm"
}

// projectHint tells where to publish, for refusals at group and instance level.
func (h *Handler) projectHint() string {
	return h.opts.ExternalURL + "/api/v4/projects/<id>/packages/npm/"
}

// splitPrefix cuts the escaped path of a request behind "/packages/npm": the
// prefix as the client spelled it, and the rest, which begins with a slash or is
// empty.
func splitPrefix(u *url.URL) (prefix, rest string, err error) {
	const mark = "/packages/npm"
	escaped := u.RawPath // httpapi leaves it empty when nothing is escaped
	if escaped == "" {
		escaped = u.EscapedPath()
	}
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
