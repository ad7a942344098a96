// Package pgtest gives tests a real PostgreSQL. It starts a server of its own
// once per test process, unless REGISTRY_TEST_POSTGRES names one, and gives
// each test its own database on it.
//
// A package that uses it has
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
// which stops the server at the end. Without PostgreSQL the tests are skipped;
// with CI=true they fail instead.
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// variable names a server to use instead of starting one: a postgres:// URL
// whose user may create databases.
const variable = "REGISTRY_TEST_POSTGRES"

var (
	mu        sync.Mutex
	running   *server
	startErr  error
	templates = map[string]string{} // by name of the template: its database
)

// Main runs the tests, stops the server, and gives the exit code.
func Main(m *testing.M) int {
	defer stop()
	return m.Run()
}

func stop() {
	mu.Lock()
	defer mu.Unlock()
	if running != nil {
		running.stop()
		running = nil
	}
}

// New gives the URL of a new, empty database, which is dropped after the test.
func New(t testing.TB) string {
	t.Helper()
	return create(t, base(t), "template0")
}

// NewFrom is New with a copy of a database that prepare filled: it runs once
// per process and name, since copying is faster than migrating.
func NewFrom(t testing.TB, name string, prepare func(databaseURL string) error) string {
	t.Helper()
	server := base(t)
	mu.Lock()
	defer mu.Unlock()
	if templates[name] == "" {
		database := newName("template")
		if err := execute(server, "CREATE DATABASE "+database+" TEMPLATE template0"); err != nil {
			t.Fatalf("make a template database: %v", err)
		}
		if err := prepare(withDatabase(server, database)); err != nil {
			t.Fatalf("prepare the template %s: %v", name, err)
		}
		templates[name] = database
	}
	return create(t, server, templates[name])
}

// Durable gives the URL of an empty database on a server of its own that writes
// to the disk as in production, for measuring.
func Durable(t testing.TB) string {
	t.Helper()
	s, err := start(true)
	if err != nil {
		skip(t, err)
	}
	t.Cleanup(s.stop)
	return create(t, s.url, "template0")
}

// base gives the URL of the server, starting it when it is the first call.
func base(t testing.TB) string {
	t.Helper()
	if given := os.Getenv(variable); given != "" {
		return given
	}
	mu.Lock()
	defer mu.Unlock()
	if running == nil && startErr == nil {
		running, startErr = start(false)
	}
	if startErr != nil {
		skip(t, startErr)
	}
	return running.url
}

func skip(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("PostgreSQL is required in CI: %v", err)
	}
	t.Skipf("no PostgreSQL: %v", err)
}

func create(t testing.TB, server, template string) string {
	t.Helper()
	database := newName("test")
	if err := execute(server, "CREATE DATABASE "+database+" TEMPLATE "+template+strategy(server)); err != nil {
		t.Fatalf("make a test database: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(server, "DROP DATABASE "+database+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
	})
	return withDatabase(server, database)
}

// strategy makes PostgreSQL 15 and later copy files, as earlier ones do: for
// small databases that takes a third of the time of writing them to the log.
func strategy(server string) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return "" // the statement itself tells why
	}
	defer conn.Close(ctx)
	major, _, _ := strings.Cut(conn.PgConn().ParameterStatus("server_version"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < 15 {
		return ""
	}
	return " STRATEGY FILE_COPY"
}

// newName is harmless in SQL: lower-case letters and digits.
func newName(kind string) string { return "registry_" + kind + "_" + strings.ToLower(rand.Text()) }

func execute(server, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	if closeErr := conn.Close(ctx); err == nil {
		err = closeErr
	}
	return err
}

// withDatabase gives the server's URL with another database.
func withDatabase(server, database string) string {
	u, err := url.Parse(server)
	if err != nil {
		panic(fmt.Sprintf("%s is not a URL: %v", variable, err))
	}
	u.Path = "/" + database
	return u.String()
}
