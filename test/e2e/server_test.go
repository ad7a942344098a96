package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is a `registry serve` of its own process, with its settings.
type server struct {
	dir      string            // data folder
	settings map[string]string // REGISTRY_* variables, for serve and for commands
	addr     string            // host:port
	front    string            // URL of what stands before it, when something does
	binary   string
	reserved net.Listener        // keeps the port until the first start
	hosts    map[string]ownHosts // by world

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended; exit is set then
	exit error
}

// newServer prepares a server with a data folder and a free port; more
// settings may name another database or bucket.
func newServer(dir string, settings map[string]string) (*server, error) {
	binary, err := registryBinary()
	if err != nil {
		return nil, err
	}
	// What else listens before the start, such as a proxy, must not get the port.
	reserved, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := reserved.Addr().String()
	s := &server{dir: dir, addr: addr, binary: binary, reserved: reserved, settings: map[string]string{
		"REGISTRY_LISTEN":     addr,
		"REGISTRY_DATA_DIR":   dir,
		"REGISTRY_LOG_FORMAT": "json",
	}}
	for key, value := range settings {
		s.settings[key] = value
	}
	return s, os.MkdirAll(dir, 0o755)
}

// serve prepares and starts a server that stops with the test.
func serve(t testing.TB, settings map[string]string) *server {
	t.Helper()
	s := prepare(t, settings)
	s.startFor(t)
	return s
}

// prepare is newServer with a data folder of the test.
func prepare(t testing.TB, settings map[string]string) *server {
	t.Helper()
	s, err := newServer(filepath.Join(t.TempDir(), "data"), settings)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// startFor starts a server that stops with the test.
func (s *server) startFor(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("end of the server's log:\n%s", s.logTail(4000))
		}
	})
}

// freeAddr finds a port that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// url is where clients find the server.
func (s *server) url() string {
	if s.front != "" {
		return s.front
	}
	return s.address()
}

// address is the server's own URL.
func (s *server) address() string {
	if s.settings["REGISTRY_TLS_CERT"] != "" {
		return "https://" + s.addr
	}
	return "http://" + s.addr
}

func (s *server) logFile() string { return s.dir + ".log" }

// environ is all that the registry's processes see of an environment.
func (s *server) environ() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir}
	for key, value := range s.settings {
		env = append(env, key+"="+value)
	}
	return env
}

// start runs the server and returns when it answers.
func (s *server) start() error {
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	if s.reserved != nil {
		if err := s.reserved.Close(); err != nil {
			return err
		}
		s.reserved = nil
	}
	s.cmd = exec.Command(s.binary, "serve")
	s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = s.environ(), log, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	s.done = done
	go func() {
		s.exit = s.cmd.Wait()
		close(done)
	}()
	return s.awaitReady()
}

// awaitReady asks for readiness until it is there, the process ends, or half a
// minute is over.
func (s *server) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	// Whether the certificate is trusted is the clients' part.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address()+"/-/readiness", nil)
		if err != nil {
			return err
		}
		if res, err := client.Do(req); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.done:
			return fmt.Errorf("the server ended at once: %w", errors.Join(s.exit, errors.New(s.logTail(4000))))
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the server is not ready after 30 s\n%s", s.logTail(4000)), s.kill())
		case <-tick.C:
		}
	}
}

// stop asks the server to end and waits; a server that does not end well, or
// not within 30 s, is an error.
func (s *server) stop() error {
	if s.cmd == nil {
		return nil
	}
	cmd := s.cmd
	s.cmd = nil
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.done:
		if s.exit != nil {
			return fmt.Errorf("the server ended with %w\n%s", s.exit, s.logTail(4000))
		}
		return nil
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("the server did not stop within 30 s"), cmd.Process.Kill())
	}
}

// kill ends the server as a crash does.
func (s *server) kill() error {
	if s.cmd == nil {
		return nil
	}
	cmd := s.cmd
	s.cmd = nil
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.done
	return nil
}

// logTail gives the end of what the server logged.
func (s *server) logTail(limit int) string {
	log, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	if len(log) > limit {
		log = log[len(log)-limit:]
	}
	return string(log)
}

// command runs one of the registry's commands and gives its standard output.
func (s *server) command(args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.binary, args...)
	cmd.Env = s.environ()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("registry %q: %w\n%s%s", args, err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.Bytes(), nil
}

// created is what the commands print about a thing that they made.
type created struct {
	ID       int64  `json:"id"`
	Token    string `json:"token"`
	Username string `json:"username"`
}

// create runs a command that makes something.
func (s *server) create(args ...string) (created, error) {
	out, err := s.command(append(args, "-o", "json")...)
	if err != nil {
		return created{}, err
	}
	var made created
	if err := json.Unmarshal(out, &made); err != nil {
		return created{}, fmt.Errorf("registry %q printed no JSON object: %w\n%s", args, err, out)
	}
	return made, nil
}

// shared is the server with the default database and bucket that the client
// scripts share.
var shared struct {
	sync.Mutex
	server *server
}

// sharedServer gives that server, started when it is asked for the first time.
func sharedServer(t testing.TB) *server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		return shared.server
	}
	s, err := newServer(filepath.Join(scratch, "shared"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.giveHosts(clientNames()); err != nil {
		t.Fatal(err)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	shared.server = s
	return s
}

// stopShared stops it at the end of all tests.
func stopShared() error {
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return nil
	}
	return shared.server.stop()
}
