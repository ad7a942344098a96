package registrytest

import (
	"errors"
	"strings"
	"time"

	"pakhus/internal/registry"
)

func testBlobRows(f *fixture) {
	f.publish("x", "1.0.0", "2.0.0")
	head := f.head("x")
	file, err := f.FindFile(f.ctx, head.ID, "x-1.0.0.tgz")
	ok(f.T, err)
	digest := file.Blob.Digest()
	blob, err := f.FindBlob(f.ctx, digest)
	ok(f.T, err)
	wantSame(f.T, "blob", blob, file.Blob)
	wantFresh(f.T, "blob", blob.CreatedAt)
	for _, absent := range []string{strings.Repeat("0", 64), "", "not hex", "' OR 1=1"} {
		_, err = f.FindBlob(f.ctx, absent)
		wantFailure(f.T, "find "+absent, err, registry.NotFound)
		wantFailure(f.T, "delete "+absent, f.DeleteUnusedBlob(f.ctx, absent), registry.NotFound)
	}

	first, err := f.ListBlobs(f.ctx, "", 1)
	ok(f.T, err)
	rest, err := f.ListBlobs(f.ctx, first[0].Digest(), 10)
	ok(f.T, err)
	if len(rest) != 1 || rest[0].Digest() <= first[0].Digest() {
		f.Errorf("blobs are not listed by digest: %v, %v", first, rest)
	}
	keys, err := f.FindBlobKeys(f.ctx, []string{blob.Key, "stranger"})
	ok(f.T, err)
	wantSame(f.T, "known keys", keys[blob.Key], true)
	wantSame(f.T, "unknown keys", keys["stranger"], false)

	wantFailure(f.T, "delete a blob in use", f.DeleteUnusedBlob(f.ctx, digest), registry.Conflict)
	later := time.Now().Add(time.Hour)
	unused, err := f.ListUnusedBlobs(f.ctx, later, "", 10)
	ok(f.T, err)
	wantSame(f.T, "unused", len(unused), 0)
	ok(f.T, f.deleteVersion("x", "1.0.0"))
	unused, err = f.ListUnusedBlobs(f.ctx, later, "", 10)
	ok(f.T, err)
	wantSame(f.T, "unused after the version went", unused, []registry.Blob{blob})
	past, err := f.ListUnusedBlobs(f.ctx, later, digest, 10)
	ok(f.T, err)
	wantSame(f.T, "unused behind the last", len(past), 0)
	young, err := f.ListUnusedBlobs(f.ctx, blob.CreatedAt, "", 10)
	ok(f.T, err)
	wantSame(f.T, "unused but too young", len(young), 0)
	ok(f.T, f.DeleteUnusedBlob(f.ctx, digest))
	_, err = f.FindBlob(f.ctx, digest)
	wantFailure(f.T, "after deleting", err, registry.NotFound)
}

// testBlobGone: garbage collection and publications meet in the row of the
// blob, so a version never names bytes that are gone (threat C2).
func testBlobGone(f *fixture) {
	p, blobs := f.release("x", "1.0.0")
	_, err := f.SavePublication(f.ctx, []registry.Publication{p}, nil) // as if a row had been found
	if !errors.Is(err, registry.ErrBlobGone) {
		f.Fatalf("got %v, want ErrBlobGone", err)
	}
	none, err := f.FindPackages(f.ctx, registry.NPM, "x")
	ok(f.T, err)
	wantSame(f.T, "packages", len(none), 0)

	_, err = f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	ok(f.T, err)
	// Somebody else wrote the same bytes under another key, a moment too late.
	twin, again := f.release("x", "1.0.0")
	twin.Name, twin.Key = "twin", "twin"
	for digest, blob := range again {
		blob.Key = "key of the second"
		again[digest] = blob
	}
	heads, err := f.SavePublication(f.ctx, []registry.Publication{twin}, again)
	ok(f.T, err)
	file, err := f.FindFile(f.ctx, heads[0].ID, "x-1.0.0.tgz")
	ok(f.T, err)
	for digest, blob := range blobs {
		wantSame(f.T, "the first row stays", file.Blob.Key, blob.Key)
		found, err := f.FindBlob(f.ctx, digest)
		ok(f.T, err)
		wantSame(f.T, "key", found.Key, blob.Key)
	}
}
