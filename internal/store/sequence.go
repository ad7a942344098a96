package store

import "pakhus/internal/registry"

// insert stores a row whose id may be chosen. On PostgreSQL a chosen id moves
// the sequence behind it, so that the sequence never meets it later; a lock
// keeps two makers from moving it back. SQLite's AUTOINCREMENT does so itself.
func (t *tx) insert(table string, id int64, row any) error {
	if err := checkChosenID(id); err != nil {
		return err
	}
	if t.store.dialect == postgresDialect {
		if err := t.Exec("SELECT pg_advisory_xact_lock(hashtext('registry sequence'), hashtext(?))", table).Error; err != nil {
			return err
		}
	}
	if err := t.Create(row).Error; err != nil {
		return err
	}
	if id == 0 || t.store.dialect == sqliteDialect {
		return nil
	}
	// table is one of our own names. A fresh sequence tells a last_value of 1.
	return t.Exec("SELECT setval(pg_get_serial_sequence(?, 'id'), GREATEST(?, (SELECT last_value FROM "+table+"_id_seq)))", table, id).Error
}

// taken is the Conflict of a new row that is not alone with its id, or with the
// name that what tells.
func taken(err error, id int64, what string) error {
	if id != 0 {
		return onBreach(err, duplicate, registry.Conflict, "%s or id %d is taken already", what, id)
	}
	return onBreach(err, duplicate, registry.Conflict, "%s is taken already", what)
}
