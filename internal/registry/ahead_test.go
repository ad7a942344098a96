package registry_test

import (
	"context"
	"io"
	"testing"

	"pakhus/internal/registry"
)

func (d *domain) files(t *testing.T) (n int) {
	t.Helper()
	must(t, d.blobs.List(t.Context(), "sha256/", func(registry.BlobInfo) error { n++; return nil }))
	return n
}

// What was written ahead is published as it is, and written once.
func TestWriteAhead(t *testing.T) {
	d := newDomain(t)
	p := d.publication(t, "lib", "1.0.0", "bytes")
	body := p.Versions[0].Files[0].Body
	must(t, d.WriteAhead(t.Context(), body))
	must(t, d.WriteAhead(t.Context(), body))
	must(t, d.publish(t, p))
	must(t, body.Close())
	if written, gone := d.blobs.written.Load(), d.blobs.gone.Load(); written != 1 || gone != 0 {
		t.Errorf("%d written, %d deleted", written, gone)
	}
	head, err := d.Package(t.Context(), d.project.ID, registry.NPM, "lib")
	must(t, err)
	file, err := d.File(t.Context(), head, "lib-1.0.0.tgz")
	must(t, err)
	content, err := d.Open(t.Context(), file)
	must(t, err)
	defer content.Close()
	if got, err := io.ReadAll(content); err != nil || string(got) != "bytes" {
		t.Errorf("%q, %v", got, err)
	}
}

// Nothing stays of a body that was refused, by its checks or by the database.
func TestWriteAheadIsUndone(t *testing.T) {
	d := newDomain(t)
	must(t, d.publish(t, d.publication(t, "lib", "1.0.0", "first")))
	refused := d.publication(t, "lib", "2.0.0", "second").Versions[0].Files[0].Body
	must(t, d.WriteAhead(t.Context(), refused))
	must(t, refused.Close())
	must(t, refused.Close())

	again := d.publication(t, "lib", "1.0.0", "third")
	must(t, d.WriteAhead(t.Context(), again.Versions[0].Files[0].Body))
	if err := d.publish(t, again); registry.KindOf(err) != registry.Conflict {
		t.Fatalf("published twice: %v", err)
	}
	must(t, again.Versions[0].Files[0].Body.Close())
	if got := d.files(t); got != 1 {
		t.Errorf("%d files in the bucket, want 1", got)
	}
}

// Bytes that are there are not written, and bytes that were collected meanwhile
// are written by the second attempt.
func TestWriteAheadOfStoredBytes(t *testing.T) {
	d := newDomain(t)
	must(t, d.publish(t, d.publication(t, "lib", "1.0.0", "bytes")))
	p := d.publication(t, "lib", "2.0.0", "bytes")
	must(t, d.WriteAhead(t.Context(), p.Versions[0].Files[0].Body))
	d.store.armed.Store(true)
	must(t, d.publish(t, p))
	if got := d.blobs.written.Load(); got != 1 {
		t.Errorf("%d written, want 1", got)
	}
}

func TestWriteAheadFails(t *testing.T) {
	d := newDomain(t)
	p := d.publication(t, "lib", "1.0.0", "bytes")
	d.blobs.fail.Store(true)
	must(t, d.WriteAhead(t.Context(), p.Versions[0].Files[0].Body))
	if err := d.publish(t, p); registry.KindOf(err) != registry.Unavailable {
		t.Errorf("published without its bytes: %v", err)
	}
	d.blobs.fail.Store(false)
	must(t, d.publish(t, p))
}

// slowBlobs holds the writes of bodies of one byte until it is told to go on,
// and panics for two.
type slowBlobs struct {
	registry.Blobs
	goOn chan struct{}
}

func (s slowBlobs) Write(ctx context.Context, key string, body io.Reader, size int64) error {
	switch size {
	case 1:
		<-s.goOn
	case 2:
		panic("two bytes")
	}
	return s.Blobs.Write(ctx, key, body, size)
}

// With many bodies on their way the next one is written by Publish itself.
func TestWriteAheadIsBounded(t *testing.T) {
	d := newDomain(t)
	slow := slowBlobs{d.blobs, make(chan struct{})}
	d.Service = registry.New(d.store, slow, registry.Options{})
	var waiting []*registry.Spool
	for i := range 40 {
		body := d.publication(t, "lib", "1.0.0", string(rune('A'+i))).Versions[0].Files[0].Body
		must(t, d.WriteAhead(t.Context(), body))
		waiting = append(waiting, body)
	}
	p := d.publication(t, "other", "1.0.0", "more bytes")
	must(t, d.WriteAhead(t.Context(), p.Versions[0].Files[0].Body))
	must(t, d.publish(t, p))
	if got := d.blobs.written.Load(); got != 1 {
		t.Errorf("%d written while the others wait, want 1", got)
	}
	close(slow.goOn)
	for _, body := range waiting {
		must(t, body.Close())
	}
	if got := d.files(t); got != 1 {
		t.Errorf("%d files in the bucket, want 1", got)
	}
	if got := d.blobs.written.Load(); got < 2 || got > 17 {
		t.Errorf("%d written, want a few", got)
	}
}

// A panic on the way to the bucket fails the publication, not the process.
func TestWriteAheadPanics(t *testing.T) {
	d := newDomain(t)
	d.Service = registry.New(d.store, slowBlobs{d.blobs, nil}, registry.Options{})
	p := d.publication(t, "lib", "1.0.0", "ab")
	must(t, d.WriteAhead(t.Context(), p.Versions[0].Files[0].Body))
	if err := d.publish(t, p); registry.KindOf(err) != registry.Internal {
		t.Errorf("published: %v", err)
	}
}
