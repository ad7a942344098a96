package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
)

// The statements of a publication are plain SQL. GORM builds the text and reads
// the rows of each by reflection, which took as long as SQLite took to run them.

// later runs a statement whose rows nobody reads. On PostgreSQL it is sent with
// the next one that is waited for, at the end of the transaction at last: check
// is called then. It makes an error of how many rows there were, or gives the
// statement's own error a kind; nil leaves that as it is.
func (t *tx) later(check func(affected int64, err error) error, query string, args ...any) error {
	if p, ok := t.Statement.ConnPool.(pipeliner); ok {
		p.hold(held{t.store.bound(query), args, check})
		return nil
	}
	defer t.store.used("exec", time.Now())
	var affected int64
	done, err := t.Statement.ConnPool.ExecContext(t.Statement.Context, query, args...)
	if err == nil {
		affected, err = done.RowsAffected()
	}
	if check == nil {
		return err
	}
	return check(affected, err)
}

// row reads the only row of a query into variables, and tells whether there is one.
func (t *tx) row(query string, args []any, into ...any) (found bool, err error) {
	defer t.store.used("query", time.Now())
	if p, ok := t.Statement.ConnPool.(pipeliner); ok {
		err = p.row(t.Statement.Context, t.store.bound(query), args, into)
		return err == nil, absent(err)
	}
	return readRow(t.Statement.Context, t.Statement.ConnPool, query, args, into)
}

// row is tx.row outside of a transaction.
func (s *Store) row(ctx context.Context, query string, args []any, into ...any) (found bool, err error) {
	defer s.used("query", time.Now())
	return readRow(s.brief(ctx), s.reader.Statement.ConnPool, s.bound(query), args, into)
}

func readRow(ctx context.Context, pool gorm.ConnPool, query string, args, into []any) (found bool, err error) {
	err = pool.QueryRowContext(ctx, query, args...).Scan(into...)
	return err == nil, absent(err)
}

// absent drops the error that says that there is no row.
func absent(err error) error {
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

// flush sends what later holds back.
func (t *tx) flush() error {
	p, ok := t.Statement.ConnPool.(pipeliner)
	if !ok {
		return nil
	}
	defer t.store.used("exec", time.Now())
	return p.flush(t.Statement.Context)
}

// bound gives a query with question marks the placeholders of the database.
func (s *Store) bound(query string) string {
	if s.dialect != postgresDialect {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	for n := 1; ; n++ {
		before, after, more := strings.Cut(query, "?")
		b.WriteString(before)
		if !more {
			return b.String()
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		query = after
	}
}

// brief is ctx for statements that find their few rows by an index. On SQLite
// they end sooner than anybody could stop them, and being able to costs: driver
// and database/sql start a goroutine each for a context that can end.
func (s *Store) brief(ctx context.Context) context.Context {
	if s.dialect == sqliteDialect && ctx.Err() == nil {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (s *Store) used(operation string, since time.Time) { s.onUse(operation, time.Since(since)) }
