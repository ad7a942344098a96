package npm

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
