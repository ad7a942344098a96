package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/blob"
	"pakhus/internal/registry"
	"pakhus/internal/store"
)

// faultyBlobs fails writes while told to, and counts what is written and deleted.
type faultyBlobs struct {
	registry.Blobs
	fail          atomic.Bool
	written, gone atomic.Int64
	opened        atomic.Int64
	damage        atomic.Bool // hand out other bytes than were stored
}

func (f *faultyBlobs) Open(ctx context.Context, key string) (registry.Content, error) {
	f.opened.Add(1)
	content, err := f.Blobs.Open(ctx, key)
	if err != nil || !f.damage.Load() {
		return content, err
	}
	return damaged{content}, nil
}

// damaged is content whose first bit was flipped on the disk.
type damaged struct{ registry.Content }

func (d damaged) Read(p []byte) (int, error) {
	n, err := d.Content.Read(p)
	if n > 0 {
		p[0] ^= 1
	}
	return n, err
}

func (f *faultyBlobs) Write(ctx context.Context, key string, body io.Reader, size int64) error {
	if f.fail.Load() {
		return registry.Errorf(registry.Unavailable, "the bucket is full")
	}
	f.written.Add(1)
	return f.Blobs.Write(ctx, key, body, size)
}

func (f *faultyBlobs) Delete(ctx context.Context, key string) error {
	f.gone.Add(1)
	return f.Blobs.Delete(ctx, key)
}

// vanishing pretends that a blob which was looked up is collected before the
// publication commits, once.
type vanishing struct {
	*store.Store
	armed atomic.Bool
}

func (v *vanishing) SavePublication(ctx context.Context, pubs []registry.Publication, blobs map[string]registry.Blob) ([]registry.Package, error) {
	if v.armed.CompareAndSwap(true, false) {
		return nil, registry.ErrBlobGone
	}
	return v.Store.SavePublication(ctx, pubs, blobs)
}

type domain struct {
	*registry.Service
	store   *vanishing
	blobs   *faultyBlobs
	project registry.Project
}

var by = registry.Actor{Kind: "command", Name: "test"}

func newDomain(t *testing.T) *domain {
	t.Helper()
	ctx := t.Context()
	rows, err := store.Open(ctx, store.Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "registry.db")})
	must(t, err)
	t.Cleanup(func() { must(t, rows.Close()) })
	must(t, rows.Migrate(ctx))
	bucket, err := blob.Open(ctx, blob.Options{URL: "mem://"})
	must(t, err)
	t.Cleanup(func() { must(t, bucket.Close()) })
	d := &domain{store: &vanishing{Store: rows}, blobs: &faultyBlobs{Blobs: bucket}}
	d.Service = registry.New(d.store, d.blobs, registry.Options{SpoolDir: t.TempDir()})
	rows.Subscribe(d.Service)
	_, err = d.CreateGroup(ctx, registry.NewGroup{FullPath: "acme"}, by)
	must(t, err)
	d.project, err = d.CreateProject(ctx, registry.NewProject{FullPath: "acme/demo"}, by)
	must(t, err)
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (d *domain) publication(t *testing.T, name, version, content string) registry.Publication {
	t.Helper()
	body := d.Spool(0)
	t.Cleanup(func() { must(t, body.Close()) })
	_, err := body.Write([]byte(content))
	must(t, err)
	return registry.Publication{
		ProjectID: d.project.ID, Format: registry.NPM, Name: name, Key: name, By: by,
		Versions: []registry.NewVersion{{
			Version: version, Key: version, SortKey: version, Manifest: []byte("{}"), State: []byte("{}"),
			Files: []registry.NewFile{{Name: name + "-" + version + ".tgz", Body: body}},
		}},
		Tags: []registry.TagChange{{Tag: "latest", VersionKey: version}},
	}
}

func (d *domain) publish(t *testing.T, p ...registry.Publication) error {
	t.Helper()
	_, err := d.Publish(t.Context(), p)
	return err
}

func TestPublishAndOpen(t *testing.T) {
	d := newDomain(t)
	must(t, d.publish(t, d.publication(t, "lib", "1.0.0", "bytes")))
	head, err := d.Package(t.Context(), d.project.ID, registry.NPM, "lib")
	must(t, err)
	file, err := d.File(t.Context(), head, "lib-1.0.0.tgz")
	must(t, err)
	content, err := d.Open(t.Context(), file)
	must(t, err)
	got, err := io.ReadAll(content)
	must(t, err)
	must(t, content.Close())
	if string(got) != "bytes" {
		t.Errorf("got %q", got)
	}
}

// A reader that asked before the publish must not make the cache hide it.
func TestPublishIsSeenAtOnce(t *testing.T) {
	d := newDomain(t)
	for i := range 50 {
		name := fmt.Sprintf("lib%d", i)
		if _, err := d.Package(t.Context(), d.project.ID, registry.NPM, name); registry.KindOf(err) != registry.NotFound {
			t.Fatalf("absent package: %v", err)
		}
		stop := make(chan struct{})
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						_, _ = d.Package(context.Background(), d.project.ID, registry.NPM, name) // only to keep the cache busy
					}
				}
			})
		}
		must(t, d.publish(t, d.publication(t, name, "1.0.0", "bytes")))
		if _, err := d.Package(t.Context(), d.project.ID, registry.NPM, name); err != nil {
			t.Errorf("after the publish: %v", err)
		}
		close(stop)
		readers.Wait()
	}
}

func TestSameBytesAreStoredOnce(t *testing.T) {
	d := newDomain(t)
	must(t, d.publish(t, d.publication(t, "lib", "1.0.0", "same")))
	must(t, d.publish(t, d.publication(t, "lib", "1.0.1", "same")))
	if got := d.blobs.written.Load(); got != 1 {
		t.Errorf("%d blobs written, want 1", got)
	}
}

func TestConflictLeavesNoBytes(t *testing.T) {
	d := newDomain(t)
	must(t, d.publish(t, d.publication(t, "lib", "1.0.0", "first")))
	err := d.publish(t, d.publication(t, "lib", "1.0.0", "second"))
	if registry.KindOf(err) != registry.Conflict {
		t.Fatalf("err = %v, want conflict", err)
	}
	if written, gone := d.blobs.written.Load(), d.blobs.gone.Load(); written != 2 || gone != 1 {
		t.Errorf("%d written, %d deleted; want 2 and 1", written, gone)
	}
}

func TestFullBucket(t *testing.T) {
	d := newDomain(t)
	d.blobs.fail.Store(true)
	if err := d.publish(t, d.publication(t, "lib", "1.0.0", "bytes")); registry.KindOf(err) != registry.Unavailable {
		t.Fatalf("err = %v, want unavailable", err)
	}
	if _, err := d.Package(t.Context(), d.project.ID, registry.NPM, "lib"); registry.KindOf(err) != registry.NotFound {
		t.Errorf("a package without bytes: %v", err)
	}
	d.blobs.fail.Store(false)
	must(t, d.publish(t, d.publication(t, "lib", "1.0.0", "bytes")))
}

func TestCollectedMeanwhile(t *testing.T) {
	d := newDomain(t)
	d.store.armed.Store(true)
	must(t, d.publish(t, d.publication(t, "lib", "1.0.0", "bytes")))
	if _, err := d.Package(t.Context(), d.project.ID, registry.NPM, "lib"); err != nil {
		t.Error(err)
	}
}

func TestAllOrNothing(t *testing.T) {
	d := newDomain(t)
	must(t, d.publish(t, d.publication(t, "b", "1.0.0", "b")))
	err := d.publish(t, d.publication(t, "a", "1.0.0", "a"), d.publication(t, "b", "1.0.0", "other"))
	if registry.KindOf(err) != registry.Conflict {
		t.Fatalf("err = %v, want conflict", err)
	}
	if _, err := d.Package(t.Context(), d.project.ID, registry.NPM, "a"); registry.KindOf(err) != registry.NotFound {
		t.Errorf("half of the publication is visible: %v", err)
	}
}

func TestDocumentIsBuiltOnceForARevision(t *testing.T) {
	d := newDomain(t)
	must(t, d.publish(t, d.publication(t, "lib", "1.0.0", "bytes")))
	builds := 0
	get := func() *registry.Document {
		head, err := d.Package(t.Context(), d.project.ID, registry.NPM, "lib")
		must(t, err)
		key := registry.DocumentKey{Kind: "test", Of: registry.Revisions([]registry.Package{head})}
		doc, err := d.Document(t.Context(), key, head.UpdatedAt, func(context.Context) ([]byte, error) {
			builds++
			return fmt.Appendf(nil, "build %d", builds), nil
		})
		must(t, err)
		return doc
	}
	first, second := get(), get()
	if builds != 1 || !bytes.Equal(first.Body, second.Body) || first.ETag != second.ETag {
		t.Errorf("%d builds", builds)
	}
	must(t, d.publish(t, d.publication(t, "lib", "1.0.1", "bytes")))
	if third := get(); builds != 2 || third.ETag == first.ETag {
		t.Errorf("%d builds, ETag %s after a publish", builds, third.ETag)
	}
}

func TestPathsOfGroupsAndProjects(t *testing.T) {
	d := newDomain(t)
	for _, path := range []string{"", "-x", "a b", "a.git", "a.", "x..y", "api", "metrics", "123", "ü", "acme/", "a/b/c"} {
		if _, err := d.CreateGroup(t.Context(), registry.NewGroup{FullPath: path}, by); err == nil {
			t.Errorf("group %q was made", path)
		}
	}
	for _, path := range []string{"", "demo", "acme/-x", "acme/x.atom", "nowhere/x"} {
		if _, err := d.CreateProject(t.Context(), registry.NewProject{FullPath: path}, by); err == nil {
			t.Errorf("project %q was made", path)
		}
	}
	if _, err := d.CreateProject(t.Context(), registry.NewProject{FullPath: "ACME/Demo"}, by); registry.KindOf(err) != registry.Conflict {
		t.Errorf("a path that differs in case: %v", err)
	}
	p, err := d.CreateProject(t.Context(), registry.NewProject{ID: 4711, FullPath: "Acme/second"}, by)
	must(t, err)
	if p.ID != 4711 || p.FullPath != "acme/second" {
		t.Errorf("made %+v", p)
	}
	for _, ref := range []string{"4711", "acme/second", "ACME/Second"} {
		if got, err := d.Project(t.Context(), ref); err != nil || got.ID != 4711 {
			t.Errorf("%s names %d, %v", ref, got.ID, err)
		}
	}
	for _, ref := range []string{"", "0", "-1", "99999999999999999999", "second", "acme"} {
		if _, err := d.Project(t.Context(), ref); registry.KindOf(err) != registry.NotFound {
			t.Errorf("project %q: %v", ref, err)
		}
	}
}

func TestSettingsInherit(t *testing.T) {
	const key = "nuget_duplicates_allowed"
	d := newDomain(t)
	setting := func() string {
		v, err := d.Setting(t.Context(), d.project, key, "false")
		must(t, err)
		return v
	}
	if got := setting(); got != "false" {
		t.Errorf("default: %s", got)
	}
	group, project := "group", "project"
	must(t, d.SaveSetting(t.Context(), registry.Span{GroupID: d.project.GroupID}, key, &group, by))
	if got := setting(); got != "group" {
		t.Errorf("of the group: %s", got)
	}
	must(t, d.SaveSetting(t.Context(), registry.Span{ProjectID: d.project.ID}, key, &project, by))
	if got := setting(); got != "project" {
		t.Errorf("of the project: %s", got)
	}
	values, err := d.SettingValues(t.Context(), key)
	must(t, err)
	if diff := cmp.Diff([]string{"group", "project"}, values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	must(t, d.SaveSetting(t.Context(), registry.Span{ProjectID: d.project.ID}, key, nil, by))
	if got := setting(); got != "group" {
		t.Errorf("after removing: %s", got)
	}
	if values, err = d.SettingValues(t.Context(), key); err != nil || len(values) != 1 {
		t.Errorf("values after removing: %v, %v", values, err)
	}
}

// heard is a listener that remembers.
type heard struct {
	changes []registry.Change
	live    []bool
}

func (h *heard) Forget(changes []registry.Change) { h.changes = append(h.changes, changes...) }
func (h *heard) SetLive(live bool)                { h.live = append(h.live, live) }

// TestConflictForgets: who lost against a change that he has not heard of yet sees
// it when he looks again, and so do those who listen to him.
func TestConflictForgets(t *testing.T) {
	d := newDomain(t)
	deaf := registry.New(d.store, d.blobs, registry.Options{SpoolDir: t.TempDir()}) // a replica that hears of nothing
	ear := &heard{}
	deaf.Subscribe(ear)
	find := func() error {
		_, err := deaf.Package(t.Context(), d.project.ID, registry.NPM, "x")
		return err
	}
	if err := find(); registry.KindOf(err) != registry.NotFound {
		t.Fatal(err)
	}
	must(t, d.publish(t, d.publication(t, "x", "1.0.0", "bytes")))
	if err := find(); registry.KindOf(err) != registry.NotFound {
		t.Fatalf("the replica is not deaf: %v", err)
	}
	if _, err := deaf.Publish(t.Context(), []registry.Publication{d.publication(t, "x", "1.0.0", "other")}); registry.KindOf(err) != registry.Conflict {
		t.Fatal(err)
	}
	must(t, find())
	deaf.SetLive(false)
	want := &heard{[]registry.Change{registry.PackageChange(registry.NPM, "x")}, []bool{false}}
	if diff := cmp.Diff(want, ear, cmp.AllowUnexported(heard{})); diff != "" {
		t.Error(diff)
	}
}

// TestSettingsFollowTheTree: a group has its own settings and those above it, and
// a project that moves gets those of its new place, also for who knew it before.
func TestSettingsFollowTheTree(t *testing.T) {
	d := newDomain(t)
	outer, err := d.Group(t.Context(), "acme")
	must(t, err)
	inner, err := d.CreateGroup(t.Context(), registry.NewGroup{FullPath: "acme/inner"}, by)
	must(t, err)
	one, two, three := "one", "two", "three"
	must(t, d.SaveSetting(t.Context(), registry.Span{GroupID: outer.ID}, "a", &one, by))
	must(t, d.SaveSetting(t.Context(), registry.Span{GroupID: outer.ID}, "b", &one, by))
	must(t, d.SaveSetting(t.Context(), registry.Span{GroupID: inner.ID}, "b", &two, by))
	must(t, d.SaveSetting(t.Context(), registry.Span{ProjectID: d.project.ID}, "c", &three, by))
	check := func(what string, got registry.Settings, err error, want registry.Settings) {
		t.Helper()
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	got, err := d.GroupSettings(t.Context(), outer)
	check("outer", got, err, registry.Settings{"a": one, "b": one})
	got, err = d.GroupSettings(t.Context(), inner)
	check("inner", got, err, registry.Settings{"a": one, "b": two})
	got, err = d.Settings(t.Context(), d.project)
	check("project", got, err, registry.Settings{"a": one, "b": one, "c": three})
	_, err = d.MoveProject(t.Context(), d.project.ID, "acme/inner/moved", by)
	must(t, err)
	got, err = d.Settings(t.Context(), d.project)
	check("moved", got, err, registry.Settings{"a": one, "b": two, "c": three})
}

// TestMovedProject: what a path leads to is remembered, and forgotten when it
// changes.
func TestMovedProject(t *testing.T) {
	d := newDomain(t)
	const old = "acme/old"
	check := func(what string, wantMoved bool, wantID int64) {
		t.Helper()
		for range 2 { // loaded and remembered
			found, err := d.Project(t.Context(), old)
			moved, ok := registry.MovedTo(err)
			if err != nil && (registry.KindOf(err) != registry.NotFound || registry.Message(err) != "404 Project Not Found" || found.ID != 0) {
				t.Fatalf("%s: %+v, %v; want what an unknown path gets", what, found, err)
			}
			if ok != wantMoved || found.ID+moved.ID != wantID {
				t.Errorf("%s: project %d, moved %v to %d; want %v, %d", what, found.ID, ok, moved.ID, wantMoved, wantID)
			}
		}
	}
	move := func(id int64, path string) {
		t.Helper()
		_, err := d.MoveProject(t.Context(), id, path, by)
		must(t, err)
	}
	check("never used", false, 0)
	move(d.project.ID, old)
	check("the path of now", false, d.project.ID)
	move(d.project.ID, "acme/new")
	check("moved", true, d.project.ID)
	taker, err := d.CreateProject(t.Context(), registry.NewProject{FullPath: old}, by)
	must(t, err)
	check("taken", false, taker.ID)
	move(taker.ID, "acme/away")
	check("moved again", true, taker.ID)
	must(t, d.DeleteProject(t.Context(), taker.ID, by))
	check("deleted", false, 0)
}

func TestDownloadsAreWrittenAtTheEnd(t *testing.T) {
	d := newDomain(t)
	must(t, d.publish(t, d.publication(t, "lib", "1.0.0", "bytes")))
	head, err := d.Package(t.Context(), d.project.ID, registry.NPM, "lib")
	must(t, err)
	file, err := d.File(t.Context(), head, "lib-1.0.0.tgz")
	must(t, err)
	for range 3 {
		d.CountDownload(registry.NPM, file)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.Run(ctx, func(err error) { t.Error(err) })
	if sum, err := d.store.SumDownloads(t.Context(), head.ID, time.Now().AddDate(0, 0, -1)); err != nil || sum != 3 {
		t.Errorf("%d downloads, %v; want 3", sum, err)
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("password=secret")
	err := fmt.Errorf("publish: %w", registry.Wrapf(registry.Conflict, cause, "it exists"))
	if registry.KindOf(err) != registry.Conflict || registry.Message(err) != "it exists" || !errors.Is(err, cause) {
		t.Errorf("kind %v, message %q", registry.KindOf(err), registry.Message(err))
	}
	if got := registry.Message(registry.Wrapf(registry.Internal, cause, "detail")); got != "" {
		t.Errorf("an internal error tells %q", got)
	}
	for err, want := range map[error]registry.Kind{
		nil: registry.Internal, cause: registry.Internal, context.Canceled: registry.Canceled, context.DeadlineExceeded: registry.Unavailable,
	} {
		if got := registry.KindOf(err); got != want {
			t.Errorf("kind of %v = %v, want %v", err, got, want)
		}
	}
	for _, kind := range registry.Kinds() {
		if kind.String() == "unknown" {
			t.Errorf("kind %d has no name", kind)
		}
	}
}
