package registrytest

import (
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
)

func testPublish(f *fixture) {
	p, blobs := f.release("x", "1.0.0")
	heads, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	ok(f.T, err)
	head := heads[0]
	wantSame(f.T, "head", head, registry.Package{
		ID: head.ID, ProjectID: f.project.ID, Format: registry.NPM, Name: "x", Key: "x", Revision: 1,
		CreatedAt: head.CreatedAt, UpdatedAt: head.CreatedAt,
	})
	wantFresh(f.T, "package", head.CreatedAt)
	wantSame(f.T, "found", f.head("x"), head)

	v := f.version(head, "1.0.0")
	wantFresh(f.T, "version", v.CreatedAt)
	want := registry.Version{
		ID: v.ID, PackageID: head.ID, Version: "1.0.0", Key: "1.0.0", SortKey: "1.0.0", Status: registry.Listed,
		Manifest: []byte(`{"version":"1.0.0"}`), State: []byte(`{}`), PublishedBy: f.by.Name, CreatedAt: v.CreatedAt,
	}
	wantSame(f.T, "version", v, want)
	listed, err := f.ListVersions(f.ctx, head.ID)
	ok(f.T, err)
	want.Manifest = nil
	wantSame(f.T, "versions without manifest", listed, []registry.Version{want})

	fragments, err := f.ListFragments(f.ctx, head.ID, "full")
	ok(f.T, err)
	wantSame(f.T, "fragments", fragments, []registry.Fragment{{VersionID: v.ID, Data: []byte("full 1.0.0")}})
	short, err := f.FindFragment(f.ctx, v.ID, "short")
	ok(f.T, err)
	wantSame(f.T, "fragment", string(short), "short 1.0.0")
	wantSame(f.T, "tags", f.tags(head), map[string]string{"latest": "1.0.0"})

	digests := p.Versions[0].Files[0].Body.Digests()
	files, err := f.ListFiles(f.ctx, v.ID)
	ok(f.T, err)
	if len(files) != 1 {
		f.Fatalf("%d files, want 1", len(files))
	}
	file, err := f.FindFile(f.ctx, head.ID, "x-1.0.0.tgz")
	ok(f.T, err)
	wantSame(f.T, "file by name", file, files[0])
	wantSame(f.T, "digests", file.Blob.Digests, digests)
	wantSame(f.T, "key", file.Blob.Key, blobs[digests.Digest()].Key)
	wantSame(f.T, "file's version", [2]int64{file.PackageID, file.VersionID}, [2]int64{head.ID, v.ID})

	_, err = f.FindVersion(f.ctx, head.ID, "2.0.0")
	wantFailure(f.T, "absent version", err, registry.NotFound)
	_, err = f.FindFile(f.ctx, head.ID, "y.tgz")
	wantFailure(f.T, "absent file", err, registry.NotFound)
	_, err = f.FindFragment(f.ctx, v.ID, "none")
	wantFailure(f.T, "absent fragment", err, registry.NotFound)
	none, err := f.FindPackages(f.ctx, registry.NuGet, "x")
	ok(f.T, err)
	wantSame(f.T, "another format", len(none), 0)
}

func testPublishAgain(f *fixture) {
	f.publish("x", "1.0.0")
	before := f.head("x")
	p, blobs := f.release("x", "1.0.0")
	_, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	wantFailure(f.T, "same version", err, registry.Conflict)
	if text := registry.Message(err); !strings.Contains(text, "version 1.0.0 of x exists already") {
		f.Errorf("text %q does not name the version", text)
	}
	wantSame(f.T, "head after the conflict", f.head("x"), before)

	after := f.publish("x", "1.1.0", "1.0.1")
	wantSame(f.T, "revision", after.Revision, before.Revision+2)
	if after.UpdatedAt.Before(before.UpdatedAt) {
		f.Errorf("updated at %v, before %v", after.UpdatedAt, before.UpdatedAt)
	}
	wantSame(f.T, "created", after.CreatedAt, before.CreatedAt)
	listed, err := f.ListVersions(f.ctx, after.ID)
	ok(f.T, err)
	var keys []string
	for _, v := range listed {
		keys = append(keys, v.Key)
	}
	wantSame(f.T, "publish order", keys, []string{"1.0.0", "1.1.0", "1.0.1"})
	wantSame(f.T, "tags", f.tags(after), map[string]string{"latest": "1.0.1"})
}

// testAllOrNothing lets a publication fail at each of its parts, and expects
// that nothing of it is there.
func testAllOrNothing(f *fixture) {
	f.publish("x", "1.0.0")
	f.publish("y", "1.0.0")
	headX, headY := f.head("x"), f.head("y")
	tests := []struct {
		name  string
		spoil func(second *registry.Publication, blobs map[string]registry.Blob)
		want  registry.Kind
	}{
		{"version exists", func(p *registry.Publication, _ map[string]registry.Blob) { p.Versions[0].Key = "1.0.0" }, registry.Conflict},
		{"tag to nowhere", func(p *registry.Publication, _ map[string]registry.Blob) { p.Tags[0].VersionKey = "9.9.9" }, registry.NotFound},
		{"bytes without a row", func(_ *registry.Publication, blobs map[string]registry.Blob) { clear(blobs) }, registry.Unavailable},
		{"file twice", func(p *registry.Publication, _ map[string]registry.Blob) {
			p.Versions[0].Files = append(p.Versions[0].Files, p.Versions[0].Files[0])
		}, registry.Conflict},
		{"absent project", func(p *registry.Publication, _ map[string]registry.Blob) { p.ProjectID = 999 }, registry.NotFound},
	}
	for _, tt := range tests {
		first, blobs := f.release("x", "2.0.0")
		second, more := f.release("y", "2.0.0")
		for digest, blob := range more {
			blobs[digest] = blob
		}
		tt.spoil(&second, blobs)
		_, err := f.SavePublication(f.ctx, []registry.Publication{first, second}, blobs)
		wantFailure(f.T, tt.name, err, tt.want)
		wantSame(f.T, tt.name+": first head", f.head("x"), headX)
		wantSame(f.T, tt.name+": second head", f.head("y"), headY)
		wantSame(f.T, tt.name+": tags", f.tags(headX), map[string]string{"latest": "1.0.0"})
		_, err = f.FindVersion(f.ctx, headX.ID, "2.0.0")
		wantFailure(f.T, tt.name+": first version", err, registry.NotFound)
		_, err = f.FindFile(f.ctx, headX.ID, "x-2.0.0.tgz")
		wantFailure(f.T, tt.name+": file", err, registry.NotFound)
		for digest := range blobs {
			_, err = f.FindBlob(f.ctx, digest)
			wantFailure(f.T, tt.name+": blob", err, registry.NotFound)
		}
	}
}

func testGrow(f *fixture) {
	p, blobs := f.release("x", "1.0.0")
	p.Versions[0].Manifest, p.Versions[0].Grow = nil, true
	save := func(p registry.Publication, blobs map[string]registry.Blob) error {
		_, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
		return err
	}
	ok(f.T, save(p, blobs))
	before := f.version(f.head("x"), "1.0.0")

	more, blobs := f.release("x", "1.0.0")
	more.Versions[0].Grow = true
	more.Versions[0].Files[0].Name = "second.jar"
	more.Versions[0].State = []byte("state 2")
	more.Versions[0].Fragments = map[registry.FragmentKind][]byte{"full": []byte("full 2")}
	ok(f.T, save(more, blobs))
	head := f.head("x")
	wantSame(f.T, "revision", head.Revision, int64(2))
	after := f.version(head, "1.0.0")
	before.Manifest, before.State = []byte(`{"version":"1.0.0"}`), []byte("state 2")
	wantSame(f.T, "version", after, before)
	files, err := f.ListFiles(f.ctx, after.ID)
	ok(f.T, err)
	var names []string
	for _, file := range files {
		names = append(names, file.Name)
	}
	wantSame(f.T, "files by name", names, []string{"second.jar", "x-1.0.0.tgz"})
	for kind, want := range map[registry.FragmentKind]string{"full": "full 2", "short": "short 1.0.0"} {
		got, err := f.FindFragment(f.ctx, after.ID, kind)
		ok(f.T, err)
		wantSame(f.T, "fragment "+string(kind), string(got), want)
	}

	wantFailure(f.T, "the same file again", save(more, blobs), registry.Conflict)
	more.Versions[0].Files[0].Name, more.Versions[0].Grow = "third.jar", false
	wantFailure(f.T, "without Grow", save(more, blobs), registry.Conflict)
	more.Versions[0].Grow = true
	more.Versions[0].Manifest = []byte("another")
	ok(f.T, save(more, blobs))
	wantSame(f.T, "manifest never changes", string(f.version(head, "1.0.0").Manifest), `{"version":"1.0.0"}`)
	f.wantListed("x") // it counts as one living version, not as three
	ok(f.T, f.deleteVersion("x", "1.0.0"))
	f.wantListed()
	wantFailure(f.T, "grow a tombstone", save(more, blobs), registry.Conflict)
}

func testReplaceFile(f *fixture) {
	f.publish("x", "1.0.0")
	head := f.head("x")
	before, err := f.FindFile(f.ctx, head.ID, "x-1.0.0.tgz")
	ok(f.T, err)
	p, _ := f.release("x", "1.0.0")
	body := f.spool("other bytes")
	p.Versions[0].Grow = true
	p.Versions[0].Files[0] = registry.NewFile{Name: "x-1.0.0.tgz", Body: body, Replace: true}
	blobs := map[string]registry.Blob{body.Digests().Digest(): {Digests: body.Digests(), Key: "other"}}
	_, err = f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	ok(f.T, err)
	after, err := f.FindFile(f.ctx, head.ID, "x-1.0.0.tgz")
	ok(f.T, err)
	wantSame(f.T, "digest", after.Blob.Digests, body.Digests())
	if after.Blob.Digests == before.Blob.Digests {
		f.Error("the bytes were not replaced")
	}
}

// testReplaceOver: a file that names what it takes the place of is stored only
// over that.
func testReplaceOver(f *fixture) {
	put := func(body string, over *[32]byte) error {
		spool := f.spool(body)
		p, _ := f.release("x", "1.0.0")
		p.Versions[0].Grow, p.Tags = true, nil
		p.Versions[0].Files[0] = registry.NewFile{Name: "a.jar", Body: spool, Replace: over == nil || *over != [32]byte{}, Over: over}
		_, err := f.SavePublication(f.ctx, []registry.Publication{p}, map[string]registry.Blob{
			spool.Digests().Digest(): {Digests: spool.Digests(), Key: body},
		})
		return err
	}
	digest := func(body string) *[32]byte {
		d := f.spool(body).Digests().SHA256
		return &d
	}
	stored := func() string {
		file, err := f.FindVersionFile(f.ctx, f.head("x").ID, "1.0.0", "a.jar")
		ok(f.T, err)
		return file.Blob.Key
	}
	none := &[32]byte{}
	wantFailure(f.T, "over a file that is not there", put("one", digest("zero")), registry.Conflict)
	found, err := f.FindPackages(f.ctx, registry.NPM, "x")
	ok(f.T, err)
	wantSame(f.T, "packages", len(found), 0)
	ok(f.T, put("one", none))
	wantFailure(f.T, "over none", put("two", none), registry.Conflict)
	wantFailure(f.T, "over another", put("two", digest("zero")), registry.Conflict)
	wantSame(f.T, "stored", stored(), "one")
	ok(f.T, put("two", digest("one")))
	wantFailure(f.T, "over what was there before", put("three", digest("one")), registry.Conflict)
	wantSame(f.T, "stored", stored(), "two")
	ok(f.T, put("three", nil))
	wantSame(f.T, "stored", stored(), "three")

	const writers = 8
	won := 0
	seen := digest("three")
	for _, err := range together(writers, func(i int) error { return put(strconv.Itoa(i), seen) }) {
		if err == nil {
			won++
			continue
		}
		wantFailure(f.T, "loser", err, registry.Conflict)
	}
	wantSame(f.T, "winners", won, 1)
}

func testTags(f *fixture) {
	f.publish("x", "1.0.0")
	p, blobs := f.release("x", "2.0.0")
	p.Tags = []registry.TagChange{
		{Tag: "latest", VersionKey: "2.0.0", IfAbsent: true},
		{Tag: "next", VersionKey: "2.0.0", IfAbsent: true},
		{Tag: "Next", VersionKey: "1.0.0"},
		{Tag: "old", VersionKey: "1.0.0"},
	}
	heads, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	ok(f.T, err)
	wantSame(f.T, "tags", f.tags(heads[0]), map[string]string{"latest": "1.0.0", "next": "2.0.0", "Next": "1.0.0", "old": "1.0.0"})
	wantSame(f.T, "tags of an absent package", f.tags(registry.Package{ID: 999}), map[string]string{})
}

func testSeveralPackages(f *fixture) {
	b, blobs := f.release("b", "1.0.0")
	a, more := f.release("a", "1.0.0")
	for digest, blob := range more {
		blobs[digest] = blob
	}
	again, more := f.release("b", "1.1.0")
	for digest, blob := range more {
		blobs[digest] = blob
	}
	heads, err := f.SavePublication(f.ctx, []registry.Publication{b, a, again}, blobs)
	ok(f.T, err)
	var names []string
	for _, head := range heads {
		names = append(names, head.Name)
	}
	wantSame(f.T, "heads in the order asked", names, []string{"b", "a", "b"})
	wantSame(f.T, "revision of the one that came twice", f.head("b").Revision, int64(2))

	other := f.newProject(registry.Project{GroupID: f.group.ID, Path: "second"})
	p, _ := f.release("a", "1.0.0")
	p.ProjectID = other.ID
	_, err = f.SavePublication(f.ctx, []registry.Publication{p}, nil) // the same bytes: their row is there
	ok(f.T, err)
	found, err := f.FindPackages(f.ctx, registry.NPM, "a")
	ok(f.T, err)
	if len(found) != 2 || found[0].ID >= found[1].ID {
		f.Errorf("packages of two projects: %+v", found)
	}
}

// testHostileNames: a name is never a pattern, and never SQL (threats P8, P9).
func testHostileNames(f *fixture) {
	names := []string{"a_b", "aXb", "a%", "a%b", `a'b`, `a"b`, "a;DROP TABLE packages", `a\b`, "a?b", "a$1b", "ä", "A_B", "*", "a[b]", "@x/y", "名前"}
	for _, name := range names {
		f.publish(name, "1.0.0")
	}
	for _, name := range names {
		head := f.head(name)
		if head.Name != name {
			f.Errorf("found %q for %q", head.Name, name)
		}
		file, err := f.FindFile(f.ctx, head.ID, name+"-1.0.0.tgz")
		ok(f.T, err)
		wantSame(f.T, "file", file.Name, name+"-1.0.0.tgz")
		found, total, err := f.SearchPackages(f.ctx, registry.SearchQuery{Readers: everything, Terms: []string{name}, Limit: 100})
		ok(f.T, err)
		want := 0
		for _, other := range names {
			if strings.HasPrefix(other, name) {
				want++
			}
		}
		if len(found) != want || int(total) != want {
			f.Errorf("search %q: %d found, total %d, want %d", name, len(found), total, want)
		}
	}
}

func testUnstorableText(f *fixture) {
	for _, bad := range []string{"nul\x00", "\xff\xfe"} {
		p, blobs := f.release("x", "1.0.0")
		p.Name, p.Key = bad, bad
		_, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
		wantFailure(f.T, "publish", err, registry.Invalid)
		_, err = f.FindPackages(f.ctx, registry.NPM, bad)
		wantFailure(f.T, "find packages", err, registry.Invalid)
		_, err = f.FindVersion(f.ctx, 1, bad)
		wantFailure(f.T, "find version", err, registry.Invalid)
		_, err = f.FindFile(f.ctx, 1, bad)
		wantFailure(f.T, "find file", err, registry.Invalid)
		_, err = f.FindProjectByPath(f.ctx, bad)
		wantFailure(f.T, "find project", err, registry.Invalid)
		_, err = f.FindMovedProject(f.ctx, bad)
		wantFailure(f.T, "find moved project", err, registry.Invalid)
		_, err = f.FindGroupByPath(f.ctx, bad)
		wantFailure(f.T, "find group", err, registry.Invalid)
		_, err = f.FindUserByName(f.ctx, bad)
		wantFailure(f.T, "find user", err, registry.Invalid)
		_, _, err = f.SearchPackages(f.ctx, registry.SearchQuery{Readers: everything, Terms: []string{bad}, Limit: 1})
		wantFailure(f.T, "search", err, registry.Invalid)
		_, _, err = f.ListProjects(f.ctx, registry.ProjectFilter{Readers: everything, Search: bad}, firstPage)
		wantFailure(f.T, "list", err, registry.Invalid)
	}
	// Documents are bytes, not text.
	p, blobs := f.release("x", "1.0.0")
	p.Versions[0].Manifest = []byte("\x00\xff")
	heads, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	ok(f.T, err)
	if diff := cmp.Diff([]byte("\x00\xff"), f.version(heads[0], "1.0.0").Manifest); diff != "" {
		f.Errorf("manifest (-want +got):\n%s", diff)
	}
}
