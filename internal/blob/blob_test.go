package blob_test

import (
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"pakhus/internal/blob"
	"pakhus/internal/registry"
	"pakhus/internal/registry/registrytest"
)

func fileURL(dir string) string {
	path := filepath.ToSlash(dir)
	if runtime.GOOS == "windows" {
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

func openBucket(t *testing.T, o blob.Options) *blob.Bucket {
	t.Helper()
	b, err := blob.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

// newKey makes a key of the domain's form.
func newKey() string {
	var digest [32]byte
	rand.Read(digest[:])
	name := hex.EncodeToString(digest[:])
	return "sha256/" + name[:2] + "/" + name + "-" + strings.ToLower(rand.Text())[:16]
}

func TestFolder(t *testing.T) {
	registrytest.TestBlobs(t, func(t *testing.T) registry.Blobs {
		return openBucket(t, blob.Options{URL: fileURL(filepath.Join(t.TempDir(), "made", "when absent"))})
	})
}

func TestMemory(t *testing.T) {
	registrytest.TestBlobs(t, func(t *testing.T) registry.Blobs {
		return openBucket(t, blob.Options{URL: "mem://"})
	})
}

func TestOpenRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, url string
	}{
		{"nothing", ""},
		{"no URL", "file://%zz"},
		{"a path", "/data/blobs"},
		{"another scheme", "ftp://host/folder"},
		{"file without folder", "file://"},
		{"file without slashes", "file:folder"},
		{"signing parameters", "file:///folder?base_url=http://x&secret_key_path=/x"},
		{"sidecar files", "file:///folder?metadata="},
		{"memory with parameters", "mem://?unknown=secret-value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := blob.Open(t.Context(), blob.Options{URL: tt.url})
			if err == nil {
				_ = b.Close()
			}
			if err == nil || registry.KindOf(err) != registry.Invalid || strings.Contains(registry.Message(err), "secret-value") {
				t.Errorf("Open(%q): %v, want Invalid", tt.url, err)
			}
		})
	}
}

func TestOnUse(t *testing.T) {
	var used []string
	b := openBucket(t, blob.Options{URL: "mem://", OnUse: func(operation string, took time.Duration) {
		if took < 0 {
			t.Errorf("%s took %v", operation, took)
		}
		used = append(used, operation)
	}})
	key := newKey()
	if err := b.Write(t.Context(), key, strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	c, err := b.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(used, " "), "write open check delete"; got != want {
		t.Errorf("told of %q, want %q", got, want)
	}
}
