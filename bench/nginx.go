package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// nginx serves the files of a folder as fast as it can: that is what the
// registry is compared with.
type nginx struct {
	addr    string
	root    string
	running *process
}

// nginxConfig has one worker a core, sendfile, a cache of open files, and no
// access log. What it cannot know of a file is told by its folder: documents
// are JSON, those below gzip/ are compressed already.
func nginxConfig(dir, addr string, root bool) string {
	user := ""
	if root {
		user = "user root;" // else the workers could not read the temporary folder
	}
	temporary := &strings.Builder{}
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(temporary, "%s_temp_path %s/%s;\n", kind, dir, kind)
	}
	return fmt.Sprintf(`%s
daemon off;
worker_processes auto;
pid %s/pid;
error_log stderr error;
events { worker_connections 1024; }
http {
%s
access_log off;
sendfile on;
tcp_nopush on;
keepalive_requests 1000000000;
open_file_cache max=100 inactive=10m;
open_file_cache_valid 10m;
server {
listen %s;
root %s/files;
location /json/ { default_type application/json; }
location /gzip/ { default_type application/json; add_header Content-Encoding gzip; add_header Vary "Accept, Accept-Encoding"; }
}
}
`, user, dir, temporary, addr, dir)
}

func startNginx(ctx context.Context, b *bench) (*nginx, error) {
	dir := filepath.Join(b.dir, "nginx")
	n := &nginx{root: filepath.Join(dir, "files")}
	for _, folder := range []string{"json", "gzip", "file"} {
		if err := os.MkdirAll(filepath.Join(n.root, folder), 0o755); err != nil {
			return nil, err
		}
	}
	var err error
	if n.addr, err = freeAddr(); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, []byte(nginxConfig(dir, n.addr, os.Geteuid() == 0)), 0o644); err != nil {
		return nil, err
	}
	if err := n.put("file/ready", []byte("ready")); err != nil {
		return nil, err
	}
	cmd := exec.Command(b.tools.nginx, "-e", "stderr", "-c", config)
	n.running, err = startProcess(ctx, "nginx", dir+".log", cmd, func(ctx context.Context) error {
		return get(ctx, n.url("file/ready"), nil, io.Discard)
	})
	return n, err
}

func (n *nginx) stop() error { return n.running.stop(syscall.SIGQUIT) }

func (n *nginx) url(name string) string { return "http://" + n.addr + "/" + name }

func (n *nginx) put(name string, content []byte) error {
	return os.WriteFile(filepath.Join(n.root, name), content, 0o644)
}
