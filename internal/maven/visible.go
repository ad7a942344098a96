package maven

import (
	"bytes"
	"context"
	"time"

	"pakhus/internal/registry"
)

// settingOnMetadata keeps what a deployment brings from all but its publisher,
// until its metadata comes: readers get a version whole or not at all. Off by
// default: sbt, curl and Bazel may send none (maven.md 16).
const settingOnMetadata = "maven_publish_on_metadata"

// dueAfterFile is when a version or build that a file just came for is complete
// if nothing else comes: never, where only metadata tells.
func (h *Handler) dueAfterFile(ctx context.Context, p registry.Project) (time.Time, error) {
	settings, err := h.packages.Settings(ctx, p)
	if err != nil || settings.Get(settingOnMetadata, "false") == "true" {
		return time.Time{}, err
	}
	return h.packages.Now().Add(quietTime), nil
}

// sees tells whether the caller may have a file of a version. Without a name it
// is about the version itself.
func (h *Handler) sees(ctx context.Context, req *request, f found, version, name string) (bool, error) {
	settings, err := h.packages.Settings(ctx, f.project)
	if err != nil || settings.Get(settingOnMetadata, "false") != "true" {
		return err == nil, err
	}
	pending, err := h.pending(ctx, f.head)
	if err != nil || len(pending) == 0 {
		return err == nil, err
	}
	key := pendingKey(version, buildOf(Path{Package: f.head.Key, Version: version}, name))
	if !bytes.Contains(pending, []byte("\n"+key+"\n")) {
		return true, nil
	}
	return h.isPublisher(ctx, req, f.head, version)
}

// pendingKey is the line about a build, or about what of a version has none.
func pendingKey(version string, build Build) string {
	if build.IsZero() {
		return version
	}
	return version + "/" + build.String()
}

// pending lists the versions and builds of a package that are not complete, each
// in a line of its own; nothing is before the first and after the last but line
// ends. It is remembered until something changes.
func (h *Handler) pending(ctx context.Context, head registry.Package) ([]byte, error) {
	key := registry.DocumentKey{Kind: "maven/pending", Of: registry.Revisions([]registry.Package{head})}
	doc, err := h.packages.Prepared(ctx, key, func(ctx context.Context) (*registry.Document, error) {
		var t timeline
		var body []byte
		now := h.packages.Now()
		for _, kind := range []registry.NoteKind{noteVersion, noteBuild} {
			notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: head.ID, Kind: kind, NotHeld: now})
			if err != nil {
				return nil, err
			}
			for _, n := range notes {
				build, _ := ParseBuild(n.Name)
				t.add(n.Due, now)
				body = append(append(append(body, '\n'), pendingKey(n.VersionKey, build)...), '\n')
			}
		}
		return &registry.Document{Body: body, Expires: t.next}, nil
	})
	if err != nil {
		return nil, err
	}
	return doc.Body, nil
}
