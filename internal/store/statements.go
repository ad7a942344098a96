package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"reflect"
)

// statementCache bounds the prepared statements of a connection. Lists of ids
// make statements of their own, so it must not grow for ever.
const statementCache = 256

// keepingConnector makes connections that keep their prepared statements, as
// pgx does for PostgreSQL. Neither the SQLite driver nor database/sql does:
// inside a transaction the latter prepares a statement anew for every use,
// which takes a quarter of the time of a publication.
type keepingConnector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c keepingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := conn.(fullConn)
	if !ok {
		return nil, errors.Join(errors.New("the SQLite driver lacks methods that it had"), conn.Close())
	}
	return &keepingConn{fullConn: full, idle: map[string]fullStmt{}}, nil
}

// fullConn and fullStmt are what the driver's types can do.
type (
	fullConn interface {
		driver.Conn
		driver.ConnBeginTx
		driver.ConnPrepareContext
		driver.Pinger
		driver.SessionResetter
		driver.Validator
	}
	fullStmt interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
)

// keepingConn is used by one goroutine at a time, like every driver.Conn.
type keepingConn struct {
	fullConn
	idle map[string]fullStmt // by text; one that runs is not in it
}

// take gives a statement to run. The same text may run twice at once, while its
// rows are read: then each has a statement of its own.
func (c *keepingConn) take(ctx context.Context, query string) (fullStmt, error) {
	if stmt, ok := c.idle[query]; ok {
		delete(c.idle, query)
		return stmt, nil
	}
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.(fullStmt), nil
}

// give takes a statement back. One that failed is not used again.
func (c *keepingConn) give(query string, stmt fullStmt, failed error) error {
	if _, twin := c.idle[query]; twin || failed != nil {
		return stmt.Close()
	}
	var errs []error
	if len(c.idle) >= statementCache {
		errs = append(errs, c.drop())
	}
	c.idle[query] = stmt
	return errors.Join(errs...)
}

func (c *keepingConn) drop() error {
	var errs []error
	for _, stmt := range c.idle {
		errs = append(errs, stmt.Close())
	}
	clear(c.idle)
	return errors.Join(errs...)
}

// ExecContext implements driver.ExecerContext.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	stmt, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	result, err := stmt.ExecContext(ctx, args)
	if giveErr := c.give(query, stmt, err); err == nil {
		err = giveErr
	}
	return result, err
}

// QueryContext implements driver.QueryerContext.
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	stmt, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, c.give(query, stmt, err))
	}
	return &keepingRows{Rows: rows, done: func(err error) error { return c.give(query, stmt, err) }}, nil
}

// Close implements driver.Conn.
func (c *keepingConn) Close() error { return errors.Join(c.drop(), c.fullConn.Close()) }

// keepingRows gives the statement back when it is closed.
type keepingRows struct {
	driver.Rows
	done func(error) error
}

// Close implements driver.Rows.
func (r *keepingRows) Close() error {
	if r.done == nil {
		return nil
	}
	err := r.Rows.Close()
	if doneErr := r.done(err); err == nil {
		err = doneErr
	}
	r.done = nil
	return err
}

// ColumnTypeDatabaseTypeName implements driver.RowsColumnTypeDatabaseTypeName.
func (r *keepingRows) ColumnTypeDatabaseTypeName(i int) string {
	if typed, ok := r.Rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return typed.ColumnTypeDatabaseTypeName(i)
	}
	return ""
}

// ColumnTypeScanType implements driver.RowsColumnTypeScanType.
func (r *keepingRows) ColumnTypeScanType(i int) reflect.Type {
	if typed, ok := r.Rows.(driver.RowsColumnTypeScanType); ok {
		return typed.ColumnTypeScanType(i)
	}
	return reflect.TypeFor[any]()
}
