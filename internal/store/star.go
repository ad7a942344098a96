package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"pakhus/internal/registry"
)

type starRow struct {
	PackageID int64  `gorm:"primaryKey;autoIncrement:false"`
	Username  string `gorm:"primaryKey"`
}

func (starRow) TableName() string { return "stars" }

// SaveStar implements registry.Store. A star that is as wanted already changes
// nothing.
func (s *Store) SaveStar(ctx context.Context, packageID int64, user string, starred bool) error {
	if err := checkText(user); err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		var pkg packageRow
		if err := t.forUpdate().Where("id = ?", packageID).Take(&pkg).Error; err != nil {
			return s.fail(ctx, err, "package")
		}
		star := starRow{PackageID: packageID, Username: user}
		var done *gorm.DB
		action := "package.star"
		if starred {
			done = t.Clauses(clause.OnConflict{DoNothing: true}).Create(&star)
		} else {
			action = "package.unstar"
			done = t.Delete(&star)
		}
		if done.Error != nil || done.RowsAffected == 0 {
			return done.Error
		}
		if err := t.bump(&pkg, 0); err != nil {
			return err
		}
		return t.record(event{
			by: registry.Actor{Kind: "user", Name: user}, action: action, projectID: pkg.ProjectID, subject: pkg.subject(),
		}, pkg.change())
	})
}

// ListStars implements registry.Store.
func (s *Store) ListStars(ctx context.Context, packageID int64) ([]string, error) {
	var users []string
	err := s.read(ctx).Model(&starRow{}).Where("package_id = ?", packageID).Order("username").Pluck("username", &users).Error
	return users, s.fail(ctx, err, "")
}

// ListStarred implements registry.Store.
func (s *Store) ListStarred(ctx context.Context, format registry.Format, user string) ([]registry.Package, error) {
	if err := checkText(user); err != nil {
		return nil, err
	}
	var rows []packageRow
	err := s.read(ctx).
		Where("format = ? AND living > 0 AND id IN (SELECT s.package_id FROM stars s WHERE s.username = ?)", format, user).
		Order("name_key, id").Find(&rows).Error
	if err != nil {
		return nil, s.fail(ctx, err, "")
	}
	return mapped(rows, packageRow.pkg), nil
}
