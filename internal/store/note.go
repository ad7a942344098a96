package store

import (
	"context"

	"pakhus/internal/registry"
)

type noteRow struct {
	PackageID  int64  `gorm:"primaryKey;autoIncrement:false"`
	Kind       string `gorm:"primaryKey"`
	VersionKey string `gorm:"primaryKey"`
	Name       string `gorm:"primaryKey"`
	Value      []byte
	Due        *int64
}

func (noteRow) TableName() string { return "package_notes" }

// ListNotes implements registry.Store.
func (s *Store) ListNotes(ctx context.Context, q registry.NoteQuery) ([]registry.Note, error) {
	if err := checkText(string(q.Kind), q.VersionKey); err != nil {
		return nil, err
	}
	sql := "SELECT version_key, name, value, due FROM package_notes WHERE package_id = ? AND kind = ?"
	args := []any{q.PackageID, q.Kind}
	if q.VersionKey != "" {
		sql, args = sql+" AND version_key = ?", append(args, q.VersionKey)
	}
	if !q.NotHeld.IsZero() {
		sql, args = sql+" AND (due IS NULL OR due > ?)", append(args, micros(q.NotHeld))
	}
	rows, err := s.read(ctx).Raw(sql+" ORDER BY version_key, name", args...).Rows()
	if err != nil {
		return nil, s.fail(ctx, err, "")
	}
	defer rows.Close()
	var notes []registry.Note
	for rows.Next() {
		n := registry.Note{NoteKey: registry.NoteKey{Kind: q.Kind}}
		var due *int64
		if err := rows.Scan(&n.VersionKey, &n.Name, &n.Value, &due); err != nil {
			return nil, s.fail(ctx, err, "")
		}
		n.Value, n.Due = filled(n.Value), fromOptionalMicros(due)
		notes = append(notes, n)
	}
	return notes, s.fail(ctx, rows.Err(), "")
}

// setNotes drops notes, then writes others. The database decides whether a due
// time has passed, so that two writers cannot take it back.
func (t *tx) setNotes(packageID int64, notes []registry.Note, drop []registry.NoteKey) error {
	for _, n := range drop {
		err := t.later(nil, "DELETE FROM package_notes WHERE package_id = ? AND kind = ? AND version_key = ? AND name = ?",
			packageID, string(n.Kind), n.VersionKey, n.Name)
		if err != nil {
			return err
		}
	}
	for _, n := range notes {
		if err := t.setNote(packageID, n); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) setNote(packageID int64, n registry.Note) error {
	if n.Existing {
		return t.later(nil, `UPDATE package_notes SET due = ?
			WHERE package_id = ? AND kind = ? AND version_key = ? AND name = ? AND (due IS NULL OR due > ?)`,
			optionalMicros(n.Due), packageID, string(n.Kind), n.VersionKey, n.Name, micros(t.now))
	}
	return t.later(nil, `INSERT INTO package_notes (package_id, kind, version_key, name, value, due) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (package_id, kind, version_key, name) DO UPDATE SET
			value = excluded.value,
			due = CASE WHEN package_notes.due <= ? THEN package_notes.due ELSE excluded.due END`,
		packageID, string(n.Kind), n.VersionKey, n.Name, document(n.Value), optionalMicros(n.Due), micros(t.now))
}

// dropVersionNotes drops what was noted of a version.
func (t *tx) dropVersionNotes(packageID, versionID int64) error {
	return t.Exec(`DELETE FROM package_notes WHERE package_id = ? AND version_key <> ''
		AND version_key = (SELECT v.version_key FROM versions v WHERE v.id = ?)`, packageID, versionID).Error
}

// noteTexts are the texts of notes, to be checked before they are stored.
func noteTexts(notes []registry.Note, drop []registry.NoteKey) []string {
	var texts []string
	for _, n := range notes {
		texts = append(texts, string(n.Kind), n.VersionKey, n.Name)
	}
	for _, n := range drop {
		texts = append(texts, string(n.Kind), n.VersionKey, n.Name)
	}
	return texts
}
