package store

import (
	"context"
	"database/sql"

	"gorm.io/gorm"
)

// Models are all row types, to be compared with the migrated schema.
func Models() []any {
	return []any{
		&groupRow{}, &projectRow{}, &routeRow{}, &redirectRow{}, &settingRow{}, &userRow{}, &personalTokenRow{}, &membershipRow{},
		&deployTokenRow{}, &packageRow{}, &listingRow{}, &termRow{}, &versionRow{}, &fragmentRow{}, &blobRow{},
		&fileRow{}, &tagRow{}, &starRow{}, &eventRow{}, &changeRow{}, &noteRow{},
	}
}

// Writer gives tests the connection that writes.
func (s *Store) Writer() *gorm.DB { return s.writer }

// Trace makes every statement from now on go to each.
func (s *Store) Trace(each func(sql string, args []any)) {
	for _, db := range []*gorm.DB{s.writer, s.reader} {
		if _, traced := db.Statement.ConnPool.(tracingPool); !traced { // both are one pool on PostgreSQL
			db.Statement.ConnPool = tracingPool{db.Statement.ConnPool, each}
		}
	}
}

// tracingPool is a pool, or a transaction of one, that tells of its statements.
type tracingPool struct {
	gorm.ConnPool
	each func(sql string, args []any)
}

func (p tracingPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	p.each(query, args)
	return p.ConnPool.ExecContext(ctx, query, args...)
}

func (p tracingPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	p.each(query, args)
	return p.ConnPool.QueryContext(ctx, query, args...)
}

func (p tracingPool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	p.each(query, args)
	return p.ConnPool.QueryRowContext(ctx, query, args...)
}

func (p tracingPool) BeginTx(ctx context.Context, o *sql.TxOptions) (gorm.ConnPool, error) {
	if pool, ok := p.ConnPool.(gorm.ConnPoolBeginner); ok {
		tx, err := pool.BeginTx(ctx, o)
		if err != nil {
			return nil, err
		}
		return &tracingPipeline{tx.(*pipeline), p.each}, nil
	}
	tx, err := p.ConnPool.(gorm.TxBeginner).BeginTx(ctx, o)
	return &tracingTx{tracingPool{tx, p.each}, tx}, err
}

type tracingTx struct {
	tracingPool
	gorm.TxCommitter
}

type tracingPipeline struct {
	*pipeline
	each func(sql string, args []any)
}

func (p *tracingPipeline) hold(h held) {
	p.each(h.query, h.args)
	p.pipeline.hold(h)
}

func (p *tracingPipeline) row(ctx context.Context, query string, args, into []any) error {
	p.each(query, args)
	return p.pipeline.row(ctx, query, args, into)
}

func (p *tracingPipeline) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	p.each(query, args)
	return p.pipeline.ExecContext(ctx, query, args...)
}

func (p *tracingPipeline) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	p.each(query, args)
	return p.pipeline.QueryContext(ctx, query, args...)
}

// Write runs work as one of the store's transactions.
func (s *Store) Write(ctx context.Context, work func(db *gorm.DB) error) error {
	return s.write(ctx, func(t *tx) error { return work(t.DB) })
}

// BreachName gives the class of a driver error.
func BreachName(err error) string {
	return map[breach]string{
		unknownBreach: "unknown", duplicate: "duplicate", dangling: "dangling", unstorable: "unstorable",
		clash: "clash", unavailable: "unavailable", interrupted: "interrupted",
	}[breachOf(err)]
}
