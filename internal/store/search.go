package store

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"pakhus/internal/registry"
)

// foundRow is a package with its listing's summary.
type foundRow struct {
	Package packageRow `gorm:"embedded"`
	Summary []byte
	Shared  bool
}

// SearchPackages implements registry.Store. Without terms the newest come first,
// unless they are asked for by key. A package without a listing, or without a
// living version, is not found.
func (s *Store) SearchPackages(ctx context.Context, q registry.SearchQuery) ([]registry.Found, int64, error) {
	if err := checkText(slices.Concat([]string{q.Exact, q.From}, q.Terms, q.Having, q.Not)...); err != nil {
		return nil, 0, err
	}
	q.Offset = max(q.Offset, 0)
	if len(q.Terms)+len(q.Having) > 0 {
		return s.searchTerms(ctx, q)
	}
	if q.OncePerKey {
		return nil, 0, registry.Errorf(registry.Internal, "once per key needs terms")
	}
	matches := func() *gorm.DB {
		db := s.read(ctx).Table("packages").Joins("JOIN listings l ON l.package_id = packages.id").
			Where("packages.living > 0")
		if q.Format != "" {
			db = db.Where("packages.format = ?", q.Format)
		}
		if q.From != "" {
			db = db.Where("packages.name_key >= ?", q.From)
		}
		db = reached(q.Readers, q.Span).to(db)
		for _, term := range q.Not {
			c := hasTerm("packages.id", prefixOf(term))
			db = db.Where("NOT "+c.sql, c.args...)
		}
		return db
	}
	var total int64
	if !q.NoTotal {
		if err := matches().Count(&total).Error; err != nil {
			return nil, 0, s.fail(ctx, err, "")
		}
	}
	if total == 0 && !q.NoTotal || q.Limit <= 0 {
		return nil, total, nil
	}
	order := "l.updated_at DESC, packages.id DESC"
	if q.ByKey {
		order = "packages.name_key, packages.id"
	}
	var rows []foundRow
	err := matches().Select(selectFound).Order(order).Offset(q.Offset).Limit(q.Limit).Scan(&rows).Error
	if err != nil {
		return nil, 0, s.fail(ctx, err, "")
	}
	return mapped(rows, foundRow.found), total, nil
}

const selectFound = "packages.id, packages.project_id, packages.format, packages.name, packages.name_key, " +
	"packages.revision, packages.living, packages.created_at, packages.updated_at, l.summary"

// selectShared is also known of a package that is found once per key.
const selectShared = ", EXISTS (SELECT 1 FROM packages o WHERE o.format = packages.format AND o.name_key = packages.name_key AND o.id <> packages.id) AS shared"

func (r foundRow) found() registry.Found {
	return registry.Found{Package: r.Package.pkg(), Summary: filled(r.Summary), Shared: r.Shared}
}
