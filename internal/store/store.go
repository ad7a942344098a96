// Package store keeps the rows of the registry in SQLite or PostgreSQL. It
// implements registry.Store and auth.Tokens, and it is the only package that
// knows SQL.
//
// Every method that writes is one transaction, which also holds one row of the
// audit log and the rows that tell other processes what to forget. Uniqueness
// is the database's: nothing is looked up first and inserted afterwards.
// Driver errors become kinds in errors.go and nowhere else.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// Options say which database to open.
type Options struct {
	// URL is sqlite:///absolute/path, sqlite://relative/path or postgres://….
	URL string
	// Clock gives the time of new rows; time.Now when nil.
	Clock func() time.Time
	// Logger is told of lost connections and the like; silent when nil.
	Logger *slog.Logger
	// OnUse is told how long each statement took, by what it does: "query",
	// "insert", "update", "delete", "exec", and "transaction" for a whole one that
	// writes. May be nil.
	OnUse func(operation string, took time.Duration)
	// MaxConnections bounds the connections that read; 16 on PostgreSQL, where
	// they write as well, and 4 on SQLite when 0.
	MaxConnections int
}

// Store is an open database. It is safe for concurrent use. Close it.
type Store struct {
	dialect dialect
	reader  *gorm.DB // several connections
	writer  *gorm.DB // one connection on SQLite; the reader on PostgreSQL
	pools   []*sql.DB
	// committer is how SQLite's writer is used.
	committer committer
	clock     func() time.Time
	log       *slog.Logger
	// origin marks this Store's change rows, which it need not hear of again.
	origin int64

	closed atomic.Bool
	onUse  func(operation string, took time.Duration)

	mu        sync.RWMutex
	listeners []registry.Listener

	// Only on PostgreSQL:
	pg        *pgx.ConnConfig
	announcer *announcer
}

var (
	_ registry.Store = (*Store)(nil)
	_ auth.Tokens    = (*Store)(nil)
)

// Open opens a database. It does not touch the schema: see Migrate. A URL that
// cannot be understood is Invalid, a database that does not answer Unavailable.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{clock: o.Clock, log: o.Logger}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var random [8]byte
	rand.Read(random[:]) // never fails since Go 1.24: the program ends instead
	s.origin = int64(binary.BigEndian.Uint64(random[:]) >> 1)
	if err := s.connect(o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.watchUse(o.OnUse); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.ping(ctx); err != nil {
		return nil, errors.Join(s.fail(ctx, err, ""), s.Close())
	}
	return s, nil
}

// watchUse makes every statement and transaction tell how long it took.
func (s *Store) watchUse(onUse func(string, time.Duration)) error {
	s.onUse = onUse
	if onUse == nil {
		s.onUse = func(string, time.Duration) {}
		return nil
	}
	if err := reportUse(s.reader, onUse); err != nil || s.writer == s.reader {
		return err
	}
	return reportUse(s.writer, onUse)
}

// ping asks every pool for a connection that works.
func (s *Store) ping(ctx context.Context) error {
	for _, pool := range s.pools {
		if err := pool.PingContext(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close ends all connections. Calls under way and later ones are Unavailable.
func (s *Store) Close() error {
	s.closed.Store(true)
	if s.announcer != nil {
		s.announcer.stop()
	}
	var errs []error
	for i := len(s.pools) - 1; i >= 0; i-- { // readers first: SQLite's last writer tidies the log up
		errs = append(errs, s.pools[i].Close())
	}
	return errors.Join(errs...)
}

// Check really asks the database whether it answers, and that it can be read.
func (s *Store) Check(ctx context.Context) error {
	var one []int
	return s.fail(ctx, s.read(ctx).Raw("SELECT 1 FROM groups LIMIT 1").Scan(&one).Error, "")
}

// Subscribe makes l hear of every change from now on: of own ones before the
// writing call returns, of others while Follow runs.
func (s *Store) Subscribe(l registry.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, l)
}

func (s *Store) forget(changes []registry.Change) {
	if len(changes) == 0 {
		return
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, l := range s.listeners {
		l.Forget(changes)
	}
}

func (s *Store) setLive(live bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, l := range s.listeners {
		l.SetLive(live)
	}
}

// read starts a query.
func (s *Store) read(ctx context.Context) *gorm.DB { return s.reader.WithContext(ctx) }

// now is the time of new rows, in UTC and whole microseconds, never rounded up.
func (s *Store) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }
