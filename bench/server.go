package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// server is the registry, started as its operators start it.
type server struct {
	binary   string
	dir      string            // data folder
	settings map[string]string // REGISTRY_* variables
	addr     string
	aside    string // address of metrics and profiles
	running  *process
}

// newServer prepares a server. Its log goes to a file at the default level, so
// every request writes its line, which nginx is spared.
func newServer(b *bench, dir string, settings map[string]string) (*server, error) {
	s := &server{binary: b.binary, dir: dir}
	for _, addr := range []*string{&s.addr, &s.aside} {
		var err error
		if *addr, err = freeAddr(); err != nil {
			return nil, err
		}
	}
	s.settings = map[string]string{
		"REGISTRY_LISTEN":         s.addr,
		"REGISTRY_METRICS_LISTEN": s.aside,
		"REGISTRY_DATA_DIR":       dir,
		"REGISTRY_LOG_FORMAT":     "json",
		"REGISTRY_MAX_UPLOAD_NPM": fmt.Sprint(b.upload + 64<<20),
	}
	for key, value := range settings {
		s.settings[key] = value
	}
	return s, os.MkdirAll(dir, 0o755)
}

func (s *server) environ() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir}
	for key, value := range s.settings {
		env = append(env, key+"="+value)
	}
	return env
}

// start returns when the server is ready.
func (s *server) start(ctx context.Context) error {
	cmd := exec.Command(s.binary, "serve")
	cmd.Env = s.environ()
	var err error
	s.running, err = startProcess(ctx, "the registry", s.dir+".log", cmd, func(ctx context.Context) error {
		return get(ctx, "http://"+s.addr+"/-/readiness", nil, io.Discard)
	})
	return err
}

func (s *server) stop() error {
	if s.running == nil {
		return nil
	}
	p := s.running
	s.running = nil
	return p.stop(syscall.SIGTERM)
}

// restart gives a process that remembers nothing.
func (s *server) restart(ctx context.Context) error {
	if err := s.stop(); err != nil {
		return err
	}
	return s.start(ctx)
}

// created is what the registry's commands print about a thing that they made.
type created struct {
	ID       int64  `json:"id"`
	Token    string `json:"token"`
	Username string `json:"username"`
}

// create runs a command that makes something.
func (s *server) create(ctx context.Context, args ...string) (created, error) {
	cmd := exec.CommandContext(ctx, s.binary, append(args, "-o", "json")...)
	cmd.Env = s.environ()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var made created
	if err := cmd.Run(); err != nil {
		return made, fmt.Errorf("registry %q: %w\n%s", args, err, stderr.Bytes())
	}
	if err := json.Unmarshal(stdout.Bytes(), &made); err != nil {
		return made, fmt.Errorf("registry %q printed no JSON object: %w", args, err)
	}
	return made, nil
}

// profile writes a CPU profile of the coming time to a file.
func (s *server) profile(ctx context.Context, file string, d time.Duration) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	seconds := max(1, int(d/time.Second))
	if err := get(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.aside, seconds), nil, out); err != nil {
		return err
	}
	return out.Close()
}

// get copies the body of a 200 answer to w.
func get(ctx context.Context, url string, header http.Header, w io.Writer) error {
	res, err := open(ctx, http.DefaultClient, url, header)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(w, res.Body)
	return err
}

// open sends a GET; any answer but 200 is an error.
func open(ctx context.Context, client *http.Client, url string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(io.LimitReader(res.Body, 500)) // for the text only
		res.Body.Close()
		return nil, fmt.Errorf("GET %s: %s\n%s", url, res.Status, answer)
	}
	return res, nil
}
