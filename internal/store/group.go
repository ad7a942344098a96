package store

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"pakhus/internal/registry"
)

type groupRow struct {
	ID          int64 `gorm:"primaryKey"`
	ParentID    *int64
	Name        string
	Path        string
	FullPath    string
	PathKey     string
	Ancestors   string
	Description string
	Visibility  string
	CreatedAt   int64
}

func (groupRow) TableName() string { return "groups" }

func (r groupRow) group() (registry.Group, error) {
	ancestors, err := parseAncestors(r.Ancestors)
	return registry.Group{
		ID: r.ID, ParentID: fromOptionalID(r.ParentID), Name: r.Name, Path: r.Path, FullPath: r.FullPath,
		Description: r.Description, Visibility: registry.Visibility(r.Visibility), Ancestors: ancestors,
		CreatedAt: fromMicros(r.CreatedAt),
	}, err
}

// routeRow makes the paths of groups and projects one set.
type routeRow struct {
	PathKey   string `gorm:"primaryKey"`
	GroupID   *int64
	ProjectID *int64
}

func (routeRow) TableName() string { return "routes" }

// pathKey is the form of a full path that is unique.
func pathKey(fullPath string) string { return strings.ToLower(fullPath) }

// CreateGroup implements registry.Store. Full path and ancestors are made from
// the parent's row; an absent parent is NotFound.
func (s *Store) CreateGroup(ctx context.Context, g registry.Group, by registry.Actor) (registry.Group, error) {
	if err := checkText(g.Name, g.Path, g.Description); err != nil {
		return registry.Group{}, err
	}
	var row groupRow
	err := s.write(ctx, func(t *tx) error {
		row = groupRow{
			ID: g.ID, ParentID: optionalID(g.ParentID), Name: g.Name, Path: g.Path, FullPath: g.Path,
			Description: g.Description, Visibility: string(g.Visibility), CreatedAt: micros(t.now),
		}
		above := "/"
		if g.ParentID != 0 {
			parent, err := findGroup(t.DB, "id = ?", g.ParentID)
			if err != nil {
				return s.fail(ctx, err, "parent group")
			}
			row.FullPath, above = parent.FullPath+"/"+g.Path, parent.Ancestors
		}
		row.PathKey = pathKey(row.FullPath)
		if err := t.insertGroup(&row, above); err != nil {
			err = taken(err, g.ID, "the path "+row.FullPath)
			return onBreach(err, dangling, registry.NotFound, "parent group not found")
		}
		return t.record(event{by: by, action: "group.create", subject: row.FullPath}, namespaceChanged)
	})
	if err != nil {
		return registry.Group{}, err
	}
	return row.group()
}

// insertGroup stores the row, and then its ancestors: they end with its own id.
func (t *tx) insertGroup(row *groupRow, above string) error {
	if err := t.insert("groups", row.ID, row); err != nil {
		return err
	}
	row.Ancestors = above + strings.TrimPrefix(ancestorPath([]int64{row.ID}), "/")
	if err := t.Model(row).Update("ancestors", row.Ancestors).Error; err != nil {
		return err
	}
	return t.route(&routeRow{PathKey: row.PathKey, GroupID: &row.ID})
}

func findGroup(db *gorm.DB, where string, arg any) (groupRow, error) {
	var row groupRow
	err := db.Where(where, arg).Take(&row).Error
	return row, err
}

// FindGroup implements registry.Store.
func (s *Store) FindGroup(ctx context.Context, id int64) (registry.Group, error) {
	row, err := findGroup(s.read(ctx), "id = ?", id)
	if err != nil {
		return registry.Group{}, s.fail(ctx, err, "group")
	}
	return row.group()
}

// FindGroupByPath implements registry.Store.
func (s *Store) FindGroupByPath(ctx context.Context, fullPath string) (registry.Group, error) {
	if err := checkText(fullPath); err != nil {
		return registry.Group{}, err
	}
	row, err := findGroup(s.read(ctx), "path_key = ?", pathKey(fullPath))
	if err != nil {
		return registry.Group{}, s.fail(ctx, err, "group")
	}
	return row.group()
}

// ListGroups implements registry.Store.
func (s *Store) ListGroups(ctx context.Context, f registry.GroupFilter, page registry.Page) ([]registry.Group, int64, error) {
	if err := checkText(f.Search); err != nil {
		return nil, 0, err
	}
	db := visible(f.Readers).to(s.read(ctx))
	if f.ParentID != 0 {
		db = db.Where("groups.parent_id = ?", f.ParentID)
	}
	if f.Search != "" {
		db = s.holds(f.Search, "groups.name", "groups.path").to(db)
	}
	rows, total, err := list[groupRow](db, page, "path_key")
	if err != nil {
		return nil, 0, s.fail(ctx, err, "")
	}
	groups := make([]registry.Group, len(rows))
	for i, row := range rows {
		if groups[i], err = row.group(); err != nil {
			return nil, 0, err
		}
	}
	return groups, total, nil
}

// visible is the condition that readers may see a group: it is public to them,
// covered, or holds a project of theirs at any depth.
func visible(r registry.Readers) condition {
	if r.All {
		return condition{sql: "1 = 1"}
	}
	reads := readable(r, "p")
	parts := []string{`EXISTS (SELECT 1 FROM projects p WHERE p.ancestors >= groups.ancestors
		AND p.ancestors < substr(groups.ancestors, 1, length(groups.ancestors) - 1) || '0' AND ` + reads.sql + `)`}
	args := reads.args
	if r.Public {
		parts, args = append(parts, "groups.visibility = ?"), append(args, registry.Public)
	}
	if r.Internal {
		parts, args = append(parts, "groups.visibility = ?"), append(args, registry.InternalOnly)
	}
	if len(r.Groups) > 0 {
		parts = append(parts, `groups.id IN (SELECT d.id FROM groups a JOIN groups d
			ON d.ancestors >= a.ancestors AND d.ancestors < substr(a.ancestors, 1, length(a.ancestors) - 1) || '0'
			WHERE a.id IN ?)`)
		args = append(args, r.Groups)
	}
	return condition{sql: "(" + strings.Join(parts, " OR ") + ")", args: args}
}

// DeleteGroup implements registry.Store. Tokens, members and settings go by
// foreign key, in the same transaction.
func (s *Store) DeleteGroup(ctx context.Context, id int64, by registry.Actor) error {
	return s.write(ctx, func(t *tx) error {
		row, err := findGroup(t.DB, "id = ?", id)
		if err != nil {
			return s.fail(ctx, err, "group")
		}
		done := t.Exec("DELETE FROM groups WHERE id = ?", id)
		if done.Error != nil {
			return onBreach(done.Error, dangling, registry.Conflict, "group %s still holds projects or groups", row.FullPath)
		}
		if done.RowsAffected == 0 { // another transaction was faster
			return notFound("group")
		}
		return t.record(event{by: by, action: "group.delete", subject: row.FullPath}, namespaceChanged, accessChanged)
	})
}
