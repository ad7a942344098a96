package npm

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// putMetadata takes a document without tarballs as a difference from what is
// stored (npm.md 8): only the changes that clients make are possible. Everything
// else in it is ignored when it is the server's own, and refused when it would
// change a published version.
func (h *Handler) putMetadata(c echo.Context, req *request, doc *Document) error {
	hasRev := req.path.Kind == KindPackumentRev
	switch {
	case len(doc.Users) > 0 && !doc.HasVersions:
		return h.putUsers(c, req, doc)
	case len(doc.Maintainers) > 0 && !doc.HasVersions:
		return h.refuseOwners(c, req)
	case !doc.HasVersions:
		return registry.Errorf(registry.Invalid, "versions is missing")
	case !hasRev && len(doc.Versions) == 0:
		return registry.Errorf(registry.Invalid, "versions is empty")
	}
	ctx := c.Request().Context()
	return h.edit(c, req, "metadata", func(state *packageState) (registry.Edit, error) {
		if err := checkRev(req, state.head); err != nil {
			return registry.Edit{}, err
		}
		return h.difference(ctx, req, doc, state)
	})
}

// checkRev compares the revision in the address, if the route has one, with the
// package's. One that is missing or undefined comes from a client that read the
// abbreviated document (yarn 1 owner): it never replaces anything.
func checkRev(req *request, head registry.Package) error {
	switch req.path.Kind {
	case KindPackumentRev:
	case KindPackument:
		if req.action != auth.Delete {
			return nil
		}
	default:
		return nil
	}
	if req.path.Rev != rev(head) {
		return registry.Errorf(registry.Conflict, "document update conflict; read again")
	}
	return nil
}

// difference finds what a document changes, and asks the gate for each kind of
// change.
func (h *Handler) difference(ctx context.Context, req *request, doc *Document, state *packageState) (registry.Edit, error) {
	var change registry.Edit
	if err := h.checkImmutable(ctx, doc, state); err != nil {
		return change, err
	}
	deprecations, err := h.deprecations(ctx, doc, state)
	if err != nil {
		return change, err
	}
	if len(deprecations) > 0 {
		if err := auth.Allow(req.identity, auth.Deprecate, state.project); err != nil {
			return change, err
		}
		change.Versions = deprecations
	}
	if req.path.Kind != KindPackumentRev {
		return change, nil // a stale document: versions it does not know are left alone
	}
	return h.removals(ctx, req, doc, state, change)
}

// checkImmutable refuses a document that knows versions which are not stored, or
// that changes what was published.
func (h *Handler) checkImmutable(ctx context.Context, doc *Document, state *packageState) error {
	stored, err := h.storedManifests(ctx, state.head)
	if err != nil {
		return err
	}
	for _, v := range doc.Versions {
		manifest, ok := stored[v.Key]
		if !ok {
			return registry.Errorf(registry.Invalid, "version %s is not stored, and the body has no tarball for it", v.Key)
		}
		if err := sameManifest(v, manifest); err != nil {
			return err
		}
	}
	return nil
}

// storedManifests gives the served manifest of each living version, which is
// what clients send back. The last field of each is cut: it ends where the
// tarball's address begins.
func (h *Handler) storedManifests(ctx context.Context, head registry.Package) (map[string][]byte, error) {
	contents, err := h.load(ctx, Name{}, []found{{head: head}}, fullFragment)
	if registry.KindOf(err) == registry.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	manifests := make(map[string][]byte, len(contents.entries))
	for _, e := range contents.entries {
		manifests[e.version.Version] = append(slices.Clone(e.fragment), `"}}`...)
	}
	return manifests, nil
}

// immutableFields are what must not change after publishing. Fields that a
// client leaves out are no change: it may have read the abbreviated document.
var immutableFields = []string{
	"name", "version", "dependencies", "optionalDependencies", "peerDependencies", "bundleDependencies", "scripts", "bin",
}

// sameManifest compares a version in a body with what is stored of it.
func sameManifest(v RawVersion, manifest []byte) error {
	var sent, stored map[string]json.RawMessage
	if err := json.Unmarshal(v.Raw, &sent); err != nil {
		return registry.Wrapf(registry.Invalid, err, "versions[%q] is not an object", v.Key)
	}
	if err := json.Unmarshal(manifest, &stored); err != nil {
		return registry.Wrapf(registry.Internal, err, "stored manifest of %s", v.Key)
	}
	for _, field := range immutableFields {
		if value, ok := sent[field]; ok && !sameJSON(value, stored[field]) {
			return errImmutable(v.Key, field)
		}
	}
	var sentDist, storedDist map[string]json.RawMessage
	if json.Unmarshal(sent["dist"], &sentDist) != nil {
		return nil
	}
	if err := json.Unmarshal(stored["dist"], &storedDist); err != nil {
		return registry.Wrapf(registry.Internal, err, "stored dist of %s", v.Key)
	}
	for _, field := range []string{"integrity", "shasum"} {
		if value, ok := sentDist[field]; ok && !sameJSON(value, storedDist[field]) {
			return errImmutable(v.Key, "dist."+field)
		}
	}
	return nil
}

func errImmutable(version, field string) error {
	return registry.Errorf(registry.Forbidden, "403 Forbidden - %s of the published version %s cannot be changed", field, version)
}

// sameJSON compares two JSON texts without regard to white space; an absent
// value equals null and an empty object, which clients add when they normalise.
func sameJSON(a, b json.RawMessage) bool {
	return bytes.Equal(canonical(a), canonical(b))
}

func canonical(raw json.RawMessage) []byte {
	var value any
	if len(raw) == 0 || json.Unmarshal(raw, &value) != nil {
		return nil
	}
	if object, ok := value.(map[string]any); value == nil || (ok && len(object) == 0) {
		return nil
	}
	out, err := json.Marshal(value) // sorts the keys
	if err != nil {
		return nil
	}
	return out
}

// deprecations gives the versions whose deprecation text a document changes.
func (h *Handler) deprecations(ctx context.Context, doc *Document, state *packageState) ([]registry.VersionEdit, error) {
	var edits []registry.VersionEdit
	for _, raw := range doc.Versions {
		v := state.byVersion[raw.Key]
		s, err := stateOf(v)
		if err != nil {
			return nil, err
		}
		text := DeprecationText(raw.Raw)
		if text == s.Deprecated {
			continue
		}
		s.Deprecated = text
		edit, err := h.rewrite(ctx, v, s)
		if err != nil {
			return nil, err
		}
		edits = append(edits, edit)
	}
	return edits, nil
}

// rewrite prepares a version's fragments anew for a changed state.
func (h *Handler) rewrite(ctx context.Context, v registry.Version, s State) (registry.VersionEdit, error) {
	full, err := h.packages.Version(ctx, v.PackageID, v.Key)
	if err != nil {
		return registry.VersionEdit{}, err
	}
	fragments, err := fragmentsOf(full.Manifest, s)
	if err != nil {
		return registry.VersionEdit{}, err
	}
	encoded, err := encodeState(s)
	return registry.VersionEdit{VersionID: v.ID, State: encoded, Fragments: fragments}, err
}

// removals adds to a change the versions that a document leaves out, which is
// how clients unpublish, and the tags that it sets.
func (h *Handler) removals(ctx context.Context, req *request, doc *Document, state *packageState, change registry.Edit) (registry.Edit, error) {
	kept := map[string]registry.Version{}
	for _, raw := range doc.Versions {
		kept[raw.Key] = state.byVersion[raw.Key]
	}
	removed := 0
	for _, v := range state.versions {
		if _, ok := kept[v.Key]; !ok {
			change.Versions = append(change.Versions, registry.VersionEdit{VersionID: v.ID, Status: registry.Deleted})
			removed++
		}
	}
	if removed > 0 {
		if err := auth.Allow(req.identity, auth.Delete, state.project); err != nil {
			return change, err
		}
	}
	if len(kept) == 0 {
		return registry.Edit{Delete: true}, nil
	}
	return h.retag(ctx, req, doc, state, kept, change)
}

// retag follows the tags of the document where they name a version that stays,
// drops those it leaves out, and finds a new latest when there is none.
func (h *Handler) retag(ctx context.Context, req *request, doc *Document, state *packageState, kept map[string]registry.Version, change registry.Edit) (registry.Edit, error) {
	tags := map[string]string{}
	for tag, version := range doc.DistTags {
		if _, ok := kept[version]; !ok {
			continue
		}
		if err := CheckTag(tag); err != nil {
			return change, err
		}
		tags[tag] = version
	}
	if tags[latestTag] == "" {
		tags[latestTag] = highest(kept)
	}
	for tag, version := range tags {
		if state.tags[tag] != version {
			change.SetTags = append(change.SetTags, registry.TagChange{Tag: tag, VersionKey: version})
		}
	}
	for tag, version := range state.tags {
		if _, stays := kept[version]; stays && tags[tag] == "" {
			change.DropTags = append(change.DropTags, tag)
		}
	}
	if state.tags[latestTag] == tags[latestTag] {
		return change, nil
	}
	var err error
	change.Listing, err = h.listingOf(ctx, req.path.Name, kept[tags[latestTag]])
	return change, err
}

// highest is the highest stable version, or without one the highest.
func highest(versions map[string]registry.Version) string {
	best, bestStable := registry.Version{}, registry.Version{}
	for _, v := range versions {
		if best.Key == "" || v.SortKey > best.SortKey {
			best = v
		}
		parsed, err := ParseVersion(v.Version)
		if err == nil && !parsed.IsPrerelease() && (bestStable.Key == "" || v.SortKey > bestStable.SortKey) {
			bestStable = v
		}
	}
	if bestStable.Key != "" {
		return bestStable.Key
	}
	return best.Key
}

// deletePackage answers DELETE /:name/-rev/:rev.
func (h *Handler) deletePackage(c echo.Context, req *request) error {
	return h.edit(c, req, "unpublish", func(state *packageState) (registry.Edit, error) {
		return registry.Edit{Delete: true}, checkRev(req, state.head)
	})
}

// deleteTarball answers the last step of unpublishing one version. The version
// went with the PUT before; one that is still there is not removed by its file.
func (h *Handler) deleteTarball(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	f, err := h.target(ctx, req, auth.Delete)
	if err != nil {
		return err
	}
	_, err = h.packages.File(ctx, f.head, req.path.File)
	switch {
	case err == nil:
		return registry.Errorf(registry.Conflict, "%s belongs to a version that is published: remove the version from the document first", req.path.File)
	case registry.KindOf(err) != registry.NotFound:
		return err
	}
	return answerWritten(c, f.head)
}

// putUsers is npm star: the document with the caller in users, or without.
func (h *Handler) putUsers(c echo.Context, req *request, doc *Document) error {
	if req.identity.Kind != auth.UserIdentity {
		return errStarNeedsUser(req.identity)
	}
	var users map[string]json.RawMessage
	if err := json.Unmarshal(doc.Users, &users); err != nil {
		return registry.Wrapf(registry.Invalid, err, "users is not an object")
	}
	f, err := h.target(c.Request().Context(), req, auth.Read)
	if err != nil {
		return err
	}
	mark, starred := users[req.identity.Name]
	starred = starred && string(bytes.TrimSpace(mark)) == "true"
	if err := h.packages.Star(c.Request().Context(), f.head.ID, req.identity.Name, starred); err != nil {
		return err
	}
	return answerWritten(c, f.head)
}

// refuseOwners answers npm owner add and rm: who may publish follows from the
// project's members and tokens.
func (h *Handler) refuseOwners(c echo.Context, req *request) error {
	f, err := h.target(c.Request().Context(), req, req.action)
	if err != nil {
		return err
	}
	if err := checkRev(req, f.head); err != nil {
		return err
	}
	return registry.Errorf(registry.Forbidden, "403 Forbidden - owners of a package are the members of its project %s: change them there", f.project.FullPath)
}
