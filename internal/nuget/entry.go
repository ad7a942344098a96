package nuget

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"pakhus/internal/registry"
)

// entryFragment is the kind of the fragment that holds a version's Entry.
const entryFragment registry.FragmentKind = "entry"

// Entry is all that the package says of itself in one version: what
// registrations, search and the V2 feed show. It is stored as JSON and does not
// change as long as the package's bytes do not. Whether the version is listed is
// in its row.
type Entry struct {
	ID       string `json:"id"`       // as in this version's nuspec
	Version  string `json:"version"`  // normalized, with build metadata
	Original string `json:"original"` // as in the nuspec

	Title        string `json:"title,omitempty"`
	Authors      string `json:"authors,omitempty"` // with commas between them
	Owners       string `json:"owners,omitempty"`
	Description  string `json:"description,omitempty"`
	Summary      string `json:"summary,omitempty"`
	ReleaseNotes string `json:"releaseNotes,omitempty"`
	Language     string `json:"language,omitempty"`
	Copyright    string `json:"copyright,omitempty"`
	Tags         string `json:"tags,omitempty"` // with blanks between them

	ProjectURL        string `json:"projectUrl,omitempty"`
	LicenseURL        string `json:"licenseUrl,omitempty"`
	IconURL           string `json:"iconUrl,omitempty"`
	LicenseExpression string `json:"licenseExpression,omitempty"` // SPDX
	// Names of files in the package; empty when there is none.
	LicenseFile string `json:"licenseFile,omitempty"`
	IconFile    string `json:"iconFile,omitempty"`
	ReadmeFile  string `json:"readmeFile,omitempty"`

	RequireLicenseAcceptance bool              `json:"requireLicenseAcceptance,omitempty"`
	DevelopmentDependency    bool              `json:"developmentDependency,omitempty"`
	MinClientVersion         string            `json:"minClientVersion,omitempty"`
	PackageTypes             []EntryType       `json:"packageTypes"` // at least one
	Repository               *EntryRepository  `json:"repository,omitempty"`
	Dependencies             []EntryDependents `json:"dependencies,omitempty"`

	Prerelease bool   `json:"prerelease,omitempty"`
	SemVer2    bool   `json:"semVer2,omitempty"` // also when a dependency's range is
	Hash       string `json:"hash"`              // SHA-512 of the package in base64
	Size       int64  `json:"size"`              // bytes
}

// EntryType is a package type.
type EntryType struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// EntryRepository says where the sources are.
type EntryRepository struct {
	Type   string `json:"type,omitempty"`
	URL    string `json:"url,omitempty"`
	Branch string `json:"branch,omitempty"`
	Commit string `json:"commit,omitempty"`
}

// EntryDependents are the dependencies for one target framework. A group
// without dependencies says that the framework is supported and needs nothing.
type EntryDependents struct {
	Framework string            `json:"framework,omitempty"` // short name; empty: any
	Packages  []EntryDependency `json:"packages,omitempty"`
}

// EntryDependency is one dependency.
type EntryDependency struct {
	ID    string `json:"id"`
	Range string `json:"range"` // normalized
}

// newEntry makes the entry of a package that was just checked.
func newEntry(n *Nuspec, digests registry.Digests) *Entry {
	e := &Entry{
		ID: n.ID.String(), Version: n.Version.Full(), Original: n.Version.Original(),
		Title: n.Title, Authors: strings.Join(n.AuthorList(), ", "), Owners: strings.Join(n.OwnerList(), ", "),
		Description: n.Description, Summary: n.Summary, ReleaseNotes: n.ReleaseNotes, Language: n.Language, Copyright: n.Copyright,
		Tags: strings.Join(n.TagList(), " "), ProjectURL: n.ProjectURL, LicenseURL: n.LicenseURL, IconURL: n.IconURL,
		IconFile: n.Icon, ReadmeFile: n.Readme, RequireLicenseAcceptance: n.RequireLicenseAcceptance,
		DevelopmentDependency: n.DevelopmentDependency, MinClientVersion: n.MinClientVersion,
		Prerelease: n.Version.IsPrerelease(), SemVer2: n.IsSemVer2(),
		Hash: base64.StdEncoding.EncodeToString(digests.SHA512[:]), Size: digests.Size,
	}
	switch n.License.Type {
	case LicenseExpression:
		e.LicenseExpression = n.License.Text
	case LicenseFile:
		e.LicenseFile = n.License.Text
	}
	if n.Repository != (Repository{}) {
		e.Repository = &EntryRepository{Type: n.Repository.Type, URL: n.Repository.URL, Branch: n.Repository.Branch, Commit: n.Repository.Commit}
	}
	for _, t := range n.PackageTypes {
		e.PackageTypes = append(e.PackageTypes, EntryType(t))
	}
	for _, g := range n.Groups {
		group := EntryDependents{Framework: g.Framework.ShortName()}
		for _, d := range g.Dependencies {
			group.Packages = append(group.Packages, EntryDependency{ID: d.ID.String(), Range: d.Range.String()})
		}
		e.Dependencies = append(e.Dependencies, group)
	}
	return e
}

func (e *Entry) encode() ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "encode entry")
	}
	return b, nil
}

// decodeEntry is the inverse of encode.
func decodeEntry(data []byte) (*Entry, error) {
	e := &Entry{}
	if err := json.Unmarshal(data, e); err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "entry of a version")
	}
	return e, nil
}
