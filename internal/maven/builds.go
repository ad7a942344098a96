package maven

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// storedSnapshot are the files of a snapshot version that no checksum
// contradicts, with the highest build number that is gone.
type storedSnapshot struct {
	files   []SnapshotFile
	ids     []int64 // of the files, in the same order
	highest int64
}

// readStoredSnapshot reads them from one package, and the times that matter into
// t. A version that is not there has none.
func (h *Handler) readStoredSnapshot(ctx context.Context, head registry.Package, version string, t *timeline) (storedSnapshot, error) {
	var s storedSnapshot
	v, err := h.packages.Version(ctx, head.ID, version)
	if err != nil || v.Status == registry.Deleted {
		return s, unlessNotFound(err)
	}
	complete, err := h.completeBuilds(ctx, head.ID, version, t)
	if err != nil {
		return s, err
	}
	if s.highest, err = h.highestBuild(ctx, head.ID, version); err != nil {
		return s, err
	}
	files, err := h.packages.Files(ctx, v.ID)
	if err != nil {
		return s, err
	}
	for _, f := range files {
		path := fileIn(head.Key, version, f.Name)
		file, ok := NewSnapshotFile(path, f.CreatedAt, complete[buildOf(path, f.Name)])
		if !ok || f.Withheld {
			continue
		}
		if file.Visible && f.CreatedAt.After(t.changed) {
			t.changed = f.CreatedAt
		}
		s.files, s.ids = append(s.files, file), append(s.ids, f.ID)
	}
	return s, nil
}

// completeBuilds tells which builds of a version are complete. The zero Build
// stands for the version, and so for its literal files.
func (h *Handler) completeBuilds(ctx context.Context, packageID int64, version string, t *timeline) (map[Build]bool, error) {
	complete, now := map[Build]bool{}, h.packages.Now()
	for _, kind := range []registry.NoteKind{noteVersion, noteBuild} {
		notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: packageID, Kind: kind, VersionKey: version})
		if err != nil {
			return nil, err
		}
		for _, n := range notes {
			build, _ := ParseBuild(n.Name)
			complete[build] = t.add(n.Due, now)
		}
	}
	return complete, nil
}

func (h *Handler) highestBuild(ctx context.Context, packageID int64, version string) (int64, error) {
	notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: packageID, Kind: noteHighest, VersionKey: version})
	if err != nil || len(notes) == 0 {
		return 0, err
	}
	n, err := strconv.ParseInt(string(notes[0].Value), 10, 64)
	if err != nil {
		return 0, registry.Wrapf(registry.Internal, err, "note of the highest build")
	}
	return n, nil
}

// readSnapshot reads a snapshot version from all packages that an address
// covers, as one.
func (h *Handler) readSnapshot(ctx context.Context, version string, all []found, t *timeline) (Snapshot, error) {
	var files []SnapshotFile
	highest := int64(0)
	for _, f := range all {
		s, err := h.readStoredSnapshot(ctx, f.head, version, t)
		if err != nil {
			return Snapshot{}, err
		}
		files, highest = append(files, s.files...), max(highest, s.highest)
	}
	return ReadSnapshot(files, highest), nil
}

// buildSnapshotMetadata makes the document of a snapshot version.
func (h *Handler) buildSnapshotMetadata(ctx context.Context, path Path, all []found) (*registry.Document, error) {
	var t timeline
	s, err := h.readSnapshot(ctx, path.Version, all, &t)
	if err != nil {
		return nil, err
	}
	m := SnapshotMetadata{Version: path.Version, Build: s.Shown, Updated: t.changed, Files: s.Files()}
	if slash := strings.LastIndexByte(path.Package, '/'); slash >= 0 {
		m.GroupID, m.ArtifactID = strings.ReplaceAll(path.Package[:slash], "/", "."), path.Package[slash+1:]
	}
	return newDocument(AppendSnapshotMetadata(nil, m), t), nil
}

// literalOf tells whether a path names a file of a snapshot by the literal
// -SNAPSHOT, which may stand for the newest build's.
func literalOf(path Path) (SnapshotFile, bool) {
	if !path.IsSnapshot() {
		return SnapshotFile{}, false
	}
	path.File, path.Checksum = path.Subject, ""
	f, ok := NewSnapshotFile(path, time.Time{}, true)
	return f, ok && f.Build.IsZero()
}

// findAlias finds the file that answers for a literal name: the file of that
// name, or else that of the newest build, which coursier asks for so
// (maven.md 8.2). What it is is remembered until something changes.
func (h *Handler) findAlias(c echo.Context, req *request, all []found, asked SnapshotFile) (registry.File, bool, error) {
	if len(all) == 0 {
		return registry.File{}, false, nil
	}
	ctx := c.Request().Context()
	key := registry.DocumentKey{Kind: "maven/alias/" + req.path.Version + "/" + req.path.Subject, Of: registry.Revisions(headsOf(all))}
	doc, err := h.packages.Prepared(ctx, key, func(ctx context.Context) (*registry.Document, error) {
		if ok, err := h.hasFile(ctx, all, req.path.Version, req.path.Subject); err != nil || ok {
			return &registry.Document{Body: []byte(req.path.Subject)}, err
		}
		var t timeline
		s, err := h.readSnapshot(ctx, req.path.Version, all, &t)
		if err != nil {
			return nil, err
		}
		doc := &registry.Document{Expires: t.next}
		if target, ok := s.Target(asked); ok {
			doc.Body = []byte(target.Name())
		}
		return doc, nil
	})
	if err != nil || len(doc.Body) == 0 {
		return registry.File{}, false, err
	}
	return h.findNamed(c, req, all, string(doc.Body))
}

// hasFile tells whether a file is there for any reader: which of them sees it, the
// request decides that asks for it.
func (h *Handler) hasFile(ctx context.Context, all []found, version, name string) (bool, error) {
	for _, f := range all {
		file, err := h.packages.VersionFile(ctx, f.head, version, name)
		if err == nil && !file.Withheld {
			return true, nil
		}
		if unlessNotFound(err) != nil {
			return false, err
		}
	}
	return false, nil
}

// findShown finds the file that answers for a build that metadata shows and that
// was never there: the time of the newest with the number of one that is gone.
func (h *Handler) findShown(c echo.Context, req *request, all []found) (registry.File, bool, error) {
	asked, ok := NewSnapshotFile(fileIn(req.path.Package, req.path.Version, req.path.Subject), time.Time{}, true)
	if !ok || len(all) == 0 {
		return registry.File{}, false, nil
	}
	s, err := h.readSnapshot(c.Request().Context(), req.path.Version, all, &timeline{})
	if err != nil {
		return registry.File{}, false, err
	}
	target, ok := s.Target(asked)
	if !ok {
		return registry.File{}, false, nil
	}
	return h.findNamed(c, req, all, target.Name())
}

// findNamed finds a file, and tells where it lies if it was asked for by another
// name.
func (h *Handler) findNamed(c echo.Context, req *request, all []found, name string) (registry.File, bool, error) {
	file, _, ok, err := h.findFile(c.Request().Context(), req, all, req.path.Version, name)
	if err == nil && ok && name != req.path.Subject {
		if req.path.Checksum != "" {
			name += req.path.Checksum.Suffix()
		}
		c.Response().Header().Set("Content-Location", escapeSegment(name))
	}
	return file, ok, err
}
