package store

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"pakhus/internal/registry"
)

// Schemas, newest first. An applied file is never edited; a test holds their
// checksums.
//
//	release | schema | what changed
//	next    | 7      | old paths of moved projects
//	next    | 6      | downloads of all days are summed up
//	next    | 5      | PostgreSQL counts search results in the index
//	next    | 4      | searches filter by facets
//	next    | 3      | shared files are found by name
//	next    | 2      | notes of packages, withheld files
//	0.1     | 1      | everything

//go:embed migrations
var migrations embed.FS

// migrationTries bounds how often a migration of SQLite starts again because
// another process was migrating.
const migrationTries = 5

// Migrate brings the schema up to what this program knows. A newer schema is
// refused, as Unavailable: this program could damage it. Processes that migrate
// at once wait for each other.
func (s *Store) Migrate(ctx context.Context) error {
	provider, err := s.provider()
	if err != nil {
		return s.fail(ctx, err, "")
	}
	known := provider.ListSources()
	want := known[len(known)-1].Version
	for try := 1; ; try++ {
		have, err := s.SchemaVersion(ctx)
		switch {
		case err != nil:
			return err
		case have > want:
			return registry.Errorf(registry.Unavailable,
				"the database has schema %d, and this program knows schema %d at most: start a release at least as new as the last one", have, want)
		case have == want:
			return nil
		}
		_, err = provider.Up(ctx)
		if err == nil {
			s.log.InfoContext(ctx, "database migrated", "from", have, "to", want)
			return nil
		}
		// SQLite has no lock that outlives a transaction: a loser finds the tables
		// made, and looks again.
		if s.dialect == postgresDialect || try == migrationTries || ctx.Err() != nil {
			return s.fail(ctx, err, "")
		}
		select {
		case <-time.After(time.Duration(try) * 50 * time.Millisecond):
		case <-ctx.Done():
			return s.fail(ctx, ctx.Err(), "")
		}
	}
}

// SchemaVersion is the number of the last migration that was applied; 0 for an
// empty database.
func (s *Store) SchemaVersion(ctx context.Context) (int64, error) {
	table := "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
	if s.dialect == postgresDialect {
		table = "SELECT CASE WHEN to_regclass(?) IS NULL THEN 0 ELSE 1 END"
	}
	var tables int64
	if err := s.read(ctx).Raw(table, goose.DefaultTablename).Scan(&tables).Error; err != nil || tables == 0 {
		return 0, s.fail(ctx, err, "")
	}
	var version int64
	err := s.read(ctx).Raw("SELECT COALESCE(MAX(version_id), 0) FROM " + goose.DefaultTablename + " WHERE is_applied").Scan(&version).Error
	return version, s.fail(ctx, err, "")
}

func (s *Store) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations/"+string(s.dialect))
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{
		goose.WithSlog(slog.New(slog.DiscardHandler)),
		goose.WithDisableGlobalRegistry(true),
	}
	dialect := goose.DialectSQLite3
	if s.dialect == postgresDialect {
		dialect = goose.DialectPostgres
		// Ask for the lock every second, for ten minutes: a big migration takes time.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600), lock.WithUnlockTimeout(1, 30))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(dialect, s.migrator(), files, options...)
}

// migrator is the pool that writes.
func (s *Store) migrator() *sql.DB { return s.pools[0] }
