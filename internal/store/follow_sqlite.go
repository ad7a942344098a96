package store

import (
	"context"
	"database/sql"
	"time"

	"pakhus/internal/registry"
)

// sqliteFollower asks the file whether another connection has written, which
// reads one page of shared memory, and only then looks at the rows. Writers are
// one at a time, so the ids of changes are in commit order.
type sqliteFollower struct {
	conn    *sql.Conn
	origin  int64
	version int64 // PRAGMA data_version at the last poll
	last    int64 // id of the last change row that was read; -1 before the first poll
}

func (s *Store) followSQLite(ctx context.Context) (follower, error) {
	conn, err := s.pools[1].Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &sqliteFollower{conn: conn, origin: s.origin, last: -1}, nil
}

func (f *sqliteFollower) poll(ctx context.Context) ([]registry.Change, error) {
	var version int64
	if err := f.conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version); err != nil {
		return nil, err
	}
	if f.last < 0 {
		f.version = version
		return nil, f.conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) FROM changes").Scan(&f.last)
	}
	if version == f.version {
		return nil, nil
	}
	changes, last, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	// The version was asked for first: a commit in between is read twice at worst.
	f.version, f.last = version, last
	return changes, nil
}

func (f *sqliteFollower) read(ctx context.Context) (changes []registry.Change, last int64, err error) {
	last = f.last
	rows, err := f.conn.QueryContext(ctx, "SELECT id, origin, topic, key FROM changes WHERE id > ? ORDER BY id", f.last)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var c registry.Change
		var origin int64
		if err := rows.Scan(&last, &origin, &c.Topic, &c.Key); err != nil {
			return nil, 0, err
		}
		if origin != f.origin {
			changes = append(changes, c)
		}
	}
	return changes, last, rows.Err()
}

func (f *sqliteFollower) wait(ctx context.Context) error {
	select {
	case <-time.After(pollEvery):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *sqliteFollower) close() { _ = f.conn.Close() } // gives it back to the pool
