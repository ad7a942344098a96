package registry

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// body gives size bytes that differ from place to place.
func body(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func digestsOf(b []byte) Digests {
	return Digests{
		SHA256: sha256.Sum256(b), SHA512: sha512.Sum512(b), SHA1: sha1.Sum(b), MD5: md5.Sum(b),
		Size: int64(len(b)),
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestSpoolKeepsBody(t *testing.T) {
	for _, size := range []int{0, 1, 511, 1000, spoolMemory - 1, spoolMemory, spoolMemory + 1, 3*spoolMemory + 17} {
		for _, chunk := range []int{700, 32 << 10, 4 * spoolMemory} {
			t.Run(fmt.Sprintf("%d bytes by %d", size, chunk), func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "made", "when needed")
				var gauge atomic.Int64
				s := NewSpool(dir, int64(size))
				s.CountInto(&gauge)
				want := body(size)
				for rest := want; len(rest) > 0; {
					n, err := s.Write(rest[:min(chunk, len(rest))])
					if err != nil {
						t.Fatal(err)
					}
					rest = rest[n:]
				}

				if got := s.Size(); got != int64(size) {
					t.Errorf("Size() = %d, want %d", got, size)
				}
				if diff := cmp.Diff(digestsOf(want), s.Digests()); diff != "" {
					t.Errorf("Digests (-want +got):\n%s", diff)
				}
				checkReaders(t, s, want)
				checkFile(t, dir, size, gauge.Load())

				if err := s.Close(); err != nil {
					t.Error(err)
				}
				if err := s.Close(); err != nil {
					t.Errorf("second Close: %v", err)
				}
				if got := files(t, dir); len(got) > 0 || gauge.Load() != 0 {
					t.Errorf("after Close: files %v, gauge %d; want none, 0", got, gauge.Load())
				}
			})
		}
	}
}

// checkReaders reads by two readers in turn, which must not disturb each other.
func checkReaders(t *testing.T, s *Spool, want []byte) {
	t.Helper()
	first, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	half := make([]byte, len(want)/2)
	if _, err := io.ReadFull(first, half); err != nil {
		t.Fatal(err)
	}
	second, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(second); err != nil || !bytes.Equal(got, want) {
		t.Errorf("second reader: %d bytes, %v; want the %d bytes", len(got), err, len(want))
	}
	rest, err := io.ReadAll(first)
	if got := append(half, rest...); err != nil || !bytes.Equal(got, want) {
		t.Errorf("first reader: %d bytes, %v; want the %d bytes", len(got), err, len(want))
	}
	if at, err := first.Seek(0, io.SeekStart); at != 0 || err != nil {
		t.Errorf("Seek = %d, %v", at, err)
	}
}

// checkFile proves that a file exists only for a body above the memory bound,
// and that nobody else can read it.
func checkFile(t *testing.T, dir string, size int, gauge int64) {
	t.Helper()
	got := files(t, dir)
	if size <= spoolMemory {
		if len(got) > 0 || gauge != 0 {
			t.Errorf("files %v, gauge %d; want none, 0", got, gauge)
		}
		return
	}
	if len(got) != 1 || gauge != int64(size) {
		t.Fatalf("files %v, gauge %d; want one, %d", got, gauge, size)
	}
	info, err := os.Stat(filepath.Join(dir, got[0]))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("mode %o, want 600", got)
	}
}

func TestSpoolReadsGrowWithBody(t *testing.T) {
	s := NewSpool(t.TempDir(), 0)
	defer s.Close()
	want := body(2*spoolMemory + 100)
	for _, part := range [][]byte{want[:100], want[100 : spoolMemory+50], want[spoolMemory+50:]} {
		if _, err := s.Write(part); err != nil {
			t.Fatal(err)
		}
		r, err := s.Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want[:s.Size()]) {
			t.Fatalf("%d bytes, %v; want the first %d", len(got), err, s.Size())
		}
		if got, want := s.Digests(), digestsOf(want[:s.Size()]); got != want {
			t.Fatalf("Digests = %v, want %v", got, want)
		}
	}
}

func TestSpoolLimit(t *testing.T) {
	tests := []struct {
		name   string
		limit  int64
		writes []int
	}{
		{"first write", 10, []int{11}},
		{"in memory", 10, []int{10, 1}},
		{"from memory to file", spoolMemory, []int{spoolMemory, 1}},
		{"in file", 2 * spoolMemory, []int{2 * spoolMemory, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			s := NewSpool(dir, tt.limit)
			defer s.Close()
			var err error
			for i, n := range tt.writes {
				if err != nil {
					t.Fatalf("write %d within the limit: %v", i-1, err)
				}
				_, err = s.Write(body(n))
			}
			if KindOf(err) != TooLarge || !strings.Contains(Message(err), fmt.Sprint(tt.limit)) {
				t.Errorf("error %v, want TooLarge that names %d", err, tt.limit)
			}
			if got := files(t, dir); len(got) > 0 {
				t.Errorf("files kept: %v", got)
			}
			if _, err := s.Write(nil); KindOf(err) != TooLarge {
				t.Errorf("later Write: %v, want TooLarge", err)
			}
			if _, err := s.Open(); KindOf(err) != TooLarge {
				t.Errorf("later Open: %v, want TooLarge", err)
			}
		})
	}
}

func TestSpoolFolderFails(t *testing.T) {
	occupied := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(occupied, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := NewSpool(occupied, 0)
	defer s.Close()
	_, err := s.Write(body(spoolMemory + 1))
	if KindOf(err) != Unavailable || strings.Contains(Message(err), occupied) {
		t.Errorf("error %v with text %q, want Unavailable without the path", err, Message(err))
	}
	if s.Size() != 0 {
		t.Errorf("Size() = %d after a failure, want 0", s.Size())
	}
}

func TestSpoolClosed(t *testing.T) {
	s := NewSpool(t.TempDir(), 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("x")); KindOf(err) != Internal || err == nil {
		t.Errorf("Write: %v, want Internal", err)
	}
	if _, err := s.Open(); KindOf(err) != Internal || err == nil {
		t.Errorf("Open: %v, want Internal", err)
	}
}

// A registry gets many small bodies at once: each may cost no more memory than
// it has bytes, give or take.
func TestSpoolSmallBodyIsCheap(t *testing.T) {
	s := NewSpool(t.TempDir(), 0)
	defer s.Close()
	if _, err := s.Write(body(1000)); err != nil {
		t.Fatal(err)
	}
	if got := cap(s.memory); got > 2048 {
		t.Errorf("%d bytes held for a body of 1000", got)
	}
	for s.Size() < spoolMemory {
		if _, err := s.Write(body(1024)[:min(1024, spoolMemory-s.Size())]); err != nil {
			t.Fatal(err)
		}
	}
	if got := cap(s.memory); got > spoolMemory*9/8 {
		t.Errorf("%d bytes held for a body of %d", got, spoolMemory)
	}
}

func TestCleanSpool(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	for name, age := range map[string]time.Duration{
		"spool-old": 2 * time.Hour, "spool-new": 0, "other-old": 2 * time.Hour,
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	removed, err := CleanSpool(dir, now.Add(-time.Hour))
	if removed != 1 || err != nil {
		t.Errorf("CleanSpool = %d, %v; want 1, nil", removed, err)
	}
	if diff := cmp.Diff([]string{"other-old", "spool-new"}, files(t, dir)); diff != "" {
		t.Errorf("files left (-want +got):\n%s", diff)
	}
	if removed, err := CleanSpool(filepath.Join(dir, "absent"), now); removed != 0 || err != nil {
		t.Errorf("absent folder: %d, %v; want 0, nil", removed, err)
	}
}

// The digests bound how fast anything can be published.
func BenchmarkSpool(b *testing.B) {
	for _, size := range []int{4 << 10, 1 << 20, 64 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			dir, chunk := b.TempDir(), body(min(size, 32<<10))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				s := NewSpool(dir, 0)
				for range size / len(chunk) {
					if _, err := s.Write(chunk); err != nil {
						b.Fatal(err)
					}
				}
				s.Digests()
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
