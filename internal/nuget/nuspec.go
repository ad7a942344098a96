package nuget

import (
	"slices"
	"strings"

	"pakhus/internal/registry"
)

// Bounds of a nuspec (nuget.md 9). Packers write a few kilobytes.
const (
	maxNuspec       = 1 << 20 // bytes
	maxXMLDepth     = 32
	maxAttributes   = 64 // of one element
	maxGroups       = 1000
	maxDependencies = 10_000 // of all groups together
	maxPackageTypes = 100
)

// Nuspec is the manifest of a package, as far as documents show it.
type Nuspec struct {
	ID      ID
	Version Version

	// Texts as the package has them, without white space around them. What is
	// longer than the gallery allows is cut, with a warning.
	Title, Authors, Owners, Description, Summary, ReleaseNotes, Language, Copyright, Tags string

	// Absolute http or https addresses, or empty.
	ProjectURL, LicenseURL, IconURL string

	License License
	// Icon and Readme are paths in the package with forward slashes, or empty.
	Icon, Readme string

	RequireLicenseAcceptance, DevelopmentDependency bool

	MinClientVersion string        // normalized, or empty
	PackageTypes     []PackageType // at least one
	Repository       Repository
	Groups           []DependencyGroup

	// Warnings are sentences about what was left out or cut, for the publisher:
	// printable ASCII on one line each.
	Warnings []string
}

// License is the license of a package: an SPDX expression, or the path of a file
// in the package. Type is empty when the nuspec names neither.
type License struct {
	Type string // "expression", "file"
	Text string
}

// The types of a License.
const (
	LicenseExpression = "expression"
	LicenseFile       = "file"
)

// PackageType says what a package is for.
type PackageType struct {
	Name    string
	Version string // normalized, or empty
}

// The package types that mean something here.
const (
	typeDependency = "Dependency"
	typeSymbols    = "SymbolsPackage"
	typeMCPServer  = "McpServer"
)

// Repository is where the sources of a package are.
type Repository struct {
	Type, URL, Branch, Commit string
}

// ParseNuspec reads a nuspec: XML in UTF-8 or UTF-16. What would keep clients
// from reading the package is Invalid; a field that is of no use alone is left
// out with a warning.
func ParseNuspec(raw []byte) (*Nuspec, error) {
	if len(raw) > maxNuspec {
		return nil, registry.Errorf(registry.Invalid, "the nuspec is larger than %d bytes", maxNuspec)
	}
	xml, err := newXMLReader(raw)
	if err != nil {
		return nil, err
	}
	p := nuspecParser{xml: xml, fields: map[string]string{}}
	if err := p.document(); err != nil {
		return nil, err
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	return &p.Nuspec, nil
}

// IsSemVer2 tells whether clients from before SemVer 2.0 cannot use the package:
// because of its version, or because of one that it depends on.
func (n *Nuspec) IsSemVer2() bool {
	if n.Version.IsSemVer2() {
		return true
	}
	return slices.ContainsFunc(n.Groups, func(g DependencyGroup) bool {
		return slices.ContainsFunc(g.Dependencies, func(d Dependency) bool { return d.Range.IsSemVer2() })
	})
}

// HasType tells whether the package is of a type, whose name has no case.
func (n *Nuspec) HasType(name string) bool {
	return slices.ContainsFunc(n.PackageTypes, func(t PackageType) bool { return strings.EqualFold(t.Name, name) })
}

// IsSymbols tells whether the package holds symbols only.
func (n *Nuspec) IsSymbols() bool { return n.HasType(typeSymbols) }

// AuthorList is the authors one by one.
func (n *Nuspec) AuthorList() []string { return splitList(n.Authors, ",") }

// OwnerList is the owners one by one.
func (n *Nuspec) OwnerList() []string { return splitList(n.Owners, ",") }

// TagList is the tags one by one, in their order. Packers separate them by
// blanks, and old ones by commas or semicolons.
func (n *Nuspec) TagList() []string { return splitList(n.Tags, " \t\r\n,;") }

// splitList takes white space and repeats out; the list is never nil, because
// documents show an empty one.
func splitList(s, separators string) []string {
	list := []string{}
	seen := map[string]struct{}{}
	for _, item := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		item = strings.TrimSpace(item)
		if _, repeated := seen[item]; item == "" || repeated {
			continue
		}
		seen[item] = struct{}{}
		list = append(list, item)
	}
	return list
}
