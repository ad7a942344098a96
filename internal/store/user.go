package store

import (
	"context"
	"strings"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

type userRow struct {
	ID           int64 `gorm:"primaryKey"`
	Username     string
	UsernameKey  string
	Name         string
	Email        string
	PasswordHash string
	Admin        bool
	BlockedAt    *int64
	CreatedAt    int64
}

func (userRow) TableName() string { return "users" }

func (r userRow) user() auth.User {
	return auth.User{
		ID: r.ID, Username: r.Username, Name: r.Name, Email: r.Email, PasswordHash: r.PasswordHash, Admin: r.Admin,
		BlockedAt: fromOptionalMicros(r.BlockedAt), CreatedAt: fromMicros(r.CreatedAt),
	}
}

// CreateUser implements auth.Tokens.
func (s *Store) CreateUser(ctx context.Context, u auth.User, by registry.Actor) (auth.User, error) {
	if err := checkText(u.Username, u.Name, u.Email, u.PasswordHash); err != nil {
		return auth.User{}, err
	}
	var row userRow
	err := s.write(ctx, func(t *tx) error {
		row = userRow{
			ID: u.ID, Username: u.Username, UsernameKey: strings.ToLower(u.Username), Name: u.Name, Email: u.Email,
			PasswordHash: u.PasswordHash, Admin: u.Admin, BlockedAt: optionalMicros(u.BlockedAt), CreatedAt: micros(t.now),
		}
		if err := t.insert("users", u.ID, &row); err != nil {
			return taken(err, u.ID, "the user name "+u.Username)
		}
		return t.record(event{by: by, action: "user.create", subject: row.Username, details: map[string]bool{"admin": row.Admin}}, accessChanged)
	})
	if err != nil {
		return auth.User{}, err
	}
	return row.user(), nil
}

// FindUser implements auth.Tokens.
func (s *Store) FindUser(ctx context.Context, id int64) (auth.User, error) {
	var row userRow
	err := s.read(ctx).Where("id = ?", id).Take(&row).Error
	if err != nil {
		return auth.User{}, s.fail(ctx, err, "user")
	}
	return row.user(), nil
}

// FindUserByName implements auth.Tokens.
func (s *Store) FindUserByName(ctx context.Context, username string) (auth.User, error) {
	if err := checkText(username); err != nil {
		return auth.User{}, err
	}
	var row userRow
	err := s.read(ctx).Where("username_key = ?", strings.ToLower(username)).Take(&row).Error
	if err != nil {
		return auth.User{}, s.fail(ctx, err, "user")
	}
	return row.user(), nil
}

// ListUsers implements auth.Tokens. It lists by id.
func (s *Store) ListUsers(ctx context.Context, page registry.Page) ([]auth.User, int64, error) {
	rows, total, err := list[userRow](s.read(ctx), page, "id")
	return mapped(rows, userRow.user), total, s.fail(ctx, err, "")
}

// UpdateUser implements auth.Tokens. It leaves id, user name and creation as
// they are. Sessions end in the same transaction that changes a password or
// blocks.
func (s *Store) UpdateUser(ctx context.Context, u auth.User, by registry.Actor) (auth.User, error) {
	if err := checkText(u.Name, u.Email, u.PasswordHash); err != nil {
		return auth.User{}, err
	}
	var row userRow
	err := s.write(ctx, func(t *tx) error {
		row = userRow{}
		if err := t.forUpdate().Where("id = ?", u.ID).Take(&row).Error; err != nil {
			return s.fail(ctx, err, "user")
		}
		password := u.PasswordHash != row.PasswordHash
		blocks := row.BlockedAt == nil && !u.BlockedAt.IsZero()
		row.Name, row.Email, row.PasswordHash, row.Admin = u.Name, u.Email, u.PasswordHash, u.Admin
		row.BlockedAt = optionalMicros(u.BlockedAt)
		if err := t.Select("name", "email", "password_hash", "admin", "blocked_at").Updates(&row).Error; err != nil {
			return err
		}
		if password || blocks {
			err := t.Exec("UPDATE personal_access_tokens SET revoked_at = ? WHERE user_id = ? AND session = ? AND revoked_at IS NULL",
				micros(t.now), u.ID, true).Error
			if err != nil {
				return err
			}
		}
		return t.record(event{
			by: by, action: "user.update", subject: row.Username,
			details: map[string]bool{"admin": row.Admin, "password_changed": password, "blocked": row.BlockedAt != nil},
		}, accessChanged)
	})
	if err != nil {
		return auth.User{}, err
	}
	return row.user(), nil
}
