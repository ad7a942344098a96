package store

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"pakhus/internal/registry"
)

type fileRow struct {
	ID        int64 `gorm:"primaryKey"`
	PackageID int64
	VersionID int64
	Name      string
	Digest    []byte
	Withheld  bool
	CreatedAt int64
}

func (fileRow) TableName() string { return "files" }

type blobRow struct {
	Digest    []byte `gorm:"primaryKey"`
	Size      int64
	SHA1      []byte `gorm:"column:sha1"`
	SHA512    []byte `gorm:"column:sha512"`
	MD5       []byte `gorm:"column:md5"`
	Key       string
	CreatedAt int64
}

func (blobRow) TableName() string { return "blobs" }

func newBlobRow(b registry.Blob, now time.Time) blobRow {
	if !b.CreatedAt.IsZero() {
		now = b.CreatedAt
	}
	return blobRow{
		Digest: b.SHA256[:], Size: b.Size, SHA1: b.SHA1[:], SHA512: b.SHA512[:], MD5: b.MD5[:],
		Key: b.Key, CreatedAt: micros(now),
	}
}

func (r blobRow) blob() registry.Blob {
	b := registry.Blob{Key: r.Key, CreatedAt: fromMicros(r.CreatedAt)}
	b.Size = r.Size
	copy(b.SHA256[:], r.Digest)
	copy(b.SHA1[:], r.SHA1)
	copy(b.SHA512[:], r.SHA512)
	copy(b.MD5[:], r.MD5)
	return b
}

// storedFile is a file with its blob.
type storedFile struct {
	File fileRow `gorm:"embedded;embeddedPrefix:file_"`
	Blob blobRow `gorm:"embedded;embeddedPrefix:blob_"`
}

const selectFiles = `SELECT f.id AS file_id, f.package_id AS file_package_id, f.version_id AS file_version_id,
	f.name AS file_name, f.withheld AS file_withheld, f.created_at AS file_created_at,
	b.digest AS blob_digest, b.size AS blob_size, b.sha1 AS blob_sha1, b.sha512 AS blob_sha512, b.md5 AS blob_md5,
	b.key AS blob_key, b.created_at AS blob_created_at
	FROM files f JOIN blobs b ON b.digest = f.digest `

func (r storedFile) file() registry.File {
	return registry.File{
		ID: r.File.ID, PackageID: r.File.PackageID, VersionID: r.File.VersionID, Name: r.File.Name,
		Blob: r.Blob.blob(), Withheld: r.File.Withheld, CreatedAt: fromMicros(r.File.CreatedAt),
	}
}

// ListFiles implements registry.Store.
func (s *Store) ListFiles(ctx context.Context, versionID int64) ([]registry.File, error) {
	var rows []storedFile
	err := s.read(ctx).Raw(selectFiles+"WHERE f.version_id = ? ORDER BY f.name", versionID).Scan(&rows).Error
	if err != nil {
		return nil, s.fail(ctx, err, "")
	}
	return mapped(rows, storedFile.file), nil
}

// FindFile implements registry.Store. Deleted versions have no files.
func (s *Store) FindFile(ctx context.Context, packageID int64, name string) (registry.File, error) {
	if err := checkText(name); err != nil {
		return registry.File{}, err
	}
	var rows []storedFile
	err := s.read(ctx).Raw(selectFiles+"WHERE f.package_id = ? AND f.name = ? ORDER BY f.id LIMIT 1", packageID, name).Scan(&rows).Error
	if err == nil && len(rows) == 0 {
		err = gorm.ErrRecordNotFound
	}
	if err != nil {
		return registry.File{}, s.fail(ctx, err, "file")
	}
	return rows[0].file(), nil
}

// FindVersionFile implements registry.Store.
func (s *Store) FindVersionFile(ctx context.Context, packageID int64, versionKey, name string) (registry.File, error) {
	if err := checkText(versionKey, name); err != nil {
		return registry.File{}, err
	}
	var rows []storedFile
	err := s.read(ctx).Raw(selectFiles+"JOIN versions v ON v.id = f.version_id WHERE v.package_id = ? AND v.version_key = ? AND f.name = ?",
		packageID, versionKey, name).Scan(&rows).Error
	if err == nil && len(rows) == 0 {
		err = gorm.ErrRecordNotFound
	}
	if err != nil {
		return registry.File{}, s.fail(ctx, err, "file")
	}
	return rows[0].file(), nil
}

// sharedFile is a file with the project of its package.
type sharedFile struct {
	Stored    storedFile `gorm:"embedded"`
	ProjectID int64
}

func (r sharedFile) shared() registry.SharedFile {
	return registry.SharedFile{File: r.Stored.file(), ProjectID: r.ProjectID}
}

// ListSharedFiles implements registry.Store. The first condition is that of the
// partial index, word by word; it holds nothing but such files.
func (s *Store) ListSharedFiles(ctx context.Context, span registry.Span, format registry.Format, prefix string, limit int) ([]registry.SharedFile, error) {
	if err := checkText(prefix); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(prefix, registry.SharedPrefix) {
		return nil, registry.Errorf(registry.Invalid, "names of shared files begin with %s", registry.SharedPrefix)
	}
	lies := within(span, "pr")
	var rows []sharedFile
	err := s.read(ctx).Raw(strings.Replace(selectFiles, "SELECT ", "SELECT p.project_id, ", 1)+
		"JOIN packages p ON p.id = f.package_id JOIN projects pr ON pr.id = p.project_id "+
		"WHERE f.name >= '@' AND f.name < 'A' AND f.name >= ? AND f.name < ? AND p.format = ? AND "+lies.sql+" ORDER BY f.id LIMIT ?",
		slices.Concat([]any{prefix, prefix + lastRune, format}, lies.args, []any{limit})...).Scan(&rows).Error
	if err != nil {
		return nil, s.fail(ctx, err, "")
	}
	return mapped(rows, sharedFile.shared), nil
}

// withheldFile is a withheld file with its version's key.
type withheldFile struct {
	Stored     storedFile `gorm:"embedded"`
	VersionKey string
}

func (r withheldFile) withheld() registry.WithheldFile {
	return registry.WithheldFile{File: r.Stored.file(), VersionKey: r.VersionKey}
}

// ListWithheld implements registry.Store. There are few at any time, and an
// index holds nothing but them.
func (s *Store) ListWithheld(ctx context.Context, packageID int64) ([]registry.WithheldFile, error) {
	withheld := "f.withheld" // the two databases know their partial index by one form each
	if s.dialect != postgresDialect {
		withheld = "f.withheld <> 0"
	}
	var rows []withheldFile
	err := s.read(ctx).Raw(strings.Replace(selectFiles, "SELECT ", "SELECT v.version_key, ", 1)+
		"JOIN versions v ON v.id = f.version_id WHERE f.package_id = ? AND "+withheld+" ORDER BY f.id", packageID).Scan(&rows).Error
	if err != nil {
		return nil, s.fail(ctx, err, "")
	}
	return mapped(rows, withheldFile.withheld), nil
}

// FindBlob implements registry.Store. A digest that is none is NotFound.
func (s *Store) FindBlob(ctx context.Context, digest string) (registry.Blob, error) {
	raw, err := hex.DecodeString(digest)
	if err != nil {
		return registry.Blob{}, notFound("blob")
	}
	var b blobRow
	found, err := s.row(ctx, "SELECT digest, size, sha1, sha512, md5, key, created_at FROM blobs WHERE digest = ?", []any{raw},
		&b.Digest, &b.Size, &b.SHA1, &b.SHA512, &b.MD5, &b.Key, &b.CreatedAt)
	if err == nil && !found {
		err = notFound("blob")
	}
	if err != nil {
		return registry.Blob{}, s.fail(ctx, err, "blob")
	}
	return b.blob(), nil
}

// ListBlobs implements registry.Store.
func (s *Store) ListBlobs(ctx context.Context, after string, limit int) ([]registry.Blob, error) {
	raw, err := hex.DecodeString(after)
	if err != nil {
		return nil, registry.Errorf(registry.Invalid, "%q is not a digest", after)
	}
	var rows []blobRow
	err = s.read(ctx).Where("digest > ?", raw).Order("digest").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, s.fail(ctx, err, "")
	}
	return mapped(rows, blobRow.blob), nil
}

// FindBlobKeys implements registry.Store.
func (s *Store) FindBlobKeys(ctx context.Context, keys []string) (map[string]bool, error) {
	if err := checkText(keys...); err != nil {
		return nil, err
	}
	found := make(map[string]bool, len(keys))
	for len(keys) > 0 {
		n := min(len(keys), insertBatch)
		var have []string
		err := s.read(ctx).Model(&blobRow{}).Where("key IN ?", keys[:n]).Pluck("key", &have).Error
		if err != nil {
			return nil, s.fail(ctx, err, "")
		}
		for _, key := range have {
			found[key] = true
		}
		keys = keys[n:]
	}
	return found, nil
}

// ListUnusedBlobs implements registry.Store.
func (s *Store) ListUnusedBlobs(ctx context.Context, before time.Time, after string, limit int) ([]registry.Blob, error) {
	raw, err := hex.DecodeString(after)
	if err != nil {
		return nil, registry.Errorf(registry.Invalid, "%q is not a digest", after)
	}
	var rows []blobRow
	err = s.read(ctx).
		Where("digest > ? AND created_at < ? AND NOT EXISTS (SELECT 1 FROM files f WHERE f.digest = blobs.digest)", raw, micros(before)).
		Order("digest").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, s.fail(ctx, err, "")
	}
	return mapped(rows, blobRow.blob), nil
}

// DeleteUnusedBlob implements registry.Store. The foreign key of files decides,
// so a publication under way either keeps the row or finds it gone.
func (s *Store) DeleteUnusedBlob(ctx context.Context, digest string) error {
	raw, err := hex.DecodeString(digest)
	if err != nil {
		return notFound("blob")
	}
	return s.write(ctx, func(t *tx) error {
		done := t.Exec("DELETE FROM blobs WHERE digest = ?", raw)
		if done.Error != nil {
			return onBreach(done.Error, dangling, registry.Conflict, "a file names this blob")
		}
		if done.RowsAffected == 0 {
			return notFound("blob")
		}
		return nil
	})
}
