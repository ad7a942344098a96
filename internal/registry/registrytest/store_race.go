package registrytest

import (
	"context"
	"fmt"
	"slices"
	"sync"

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
