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

// testSharedFiles: files whose names say so are found without their package, in
// the projects of a span.
func testSharedFiles(f *fixture) {
	other := f.newProject(registry.Project{GroupID: f.newGroup(registry.Group{Path: "far"}).ID, Path: "p"})
	publish := func(project int64, version, file string) registry.Package {
		p, blobs := f.release("x", version)
		p.ProjectID, p.Versions[0].Files[0].Name = project, file
		heads, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
		ok(f.T, err)
		return heads[0]
	}
	head := publish(f.project.ID, "1.0.0", "@a.pdb/1/x")
	publish(f.project.ID, "2.0.0", "@a.pdb/1/y")
	publish(f.project.ID, "3.0.0", "@a.pdb/2/x")
	publish(other.ID, "1.0.0", "@a.pdb/1/x")
	want := func(what string, span registry.Span, format registry.Format, prefix string, limit, count int) {
		f.Helper()
		found, err := f.ListSharedFiles(f.ctx, span, format, prefix, limit)
		ok(f.T, err)
		wantSame(f.T, what, len(found), count)
		for _, file := range found {
			wantSame(f.T, what+": its name", strings.HasPrefix(file.Name, prefix), true)
		}
	}
	want("everywhere", registry.Span{}, registry.NPM, "@a.pdb/1/", 10, 3)
	want("the oldest", registry.Span{}, registry.NPM, "@a.pdb/1/", 2, 2)
	want("in a project", registry.Span{ProjectID: other.ID}, registry.NPM, "@a.pdb/1/", 10, 1)
	want("in a group", registry.Span{GroupID: f.group.ID}, registry.NPM, "@a.pdb/1/", 10, 2)
	want("another format", registry.Span{}, registry.NuGet, "@a.pdb/1/", 10, 0)
	want("no such name", registry.Span{}, registry.NPM, "@a.pdb/1/z", 10, 0)
	_, err := f.ListSharedFiles(f.ctx, registry.Span{}, registry.NPM, "x", 10)
	wantFailure(f.T, "not shared", err, registry.Invalid)

	v := f.version(head, "1.0.0")
	_, err = f.SaveEdit(f.ctx, registry.Edit{
		PackageID: head.ID, By: f.by, Action: "delete", Versions: []registry.VersionEdit{{VersionID: v.ID, Status: registry.Deleted}},
	})
	ok(f.T, err)
	want("without the deleted", registry.Span{}, registry.NPM, "@a.pdb/1/", 10, 2)
}
