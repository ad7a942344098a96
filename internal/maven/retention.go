package maven

import (
	"context"
	"strconv"
	"strings"
	"time"

	"pakhus/internal/registry"
)

// buildsKept is how many builds of a snapshot version are kept, and
// settingBuilds the setting that says otherwise; 0 keeps all.
const (
	buildsKept    = 10
	settingBuilds = "maven_snapshot_builds_kept"
)

// buildsKeptFor is how long every build is kept: Gradle asks for files of a build
// for a day after it resolved it (maven.md 8.3).
const buildsKeptFor = 48 * time.Hour

// settingReleased drops snapshots whose release is there.
const settingReleased = "maven_drop_released_snapshots"

// retain drops builds that are beyond the number to keep and older than two
// days, in one transaction with the note of the highest number. When somebody
// changes the package meanwhile, the next deployment does it.
func (h *Handler) retain(ctx context.Context, req *request) error {
	kept, err := h.buildsKept(ctx, req.project)
	if err != nil || kept == 0 {
		return err
	}
	head, err := h.packages.Package(ctx, req.project.ID, registry.Maven, req.path.Package)
	if err != nil {
		return unlessNotFound(err)
	}
	s, err := h.readStoredSnapshot(ctx, head, req.path.Version, &timeline{})
	if err != nil {
		return err
	}
	expired := ExpiredBuilds(s.files, kept, h.packages.Now().Add(-buildsKeptFor))
	if len(expired) == 0 {
		return nil
	}
	edit := registry.Edit{PackageID: head.ID, Revision: head.Revision, By: req.identity.Actor(), Action: "retention"}
	for _, build := range expired {
		s.drop(&edit, req.path.Version, build)
	}
	if _, err = h.packages.Edit(ctx, edit); registry.KindOf(err) == registry.Conflict {
		return nil
	}
	return err
}

// drop adds the removal of a build to an edit. Its number stays noted.
func (s *storedSnapshot) drop(edit *registry.Edit, version string, build Build) {
	for i, f := range s.files {
		if f.Build == build {
			edit.Files = append(edit.Files, registry.FileEdit{FileID: s.ids[i], Drop: true})
			if f.Visible {
				s.highest = max(s.highest, build.Number)
			}
		}
	}
	edit.DropNotes = append(edit.DropNotes, registry.NoteKey{Kind: noteBuild, VersionKey: version, Name: build.String()})
	edit.Notes = []registry.Note{highestNote(version, s.highest)}
}

func (h *Handler) buildsKept(ctx context.Context, p registry.Project) (int, error) {
	text, err := h.packages.Setting(ctx, p, settingBuilds, strconv.Itoa(buildsKept))
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 { // never drop anything because of a typing error
		return 0, nil
	}
	return n, nil
}

// dropReleased drops what snapshot versions have, when readers see the release of
// the same number: 1.0-SNAPSHOT goes when 1.0 is there. As in retain, a build of
// the last two days stays, and the next deployment of the artifact drops it.
func (h *Handler) dropReleased(ctx context.Context, req *request) error {
	settings, err := h.packages.Settings(ctx, req.project)
	if err != nil || settings.Get(settingReleased, "false") != "true" {
		return err
	}
	head, err := h.packages.Package(ctx, req.project.ID, registry.Maven, req.path.Package)
	if err != nil {
		return unlessNotFound(err)
	}
	versions, err := h.versionsOf(ctx, head.ID, &timeline{})
	if err != nil {
		return err
	}
	seen := make(map[string]bool, len(versions))
	for _, v := range versions {
		seen[v] = true
	}
	edit := registry.Edit{PackageID: head.ID, Revision: head.Revision, By: req.identity.Actor(), Action: "retention"}
	for _, v := range versions {
		if release, ok := strings.CutSuffix(v, "-SNAPSHOT"); ok && seen[release] {
			if err := h.addObsolete(ctx, &edit, head, v); err != nil {
				return err
			}
		}
	}
	if len(edit.Files) == 0 && len(edit.Versions) == 0 {
		return nil
	}
	if _, err = h.packages.Edit(ctx, edit); registry.KindOf(err) == registry.Conflict {
		return nil
	}
	return err
}

// addObsolete adds the removal of a snapshot version to an edit, or of those
// builds that are old enough. The highest number of a build stays noted in case
// the version comes back. The zero Build stands for files without one.
func (h *Handler) addObsolete(ctx context.Context, edit *registry.Edit, head registry.Package, version string) error {
	v, err := h.packages.Version(ctx, head.ID, version)
	if err != nil {
		return unlessNotFound(err)
	}
	files, err := h.packages.Files(ctx, v.ID)
	if err != nil {
		return err
	}
	s, err := h.readStoredSnapshot(ctx, head, version, &timeline{})
	if err != nil {
		return err
	}
	for _, f := range s.files {
		if f.Visible {
			s.highest = max(s.highest, f.Build.Number)
		}
	}
	young := map[Build]bool{}
	for _, f := range files {
		if !f.CreatedAt.Before(h.packages.Now().Add(-buildsKeptFor)) {
			young[buildOf(fileIn(head.Key, version, f.Name), f.Name)] = true
		}
	}
	dropped := map[Build]bool{}
	for _, f := range files {
		if build := buildOf(fileIn(head.Key, version, f.Name), f.Name); !young[build] {
			edit.Files, dropped[build] = append(edit.Files, registry.FileEdit{FileID: f.ID, Drop: true}), true
		}
	}
	switch {
	case len(dropped) == 0:
		return nil
	case len(young) == 0:
		edit.Files = edit.Files[:len(edit.Files)-len(files)] // they go with their version
		edit.Versions = append(edit.Versions, registry.VersionEdit{VersionID: v.ID, Status: registry.Deleted})
		edit.Notes = append(edit.Notes, deletionNote(h.packages.Now()))
	}
	for build := range dropped {
		if !build.IsZero() {
			edit.DropNotes = append(edit.DropNotes, registry.NoteKey{Kind: noteBuild, VersionKey: version, Name: build.String()})
		}
	}
	if s.highest > 0 {
		edit.Notes = append(edit.Notes, highestNote(version, s.highest))
	}
	return nil
}

func highestNote(version string, number int64) registry.Note {
	return registry.Note{NoteKey: registry.NoteKey{Kind: noteHighest, VersionKey: version}, Value: strconv.AppendInt(nil, number, 10)}
}
