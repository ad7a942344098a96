package maven

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// SnapshotFile is a file of a snapshot version: of a build, or literally named
// -SNAPSHOT.
type SnapshotFile struct {
	Coordinates
	Suffix  string // of a signature: .asc
	Stored  time.Time
	Visible bool // its build is complete; of a literal file: readers may have it
}

// NewSnapshotFile makes one of a stored file's path. It is false for files
// without coordinates, which metadata cannot name.
func NewSnapshotFile(p Path, stored time.Time, visible bool) (SnapshotFile, bool) {
	c, ok := ParseCoordinates(p)
	return SnapshotFile{Coordinates: c, Suffix: strings.TrimPrefix(p.Subject, p.Base), Stored: stored, Visible: visible}, ok
}

// Name is the name of the file.
func (f SnapshotFile) Name() string { return f.FileName() + f.Suffix }

func (f SnapshotFile) isPOM() bool {
	return f.Classifier == "" && f.Extension == "pom" && f.Suffix == ""
}

// artifactKey tells the files of a build apart. sbt stores a plugin under two
// prefixes.
type artifactKey struct{ prefix, classifier, extension string }

func (f SnapshotFile) key() artifactKey {
	return artifactKey{f.Prefix, f.Classifier, f.Extension + f.Suffix}
}

// signedKey is the key of what a signature signs, and of other files their own.
func (f SnapshotFile) signedKey() artifactKey {
	return artifactKey{f.Prefix, f.Classifier, f.Extension}
}

// buildFile tells the files of all builds apart.
type buildFile struct {
	build Build
	key   artifactKey
}

// Snapshot is what readers see of a snapshot version.
type Snapshot struct {
	// Newest is the newest visible build that has a POM, or the newest at all when
	// none has one. It is zero when there are literal files only.
	Newest Build
	// Shown is the build that metadata names: Newest, but with the highest number
	// that was ever visible. Deployers add one to it, so it must never fall, be it
	// that a build was deleted, be it that a clock went wrong (maven.md 8.1).
	// Readers that put its timestamp and number together get Newest: see Target.
	Shown Build

	stamped map[buildFile]SnapshotFile
	newest  map[artifactKey]SnapshotFile // of the newest build that has such a file
	literal map[artifactKey]SnapshotFile
}

// ReadSnapshot applies the rules for snapshots (maven.md 8.1 and 8.2) to the
// files of a version. highest is the highest number of a build that was ever
// visible and may be gone; zero when nobody knows.
func ReadSnapshot(files []SnapshotFile, highest int64) Snapshot {
	s := Snapshot{stamped: map[buildFile]SnapshotFile{}, newest: map[artifactKey]SnapshotFile{}, literal: map[artifactKey]SnapshotFile{}}
	var withPOM Build
	for _, f := range files {
		switch {
		case !f.Visible:
			continue
		case f.Build.IsZero():
			s.literal[f.key()] = f
			continue
		}
		s.stamped[buildFile{f.Build, f.key()}] = f
		highest = max(highest, f.Build.Number)
		if f.Build.Compare(s.Newest) > 0 {
			s.Newest = f.Build
		}
		if f.isPOM() && f.Build.Compare(withPOM) > 0 {
			withPOM = f.Build
		}
		if kept, ok := s.newest[f.key()]; !ok || f.Build.Compare(kept.Build) > 0 {
			s.newest[f.key()] = f
		}
	}
	if !withPOM.IsZero() {
		s.Newest = withPOM
	}
	if s.Shown = s.Newest; !s.Newest.IsZero() {
		s.Shown.Number = highest
	}
	return s
}

// Files are the entries of snapshotVersions, by classifier and extension: for
// each the newest visible file, so that Maven finds a classifier which the newest
// build left out. A literal file takes the place of a build's only when it was
// stored later.
func (s Snapshot) Files() []SnapshotVersion {
	type identity struct{ classifier, extension string }
	best := map[identity]SnapshotFile{}
	for _, files := range []map[artifactKey]SnapshotFile{s.newest, s.literal} {
		for key, f := range files {
			id := identity{key.classifier, key.extension}
			if kept, ok := best[id]; !ok || f.follows(kept) {
				best[id] = f
			}
		}
	}
	entries := make([]SnapshotVersion, 0, len(best))
	for id, f := range best {
		updated := FormatUpdated(f.Stored)
		if !f.Build.IsZero() {
			updated = strings.Replace(f.Build.Timestamp, ".", "", 1)
		}
		entries = append(entries, SnapshotVersion{id.classifier, id.extension, f.Resolved(), updated})
	}
	slices.SortFunc(entries, func(a, b SnapshotVersion) int {
		return cmp.Or(strings.Compare(a.Classifier, b.Classifier), strings.Compare(a.Extension, b.Extension))
	})
	return entries
}

// follows tells whether f is newer than another file of its classifier and
// extension: among builds by the build, else by when they were stored.
func (f SnapshotFile) follows(o SnapshotFile) bool {
	if !f.Build.IsZero() && !o.Build.IsZero() && f.Build != o.Build {
		return f.Build.Compare(o.Build) > 0
	}
	return f.Stored.After(o.Stored)
}

// Target gives the file that answers a request for one that is not stored: the
// literal name -SNAPSHOT, or the build Shown. It is of Newest, so that POM and jar
// are of one build. Only what has a classifier may come from an older build, when
// Newest has none; a signature comes from where the signed file does.
func (s Snapshot) Target(asked SnapshotFile) (SnapshotFile, bool) {
	build := s.Newest
	switch {
	case asked.Build == s.Shown:
	case !asked.Build.IsZero():
		return SnapshotFile{}, false
	case asked.Classifier != "":
		if _, ok := s.stamped[buildFile{build, asked.signedKey()}]; !ok {
			build = s.newest[asked.signedKey()].Build
		}
	}
	f, ok := s.stamped[buildFile{build, asked.key()}]
	return f, ok
}

// ExpiredBuilds gives the builds that retention drops: all but the newest keep,
// and of those only what had its last file before a time. Gradle asks for files
// of a build for a day after it resolved it (maven.md 8.3). The build that
// metadata names is never among them.
func ExpiredBuilds(files []SnapshotFile, keep int, before time.Time) []Build {
	last := map[Build]time.Time{}
	for _, f := range files {
		if !f.Build.IsZero() && !f.Stored.Before(last[f.Build]) {
			last[f.Build] = f.Stored
		}
	}
	builds := make([]Build, 0, len(last))
	for b := range last {
		builds = append(builds, b)
	}
	slices.SortFunc(builds, func(a, b Build) int { return b.Compare(a) })
	newest := ReadSnapshot(files, 0).Newest
	var expired []Build
	for i, b := range builds {
		if i >= keep && b != newest && last[b].Before(before) {
			expired = append(expired, b)
		}
	}
	return expired
}
