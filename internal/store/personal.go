package store

import (
	"context"
	"strings"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

type personalTokenRow struct {
	ID         int64 `gorm:"primaryKey"`
	UserID     int64
	Name       string
	Scopes     string // names, separated by blanks
	Session    bool
	Digest     []byte
	ExpiresAt  *int64
	RevokedAt  *int64
	LastUsedAt *int64
	CreatedAt  int64
}

func (personalTokenRow) TableName() string { return "personal_access_tokens" }

func (r personalTokenRow) token() auth.PersonalToken {
	return auth.PersonalToken{
		ID: r.ID, UserID: r.UserID, Name: r.Name, Scopes: strings.Fields(r.Scopes), Session: r.Session,
		Digest: digestOf(r.Digest), ExpiresAt: fromOptionalMicros(r.ExpiresAt), RevokedAt: fromOptionalMicros(r.RevokedAt),
		LastUsedAt: fromOptionalMicros(r.LastUsedAt), CreatedAt: fromMicros(r.CreatedAt),
	}
}

// CreatePersonalToken implements auth.Tokens; an absent user is NotFound.
func (s *Store) CreatePersonalToken(ctx context.Context, token auth.PersonalToken, by registry.Actor) (auth.PersonalToken, error) {
	if err := checkText(append([]string{token.Name}, token.Scopes...)...); err != nil {
		return auth.PersonalToken{}, err
	}
	var row personalTokenRow
	err := s.write(ctx, func(t *tx) error {
		row = personalTokenRow{
			ID: token.ID, UserID: token.UserID, Name: token.Name, Scopes: strings.Join(token.Scopes, " "), Session: token.Session,
			Digest: token.Digest[:], ExpiresAt: optionalMicros(token.ExpiresAt), RevokedAt: optionalMicros(token.RevokedAt),
			LastUsedAt: optionalMicros(token.LastUsedAt), CreatedAt: micros(t.now),
		}
		if err := t.insert("personal_access_tokens", token.ID, &row); err != nil {
			err = taken(err, token.ID, "the secret of the personal access token")
			return onBreach(err, dangling, registry.NotFound, "user not found")
		}
		return t.recordPersonal(row, "personal_token.create", by)
	})
	if err != nil {
		return auth.PersonalToken{}, err
	}
	return row.token(), nil
}

func (t *tx) recordPersonal(row personalTokenRow, action string, by registry.Actor) error {
	return t.record(event{
		by: by, action: action, subject: row.Name,
		details: map[string]any{"id": row.ID, "user_id": row.UserID, "session": row.Session},
	}, accessChanged)
}

// FindPersonalToken implements auth.Tokens.
func (s *Store) FindPersonalToken(ctx context.Context, id int64) (auth.PersonalToken, error) {
	return s.findPersonalToken(ctx, "id = ?", id)
}

// FindPersonalTokenByDigest implements auth.Tokens.
func (s *Store) FindPersonalTokenByDigest(ctx context.Context, digest auth.Digest) (auth.PersonalToken, error) {
	return s.findPersonalToken(ctx, "digest = ?", digest[:])
}

func (s *Store) findPersonalToken(ctx context.Context, where string, arg any) (auth.PersonalToken, error) {
	var row personalTokenRow
	if err := s.read(ctx).Where(where, arg).Take(&row).Error; err != nil {
		return auth.PersonalToken{}, s.fail(ctx, err, "personal access token")
	}
	return row.token(), nil
}

// ListPersonalTokens implements auth.Tokens. It lists by id.
func (s *Store) ListPersonalTokens(ctx context.Context, userID int64, page registry.Page) ([]auth.PersonalToken, int64, error) {
	rows, total, err := list[personalTokenRow](s.read(ctx).Where("user_id = ?", userID), page, "id")
	return mapped(rows, personalTokenRow.token), total, s.fail(ctx, err, "")
}

// RevokePersonalToken implements auth.Tokens. Revoking again changes nothing.
func (s *Store) RevokePersonalToken(ctx context.Context, id int64, at time.Time, by registry.Actor) error {
	return s.write(ctx, func(t *tx) error {
		var row personalTokenRow
		if err := t.forUpdate().Where("id = ?", id).Take(&row).Error; err != nil {
			return s.fail(ctx, err, "personal access token")
		}
		if row.RevokedAt != nil {
			return nil
		}
		if err := t.Model(&row).Update("revoked_at", micros(at)).Error; err != nil {
			return err
		}
		return t.recordPersonal(row, "personal_token.revoke", by)
	})
}
