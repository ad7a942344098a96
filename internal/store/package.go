package store

import (
	"context"
	"time"

	"pakhus/internal/registry"
)

type packageRow struct {
	ID        int64 `gorm:"primaryKey"`
	ProjectID int64
	Format    string
	Name      string
	NameKey   string
	Revision  int64
	Living    int64 // versions that are not deleted
	CreatedAt int64
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
}

func (packageRow) TableName() string { return "packages" }

const packageColumns = "id, project_id, format, name, name_key, revision, living, created_at, updated_at"

// columns are where packageColumns are read into.
func (r *packageRow) columns() []any {
	return []any{&r.ID, &r.ProjectID, &r.Format, &r.Name, &r.NameKey, &r.Revision, &r.Living, &r.CreatedAt, &r.UpdatedAt}
}

func (r packageRow) pkg() registry.Package {
	return registry.Package{
		ID: r.ID, ProjectID: r.ProjectID, Format: registry.Format(r.Format), Name: r.Name, Key: r.NameKey,
		Revision: r.Revision, CreatedAt: fromMicros(r.CreatedAt), UpdatedAt: fromMicros(r.UpdatedAt),
	}
}

// change is what a changed head makes others forget.
func (r packageRow) change() registry.Change {
	return registry.PackageChange(registry.Format(r.Format), r.NameKey)
}

// subject names a package in the audit log.
func (r packageRow) subject() string { return r.Format + "/" + r.Name }

// FindPackages implements registry.Store. A package whose versions are all
// deleted is there too: its name stays bound.
func (s *Store) FindPackages(ctx context.Context, format registry.Format, key string) ([]registry.Package, error) {
	if err := checkText(key); err != nil {
		return nil, err
	}
	return s.findPackages(ctx, "format = ? AND name_key = ?", string(format), key)
}

// FindPackagesByTerm implements registry.Store.
func (s *Store) FindPackagesByTerm(ctx context.Context, projectID int64, format registry.Format, term string) ([]registry.Package, error) {
	if err := checkText(term); err != nil {
		return nil, err
	}
	return s.findPackages(ctx,
		"id IN (SELECT package_id FROM package_terms WHERE term = ? AND project_id = ? AND format = ?)", term, projectID, string(format))
}

// findPackages gives the few packages that a condition finds by an index. Every
// publication asks twice, hence plain SQL.
func (s *Store) findPackages(ctx context.Context, where string, args ...any) ([]registry.Package, error) {
	defer s.used("query", time.Now())
	rows, err := s.reader.Statement.ConnPool.QueryContext(s.brief(ctx), s.bound("SELECT "+packageColumns+" FROM packages WHERE "+where+" ORDER BY id"), args...)
	if err != nil {
		return nil, s.fail(ctx, err, "")
	}
	defer rows.Close()
	found := []registry.Package{}
	for rows.Next() {
		var row packageRow
		if err := rows.Scan(row.columns()...); err != nil {
			return nil, s.fail(ctx, err, "")
		}
		found = append(found, row.pkg())
	}
	return found, s.fail(ctx, rows.Err(), "")
}

// ListPackages implements registry.Store. Packages without a living version are
// left out.
func (s *Store) ListPackages(ctx context.Context, f registry.PackageFilter, page registry.Page) ([]registry.Package, int64, error) {
	db := s.read(ctx).Where("living > 0")
	if f.Format != "" {
		db = db.Where("format = ?", f.Format)
	}
	db = reached(f.Readers, f.Span).to(db)
	rows, total, err := list[packageRow](db, page, "name_key, id")
	if err != nil {
		return nil, 0, s.fail(ctx, err, "")
	}
	return mapped(rows, packageRow.pkg), total, nil
}

// ListPackageKeys implements registry.Store.
func (s *Store) ListPackageKeys(ctx context.Context, f registry.PackageFilter, from, to string, limit int) ([]string, error) {
	if err := checkText(from, to); err != nil {
		return nil, err
	}
	db := reached(f.Readers, f.Span).to(s.read(ctx).Model(&packageRow{}))
	var keys []string
	err := db.Where("packages.format = ? AND packages.name_key >= ? AND packages.name_key < ? AND packages.living > 0", f.Format, from, to).
		Distinct("packages.name_key").Order("packages.name_key").Limit(limit).Pluck("packages.name_key", &keys).Error
	return keys, s.fail(ctx, err, "")
}

// reached is the condition that a package's project may be read and lies in the
// span.
func reached(r registry.Readers, span registry.Span) condition {
	reads, lies := readable(r, "pr"), within(span, "pr")
	c := condition{
		sql:  "EXISTS (SELECT 1 FROM projects pr WHERE pr.id = packages.project_id AND " + reads.sql + " AND " + lies.sql + ")",
		args: append(reads.args, lies.args...),
	}
	if span.ProjectID != 0 { // said once more, for the index on packages
		c.sql += " AND packages.project_id = ?"
		c.args = append(c.args, span.ProjectID)
	}
	return c
}
