package registrytest

import (
	"fmt"

	"pakhus/internal/registry"
)

// edit starts an edit of the package as it is now.
func (f *fixture) edit(name, action string) registry.Edit {
	f.Helper()
	head := f.head(name)
	return registry.Edit{PackageID: head.ID, Revision: head.Revision, By: f.by, Action: action}
}

// deleteVersion deletes one version of the package as it is now. It may be
// called by any goroutine.
func (f *fixture) deleteVersion(name, key string) error {
	found, err := f.FindPackages(f.ctx, registry.NPM, name)
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%d packages %s, want 1: %w", len(found), name, err)
	}
	v, err := f.FindVersion(f.ctx, found[0].ID, key)
	if err != nil {
		return err
	}
	_, err = f.SaveEdit(f.ctx, registry.Edit{
		PackageID: found[0].ID, Revision: found[0].Revision, By: f.by, Action: "unpublish",
		Versions: []registry.VersionEdit{{VersionID: v.ID, Status: registry.Deleted}},
	})
	return err
}

// wantListed checks the names that ListPackages and search without terms give.
func (f *fixture) wantListed(want ...string) {
	f.Helper()
	packages, total, err := f.ListPackages(f.ctx, registry.PackageFilter{Readers: everything}, firstPage)
	ok(f.T, err)
	var names []string
	for _, p := range packages {
		names = append(names, p.Name)
	}
	wantSame(f.T, "listed", names, want)
	wantSame(f.T, "total", int(total), len(want))
	_, total, err = f.SearchPackages(f.ctx, registry.SearchQuery{Readers: everything, Limit: 100})
	ok(f.T, err)
	wantSame(f.T, "found", int(total), len(want))
}

func testEdit(f *fixture) {
	f.publish("x", "1.0.0", "2.0.0")
	before := f.head("x")
	one, two := f.version(before, "1.0.0"), f.version(before, "2.0.0")
	e := f.edit("x", "deprecate")
	e.Versions = []registry.VersionEdit{
		{VersionID: one.ID, State: []byte("deprecated"), Fragments: map[registry.FragmentKind][]byte{"full": []byte("new")}},
		{VersionID: two.ID, Status: registry.Unlisted},
	}
	e.SetTags = []registry.TagChange{{Tag: "stable", VersionKey: "1.0.0"}, {Tag: "beta", VersionKey: "2.0.0"}}
	e.DropTags = []string{"latest", "never there", "beta"} // goes before it comes
	e.Listing = &registry.Listing{VersionKey: "1.0.0", Summary: []byte("other"), Terms: []string{"word"}}
	after, err := f.SaveEdit(f.ctx, e)
	ok(f.T, err)
	wantSame(f.T, "revision", after.Revision, before.Revision+1)
	wantSame(f.T, "head", f.head("x"), after)

	one.State, two.Status = []byte("deprecated"), registry.Unlisted
	wantSame(f.T, "first version", f.version(after, "1.0.0"), one)
	wantSame(f.T, "second version", f.version(after, "2.0.0"), two)
	for kind, want := range map[registry.FragmentKind]string{"full": "new", "short": "short 1.0.0"} {
		got, err := f.FindFragment(f.ctx, one.ID, kind)
		ok(f.T, err)
		wantSame(f.T, "fragment "+string(kind), string(got), want)
	}
	wantSame(f.T, "tags", f.tags(after), map[string]string{"stable": "1.0.0", "beta": "2.0.0"})
	for term, want := range map[string]int{"word": 1, "x": 0} {
		found, _, err := f.SearchPackages(f.ctx, registry.SearchQuery{Readers: everything, Terms: []string{term}, Limit: 10})
		ok(f.T, err)
		wantSame(f.T, "search "+term, len(found), want)
	}
	testEditFailures(f, e, after)
}

func testEditFailures(f *fixture, stale registry.Edit, head registry.Package) {
	_, err := f.SaveEdit(f.ctx, stale)
	wantFailure(f.T, "stale revision", err, registry.Conflict)
	f.publish("y", "1.0.0")
	foreign := f.version(f.head("y"), "1.0.0")
	tests := []struct {
		name  string
		spoil func(*registry.Edit)
	}{
		{"absent package", func(e *registry.Edit) { e.PackageID = 999 }},
		{"absent version", func(e *registry.Edit) { e.Versions = []registry.VersionEdit{{VersionID: 999, State: []byte("s")}} }},
		{"version of another package", func(e *registry.Edit) {
			e.Versions = []registry.VersionEdit{{VersionID: foreign.ID, Status: registry.Deleted}}
		}},
		{"fragments of another package", func(e *registry.Edit) {
			e.Versions = []registry.VersionEdit{{VersionID: foreign.ID, Fragments: map[registry.FragmentKind][]byte{"full": nil}}}
		}},
		{"tag to nowhere", func(e *registry.Edit) { e.SetTags = []registry.TagChange{{Tag: "t", VersionKey: "9.9.9"}} }},
	}
	for _, tt := range tests {
		e := f.edit("x", "deprecate")
		e.DropTags = []string{"stable"}
		tt.spoil(&e)
		_, err := f.SaveEdit(f.ctx, e)
		wantFailure(f.T, tt.name, err, registry.NotFound)
		wantSame(f.T, tt.name+": head", f.head("x"), head)
		wantSame(f.T, tt.name+": tags", f.tags(head)["stable"], "1.0.0")
	}
	wantSame(f.T, "the other package's version", f.version(f.head("y"), "1.0.0"), foreign)
}

func testTombstones(f *fixture) {
	f.publish("x", "1.0.0", "2.0.0")
	head := f.head("x")
	two := f.version(head, "2.0.0")
	ok(f.T, f.deleteVersion("x", "2.0.0"))
	wantSame(f.T, "revision", f.head("x").Revision, head.Revision+1)
	two.Status, two.Manifest, two.State = registry.Deleted, nil, nil
	wantSame(f.T, "tombstone", f.version(head, "2.0.0"), two)
	_, err := f.FindFile(f.ctx, head.ID, "x-2.0.0.tgz")
	wantFailure(f.T, "file", err, registry.NotFound)
	fragments, err := f.ListFragments(f.ctx, head.ID, "full")
	ok(f.T, err)
	wantSame(f.T, "fragments", len(fragments), 1)
	wantSame(f.T, "tags", f.tags(head), map[string]string{})
	versions, err := f.ListVersions(f.ctx, head.ID)
	ok(f.T, err)
	wantSame(f.T, "versions with the tombstone", len(versions), 2)

	p, blobs := f.release("x", "2.0.0")
	_, err = f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	wantFailure(f.T, "publish it again", err, registry.Conflict)
	wantFailure(f.T, "delete it again", f.deleteVersion("x", "2.0.0"), registry.NotFound)
	e := f.edit("x", "undelete")
	e.Versions = []registry.VersionEdit{{VersionID: two.ID, Status: registry.Listed}}
	_, err = f.SaveEdit(f.ctx, e)
	wantFailure(f.T, "bring it back", err, registry.NotFound)
	e = f.edit("x", "dist-tag")
	e.SetTags = []registry.TagChange{{Tag: "latest", VersionKey: "2.0.0"}}
	_, err = f.SaveEdit(f.ctx, e)
	wantFailure(f.T, "tag it", err, registry.NotFound)

	f.wantListed("x")
	ok(f.T, f.deleteVersion("x", "1.0.0"))
	f.wantListed() // no version is left
	f.publish("x", "3.0.0")
	f.wantListed("x")
}

func testDeletePackage(f *fixture) {
	f.publish("x", "1.0.0", "2.0.0")
	f.publish("y", "1.0.0")
	before := f.head("x")
	e := f.edit("x", "unpublish")
	e.Delete = true
	after, err := f.SaveEdit(f.ctx, e)
	ok(f.T, err)
	wantSame(f.T, "revision", after.Revision, before.Revision+1)
	wantSame(f.T, "the name stays bound", f.head("x"), after)
	versions, err := f.ListVersions(f.ctx, after.ID)
	ok(f.T, err)
	for _, v := range versions {
		wantSame(f.T, v.Key, v.Status, registry.Deleted)
		files, err := f.ListFiles(f.ctx, v.ID)
		ok(f.T, err)
		wantSame(f.T, "files of "+v.Key, len(files), 0)
	}
	wantSame(f.T, "versions", len(versions), 2)
	fragments, err := f.ListFragments(f.ctx, after.ID, "short")
	ok(f.T, err)
	wantSame(f.T, "fragments", len(fragments), 0)
	wantSame(f.T, "tags", f.tags(after), map[string]string{})
	f.wantListed("y")
	found, _, err := f.SearchPackages(f.ctx, registry.SearchQuery{Readers: everything, Terms: []string{"x"}, Limit: 10})
	ok(f.T, err)
	wantSame(f.T, "found", len(found), 0)

	p, blobs := f.release("x", "1.0.0")
	_, err = f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	wantFailure(f.T, "publish a deleted version", err, registry.Conflict)
	head := f.publish("x", "3.0.0")
	wantSame(f.T, "the same package", head.ID, before.ID)
	wantSame(f.T, "revision goes on", head.Revision, after.Revision+1)
	f.wantListed("x", "y")
}
