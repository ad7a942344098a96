package nuget

import (
	"cmp"
	"encoding/json"
	"slices"

	"pakhus/internal/registry"
)

// view is what a client wants to see of a package: with prereleases or without,
// with SemVer 2 versions or without.
type view int

const views = 4

func newView(prerelease, semVer2 bool) view {
	v := view(0)
	if prerelease {
		v |= 1
	}
	if semVer2 {
		v |= 2
	}
	return v
}

// shows tells whether a version is seen in the view.
func (v view) shows(prerelease, semVer2 bool) bool {
	return (!prerelease || v&1 != 0) && (!semVer2 || v&2 != 0)
}

// maxListed bounds the versions that a search result tells of a package: the
// newest. Registrations have them all.
const maxListed = 100

// maxShown bounds the texts of a search result, in bytes.
const maxShown = 4000

// summary is what search knows of a package: it is stored with the package's
// listing as JSON. It holds enough to add a version without reading the others.
type summary struct {
	// Best are the entries that represent the package, in one view or several.
	Best []bestEntry `json:"best"`
	// Versions are the newest listed ones, newest first.
	Versions []listedVersion `json:"versions"`
}

// bestEntry is the newest listed version of some views.
type bestEntry struct {
	listedVersion
	Entry *Entry `json:"entry"`
	Views []view `json:"views"`
}

// listedVersion is a listed version of a package.
type listedVersion struct {
	Key        string `json:"key"`
	SortKey    string `json:"sort"`
	Version    string `json:"version"` // full
	Prerelease bool   `json:"prerelease,omitempty"`
	SemVer2    bool   `json:"semVer2,omitempty"`
}

func decodeSummary(data []byte) (*summary, error) {
	s := &summary{}
	if len(data) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "summary of a listing")
	}
	return s, nil
}

// addToListing makes the listing of a package with one more version from its
// summary before.
func addToListing(before []byte, key, sortKey string, e *Entry) (*registry.Listing, error) {
	s, err := decodeSummary(before)
	if err != nil {
		return nil, err
	}
	added := listedVersion{Key: key, SortKey: sortKey, Version: e.Version, Prerelease: e.Prerelease, SemVer2: e.SemVer2}
	s.addVersion(added)
	best := bestEntry{listedVersion: added, Entry: e.shown()}
	for v := range view(views) {
		if !v.shows(e.Prerelease, e.SemVer2) {
			continue
		}
		if i := s.find(v); i < 0 || s.Best[i].Key == key || s.Best[i].SortKey <= sortKey {
			s.take(v)
			best.Views = append(best.Views, v)
		}
	}
	if len(best.Views) > 0 {
		s.Best = append(s.Best, best)
	}
	return s.listing()
}

// addVersion puts a version in its place, or in that of one with the same key.
func (s *summary) addVersion(added listedVersion) {
	s.Versions = slices.DeleteFunc(s.Versions, func(l listedVersion) bool { return l.Key == added.Key })
	s.Versions = append(s.Versions, added)
	s.trim()
}

// trim orders the versions and keeps the newest.
func (s *summary) trim() {
	slices.SortStableFunc(s.Versions, func(a, b listedVersion) int { return cmp.Compare(b.SortKey, a.SortKey) })
	s.Versions = s.Versions[:min(len(s.Versions), maxListed)]
}

// find gives the index of the entry that represents the package in a view; -1
// when nothing does.
func (s *summary) find(v view) int {
	return slices.IndexFunc(s.Best, func(b bestEntry) bool { return slices.Contains(b.Views, v) })
}

// take takes a view from the entry that has it, and the entry out when it was
// its last.
func (s *summary) take(v view) {
	for i := range s.Best {
		s.Best[i].Views = slices.DeleteFunc(s.Best[i].Views, func(o view) bool { return o == v })
	}
	s.Best = slices.DeleteFunc(s.Best, func(b bestEntry) bool { return len(b.Views) == 0 })
}

// listing is what the database keeps. Without any listed version it has no terms,
// so that nothing finds the package.
func (s *summary) listing() (*registry.Listing, error) {
	encoded, err := json.Marshal(s)
	if err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "encode summary")
	}
	l := &registry.Listing{Summary: encoded, Terms: s.terms(), Facets: s.facets()}
	if len(s.Versions) > 0 {
		l.VersionKey = s.Versions[0].Key
	}
	return l, nil
}

// shown is the part of an entry that search results show, with its texts cut.
func (e *Entry) shown() *Entry {
	short := *e
	short.Dependencies, short.ReleaseNotes, short.Repository, short.Copyright, short.Hash = nil, "", nil, "", ""
	short.Description, short.Summary, short.Tags = cutShown(e.Description), cutShown(e.Summary), cutShown(e.Tags)
	return &short
}

// cutShown cuts a text between characters.
func cutShown(s string) string {
	if len(s) <= maxShown {
		return s
	}
	end := maxShown
	for end > 0 && s[end]&0xC0 == 0x80 { // within a character of UTF-8
		end--
	}
	return s[:end]
}
