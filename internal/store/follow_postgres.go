package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"pakhus/internal/registry"
)

// postgresFollower has a connection of its own, on which it listens and reads.
//
// Transactions become visible in another order than they began, so "rows with a
// higher id than the last" would miss some. Instead each poll notes the oldest
// transaction that was still running in its snapshot (xmin), and the next one
// reads all rows of that transaction and of later ones: what the last poll
// could not see is among them. Rows that it did see are skipped.
type postgresFollower struct {
	conn   *pgx.Conn
	origin int64
	xmin   string             // empty before the first poll
	seen   map[int64]struct{} // ids of rows at or above xmin that were read
}

func (s *Store) followPostgres(ctx context.Context) (follower, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, s.pg.Copy())
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return nil, errors.Join(err, closeConn(conn))
	}
	return &postgresFollower{conn: conn, origin: s.origin}, nil
}

// readChanges is one statement, so that rows and xmin are of one snapshot. A
// snapshot without rows still tells its xmin.
const readChanges = `SELECT pg_snapshot_xmin(pg_current_snapshot())::text, c.id, c.origin, c.topic, c.key
	FROM (SELECT 1) AS one LEFT JOIN changes c ON c.xid >= $1::text::xid8`

func (f *postgresFollower) poll(ctx context.Context) ([]registry.Change, error) {
	if f.xmin == "" {
		return nil, f.conn.QueryRow(ctx, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text").Scan(&f.xmin)
	}
	rows, err := f.conn.Query(ctx, readChanges, f.xmin)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var changes []registry.Change
	var xmin string
	seen := map[int64]struct{}{}
	for rows.Next() {
		var id, origin *int64
		var topic, key *string
		if err := rows.Scan(&xmin, &id, &origin, &topic, &key); err != nil {
			return nil, err
		}
		if id == nil {
			continue
		}
		seen[*id] = struct{}{}
		if _, again := f.seen[*id]; !again && *origin != f.origin {
			changes = append(changes, registry.Change{Topic: registry.Topic(*topic), Key: *key})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	f.xmin, f.seen = xmin, seen
	return changes, nil
}

// wait returns on a notification or after pollEvery.
func (f *postgresFollower) wait(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, pollEvery)
	defer cancel()
	_, err := f.conn.WaitForNotification(limited)
	if err != nil && (ctx.Err() != nil || !pgconn.Timeout(err)) {
		return err
	}
	f.drain(ctx)
	return nil
}

// drain drops notifications that came together with the first: one poll reads
// what all of them announce.
func (f *postgresFollower) drain(ctx context.Context) {
	ended, cancel := context.WithCancel(ctx)
	cancel() // pgx hands out what it holds and then looks at the context
	for {
		if _, err := f.conn.WaitForNotification(ended); err != nil {
			return
		}
	}
}

func (f *postgresFollower) close() { _ = closeConn(f.conn) } // it may be broken already

func closeConn(conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return conn.Close(ctx)
}
