package registrytest

import (
	"time"

	"pakhus/internal/registry"
)

// grow is a publication of one file of a version that may exist.
func (f *fixture) grow(name, version, file, body string) (registry.Publication, map[string]registry.Blob) {
	f.Helper()
	spool := f.spool(body)
	d := spool.Digests()
	return registry.Publication{
		ProjectID: f.project.ID, Format: registry.Maven, Name: name, Key: name, By: f.by,
		Versions: []registry.NewVersion{{
			Version: version, Key: version, SortKey: version, Grow: true, Files: []registry.NewFile{{Name: file, Body: spool}},
		}},
	}, map[string]registry.Blob{d.Digest(): {Digests: d, Key: "key/" + d.Digest()}}
}

func (f *fixture) save(p registry.Publication, blobs map[string]registry.Blob) registry.Package {
	f.Helper()
	heads, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	ok(f.T, err)
	return heads[0]
}

// note is a note of the kind "k"; microseconds are what databases keep.
func note(version, name, value string, due time.Time) registry.Note {
	if !due.IsZero() {
		due = due.UTC().Truncate(time.Microsecond)
	}
	return registry.Note{NoteKey: registry.NoteKey{Kind: "k", VersionKey: version, Name: name}, Value: []byte(value), Due: due}
}

func (f *fixture) wantNotes(what string, q registry.NoteQuery, want ...registry.Note) {
	f.Helper()
	got, err := f.ListNotes(f.ctx, q)
	ok(f.T, err)
	wantSame(f.T, what, got, want)
}

func testNotes(f *fixture) {
	past, soon, later := time.Now().Add(-time.Minute), time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	p, blobs := f.grow("a/b", "1.0", "b-1.0.jar", "one")
	p.Notes = []registry.Note{note("2.0", "x", "2", later), note("1.0", "b", "1b", soon), note("1.0", "a", "1a", past), note("", "", "of the package", time.Time{})}
	head := f.save(p, blobs)
	all := registry.NoteQuery{PackageID: head.ID, Kind: "k"}
	f.wantNotes("notes", all,
		note("", "", "of the package", time.Time{}), note("1.0", "a", "1a", past), note("1.0", "b", "1b", soon), note("2.0", "x", "2", later))
	f.wantNotes("of one version", registry.NoteQuery{PackageID: head.ID, Kind: "k", VersionKey: "2.0"}, note("2.0", "x", "2", later))
	f.wantNotes("that do not hold", registry.NoteQuery{PackageID: head.ID, Kind: "k", NotHeld: time.Now()},
		note("", "", "of the package", time.Time{}), note("1.0", "b", "1b", soon), note("2.0", "x", "2", later))
	f.wantNotes("of another kind", registry.NoteQuery{PackageID: head.ID, Kind: "other"})

	// A due time that has passed stays; one to come moves, in either direction.
	again := registry.Publication{ProjectID: f.project.ID, Format: registry.Maven, Name: "a/b", Key: "a/b", By: f.by}
	again.Notes = []registry.Note{note("1.0", "a", "1a new", later), note("1.0", "b", "1b new", later), note("2.0", "x", "2", past)}
	again.DropNotes = []registry.NoteKey{{Kind: "k"}, {Kind: "k", Name: "never there"}}
	after := f.save(again, nil)
	wantSame(f.T, "revision", after.Revision, head.Revision+1)
	f.wantNotes("after the second", all, note("1.0", "a", "1a new", past), note("1.0", "b", "1b new", later), note("2.0", "x", "2", past))
	_, err := f.SaveEdit(f.ctx, registry.Edit{
		PackageID: head.ID, By: f.by, Action: "edit", Notes: []registry.Note{note("2.0", "x", "2", later)}, DropNotes: []registry.NoteKey{{Kind: "k", VersionKey: "1.0", Name: "b"}},
	})
	ok(f.T, err)
	f.wantNotes("after the edit", all, note("1.0", "a", "1a new", past), note("2.0", "x", "2", past))

	moved, absent := note("2.0", "x", "not written", later), note("2.0", "y", "never there", later)
	pending := note("1.0", "c", "c", later)
	moved.Existing, absent.Existing = true, true
	again.Notes, again.DropNotes = []registry.Note{moved, absent, pending}, nil
	f.save(again, nil)
	pending.Due, pending.Value, pending.Existing = past.UTC().Truncate(time.Microsecond), []byte("not written"), true
	again.Notes = []registry.Note{pending}
	f.save(again, nil)
	f.wantNotes("after moving what exists", all, note("1.0", "a", "1a new", past), note("1.0", "c", "c", past), note("2.0", "x", "2", past))

	v, err := f.FindVersion(f.ctx, head.ID, "1.0")
	ok(f.T, err)
	_, err = f.SaveEdit(f.ctx, registry.Edit{
		PackageID: head.ID, By: f.by, Action: "delete", Versions: []registry.VersionEdit{{VersionID: v.ID, Status: registry.Deleted}},
	})
	ok(f.T, err)
	f.wantNotes("after the version is deleted", all, note("2.0", "x", "2", past))
}

// testNotesAlone: a publication may bring nothing but notes. Its package is not
// listed.
func testNotesAlone(f *fixture) {
	p := registry.Publication{ProjectID: f.project.ID, Format: registry.Maven, Name: "a", Key: "a", By: f.by, Notes: []registry.Note{note("", "x", "1", time.Time{})}}
	head := f.save(p, nil)
	f.wantNotes("note", registry.NoteQuery{PackageID: head.ID, Kind: "k"}, note("", "x", "1", time.Time{}))
	f.wantListed()
	found, err := f.FindPackages(f.ctx, registry.Maven, "a")
	ok(f.T, err)
	wantSame(f.T, "found", found, []registry.Package{head})
	p.Notes[0].Name = "nul\x00"
	_, err = f.SavePublication(f.ctx, []registry.Publication{p}, nil)
	wantFailure(f.T, "text that cannot be stored", err, registry.Invalid)
}

func testVersionFiles(f *fixture) {
	f.save(f.grow("a/b", "1.0", "ivy.xml", "one"))
	head := f.save(f.grow("a/b", "2.0", "ivy.xml", "two"))
	digests := map[string]bool{}
	for _, version := range []string{"1.0", "2.0"} {
		file, err := f.FindVersionFile(f.ctx, head.ID, version, "ivy.xml")
		ok(f.T, err)
		wantSame(f.T, "name", file.Name, "ivy.xml")
		digests[file.Blob.Digest()] = true
	}
	wantSame(f.T, "different bytes", len(digests), 2)
	_, err := f.FindVersionFile(f.ctx, head.ID, "3.0", "ivy.xml")
	wantFailure(f.T, "another version", err, registry.NotFound)
	_, err = f.FindVersionFile(f.ctx, head.ID, "1.0", "nul\x00")
	wantFailure(f.T, "text that cannot be stored", err, registry.Invalid)
}

func testWithheld(f *fixture) {
	f.save(f.grow("a/b", "1.0", "b-1.0.pom", "pom"))
	head := f.save(f.grow("a/b", "1.0", "b-1.0.jar", "corrupt"))
	find := func() registry.File {
		file, err := f.FindVersionFile(f.ctx, head.ID, "1.0", "b-1.0.jar")
		ok(f.T, err)
		return file
	}
	wantWithheld := func(what string, want ...registry.WithheldFile) {
		f.Helper()
		got, err := f.ListWithheld(f.ctx, head.ID)
		ok(f.T, err)
		wantSame(f.T, what, got, append([]registry.WithheldFile{}, want...))
	}
	mark := func(withheld bool) error {
		_, err := f.SaveEdit(f.ctx, registry.Edit{
			PackageID: head.ID, By: f.by, Action: "withhold", Files: []registry.FileEdit{{FileID: find().ID, Withheld: withheld}},
		})
		return err
	}
	replace := func(body string) error {
		p, blobs := f.grow("a/b", "1.0", "b-1.0.jar", body)
		p.Versions[0].Files[0].ReplaceWithheld = true
		_, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
		return err
	}
	wantWithheld("none")
	wantFailure(f.T, "replace what is not withheld", replace("other"), registry.Conflict)
	ok(f.T, mark(true))
	wantSame(f.T, "withheld", find().Withheld, true)
	wantWithheld("one", registry.WithheldFile{File: find(), VersionKey: "1.0"})
	ok(f.T, mark(false))
	wantSame(f.T, "no longer", find().Withheld, false)
	ok(f.T, mark(true))
	before := find()
	ok(f.T, replace("right"))
	wantSame(f.T, "replaced", find().Withheld, false)
	if find().Blob.Digest() == before.Blob.Digest() {
		f.Error("the bytes were not replaced")
	}
	wantWithheld("none again")
	drop := registry.Edit{PackageID: head.ID, By: f.by, Action: "delete", Files: []registry.FileEdit{{FileID: find().ID, Drop: true}}}
	_, err := f.SaveEdit(f.ctx, drop)
	ok(f.T, err)
	_, err = f.FindVersionFile(f.ctx, head.ID, "1.0", "b-1.0.jar")
	wantFailure(f.T, "dropped", err, registry.NotFound)
	_, err = f.SaveEdit(f.ctx, drop)
	wantFailure(f.T, "drop again", err, registry.NotFound)
}

func testRevive(f *fixture) {
	head := f.save(f.grow("a/b", "1-SNAPSHOT", "b-1-SNAPSHOT.jar", "one"))
	v, err := f.FindVersion(f.ctx, head.ID, "1-SNAPSHOT")
	ok(f.T, err)
	_, err = f.SaveEdit(f.ctx, registry.Edit{
		PackageID: head.ID, By: f.by, Action: "delete", Versions: []registry.VersionEdit{{VersionID: v.ID, Status: registry.Deleted}},
	})
	ok(f.T, err)
	f.wantListed()
	p, blobs := f.grow("a/b", "1-SNAPSHOT", "b-1-SNAPSHOT.jar", "two")
	_, err = f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	wantFailure(f.T, "grow a tombstone", err, registry.Conflict)
	p.Versions[0].Revive = true
	f.save(p, blobs)
	after, err := f.FindVersion(f.ctx, head.ID, "1-SNAPSHOT")
	ok(f.T, err)
	wantSame(f.T, "status", after.Status, registry.Listed)
	wantSame(f.T, "id", after.ID, v.ID)
	f.wantKeys("listed again", "a", "b", "a/b")
}

func (f *fixture) wantKeys(what, from, to string, want ...string) {
	f.Helper()
	filter := registry.PackageFilter{Readers: everything, Format: registry.Maven}
	got, err := f.ListPackageKeys(f.ctx, filter, from, to, 100)
	ok(f.T, err)
	wantSame(f.T, what, got, append([]string{}, want...))
}

func testPackageKeys(f *fixture) {
	other := f.newProject(registry.Project{GroupID: f.group.ID, Path: "second"})
	for _, name := range []string{"org/acme/lib", "org/acme/app", "org/acme-x/app", "org/Acme/app", "com/b/c"} {
		f.save(f.grow(name, "1.0", "x", name))
	}
	p, blobs := f.grow("org/acme/app", "1.0", "x", "second")
	p.ProjectID = other.ID
	f.save(p, blobs)
	f.publish("org/acme/npm", "1.0.0") // another format
	f.wantKeys("below a path, each once", "org/acme/", "org/acme0", "org/acme/app", "org/acme/lib")
	f.wantKeys("all", "", "z", "com/b/c", "org/Acme/app", "org/acme-x/app", "org/acme/app", "org/acme/lib")
	f.wantKeys("none", "x", "z")
	inSecond := registry.PackageFilter{Readers: everything, Span: registry.Span{ProjectID: other.ID}, Format: registry.Maven}
	got, err := f.ListPackageKeys(f.ctx, inSecond, "", "z", 100)
	ok(f.T, err)
	wantSame(f.T, "of one project", got, []string{"org/acme/app"})
	got, err = f.ListPackageKeys(f.ctx, registry.PackageFilter{Format: registry.Maven}, "", "z", 100)
	ok(f.T, err)
	wantSame(f.T, "nobody reads", len(got), 0)
	got, err = f.ListPackageKeys(f.ctx, registry.PackageFilter{Readers: everything, Format: registry.Maven}, "", "z", 2)
	ok(f.T, err)
	wantSame(f.T, "limit", len(got), 2)
}
