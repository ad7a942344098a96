package maven

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// updatedLayout is how times stand in metadata, UTC.
const updatedLayout = "20060102150405"

// FormatUpdated gives a time as metadata says it.
func FormatUpdated(t time.Time) string { return t.UTC().Format(updatedLayout) }

const (
	xmlHeader    = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	metadataHead = xmlHeader + "<metadata modelVersion=\"1.1.0\">\n"
	metadataFoot = "</metadata>\n"
)

// ArtifactMetadata is what the metadata of an artifact says. Of an address that
// is a group's too, Plugins are the group's (maven.md 3.4, rule 8).
type ArtifactMetadata struct {
	GroupID, ArtifactID string
	Versions            []string  // as SortVersions leaves them
	Updated             time.Time // of the newest visible change
	Plugins             []Plugin
}

// AppendArtifactMetadata appends the document of an artifact, or of a group
// when there are no versions. With neither versions nor plugins it appends
// nothing. The same state always gives the same bytes.
//
// release is the highest version that is no snapshot and latest the highest of
// all, not what came last: a hot-fix 1.9.9 after 2.0.0 becomes neither.
func AppendArtifactMetadata(b []byte, m ArtifactMetadata) []byte {
	if len(m.Versions) == 0 {
		return AppendGroupMetadata(b, m.Plugins)
	}
	b = append(b, metadataHead...)
	b = appendElement(b, 1, "groupId", m.GroupID)
	b = appendElement(b, 1, "artifactId", m.ArtifactID)
	b = appendTag(b, 1, "versioning")
	b = appendElement(b, 2, "latest", m.Versions[len(m.Versions)-1])
	for _, v := range slices.Backward(m.Versions) {
		if !IsSnapshotVersion(v) {
			b = appendElement(b, 2, "release", v)
			break
		}
	}
	b = appendTag(b, 2, "versions")
	for _, v := range m.Versions {
		b = appendElement(b, 3, "version", v)
	}
	b = appendTag(b, 2, "/versions")
	b = appendElement(b, 2, "lastUpdated", FormatUpdated(m.Updated))
	b = appendTag(b, 1, "/versioning")
	b = appendPlugins(b, m.Plugins)
	return append(b, metadataFoot...)
}

// AppendGroupMetadata appends the document of a group: its plugins, by prefix,
// each once. Without plugins it appends nothing.
func AppendGroupMetadata(b []byte, plugins []Plugin) []byte {
	if len(plugins) == 0 {
		return b
	}
	b = append(b, metadataHead...)
	b = appendPlugins(b, plugins)
	return append(b, metadataFoot...)
}

func appendPlugins(b []byte, plugins []Plugin) []byte {
	if len(plugins) == 0 {
		return b
	}
	sorted := slices.SortedFunc(slices.Values(plugins), func(a, b Plugin) int {
		return cmp.Or(strings.Compare(a.Prefix, b.Prefix), strings.Compare(a.ArtifactID, b.ArtifactID), strings.Compare(a.Name, b.Name))
	})
	sorted = slices.CompactFunc(sorted, func(a, b Plugin) bool { return a.Prefix == b.Prefix && a.ArtifactID == b.ArtifactID })
	b = appendTag(b, 1, "plugins")
	for _, p := range sorted {
		b = appendTag(b, 2, "plugin")
		if p.Name != "" {
			b = appendElement(b, 3, "name", p.Name)
		}
		b = appendElement(b, 3, "prefix", p.Prefix)
		b = appendElement(b, 3, "artifactId", p.ArtifactID)
		b = appendTag(b, 2, "/plugin")
	}
	return appendTag(b, 1, "/plugins")
}

// SnapshotMetadata is what the metadata of a snapshot version says.
type SnapshotMetadata struct {
	GroupID, ArtifactID, Version string
	Build                        Build // zero: there are literal files only
	Updated                      time.Time
	Files                        []SnapshotVersion // in the order in which they are written
}

// AppendSnapshotMetadata appends the document of a snapshot version. Without
// files it appends nothing. Without a build there is no snapshot element, so
// that readers which know nothing else ask for the literal name.
func AppendSnapshotMetadata(b []byte, m SnapshotMetadata) []byte {
	if len(m.Files) == 0 {
		return b
	}
	b = append(b, metadataHead...)
	b = appendElement(b, 1, "groupId", m.GroupID)
	b = appendElement(b, 1, "artifactId", m.ArtifactID)
	b = appendElement(b, 1, "version", m.Version)
	b = appendTag(b, 1, "versioning")
	if !m.Build.IsZero() {
		b = appendTag(b, 2, "snapshot")
		b = appendElement(b, 3, "timestamp", m.Build.Timestamp)
		b = appendElement(b, 3, "buildNumber", strconv.FormatInt(m.Build.Number, 10))
		b = appendTag(b, 2, "/snapshot")
	}
	b = appendElement(b, 2, "lastUpdated", FormatUpdated(m.Updated))
	b = appendTag(b, 2, "snapshotVersions")
	for _, f := range m.Files {
		b = appendTag(b, 3, "snapshotVersion")
		if f.Classifier != "" {
			b = appendElement(b, 4, "classifier", f.Classifier)
		}
		b = appendElement(b, 4, "extension", f.Extension)
		b = appendElement(b, 4, "value", f.Value)
		b = appendElement(b, 4, "updated", f.Updated)
		b = appendTag(b, 3, "/snapshotVersion")
	}
	b = appendTag(b, 2, "/snapshotVersions")
	b = appendTag(b, 1, "/versioning")
	return append(b, metadataFoot...)
}
