package blob_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/blob"
	"pakhus/internal/registry"
)

// tree lists the files below dir, directories left out.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	names := []string{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			rel, _ := filepath.Rel(dir, name)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestFolderLayout(t *testing.T) {
	dir := t.TempDir()
	b := openBucket(t, blob.Options{URL: fileURL(dir) + "?create_dir=1&metadata=skip&no_tmp_dir=1"})
	key := newKey()
	if err := b.Write(t.Context(), key, strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{key}, tree(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(key)))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		t.Errorf("mode %v: others can read packages", info.Mode())
	}
}

func TestFolderGivesFile(t *testing.T) {
	b := openBucket(t, blob.Options{URL: fileURL(t.TempDir())})
	key := newKey()
	if err := b.Write(t.Context(), key, strings.NewReader("bytes"), 5); err != nil {
		t.Fatal(err)
	}
	c, err := b.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	local, ok := c.(registry.LocalContent)
	if !ok {
		t.Fatalf("content is %T, want a LocalContent", c)
	}
	if got, err := io.ReadAll(local.File()); err != nil || string(got) != "bytes" {
		t.Errorf("file holds %q, %v", got, err)
	}
}

// syncs records what becomes durable, and what the folder held then.
type syncs struct {
	mu    sync.Mutex
	dir   string
	names []string
}

func (s *syncs) add(f *os.File) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, err := filepath.Rel(s.dir, filepath.Join(s.dir, strings.TrimPrefix(f.Name(), s.dir)))
	s.names = append(s.names, filepath.ToSlash(name))
	return err
}

// A power cut after Write returned must lose neither the bytes nor a name on the
// way to them: the file is made durable, then every directory that got an entry.
func TestFolderDurable(t *testing.T) {
	dir := t.TempDir()
	open := func() (*blob.Bucket, *syncs) {
		b, s := openBucket(t, blob.Options{URL: fileURL(dir)}), &syncs{dir: dir}
		blob.OnSync(b, s.add)
		return b, s
	}
	write := func(b *blob.Bucket, key string) {
		if err := b.Write(t.Context(), key, strings.NewReader("x"), 1); err != nil {
			t.Fatal(err)
		}
	}
	key := newKey()
	leaf := path.Dir(key)

	b, s := open()
	write(b, key)
	if len(s.names) == 0 || !strings.HasPrefix(s.names[0], "tmp/") {
		t.Fatalf("made durable: %v; want the file first", s.names)
	}
	if diff := cmp.Diff([]string{".", path.Dir(leaf), leaf}, s.names[1:]); diff != "" {
		t.Errorf("directories made durable (-want +got):\n%s", diff)
	}

	s.names = nil
	write(b, key[:len(key)-1]+"x")
	if diff := cmp.Diff([]string{leaf}, s.names[1:]); diff != "" {
		t.Errorf("directories made durable by a second write (-want +got):\n%s", diff)
	}

	// Another process cannot know whether the one that made a directory got as
	// far as making it durable.
	b, s = open()
	write(b, key[:len(key)-1]+"y")
	if diff := cmp.Diff([]string{".", path.Dir(leaf), leaf}, s.names[1:]); diff != "" {
		t.Errorf("directories made durable by another process (-want +got):\n%s", diff)
	}
}

// Whatever cannot be made durable is not acknowledged and not visible.
func TestFolderDiskFails(t *testing.T) {
	for failing := range 4 { // the file and three folders
		dir := t.TempDir()
		b := openBucket(t, blob.Options{URL: fileURL(dir)})
		calls := 0
		blob.OnSync(b, func(*os.File) error {
			calls++
			if calls == failing+1 {
				return syscall.ENOSPC
			}
			return nil
		})
		key := newKey()
		err := b.Write(t.Context(), key, strings.NewReader("x"), 1)
		if registry.KindOf(err) != registry.Unavailable || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("sync %d fails: %v, want Unavailable", failing, err)
		}
		if strings.Contains(registry.Message(err), dir) {
			t.Errorf("sync %d: the client would read the path: %q", failing, registry.Message(err))
		}
		if got := tree(t, dir); len(got) > 0 {
			t.Errorf("sync %d fails: %v left", failing, got)
		}
		if err := b.Write(t.Context(), key, strings.NewReader("x"), 1); err != nil {
			t.Errorf("sync %d failed, then the disk is well again: %v", failing, err)
		}
	}
}

func TestFolderOutlivesTidying(t *testing.T) {
	dir := t.TempDir()
	b := openBucket(t, blob.Options{URL: fileURL(dir)})
	key := newKey()
	for range 2 {
		if err := b.Write(t.Context(), key, strings.NewReader("x"), 1); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(dir, "sha256")); err != nil { // as find -empty -delete does
			t.Fatal(err)
		}
	}
}

func TestFolderCleansLeftovers(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for name, age := range map[string]time.Duration{"old": 25 * time.Hour, "new": 23 * time.Hour} {
		name := filepath.Join(dir, "tmp", name)
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	openBucket(t, blob.Options{URL: fileURL(dir)})
	if diff := cmp.Diff([]string{"tmp/new"}, tree(t, dir)); diff != "" {
		t.Errorf("files left (-want +got):\n%s", diff)
	}
}

// Somebody who can plant a symbolic link in the bucket's folder must neither
// read nor change what lies outside (threat P6).
func TestFolderSymlinks(t *testing.T) {
	key := newKey()
	for _, planted := range []string{"sha256", path.Dir(path.Dir(key)), path.Dir(key), key} {
		t.Run(planted, func(t *testing.T) {
			outside, dir := t.TempDir(), t.TempDir()
			rest := strings.TrimPrefix(strings.TrimPrefix(key, planted), "/")
			secret := filepath.Join(outside, filepath.FromSlash(rest))
			target := outside
			if rest == "" {
				secret = filepath.Join(outside, "secret")
				target = secret
			}
			mustWrite(t, secret, "secret")
			link := filepath.Join(dir, filepath.FromSlash(planted))
			if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, link); err != nil {
				t.Skipf("this system makes no symbolic links: %v", err)
			}

			b := openBucket(t, blob.Options{URL: fileURL(dir)})
			if c, err := b.Open(t.Context(), key); registry.KindOf(err) != registry.Unavailable {
				t.Errorf("Open: %v, %v; want Unavailable", c, err)
			}
			err := b.List(t.Context(), "", func(info registry.BlobInfo) error {
				t.Errorf("listed: %v", info)
				return nil
			})
			if failed := registry.KindOf(err) == registry.Unavailable; failed != (planted == "sha256") {
				t.Errorf("List: %v", err)
			}
			// A link in the place of the file itself is replaced or removed, never
			// followed; one on the way to it stops both.
			writeErr := b.Write(t.Context(), key, strings.NewReader("new"), 3)
			deleteErr := b.Delete(t.Context(), key)
			if failed := writeErr != nil && deleteErr != nil; failed != (planted != key) {
				t.Errorf("Write: %v, Delete: %v", writeErr, deleteErr)
			}
			if got, err := os.ReadFile(secret); err != nil || string(got) != "secret" {
				t.Errorf("outside: %q, %v; want it untouched", got, err)
			}
			if got := tree(t, outside); len(got) != 1 {
				t.Errorf("outside: %v; want no other file", got)
			}
		})
	}
}

func mustWrite(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFolderSymlinkForTemporaryFiles(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "tmp")); err != nil {
		t.Skipf("this system makes no symbolic links: %v", err)
	}
	if b, err := blob.Open(t.Context(), blob.Options{URL: fileURL(dir)}); registry.KindOf(err) != registry.Unavailable {
		t.Errorf("Open: %v, %v; want Unavailable", b, err)
	}
}

func TestFolderIgnoresStrangers(t *testing.T) {
	dir := t.TempDir()
	b := openBucket(t, blob.Options{URL: fileURL(dir)})
	key := newKey()
	for _, name := range []string{"README", "sha256/README", path.Dir(key) + "/x", key + ".attrs", "tmp/half"} {
		mustWrite(t, filepath.Join(dir, filepath.FromSlash(name)), "x")
	}
	if err := os.Mkdir(filepath.Join(dir, filepath.FromSlash(key)), 0o700); err != nil {
		t.Fatal(err)
	}
	err := b.List(t.Context(), "", func(info registry.BlobInfo) error {
		t.Errorf("listed: %v", info)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := b.Open(t.Context(), key); registry.KindOf(err) != registry.Unavailable {
		t.Errorf("a folder in the place of a blob: %v, want Unavailable", err)
	}
}

func TestFolderCheckFindsReplacedFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	b := openBucket(t, blob.Options{URL: fileURL(dir)})
	if err := b.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Skipf("this system does not rename an open folder: %v", err)
	}
	if err := b.Check(t.Context()); registry.KindOf(err) != registry.Unavailable {
		t.Errorf("absent folder: %v, want Unavailable", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := b.Check(t.Context()); registry.KindOf(err) != registry.Unavailable {
		t.Errorf("another folder of this name, as when a disk is unmounted: %v, want Unavailable", err)
	}
}

// A body passes through: the memory it takes does not depend on its size.
func TestFolderMemory(t *testing.T) {
	b := openBucket(t, blob.Options{URL: fileURL(t.TempDir())})
	const size = 20 << 20
	if got := allocated(t, func() {
		if err := b.Write(t.Context(), newKey(), io.LimitReader(zeros{}, size), size); err != nil {
			t.Fatal(err)
		}
	}); got > 1<<20 {
		t.Errorf("writing %d bytes took %d bytes of memory", size, got)
	}
}

// allocated gives the bytes that do takes from the heap in all.
func allocated(t *testing.T, do func()) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// What a publish of a small package waits for, one at a time and eight at once.
func BenchmarkFolderWrite(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 4000)
	for _, at := range []struct {
		name    string
		writers int
	}{{"one", 1}, {"eight", 8}} {
		b.Run(at.name, func(b *testing.B) {
			bucket, err := blob.Open(b.Context(), blob.Options{URL: fileURL(b.TempDir())})
			if err != nil {
				b.Fatal(err)
			}
			defer bucket.Close()
			b.SetParallelism(max(1, at.writers/runtime.GOMAXPROCS(0)))
			write := func() {
				if err := bucket.Write(b.Context(), newKey(), bytes.NewReader(body), int64(len(body))); err != nil {
					b.Error(err)
				}
			}
			if at.writers == 1 {
				for b.Loop() {
					write()
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					write()
				}
			})
		})
	}
}

func BenchmarkFolderOpen(b *testing.B) {
	bucket, err := blob.Open(b.Context(), blob.Options{URL: fileURL(b.TempDir())})
	if err != nil {
		b.Fatal(err)
	}
	defer bucket.Close()
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = newKey()
		if err := bucket.Write(b.Context(), keys[i], strings.NewReader("x"), 1); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c, err := bucket.Open(b.Context(), keys[i%len(keys)])
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
