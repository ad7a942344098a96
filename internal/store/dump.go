package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"pakhus/internal/registry"
)

// Dump writes the whole database, as it was at one moment, into a new file that
// only its owner can read. The file survives a crash of the machine. Servers
// may write meanwhile.
//
// SQLite copies itself. For PostgreSQL it is its own pg_dump that does: it knows
// the sequences, and its archive can be read with the tools that operators have.
func (s *Store) Dump(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return registry.Wrapf(registry.Unavailable, err, "the dump's file cannot be made")
	}
	if s.dialect == postgresDialect {
		// Change rows tell running servers what to forget, in transaction numbers
		// of this server: they mean nothing anywhere else.
		err = runTool(ctx, s.pg, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--exclude-table-data=changes", "--file="+path)
	} else {
		err = s.fail(ctx, s.writer.WithContext(ctx).Exec("VACUUM INTO ?", path).Error, "")
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// Load makes the database that the URL names from a dump of the same kind of
// database. A database that holds anything already is Conflict, and stays as it
// is. On any failure there is no database.
func Load(ctx context.Context, databaseURL, path string) error {
	if file, ok := strings.CutPrefix(databaseURL, "sqlite://"); ok {
		return loadSQLite(path, file)
	}
	s, err := Open(ctx, Options{URL: databaseURL, MaxConnections: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	empty, err := s.empty(ctx)
	if err != nil {
		return err
	}
	if !empty {
		return errNotEmpty()
	}
	return runTool(ctx, s.pg, "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", path)
}

// CheckEmpty answers Conflict when the database that the URL names holds
// anything.
func CheckEmpty(ctx context.Context, databaseURL string) error {
	if file, ok := strings.CutPrefix(databaseURL, "sqlite://"); ok {
		return checkNoSQLite(file)
	}
	s, err := Open(ctx, Options{URL: databaseURL, MaxConnections: 1})
	if err != nil {
		return err
	}
	empty, err := s.empty(ctx)
	if err == nil && !empty {
		err = errNotEmpty()
	}
	return errors.Join(err, s.Close())
}

func errNotEmpty() error {
	return registry.Errorf(registry.Conflict, "the database is not empty: nothing was changed")
}

// empty tells whether there is no table of ours or of anybody else.
func (s *Store) empty(ctx context.Context) (bool, error) {
	var tables int64
	err := s.read(ctx).Raw("SELECT COUNT(*) FROM pg_tables WHERE schemaname = ANY (current_schemas(false))").Scan(&tables).Error
	return tables == 0, s.fail(ctx, err, "")
}

// checkNoSQLite also refuses the files that SQLite keeps beside a database:
// it would take what they hold for changes of the new one.
func checkNoSQLite(file string) error {
	for _, suffix := range []string{"", "-wal", "-journal"} {
		_, err := os.Lstat(file + suffix)
		if err == nil {
			return registry.Errorf(registry.Conflict, "there is a database file %s already: nothing was changed", filepath.Base(file+suffix))
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return registry.Wrapf(registry.Unavailable, err, "the folder of the database cannot be read")
		}
	}
	return nil
}

// loadSQLite copies the dump beside the database's place and links it there,
// which fails when somebody else was faster.
func loadSQLite(dump, file string) (err error) {
	if err := checkNoSQLite(file); err != nil {
		return err
	}
	defer func() {
		if err != nil && registry.KindOf(err) == registry.Internal {
			err = registry.Wrapf(registry.Unavailable, err, "the database file cannot be made")
		}
	}()
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	in, err := os.Open(dump)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(dir, ".restore-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	if err := os.Link(out.Name(), file); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// driverParameters are what pgx takes from a URL and PostgreSQL's own programs
// do not know.
var driverParameters = []string{"default_query_exec_mode", "statement_cache_capacity", "description_cache_capacity"}

// runTool runs one of PostgreSQL's programs on the database. The password goes
// by the environment: arguments can be read by every user of the machine.
func runTool(ctx context.Context, c *pgx.ConnConfig, name string, args ...string) error {
	program, err := exec.LookPath(name)
	if err != nil {
		return registry.Wrapf(registry.Unavailable, err, "%s is not installed: it comes with PostgreSQL's client programs", name)
	}
	u, err := url.Parse(c.ConnString())
	if err != nil {
		return registry.Errorf(registry.Invalid, "the database URL is not understood")
	}
	u.User = url.User(c.User)
	q := u.Query()
	for _, parameter := range driverParameters {
		q.Del(parameter)
	}
	q.Del("password")
	u.RawQuery = q.Encode()
	cmd := exec.CommandContext(ctx, program, append([]string{"--dbname=" + u.String()}, args...)...)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+c.Password)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return registry.Wrapf(registry.Unavailable, err, "%s: %s", name, firstLine(said.String()))
	}
	return nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
