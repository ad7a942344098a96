package maven

import (
	"regexp"
	"strings"

	"pakhus/internal/registry"
)

// What names may be made of on upload (maven.md 2.2). Reads are freer, so that
// what came in by another way stays readable.
var (
	writeDirectory = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]*$`)
	writeVersion   = regexp.MustCompile(`^[A-Za-z0-9_+~-][A-Za-z0-9_.+~-]*$`)
	writeFile      = regexp.MustCompile(`^[A-Za-z0-9_+~-][A-Za-z0-9_.+~@=,!$()-]*$`)
	// stampedVersion is a directory that Maven, Gradle and Ivy never look into:
	// they find a build's files in the directory of its base version.
	stampedVersion = regexp.MustCompile(`^(.*-)?[0-9]{8}\.[0-9]{6}-[0-9]+$`)
)

// CheckWrite tells whether something may be stored under the path, or in the
// metadata's case be sent there. Below a reserved root the error is Forbidden, of
// GitLab's internal route NotFound, otherwise Invalid; it says which segment is
// wrong and why.
func (p Path) CheckWrite() error {
	switch p.Kind {
	case KindReserved, KindPrefixes:
		return registry.Errorf(registry.Forbidden, "%q is reserved: nothing can be stored below it", p.Segments[0])
	case KindListing:
		return registry.Errorf(registry.Invalid, "the path ends in a slash: it names a directory and not a file")
	case KindRootMetadata:
		return registry.Errorf(registry.Invalid, "%s at the root belongs to no group", metadataFile)
	case KindArchetypeCatalog:
		return nil
	case KindFile, KindArtifactMetadata, KindGroupMetadata, KindSnapshotMetadata:
		return p.checkNames()
	}
	return registry.Errorf(registry.Invalid, "path %q is too short: a file lies at group/artifact/version/file", p.String())
}

func (p Path) checkNames() error {
	for segment := range strings.SplitSeq(p.Package, "/") {
		if !writeDirectory.MatchString(segment) {
			return errWriteSegment(segment, "a group or artifact may only hold letters, digits and _ - . and may not begin with a dot")
		}
	}
	if p.Version != "" {
		if err := checkWriteVersion(p.Version); err != nil {
			return err
		}
	}
	if p.IsMetadata() {
		if p.Kind == KindSnapshotMetadata && !strings.Contains(p.Package, "/") {
			return registry.Errorf(registry.Invalid, "path %q has no groupId: metadata of a snapshot lies at group/artifact/version/%s", p.String(), metadataFile)
		}
		return nil
	}
	if p.File == "authorize" { // GitLab's upload proxy asks there (gitlab.md 5.1)
		return registry.Errorf(registry.NotFound, "not found: uploads need no permission in advance here")
	}
	if !writeFile.MatchString(p.File) {
		return errWriteSegment(p.File, "a file's name may only hold letters, digits and _ . + ~ @ = , ! $ ( ) - and may not begin with a dot or a sign other than + - ~ _")
	}
	if why := p.debris(); why != "" {
		return errWriteSegment(p.File, why)
	}
	return nil
}

func checkWriteVersion(version string) error {
	switch {
	case !writeVersion.MatchString(version):
		return errWriteSegment(version, "a version may only hold letters, digits and _ . + ~ - and may not begin with a dot")
	case strings.Contains(version, ".."):
		return errWriteSegment(version, "a version may not hold two dots in a row")
	case stampedVersion.MatchString(version):
		return errWriteSegment(version, "a version that ends in a snapshot's timestamp would be found by no client: they look in the directory that ends in -SNAPSHOT")
	}
	return nil
}

func errWriteSegment(segment, why string) error {
	return registry.Errorf(registry.Invalid, "%q: %s", segment, why)
}

// debris says what a file is that only a local repository has, for whoever
// copies ~/.m2 to a server. It is empty for all others.
func (p Path) debris() string {
	switch {
	case p.Base == "_remote.repositories", p.Base == "_maven.repositories",
		p.Base == "resolver-status.properties", p.Base == "m2e-lastUpdated.properties",
		strings.HasSuffix(p.Base, ".lastUpdated"):
		return "this is a note that Maven keeps in its local repository, and no artifact"
	case strings.HasPrefix(p.Base, "maven-metadata-") && strings.HasSuffix(p.Base, ".xml"):
		if _, ok := ParseCoordinates(p); !ok { // an artifact may be called so
			return "this is Maven's local copy of a repository's metadata, and no artifact"
		}
	}
	return ""
}
