package store

import (
	"errors"
	"testing"

	"gorm.io/gorm"

	"pakhus/internal/pgtest"
	"pakhus/internal/registry"
)

const insertHeld = "INSERT INTO held VALUES (?)"

// Statements that are held back come before any other, and their failure is the
// transaction's.
func TestPipeline(t *testing.T) {
	s, err := Open(t.Context(), Options{URL: pgtest.New(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.writer.Exec("CREATE TABLE held (name TEXT PRIMARY KEY)").Error; err != nil {
		t.Fatal(err)
	}
	refused := registry.Errorf(registry.Invalid, "refused")
	tests := []struct {
		name string
		work func(*tx) error
		kind registry.Kind // of the failure; Internal is none
		want int64         // rows afterwards
	}{
		{"a row is read behind them", func(t *tx) error {
			var n int64
			if err := t.later(nil, insertHeld, "a"); err != nil {
				return err
			}
			if _, err := t.row("SELECT count(*) FROM held", nil, &n); err != nil || n != 1 {
				return errors.Join(err, errors.New("the row was not there"))
			}
			return nil
		}, registry.Internal, 1},
		{"GORM comes behind them", func(t *tx) error {
			if err := t.later(nil, insertHeld, "b"); err != nil {
				return err
			}
			return t.Exec("UPDATE held SET name = 'c' WHERE name = 'b'").Error
		}, registry.Internal, 2},
		{"a key is broken", func(t *tx) error {
			return errors.Join(t.later(nil, insertHeld, "d"), t.later(nil, insertHeld, "a"), t.later(nil, insertHeld, "e"))
		}, registry.Conflict, 2},
		{"a key is broken before a query", func(t *tx) error {
			if err := t.later(nil, insertHeld, "a"); err != nil {
				return err
			}
			return t.Exec("SELECT 1").Error
		}, registry.Conflict, 2},
		{"a check refuses", func(t *tx) error {
			return t.later(func(affected int64, err error) error {
				if err != nil || affected != 1 {
					return errors.Join(err, errors.New("not one row"))
				}
				return refused
			}, insertHeld, "f")
		}, registry.Invalid, 2},
		{"they outlive a savepoint", func(t *tx) error {
			return t.Transaction(func(*gorm.DB) error { return t.later(nil, insertHeld, "g") })
		}, registry.Internal, 3},
	}
	for _, tt := range tests {
		err := s.write(t.Context(), tt.work)
		if tt.kind == registry.Internal && err != nil || tt.kind != registry.Internal && registry.KindOf(err) != tt.kind {
			t.Errorf("%s: %v", tt.name, err)
		}
		var n int64
		if err := s.writer.Raw("SELECT count(*) FROM held").Scan(&n).Error; err != nil || n != tt.want {
			t.Errorf("%s: %d rows, want %d, %v", tt.name, n, tt.want, err)
		}
	}
	err = s.writer.Transaction(func(db *gorm.DB) error { return (&tx{DB: db, store: s}).later(nil, insertHeld, "h") })
	if err == nil {
		t.Error("a transaction was committed without what it held back")
	}
}
