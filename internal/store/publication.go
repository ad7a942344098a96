package store

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"gorm.io/gorm"

	"pakhus/internal/registry"
)

// SavePublication implements registry.Store. Nothing in it looks at the other
// versions of a package, so it costs the same however many there are.
//
// The package's row comes first: its lock makes publications into one package
// follow each other, so version ids and revisions are in commit order.
//
// A version with Grow that exists keeps its manifest, unless it has none yet;
// its state and fragments are replaced by those given. A deleted one that is
// revived counts as new, under its old id.
func (s *Store) SavePublication(ctx context.Context, pubs []registry.Publication, blobs map[string]registry.Blob) ([]registry.Package, error) {
	for _, p := range pubs {
		if err := checkPublication(p); err != nil {
			return nil, err
		}
	}
	heads := make([]registry.Package, len(pubs))
	err := s.write(ctx, func(t *tx) error {
		rows := make([]packageRow, len(pubs))
		for _, i := range lockOrder(pubs) {
			if err := t.upsertPackage(&rows[i], pubs[i]); err != nil {
				return err
			}
		}
		if err := t.insertBlobs(blobs); err != nil {
			return err
		}
		for i, p := range pubs {
			if err := t.publish(ctx, rows[i], p); err != nil {
				return err
			}
			heads[i] = rows[i].pkg()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return heads, nil
}

func checkPublication(p registry.Publication) error {
	texts := []string{p.Name, p.Key, p.By.Name}
	for _, v := range p.Versions {
		texts = append(texts, v.Version, v.Key, v.SortKey)
		for _, f := range v.Files {
			texts = append(texts, f.Name)
		}
	}
	texts = append(texts, noteTexts(p.Notes, p.DropNotes)...)
	if err := checkText(texts...); err != nil {
		return err
	}
	return checkShown(p.Tags, p.Listing)
}

// checkShown is Invalid for tags and listings that cannot be stored.
func checkShown(tags []registry.TagChange, listing *registry.Listing) error {
	var texts []string
	for _, tag := range tags {
		texts = append(texts, tag.Tag, tag.VersionKey)
	}
	if listing != nil {
		texts = append(append(texts, listing.VersionKey), listing.Terms...)
	}
	return checkText(texts...)
}

// lockOrder gives the indexes of pubs in one order for all writers, so that two
// publications of the same packages cannot wait for each other in a circle.
func lockOrder(pubs []registry.Publication) []int {
	order := make([]int, len(pubs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := pubs[i], pubs[j]
		return cmp.Or(cmp.Compare(a.ProjectID, b.ProjectID), cmp.Compare(a.Format, b.Format), cmp.Compare(a.Key, b.Key))
	})
	return order
}

// upsertPackage makes the package or raises its revision. It counts every
// version as new; publish takes back those that only grew.
func (t *tx) upsertPackage(row *packageRow, p registry.Publication) error {
	_, err := t.row(`INSERT INTO packages (project_id, format, name, name_key, revision, living, created_at, updated_at)
		VALUES (?, ?, ?, ?, 1, ?, ?, ?)
		ON CONFLICT (project_id, format, name_key) DO UPDATE SET
			revision = packages.revision + 1,
			living = packages.living + excluded.living,
			updated_at = CASE WHEN packages.updated_at > excluded.updated_at THEN packages.updated_at ELSE excluded.updated_at END
		RETURNING `+packageColumns,
		[]any{p.ProjectID, string(p.Format), p.Name, p.Key, len(p.Versions), micros(t.now), micros(t.now)}, row.columns()...)
	return onBreach(err, dangling, registry.NotFound, "project not found")
}

// insertBlobs stores the rows of bytes that were just written. When the digest
// has a row by now, that one stays: somebody else was faster, and the bytes
// written twice are left to garbage collection.
func (t *tx) insertBlobs(blobs map[string]registry.Blob) error {
	for _, digest := range slices.Sorted(maps.Keys(blobs)) { // one order for all writers
		b := newBlobRow(blobs[digest], t.now)
		err := t.later(nil, `INSERT INTO blobs (digest, size, sha1, sha512, md5, key, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (digest) DO NOTHING`, b.Digest, b.Size, b.SHA1, b.SHA512, b.MD5, b.Key, b.CreatedAt)
		if err != nil {
			return err
		}
	}
	return nil
}

// publish adds what one publication brings to its package.
func (t *tx) publish(ctx context.Context, pkg packageRow, p registry.Publication) error {
	ids := make(map[string]int64, len(p.Versions)) // by version key
	var keys []string
	grown := int64(0)
	for _, v := range p.Versions {
		id, isNew, err := t.addVersion(ctx, pkg, v, p.By.Name)
		if err != nil {
			return err
		}
		if !isNew {
			grown++
		}
		ids[v.Key] = id
		keys = append(keys, v.Key)
	}
	if grown > 0 {
		if err := t.Exec("UPDATE packages SET living = living - ? WHERE id = ?", grown, pkg.ID).Error; err != nil {
			return err
		}
	}
	if err := t.setTags(ctx, pkg, p.Tags, ids); err != nil {
		return err
	}
	if err := t.setNotes(pkg.ID, p.Notes, p.DropNotes); err != nil {
		return err
	}
	if err := t.relist(pkg, p); err != nil {
		return err
	}
	if len(p.Versions) == 0 && len(p.Tags) == 0 { // what a format notes is no event
		t.forgetLater(pkg.change())
		return nil
	}
	return t.record(event{
		by: p.By, action: "package.publish", projectID: pkg.ProjectID, subject: pkg.subject(),
		details: publishDetails{Versions: firstOf(keys, 100), Count: len(keys), Tags: tagNames(p.Tags)},
	}, pkg.change())
}

// publishDetails is what the audit log keeps of a publication. Versions is cut
// off at a hundred; Count is not.
type publishDetails struct {
	Versions []string `json:"versions,omitempty"`
	Count    int      `json:"count"`
	Tags     []string `json:"tags,omitempty"`
}

func firstOf(texts []string, n int) []string { return texts[:min(n, len(texts))] }

func tagNames(tags []registry.TagChange) []string {
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = tag.Tag
	}
	return firstOf(names, 100)
}

// addVersion stores a version with its files and fragments.
func (t *tx) addVersion(ctx context.Context, pkg packageRow, v registry.NewVersion, by string) (id int64, isNew bool, err error) {
	isNew, err = t.row(`INSERT INTO versions (package_id, version, version_key, sort_key, status, published_by, created_at, state, manifest)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (package_id, version_key) DO NOTHING RETURNING id`,
		[]any{pkg.ID, v.Version, v.Key, v.SortKey, string(registry.Listed), by, micros(t.now), document(v.State), document(v.Manifest)}, &id)
	if err != nil {
		return 0, false, err
	}
	if !isNew {
		if id, isNew, err = t.growVersion(ctx, pkg, v, by); err != nil {
			return 0, false, err
		}
	}
	for _, f := range v.Files {
		if err := t.addFile(pkg, id, v.Version, f); err != nil {
			return 0, false, err
		}
	}
	return id, isNew, t.setFragments(pkg.ID, id, v.Fragments)
}

// growVersion finds the version that more files join or that is replaced, and tells whether it was
// a tombstone until now.
func (t *tx) growVersion(ctx context.Context, pkg packageRow, v registry.NewVersion, by string) (id int64, revived bool, err error) {
	have, err := findVersion(t.DB, pkg.ID, v.Key)
	if err != nil {
		return 0, false, t.store.fail(ctx, err, "version")
	}
	revived = have.Status == string(registry.Deleted) && v.Revive
	if have.Status == string(registry.Deleted) && !revived {
		return 0, false, registry.Errorf(registry.Conflict, "version %s of %s was deleted; its coordinates stay taken", v.Version, pkg.Name)
	}
	if !v.Grow && !v.Replace {
		return 0, false, registry.Errorf(registry.Conflict, "version %s of %s exists already", v.Version, pkg.Name)
	}
	changes := map[string]any{}
	if v.Replace {
		changes["status"], changes["version"], changes["sort_key"] = string(registry.Listed), v.Version, v.SortKey
		changes["state"], changes["manifest"], changes["published_by"] = document(v.State), document(v.Manifest), by
		return have.ID, revived, t.Model(&have).Updates(changes).Error
	}
	if revived {
		changes["status"], changes["created_at"] = string(registry.Listed), micros(t.now)
	}
	if v.State != nil && !bytes.Equal(v.State, have.State) {
		changes["state"] = v.State
	}
	if len(have.Manifest) == 0 && len(v.Manifest) > 0 {
		changes["manifest"] = v.Manifest
	}
	if len(changes) == 0 {
		return have.ID, revived, nil
	}
	return have.ID, revived, t.Model(&have).Updates(changes).Error
}

// addFile stores a file. Its bytes must have a row: publications bring one only
// for bytes they just wrote.
func (t *tx) addFile(pkg packageRow, versionID int64, version string, f registry.NewFile) error {
	if f.Over != nil {
		if err := t.checkOver(pkg, versionID, version, f); err != nil {
			return err
		}
	}
	digest := f.Body.Digests().SHA256
	args := []any{pkg.ID, versionID, f.Name, digest[:], micros(t.now), false}
	onName := "NOTHING"
	if f.Replace || f.ReplaceWithheld {
		onName = "UPDATE SET digest = excluded.digest, created_at = excluded.created_at, withheld = excluded.withheld"
	}
	if f.ReplaceWithheld && !f.Replace {
		onName, args = onName+" WHERE files.withheld = ?", append(args, true)
	}
	check := func(affected int64, err error) error {
		switch {
		case err != nil && breachOf(err) == dangling:
			return registry.ErrBlobGone
		case err == nil && affected == 0:
			return registry.Errorf(registry.Conflict, "file %s of version %s of %s exists already", f.Name, version, pkg.Name)
		}
		return err
	}
	return t.later(check, `INSERT INTO files (package_id, version_id, name, digest, created_at, withheld) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (version_id, name) DO `+onName, args...)
}

// checkOver compares the file that is there with the one that a new file is to
// take the place of. The package's row is locked, so nobody changes it meanwhile.
func (t *tx) checkOver(pkg packageRow, versionID int64, version string, f registry.NewFile) error {
	var have [][]byte
	if err := t.Raw("SELECT digest FROM files WHERE version_id = ? AND name = ?", versionID, f.Name).Scan(&have).Error; err != nil {
		return err
	}
	isNone := *f.Over == [32]byte{}
	if len(have) == 0 && isNone || len(have) == 1 && !isNone && bytes.Equal(have[0], f.Over[:]) {
		return nil
	}
	return registry.Errorf(registry.Conflict, "file %s of version %s of %s was changed meanwhile", f.Name, version, pkg.Name)
}

// setFragments adds fragments, in place of those of the same kind.
func (t *tx) setFragments(packageID, versionID int64, fragments map[registry.FragmentKind][]byte) error {
	for _, kind := range slices.Sorted(maps.Keys(fragments)) {
		err := t.later(nil, `INSERT INTO fragments (package_id, kind, version_id, data) VALUES (?, ?, ?, ?)
			ON CONFLICT (package_id, kind, version_id) DO UPDATE SET data = excluded.data`,
			packageID, string(kind), versionID, document(fragments[kind]))
		if err != nil {
			return err
		}
	}
	return nil
}

// setTags sets tags to versions that are not deleted; known has the ids of some.
func (t *tx) setTags(ctx context.Context, pkg packageRow, tags []registry.TagChange, known map[string]int64) error {
	for _, tag := range tags {
		id, ok := known[tag.VersionKey]
		if !ok {
			v, err := findVersion(t.Omit("manifest", "state"), pkg.ID, tag.VersionKey)
			if err == nil && v.Status == string(registry.Deleted) {
				err = gorm.ErrRecordNotFound
			}
			if err != nil {
				return t.store.fail(ctx, err, "version "+tag.VersionKey+" of "+pkg.Name)
			}
			id = v.ID
		}
		onTag := "UPDATE SET version_id = excluded.version_id"
		if tag.IfAbsent {
			onTag = "NOTHING"
		}
		err := t.later(nil, "INSERT INTO tags (package_id, tag, version_id) VALUES (?, ?, ?) ON CONFLICT (package_id, tag) DO "+onTag,
			pkg.ID, tag.Tag, id)
		if err != nil {
			return err
		}
	}
	return nil
}
