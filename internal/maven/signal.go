package maven

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// putMetadata answers PUT of a maven-metadata.xml. By default it is not stored:
// clients read, merge and write back, so that of two at once one would lose its
// version. It is a signal that what it names is complete (maven.md 9.2).
func (h *Handler) putMetadata(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	if req.path.Kind == KindSnapshotMetadata {
		if err := h.checkKind(ctx, req); err != nil {
			return err
		}
	}
	strict, err := h.isStrict(ctx, req)
	if err != nil {
		return err
	}
	keeps, err := h.keepsMetadata(ctx, req)
	if err != nil {
		return err
	}
	var document bytes.Buffer
	body := io.Reader(c.Request().Body)
	if strict || keeps {
		body = io.TeeReader(body, &document)
	}
	m, err := ParseMetadata(body)
	if err != nil {
		return bodyFailure(err)
	}
	if err := m.CheckPath(req.path); err != nil {
		return err
	}
	if req.path.Kind == KindSnapshotMetadata {
		err = h.signalBuilds(ctx, req, m)
	} else {
		err = h.signalVersions(ctx, req, m.Versions)
		if err == nil {
			err = h.dropReleased(ctx, req)
		}
	}
	if err == nil && len(m.Plugins) > 0 && req.path.Kind != KindSnapshotMetadata {
		err = h.namePlugins(ctx, req, m.Plugins)
	}
	if err == nil {
		err = h.settleDocument(ctx, req, strict, keeps, document.Bytes())
	}
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}

// settleDocument does with a document what the settings say.
func (h *Handler) settleDocument(ctx context.Context, req *request, strict, keeps bool, document []byte) error {
	switch {
	case keeps:
		return h.keepDocument(ctx, req, document)
	case strict:
		if err := h.rememberSent(ctx, req, document); err != nil {
			return err
		}
	}
	return h.dropKept(ctx, req)
}

// signalVersions makes versions visible that have files. One of which a file is
// withheld fails the deployment: of the failed checksum Maven only warned. What
// names nothing that is stored is passed over.
func (h *Handler) signalVersions(ctx context.Context, req *request, versions []string) error {
	head, err := h.packages.Package(ctx, req.project.ID, registry.Maven, req.path.Package)
	if err != nil {
		return unlessNotFound(err)
	}
	named := make(map[string]bool, len(versions))
	for _, v := range versions {
		named[v] = true
	}
	if err := h.checkWithheld(ctx, head, func(f registry.WithheldFile) bool { return named[f.VersionKey] }); err != nil {
		return err
	}
	now := h.packages.Now()
	pending, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: head.ID, Kind: noteVersion, NotHeld: now})
	if err != nil {
		return err
	}
	var notes []registry.Note
	for _, n := range pending {
		if named[n.VersionKey] {
			notes = append(notes, registry.Note{NoteKey: n.NoteKey, Due: now, Existing: true})
		}
	}
	early, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: head.ID, Kind: noteNamed})
	if err != nil {
		return err
	}
	var settled []registry.NoteKey
	for _, n := range early {
		if named[n.VersionKey] { // the metadata of its snapshot came first, this is the end
			build := registry.NoteKey{Kind: noteBuild, VersionKey: n.VersionKey, Name: n.Name}
			notes, settled = append(notes, registry.Note{NoteKey: build, Due: now, Existing: true}), append(settled, n.NoteKey)
		}
	}
	return h.note(ctx, req, req.path.Package, notes, settled)
}

// signalBuilds makes builds of a snapshot version visible, and the version.
func (h *Handler) signalBuilds(ctx context.Context, req *request, m *Metadata) error {
	head, err := h.packages.Package(ctx, req.project.ID, registry.Maven, req.path.Package)
	if err != nil && registry.KindOf(err) != registry.NotFound {
		return err
	}
	named := m.builds(req.path.Version)
	if err := h.checkWithheld(ctx, head, func(f registry.WithheldFile) bool {
		return f.VersionKey == req.path.Version && (named[buildOf(req.path, f.Name)] || buildOf(req.path, f.Name).IsZero())
	}); err != nil {
		return err
	}
	now := h.packages.Now()
	pending, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: head.ID, Kind: noteBuild, VersionKey: req.path.Version, NotHeld: now})
	if err != nil {
		return err
	}
	notes := []registry.Note{{NoteKey: registry.NoteKey{Kind: noteVersion, VersionKey: req.path.Version}, Due: now, Existing: true}}
	for _, n := range pending {
		if build, ok := ParseBuild(n.Name); ok && named[build] {
			notes = append(notes, registry.Note{NoteKey: n.NoteKey, Due: now, Existing: true})
		}
	}
	early, err := h.earlyBuild(ctx, head, req.path.Version, m.Snapshot)
	if err != nil {
		return err
	}
	if err := h.note(ctx, req, req.path.Package, append(notes, early...), nil); err != nil {
		return err
	}
	return h.retain(ctx, req)
}

// earlyBuild notes a build of which no file is there yet: Gradle before release
// 5 sends its metadata first. It is complete when that of the artifact comes.
func (h *Handler) earlyBuild(ctx context.Context, head registry.Package, version string, build Build) ([]registry.Note, error) {
	if _, ok := ParseBuild(build.String()); !ok {
		return nil, nil
	}
	have, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: head.ID, Kind: noteBuild, VersionKey: version})
	if err != nil {
		return nil, err
	}
	for _, n := range have {
		if n.Name == build.String() {
			return nil, nil
		}
	}
	return []registry.Note{{NoteKey: registry.NoteKey{Kind: noteNamed, VersionKey: version, Name: build.String()}}}, nil
}

// builds are the builds that a snapshot's metadata names.
func (m *Metadata) builds(version string) map[Build]bool {
	named := map[Build]bool{}
	if !m.Snapshot.IsZero() {
		named[m.Snapshot] = true
	}
	for _, f := range m.SnapshotVersions {
		if rest, ok := strings.CutPrefix(f.Value, strings.TrimSuffix(version, "SNAPSHOT")); ok {
			if build, ok := ParseBuild(rest); ok {
				named[build] = true
			}
		}
	}
	return named
}

// buildOf is the build of a file in the same version as path; zero if it has
// none.
func buildOf(path Path, file string) Build {
	c, _ := ParseCoordinates(fileIn(path.Package, path.Version, file))
	return c.Build
}

// fileIn is the path of a stored file.
func fileIn(name, version, file string) Path {
	p := Path{Kind: KindFile, Segments: append(strings.Split(name, "/"), version, file), Package: name, Version: version, File: file}
	p.splitFile()
	return p
}

// checkWithheld refuses metadata that names something withheld.
func (h *Handler) checkWithheld(ctx context.Context, head registry.Package, named func(registry.WithheldFile) bool) error {
	withheld, err := h.packages.WithheldFiles(ctx, head.ID)
	if err != nil {
		return err
	}
	for _, f := range withheld {
		if named(f) {
			return registry.Errorf(registry.Conflict, "%s of %s arrived corrupt, its checksum differs: deploy again", f.Name, f.VersionKey)
		}
	}
	return nil
}

// note writes and drops notes of a package; none are no change.
func (h *Handler) note(ctx context.Context, req *request, name string, notes []registry.Note, drop []registry.NoteKey) error {
	if len(notes) == 0 && len(drop) == 0 {
		return nil
	}
	_, err := h.packages.Publish(ctx, []registry.Publication{{
		ProjectID: req.project.ID, Format: registry.Maven, Name: name, Key: name, By: req.identity.Actor(), Notes: notes, DropNotes: drop,
	}})
	return err
}

// maxNamed bounds the plugins of one document that are looked at.
const maxNamed = 1000

// namePlugins keeps what a client says of plugins that exist. Their jars know it
// better, if they can be read.
func (h *Handler) namePlugins(ctx context.Context, req *request, plugins []Plugin) error {
	group := registry.Publication{ProjectID: req.project.ID, Format: registry.Maven, Name: req.path.Package, Key: req.path.Package, By: req.identity.Actor()}
	var pubs []registry.Publication
	for _, p := range plugins[:min(len(plugins), maxNamed)] {
		if p.Prefix == "" || !writeDirectory.MatchString(p.ArtifactID) {
			continue
		}
		pub := group
		pub.Name += "/" + p.ArtifactID
		pub.Key = pub.Name
		value, err := json.Marshal(pluginFacts{Prefix: p.Prefix, Name: p.Name})
		if err != nil {
			return registry.Wrapf(registry.Internal, err, "note of a plugin")
		}
		fresh, err := h.isNewName(ctx, req, pub.Key, value)
		if err != nil {
			return err
		}
		if fresh {
			pub.Notes = []registry.Note{{NoteKey: registry.NoteKey{Kind: notePluginName}, Value: value}}
			pubs = append(pubs, pub)
			group.Notes = append(group.Notes, registry.Note{NoteKey: registry.NoteKey{Kind: noteChild, Name: p.ArtifactID}})
		}
	}
	if len(pubs) == 0 {
		return nil
	}
	_, err := h.packages.Publish(ctx, append(pubs, group))
	return err
}

// isNewName tells whether a plugin exists of which something else was said.
func (h *Handler) isNewName(ctx context.Context, req *request, name string, value []byte) (bool, error) {
	head, err := h.packages.Package(ctx, req.project.ID, registry.Maven, name)
	if err != nil {
		return false, unlessNotFound(err)
	}
	said, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: head.ID, Kind: notePluginName})
	if err != nil || (len(said) > 0 && string(said[0].Value) == string(value)) {
		return false, err
	}
	versions, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: head.ID, Kind: noteVersion})
	return len(versions) > 0, err
}

func unlessNotFound(err error) error {
	if registry.KindOf(err) == registry.NotFound {
		return nil
	}
	return err
}
