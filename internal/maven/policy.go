package maven

import (
	"context"
	"regexp"
	"time"

	"pakhus/internal/registry"
)

// Settings of a project, or of a group for all projects below it
// (gitlab.md 7.1). GitLab's default lets releases be replaced; ours does not.
const (
	settingDuplicates = "maven_duplicates_allowed"
	settingException  = "maven_duplicate_exception_regex"
)

// growTime is how long files may join a release after its first one: classifiers
// and signatures come late, another day nobody expects them.
const growTime = 24 * time.Hour

// rule says what may happen to a file that is there.
type rule int

const (
	keep            rule = iota // it stays as it is
	replace                     // other bytes may take its place
	replaceWithheld             // if it is withheld, which the transaction decides
)

// decide tells what a PUT of other bytes than those that are there may do. What
// it may not do is Conflict, and a file that the project takes from nobody is
// Invalid.
func (h *Handler) decide(ctx context.Context, req *request, at target) (rule, error) {
	if at.version.Status == registry.Deleted && !req.path.IsSnapshot() {
		return keep, registry.Errorf(registry.Conflict, "release %s was deleted, and others may have its old content: raise the version", at.version.Version)
	}
	if err := h.checkKind(ctx, req); err != nil {
		return keep, err
	}
	switch {
	case at.file.ID == 0:
		if err := h.checkLayout(ctx, req); err != nil {
			return keep, err
		}
		return keep, h.checkGrowth(ctx, req, at)
	case at.file.Withheld:
		return replaceWithheld, nil
	}
	fixed, err := h.isFixed(ctx, req.project, req.path)
	switch {
	case err != nil:
		return keep, err
	case !fixed:
		return replace, nil
	case req.path.Signature && !req.path.IsSnapshot():
		return h.decideSignature(ctx, req, at)
	}
	return keep, errTaken(req.path)
}

// settingVersions says which versions a repository takes: "release", "snapshot",
// or "mixed", which is both. What is there already stays readable.
const settingVersions = "maven_version_policy"

// checkKind refuses snapshots in a repository of releases, and the reverse.
func (h *Handler) checkKind(ctx context.Context, req *request) error {
	settings, err := h.packages.Settings(ctx, req.project)
	if err != nil {
		return err
	}
	switch policy := settings.Get(settingVersions, "mixed"); {
	case policy == "release" && req.path.IsSnapshot():
		return registry.Errorf(registry.Invalid, "%s is a snapshot, and this repository takes releases only (%s)", req.path.Version, settingVersions)
	case policy == "snapshot" && !req.path.IsSnapshot():
		return registry.Errorf(registry.Invalid, "%s is a release, and this repository takes snapshots only (%s)", req.path.Version, settingVersions)
	}
	return nil
}

func errTaken(path Path) error {
	if path.IsSnapshot() {
		return registry.Errorf(registry.Conflict, "%s exists with other content: two builds took the same timestamp and number; deploy again", path.File)
	}
	return registry.Errorf(registry.Conflict, "release %s has a file %s with other content: raise the version, or allow duplicates in the project's settings", path.Version, path.File)
}

// checkGrowth refuses a new file of a release that is a day old.
func (h *Handler) checkGrowth(ctx context.Context, req *request, at target) error {
	if at.version.ID == 0 || req.path.IsSnapshot() || h.packages.Now().Sub(at.version.CreatedAt) < growTime {
		return nil
	}
	if allowed, err := h.allowsDuplicates(ctx, req.project, req.path); err != nil || allowed {
		return err
	}
	return registry.Errorf(registry.Conflict, "release %s is older than a day: no file can be added to it any more; raise the version", req.path.Version)
}

// decideSignature lets a signature be replaced until the version is complete.
func (h *Handler) decideSignature(ctx context.Context, req *request, at target) (rule, error) {
	notes, err := h.packages.Notes(ctx, registry.NoteQuery{PackageID: at.head.ID, Kind: noteVersion, VersionKey: req.path.Version, NotHeld: h.packages.Now()})
	if err != nil {
		return keep, err
	}
	if len(notes) == 0 {
		return keep, errTaken(req.path)
	}
	return replace, nil
}

// isFixed tells whether a file never changes: those of releases, unless the
// project allows duplicates, and those of snapshots that carry their build.
func (h *Handler) isFixed(ctx context.Context, p registry.Project, path Path) (bool, error) {
	if path.IsSnapshot() {
		c, ok := ParseCoordinates(path)
		return ok && !c.Build.IsZero(), nil
	}
	allowed, err := h.allowsDuplicates(ctx, p, path)
	return !allowed, err
}

// allowsDuplicates tells whether files of a version may be replaced. The
// exception turns the setting around for the names and versions that it matches
// as a whole.
func (h *Handler) allowsDuplicates(ctx context.Context, p registry.Project, path Path) (bool, error) {
	settings, err := h.packages.Settings(ctx, p)
	if err != nil {
		return false, err
	}
	allowed := settings.Get(settingDuplicates, "false") == "true"
	exception := settings.Get(settingException, "")
	if exception == "" {
		return allowed, nil
	}
	pattern, err := regexp.Compile(`\A(?:` + exception + `)\z`)
	if err != nil { // somebody's typing error must not open anything
		return false, nil
	}
	if pattern.MatchString(path.Package) || pattern.MatchString(path.Version) {
		return !allowed, nil
	}
	return allowed, nil
}
