package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"pakhus/internal/store"
)

func TestBreaches(t *testing.T) {
	pg := func(code string) error { return &pgconn.PgError{Code: code} }
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"unique", pg("23505"), "duplicate"},
		{"foreign key", pg("23503"), "dangling"},
		{"check", pg("23514"), "unstorable"},
		{"bad bytes in text", pg("22021"), "unstorable"},
		{"serialization", pg("40001"), "clash"},
		{"deadlock", fmt.Errorf("commit: %w", pg("40P01")), "clash"},
		{"statement canceled", pg("57014"), "interrupted"},
		{"shutting down", pg("57P01"), "unavailable"},
		{"too many connections", pg("53300"), "unavailable"},
		{"disk full", pg("53100"), "unavailable"},
		{"read-only", pg("25006"), "unavailable"},
		{"syntax", pg("42601"), "unknown"},
		{"no code", pg(""), "unknown"},
		{"canceled", context.Canceled, "interrupted"},
		{"deadline", context.DeadlineExceeded, "interrupted"},
		{"connection ended", io.ErrUnexpectedEOF, "unavailable"},
		{"refused", &net.OpError{Op: "dial", Err: fmt.Errorf("refused")}, "unavailable"},
		{"bad connection", driver.ErrBadConn, "unavailable"},
		{"connection done", sql.ErrConnDone, "unavailable"},
		{"something else", fmt.Errorf("something else"), "unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := store.BreachName(tt.err); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
