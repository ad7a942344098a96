package registrytest

import (
	"fmt"
	"strings"
	"sync"

	"pakhus/internal/registry"
)

// testReplaceVersion: another version takes the place of one that exists, which
// keeps its id and its other files.
func testReplaceVersion(f *fixture) {
	head := f.publish("x", "1.0.0")
	before := f.version(head, "1.0.0")
	_, err := f.SaveEdit(f.ctx, registry.Edit{
		PackageID: head.ID, By: f.by, Action: "unlist", Versions: []registry.VersionEdit{{VersionID: before.ID, Status: registry.Unlisted}},
	})
	ok(f.T, err)
	p, blobs := f.release("x", "1.0.0")
	p.Versions[0].Version, p.Versions[0].Manifest, p.Versions[0].State, p.Versions[0].Replace = "01.0", []byte("other"), []byte("state 2"), true
	p.Versions[0].Files[0].Replace = true
	_, err = f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	ok(f.T, err)
	want := before
	want.Version, want.Manifest, want.State = "01.0", []byte("other"), []byte("state 2")
	wantSame(f.T, "replaced", f.version(head, "1.0.0"), want)
	listed, _, err := f.ListPackages(f.ctx, registry.PackageFilter{Readers: everything}, firstPage)
	ok(f.T, err)
	wantSame(f.T, "packages", len(listed), 1)

	head = f.head("x")
	_, err = f.SaveEdit(f.ctx, registry.Edit{
		PackageID: head.ID, By: f.by, Action: "delete", Versions: []registry.VersionEdit{{VersionID: before.ID, Status: registry.Deleted}},
	})
	ok(f.T, err)
	_, err = f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	wantFailure(f.T, "replace a tombstone", err, registry.Conflict)
}

// testRelist: publications at the same time, each of which adds its version to
// the summary that it finds, lose none.
func testRelist(f *fixture) {
	const publishers = 8
	var done sync.WaitGroup
	failures := make([]error, publishers)
	for i := range publishers {
		version := fmt.Sprintf("1.0.%d", i)
		p, blobs := f.release("x", version)
		p.Tags, p.Listing = nil, nil
		p.Relist = func(summary []byte) (*registry.Listing, error) {
			all := strings.TrimSpace(string(summary) + " " + version)
			return &registry.Listing{VersionKey: version, Summary: []byte(all), Terms: strings.Fields(all)}, nil
		}
		done.Go(func() { _, failures[i] = f.SavePublication(f.ctx, []registry.Publication{p}, blobs) })
	}
	done.Wait()
	for _, err := range failures {
		ok(f.T, err)
	}
	found, total, err := f.SearchPackages(f.ctx, registry.SearchQuery{Readers: everything, Having: []string{"1.0.0", "1.0.7"}, Limit: 10})
	ok(f.T, err)
	wantSame(f.T, "found", total, int64(1))
	wantSame(f.T, "versions in the summary", len(strings.Fields(string(found[0].Summary))), publishers)

	p, blobs := f.release("x", "2.0.0")
	p.Relist = func([]byte) (*registry.Listing, error) { return nil, registry.Errorf(registry.Invalid, "no listing") }
	_, err = f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	wantFailure(f.T, "no listing", err, registry.Invalid)
	_, err = f.FindVersion(f.ctx, f.head("x").ID, "2.0.0")
	wantFailure(f.T, "nothing stored", err, registry.NotFound)
}
