package blob_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pakhus/internal/blob"
	"pakhus/internal/registry"
	"pakhus/internal/registry/registrytest"
)

// s3Server runs a real S3 server over a temporary folder and gives the
// parameters for its buckets, and a function that makes one.
func s3Server(t *testing.T) (newBucket func(t *testing.T) (url string)) {
	t.Helper()
	program := s3Program(t)
	dir := t.TempDir()
	t.Setenv("AWS_ACCESS_KEY_ID", "test-access")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
	address := startS3(t, program, dir)
	return func(t *testing.T) string {
		t.Helper()
		name := "b" + strings.ToLower(rand.Text())[:20]
		// The server takes every folder for a bucket.
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		return s3URL(name, address)
	}
}

func s3URL(bucket, address string) string {
	return "s3://" + bucket + "?endpoint=http://" + address + "&use_path_style=true&region=us-east-1"
}

// s3Program finds versitygw, which test/clients/s3.sh installs.
func s3Program(t *testing.T) string {
	t.Helper()
	if program, err := exec.LookPath("versitygw"); err == nil {
		return program
	}
	dir := os.Getenv("CLIENTS_DIR")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(cache, "pakhus-clients")
	}
	program := filepath.Join(dir, "bin", "versitygw")
	if _, err := os.Stat(program); err != nil {
		const missing = "no S3 server to test with: run test/clients/s3.sh"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return program
}

// startS3 starts the server and waits until it answers.
func startS3(t *testing.T, program, dir string) (address string) {
	t.Helper()
	for range 5 { // another process may take the port in between
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address = listener.Addr().String()
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "--port", address, "--access", "test-access", "--secret", "test-secret", "--health", "/health", "posix", dir)
		output, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if answers(output, address) {
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait() // killed, as it says
			})
			return address
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Fatal("the S3 server does not start")
	return ""
}

// answers reads the server's greeting, which it prints before it listens, and
// then asks until it answers or ends.
func answers(output io.Reader, address string) bool {
	ended := make(chan struct{})
	greeted := make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(output)
		if lines.Scan() {
			close(greeted)
		}
		for lines.Scan() {
		}
	}()
	select {
	case <-greeted:
	case <-ended:
		return false
	}
	deadline := time.After(20 * time.Second)
	for {
		res, err := http.Get("http://" + address + "/health")
		if err == nil {
			_ = res.Body.Close()
			return true
		}
		select {
		case <-ended:
			return false
		case <-deadline:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestS3(t *testing.T) {
	newBucket := s3Server(t)
	registrytest.TestBlobs(t, func(t *testing.T) registry.Blobs {
		return openBucket(t, blob.Options{URL: newBucket(t)})
	})
	t.Run("memory", func(t *testing.T) { testS3Memory(t, newBucket(t)) })
	t.Run("absent bucket", func(t *testing.T) {
		b := openBucket(t, blob.Options{URL: strings.Replace(newBucket(t), "s3://", "s3://absent-", 1)})
		if err := b.Check(t.Context()); registry.KindOf(err) != registry.Unavailable {
			t.Errorf("Check: %v, want Unavailable", err)
		}
		if err := b.Write(t.Context(), newKey(), strings.NewReader("x"), 1); registry.KindOf(err) != registry.Unavailable {
			t.Errorf("Write: %v, want Unavailable", err)
		}
	})
}

// An upload holds some parts of the body, never all of it.
func testS3Memory(t *testing.T, url string) {
	b := openBucket(t, blob.Options{URL: url})
	const size, bound = 128 << 20, 64 << 20
	var peak uint64
	body := &sampled{Reader: io.LimitReader(zeros{}, size), each: 4 << 20, peak: &peak}
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	if err := b.Write(t.Context(), newKey(), body, size); err != nil {
		t.Fatal(err)
	}
	t.Logf("a body of %d MiB took %d MiB at most", size>>20, (peak-before.HeapAlloc)>>20)
	if peak-before.HeapAlloc > bound {
		t.Errorf("a body of %d bytes took %d bytes of memory, want at most %d", size, peak-before.HeapAlloc, bound)
	}
}

// sampled looks at the memory in use whenever some bytes were read.
type sampled struct {
	io.Reader
	each, since int
	peak        *uint64
}

func (s *sampled) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if s.since += n; s.since >= s.each {
		s.since = 0
		var now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&now)
		*s.peak = max(*s.peak, now.HeapAlloc)
	}
	return n, err
}

// hungS3 is a store that takes connections and answers nothing, but for the
// attributes of a blob of 1000 bytes and the first bytes of it.
func hungS3(t *testing.T) (address string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body) // or the client's leaving goes unnoticed
		w.Header().Set("Content-Length", "1000")
		w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
		switch {
		case r.Method == http.MethodHead && strings.Contains(r.URL.Path, "sha256/00/"):
			return
		case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "sha256/00/"):
			fmt.Fprint(w, "begin")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	t.Setenv("AWS_ACCESS_KEY_ID", "test-access")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
	return server.Listener.Addr().String(), asked
}

// A store that hangs must hold up no request for ever, and the end of a request
// must end what waits for the store.
func TestRemoteStalls(t *testing.T) {
	address, _ := hungS3(t)
	key := newKey()
	open := "sha256/00/" + strings.Repeat("0", 64) + key[len(key)-17:]
	for _, tt := range []struct {
		name string
		call func(context.Context, *blob.Bucket) error
	}{
		{"write", func(ctx context.Context, b *blob.Bucket) error {
			return b.Write(ctx, key, strings.NewReader("x"), 1)
		}},
		{"open", func(ctx context.Context, b *blob.Bucket) error { _, err := b.Open(ctx, key); return err }},
		{"delete", func(ctx context.Context, b *blob.Bucket) error { return b.Delete(ctx, key) }},
		{"check", func(ctx context.Context, b *blob.Bucket) error { return b.Check(ctx) }},
		{"list", func(ctx context.Context, b *blob.Bucket) error {
			return b.List(ctx, "", func(registry.BlobInfo) error { return nil })
		}},
		{"read", func(ctx context.Context, b *blob.Bucket) error {
			c, err := b.Open(ctx, open)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			got, err := io.ReadAll(c)
			if string(got) != "begin" {
				t.Errorf("read %q", got)
			}
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := openBucket(t, blob.Options{URL: s3URL("bucket", address), Stall: 200 * time.Millisecond})
			if err := tt.call(t.Context(), b); registry.KindOf(err) != registry.Unavailable || err == nil {
				t.Errorf("stalled: %v, want Unavailable", err)
			}
			b = openBucket(t, blob.Options{URL: s3URL("bucket", address), Stall: time.Second})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			if err := tt.call(ctx, b); registry.KindOf(err) != registry.Canceled {
				t.Errorf("cancelled: %v, want Canceled", err)
			}
		})
	}
}

// HEAD and conditional requests need a blob's size only.
func TestRemoteReadsLazily(t *testing.T) {
	address, asked := hungS3(t)
	b := openBucket(t, blob.Options{URL: s3URL("bucket", address)})
	c, err := b.Open(t.Context(), "sha256/00/"+strings.Repeat("0", 64)+"-0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []int{io.SeekEnd, io.SeekStart} {
		if _, err := c.Seek(0, from); err != nil {
			t.Fatal(err)
		}
	}
	if got := asked.Load(); c.Size() != 1000 || got != 1 {
		t.Errorf("Size() = %d after %d requests; want 1000 after 1", c.Size(), got)
	}
	if _, err := io.ReadFull(c, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	if got := asked.Load(); got != 2 {
		t.Errorf("two reads in a row took %d requests, want 1", got-1)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}
