package pgtest_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"pakhus/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func query(t *testing.T, databaseURL, sql string) (answer string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, sql).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestDatabasesAreApart(t *testing.T) {
	a, b := pgtest.New(t), pgtest.New(t)
	const name = "SELECT current_database()"
	if got, other := query(t, a, name), query(t, b, name); got == other {
		t.Errorf("both databases are %s", got)
	}
}

func TestTemplateIsPreparedOnce(t *testing.T) {
	prepared := 0
	prepare := func(databaseURL string) error {
		prepared++
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, databaseURL)
		if err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, "CREATE TABLE prepared (id INT)"); err != nil {
			return err
		}
		return conn.Close(ctx)
	}
	for range 2 {
		database := pgtest.NewFrom(t, "prepared", prepare)
		if got := query(t, database, "SELECT COUNT(*)::text FROM prepared"); got != "0" {
			t.Errorf("rows = %s, want 0", got)
		}
	}
	if prepared != 1 {
		t.Errorf("prepared %d times, want 1", prepared)
	}
}
