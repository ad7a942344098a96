package store

import (
	"context"

	"pakhus/internal/registry"
)

// redirectRow is a path that a project was moved away from. No path is in here
// and in routes: who takes a path ends its redirect.
type redirectRow struct {
	PathKey   string `gorm:"primaryKey"`
	ProjectID int64
}

func (redirectRow) TableName() string { return "project_redirects" }

// route stores a new path of a group or project.
func (t *tx) route(row *routeRow) error {
	if err := t.Create(row).Error; err != nil {
		return err
	}
	return t.endRedirect(row.PathKey)
}

// reroute gives a project another path; the old one leads to it from now on.
func (t *tx) reroute(id int64, before, after string) error {
	if before == after { // it was spelled otherwise, no more
		return nil
	}
	if err := t.Exec("UPDATE routes SET path_key = ? WHERE project_id = ?", after, id).Error; err != nil {
		return err
	}
	if err := t.endRedirect(after); err != nil {
		return err
	}
	return t.Create(&redirectRow{PathKey: before, ProjectID: id}).Error
}

func (t *tx) endRedirect(pathKey string) error {
	return t.Exec("DELETE FROM project_redirects WHERE path_key = ?", pathKey).Error
}

// FindMovedProject implements registry.Store.
func (s *Store) FindMovedProject(ctx context.Context, oldPath string) (registry.Project, error) {
	if err := checkText(oldPath); err != nil {
		return registry.Project{}, err
	}
	row, err := findProject(s.read(ctx), "id = (SELECT project_id FROM project_redirects WHERE path_key = ?)", pathKey(oldPath))
	if err != nil {
		return registry.Project{}, s.fail(ctx, err, "project")
	}
	return row.project()
}
