package store

import (
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	sqlite3 "modernc.org/sqlite" // without cgo

	"pakhus/internal/registry"
)

// dialect is one of the two databases.
type dialect string

const (
	sqliteDialect   dialect = "sqlite"
	postgresDialect dialect = "postgres"
)

// busyTimeout is how long a SQLite connection waits for another process, such
// as the command line, to end its transaction; in milliseconds.
const busyTimeout = "10000"

// connect opens the pools for the URL.
func (s *Store) connect(o Options) error {
	scheme, rest, found := strings.Cut(o.URL, "://")
	switch {
	case found && scheme == "sqlite":
		s.dialect = sqliteDialect
		return s.connectSQLite(rest, o.MaxConnections)
	case found && (scheme == "postgres" || scheme == "postgresql"):
		s.dialect = postgresDialect
		return s.connectPostgres(o.URL, o.MaxConnections)
	}
	return registry.Errorf(registry.Invalid, "the database URL begins neither with sqlite:// nor with postgres://")
}

// writerPragmas make publications cheaper and weaken nothing.
//
// A statement that makes several rows keeps the pages that it changes, to take
// itself back; beyond 64 KiB it kept them in a file, made and removed by each
// publication. Now they stay in memory.
//
// The log is copied into the database every 16 MB instead of 4: most of its pages
// are the same few again, and each copying waits for the disk twice. The cache
// holds the pages that all publications write.
var writerPragmas = []string{"temp_store(MEMORY)", "wal_autocheckpoint(4000)", "cache_size(-8000)"}

// connectSQLite opens one connection that writes and several that read. With
// one writer, transactions queue in the process instead of finding each other
// busy in the file.
func (s *Store) connectSQLite(path string, readers int) error {
	if path == "" || strings.ContainsAny(path, "?#\x00") {
		return registry.Errorf(registry.Invalid, "the database URL needs the path of a file after sqlite://, without ? and #")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return registry.Wrapf(registry.Invalid, err, "the path of the database file cannot be resolved")
	}
	if err := keepPrivate(path); err != nil {
		return registry.Wrapf(registry.Unavailable, err, "the database file cannot be made")
	}
	if readers <= 0 {
		readers = 4
	}
	writer, err := openSQLite(path, 1, url.Values{"_txlock": {"immediate"}, "_pragma": writerPragmas})
	if err != nil {
		return err
	}
	s.pools = append(s.pools, writer)
	readers++ // Follow keeps one for itself
	reader, err := openSQLite(path, readers, url.Values{"_query_only": {"1"}})
	if err != nil {
		return err
	}
	s.pools = append(s.pools, reader)
	if s.writer, err = openGORM(sqlite.New(sqlite.Config{Conn: writer})); err != nil {
		return err
	}
	s.reader, err = openGORM(sqlite.New(sqlite.Config{Conn: reader}))
	return err
}

// keepPrivate makes the file, if it is not there, readable by its owner alone:
// SQLite itself would leave that to the umask. A file that is there is not
// touched: closing it would drop the locks that this process has on it.
func keepPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// openSQLite opens a pool. The settings are in the DSN, so that every pooled
// connection has them. synchronous=FULL makes a commit durable: NORMAL would
// lose the last ones in a power cut.
func openSQLite(path string, connections int, more url.Values) (*sql.DB, error) {
	q := url.Values{
		"_busy_timeout": {busyTimeout},
		"_foreign_keys": {"1"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_dqs":          {"0"},
	}
	for k, v := range more {
		q[k] = v
	}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	connector, err := sqlite3.NewConnector(dsn.String())
	if err != nil {
		return nil, registry.Wrapf(registry.Invalid, err, "the database URL is not understood")
	}
	pool := sql.OpenDB(keepingConnector{connector})
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// connectPostgres opens one pool for all. pgx prepares and keeps statements per
// connection by itself; default_query_exec_mode in the URL turns that off for
// poolers that cannot have it.
func (s *Store) connectPostgres(databaseURL string, connections int) error {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		// pgx hides the password in its text.
		return registry.Wrapf(registry.Invalid, err, "the database URL is not understood")
	}
	if connections <= 0 {
		connections = 16
	}
	s.pg = config
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	s.pools = append(s.pools, pool)
	s.announcer = newAnnouncer(pool, s.log)
	if s.writer, err = openGORM(postgres.New(postgres.Config{Conn: pipelinedPool{pool}})); err != nil {
		return err
	}
	s.reader = s.writer
	return nil
}

// openGORM wraps a pool. Statements are prepared and kept below it, by pgx and
// by keepingConn: GORM's own way does not work in transactions, where
// database/sql prepares them again for each use. QueryFields names columns instead of asking for all of
// them, so that a column added by a newer release does not disturb this one.
func openGORM(d gorm.Dialector) (*gorm.DB, error) {
	db, err := gorm.Open(d, &gorm.Config{
		SkipDefaultTransaction: true,
		QueryFields:            true,
		DisableAutomaticPing:   true,
		Logger:                 logger.Discard,
	})
	if err != nil {
		return nil, registry.Wrapf(registry.Unavailable, err, "the database does not answer")
	}
	return db, nil
}
