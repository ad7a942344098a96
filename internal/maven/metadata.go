package maven

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"pakhus/internal/registry"
)

// Bounds of a maven-metadata.xml that a client sends (maven.md 17).
const (
	maxMetadata        = 8 << 20 // bytes
	maxMetadataEntries = 50_000  // versions, files of snapshots, plugins: of each
)

// Metadata is what a client's maven-metadata.xml says, of all three levels. It
// is a signal, and never served: see doc.go.
type Metadata struct {
	GroupID, ArtifactID string
	Version             string // of a snapshot: its base version
	Latest, Release     string
	LastUpdated         string // yyyyMMddHHmmss, as the client wrote it
	Versions            []string
	Snapshot            Build // zero when there is none
	SnapshotVersions    []SnapshotVersion
	Plugins             []Plugin
}

// SnapshotVersion is the newest file of a snapshot with its classifier and
// extension.
type SnapshotVersion struct {
	Classifier string
	Extension  string
	Value      string // 1.0-20260301.101500-7, or literally 1.0-SNAPSHOT
	Updated    string // yyyyMMddHHmmss, UTC
}

// Plugin is a Maven plugin as its group's metadata lists it.
type Plugin struct {
	Name       string
	Prefix     string // what users write before the colon of a goal
	ArtifactID string
}

// ParseMetadata reads a maven-metadata.xml within bounds. What is not one, has a
// document type or entities, or is beyond the bounds, is Invalid. Elements that
// nobody knows are passed over.
func ParseMetadata(r io.Reader) (*Metadata, error) {
	p := &metadataParser{}
	err := walkXML(r, maxMetadata, p.element)
	switch {
	case errors.Is(err, errXML):
		return nil, registry.Wrapf(registry.Invalid, err, "%s is not well-formed, or has a document type or entities, which are not accepted", metadataFile)
	case err != nil:
		return nil, err
	}
	return &p.m, nil
}

type metadataParser struct {
	m         Metadata
	timestamp string
	number    int64
	file      SnapshotVersion
	plugin    Plugin
}

// element takes in an element that has ended.
func (p *metadataParser) element(path []string, text string) error {
	if path[0] != "metadata" {
		return registry.Errorf(registry.Invalid, "%s begins with <%s> and not with <metadata>", metadataFile, path[0])
	}
	switch strings.Join(path[1:], "/") {
	case "groupId":
		p.m.GroupID = text
	case "artifactId":
		p.m.ArtifactID = text
	case "version":
		p.m.Version = text
	case "versioning/latest":
		p.m.Latest = text
	case "versioning/release":
		p.m.Release = text
	case "versioning/lastUpdated":
		p.m.LastUpdated = text
	case "versioning/versions/version":
		if text != "" {
			p.m.Versions = append(p.m.Versions, text)
		}
		return checkCount(len(p.m.Versions), "versions")
	case "versioning/snapshot/timestamp":
		p.timestamp = text
	case "versioning/snapshot/buildNumber":
		return p.buildNumber(text)
	case "versioning/snapshot":
		if p.timestamp != "" {
			p.m.Snapshot = Build{Timestamp: p.timestamp, Number: p.number}
		}
	default:
		return p.entry(strings.Join(path[1:], "/"), text)
	}
	return nil
}

func (p *metadataParser) buildNumber(text string) error {
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return registry.Errorf(registry.Invalid, "buildNumber %q in %s is not a number", text, metadataFile)
	}
	p.number = n
	return nil
}

// entry takes in the elements of snapshotVersions and plugins.
func (p *metadataParser) entry(path, text string) error {
	switch path {
	case "versioning/snapshotVersions/snapshotVersion/classifier":
		p.file.Classifier = text
	case "versioning/snapshotVersions/snapshotVersion/extension":
		p.file.Extension = text
	case "versioning/snapshotVersions/snapshotVersion/value":
		p.file.Value = text
	case "versioning/snapshotVersions/snapshotVersion/updated":
		p.file.Updated = text
	case "versioning/snapshotVersions/snapshotVersion":
		p.m.SnapshotVersions = append(p.m.SnapshotVersions, p.file)
		p.file = SnapshotVersion{}
		return checkCount(len(p.m.SnapshotVersions), "files")
	case "plugins/plugin/name":
		p.plugin.Name = text
	case "plugins/plugin/prefix":
		p.plugin.Prefix = text
	case "plugins/plugin/artifactId":
		p.plugin.ArtifactID = text
	case "plugins/plugin":
		p.m.Plugins = append(p.m.Plugins, p.plugin)
		p.plugin = Plugin{}
		return checkCount(len(p.m.Plugins), "plugins")
	}
	return nil
}

func checkCount(n int, what string) error {
	if n > maxMetadataEntries {
		return registry.Errorf(registry.Invalid, "%s lists more than %d %s", metadataFile, maxMetadataEntries, what)
	}
	return nil
}

// CheckPath tells whether the document can belong to the path that it was sent
// to. What it leaves out is not compared; another groupId, artifactId or base
// version is Invalid.
func (m *Metadata) CheckPath(p Path) error {
	groupID, artifactID := p.GroupID(), ""
	if slash := strings.LastIndexByte(p.Package, '/'); slash >= 0 && (m.ArtifactID != "" || p.Kind == KindSnapshotMetadata) {
		groupID, artifactID = strings.ReplaceAll(p.Package[:slash], "/", "."), p.Package[slash+1:]
	}
	for _, part := range [...]struct{ name, got, want string }{
		{"groupId", m.GroupID, groupID},
		{"artifactId", m.ArtifactID, artifactID},
		{"version", m.snapshotVersion(p), p.Version},
	} {
		if part.got != "" && part.got != part.want {
			return registry.Errorf(registry.Invalid, "%s names %s %q, but was sent to the path of %q", metadataFile, part.name, part.got, part.want)
		}
	}
	return nil
}

// snapshotVersion is the version where it must match the path. Maven 2 wrote one
// into the metadata of artifacts too.
func (m *Metadata) snapshotVersion(p Path) string {
	if p.Kind == KindSnapshotMetadata {
		return m.Version
	}
	return ""
}
