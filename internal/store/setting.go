package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"pakhus/internal/registry"
)

type settingRow struct {
	ProjectID *int64
	GroupID   *int64
	Key       string
	Value     string
}

func (settingRow) TableName() string { return "settings" }

// holder is what a setting, membership or token is made for: exactly one
// project or one group.
type holder struct {
	projectID, groupID *int64
}

// holderOf is Invalid unless exactly one of the ids is set.
func holderOf(projectID, groupID int64) (holder, error) {
	if (projectID == 0) == (groupID == 0) {
		return holder{}, registry.Errorf(registry.Invalid, "exactly one of project and group must be named")
	}
	return holder{optionalID(projectID), optionalID(groupID)}, nil
}

// to limits a query to rows of the holder.
func (h holder) to(db *gorm.DB) *gorm.DB {
	if h.projectID != nil {
		return db.Where("project_id = ?", *h.projectID)
	}
	return db.Where("group_id = ?", *h.groupID)
}

// onConflict names the partial unique index that the holder's rows are in,
// together with another column.
func (h holder) onConflict(with string, update ...string) clause.OnConflict {
	column := "group_id"
	if h.projectID != nil {
		column = "project_id"
	}
	return clause.OnConflict{
		Columns:     []clause.Column{{Name: column}, {Name: with}},
		TargetWhere: clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: column + " IS NOT NULL"}}},
		DoUpdates:   clause.AssignmentColumns(update),
	}
}

// path tells the holder's full path, for the audit log; an absent one is
// NotFound.
func (t *tx) path(ctx context.Context, h holder) (string, error) {
	if h.projectID != nil {
		row, err := findProject(t.DB, "id = ?", *h.projectID)
		return row.FullPath, t.store.fail(ctx, err, "project")
	}
	row, err := findGroup(t.DB, "id = ?", *h.groupID)
	return row.FullPath, t.store.fail(ctx, err, "group")
}

// FindSettings implements registry.Store.
func (s *Store) FindSettings(ctx context.Context, at registry.Span) (map[string]string, error) {
	h, err := holderOf(at.ProjectID, at.GroupID)
	if err != nil {
		return nil, err
	}
	var rows []settingRow
	if err := h.to(s.read(ctx)).Find(&rows).Error; err != nil {
		return nil, s.fail(ctx, err, "")
	}
	settings := make(map[string]string, len(rows))
	for _, row := range rows {
		settings[row.Key] = row.Value
	}
	return settings, nil
}

// ListSettingValues implements registry.Store.
func (s *Store) ListSettingValues(ctx context.Context, key string) ([]string, error) {
	if err := checkText(key); err != nil {
		return nil, err
	}
	values := []string{}
	err := s.read(ctx).Model(&settingRow{}).Distinct("value").Where("key = ?", key).Order("value").Pluck("value", &values).Error
	return values, s.fail(ctx, err, "")
}

// SaveSetting implements registry.Store. Removing what is not set is no error.
func (s *Store) SaveSetting(ctx context.Context, at registry.Span, key string, value *string, by registry.Actor) error {
	h, err := holderOf(at.ProjectID, at.GroupID)
	if err != nil {
		return err
	}
	if err := checkText(key); err != nil {
		return err
	}
	if value != nil {
		if err := checkText(*value); err != nil {
			return err
		}
	}
	return s.write(ctx, func(t *tx) error {
		path, err := t.path(ctx, h)
		if err != nil {
			return err
		}
		if value == nil {
			err = h.to(t.DB).Where("key = ?", key).Delete(&settingRow{}).Error
		} else {
			row := settingRow{ProjectID: h.projectID, GroupID: h.groupID, Key: key, Value: *value}
			err = t.Clauses(h.onConflict("key", "value")).Create(&row).Error
		}
		if err != nil {
			return onBreach(err, dangling, registry.NotFound, "project or group not found")
		}
		return t.record(event{
			by: by, action: "setting.save", projectID: at.ProjectID, subject: path,
			details: map[string]any{"key": key, "value": value},
		}, namespaceChanged)
	})
}
