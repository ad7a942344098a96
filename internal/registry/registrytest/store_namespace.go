package registrytest

import (
	"fmt"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

func testGroups(f *fixture) {
	sub := f.newGroup(registry.Group{ParentID: f.group.ID, Path: "Sub", Name: "A name", Description: "text", Visibility: registry.InternalOnly})
	want := registry.Group{
		ID: sub.ID, ParentID: f.group.ID, Name: "A name", Path: "Sub", FullPath: "acme/Sub", Description: "text",
		Visibility: registry.InternalOnly, Ancestors: []int64{f.group.ID, sub.ID}, CreatedAt: sub.CreatedAt,
	}
	wantSame(f.T, "created", sub, want)
	wantFresh(f.T, "group", sub.CreatedAt)
	wantSame(f.T, "top", f.group.Ancestors, []int64{f.group.ID})
	byID, err := f.FindGroup(f.ctx, sub.ID)
	ok(f.T, err)
	wantSame(f.T, "by id", byID, want)
	byPath, err := f.FindGroupByPath(f.ctx, "ACME/sUB")
	ok(f.T, err)
	wantSame(f.T, "by path in another case", byPath, want)

	_, err = f.FindGroup(f.ctx, sub.ID+1000)
	wantFailure(f.T, "absent id", err, registry.NotFound)
	_, err = f.FindGroupByPath(f.ctx, "acme/other")
	wantFailure(f.T, "absent path", err, registry.NotFound)
	_, err = f.CreateGroup(f.ctx, registry.Group{ParentID: f.group.ID, Path: "sub", Visibility: registry.Private}, f.by)
	wantFailure(f.T, "path that differs in case", err, registry.Conflict)
	_, err = f.CreateGroup(f.ctx, registry.Group{ParentID: sub.ID + 1000, Path: "x", Visibility: registry.Private}, f.by)
	wantFailure(f.T, "absent parent", err, registry.NotFound)
}

func testChosenIDs(f *fixture) {
	chosen := f.newGroup(registry.Group{ID: 4000, Path: "chosen"})
	wantSame(f.T, "group id", chosen.ID, int64(4000))
	if next := f.newGroup(registry.Group{Path: "next"}); next.ID <= 4000 {
		f.Errorf("next group id = %d, want more than 4000", next.ID)
	}
	low := f.newGroup(registry.Group{ID: 3000, Path: "low"}) // must not move the sequence back
	if next := f.newGroup(registry.Group{Path: "after-low"}); next.ID <= 4000 {
		f.Errorf("group id after %d = %d, want more than 4000", low.ID, next.ID)
	}
	_, err := f.CreateGroup(f.ctx, registry.Group{ID: 4000, Path: "again", Visibility: registry.Private}, f.by)
	wantFailure(f.T, "group id taken", err, registry.Conflict)
	_, err = f.FindGroupByPath(f.ctx, "again")
	wantFailure(f.T, "path of the failed group", err, registry.NotFound)

	project := f.newProject(registry.Project{ID: 77, GroupID: chosen.ID, Path: "p"})
	wantSame(f.T, "project id", project.ID, int64(77))
	if next := f.newProject(registry.Project{GroupID: chosen.ID, Path: "q"}); next.ID <= 77 {
		f.Errorf("next project id = %d, want more than 77", next.ID)
	}
	_, err = f.CreateProject(f.ctx, registry.Project{ID: 77, GroupID: chosen.ID, Path: "r", Visibility: registry.Private}, f.by)
	wantFailure(f.T, "project id taken", err, registry.Conflict)
	for _, id := range []int64{-1, 1 << 62} {
		_, err = f.CreateGroup(f.ctx, registry.Group{ID: id, Path: "bad", Visibility: registry.Private}, f.by)
		wantFailure(f.T, fmt.Sprintf("id %d", id), err, registry.Invalid)
	}
	// Ids are not given again: old URLs and tokens must not reach something new.
	last := f.newProject(registry.Project{GroupID: chosen.ID, Path: "last"})
	ok(f.T, f.DeleteProject(f.ctx, last.ID, f.by))
	if next := f.newProject(registry.Project{GroupID: chosen.ID, Path: "last"}); next.ID <= last.ID {
		f.Errorf("id %d after deleting %d, want a new one", next.ID, last.ID)
	}
}

func testProjects(f *fixture) {
	made := f.newProject(registry.Project{GroupID: f.group.ID, Path: "Tool", Name: "A tool", Description: "text", Visibility: registry.Public})
	want := registry.Project{
		ID: made.ID, GroupID: f.group.ID, Name: "A tool", Path: "Tool", FullPath: "acme/Tool", Description: "text",
		Visibility: registry.Public, Ancestors: []int64{f.group.ID}, CreatedAt: made.CreatedAt, UpdatedAt: made.CreatedAt,
	}
	wantSame(f.T, "created", made, want)
	wantFresh(f.T, "project", made.CreatedAt)
	byID, err := f.FindProject(f.ctx, made.ID)
	ok(f.T, err)
	wantSame(f.T, "by id", byID, want)
	byPath, err := f.FindProjectByPath(f.ctx, "Acme/tOOL")
	ok(f.T, err)
	wantSame(f.T, "by path in another case", byPath, want)

	made.Name, made.Description, made.Visibility = "New", "", registry.Private
	made.Path, made.GroupID = "ignored", 999
	updated, err := f.UpdateProject(f.ctx, made, f.by)
	ok(f.T, err)
	want.Name, want.Description, want.Visibility, want.UpdatedAt = "New", "", registry.Private, updated.UpdatedAt
	wantSame(f.T, "updated", updated, want)
	found, err := f.FindProject(f.ctx, made.ID)
	ok(f.T, err)
	wantSame(f.T, "found after update", found, want)

	_, err = f.FindProject(f.ctx, 12345)
	wantFailure(f.T, "absent id", err, registry.NotFound)
	_, err = f.FindProjectByPath(f.ctx, "acme")
	wantFailure(f.T, "a group's path", err, registry.NotFound)
	_, err = f.UpdateProject(f.ctx, registry.Project{ID: 12345}, f.by)
	wantFailure(f.T, "update of an absent one", err, registry.NotFound)
	_, err = f.CreateProject(f.ctx, registry.Project{GroupID: 12345, Path: "x", Visibility: registry.Private}, f.by)
	wantFailure(f.T, "absent group", err, registry.NotFound)
}

func testOneSetOfPaths(f *fixture) {
	_, err := f.CreateGroup(f.ctx, registry.Group{ParentID: f.group.ID, Path: "DEMO", Visibility: registry.Private}, f.by)
	wantFailure(f.T, "group with a project's path", err, registry.Conflict)
	f.newGroup(registry.Group{ParentID: f.group.ID, Path: "sub"})
	_, err = f.CreateProject(f.ctx, registry.Project{GroupID: f.group.ID, Path: "Sub", Visibility: registry.Private}, f.by)
	wantFailure(f.T, "project with a group's path", err, registry.Conflict)
	_, err = f.MoveProject(f.ctx, f.project.ID, registry.Project{GroupID: f.group.ID, Path: "SUB"}, f.by)
	wantFailure(f.T, "move to a group's path", err, registry.Conflict)
	ok(f.T, f.DeleteProject(f.ctx, f.project.ID, f.by))
	f.newGroup(registry.Group{ParentID: f.group.ID, Path: "demo"}) // the path is free again
}

func testMoveProject(f *fixture) {
	other := f.newGroup(registry.Group{Path: "other"})
	deep := f.newGroup(registry.Group{ParentID: other.ID, Path: "deep"})
	moved, err := f.MoveProject(f.ctx, f.project.ID, registry.Project{GroupID: deep.ID, Path: "Renamed"}, f.by)
	ok(f.T, err)
	wantSame(f.T, "path", moved.FullPath, "other/deep/Renamed")
	wantSame(f.T, "ancestors", moved.Ancestors, []int64{other.ID, deep.ID})
	wantSame(f.T, "name", moved.Name, f.project.Name)
	found, err := f.FindProjectByPath(f.ctx, "other/deep/renamed")
	ok(f.T, err)
	wantSame(f.T, "found", found, moved)
	_, err = f.FindProjectByPath(f.ctx, "acme/demo")
	wantFailure(f.T, "old path", err, registry.NotFound)
	for group, want := range map[int64]int{f.group.ID: 0, other.ID: 1, deep.ID: 1} {
		below, _, err := f.ListProjects(f.ctx, registry.ProjectFilter{Readers: registry.Readers{Groups: []int64{group}}}, firstPage)
		ok(f.T, err)
		wantSame(f.T, "projects that a reader of one group sees", len(below), want)
	}
	f.newProject(registry.Project{GroupID: f.group.ID, Path: "demo"}) // the old path is free
	_, err = f.MoveProject(f.ctx, f.project.ID, registry.Project{GroupID: f.group.ID, Path: "demo"}, f.by)
	wantFailure(f.T, "move to a taken path", err, registry.Conflict)
	_, err = f.MoveProject(f.ctx, 12345, registry.Project{GroupID: f.group.ID, Path: "x"}, f.by)
	wantFailure(f.T, "move of an absent one", err, registry.NotFound)
	_, err = f.MoveProject(f.ctx, f.project.ID, registry.Project{GroupID: 12345, Path: "x"}, f.by)
	wantFailure(f.T, "move to an absent group", err, registry.NotFound)
}

func testFindMovedProject(f *fixture) {
	wantMoved := func(what, path string, want registry.Project) {
		f.Helper()
		found, err := f.FindMovedProject(f.ctx, path)
		if want.ID == 0 {
			wantFailure(f.T, what, err, registry.NotFound)
			return
		}
		ok(f.T, err)
		wantSame(f.T, what, found, want)
	}
	move := func(id int64, path string) registry.Project {
		f.Helper()
		moved, err := f.MoveProject(f.ctx, id, registry.Project{GroupID: f.group.ID, Path: path}, f.by)
		ok(f.T, err)
		return moved
	}
	none := registry.Project{}
	wantMoved("never moved", "acme/demo", none)
	move(f.project.ID, "DEMO")
	wantMoved("another spelling is no move", "acme/demo", none)
	second := move(f.project.ID, "second")
	wantMoved("moved", "Acme/dEmo", second)
	wantMoved("the path of now", "acme/second", none)
	third := move(f.project.ID, "third")
	wantMoved("first of two moves", "acme/demo", third)
	wantMoved("second of two moves", "acme/second", third)

	taker := f.newProject(registry.Project{GroupID: f.group.ID, Path: "Demo"})
	wantMoved("taken by a new project", "acme/demo", none)
	away := move(taker.ID, "away")
	wantMoved("left by the one that took it", "acme/demo", away)
	taker = move(taker.ID, "second")
	wantMoved("taken by a moved project", "acme/second", none)
	wantMoved("of the one that moved on", "acme/demo", taker)
	f.newGroup(registry.Group{ParentID: f.group.ID, Path: "away"})
	wantMoved("taken by a group", "acme/away", none)

	back := move(f.project.ID, "demo")
	wantMoved("moved back", "acme/demo", none)
	wantMoved("left again", "acme/third", back)
	ok(f.T, f.DeleteProject(f.ctx, f.project.ID, f.by))
	wantMoved("deleted", "acme/third", none)
	f.newProject(registry.Project{GroupID: f.group.ID, Path: "third"})
}

func testDeleteProject(f *fixture) {
	head := f.publish("x", "1.0.0")
	user := f.newUser("maria")
	token := f.newDeployToken(auth.DeployToken{ProjectID: f.project.ID, Name: "t", Digest: auth.Digest{1}})
	groupToken := f.newDeployToken(auth.DeployToken{GroupID: f.group.ID, Name: "g", Digest: auth.Digest{2}})
	ok(f.T, f.SaveMembership(f.ctx, auth.Membership{UserID: user.ID, ProjectID: f.project.ID, Role: auth.Developer}, f.by))
	value := "v"
	ok(f.T, f.SaveSetting(f.ctx, registry.Span{ProjectID: f.project.ID}, "k", &value, f.by))
	ok(f.T, f.SaveStar(f.ctx, head.ID, "maria", true))
	ok(f.T, f.AddDownloads(f.ctx, []registry.DownloadCount{{PackageID: head.ID, Day: time.Now(), Count: 1}}))

	ok(f.T, f.DeleteProject(f.ctx, f.project.ID, f.by))
	_, err := f.FindProject(f.ctx, f.project.ID)
	wantFailure(f.T, "project", err, registry.NotFound)
	_, err = f.FindDeployToken(f.ctx, token.ID)
	wantFailure(f.T, "its token", err, registry.NotFound)
	_, err = f.FindDeployTokenByDigest(f.ctx, token.Digest)
	wantFailure(f.T, "its token by digest", err, registry.NotFound)
	_, err = f.FindDeployToken(f.ctx, groupToken.ID)
	ok(f.T, err)
	members, err := f.ListMemberships(f.ctx, user.ID)
	ok(f.T, err)
	wantSame(f.T, "memberships", len(members), 0)
	packages, err := f.FindPackages(f.ctx, registry.NPM, "x")
	ok(f.T, err)
	wantSame(f.T, "packages", len(packages), 0)
	_, err = f.FindFile(f.ctx, head.ID, "x-1.0.0.tgz")
	wantFailure(f.T, "file", err, registry.NotFound)
	unused, err := f.ListUnusedBlobs(f.ctx, time.Now().Add(time.Hour), "", 10)
	ok(f.T, err)
	wantSame(f.T, "blobs left to collect", len(unused), 1)
	wantFailure(f.T, "again", f.DeleteProject(f.ctx, f.project.ID, f.by), registry.NotFound)
	p, blobs := f.release("x", "2.0.0")
	_, err = f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	wantFailure(f.T, "publish to it", err, registry.NotFound)
}

func testDeleteGroup(f *fixture) {
	wantFailure(f.T, "with a project", f.DeleteGroup(f.ctx, f.group.ID, f.by), registry.Conflict)
	top := f.newGroup(registry.Group{Path: "top"})
	sub := f.newGroup(registry.Group{ParentID: top.ID, Path: "sub"})
	wantFailure(f.T, "with a group", f.DeleteGroup(f.ctx, top.ID, f.by), registry.Conflict)
	user := f.newUser("maria")
	token := f.newDeployToken(auth.DeployToken{GroupID: sub.ID, Name: "t", Digest: auth.Digest{1}})
	ok(f.T, f.SaveMembership(f.ctx, auth.Membership{UserID: user.ID, GroupID: sub.ID, Role: auth.Developer}, f.by))
	ok(f.T, f.DeleteGroup(f.ctx, sub.ID, f.by))
	_, err := f.FindDeployToken(f.ctx, token.ID)
	wantFailure(f.T, "its token", err, registry.NotFound)
	members, err := f.ListMemberships(f.ctx, user.ID)
	ok(f.T, err)
	wantSame(f.T, "memberships", len(members), 0)
	ok(f.T, f.DeleteGroup(f.ctx, top.ID, f.by))
	wantFailure(f.T, "again", f.DeleteGroup(f.ctx, top.ID, f.by), registry.NotFound)
	f.newGroup(registry.Group{Path: "TOP"}) // the path is free again
}

func testSettings(f *fixture) {
	atProject, atGroup := registry.Span{ProjectID: f.project.ID}, registry.Span{GroupID: f.group.ID}
	one, two := "one", "two"
	ok(f.T, f.SaveSetting(f.ctx, atProject, "a", &one, f.by))
	ok(f.T, f.SaveSetting(f.ctx, atProject, "a", &two, f.by))
	ok(f.T, f.SaveSetting(f.ctx, atProject, "b", &one, f.by))
	ok(f.T, f.SaveSetting(f.ctx, atGroup, "a", &one, f.by))
	ok(f.T, f.SaveSetting(f.ctx, atProject, "b", nil, f.by))
	ok(f.T, f.SaveSetting(f.ctx, atProject, "never set", nil, f.by))
	for at, want := range map[registry.Span]map[string]string{atProject: {"a": "two"}, atGroup: {"a": "one"}, {ProjectID: 999}: {}} {
		got, err := f.FindSettings(f.ctx, at)
		ok(f.T, err)
		wantSame(f.T, fmt.Sprintf("settings of %+v", at), got, want)
	}
	for key, want := range map[string][]string{"a": {one, two}, "b": {}, "never set": {}} {
		got, err := f.ListSettingValues(f.ctx, key)
		ok(f.T, err)
		wantSame(f.T, "values of "+key, got, want)
	}
	ok(f.T, f.SaveSetting(f.ctx, atProject, "a", &one, f.by))
	got, err := f.ListSettingValues(f.ctx, "a")
	ok(f.T, err)
	wantSame(f.T, "a value that two have", got, []string{one})
	wantFailure(f.T, "of an absent project", f.SaveSetting(f.ctx, registry.Span{ProjectID: 999}, "a", &one, f.by), registry.NotFound)
	wantFailure(f.T, "of nothing", f.SaveSetting(f.ctx, registry.Span{}, "a", &one, f.by), registry.Invalid)
}
