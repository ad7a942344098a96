package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"pakhus/internal/registry"
)

// breach is what a driver error is about.
type breach int

const (
	unknownBreach breach = iota
	duplicate            // a unique constraint
	dangling             // a foreign key
	unstorable           // text that the database cannot hold, a broken check
	clash                // two transactions in each other's way: try again
	unavailable          // the database does not answer, or takes no writes now
	interrupted          // the context ended
)

// breachOf classifies a driver's error.
func breachOf(err error) breach {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return sqliteBreach(lite.Code())
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return postgresBreach(pg.Code)
	}
	var connecting *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return interrupted
	case errors.As(err, &connecting), errors.As(err, &network), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone),
		errors.Is(err, net.ErrClosed), pgconn.SafeToRetry(err):
		return unavailable
	}
	return unknownBreach
}

// sqliteBreach reads extended result codes, https://sqlite.org/rescode.html.
func sqliteBreach(code int) breach {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return duplicate
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return dangling
	case sqlite3.SQLITE_CONSTRAINT_CHECK:
		return unstorable
	case sqlite3.SQLITE_BUSY_SNAPSHOT:
		return clash
	}
	switch code & 0xff {
	case sqlite3.SQLITE_INTERRUPT:
		return interrupted
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL:
		return unavailable
	}
	return unknownBreach
}

// postgresBreach reads SQLSTATE codes,
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
func postgresBreach(code string) breach {
	switch code {
	case "23505":
		return duplicate
	case "23503":
		return dangling
	case "23514", "22021", "22P05", "54000":
		return unstorable
	case "40001", "40P01":
		return clash
	case "57014":
		return interrupted
	case "25006", "55P03":
		return unavailable
	}
	switch code[:min(2, len(code))] {
	case "08", "53", "57", "58": // connection, resources, operator intervention, system
		return unavailable
	}
	return unknownBreach
}

// fail turns an error into one with a kind. noun names what was looked for, as
// the text of NotFound. An error that has a kind stays as it is.
func (s *Store) fail(ctx context.Context, err error, noun string) error {
	switch {
	case err == nil:
		return nil
	case registry.KindOf(err) != registry.Internal && !isContextError(err):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows):
		return notFound(noun)
	}
	b := breachOf(err)
	if ctx.Err() != nil && (b == interrupted || b == unavailable || errors.Is(err, sql.ErrTxDone)) {
		// The drivers differ in how they tell that the caller left.
		if errors.Is(ctx.Err(), context.Canceled) {
			return registry.Wrapf(registry.Canceled, err, "the request was canceled")
		}
		return registry.Wrapf(registry.Unavailable, err, "the database took too long")
	}
	if b == unknownBreach && s.closed.Load() { // database/sql's own error for this has no name
		b = unavailable
	}
	switch b {
	case duplicate, dangling:
		return registry.Wrapf(registry.Conflict, err, "this clashes with what is stored")
	case unstorable:
		return registry.Wrapf(registry.Invalid, err, "a value cannot be stored")
	case clash, unavailable, interrupted:
		return registry.Wrapf(registry.Unavailable, err, "the database does not answer")
	}
	return err
}

// isContextError tells errors that get their kind from the caller's context.
func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func notFound(noun string) error {
	return registry.Errorf(registry.NotFound, "%s not found", noun)
}

// onBreach gives err a kind and text of its own when it is the given breach;
// other errors stay.
func onBreach(err error, b breach, kind registry.Kind, format string, args ...any) error {
	if err == nil || breachOf(err) != b {
		return err
	}
	return registry.Wrapf(kind, err, format, args...)
}

// checkText is Invalid for text that PostgreSQL cannot hold and SQLite would
// keep: both databases shall answer alike.
func checkText(texts ...string) error {
	for _, t := range texts {
		if !utf8.ValidString(t) || strings.Contains(t, "\x00") {
			return registry.Errorf(registry.Invalid, "text holds a NUL or is not valid UTF-8")
		}
	}
	return nil
}
