package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// s3Settings starts an object store on loopback, and names a bucket in it.
func s3Settings(t testing.TB) map[string]string {
	t.Helper()
	gateway, ok := findProgram("versitygw")
	if !ok {
		missing(t, "versitygw", "s3.sh")
	}
	const key, secret = "e2ekey", "e2esecret"
	dir := filepath.Join(t.TempDir(), "s3")
	if err := os.MkdirAll(filepath.Join(dir, "packages"), 0o755); err != nil {
		t.Fatal(err)
	}
	addr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(gateway, "--port", addr, "posix", dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+key, "ROOT_SECRET_KEY="+secret)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // it was killed
	})
	eventually(t, 10*time.Second, func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	return map[string]string{
		"AWS_ACCESS_KEY_ID":     key,
		"AWS_SECRET_ACCESS_KEY": secret,
		"REGISTRY_BUCKET_URL": fmt.Sprintf(
			"s3://packages?endpoint=http://%s&region=us-east-1&use_path_style=true&disable_https=true", addr),
	}
}
