package registrytest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"pakhus/internal/registry"
)

// together runs n calls at once and gives their errors by index.
func together(n int, call func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = call(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// testParallelPublications: every version survives, and every publication made
// a revision of its own.
func testParallelPublications(f *fixture) {
	const n = 100
	pubs := make([]registry.Publication, n)
	blobs := make([]map[string]registry.Blob, n)
	for i := range n {
		pubs[i], blobs[i] = f.release("x", fmt.Sprintf("1.0.%d", i))
		pubs[i].Versions[0].Fragments["n"] = fmt.Append(nil, i)
	}
	revisions := make([]int64, n)
	for i, err := range together(n, func(i int) error {
		heads, err := f.SavePublication(f.ctx, pubs[i:i+1], blobs[i])
		if err == nil {
			revisions[i] = heads[0].Revision
		}
		return err
	}) {
		if err != nil {
			f.Fatalf("publication %d: %v", i, err)
		}
	}
	slices.Sort(revisions)
	for i, revision := range revisions {
		if revision != int64(i+1) {
			f.Fatalf("revisions are not 1 to %d, each once: %v", n, revisions)
		}
	}
	head := f.head("x")
	wantSame(f.T, "last revision", head.Revision, int64(n))
	versions, err := f.ListVersions(f.ctx, head.ID)
	ok(f.T, err)
	wantSame(f.T, "versions", len(versions), n)
	fragments, err := f.ListFragments(f.ctx, head.ID, "n")
	ok(f.T, err)
	wantSame(f.T, "fragments", len(fragments), n)
	for i, fragment := range fragments {
		if fragment.VersionID != versions[i].ID {
			f.Fatal("fragments are not in the order of versions")
		}
	}
	if len(f.tags(head)) != 1 {
		f.Errorf("tags = %v, want one", f.tags(head))
	}
}

// testOneVersionTwice: one wins, the others learn that they did not (threat C5).
func testOneVersionTwice(f *fixture) {
	const n = 8
	for round := range 10 {
		version := fmt.Sprintf("1.0.%d", round)
		pubs := make([]registry.Publication, n)
		blobs := make([]map[string]registry.Blob, n)
		for i := range n {
			pubs[i], blobs[i] = f.release("x", version)
		}
		won := 0
		for _, err := range together(n, func(i int) error {
			_, err := f.SavePublication(f.ctx, pubs[i:i+1], blobs[i])
			return err
		}) {
			if err == nil {
				won++
				continue
			}
			wantFailure(f.T, "loser", err, registry.Conflict)
		}
		wantSame(f.T, "winners of "+version, won, 1)
		wantSame(f.T, "revision", f.head("x").Revision, int64(round+1))
	}
}

// testCrossedPublications: publications of the same packages and bytes in
// opposite orders do not wait for each other in a circle.
func testCrossedPublications(f *fixture) {
	const n = 24
	pubs := make([][]registry.Publication, n)
	blobs := make([]map[string]registry.Blob, n)
	shared := f.spool("the same bytes everywhere")
	for i := range n {
		blobs[i] = map[string]registry.Blob{}
		for _, name := range []string{"a", "b", "c"} {
			p, own := f.release(name, fmt.Sprintf("1.0.%d", i))
			p.Versions[0].Files = append(p.Versions[0].Files, registry.NewFile{Name: "shared", Body: shared})
			pubs[i] = append(pubs[i], p)
			maps.Copy(blobs[i], own)
		}
		d := shared.Digests()
		blobs[i][d.Digest()] = registry.Blob{Digests: d, Key: "shared"}
		if i%2 == 1 {
			slices.Reverse(pubs[i])
		}
	}
	for i, err := range together(n, func(i int) error {
		_, err := f.SavePublication(f.ctx, pubs[i], blobs[i])
		return err
	}) {
		if err != nil {
			f.Errorf("publication %d: %v", i, err)
		}
	}
	for _, name := range []string{"a", "b", "c"} {
		wantSame(f.T, "revision of "+name, f.head(name).Revision, int64(n))
	}
}

// testCollectWhilePublishing: whatever garbage collection and publications do
// at once, a file that is there has its blob (threat C2).
func testCollectWhilePublishing(f *fixture) {
	const n = 60
	body := f.spool("bytes that come and go")
	d := body.Digests()
	publish := func(i int) error {
		p, _ := f.release("x", fmt.Sprintf("1.0.%d", i))
		p.Versions[0].Files[0].Body = body
		blobs := map[string]registry.Blob{}
		if _, err := f.FindBlob(f.ctx, d.Digest()); err != nil {
			blobs[d.Digest()] = registry.Blob{Digests: d, Key: fmt.Sprintf("key %d", i)}
		}
		_, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
		if errors.Is(err, registry.ErrBlobGone) {
			return nil
		}
		return err
	}
	remove := func(i int) error {
		err := f.deleteVersion("x", fmt.Sprintf("1.0.%d", i))
		if kind := registry.KindOf(err); err != nil && kind != registry.Conflict {
			return err
		}
		return nil
	}
	collect := func() error {
		unused, err := f.ListUnusedBlobs(f.ctx, time.Now().Add(time.Hour), "", 10)
		for _, blob := range unused {
			err = f.DeleteUnusedBlob(f.ctx, blob.Digest())
			if kind := registry.KindOf(err); kind == registry.Conflict || kind == registry.NotFound {
				err = nil
			}
		}
		return err
	}
	for i := range n {
		ok(f.T, errors.Join(together(3, func(call int) error {
			switch {
			case call == 0:
				return publish(i)
			case call == 1 && i > 0 && f.exists("x", fmt.Sprintf("1.0.%d", i-1)):
				return remove(i - 1)
			}
			return collect()
		})...))
		if !f.exists("x", fmt.Sprintf("1.0.%d", i)) {
			continue
		}
		file, err := f.FindFile(f.ctx, f.head("x").ID, fmt.Sprintf("x-1.0.%d.tgz", i))
		ok(f.T, err)
		_, err = f.FindBlob(f.ctx, file.Blob.Digest())
		ok(f.T, err)
	}
}

// exists tells whether a version is there and not deleted.
func (f *fixture) exists(name, key string) bool {
	found, err := f.FindPackages(f.ctx, registry.NPM, name)
	if err != nil || len(found) == 0 {
		return false
	}
	v, err := f.FindVersion(f.ctx, found[0].ID, key)
	return err == nil && v.Status != registry.Deleted
}

// testParallelEdits: of edits computed from one revision, one is made.
func testParallelEdits(f *fixture) {
	f.publish("x", "1.0.0")
	e := f.edit("x", "dist-tag")
	won := 0
	for _, err := range together(8, func(i int) error {
		mine := e
		mine.SetTags = []registry.TagChange{{Tag: fmt.Sprintf("t%d", i), VersionKey: "1.0.0"}}
		_, err := f.SaveEdit(f.ctx, mine)
		return err
	}) {
		if err == nil {
			won++
			continue
		}
		wantFailure(f.T, "loser", err, registry.Conflict)
	}
	wantSame(f.T, "winners", won, 1)
	wantSame(f.T, "tags", len(f.tags(f.head("x"))), 2)
}

// ear is a listener that remembers.
type ear struct {
	mu      sync.Mutex
	changes []registry.Change
	live    []bool
}

func (e *ear) Forget(changes []registry.Change) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.changes = append(e.changes, changes...)
}

func (e *ear) SetLive(live bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.live = append(e.live, live)
}

// take gives what was heard since the last call.
func (e *ear) take() []registry.Change {
	e.mu.Lock()
	defer e.mu.Unlock()
	changes := e.changes
	e.changes = nil
	return changes
}

// testListeners: who wrote finds nothing stale afterwards, without Follow.
func testListeners(f *fixture) {
	var e ear
	f.Subscribe(&e)
	head := f.publish("x", "1.0.0")
	pkg := []registry.Change{registry.PackageChange(registry.NPM, "x")}
	namespace := []registry.Change{{Topic: registry.TopicNamespace}}
	access := []registry.Change{{Topic: registry.TopicAccess}}
	wantSame(f.T, "publish", e.take(), pkg)

	edit := f.edit("x", "dist-tag")
	_, err := f.SaveEdit(f.ctx, edit)
	ok(f.T, err)
	wantSame(f.T, "edit", e.take(), pkg)
	_, err = f.SaveEdit(f.ctx, edit)
	wantFailure(f.T, "stale edit", err, registry.Conflict)
	wantSame(f.T, "an edit that failed", len(e.take()), 0)
	ok(f.T, f.SaveStar(f.ctx, head.ID, "maria", true))
	wantSame(f.T, "star", e.take(), pkg)
	value := "v"
	ok(f.T, f.SaveSetting(f.ctx, registry.Span{ProjectID: f.project.ID}, "k", &value, f.by))
	wantSame(f.T, "setting", e.take(), namespace)
	f.newGroup(registry.Group{Path: "g"})
	wantSame(f.T, "group", e.take(), namespace)
	f.newUser("maria")
	wantSame(f.T, "user", e.take(), access)
	ok(f.T, f.Touch(f.ctx, nil, nil))
	wantSame(f.T, "touch", len(e.take()), 0)
	ok(f.T, f.DeleteProject(f.ctx, f.project.ID, f.by))
	wantSame(f.T, "delete a project", e.take(), append(namespace, access...))
	wantSame(f.T, "live without Follow", len(e.live), 0)
}

func testCanceled(f *fixture) {
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	_, err := f.FindProject(ctx, f.project.ID)
	wantFailure(f.T, "read", err, registry.Canceled)
	p, blobs := f.release("x", "1.0.0")
	_, err = f.SavePublication(ctx, []registry.Publication{p}, blobs)
	wantFailure(f.T, "write", err, registry.Canceled)
	wantFailure(f.T, "check", f.Check(ctx), registry.Canceled)
	none, err := f.FindPackages(f.ctx, registry.NPM, "x")
	ok(f.T, err)
	wantSame(f.T, "packages", len(none), 0)
	f.publish("x", "1.0.0") // the connections still work
}
