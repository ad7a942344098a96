package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
	"pakhus/internal/store"
)

// world is a database with one of everything.
type world struct {
	*store.Store
	group    registry.Group
	empty    registry.Group
	project  registry.Project
	head     registry.Package
	version  registry.Version
	user     auth.User
	token    auth.DeployToken
	personal auth.PersonalToken
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newWorld(t testing.TB, s *store.Store) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{Store: s}
	w.group = must[registry.Group](t)(s.CreateGroup(ctx, registry.Group{Name: "g", Path: "g", Visibility: registry.Private}, command))
	w.empty = must[registry.Group](t)(s.CreateGroup(ctx, registry.Group{Name: "e", Path: "e", Visibility: registry.Private}, command))
	w.project = must[registry.Project](t)(s.CreateProject(ctx, registry.Project{GroupID: w.group.ID, Name: "p", Path: "p", Visibility: registry.Private}, command))
	w.head = w.publish(t, "x", "1.0.0")
	w.version = must[registry.Version](t)(s.FindVersion(ctx, w.head.ID, "1.0.0"))
	w.user = must[auth.User](t)(s.CreateUser(ctx, auth.User{Username: "u"}, command))
	w.token = must[auth.DeployToken](t)(s.CreateDeployToken(ctx, auth.DeployToken{ProjectID: w.project.ID, Name: "t", Digest: auth.Digest{1}}, command))
	w.personal = must[auth.PersonalToken](t)(s.CreatePersonalToken(ctx, auth.PersonalToken{UserID: w.user.ID, Name: "t", Digest: auth.Digest{1}}, command))
	return w
}

// publication is a small npm release.
func (w *world) publication(t testing.TB, name, version string) (registry.Publication, map[string]registry.Blob) {
	t.Helper()
	body := registry.NewSpool("", 0)
	t.Cleanup(func() {
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := body.Write([]byte(name + version)); err != nil {
		t.Fatal(err)
	}
	d := body.Digests()
	return registry.Publication{
		ProjectID: w.project.ID, Format: registry.NPM, Name: name, Key: name, By: command,
		Versions: []registry.NewVersion{{
			Version: version, Key: version, SortKey: version, Manifest: []byte(strings.Repeat("m", 900)), State: []byte("{}"),
			Fragments: map[registry.FragmentKind][]byte{
				"full": []byte(strings.Repeat("f", 2000)), "short": []byte(strings.Repeat("s", 400)), "time": []byte("t"),
			},
			Files: []registry.NewFile{{Name: name + "-" + version + ".tgz", Body: body}},
		}},
		Tags:    []registry.TagChange{{Tag: "latest", VersionKey: version}},
		Listing: &registry.Listing{VersionKey: version, Summary: []byte(strings.Repeat("s", 300)), Terms: []string{name, "some", "words"}},
	}, map[string]registry.Blob{d.Digest(): {Digests: d, Key: "key/" + d.Digest()}}
}

func (w *world) publish(t testing.TB, name, version string) registry.Package {
	t.Helper()
	p, blobs := w.publication(t, name, version)
	heads, err := w.SavePublication(context.Background(), []registry.Publication{p}, blobs)
	if err != nil {
		t.Fatal(err)
	}
	return heads[0]
}

func (w *world) counts(t testing.TB) (events, changes int64) {
	t.Helper()
	for table, into := range map[string]*int64{"events": &events, "changes": &changes} {
		if err := w.Writer().Raw("SELECT COUNT(*) FROM " + table).Scan(into).Error; err != nil {
			t.Fatal(err)
		}
	}
	return events, changes
}

// writes are all methods that change something others may see, each with what
// happens and how many change rows it leaves.
var writes = []struct {
	name    string
	changes int64
	do      func(t testing.TB, w *world) error
}{
	{"create a group", 1, func(t testing.TB, w *world) error {
		_, err := w.CreateGroup(t.Context(), registry.Group{Path: "new"}, command)
		return err
	}},
	{"delete a group", 2, func(t testing.TB, w *world) error { return w.DeleteGroup(t.Context(), w.empty.ID, command) }},
	{"create a project", 1, func(t testing.TB, w *world) error {
		_, err := w.CreateProject(t.Context(), registry.Project{GroupID: w.group.ID, Path: "new"}, command)
		return err
	}},
	{"update a project", 1, func(t testing.TB, w *world) error {
		_, err := w.UpdateProject(t.Context(), w.project, command)
		return err
	}},
	{"move a project", 2, func(t testing.TB, w *world) error {
		_, err := w.MoveProject(t.Context(), w.project.ID, registry.Project{GroupID: w.group.ID, Path: "moved"}, command)
		return err
	}},
	{"delete a project", 2, func(t testing.TB, w *world) error { return w.DeleteProject(t.Context(), w.project.ID, command) }},
	{"save a setting", 1, func(t testing.TB, w *world) error {
		value := "v"
		return w.SaveSetting(t.Context(), registry.Span{ProjectID: w.project.ID}, "k", &value, command)
	}},
	{"remove a setting", 1, func(t testing.TB, w *world) error {
		return w.SaveSetting(t.Context(), registry.Span{GroupID: w.group.ID}, "k", nil, command)
	}},
	{"publish", 1, func(t testing.TB, w *world) error { w.publish(t, "x", "2.0.0"); return nil }},
	{"edit", 1, func(t testing.TB, w *world) error {
		_, err := w.SaveEdit(t.Context(), registry.Edit{PackageID: w.head.ID, Revision: w.head.Revision, Action: "dist-tag", By: command})
		return err
	}},
	{"delete a version", 1, func(t testing.TB, w *world) error {
		_, err := w.SaveEdit(t.Context(), registry.Edit{
			PackageID: w.head.ID, Revision: w.head.Revision, Action: "unpublish", By: command,
			Versions: []registry.VersionEdit{{VersionID: w.version.ID, Status: registry.Deleted}},
		})
		return err
	}},
	{"star", 1, func(t testing.TB, w *world) error { return w.SaveStar(t.Context(), w.head.ID, "u", true) }},
	{"create a user", 1, func(t testing.TB, w *world) error {
		_, err := w.CreateUser(t.Context(), auth.User{Username: "new"}, command)
		return err
	}},
	{"update a user", 1, func(t testing.TB, w *world) error {
		_, err := w.UpdateUser(t.Context(), auth.User{ID: w.user.ID, PasswordHash: "new"}, command)
		return err
	}},
	{"create a deploy token", 1, func(t testing.TB, w *world) error {
		_, err := w.CreateDeployToken(t.Context(), auth.DeployToken{GroupID: w.group.ID, Digest: auth.Digest{2}}, command)
		return err
	}},
	{"revoke a deploy token", 1, func(t testing.TB, w *world) error {
		return w.RevokeDeployToken(t.Context(), w.token.ID, time.Now(), command)
	}},
	{"delete a deploy token", 1, func(t testing.TB, w *world) error { return w.DeleteDeployToken(t.Context(), w.token.ID, command) }},
	{"create a personal token", 1, func(t testing.TB, w *world) error {
		_, err := w.CreatePersonalToken(t.Context(), auth.PersonalToken{UserID: w.user.ID, Digest: auth.Digest{2}}, command)
		return err
	}},
	{"revoke a personal token", 1, func(t testing.TB, w *world) error {
		return w.RevokePersonalToken(t.Context(), w.personal.ID, time.Now(), command)
	}},
	{"save a membership", 1, func(t testing.TB, w *world) error {
		return w.SaveMembership(t.Context(), auth.Membership{UserID: w.user.ID, GroupID: w.group.ID, Role: auth.Owner}, command)
	}},
}

// TestEveryWriteIsAudited: one event and the change rows, in the transaction of
// the change (threat O6). The methods of counting and of garbage collection are
// no changes.
func TestEveryWriteIsAudited(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			for _, tt := range writes {
				t.Run(tt.name, func(t *testing.T) {
					w := newWorld(t, open(t, store.Options{URL: db.make(t)}))
					events, changes := w.counts(t)
					if err := tt.do(t, w); err != nil {
						t.Fatal(err)
					}
					moreEvents, moreChanges := w.counts(t)
					if moreEvents-events != 1 || moreChanges-changes != tt.changes {
						t.Errorf("%d events and %d changes, want 1 and %d", moreEvents-events, moreChanges-changes, tt.changes)
					}
				})
			}
		})
	}
}

// TestFailedWriteLeavesNoEvent: the log tells only what happened.
func TestFailedWriteLeavesNoEvent(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			w := newWorld(t, open(t, store.Options{URL: db.make(t)}))
			events, changes := w.counts(t)
			p, blobs := w.publication(t, "x", "1.0.0")
			if _, err := w.SavePublication(t.Context(), []registry.Publication{p}, blobs); registry.KindOf(err) != registry.Conflict {
				t.Fatalf("publish again: %v, want Conflict", err)
			}
			if _, err := w.CreateGroup(t.Context(), registry.Group{Path: "g"}, command); registry.KindOf(err) != registry.Conflict {
				t.Fatalf("create again: %v, want Conflict", err)
			}
			moreEvents, moreChanges := w.counts(t)
			if moreEvents != events || moreChanges != changes {
				t.Errorf("%d events and %d changes, want none", moreEvents-events, moreChanges-changes)
			}
		})
	}
}

// TestEventsStay: not even this program can change the log.
func TestEventsStay(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			w := newWorld(t, open(t, store.Options{URL: db.make(t)}))
			before, _ := w.counts(t)
			for _, sql := range []string{"UPDATE events SET actor_name = 'nobody'", "DELETE FROM events"} {
				if err := w.Writer().Exec(sql).Error; err == nil {
					t.Errorf("%s: no error", sql)
				}
			}
			if after, _ := w.counts(t); after != before {
				t.Errorf("%d events, want %d", after, before)
			}
		})
	}
}

// TestEventsHoldNoSecrets: neither digests nor password hashes are told.
func TestEventsHoldNoSecrets(t *testing.T) {
	w := newWorld(t, open(t, store.Options{URL: newSQLite(t)}))
	if _, err := w.UpdateUser(t.Context(), auth.User{ID: w.user.ID, PasswordHash: "canary-hash"}, command); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateDeployToken(t.Context(), auth.DeployToken{
		GroupID: w.group.ID, Digest: auth.Digest([]byte("canary-digest-canary-digest-cana")), Sealed: []byte("canary-sealed"),
	}, command); err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	if err := w.Writer().Raw("SELECT * FROM events").Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	if len(rows) < 8 {
		t.Fatalf("%d events, want more", len(rows))
	}
	for _, row := range rows {
		for column, value := range row {
			if text, ok := value.(string); ok && (strings.Contains(text, "canary") || strings.Contains(text, "63616e617279")) {
				t.Errorf("%s holds a secret: %s", column, text)
			}
		}
	}
}
