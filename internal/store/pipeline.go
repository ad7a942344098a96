package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
)

// pipelinedPool is PostgreSQL's pool. Its transactions can hold statements back
// and send several at once: a publication has a dozen statements, of which three
// are waited for, and each wait is a round trip and four switches between processes.
type pipelinedPool struct{ *sql.DB }

// BeginTx implements gorm.ConnPoolBeginner.
func (p pipelinedPool) BeginTx(ctx context.Context, o *sql.TxOptions) (gorm.ConnPool, error) {
	conn, err := p.Conn(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, o)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &pipeline{Tx: tx, conn: conn}, nil
}

// pipeliner is a transaction that can hold statements back.
type pipeliner interface {
	hold(held)
	flush(ctx context.Context) error
	row(ctx context.Context, query string, args, into []any) error
}

// held is a statement that waits to be sent; see tx.later.
type held struct {
	query string
	args  []any
	check func(affected int64, err error) error
}

// pipeline is a transaction of PostgreSQL. Statements reach the database in the
// order in which they were given: what is held back goes before any other.
type pipeline struct {
	*sql.Tx
	conn   *sql.Conn // that of Tx
	held   []held
	failed error // of a statement that was held back; nothing is done after it
}

func (p *pipeline) hold(h held) { p.held = append(p.held, h) }

func (p *pipeline) flush(ctx context.Context) error {
	if len(p.held) == 0 {
		return p.failed
	}
	return p.send(ctx, &pgx.Batch{}, nil)
}

func (p *pipeline) row(ctx context.Context, query string, args, into []any) error {
	var last pgx.Batch
	last.Queue(query, args...)
	return p.send(ctx, &last, into)
}

// send sends what is held back and the statement in last, if there is one.
func (p *pipeline) send(ctx context.Context, last *pgx.Batch, into []any) error {
	if p.failed != nil {
		return p.failed
	}
	var batch pgx.Batch
	for _, h := range p.held {
		batch.Queue(h.query, h.args...)
	}
	batch.QueuedQueries = append(batch.QueuedQueries, last.QueuedQueries...)
	waiting := p.held
	p.held = nil
	return p.conn.Raw(func(driver any) error {
		results := driver.(*stdlib.Conn).Conn().SendBatch(ctx, &batch)
		if p.failed = checkAll(results, waiting); p.failed != nil {
			_ = results.Close() // says the same
			return p.failed
		}
		var err error
		if len(last.QueuedQueries) > 0 {
			err = results.QueryRow().Scan(into...)
		}
		if closing := results.Close(); err == nil {
			err = closing
		}
		return err
	})
}

func checkAll(results pgx.BatchResults, waiting []held) error {
	for _, h := range waiting {
		tag, err := results.Exec()
		if h.check != nil {
			err = h.check(tag.RowsAffected(), err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ExecContext implements gorm.ConnPool.
func (p *pipeline) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	return p.Tx.ExecContext(ctx, query, args...)
}

// QueryContext implements gorm.ConnPool.
func (p *pipeline) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	return p.Tx.QueryContext(ctx, query, args...)
}

// QueryRowContext implements gorm.ConnPool. A row cannot hold the failure of
// what went before: the transaction ends with that.
func (p *pipeline) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	_ = p.flush(ctx)
	return p.Tx.QueryRowContext(ctx, query, args...)
}

// Commit implements gorm.TxCommitter. Everything must have been flushed.
func (p *pipeline) Commit() error {
	if p.failed != nil || len(p.held) > 0 {
		return errors.Join(errors.New("commit of a transaction with statements held back"), p.failed)
	}
	return errors.Join(p.Tx.Commit(), p.conn.Close())
}

// Rollback implements gorm.TxCommitter.
func (p *pipeline) Rollback() error { return errors.Join(p.Tx.Rollback(), p.conn.Close()) }
