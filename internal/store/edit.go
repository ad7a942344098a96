package store

import (
	"context"

	"gorm.io/gorm"

	"pakhus/internal/registry"
)

// SaveEdit implements registry.Store. Versions come first, then files, tags
// that go, tags that come, notes, and the listing. A version that is no more, or another
// package's, is NotFound.
func (s *Store) SaveEdit(ctx context.Context, e registry.Edit) (registry.Package, error) {
	if err := checkShown(e.SetTags, e.Listing); err != nil {
		return registry.Package{}, err
	}
	if err := checkText(append(append([]string{e.By.Name, e.Action}, e.DropTags...), noteTexts(e.Notes, e.DropNotes)...)...); err != nil {
		return registry.Package{}, err
	}
	var pkg packageRow
	err := s.write(ctx, func(t *tx) error {
		pkg = packageRow{}
		if err := t.forUpdate().Where("id = ?", e.PackageID).Take(&pkg).Error; err != nil {
			return s.fail(ctx, err, "package")
		}
		if e.Revision != 0 && pkg.Revision != e.Revision {
			return registry.Errorf(registry.Conflict, "%s was changed meanwhile; read it again", pkg.Name)
		}
		deleted, err := t.edit(ctx, pkg, e)
		if err != nil {
			return err
		}
		if err := t.bump(&pkg, -deleted); err != nil {
			return err
		}
		if err := t.setNotes(pkg.ID, e.Notes, e.DropNotes); err != nil {
			return err
		}
		if err := t.setListing(pkg, e.Listing); err != nil {
			return err
		}
		if pkg.Living == 0 {
			if err := t.dropListing(pkg.ID); err != nil {
				return err
			}
		}
		return t.record(event{
			by: e.By, action: "package." + e.Action, projectID: pkg.ProjectID, subject: pkg.subject(), details: t.editDetails(e),
		}, pkg.change())
	})
	if err != nil {
		return registry.Package{}, err
	}
	return pkg.pkg(), nil
}

// bump raises the revision of a package whose row is locked, and adds to its
// count of living versions.
func (t *tx) bump(pkg *packageRow, living int64) error {
	pkg.Revision++
	pkg.Living += living
	pkg.UpdatedAt = max(pkg.UpdatedAt, micros(t.now))
	return t.Select("revision", "living", "updated_at").Updates(pkg).Error
}

// edit changes versions and tags, and tells how many versions it deleted.
func (t *tx) edit(ctx context.Context, pkg packageRow, e registry.Edit) (deleted int64, err error) {
	if e.Delete {
		return t.deleteVersions(pkg)
	}
	for _, v := range e.Versions {
		if err := t.editVersion(ctx, pkg, v); err != nil {
			return 0, err
		}
		if v.Status == registry.Deleted {
			deleted++
		}
	}
	if err := t.editFiles(pkg, e.Files); err != nil {
		return 0, err
	}
	if len(e.DropTags) > 0 {
		if err := t.Where("package_id = ? AND tag IN ?", pkg.ID, e.DropTags).Delete(&tagRow{}).Error; err != nil {
			return 0, err
		}
	}
	return deleted, t.setTags(ctx, pkg, e.SetTags, nil)
}

// editVersion changes one version. A tombstone cannot be changed: what was
// deleted stays so.
func (t *tx) editVersion(ctx context.Context, pkg packageRow, v registry.VersionEdit) error {
	changes := map[string]any{}
	if v.State != nil {
		changes["state"] = v.State
	}
	if v.Status != "" {
		changes["status"] = string(v.Status)
	}
	if v.Status == registry.Deleted {
		changes["state"], changes["manifest"] = []byte{}, []byte{}
	}
	living := func() *gorm.DB {
		return t.Model(&versionRow{}).Where("id = ? AND package_id = ? AND status <> ?", v.VersionID, pkg.ID, registry.Deleted)
	}
	var found int64
	if len(changes) > 0 {
		done := living().Updates(changes)
		if done.Error != nil {
			return done.Error
		}
		found = done.RowsAffected
	} else if err := living().Count(&found).Error; err != nil {
		return err
	}
	if found == 0 {
		return notFound("version of " + pkg.Name)
	}
	if v.Status != registry.Deleted {
		return t.setFragments(pkg.ID, v.VersionID, v.Fragments)
	}
	if err := t.dropVersionNotes(pkg.ID, v.VersionID); err != nil {
		return err
	}
	for _, sql := range []string{
		"DELETE FROM tags WHERE version_id = ?", "DELETE FROM fragments WHERE version_id = ?", "DELETE FROM files WHERE version_id = ?",
	} {
		if err := t.Exec(sql, v.VersionID).Error; err != nil {
			return err
		}
	}
	return nil
}

// editFiles removes and marks files. One that is no more, or another package's,
// is NotFound.
func (t *tx) editFiles(pkg packageRow, files []registry.FileEdit) error {
	for _, f := range files {
		sql, args := "UPDATE files SET withheld = ? WHERE id = ? AND package_id = ?", []any{f.Withheld, f.FileID, pkg.ID}
		if f.Drop {
			sql, args = "DELETE FROM files WHERE id = ? AND package_id = ?", args[1:]
		}
		done := t.Exec(sql, args...)
		if done.Error != nil {
			return done.Error
		}
		if done.RowsAffected == 0 {
			return notFound("file of " + pkg.Name)
		}
	}
	return nil
}

// deleteVersions turns every version of a package into a tombstone.
func (t *tx) deleteVersions(pkg packageRow) (deleted int64, err error) {
	for _, sql := range []string{
		"DELETE FROM tags WHERE package_id = ?", "DELETE FROM fragments WHERE package_id = ?", "DELETE FROM files WHERE package_id = ?",
		"DELETE FROM package_notes WHERE package_id = ? AND version_key <> ''",
	} {
		if err := t.Exec(sql, pkg.ID).Error; err != nil {
			return 0, err
		}
	}
	done := t.Exec("UPDATE versions SET status = ?, state = ?, manifest = ? WHERE package_id = ? AND status <> ?",
		registry.Deleted, []byte{}, []byte{}, pkg.ID, registry.Deleted)
	return done.RowsAffected, done.Error
}

// editDetails is what the audit log keeps of an edit.
func (t *tx) editDetails(e registry.Edit) any {
	ids := make([]int64, 0, len(e.Versions))
	for _, v := range e.Versions {
		ids = append(ids, v.VersionID)
	}
	return struct {
		Versions []int64  `json:"version_ids,omitempty"` // the first hundred
		Count    int      `json:"count"`
		SetTags  []string `json:"set_tags,omitempty"`
		DropTags []string `json:"drop_tags,omitempty"`
		Delete   bool     `json:"delete,omitempty"`
	}{ids[:min(100, len(ids))], len(ids), tagNames(e.SetTags), firstOf(e.DropTags, 100), e.Delete}
}
