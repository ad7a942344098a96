package store

import (
	"context"

	"gorm.io/gorm"

	"pakhus/internal/registry"
)

type projectRow struct {
	ID          int64 `gorm:"primaryKey"`
	GroupID     int64
	Name        string
	Path        string
	FullPath    string
	PathKey     string
	Ancestors   string
	Description string
	Visibility  string
	CreatedAt   int64
	UpdatedAt   int64 `gorm:"autoUpdateTime:false"`
}

func (projectRow) TableName() string { return "projects" }

func (r projectRow) project() (registry.Project, error) {
	ancestors, err := parseAncestors(r.Ancestors)
	return registry.Project{
		ID: r.ID, GroupID: r.GroupID, Name: r.Name, Path: r.Path, FullPath: r.FullPath,
		Description: r.Description, Visibility: registry.Visibility(r.Visibility), Ancestors: ancestors,
		CreatedAt: fromMicros(r.CreatedAt), UpdatedAt: fromMicros(r.UpdatedAt),
	}, err
}

// CreateProject implements registry.Store. Full path and ancestors are made
// from the group's row; an absent group is NotFound.
func (s *Store) CreateProject(ctx context.Context, p registry.Project, by registry.Actor) (registry.Project, error) {
	if err := checkText(p.Name, p.Path, p.Description); err != nil {
		return registry.Project{}, err
	}
	var row projectRow
	err := s.write(ctx, func(t *tx) error {
		row = projectRow{
			ID: p.ID, Name: p.Name, Path: p.Path, Description: p.Description,
			Visibility: string(p.Visibility), CreatedAt: micros(t.now), UpdatedAt: micros(t.now),
		}
		if err := t.place(ctx, &row, p.GroupID); err != nil {
			return err
		}
		err := t.insert("projects", p.ID, &row)
		if err == nil {
			err = t.route(&routeRow{PathKey: row.PathKey, ProjectID: &row.ID})
		}
		if err != nil {
			err = taken(err, p.ID, "the path "+row.FullPath)
			return onBreach(err, dangling, registry.NotFound, "group not found")
		}
		return t.record(event{by: by, action: "project.create", projectID: row.ID, subject: row.FullPath}, namespaceChanged)
	})
	if err != nil {
		return registry.Project{}, err
	}
	return row.project()
}

// place puts a project's row into a group.
func (t *tx) place(ctx context.Context, row *projectRow, groupID int64) error {
	group, err := findGroup(t.DB, "id = ?", groupID)
	if err != nil {
		return t.store.fail(ctx, err, "group")
	}
	row.GroupID, row.Ancestors = group.ID, group.Ancestors
	row.FullPath = group.FullPath + "/" + row.Path
	row.PathKey = pathKey(row.FullPath)
	return nil
}

func findProject(db *gorm.DB, where string, arg any) (projectRow, error) {
	var row projectRow
	err := db.Where(where, arg).Take(&row).Error
	return row, err
}

// lockProject reads a project's row for changing it.
func (t *tx) lockProject(ctx context.Context, id int64) (projectRow, error) {
	row, err := findProject(t.forUpdate(), "id = ?", id)
	return row, t.store.fail(ctx, err, "project")
}

// FindProject implements registry.Store.
func (s *Store) FindProject(ctx context.Context, id int64) (registry.Project, error) {
	row, err := findProject(s.read(ctx), "id = ?", id)
	if err != nil {
		return registry.Project{}, s.fail(ctx, err, "project")
	}
	return row.project()
}

// FindProjectByPath implements registry.Store.
func (s *Store) FindProjectByPath(ctx context.Context, fullPath string) (registry.Project, error) {
	if err := checkText(fullPath); err != nil {
		return registry.Project{}, err
	}
	row, err := findProject(s.read(ctx), "path_key = ?", pathKey(fullPath))
	if err != nil {
		return registry.Project{}, s.fail(ctx, err, "project")
	}
	return row.project()
}

// ListProjects implements registry.Store.
func (s *Store) ListProjects(ctx context.Context, f registry.ProjectFilter, page registry.Page) ([]registry.Project, int64, error) {
	if err := checkText(f.Search); err != nil {
		return nil, 0, err
	}
	db := within(f.Span, "projects").to(readable(f.Readers, "projects").to(s.read(ctx)))
	if f.ParentID != 0 {
		db = db.Where("projects.group_id = ?", f.ParentID)
	}
	if f.Visibility != "" {
		db = db.Where("projects.visibility = ?", f.Visibility)
	}
	if f.Search != "" {
		db = s.holds(f.Search, "projects.name", "projects.path").to(db)
	}
	rows, total, err := list[projectRow](db, page, "path_key")
	if err != nil {
		return nil, 0, s.fail(ctx, err, "")
	}
	projects := make([]registry.Project, len(rows))
	for i, row := range rows {
		if projects[i], err = row.project(); err != nil {
			return nil, 0, err
		}
	}
	return projects, total, nil
}

// UpdateProject implements registry.Store.
func (s *Store) UpdateProject(ctx context.Context, p registry.Project, by registry.Actor) (registry.Project, error) {
	if err := checkText(p.Name, p.Description); err != nil {
		return registry.Project{}, err
	}
	var row projectRow
	err := s.write(ctx, func(t *tx) (err error) {
		if row, err = t.lockProject(ctx, p.ID); err != nil {
			return err
		}
		before := row.Visibility
		row.Name, row.Description, row.Visibility = p.Name, p.Description, string(p.Visibility)
		row.UpdatedAt = max(row.UpdatedAt, micros(t.now))
		if err := t.Select("name", "description", "visibility", "updated_at").Updates(&row).Error; err != nil {
			return err
		}
		return t.record(event{
			by: by, action: "project.update", projectID: row.ID, subject: row.FullPath,
			details: map[string]string{"visibility": row.Visibility, "visibility_before": before},
		}, namespaceChanged)
	})
	if err != nil {
		return registry.Project{}, err
	}
	return row.project()
}

// MoveProject implements registry.Store. It takes GroupID and Path of p; group
// tokens and memberships reach by ancestors, which change with it.
func (s *Store) MoveProject(ctx context.Context, id int64, p registry.Project, by registry.Actor) (registry.Project, error) {
	if err := checkText(p.Path); err != nil {
		return registry.Project{}, err
	}
	var row projectRow
	err := s.write(ctx, func(t *tx) (err error) {
		if row, err = t.lockProject(ctx, id); err != nil {
			return err
		}
		before, keyBefore := row.FullPath, row.PathKey
		row.Path, row.UpdatedAt = p.Path, max(row.UpdatedAt, micros(t.now))
		if err := t.place(ctx, &row, p.GroupID); err != nil {
			return err
		}
		err = t.Select("group_id", "path", "full_path", "path_key", "ancestors", "updated_at").Updates(&row).Error
		if err == nil {
			err = t.reroute(id, keyBefore, row.PathKey)
		}
		if err != nil {
			err = taken(err, 0, "the path "+row.FullPath)
			return onBreach(err, dangling, registry.NotFound, "group not found")
		}
		return t.record(event{
			by: by, action: "project.move", projectID: id, subject: row.FullPath, details: map[string]string{"from": before},
		}, namespaceChanged, accessChanged)
	})
	if err != nil {
		return registry.Project{}, err
	}
	return row.project()
}

// DeleteProject implements registry.Store. All it holds goes by foreign key, in
// the same transaction; its bytes are left to garbage collection.
func (s *Store) DeleteProject(ctx context.Context, id int64, by registry.Actor) error {
	return s.write(ctx, func(t *tx) error {
		row, err := t.lockProject(ctx, id)
		if err != nil {
			return err
		}
		if err := t.Exec("DELETE FROM projects WHERE id = ?", id).Error; err != nil {
			return err
		}
		return t.record(event{by: by, action: "project.delete", projectID: id, subject: row.FullPath}, namespaceChanged, accessChanged)
	})
}
