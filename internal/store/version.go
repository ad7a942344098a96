package store

import (
	"context"

	"gorm.io/gorm"

	"pakhus/internal/registry"
)

type versionRow struct {
	ID          int64 `gorm:"primaryKey"`
	PackageID   int64
	Version     string
	VersionKey  string
	SortKey     string
	Status      string
	PublishedBy string
	CreatedAt   int64
	State       []byte
	Manifest    []byte
}

func (versionRow) TableName() string { return "versions" }

func (r versionRow) version() registry.Version {
	return registry.Version{
		ID: r.ID, PackageID: r.PackageID, Version: r.Version, Key: r.VersionKey, SortKey: r.SortKey,
		Status: registry.Status(r.Status), Manifest: filled(r.Manifest), State: filled(r.State),
		PublishedBy: r.PublishedBy, CreatedAt: fromMicros(r.CreatedAt),
	}
}

// filled gives empty documents one form, nil: the drivers differ.
func filled(document []byte) []byte {
	if len(document) == 0 {
		return nil
	}
	return document
}

// document is the form of an optional document in a column that is not NULL.
func document(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

type fragmentRow struct {
	PackageID int64  `gorm:"primaryKey;autoIncrement:false"`
	Kind      string `gorm:"primaryKey"`
	VersionID int64  `gorm:"primaryKey;autoIncrement:false"`
	Data      []byte
}

func (fragmentRow) TableName() string { return "fragments" }

type tagRow struct {
	PackageID int64  `gorm:"primaryKey;autoIncrement:false"`
	Tag       string `gorm:"primaryKey"`
	VersionID int64
}

func (tagRow) TableName() string { return "tags" }

// ListVersions implements registry.Store.
func (s *Store) ListVersions(ctx context.Context, packageID int64) ([]registry.Version, error) {
	var rows []versionRow
	err := s.read(ctx).Omit("manifest").Where("package_id = ?", packageID).Order("id").Find(&rows).Error
	if err != nil {
		return nil, s.fail(ctx, err, "")
	}
	return mapped(rows, versionRow.version), nil
}

// FindVersion implements registry.Store.
func (s *Store) FindVersion(ctx context.Context, packageID int64, key string) (registry.Version, error) {
	if err := checkText(key); err != nil {
		return registry.Version{}, err
	}
	row, err := findVersion(s.read(ctx), packageID, key)
	if err != nil {
		return registry.Version{}, s.fail(ctx, err, "version")
	}
	return row.version(), nil
}

func findVersion(db *gorm.DB, packageID int64, key string) (versionRow, error) {
	var row versionRow
	err := db.Where("package_id = ? AND version_key = ?", packageID, key).Take(&row).Error
	return row, err
}

// ListFragments implements registry.Store. Deleted versions have none.
func (s *Store) ListFragments(ctx context.Context, packageID int64, kind registry.FragmentKind) ([]registry.Fragment, error) {
	rows, err := s.read(ctx).Raw(
		"SELECT version_id, data FROM fragments WHERE package_id = ? AND kind = ? ORDER BY version_id", packageID, kind).Rows()
	if err != nil {
		return nil, s.fail(ctx, err, "")
	}
	defer rows.Close()
	var fragments []registry.Fragment
	for rows.Next() {
		var f registry.Fragment
		if err := rows.Scan(&f.VersionID, &f.Data); err != nil {
			return nil, s.fail(ctx, err, "")
		}
		fragments = append(fragments, f)
	}
	return fragments, s.fail(ctx, rows.Err(), "")
}

// FindFragment implements registry.Store.
func (s *Store) FindFragment(ctx context.Context, versionID int64, kind registry.FragmentKind) ([]byte, error) {
	var row fragmentRow
	err := s.read(ctx).
		Where("package_id = (SELECT v.package_id FROM versions v WHERE v.id = ?) AND kind = ? AND version_id = ?", versionID, kind, versionID).
		Take(&row).Error
	return row.Data, s.fail(ctx, err, "document")
}

// ListTags implements registry.Store.
func (s *Store) ListTags(ctx context.Context, packageID int64) (map[string]string, error) {
	var rows []struct{ Tag, VersionKey string }
	err := s.read(ctx).Raw(
		"SELECT t.tag, v.version_key FROM tags t JOIN versions v ON v.id = t.version_id WHERE t.package_id = ?", packageID).Scan(&rows).Error
	if err != nil {
		return nil, s.fail(ctx, err, "")
	}
	tags := make(map[string]string, len(rows))
	for _, row := range rows {
		tags[row.Tag] = row.VersionKey
	}
	return tags, nil
}
