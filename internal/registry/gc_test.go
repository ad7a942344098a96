package registry_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"pakhus/internal/blob"
	"pakhus/internal/registry"
)

// rows is a BlobStore in memory, in which a test says which blobs files name.
type rows struct {
	blobs map[string]registry.Blob // by digest
	used  map[string]bool          // by digest
	// beforeDelete runs before a row is deleted, to play a publish at that moment.
	beforeDelete func(digest string)
	fail         error // of every call, when set
}

func (r *rows) FindBlob(_ context.Context, digest string) (registry.Blob, error) {
	b, ok := r.blobs[digest]
	if r.fail == nil && !ok {
		return registry.Blob{}, registry.Errorf(registry.NotFound, "blob not found")
	}
	return b, r.fail
}

func (r *rows) ListBlobs(_ context.Context, after string, limit int) ([]registry.Blob, error) {
	return r.list(limit, func(b registry.Blob) bool { return b.Digest() > after }), r.fail
}

func (r *rows) ListUnusedBlobs(_ context.Context, before time.Time, after string, limit int) ([]registry.Blob, error) {
	return r.list(limit, func(b registry.Blob) bool {
		return b.Digest() > after && !r.used[b.Digest()] && b.CreatedAt.Before(before)
	}), r.fail
}

func (r *rows) list(limit int, wanted func(registry.Blob) bool) []registry.Blob {
	all := slices.SortedFunc(maps.Values(r.blobs), func(a, b registry.Blob) int { return cmp.Compare(a.Digest(), b.Digest()) })
	all = slices.DeleteFunc(all, func(b registry.Blob) bool { return !wanted(b) })
	return all[:min(limit, len(all))]
}

func (r *rows) FindBlobKeys(_ context.Context, keys []string) (map[string]bool, error) {
	if len(keys) > 500 {
		return nil, fmt.Errorf("asked for %d keys at once", len(keys))
	}
	known := map[string]bool{}
	for _, b := range r.blobs {
		if slices.Contains(keys, b.Key) {
			known[b.Key] = true
		}
	}
	return known, r.fail
}

func (r *rows) DeleteUnusedBlob(_ context.Context, digest string) error {
	if r.beforeDelete != nil {
		r.beforeDelete(digest)
	}
	switch _, ok := r.blobs[digest]; {
	case r.fail != nil:
		return r.fail
	case r.used[digest]:
		return registry.Errorf(registry.Conflict, "a file names this blob")
	case !ok:
		return registry.Errorf(registry.NotFound, "blob not found")
	}
	delete(r.blobs, digest)
	return nil
}

// world is a database and a bucket with some blobs.
type world struct {
	*testing.T
	rows  *rows
	dir   string
	blobs registry.Blobs
	now   time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	blobs, err := blob.Open(t.Context(), blob.Options{URL: "file://" + filepath.ToSlash(dir)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := blobs.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{
		T: t, dir: dir, blobs: blobs, now: time.Now(),
		rows: &rows{blobs: map[string]registry.Blob{}, used: map[string]bool{}},
	}
}

// add stores a body of some age; without row it is an orphan.
func (w *world) add(body string, age time.Duration, row, used bool) registry.Blob {
	w.Helper()
	b := registry.Blob{Digests: registry.Digests{SHA256: sha256.Sum256([]byte(body)), Size: int64(len(body))}, CreatedAt: w.now.Add(-age)}
	name := hex.EncodeToString(b.SHA256[:])
	b.Key = "sha256/" + name[:2] + "/" + name + "-" + strings.ToLower(rand.Text())[:16]
	if err := w.blobs.Write(w.Context(), b.Key, strings.NewReader(body), b.Size); err != nil {
		w.Fatal(err)
	}
	if err := os.Chtimes(w.path(b), b.CreatedAt, b.CreatedAt); err != nil {
		w.Fatal(err)
	}
	if row {
		w.rows.blobs[b.Digest()] = b
		w.rows.used[b.Digest()] = used
	}
	return b
}

func (w *world) path(b registry.Blob) string { return filepath.Join(w.dir, filepath.FromSlash(b.Key)) }

// wantLeft proves which blobs have rows, and which keys are in the bucket.
func (w *world) wantLeft(rows []registry.Blob, inBucket ...registry.Blob) {
	w.Helper()
	want, got := []string{}, slices.Sorted(maps.Keys(w.rows.blobs))
	for _, b := range rows {
		want = append(want, b.Digest())
	}
	slices.Sort(want)
	if !slices.Equal(want, got) {
		w.Errorf("rows (-want +got):\n%s", gocmp.Diff(want, got))
	}
	want, got = []string{}, []string{}
	for _, b := range slices.Concat(rows, inBucket) {
		want = append(want, b.Key)
	}
	slices.Sort(want)
	err := w.blobs.List(w.Context(), "", func(b registry.BlobInfo) error {
		got = append(got, b.Key)
		return nil
	})
	slices.Sort(got)
	if err != nil || !slices.Equal(want, got) {
		w.Errorf("%v; bucket (-want +got):\n%s", err, gocmp.Diff(want, got))
	}
}

func (w *world) collect(o registry.GCOptions) registry.GCReport {
	w.Helper()
	o.Now = w.now
	report, err := registry.CollectGarbage(w.Context(), w.rows, w.blobs, o)
	if err != nil {
		w.Fatal(err)
	}
	return report
}

func TestCollectGarbage(t *testing.T) {
	const old, young = 25 * time.Hour, 23 * time.Hour
	w := newWorld(t)
	used := w.add("used", old, true, true)
	unused := w.add("unused", old, true, false)
	fresh := w.add("unused, young", young, true, false)
	orphan := w.add("orphan of a crash", old, false, false)
	twin := w.add("used", old, false, false) // two publishes of the same bytes at once
	coming := w.add("row to come", young, false, false)

	want := registry.GCReport{Blobs: 1, BlobBytes: unused.Size, Orphans: 2, OrphanBytes: orphan.Size + twin.Size}
	if diff := gocmp.Diff(want, w.collect(registry.GCOptions{DryRun: true})); diff != "" {
		t.Errorf("dry run (-want +got):\n%s", diff)
	}
	w.wantLeft([]registry.Blob{used, unused, fresh}, orphan, twin, coming)

	if diff := gocmp.Diff(want, w.collect(registry.GCOptions{})); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
	w.wantLeft([]registry.Blob{used, fresh}, coming)

	if diff := gocmp.Diff(registry.GCReport{}, w.collect(registry.GCOptions{})); diff != "" {
		t.Errorf("second run (-want +got):\n%s", diff)
	}
	w.collect(registry.GCOptions{Grace: time.Hour})
	w.wantLeft([]registry.Blob{used})
}

// A publish that takes a blob up again while it is about to be collected, and
// another run of the collector, each between look-up and deletion (threat C2).
func TestCollectGarbageRaces(t *testing.T) {
	w := newWorld(t)
	taken := w.add("taken up again", 48*time.Hour, true, false)
	gone := w.add("collected by another", 48*time.Hour, true, false)
	w.rows.beforeDelete = func(digest string) {
		if digest == taken.Digest() {
			w.rows.used[digest] = true
		} else {
			delete(w.rows.blobs, digest)
			if err := w.blobs.Delete(t.Context(), gone.Key); err != nil {
				t.Error(err)
			}
		}
	}
	if diff := gocmp.Diff(registry.GCReport{InUse: 1}, w.collect(registry.GCOptions{})); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	w.wantLeft([]registry.Blob{taken})
}

// The bytes published anew right after their row was collected have another key:
// the deletion that follows cannot hit them.
func TestCollectGarbageSparesNewBytes(t *testing.T) {
	w := newWorld(t)
	w.add("the same bytes", 48*time.Hour, true, false)
	var again registry.Blob
	blobs := deleting{Blobs: w.blobs, before: func(string) {
		again = w.add("the same bytes", 0, true, true)
	}}
	report, err := registry.CollectGarbage(t.Context(), w.rows, blobs, registry.GCOptions{Now: w.now})
	if err != nil || report.Blobs != 1 {
		t.Fatalf("%+v, %v; want one blob removed", report, err)
	}
	w.wantLeft([]registry.Blob{again})
}

// deleting does something before a blob is deleted.
type deleting struct {
	registry.Blobs
	before func(key string)
	fail   error
}

func (d deleting) Delete(ctx context.Context, key string) error {
	if d.before != nil {
		d.before(key)
	}
	if d.fail != nil {
		return d.fail
	}
	return d.Blobs.Delete(ctx, key)
}

func TestCollectGarbagePages(t *testing.T) {
	w := newWorld(t)
	for i := range 1203 {
		body := fmt.Sprint("unused ", i)
		b := registry.Blob{Digests: registry.Digests{SHA256: sha256.Sum256([]byte(body)), Size: 1}, CreatedAt: w.now.Add(-48 * time.Hour)}
		name := hex.EncodeToString(b.SHA256[:])
		b.Key = "sha256/" + name[:2] + "/" + name + "-0123456789abcdef"
		w.rows.blobs[b.Digest()] = b
	}
	if got := w.collect(registry.GCOptions{DryRun: true}); got.Blobs != 1203 {
		t.Errorf("dry run: %+v, want 1203 blobs, no more", got)
	}
	if got := w.collect(registry.GCOptions{}); got.Blobs != 1203 {
		t.Errorf("%+v, want 1203 blobs", got)
	}
	w.wantLeft(nil)
}

func TestCollectGarbageManyOrphans(t *testing.T) {
	w := newWorld(t)
	kept := w.add("used", 48*time.Hour, true, true)
	listed := many{Blobs: w.blobs, count: 1203, modified: w.now.Add(-48 * time.Hour), kept: kept.Key}
	report, err := registry.CollectGarbage(t.Context(), w.rows, listed, registry.GCOptions{Now: w.now})
	if err != nil || report.Orphans != 1203 {
		t.Errorf("%+v, %v; want 1203 orphans", report, err)
	}
	w.wantLeft([]registry.Blob{kept})
}

// many lists more blobs than a test wants to write.
type many struct {
	registry.Blobs
	count    int
	modified time.Time
	kept     string
}

func (m many) List(_ context.Context, _ string, each func(registry.BlobInfo) error) error {
	for i := range m.count {
		name := fmt.Sprintf("%064x", i)
		key := "sha256/" + name[:2] + "/" + name + "-0123456789abcdef"
		if err := each(registry.BlobInfo{Key: key, Modified: m.modified}); err != nil {
			return err
		}
	}
	return each(registry.BlobInfo{Key: m.kept, Modified: m.modified})
}

func TestCollectGarbageFails(t *testing.T) {
	broken := errors.New("broken")
	w := newWorld(t)
	unused := w.add("unused", 48*time.Hour, true, false)
	report, err := registry.CollectGarbage(t.Context(), w.rows, deleting{Blobs: w.blobs, fail: broken}, registry.GCOptions{Now: w.now})
	if !errors.Is(err, broken) || report.Blobs != 0 {
		t.Errorf("bucket fails: %+v, %v", report, err)
	}
	// The row is gone, so the bytes are an orphan now, and the next run finds them.
	w.wantLeft(nil, unused)
	if got := w.collect(registry.GCOptions{}); got.Orphans != 1 {
		t.Errorf("next run: %+v, want an orphan removed", got)
	}
	w.wantLeft(nil)

	orphan := w.add("orphan", 48*time.Hour, false, false)
	w.rows.fail = broken
	if _, err := registry.CollectGarbage(t.Context(), w.rows, w.blobs, registry.GCOptions{Now: w.now}); !errors.Is(err, broken) {
		t.Errorf("database fails: %v", err)
	}
	w.rows.fail = nil
	w.wantLeft(nil, orphan) // who does not know may not delete
}

func corrupt(t *testing.T, name string, with []byte) {
	t.Helper()
	if err := os.WriteFile(name, with, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCheck(t *testing.T) {
	w := newWorld(t)
	w.add("sound", 0, true, true)
	missing := w.add("missing", 0, true, true)
	if err := os.Remove(w.path(missing)); err != nil {
		t.Fatal(err)
	}
	short := w.add("shortened", 0, true, true)
	corrupt(t, w.path(short), []byte("short"))
	flipped := w.add("a flipped bit", 0, true, false)
	corrupt(t, w.path(flipped), bytes.Replace([]byte("a flipped bit"), []byte("b"), []byte("c"), 1))
	folder := w.add("unreadable", 0, true, true)
	if err := errors.Join(os.Remove(w.path(folder)), os.Mkdir(w.path(folder), 0o700)); err != nil {
		t.Fatal(err)
	}
	orphan := w.add("orphan", 48*time.Hour, false, false)
	w.add("row to come", time.Hour, false, false)

	want := map[string]registry.Damage{
		missing.Key: registry.Missing, short.Key: registry.Damaged, flipped.Key: registry.Damaged,
		folder.Key: registry.Damaged, orphan.Key: registry.Orphan,
	}
	check := func(name string, o registry.CheckOptions, want map[string]registry.Damage, repaired int) {
		t.Helper()
		o.Now = w.now
		got := map[string]registry.Damage{}
		report, err := registry.Check(t.Context(), w.rows, w.blobs, o, func(f registry.Finding) error {
			got[f.Key] = f.Damage
			if f.Detail == "" || f.Repaired != (o.Repair && f.Damage == registry.Orphan) || (f.Digest == "") != (f.Damage == registry.Orphan) {
				t.Errorf("%s: finding %+v", name, f)
			}
			return nil
		})
		if diff := gocmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v; findings (-want +got):\n%s", name, err, diff)
		}
		if report.Blobs != 5 || report.Findings != len(want) || report.Repaired != repaired || (report.Bytes == 0) != o.Shallow {
			t.Errorf("%s: report %+v", name, report)
		}
	}
	check("deep", registry.CheckOptions{}, want, 0)
	shallow := maps.Clone(want)
	delete(shallow, flipped.Key)
	check("shallow", registry.CheckOptions{Shallow: true}, shallow, 0)
	check("repair", registry.CheckOptions{Repair: true}, want, 1)
	delete(want, orphan.Key)
	check("after repair", registry.CheckOptions{}, want, 0)
}

// What garbage collection removes, and a publish brings back, while Check looks
// at it is not missing.
func TestCheckWhileOthersWork(t *testing.T) {
	for _, tt := range []struct {
		name      string
		meanwhile func(*world, registry.Blob)
		findings  int
	}{
		{"nothing", func(*world, registry.Blob) {}, 1},
		{"collected", func(w *world, b registry.Blob) { delete(w.rows.blobs, b.Digest()) }, 0},
		{"published again", func(w *world, _ registry.Blob) { w.add("bytes", 0, true, true) }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			b := w.add("bytes", 0, true, true)
			blobs := opening{Blobs: w.blobs, before: func() {
				if err := w.blobs.Delete(t.Context(), b.Key); err != nil {
					t.Error(err)
				}
				tt.meanwhile(w, b)
			}}
			report, err := registry.Check(t.Context(), w.rows, blobs, registry.CheckOptions{}, func(registry.Finding) error { return nil })
			if err != nil || report.Findings != tt.findings {
				t.Errorf("%+v, %v; want %d findings", report, err, tt.findings)
			}
		})
	}
}

// opening does something before a blob is opened, and may break the bucket.
type opening struct {
	registry.Blobs
	before func()
	fail   error
}

func (o opening) Open(ctx context.Context, key string) (registry.Content, error) {
	if o.fail != nil {
		return nil, o.fail
	}
	o.before()
	return o.Blobs.Open(ctx, key)
}

func (o opening) Check(ctx context.Context) error {
	if o.fail != nil {
		return o.fail
	}
	return o.Blobs.Check(ctx)
}

func TestCheckFails(t *testing.T) {
	broken := registry.Errorf(registry.Unavailable, "broken")
	none := func(f registry.Finding) error { t.Errorf("finding %+v", f); return nil }
	w := newWorld(t)
	w.add("sound", 0, true, true)
	if _, err := registry.Check(t.Context(), w.rows, opening{Blobs: w.blobs, fail: broken}, registry.CheckOptions{}, none); !errors.Is(err, broken) {
		t.Errorf("bucket fails: %v, want its error and no finding", err)
	}
	w.rows.fail = broken
	if _, err := registry.Check(t.Context(), w.rows, w.blobs, registry.CheckOptions{}, none); !errors.Is(err, broken) {
		t.Errorf("database fails: %v, want its error and no finding", err)
	}
	w.rows.fail = nil
	w.add("orphan", 48*time.Hour, false, false)
	stop := errors.New("stop")
	_, err := registry.Check(t.Context(), w.rows, w.blobs, registry.CheckOptions{Now: w.now}, func(registry.Finding) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("each fails: %v, want its error", err)
	}
}
