package registrytest

import (
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

func (f *fixture) newUser(name string) auth.User {
	f.Helper()
	u, err := f.CreateUser(f.ctx, auth.User{Username: name, Name: name}, f.by)
	ok(f.T, err)
	return u
}

func (f *fixture) newDeployToken(token auth.DeployToken) auth.DeployToken {
	f.Helper()
	if token.Scopes == 0 {
		token.Scopes = auth.ReadPackageRegistry
	}
	made, err := f.CreateDeployToken(f.ctx, token, f.by)
	ok(f.T, err)
	return made
}

func testDeployTokens(f *fixture) {
	expires := time.Date(2030, 5, 6, 0, 0, 0, 0, time.UTC)
	made := f.newDeployToken(auth.DeployToken{
		Name: "n", Username: "u", Scopes: auth.ReadPackageRegistry | auth.WritePackageRegistry, ProjectID: f.project.ID,
		CreatorID: 7, Digest: auth.Digest{1, 2, 3}, Sealed: []byte("sealed"), ExpiresAt: expires,
	})
	wantFresh(f.T, "token", made.CreatedAt)
	want := auth.DeployToken{
		ID: made.ID, Name: "n", Username: "u", Scopes: auth.ReadPackageRegistry | auth.WritePackageRegistry,
		ProjectID: f.project.ID, CreatorID: 7, Digest: auth.Digest{1, 2, 3}, Sealed: []byte("sealed"), ExpiresAt: expires,
		CreatedAt: made.CreatedAt,
	}
	wantSame(f.T, "made", made, want)
	byID, err := f.FindDeployToken(f.ctx, made.ID)
	ok(f.T, err)
	wantSame(f.T, "by id", byID, want)
	byDigest, err := f.FindDeployTokenByDigest(f.ctx, made.Digest)
	ok(f.T, err)
	wantSame(f.T, "by digest", byDigest, want)

	forGroup := f.newDeployToken(auth.DeployToken{ID: 500, Name: "g", GroupID: f.group.ID, Digest: auth.Digest{4}})
	wantSame(f.T, "chosen id", forGroup.ID, int64(500))
	next := f.newDeployToken(auth.DeployToken{Name: "p", ProjectID: f.project.ID, Digest: auth.Digest{5}})
	if next.ID <= 500 {
		f.Errorf("next id = %d, want more than 500: groups and projects share the ids", next.ID)
	}
	// An expiry at the very start of 1970 is long past, not "never".
	epoch := f.newDeployToken(auth.DeployToken{Name: "old", ProjectID: f.project.ID, Digest: auth.Digest{6}, ExpiresAt: time.Unix(0, 0)})
	if epoch.ExpiresAt.IsZero() {
		f.Error("a token that expired in 1970 never expires")
	}

	for name, bad := range map[string]auth.DeployToken{
		"digest taken": {Name: "x", ProjectID: f.project.ID, Digest: auth.Digest{4}},
		"id taken":     {ID: 500, Name: "x", ProjectID: f.project.ID, Digest: auth.Digest{7}},
	} {
		_, err := f.CreateDeployToken(f.ctx, bad, f.by)
		wantFailure(f.T, name, err, registry.Conflict)
	}
	_, err = f.CreateDeployToken(f.ctx, auth.DeployToken{ProjectID: 999, Digest: auth.Digest{8}}, f.by)
	wantFailure(f.T, "absent project", err, registry.NotFound)
	_, err = f.CreateDeployToken(f.ctx, auth.DeployToken{ProjectID: f.project.ID, GroupID: f.group.ID, Digest: auth.Digest{8}}, f.by)
	wantFailure(f.T, "two holders", err, registry.Invalid)
	_, err = f.CreateDeployToken(f.ctx, auth.DeployToken{Digest: auth.Digest{8}}, f.by)
	wantFailure(f.T, "no holder", err, registry.Invalid)
	_, err = f.FindDeployTokenByDigest(f.ctx, auth.Digest{8})
	wantFailure(f.T, "absent digest", err, registry.NotFound)
	testRevoke(f, made)
}

func testRevoke(f *fixture, token auth.DeployToken) {
	at := time.Now().UTC().Truncate(time.Microsecond)
	ok(f.T, f.RevokeDeployToken(f.ctx, token.ID, at, f.by))
	var e ear
	f.Subscribe(&e)
	ok(f.T, f.RevokeDeployToken(f.ctx, token.ID, at.Add(time.Hour), f.by))
	wantSame(f.T, "changes by revoking again", len(e.take()), 0)
	revoked, err := f.FindDeployTokenByDigest(f.ctx, token.Digest)
	ok(f.T, err)
	wantSame(f.T, "revoked at", revoked.RevokedAt, at)
	wantFailure(f.T, "revoke an absent one", f.RevokeDeployToken(f.ctx, 999, at, f.by), registry.NotFound)
	ok(f.T, f.DeleteDeployToken(f.ctx, token.ID, f.by))
	_, err = f.FindDeployToken(f.ctx, token.ID)
	wantFailure(f.T, "deleted", err, registry.NotFound)
	wantFailure(f.T, "delete again", f.DeleteDeployToken(f.ctx, token.ID, f.by), registry.NotFound)
}

func testDeployTokensByName(f *fixture) {
	sub := f.newGroup(registry.Group{ParentID: f.group.ID, Path: "sub"})
	project := f.newProject(registry.Project{GroupID: sub.ID, Path: "p"})
	now := time.Now()
	top := f.newDeployToken(auth.DeployToken{Name: "ci", GroupID: f.group.ID, Digest: auth.Digest{1}})
	near := f.newDeployToken(auth.DeployToken{Name: "ci", GroupID: sub.ID, Digest: auth.Digest{2}})
	own := f.newDeployToken(auth.DeployToken{Name: "ci", ProjectID: project.ID, Digest: auth.Digest{3}})
	f.newDeployToken(auth.DeployToken{Name: "other", ProjectID: project.ID, Digest: auth.Digest{4}})
	f.newDeployToken(auth.DeployToken{Name: "ci", ProjectID: f.project.ID, Digest: auth.Digest{5}})
	f.newDeployToken(auth.DeployToken{Name: "ci", ProjectID: project.ID, Digest: auth.Digest{6}, ExpiresAt: now})
	gone := f.newDeployToken(auth.DeployToken{Name: "ci", ProjectID: project.ID, Digest: auth.Digest{7}})
	ok(f.T, f.RevokeDeployToken(f.ctx, gone.ID, now, f.by))
	found, err := f.FindDeployTokensByName(f.ctx, project, "ci", now)
	ok(f.T, err)
	wantSame(f.T, "nearest first", found, []auth.DeployToken{own, near, top})

	// A move ends what the old groups' tokens reach, also for a stale Project.
	_, err = f.MoveProject(f.ctx, project.ID, registry.Project{GroupID: f.newGroup(registry.Group{Path: "away"}).ID, Path: "p"}, f.by)
	ok(f.T, err)
	found, err = f.FindDeployTokensByName(f.ctx, project, "ci", now)
	ok(f.T, err)
	wantSame(f.T, "after a move", found, []auth.DeployToken{own})
}

func testListDeployTokens(f *fixture) {
	now := time.Now()
	a := f.newDeployToken(auth.DeployToken{Name: "a", ProjectID: f.project.ID, Digest: auth.Digest{1}})
	b := f.newDeployToken(auth.DeployToken{Name: "b", GroupID: f.group.ID, Digest: auth.Digest{2}, ExpiresAt: now.Add(time.Hour)})
	c := f.newDeployToken(auth.DeployToken{Name: "c", ProjectID: f.project.ID, Digest: auth.Digest{3}, ExpiresAt: now.Add(-time.Hour)})
	tests := []struct {
		name   string
		filter auth.TokenFilter
		want   []auth.DeployToken
	}{
		{"all", auth.TokenFilter{}, []auth.DeployToken{a, b, c}},
		{"active", auth.TokenFilter{ActiveOnly: true, Now: now}, []auth.DeployToken{a, b}},
		{"active later", auth.TokenFilter{ActiveOnly: true, Now: now.Add(2 * time.Hour)}, []auth.DeployToken{a}},
		{"project", auth.TokenFilter{ProjectID: f.project.ID}, []auth.DeployToken{a, c}},
		{"group", auth.TokenFilter{GroupID: f.group.ID}, []auth.DeployToken{b}},
		{"absent", auth.TokenFilter{GroupID: 999}, []auth.DeployToken{}},
	}
	for _, tt := range tests {
		got, total, err := f.ListDeployTokens(f.ctx, tt.filter, firstPage)
		ok(f.T, err)
		wantSame(f.T, tt.name, got, tt.want)
		wantSame(f.T, tt.name+": total", int(total), len(tt.want))
	}
	second, total, err := f.ListDeployTokens(f.ctx, auth.TokenFilter{}, registry.Page{Number: 2, Size: 2})
	ok(f.T, err)
	wantSame(f.T, "second page", second, []auth.DeployToken{c})
	wantSame(f.T, "total", total, int64(3))
}

func testTouch(f *fixture) {
	token := f.newDeployToken(auth.DeployToken{Name: "a", ProjectID: f.project.ID, Digest: auth.Digest{1}})
	personal, err := f.CreatePersonalToken(f.ctx, auth.PersonalToken{UserID: f.newUser("maria").ID, Name: "p", Digest: auth.Digest{2}}, f.by)
	ok(f.T, err)
	at := time.Now().UTC().Truncate(time.Microsecond)
	used := map[int64]time.Time{token.ID: at, 999: at}
	ok(f.T, f.Touch(f.ctx, used, map[int64]time.Time{personal.ID: at}))
	// Replicas report in any order.
	ok(f.T, f.Touch(f.ctx, map[int64]time.Time{token.ID: at.Add(-time.Hour)}, nil))
	token, err = f.FindDeployToken(f.ctx, token.ID)
	ok(f.T, err)
	wantSame(f.T, "deploy token", token.LastUsedAt, at)
	personal, err = f.FindPersonalToken(f.ctx, personal.ID)
	ok(f.T, err)
	wantSame(f.T, "personal token", personal.LastUsedAt, at)
}
