package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

type deployTokenRow struct {
	ID         int64 `gorm:"primaryKey"`
	Name       string
	Username   string
	Scopes     int64
	ProjectID  *int64
	GroupID    *int64
	CreatorID  int64
	Digest     []byte
	Sealed     []byte
	ExpiresAt  *int64
	RevokedAt  *int64
	LastUsedAt *int64
	CreatedAt  int64
}

func (deployTokenRow) TableName() string { return "deploy_tokens" }

func (r deployTokenRow) token() auth.DeployToken {
	return auth.DeployToken{
		ID: r.ID, Name: r.Name, Username: r.Username, Scopes: auth.Scope(r.Scopes),
		ProjectID: fromOptionalID(r.ProjectID), GroupID: fromOptionalID(r.GroupID), CreatorID: r.CreatorID,
		Digest: digestOf(r.Digest), Sealed: filled(r.Sealed),
		ExpiresAt: fromOptionalMicros(r.ExpiresAt), RevokedAt: fromOptionalMicros(r.RevokedAt),
		LastUsedAt: fromOptionalMicros(r.LastUsedAt), CreatedAt: fromMicros(r.CreatedAt),
	}
}

func digestOf(raw []byte) (d auth.Digest) {
	copy(d[:], raw)
	return d
}

// CreateDeployToken implements auth.Tokens. A token that names not exactly one
// project or group is Invalid; an absent one is NotFound.
func (s *Store) CreateDeployToken(ctx context.Context, token auth.DeployToken, by registry.Actor) (auth.DeployToken, error) {
	h, err := holderOf(token.ProjectID, token.GroupID)
	if err != nil {
		return auth.DeployToken{}, err
	}
	if err := checkText(token.Name, token.Username); err != nil {
		return auth.DeployToken{}, err
	}
	var row deployTokenRow
	err = s.write(ctx, func(t *tx) error {
		path, err := t.path(ctx, h)
		if err != nil {
			return err
		}
		row = deployTokenRow{
			ID: token.ID, Name: token.Name, Username: token.Username, Scopes: int64(token.Scopes),
			ProjectID: h.projectID, GroupID: h.groupID, CreatorID: token.CreatorID,
			Digest: token.Digest[:], Sealed: filled(token.Sealed),
			ExpiresAt: optionalMicros(token.ExpiresAt), RevokedAt: optionalMicros(token.RevokedAt),
			LastUsedAt: optionalMicros(token.LastUsedAt), CreatedAt: micros(t.now),
		}
		if err := t.insert("deploy_tokens", token.ID, &row); err != nil {
			err = taken(err, token.ID, "the secret of the deploy token")
			return onBreach(err, dangling, registry.NotFound, "project or group not found")
		}
		return t.record(event{
			by: by, action: "deploy_token.create", projectID: token.ProjectID, subject: path,
			details: map[string]any{"id": row.ID, "name": row.Name, "scopes": token.Scopes.Names()},
		}, accessChanged)
	})
	if err != nil {
		return auth.DeployToken{}, err
	}
	return row.token(), nil
}

// FindDeployToken implements auth.Tokens.
func (s *Store) FindDeployToken(ctx context.Context, id int64) (auth.DeployToken, error) {
	return s.findDeployToken(ctx, "id = ?", id)
}

// FindDeployTokenByDigest implements auth.Tokens.
func (s *Store) FindDeployTokenByDigest(ctx context.Context, digest auth.Digest) (auth.DeployToken, error) {
	return s.findDeployToken(ctx, "digest = ?", digest[:])
}

func (s *Store) findDeployToken(ctx context.Context, where string, arg any) (auth.DeployToken, error) {
	var row deployTokenRow
	if err := s.read(ctx).Where(where, arg).Take(&row).Error; err != nil {
		return auth.DeployToken{}, s.fail(ctx, err, "deploy token")
	}
	return row.token(), nil
}

// active limits a query to tokens that are neither revoked nor expired.
func active(db *gorm.DB, now time.Time) *gorm.DB {
	return db.Where("revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)", micros(now))
}

// FindDeployTokensByName implements auth.Tokens. The project's place is read
// anew: p may be older than a move.
func (s *Store) FindDeployTokensByName(ctx context.Context, p registry.Project, name string, now time.Time) ([]auth.DeployToken, error) {
	if err := checkText(name); err != nil {
		return nil, err
	}
	project, err := s.FindProject(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	var rows []deployTokenRow
	err = active(s.read(ctx), now).
		Where("name = ? AND (project_id = ? OR group_id IN ?)", name, project.ID, project.Ancestors).
		Order("id").Find(&rows).Error
	if err != nil {
		return nil, s.fail(ctx, err, "")
	}
	distance := func(r deployTokenRow) int { // 0: the project itself, then its group, upwards
		if r.GroupID == nil {
			return 0
		}
		return len(project.Ancestors) - slices.Index(project.Ancestors, *r.GroupID)
	}
	slices.SortStableFunc(rows, func(a, b deployTokenRow) int { return distance(a) - distance(b) })
	return mapped(rows, deployTokenRow.token), nil
}

// ListDeployTokens implements auth.Tokens.
func (s *Store) ListDeployTokens(ctx context.Context, f auth.TokenFilter, page registry.Page) ([]auth.DeployToken, int64, error) {
	db := s.read(ctx)
	if f.ProjectID != 0 {
		db = db.Where("project_id = ?", f.ProjectID)
	}
	if f.GroupID != 0 {
		db = db.Where("group_id = ?", f.GroupID)
	}
	if f.ActiveOnly {
		db = active(db, f.Now)
	}
	rows, total, err := list[deployTokenRow](db, page, "id")
	return mapped(rows, deployTokenRow.token), total, s.fail(ctx, err, "")
}

// RevokeDeployToken implements auth.Tokens.
func (s *Store) RevokeDeployToken(ctx context.Context, id int64, at time.Time, by registry.Actor) error {
	return s.write(ctx, func(t *tx) error {
		var row deployTokenRow
		if err := t.forUpdate().Where("id = ?", id).Take(&row).Error; err != nil {
			return s.fail(ctx, err, "deploy token")
		}
		if row.RevokedAt != nil {
			return nil
		}
		if err := t.Model(&row).Update("revoked_at", micros(at)).Error; err != nil {
			return err
		}
		return t.recordToken(row, "deploy_token.revoke", by)
	})
}

// DeleteDeployToken implements auth.Tokens.
func (s *Store) DeleteDeployToken(ctx context.Context, id int64, by registry.Actor) error {
	return s.write(ctx, func(t *tx) error {
		var row deployTokenRow
		if err := t.forUpdate().Where("id = ?", id).Take(&row).Error; err != nil {
			return s.fail(ctx, err, "deploy token")
		}
		if err := t.Delete(&row).Error; err != nil {
			return err
		}
		return t.recordToken(row, "deploy_token.delete", by)
	})
}

func (t *tx) recordToken(row deployTokenRow, action string, by registry.Actor) error {
	return t.record(event{
		by: by, action: action, projectID: fromOptionalID(row.ProjectID), subject: row.Name,
		details: map[string]any{"id": row.ID, "group_id": row.GroupID},
	}, accessChanged)
}

// Touch implements auth.Tokens. A time before the stored one is ignored, since
// replicas report in any order. Being used is no change and no event.
func (s *Store) Touch(ctx context.Context, deployTokens, personalTokens map[int64]time.Time) error {
	return s.write(ctx, func(t *tx) error {
		if err := t.touch("deploy_tokens", deployTokens); err != nil {
			return err
		}
		return t.touch("personal_access_tokens", personalTokens)
	})
}

// touch updates in the order of ids: all writers lock rows in one order.
func (t *tx) touch(table string, used map[int64]time.Time) error {
	for _, id := range slices.Sorted(maps.Keys(used)) {
		at := micros(used[id])
		err := t.Exec("UPDATE "+table+" SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)", at, id, at).Error
		if err != nil {
			return err
		}
	}
	return nil
}
