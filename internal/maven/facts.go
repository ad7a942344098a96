package maven

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"pakhus/internal/registry"
)

// The notes that Maven keeps (registry.Note). They are what documents are made
// from; the files are the truth.
const (
	// noteVersion is there for each version that has files. It is due when the
	// version is complete: a while after its last file, or as soon as a client
	// sends metadata that names it.
	noteVersion registry.NoteKind = "version"
	// noteBuild is the same for each build of a snapshot version; its name is the
	// build.
	noteBuild registry.NoteKind = "build"
	// noteHighest is the highest build that was ever shown of a snapshot version
	// and is gone by now, as its value.
	noteHighest registry.NoteKind = "highest"
	// noteNamed is a build that metadata named before any of its files came, as
	// Gradle does before release 5.
	noteNamed registry.NoteKind = "named"
	// noteEarly is a checksum that came before its file. Its name is the
	// checksum's file name, its value the checksum.
	noteEarly registry.NoteKind = "early"
	// noteSent has the checksums of metadata that a client sent to a strict
	// repository; its name is one of them.
	noteSent registry.NoteKind = "sent"
	// noteKept is a metadata document as its client sent it, or its signature; its
	// name is the file's, its value a time and a line with the bytes after it.
	noteKept registry.NoteKind = "kept"
	// notePlugin is a version's plugin.xml, notePluginName what a client said of
	// the plugin in its group's metadata.
	notePlugin     registry.NoteKind = "plugin"
	notePluginName registry.NoteKind = "plugin-name"
	// noteChild is kept of the package that is called like a group: its name is
	// the artifactId of a plugin there. So a change of the list makes a new
	// revision, by which the prepared document of the group is known.
	noteChild registry.NoteKind = "child"
	// noteArchetype marks versions that are archetypes.
	noteArchetype registry.NoteKind = "archetype"
	// noteDeleted has the time of the last deletion as its value.
	noteDeleted registry.NoteKind = "deleted"
)

// archetypes is the package by whose notes the archetypes of a project are
// found: no path leads to it.
const archetypes = "/archetypes"

// quietTime is how long after its last file a version counts as complete whose
// client sends no metadata, such as sbt and curl (maven.md 8.1).
const quietTime = time.Minute

// timeline is when the visible state last changed, and when time alone will
// change it next; never when zero.
type timeline struct {
	changed, next time.Time
}

// add takes in a moment, and tells whether it has passed.
func (t *timeline) add(due, now time.Time) bool {
	switch {
	case due.IsZero():
		return false
	case due.After(now):
		if t.next.IsZero() || due.Before(t.next) {
			t.next = due
		}
		return false
	}
	if due.After(t.changed) {
		t.changed = due
	}
	return true
}

// versionsOf gives the versions of a package that readers see: complete ones, of
// which no file is withheld.
func (h *Handler) versionsOf(ctx context.Context, packageID int64, t *timeline) ([]string, error) {
	notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: packageID, Kind: noteVersion})
	if err != nil || len(notes) == 0 {
		return nil, err
	}
	withheld, err := h.packages.WithheldFiles(ctx, packageID)
	if err != nil {
		return nil, err
	}
	hidden := map[string]bool{}
	for _, f := range withheld {
		hidden[f.VersionKey] = true
	}
	now := h.packages.Now()
	versions := make([]string, 0, len(notes))
	for _, n := range notes {
		if !hidden[n.VersionKey] && t.add(n.Due, now) {
			versions = append(versions, n.VersionKey)
		}
	}
	return versions, h.addDeletion(ctx, packageID, t)
}

// addDeletion takes the last deletion into the timeline.
func (h *Handler) addDeletion(ctx context.Context, packageID int64, t *timeline) error {
	notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: packageID, Kind: noteDeleted})
	if err != nil {
		return err
	}
	for _, n := range notes {
		if at, err := strconv.ParseInt(string(n.Value), 10, 64); err == nil {
			t.add(time.UnixMicro(at).UTC(), h.packages.Now())
		}
	}
	return nil
}

func deletionNote(now time.Time) registry.Note {
	return registry.Note{NoteKey: registry.NoteKey{Kind: noteDeleted}, Value: strconv.AppendInt(nil, now.UnixMicro(), 10)}
}

// childrenOf gives the names of a package's child notes.
func (h *Handler) childrenOf(ctx context.Context, packageID int64) ([]string, error) {
	notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: packageID, Kind: noteChild})
	names := make([]string, len(notes))
	for i, n := range notes {
		names[i] = n.Name
	}
	return names, err
}

// pluginFacts are what a note says of a plugin.
type pluginFacts struct {
	Prefix string `json:"prefix"`
	Name   string `json:"name,omitempty"`
}

// pluginOf gives the plugin that a package is, from its highest visible version
// that is one; none when it is no plugin, or shows nothing.
func (h *Handler) pluginOf(ctx context.Context, packageID int64, t *timeline) (facts pluginFacts, ok bool, err error) {
	versions, err := h.versionsOf(ctx, packageID, t)
	if err != nil || len(versions) == 0 {
		return pluginFacts{}, false, err
	}
	said, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: packageID, Kind: notePluginName})
	if err != nil {
		return pluginFacts{}, false, err
	}
	read, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: packageID, Kind: notePlugin})
	if err != nil {
		return pluginFacts{}, false, err
	}
	byVersion := map[string][]byte{}
	for _, n := range read {
		byVersion[n.VersionKey] = n.Value
	}
	var document []byte
	for _, v := range SortVersions(versions) {
		if value, ok := byVersion[v]; ok {
			document = value
		}
	}
	for _, n := range said {
		var client pluginFacts
		if json.Unmarshal(n.Value, &client) != nil {
			continue
		}
		if document == nil {
			return client, true, nil
		}
		facts.Name = client.Name
	}
	if document == nil {
		return pluginFacts{}, false, nil
	}
	name := facts.Name
	if err := json.Unmarshal(document, &facts); err != nil {
		return pluginFacts{}, false, registry.Wrapf(registry.Internal, err, "note of a plugin")
	}
	if facts.Name == "" {
		facts.Name = name
	}
	return facts, true, nil
}
