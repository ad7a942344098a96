package store

import (
	"context"

	"gorm.io/gorm"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

type membershipRow struct {
	UserID    int64
	ProjectID *int64
	GroupID   *int64
	Role      int64
	CreatedAt int64
}

func (membershipRow) TableName() string { return "memberships" }

// namedMembership is a membership with the user's name.
type namedMembership struct {
	Row      membershipRow `gorm:"embedded"`
	Username string
}

func (r namedMembership) membership() auth.Membership {
	return auth.Membership{
		UserID: r.Row.UserID, Username: r.Username, GroupID: fromOptionalID(r.Row.GroupID), ProjectID: fromOptionalID(r.Row.ProjectID),
		Role: auth.Role(r.Row.Role), CreatedAt: fromMicros(r.Row.CreatedAt),
	}
}

// SaveMembership implements auth.Tokens. An absent user, project or group is
// NotFound.
func (s *Store) SaveMembership(ctx context.Context, m auth.Membership, by registry.Actor) error {
	return s.member(ctx, m, by, "membership.save", func(t *tx, h holder) error {
		row := membershipRow{UserID: m.UserID, ProjectID: h.projectID, GroupID: h.groupID, Role: int64(m.Role), CreatedAt: micros(t.now)}
		err := t.Clauses(h.onConflict("user_id", "role")).Create(&row).Error
		return onBreach(err, dangling, registry.NotFound, "user not found")
	})
}

// DeleteMembership implements auth.Tokens.
func (s *Store) DeleteMembership(ctx context.Context, m auth.Membership, by registry.Actor) error {
	return s.member(ctx, m, by, "membership.delete", func(t *tx, h holder) error {
		done := h.to(t.DB).Where("user_id = ?", m.UserID).Delete(&membershipRow{})
		if done.Error == nil && done.RowsAffected == 0 {
			return notFound("membership")
		}
		return done.Error
	})
}

// member changes one membership.
func (s *Store) member(ctx context.Context, m auth.Membership, by registry.Actor, action string, change func(*tx, holder) error) error {
	h, err := holderOf(m.ProjectID, m.GroupID)
	if err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		path, err := t.path(ctx, h)
		if err != nil {
			return err
		}
		if err := change(t, h); err != nil {
			return err
		}
		return t.record(event{
			by: by, action: action, projectID: m.ProjectID, subject: path,
			details: map[string]any{"user_id": m.UserID, "role": m.Role.String()},
		}, accessChanged)
	})
}

// ListMemberships implements auth.Tokens.
func (s *Store) ListMemberships(ctx context.Context, userID int64) ([]auth.Membership, error) {
	return s.listMembers(ctx, s.read(ctx).Where("memberships.user_id = ?", userID))
}

// ListMembers implements auth.Tokens. It lists by user name.
func (s *Store) ListMembers(ctx context.Context, at registry.Span) ([]auth.Membership, error) {
	h, err := holderOf(at.ProjectID, at.GroupID)
	if err != nil {
		return nil, err
	}
	return s.listMembers(ctx, h.to(s.read(ctx)))
}

func (s *Store) listMembers(ctx context.Context, db *gorm.DB) ([]auth.Membership, error) {
	var rows []namedMembership
	err := db.Table("memberships").Joins("JOIN users u ON u.id = memberships.user_id").
		Select("memberships.user_id, memberships.project_id, memberships.group_id, memberships.role, memberships.created_at, u.username").
		Order("u.username_key, memberships.group_id, memberships.project_id").Scan(&rows).Error
	if err != nil {
		return nil, s.fail(ctx, err, "")
	}
	return mapped(rows, namedMembership.membership), nil
}
