package nuget

import (
	"strings"
	"time"

	"pakhus/internal/registry"
)

// v2Entry is what the V2 feed tells of one version: what the package says of
// itself, and what the registry knows.
type v2Entry struct {
	*Entry
	feed    string // the address of the feed, for files in the package
	at      place
	version Version
	created time.Time
	listed  bool
	// latest and absoluteLatest depend on the other versions that the client is
	// told of: see markLatest.
	latest, absoluteLatest bool
}

// newV2Entry joins a version's row and its entry fragment.
func newV2Entry(feed, idKey string, v *registry.Version, fragment []byte) (*v2Entry, error) {
	entry, err := decodeEntry(fragment)
	if err != nil {
		return nil, err
	}
	version, err := ParseVersion(entry.Version)
	if err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "entry of version %d", v.ID)
	}
	return &v2Entry{
		Entry: entry, feed: feed, at: place{idKey, v.Key}, version: version, created: v.CreatedAt, listed: v.Status == registry.Listed,
	}, nil
}

// v2UnlistedTime is when an unlisted version was published: clients take every
// version for listed that is younger than 1901 (nuget.md 12.1).
var v2UnlistedTime = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

func (e *v2Entry) published() time.Time {
	if !e.listed {
		return v2UnlistedTime
	}
	return e.created
}

// displayTitle is the id where a package has no title, as clients show it.
func (e *v2Entry) displayTitle() string {
	if e.Title != "" {
		return e.Title
	}
	return e.ID
}

// tagText has a blank on both sides, so that a search for ' tag ' finds whole
// tags only.
func (e *v2Entry) tagText() string {
	tags := strings.Fields(e.Tags)
	if len(tags) == 0 {
		return ""
	}
	return " " + strings.Join(tags, " ") + " "
}

// iconURL and licenseURL are the addresses of the files in the package, else
// what the nuspec says.
func (e *v2Entry) iconURL() string {
	if e.IconFile != "" {
		return e.feed + e.at.folder() + "/icon"
	}
	return e.IconURL
}

func (e *v2Entry) licenseURL() string {
	if e.LicenseFile != "" {
		return e.feed + e.at.folder() + "/license"
	}
	return e.LicenseURL
}

// dependencyText is id:range:framework for each dependency, with bars between
// them; a framework that needs nothing is ::framework.
func (e *v2Entry) dependencyText() string {
	var all []string
	for _, group := range e.Dependencies {
		if len(group.Packages) == 0 && group.Framework != "" {
			all = append(all, "::"+group.Framework)
		}
		for _, d := range group.Packages {
			all = append(all, d.ID+":"+d.Range+":"+group.Framework)
		}
	}
	return strings.Join(all, "|")
}

// markLatest says which of a package's versions, in ascending order, are the
// latest: of the listed ones, the last release, and the last of all.
func markLatest(entries []*v2Entry) {
	var release, last *v2Entry
	for _, e := range entries {
		if !e.listed {
			continue
		}
		last = e
		if !e.version.IsPrerelease() {
			release = e
		}
	}
	if release != nil {
		release.latest = true
	}
	if last != nil {
		last.absoluteLatest = true
	}
}
