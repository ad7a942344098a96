package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// tools are the programs beside our own.
type tools struct {
	wrk, nginx string
	postgres   string // folder of PostgreSQL's programs; empty when there are none
}

func findTools() (tools, error) {
	var t tools
	var wrkErr, nginxErr error
	t.wrk, wrkErr = find("wrk")
	t.nginx, nginxErr = find("nginx")
	if err := errors.Join(wrkErr, nginxErr); err != nil {
		return t, fmt.Errorf("%w: run test/clients/load.sh", err)
	}
	// initdb is what Debian keeps off PATH; the server lies beside it.
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if initdb, err = filepath.EvalSymlinks(initdb); err == nil {
			t.postgres = filepath.Dir(initdb)
		}
	} else if found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); err == nil && len(found) > 0 {
		t.postgres = filepath.Dir(found[len(found)-1])
	}
	return t, nil
}

// find looks on PATH and where Debian keeps servers.
func find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		if path, sbin := exec.LookPath("/usr/sbin/" + name); sbin == nil {
			return path, nil
		}
	}
	return path, err
}

// build makes the registry as releases are made. The tag leaves out what Google's
// storage client links for gRPC, which gocloud does not use: 13 MB of program,
// and as much of idle memory.
func build(ctx context.Context, dir string) (string, error) {
	progress("build")
	binary := filepath.Join(dir, "registry")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags=disable_grpc_modules", "-ldflags=-s -w", "-o", binary, "pakhus/cmd/registry")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the registry: %w\n%s", err, out)
	}
	return binary, nil
}
