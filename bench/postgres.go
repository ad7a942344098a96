package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// measurePostgres measures publishes on a PostgreSQL of our own, whose commits
// are as durable as those of a real one.
func (b *bench) measurePostgres(ctx context.Context) error {
	if b.tools.postgres == "" {
		progress("PostgreSQL is not installed: run test/clients/postgres.sh")
		b.table.add(row{work: "publish, PostgreSQL", ours: "not measured: not installed"})
		return nil
	}
	progress("postgres")
	db, err := startPostgres(ctx, b)
	if err != nil {
		return err
	}
	s, err := newServer(b, filepath.Join(b.dir, "postgres"), map[string]string{"REGISTRY_DATABASE_URL": db.url})
	if err != nil {
		return errors.Join(err, db.stop())
	}
	w, err := newWorld(ctx, s)
	if err == nil {
		err = b.fill(ctx, w)
	}
	if err == nil {
		err = b.measurePublish(ctx, w, "PostgreSQL")
	}
	return errors.Join(err, s.stop(), db.stop())
}

// postgres is a database server in a temporary folder.
type postgres struct {
	url     string
	dir     string
	running *process
}

func startPostgres(ctx context.Context, b *bench) (*postgres, error) {
	// A folder of its own, outside of ours: it may belong to another user.
	dir, err := os.MkdirTemp("", "pakhus-bench-db-")
	if err != nil {
		return nil, err
	}
	db, err := startPostgresIn(ctx, b, dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	db.dir = dir
	return db, nil
}

func startPostgresIn(ctx context.Context, b *bench, dir string) (*postgres, error) {
	owner, err := databaseOwner(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(b.tools.postgres, "initdb"),
		"--pgdata", data, "--username", "bench", "--auth", "trust", "--encoding", "UTF8", "--no-instructions")
	initdb.SysProcAttr, initdb.Dir = owner, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(b.tools.postgres, "postgres"), "-D", data,
		"-c", "listen_addresses=127.0.0.1", "-c", "port="+port, "-c", "unix_socket_directories=",
		"-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on")
	cmd.SysProcAttr, cmd.Dir = owner, dir
	db := &postgres{url: "postgres://bench@" + addr + "/postgres?sslmode=disable"}
	db.running, err = startProcess(ctx, "PostgreSQL", b.dir+"/postgres-server.log", cmd, func(ctx context.Context) error {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return connection.Close()
	})
	return db, err
}

// databaseOwner gives the folder to somebody else when we are root, as whom
// PostgreSQL does not run.
func databaseOwner(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		if account, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr, os.Chown(dir, int(uid), int(gid))); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

// stop asks for a fast shutdown and removes the data.
func (db *postgres) stop() error {
	return errors.Join(db.running.stop(syscall.SIGINT), os.RemoveAll(db.dir))
}
