package registrytest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// Backend is what a database has to be.
type Backend interface {
	registry.Store
	auth.Tokens
	// Subscribe makes l hear of own changes before the writing call returns.
	Subscribe(l registry.Listener)
	// Follow makes listeners hear of others' changes until ctx ends.
	Follow(ctx context.Context) error
}

// TestStore proves that a database keeps the contracts of registry.Store and
// auth.Tokens. open gives an empty one with its schema, and closes it after the
// test.
func TestStore(t *testing.T, open func(t *testing.T) Backend) {
	tests := []struct {
		name string
		run  func(*fixture)
	}{
		{"groups", testGroups},
		{"chosen ids", testChosenIDs},
		{"projects", testProjects},
		{"one set of paths", testOneSetOfPaths},
		{"move a project", testMoveProject},
		{"find a moved project", testFindMovedProject},
		{"delete a project", testDeleteProject},
		{"delete a group", testDeleteGroup},
		{"list projects", testListProjects},
		{"list groups", testListGroups},
		{"pages", testPages},
		{"settings", testSettings},
		{"publish", testPublish},
		{"publish again", testPublishAgain},
		{"publish all or nothing", testAllOrNothing},
		{"grow a version", testGrow},
		{"replace a file", testReplaceFile},
		{"replace only what was seen", testReplaceOver},
		{"replace a version", testReplaceVersion},
		{"listings from listings", testRelist},
		{"notes", testNotes},
		{"notes alone", testNotesAlone},
		{"files of versions", testVersionFiles},
		{"shared files", testSharedFiles},
		{"withheld files", testWithheld},
		{"revive a version", testRevive},
		{"package keys", testPackageKeys},
		{"tags", testTags},
		{"several packages", testSeveralPackages},
		{"hostile names", testHostileNames},
		{"text that cannot be stored", testUnstorableText},
		{"edit", testEdit},
		{"tombstones", testTombstones},
		{"delete a package", testDeletePackage},
		{"list packages", testListPackages},
		{"search", testSearch},
		{"find by term", testFindByTerm},
		{"search reach", testSearchReach},
		{"stars", testStars},
		{"downloads", testDownloads},
		{"search, once per key", testSearchOncePerKey},
		{"blobs", testBlobRows},
		{"blob gone", testBlobGone},
		{"parallel publications", testParallelPublications},
		{"one version twice", testOneVersionTwice},
		{"crossed publications", testCrossedPublications},
		{"collect while publishing", testCollectWhilePublishing},
		{"parallel edits", testParallelEdits},
		{"listeners", testListeners},
		{"canceled", testCanceled},
		{"users", testUsers},
		{"sessions", testSessions},
		{"deploy tokens", testDeployTokens},
		{"deploy tokens by name", testDeployTokensByName},
		{"list deploy tokens", testListDeployTokens},
		{"personal tokens", testPersonalTokens},
		{"memberships", testMemberships},
		{"touch", testTouch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.run(newFixture(t, open(t)))
		})
	}
}

// fixture is a database with the group acme and the project acme/demo.
type fixture struct {
	*testing.T
	Backend
	ctx     context.Context
	by      registry.Actor
	group   registry.Group
	project registry.Project
}

func newFixture(t *testing.T, s Backend) *fixture {
	t.Helper()
	f := &fixture{T: t, Backend: s, ctx: t.Context(), by: registry.Actor{Kind: "command", Name: "conformance"}}
	ok(t, s.Check(f.ctx))
	f.group = f.newGroup(registry.Group{Path: "acme"})
	f.project = f.newProject(registry.Project{GroupID: f.group.ID, Path: "demo"})
	return f
}

// ok stops the test on an error.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantKind checks a failure; the client's text must never be empty or hold a
// driver's words.
func wantFailure(t *testing.T, what string, err error, want registry.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s: no error, want %v", what, want)
	}
	if got := registry.KindOf(err); got != want {
		t.Fatalf("%s: kind %v (%v), want %v", what, got, err, want)
	}
	if registry.Message(err) == "" {
		t.Errorf("%s: no text for the client in %v", what, err)
	}
}

func wantSame(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// wantFresh checks the time of a new row: UTC, finer than a second, and never
// ahead of the clock.
func wantFresh(t *testing.T, what string, got time.Time) {
	t.Helper()
	if got.Location() != time.UTC {
		t.Errorf("%s is in %v, want UTC", what, got.Location())
	}
	if age := time.Since(got); age < 0 || age > time.Minute {
		t.Errorf("%s is %v old", what, age)
	}
}

func (f *fixture) newGroup(g registry.Group) registry.Group {
	f.Helper()
	if g.Name == "" {
		g.Name = g.Path
	}
	if g.Visibility == "" {
		g.Visibility = registry.Private
	}
	made, err := f.CreateGroup(f.ctx, g, f.by)
	ok(f.T, err)
	return made
}

func (f *fixture) newProject(p registry.Project) registry.Project {
	f.Helper()
	if p.Name == "" {
		p.Name = p.Path
	}
	if p.Visibility == "" {
		p.Visibility = registry.Private
	}
	made, err := f.CreateProject(f.ctx, p, f.by)
	ok(f.T, err)
	return made
}

// spool gives a body.
func (f *fixture) spool(body string) *registry.Spool {
	f.Helper()
	spool := registry.NewSpool(f.TempDir(), 0)
	f.Cleanup(func() {
		if err := spool.Close(); err != nil {
			f.Error(err)
		}
	})
	_, err := spool.Write([]byte(body))
	ok(f.T, err)
	return spool
}

// release is a publication of one npm version of the project, with one file and
// the blob of its body.
func (f *fixture) release(name, version string) (registry.Publication, map[string]registry.Blob) {
	f.Helper()
	body := f.spool("body of " + name + " " + version)
	d := body.Digests()
	return registry.Publication{
		ProjectID: f.project.ID, Format: registry.NPM, Name: name, Key: name, By: f.by,
		Versions: []registry.NewVersion{{
			Version: version, Key: version, SortKey: version,
			Manifest: []byte(`{"version":"` + version + `"}`), State: []byte(`{}`),
			Fragments: map[registry.FragmentKind][]byte{"full": []byte("full " + version), "short": []byte("short " + version)},
			Files:     []registry.NewFile{{Name: fmt.Sprintf("%s-%s.tgz", name, version), Body: body}},
		}},
		Tags:    []registry.TagChange{{Tag: "latest", VersionKey: version}},
		Listing: &registry.Listing{VersionKey: version, Summary: []byte("summary " + version), Terms: []string{name}},
	}, map[string]registry.Blob{d.Digest(): {Digests: d, Key: "key/" + d.Digest()}}
}

// publish saves releases of one package, one after another, and gives the head.
func (f *fixture) publish(name string, versions ...string) (head registry.Package) {
	f.Helper()
	for _, version := range versions {
		p, blobs := f.release(name, version)
		heads, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
		ok(f.T, err)
		head = heads[0]
	}
	return head
}

// head finds the project's npm package.
func (f *fixture) head(name string) registry.Package {
	f.Helper()
	found, err := f.FindPackages(f.ctx, registry.NPM, name)
	ok(f.T, err)
	if len(found) != 1 {
		f.Fatalf("%d packages %s, want 1", len(found), name)
	}
	return found[0]
}

func (f *fixture) version(head registry.Package, key string) registry.Version {
	f.Helper()
	v, err := f.FindVersion(f.ctx, head.ID, key)
	ok(f.T, err)
	return v
}

func (f *fixture) tags(head registry.Package) map[string]string {
	f.Helper()
	tags, err := f.ListTags(f.ctx, head.ID)
	ok(f.T, err)
	return tags
}

// everything reads all there is.
var everything = registry.Readers{All: true}

// firstPage holds all rows of a test.
var firstPage = registry.Page{Number: 1, Size: 100}
