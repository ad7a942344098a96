package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pakhus/internal/config"
)

// runCommand runs a command on a data folder and gives what it printed.
func runCommand(t *testing.T, dir string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	status = execute(t.Context(), args, []string{"REGISTRY_DATA_DIR=" + dir}, streams{strings.NewReader(""), &out, &problems})
	return status, out.String(), problems.String()
}

func TestExitStatus(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name   string
		args   []string
		status int
		stderr string // part of it
	}{
		{"help", []string{"--help"}, exitDone, ""},
		{"version", []string{"version"}, exitDone, ""},
		{"no command", nil, exitWrong, "registry: expected one of"},
		{"unknown command", []string{"sell"}, exitWrong, "unexpected argument sell"},
		{"unknown flag", []string{"version", "--colour"}, exitWrong, "unknown flag --colour"},
		{"unknown form", []string{"version", "-o", "xml"}, exitWrong, "must be one of"},
		{"bad settings", []string{"config", "--listen=x", "--cache-size=y"}, exitWrong, "registry: listen: is not host:port (flag)\nregistry: cache_size: "},
		{"address that is not ours", []string{"serve", "--listen=192.0.2.1:1", "--external-url=https://example.test"}, exitFailed, "registry: listen tcp"},
		{"no certificate", []string{"serve", "--tls-cert=/nowhere", "--tls-key=/nowhere"}, exitFailed, "load certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, _, stderr := runCommand(t, dir, tt.args...)
			if status != tt.status || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("got %d and %q, want %d and %q", status, stderr, tt.status, tt.stderr)
			}
		})
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("something was made before all was checked: %v %v", entries, err)
	}
}

func TestVersion(t *testing.T) {
	_, stdout, _ := runCommand(t, t.TempDir(), "version", "-o", "json")
	var v programInfo
	if err := json.Unmarshal([]byte(stdout), &v); err != nil || v.Version == "" || v.Go == "" || v.Revision == "" {
		t.Errorf("got %q, %v", stdout, err)
	}
}

// Every setting has a flag but the key, which arguments would show to everybody
// on the machine.
func TestEverySettingHasAFlag(t *testing.T) {
	c, err := config.Load(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, help, _ := runCommand(t, t.TempDir(), "--help")
	for _, s := range c.Settings() {
		flag := "--" + strings.ReplaceAll(s.Key, "_", "-") + "="
		if strings.Contains(help, flag) != (s.Key != "secret_key") {
			t.Errorf("%s: in the help is wrong", flag)
		}
	}
}

func TestConfig(t *testing.T) {
	dir := t.TempDir()
	status, stdout, stderr := runCommand(t, dir, "config", "-o", "json", "--log-level=debug", "--bucket-url=mem://")
	var settings []config.Setting
	if err := json.Unmarshal([]byte(stdout), &settings); err != nil || status != exitDone {
		t.Fatalf("%d %v: %s%s", status, err, stdout, stderr)
	}
	found := map[string]string{}
	for _, s := range settings {
		found[s.Key] = s.Value + " from " + s.Source
	}
	if found["log_level"] != "debug from flag" || found["data_dir"] != dir+" from variable REGISTRY_DATA_DIR" {
		t.Errorf("got %v", found)
	}
	if !strings.Contains(stderr, "warning: bucket_url is mem") {
		t.Errorf("no warning in %q", stderr)
	}
}

func TestMigrate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	for range 2 {
		status, stdout, stderr := runCommand(t, dir, "migrate", "-o", "json")
		if status != exitDone || !strings.HasPrefix(stdout, `{"schema":`) || strings.HasPrefix(stdout, `{"schema":0`) {
			t.Fatalf("%d %q %q", status, stdout, stderr)
		}
	}
}

// running is a server in this process.
type running struct {
	url    string
	stdout *bytes.Buffer
	stop   func() (status int, log string)
}

// serveHere runs the server until stop, and waits until it says that it serves.
func serveHere(t *testing.T, dir string) running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	logs, write := io.Pipe()
	stdout, log, status := &bytes.Buffer{}, &bytes.Buffer{}, make(chan int, 1)
	environ := []string{"REGISTRY_DATA_DIR=" + dir, "REGISTRY_LISTEN=127.0.0.1:0"}
	go func() {
		code := execute(ctx, []string{"serve"}, environ, streams{strings.NewReader(""), stdout, write})
		write.Close()
		status <- code
	}()
	part, url := make([]byte, 4096), ""
	for url == "" {
		n, err := logs.Read(part)
		log.Write(part[:n])
		if m := regexp.MustCompile(`"external_url":"([^"]+)"`).FindStringSubmatch(log.String()); m != nil {
			url = m[1]
		}
		if err != nil {
			cancel()
			t.Fatalf("the server ended with %d: %s", <-status, log)
		}
	}
	rest := make(chan struct{})
	go func() { defer close(rest); _, _ = io.Copy(log, logs) }()
	return running{url, stdout, func() (int, string) {
		cancel()
		code := <-status
		<-rest
		return code, log.String()
	}}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// The first start makes the administrator and shows the password once, and not
// in the log (threats.md O4); the second start does neither.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	for start := range 2 {
		s := serveHere(t, dir)
		if status, body := get(t, s.url+"/-/readiness"); status != 200 {
			t.Errorf("not ready: %d %s", status, body)
		}
		if status, body := get(t, s.url+"/metrics"); status != 200 || !strings.Contains(body, "registry_spool_used_bytes 0") {
			t.Errorf("metrics: %d", status)
		}
		if status, body := get(t, s.url+"/api/v4/nothing"); status != 404 || !strings.Contains(body, "404 Not Found") {
			t.Errorf("got %d %s", status, body)
		}
		code, log := s.stop()
		if code != exitDone || !strings.Contains(log, `"msg":"stopped"`) {
			t.Errorf("ended with %d: %s", code, log)
		}
		shown := regexp.MustCompile(`has the password (\S+)`).FindStringSubmatch(s.stdout.String())
		if (shown != nil) != (start == 0) {
			t.Errorf("start %d printed %q", start, s.stdout)
		}
		if shown != nil && strings.Contains(log, shown[1]) {
			t.Error("the password is in the log")
		}
	}
	for _, name := range []string{"secret.key", "registry.db"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", name, fmt.Sprint(info, err))
		}
	}
}
