package store

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"pakhus/internal/registry"
)

// foundRow is a package with its listing's summary.
type foundRow struct {
	Package packageRow `gorm:"embedded"`
	Summary []byte
}

// SearchPackages implements registry.Store. Unless they are asked for by key,
// without terms the newest come first. With terms it is the package of the exact key, then those that have
// more of the terms as whole words, then by name. A package without a listing,
// or without a living version, is not found.
func (s *Store) SearchPackages(ctx context.Context, q registry.SearchQuery) ([]registry.Found, int64, error) {
	if err := checkText(slices.Concat([]string{q.Exact, q.From}, q.Terms, q.Having, q.Not)...); err != nil {
		return nil, 0, err
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
		for _, term := range q.Terms {
			db = beginsWith("packages.id IN", term, q).to(db)
		}
		for _, term := range q.Having {
			db = termCondition("packages.id IN", "pt.term = ?", q, term).to(db)
		}
		for _, term := range q.Not {
			db = beginsWith("packages.id NOT IN", term, q).to(db)
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
	var rows []foundRow
	err := ranked(matches(), q).Select("packages.id, packages.project_id, packages.format, packages.name, packages.name_key, " +
		"packages.revision, packages.living, packages.created_at, packages.updated_at, l.summary").
		Offset(max(q.Offset, 0)).Limit(q.Limit).Scan(&rows).Error
	if err != nil {
		return nil, 0, s.fail(ctx, err, "")
	}
	return mapped(rows, func(r foundRow) registry.Found {
		return registry.Found{Package: r.Package.pkg(), Summary: filled(r.Summary)}
	}), total, nil
}

// lastRune ends the range of all words that begin with a prefix: words are
// compared by bytes, and no character has higher ones.
const lastRune = "\U0010FFFF"

// beginsWith is the condition that one of a package's terms begins with term:
// one range of the index on terms.
func beginsWith(how, term string, q registry.SearchQuery) condition {
	return termCondition(how, "pt.term >= ? AND pt.term < ?", q, term, term+lastRune)
}

func termCondition(how, sql string, q registry.SearchQuery, args ...any) condition {
	c := condition{sql: how + " (SELECT pt.package_id FROM package_terms pt WHERE " + sql, args: args}
	if q.Format != "" {
		c.sql, c.args = c.sql+" AND pt.format = ?", append(c.args, q.Format)
	}
	if q.Span.ProjectID != 0 {
		c.sql, c.args = c.sql+" AND pt.project_id = ?", append(c.args, q.Span.ProjectID)
	}
	c.sql += ")"
	return c
}

// ranked orders search results.
func ranked(db *gorm.DB, q registry.SearchQuery) *gorm.DB {
	if q.ByKey {
		return db.Order("packages.name_key, packages.id")
	}
	if len(q.Terms) == 0 {
		return db.Order("l.updated_at DESC, packages.id DESC")
	}
	whole := "(SELECT COUNT(*) FROM package_terms w WHERE w.package_id = packages.id AND w.term IN (?" +
		strings.Repeat(", ?", len(q.Terms)-1) + "))"
	args := []any{q.Exact}
	for _, term := range q.Terms {
		args = append(args, term)
	}
	return db.Order(clause.OrderBy{Expression: clause.Expr{
		SQL:  "CASE WHEN packages.name_key = ? THEN 0 ELSE 1 END, " + whole + " DESC, packages.name_key, packages.id",
		Vars: args,
	}})
}
