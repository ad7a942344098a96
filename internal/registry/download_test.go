package registry_test

import (
	"bytes"
	"io"
	"testing"

	"pakhus/internal/registry"
)

// published publishes one version with a file of this content, and finds it.
func (d *domain) published(t *testing.T, name, content string) registry.File {
	t.Helper()
	must(t, d.publish(t, d.publication(t, name, "1.0.0", content)))
	head, err := d.Package(t.Context(), d.project.ID, registry.NPM, name)
	must(t, err)
	file, err := d.File(t.Context(), head, name+"-1.0.0.tgz")
	must(t, err)
	return file
}

func (d *domain) read(t *testing.T, f registry.File) string {
	t.Helper()
	content, err := d.Open(t.Context(), f)
	must(t, err)
	defer content.Close()
	if content.Size() != f.Blob.Size {
		t.Errorf("size %d, want %d", content.Size(), f.Blob.Size)
	}
	body, err := io.ReadAll(content)
	must(t, err)
	return string(body)
}

func TestSmallFilesAreReadOnce(t *testing.T) {
	d := newDomain(t)
	large := string(bytes.Repeat([]byte{'x'}, 256<<10+1))
	for name, content := range map[string]string{"small": "small", "large": large} {
		file := d.published(t, name, content)
		d.blobs.opened.Store(0)
		for range 3 {
			if got := d.read(t, file); got != content {
				t.Errorf("%s: got %d bytes, want %d", name, len(got), len(content))
			}
		}
		want := map[string]int64{"small": 1, "large": 3}[name]
		if got := d.blobs.opened.Load(); got != want {
			t.Errorf("%s: opened %d times, want %d", name, got, want)
		}
	}
}

// A bucket that hands out other bytes than were stored fails the download, and
// is asked again by the next one.
func TestDamagedSmallFileIsNotServed(t *testing.T) {
	d := newDomain(t)
	file := d.published(t, "lib", "content")
	d.blobs.damage.Store(true)
	if _, err := d.Open(t.Context(), file); registry.KindOf(err) != registry.Unavailable {
		t.Errorf("got %v", err)
	}
	d.blobs.damage.Store(false)
	if got := d.read(t, file); got != "content" {
		t.Errorf("got %q", got)
	}
}
