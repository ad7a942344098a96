package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// server is a PostgreSQL that this process started.
type server struct {
	url     string
	folder  string
	process *exec.Cmd
	exited  chan struct{}
}

// programs finds the folder of PostgreSQL's programs: Debian keeps them out of
// PATH.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("initdb is neither in PATH nor below /usr/lib/postgresql; on Debian: apt-get install postgresql")
	}
	return filepath.Dir(slices.Max(found)), nil
}

// start makes a database cluster in a temporary folder and runs a server on it.
// Only a durable one waits for the disk.
func start(durable bool) (*server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	// Not t.TempDir: the path of a Unix socket has room for about 100 bytes.
	folder, err := os.MkdirTemp("", "pg")
	if err != nil {
		return nil, err
	}
	s := &server{folder: folder, exited: make(chan struct{})}
	if err := s.launch(bin, durable); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err := s.await(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *server) launch(bin string, durable bool) error {
	attributes, err := s.unprivileged()
	if err != nil {
		return err
	}
	data := filepath.Join(s.folder, "data")
	initialise := exec.Command(filepath.Join(bin, "initdb"),
		"-D", data, "-U", "registry", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
	initialise.SysProcAttr, initialise.Dir = attributes, s.folder
	if out, err := initialise.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	settings := []string{"-D", data, "-p", port, "-k", s.folder, "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"}
	if !durable { // what makes and drops many small databases fastest
		settings = append(settings, "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off",
			"-c", "shared_buffers=16MB", "-c", "wal_level=minimal", "-c", "max_wal_senders=0")
	}
	s.process = exec.Command(filepath.Join(bin, "postgres"), settings...)
	s.process.SysProcAttr, s.process.Dir = attributes, s.folder
	s.process.Stderr = &bytes.Buffer{}
	s.url = (&url.URL{Scheme: "postgres", User: url.User("registry"), Host: "127.0.0.1:" + port, Path: "/postgres"}).String()
	started := make(chan error)
	go func() {
		// The kernel ends the server when the thread that started it ends, so
		// that a panic of the tests does not leave it behind.
		runtime.LockOSThread()
		defer close(s.exited)
		err := s.process.Start()
		started <- err
		if err == nil {
			_ = s.process.Wait() // stop made it end, or await tells its log
		}
	}()
	return <-started
}

// unprivileged gives the attributes under which PostgreSQL agrees to run: not
// as root. The folder is made the property of that user.
func (s *server) unprivileged() (*syscall.SysProcAttr, error) {
	attributes := dieWithParent()
	if os.Getuid() != 0 {
		return attributes, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attributes, os.Chown(s.folder, int(uid), int(gid))
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// await returns when the server answers.
func (s *server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.url)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-s.exited:
			return fmt.Errorf("postgres ended: %s", s.process.Stderr)
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer: %w", err)
		}
	}
}

// stop ends the server at once: its data are thrown away.
func (s *server) stop() {
	_ = s.process.Process.Signal(syscall.SIGQUIT) // it may have ended by itself
	<-s.exited
	_ = os.RemoveAll(s.folder) // a folder left in the temporary files does no harm
}
