package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// bigGrowth is how much more memory a publish may take, however large it is.
const bigGrowth = 50 << 20

// TestBigPublish publishes a tarball of 500 MB and watches the server's memory.
func TestBigPublish(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is read from /proc")
	}
	// The limit counts the tarball; a little room is left for its other file.
	const size = 500<<20 - 1<<20
	s := serve(t, nil)
	w, err := newWorld(s, "big")
	if err != nil {
		t.Fatal(err)
	}
	caller := newRaw(w.vars["PROJECT"], w.vars["RW"])
	caller.http.Timeout = 5 * time.Minute
	ctx := context.Background()
	small, err := newArtifact("@big/small", "1.0.0", 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := caller.publish(ctx, small); err != nil {
		t.Fatal(err)
	}

	tarball := filepath.Join(t.TempDir(), "big.tgz")
	if err := writeBigTarball(tarball, "@big/lib", "1.0.0", size); err != nil {
		t.Fatal(err)
	}
	body, err := bigDocument(tarball, "@big/lib", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()

	before := s.memory(t, "VmRSS")
	s.resetPeak(t)
	start := time.Now()
	status, answer, err := caller.do(ctx, http.MethodPut, caller.registry+"@big%2flib", body)
	if err != nil || status != http.StatusOK {
		t.Fatalf("publish: %d %s %v", status, answer, err)
	}
	grown := s.memory(t, "VmHWM") - before
	t.Logf("500 MB in %s; memory %d MB, grown by %d MB", time.Since(start).Round(time.Millisecond), before>>20, grown>>20)
	if grown > bigGrowth {
		t.Errorf("memory grew by %d MB, more than %d", grown>>20, bigGrowth>>20)
	}
}

// TestBigPublishNPM does the same with npm, which cannot make a string of a
// tarball above 400 MB. It takes a minute and much of the machine's memory.
func TestBigPublishNPM(t *testing.T) {
	if os.Getenv("REGISTRY_E2E_BIG") == "" {
		t.Skip("takes long: set REGISTRY_E2E_BIG=1")
	}
	npm, ok := findClient("npm11")
	if _, installed := findProgram(npm.name); !ok || !installed {
		missing(t, "npm11", "npm.sh")
	}
	s := serve(t, nil)
	w, err := newWorld(s, "big")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := writePackage(dir, "@big/lib", "1.0.0", map[string]any{}); err != nil {
		t.Fatal(err)
	}
	if err := writeRandom(filepath.Join(dir, "large.bin"), 380<<20); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := (login{registry: w.vars["PROJECT"], token: w.vars["RW"], form: "token"}).write(home, npm); err != nil {
		t.Fatal(err)
	}
	before := s.memory(t, "VmRSS")
	s.resetPeak(t)
	if out, err := npm.run(home, dir, []string{"publish"}); err != nil {
		t.Fatalf("npm publish: %v\n%s", err, out)
	}
	grown := s.memory(t, "VmHWM") - before
	t.Logf("memory %d MB, grown by %d MB", before>>20, grown>>20)
	if grown > bigGrowth {
		t.Errorf("memory grew by %d MB, more than %d", grown>>20, bigGrowth>>20)
	}
}

// memory reads one of the kernel's numbers about the server, in bytes.
func (s *server) memory(t testing.TB, field string) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("the kernel tells no %s", field)
	return 0
}

// resetPeak makes VmHWM count from now.
func (s *server) resetPeak(t testing.TB) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
}

func writeBigTarball(file, name, version string, size int64) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(out, 1<<20)
	if err := writeTarball(buffered, name, version, randomReader(size), size); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return out.Close()
}

func writeRandom(file string, size int64) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, randomReader(size)); err != nil {
		return err
	}
	return out.Close()
}

func randomReader(size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{}), size)
}

// bigDocument is what npm sends, made while it is read.
func bigDocument(tarball, name, version string) (io.ReadCloser, error) {
	info, err := os.Stat(tarball)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(tarball)
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf(`{"_id":%q,"name":%q,"dist-tags":{"latest":%q},"versions":{%q:{"name":%q,"version":%q}},`+
		`"_attachments":{"%s-%s.tgz":{"content_type":"application/octet-stream","length":%d,"data":"`,
		name, name, version, version, name, version, name, version, info.Size())
	reader, writer := io.Pipe()
	go func() {
		encoder := base64.NewEncoder(base64.StdEncoding, writer)
		// A multiple of three, so that the pieces join.
		_, err := io.CopyBuffer(struct{ io.Writer }{encoder}, struct{ io.Reader }{file}, make([]byte, 768<<10))
		if err == nil {
			err = encoder.Close()
		}
		writer.CloseWithError(err)
		file.Close()
	}()
	return readCloser{io.MultiReader(strings.NewReader(head), reader, bytes.NewReader([]byte(`"}}}`))), reader}, nil
}

// readCloser reads from one and closes another.
type readCloser struct {
	io.Reader
	io.Closer
}
