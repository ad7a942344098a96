package nuget

import (
	"strings"

	"pakhus/internal/registry"
)

// v2Resource is a list of the V2 feed.
type v2Resource string

// The lists, as $metadata spells them.
const (
	v2Packages   v2Resource = "Packages"
	v2Search     v2Resource = "Search"
	v2FindByID   v2Resource = "FindPackagesById"
	v2GetUpdates v2Resource = "GetUpdates"
)

// v2Resources finds lists by their lower-case names.
var v2Resources = map[string]v2Resource{
	"packages": v2Packages, "search": v2Search, "findpackagesbyid": v2FindByID, "getupdates": v2GetUpdates,
}

// address is how clients ask for a list.
func (r v2Resource) address() string { return string(r) + "()" }

// parseV2 reads the path of a GET below the V2 address. An entry's key that
// names no package is Invalid, as are all malformed queries of OData
// (nuget.md 15); other paths that name nothing are NotFound.
func parseV2(segments []string) (Path, error) {
	if len(segments) == 0 {
		return Path{Kind: KindV2Service}, nil
	}
	name, key, hasKey := strings.Cut(segments[0], "(")
	name = strings.ToLower(name)
	if resource, ok := v2Resources[name]; ok {
		if key = strings.TrimSuffix(key, ")"); strings.TrimSpace(key) != "" {
			return parseV2Key(resource, key, segments[1:])
		}
		return parseV2List(resource, segments[1:])
	}
	if hasKey {
		return Path{}, errNoRoute
	}
	switch {
	case name == "$metadata" && len(segments) == 1:
		return Path{Kind: KindV2Metadata}, nil
	case name == "package-ids" && len(segments) == 1:
		return Path{Kind: KindV2IDs}, nil
	case name == "package-versions" && len(segments) == 2:
		return parseV2Download(KindV2Versions, segments[1:])
	case name == "package" && len(segments) == 2:
		return parseV2Download(KindV2Newest, segments[1:])
	case name == "package" && len(segments) == 3:
		return parseV2Download(KindV2Download, segments[1:])
	}
	return Path{}, errNoRoute
}

// parseV2List reads what follows a list's name: nothing, or $count.
func parseV2List(resource v2Resource, rest []string) (Path, error) {
	switch {
	case len(rest) == 0:
		return Path{Kind: KindV2List, List: resource}, nil
	case len(rest) == 1 && strings.EqualFold(rest[0], "$count"):
		return Path{Kind: KindV2Count, List: resource}, nil
	}
	return Path{}, errNoRoute
}

// parseV2Key reads an entry's key, Id='x',Version='1.0' in either order, and what
// follows it: nothing, or $value for the package itself.
func parseV2Key(resource v2Resource, key string, rest []string) (Path, error) {
	if resource != v2Packages {
		return Path{}, errV2Key
	}
	tokens, err := lexOData(key)
	if err != nil {
		return Path{}, err
	}
	if len(tokens) != 8 || !tokens[3].is(",") {
		return Path{}, errV2Key
	}
	p := Path{Kind: KindV2Entry}
	for _, part := range [][]odataToken{tokens[0:3], tokens[4:7]} {
		switch {
		case !part[1].is("=") || part[2].kind != odataQuoted:
			return Path{}, errV2Key
		case part[0].isWord("Id"):
			p.ID, err = ParseID(part[2].text)
		case part[0].isWord("Version"):
			p.Version, err = ParseVersion(part[2].text)
		default:
			return Path{}, errV2Key
		}
		if err != nil {
			return Path{}, err
		}
	}
	switch {
	case p.ID.IsZero() || p.Version.Original() == "":
		return Path{}, errV2Key
	case len(rest) == 0:
		return p, nil
	case len(rest) == 1 && strings.EqualFold(rest[0], "$value"):
		p.Kind, p.File = KindV2Download, FilePackage
		return p, nil
	}
	return Path{}, errNoRoute
}

var errV2Key = registry.Errorf(registry.Invalid, "an entry is named Packages(Id='..',Version='..')")

// parseV2Download reads ID and ID/VERSION.
func parseV2Download(kind Kind, segments []string) (Path, error) {
	id, err := ParseID(segments[0])
	if err != nil {
		return Path{}, errNoRoute
	}
	p := Path{Kind: kind, ID: id, File: FilePackage}
	if len(segments) == 2 {
		if p.Version, err = ParseVersion(segments[1]); err != nil {
			return Path{}, errNoRoute
		}
	}
	return p, nil
}
