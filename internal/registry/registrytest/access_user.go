package registrytest

import (
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

func testUsers(f *fixture) {
	made, err := f.CreateUser(f.ctx, auth.User{Username: "Maria", Name: "M", Email: "m@example.org", PasswordHash: "$h", Admin: true}, f.by)
	ok(f.T, err)
	wantFresh(f.T, "user", made.CreatedAt)
	want := auth.User{
		ID: made.ID, Username: "Maria", Name: "M", Email: "m@example.org", PasswordHash: "$h", Admin: true, CreatedAt: made.CreatedAt,
	}
	wantSame(f.T, "made", made, want)
	byName, err := f.FindUserByName(f.ctx, "mARIA")
	ok(f.T, err)
	wantSame(f.T, "by name in another case", byName, want)
	byID, err := f.FindUser(f.ctx, made.ID)
	ok(f.T, err)
	wantSame(f.T, "by id", byID, want)
	_, err = f.CreateUser(f.ctx, auth.User{Username: "MARIA"}, f.by)
	wantFailure(f.T, "name taken in another case", err, registry.Conflict)
	for _, absent := range []string{"mari", "mari_", "%"} {
		_, err = f.FindUserByName(f.ctx, absent)
		wantFailure(f.T, "absent name "+absent, err, registry.NotFound)
	}
	_, err = f.FindUser(f.ctx, 999)
	wantFailure(f.T, "absent id", err, registry.NotFound)

	blocked := time.Now().UTC().Truncate(time.Microsecond)
	change := auth.User{ID: made.ID, Username: "ignored", Name: "N", Email: "", PasswordHash: "$i", Admin: false, BlockedAt: blocked}
	updated, err := f.UpdateUser(f.ctx, change, f.by)
	ok(f.T, err)
	change.Username, change.CreatedAt = "Maria", made.CreatedAt
	wantSame(f.T, "updated", updated, change)
	found, err := f.FindUser(f.ctx, made.ID)
	ok(f.T, err)
	wantSame(f.T, "found", found, change)
	_, err = f.UpdateUser(f.ctx, auth.User{ID: 999}, f.by)
	wantFailure(f.T, "update an absent one", err, registry.NotFound)

	second := f.newUser("adam")
	users, total, err := f.ListUsers(f.ctx, firstPage)
	ok(f.T, err)
	wantSame(f.T, "by id", users, []auth.User{change, second})
	wantSame(f.T, "total", total, int64(2))
}

// testSessions: what a login gave does not outlive the password (threat I5).
func testSessions(f *fixture) {
	user := f.newUser("maria")
	digest := byte(0)
	login := func(of auth.User, session bool) auth.PersonalToken {
		digest++
		token, err := f.CreatePersonalToken(f.ctx, auth.PersonalToken{UserID: of.ID, Name: "t", Session: session, Digest: auth.Digest{digest}}, f.by)
		ok(f.T, err)
		return token
	}
	revoked := func(token auth.PersonalToken) bool {
		found, err := f.FindPersonalToken(f.ctx, token.ID)
		ok(f.T, err)
		return !found.RevokedAt.IsZero()
	}
	update := func(change func(*auth.User)) {
		change(&user)
		updated, err := f.UpdateUser(f.ctx, user, f.by)
		ok(f.T, err)
		user = updated
	}
	stranger := login(f.newUser("adam"), true)
	lasting := login(user, false)
	first := login(user, true)
	update(func(u *auth.User) { u.Name = "Maria" })
	wantSame(f.T, "session after a new name", revoked(first), false)
	update(func(u *auth.User) { u.PasswordHash = "$new" })
	wantSame(f.T, "session after a new password", revoked(first), true)
	second := login(user, true)
	update(func(u *auth.User) { u.BlockedAt = time.Now() })
	wantSame(f.T, "session after a block", revoked(second), true)
	update(func(u *auth.User) { u.BlockedAt = time.Time{} })
	third := login(user, true)
	update(func(u *auth.User) { u.Admin = true })
	wantSame(f.T, "session after that", revoked(third), false)
	wantSame(f.T, "made by hand", revoked(lasting), false)
	wantSame(f.T, "of another user", revoked(stranger), false)
}

func testPersonalTokens(f *fixture) {
	user, other := f.newUser("maria"), f.newUser("adam")
	expires := time.Date(2030, 5, 6, 0, 0, 0, 0, time.UTC)
	made, err := f.CreatePersonalToken(f.ctx, auth.PersonalToken{
		UserID: user.ID, Name: "n", Scopes: []string{"api", "read_api"}, Session: true, Digest: auth.Digest{1}, ExpiresAt: expires,
	}, f.by)
	ok(f.T, err)
	wantFresh(f.T, "token", made.CreatedAt)
	want := auth.PersonalToken{
		ID: made.ID, UserID: user.ID, Name: "n", Scopes: []string{"api", "read_api"}, Session: true, Digest: auth.Digest{1},
		ExpiresAt: expires, CreatedAt: made.CreatedAt,
	}
	wantSame(f.T, "made", made, want)
	byID, err := f.FindPersonalToken(f.ctx, made.ID)
	ok(f.T, err)
	wantSame(f.T, "by id", byID, want)
	byDigest, err := f.FindPersonalTokenByDigest(f.ctx, made.Digest)
	ok(f.T, err)
	wantSame(f.T, "by digest", byDigest, want)
	_, err = f.CreatePersonalToken(f.ctx, auth.PersonalToken{UserID: other.ID, Digest: auth.Digest{1}}, f.by)
	wantFailure(f.T, "digest taken", err, registry.Conflict)
	_, err = f.CreatePersonalToken(f.ctx, auth.PersonalToken{UserID: 999, Digest: auth.Digest{2}}, f.by)
	wantFailure(f.T, "absent user", err, registry.NotFound)
	_, err = f.FindPersonalTokenByDigest(f.ctx, auth.Digest{9})
	wantFailure(f.T, "absent digest", err, registry.NotFound)

	_, err = f.CreatePersonalToken(f.ctx, auth.PersonalToken{UserID: other.ID, Name: "o", Digest: auth.Digest{3}}, f.by)
	ok(f.T, err)
	at := time.Now().UTC().Truncate(time.Microsecond)
	ok(f.T, f.RevokePersonalToken(f.ctx, made.ID, at, f.by))
	ok(f.T, f.RevokePersonalToken(f.ctx, made.ID, at.Add(time.Hour), f.by))
	want.RevokedAt = at
	listed, total, err := f.ListPersonalTokens(f.ctx, user.ID, firstPage)
	ok(f.T, err)
	wantSame(f.T, "of one user", listed, []auth.PersonalToken{want})
	wantSame(f.T, "total", total, int64(1))
	wantFailure(f.T, "revoke an absent one", f.RevokePersonalToken(f.ctx, 999, at, f.by), registry.NotFound)
}

func testMemberships(f *fixture) {
	maria, adam := f.newUser("maria"), f.newUser("adam")
	save := func(m auth.Membership) error { return f.SaveMembership(f.ctx, m, f.by) }
	ok(f.T, save(auth.Membership{UserID: maria.ID, GroupID: f.group.ID, Role: auth.Guest}))
	ok(f.T, save(auth.Membership{UserID: maria.ID, GroupID: f.group.ID, Role: auth.Owner}))
	ok(f.T, save(auth.Membership{UserID: maria.ID, ProjectID: f.project.ID, Role: auth.Reporter}))
	ok(f.T, save(auth.Membership{UserID: adam.ID, GroupID: f.group.ID, Role: auth.Developer}))
	type role struct {
		user             string
		group, projectID int64
		role             auth.Role
	}
	roles := func(members []auth.Membership, err error) []role {
		f.Helper()
		ok(f.T, err)
		var out []role
		for _, m := range members {
			out = append(out, role{m.Username, m.GroupID, m.ProjectID, m.Role})
		}
		return out
	}
	inGroup, inProject := role{"maria", f.group.ID, 0, auth.Owner}, role{"maria", 0, f.project.ID, auth.Reporter}
	same := func(what string, got, want []role) {
		f.Helper()
		if len(got) != len(want) {
			f.Fatalf("%s: %+v, want %+v", what, got, want)
		}
		for _, w := range want {
			found := false
			for _, g := range got {
				found = found || g == w
			}
			if !found {
				f.Errorf("%s: %+v is not in %+v", what, w, got)
			}
		}
	}
	same("of maria", roles(f.ListMemberships(f.ctx, maria.ID)), []role{inGroup, inProject})
	same("of the group", roles(f.ListMembers(f.ctx, registry.Span{GroupID: f.group.ID})), []role{inGroup, {"adam", f.group.ID, 0, auth.Developer}})
	same("of the project", roles(f.ListMembers(f.ctx, registry.Span{ProjectID: f.project.ID})), []role{inProject})

	ok(f.T, f.DeleteMembership(f.ctx, auth.Membership{UserID: maria.ID, GroupID: f.group.ID}, f.by))
	same("after removing one", roles(f.ListMemberships(f.ctx, maria.ID)), []role{inProject})
	err := f.DeleteMembership(f.ctx, auth.Membership{UserID: maria.ID, GroupID: f.group.ID}, f.by)
	wantFailure(f.T, "remove again", err, registry.NotFound)
	wantFailure(f.T, "absent user", save(auth.Membership{UserID: 999, GroupID: f.group.ID, Role: auth.Guest}), registry.NotFound)
	wantFailure(f.T, "absent project", save(auth.Membership{UserID: adam.ID, ProjectID: 999, Role: auth.Guest}), registry.NotFound)
	wantFailure(f.T, "no place", save(auth.Membership{UserID: adam.ID, Role: auth.Guest}), registry.Invalid)
}
