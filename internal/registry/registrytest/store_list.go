package registrytest

import (
	"fmt"
	"math"
	"slices"

	"pakhus/internal/registry"
)

// tree is a small namespace with projects of each visibility.
type tree struct {
	secret, open registry.Group // open is below acme, secret apart
	private, inner, public,
	hidden registry.Project
}

func newTree(f *fixture) tree {
	var t tree
	t.open = f.newGroup(registry.Group{ParentID: f.group.ID, Path: "open"})
	t.secret = f.newGroup(registry.Group{Path: "secret"})
	t.private = f.project
	t.inner = f.newProject(registry.Project{GroupID: t.open.ID, Path: "inner", Visibility: registry.InternalOnly})
	t.public = f.newProject(registry.Project{GroupID: t.open.ID, Path: "public", Visibility: registry.Public})
	t.hidden = f.newProject(registry.Project{GroupID: t.secret.ID, Path: "hidden", Name: "100% a_b"})
	// The id path of this one begins like that of acme: /1 and /10 must not mix.
	for i := range 12 {
		f.newGroup(registry.Group{Path: fmt.Sprintf("filler-%d", i)})
	}
	return t
}

func testListProjects(f *fixture) {
	t := newTree(f)
	all := []string{"acme/demo", "acme/open/inner", "acme/open/public", "secret/hidden"}
	readers := registry.Readers{All: true}
	tests := []struct {
		name   string
		filter registry.ProjectFilter
		want   []string
	}{
		{"nobody", registry.ProjectFilter{}, nil},
		{"administrator", registry.ProjectFilter{Readers: readers}, all},
		{"anonymous", registry.ProjectFilter{Readers: registry.Readers{Public: true}}, []string{"acme/open/public"}},
		{"signed in", registry.ProjectFilter{Readers: registry.Readers{Public: true, Internal: true}}, []string{"acme/open/inner", "acme/open/public"}},
		{"of a group", registry.ProjectFilter{Readers: registry.Readers{Groups: []int64{f.group.ID}}}, all[:3]},
		{"of a group below", registry.ProjectFilter{Readers: registry.Readers{Groups: []int64{t.open.ID}}}, all[1:3]},
		{"of a project", registry.ProjectFilter{Readers: registry.Readers{Projects: []int64{t.hidden.ID}}}, all[3:]},
		{"of both", registry.ProjectFilter{Readers: registry.Readers{Groups: []int64{t.open.ID}, Projects: []int64{t.hidden.ID}}}, all[1:]},
		{"span of a group", registry.ProjectFilter{Readers: readers, Span: registry.Span{GroupID: f.group.ID}}, all[:3]},
		{"span of a project", registry.ProjectFilter{Readers: readers, Span: registry.Span{ProjectID: t.inner.ID}}, all[1:2]},
		{"span without right", registry.ProjectFilter{Readers: registry.Readers{Public: true}, Span: registry.Span{ProjectID: t.inner.ID}}, nil},
		{"absent group", registry.ProjectFilter{Readers: readers, Span: registry.Span{GroupID: 9999}}, nil},
		{"direct children", registry.ProjectFilter{Readers: readers, ParentID: f.group.ID}, all[:1]},
		{"visibility", registry.ProjectFilter{Readers: readers, Visibility: registry.InternalOnly}, all[1:2]},
		{"search the path", registry.ProjectFilter{Readers: readers, Search: "NNE"}, all[1:2]},
		{"search the name", registry.ProjectFilter{Readers: readers, Search: "A_B"}, all[3:]},
		{"search a percent sign", registry.ProjectFilter{Readers: readers, Search: "%"}, all[3:]},
		{"search no wildcard", registry.ProjectFilter{Readers: readers, Search: "d_m"}, nil},
		{"search a quote", registry.ProjectFilter{Readers: readers, Search: `' OR 1=1 --`}, nil},
	}
	for _, tt := range tests {
		got, total, err := f.ListProjects(f.ctx, tt.filter, firstPage)
		ok(f.T, err)
		var paths []string
		for _, p := range got {
			paths = append(paths, p.FullPath)
		}
		wantSame(f.T, tt.name, paths, tt.want)
		wantSame(f.T, tt.name+": total", int(total), len(tt.want))
	}
}

func testListGroups(f *fixture) {
	t := newTree(f)
	tests := []struct {
		name   string
		filter registry.GroupFilter
		want   []string
	}{
		{"nobody", registry.GroupFilter{}, nil},
		{"anonymous: a public project below", registry.GroupFilter{Readers: registry.Readers{Public: true}}, []string{"acme", "acme/open"}},
		{"covered", registry.GroupFilter{Readers: registry.Readers{Groups: []int64{t.secret.ID}}}, []string{"secret"}},
		{"covered from above", registry.GroupFilter{Readers: registry.Readers{Groups: []int64{f.group.ID}}}, []string{"acme", "acme/open"}},
		{"holds a project of mine", registry.GroupFilter{Readers: registry.Readers{Projects: []int64{t.inner.ID}}}, []string{"acme", "acme/open"}},
		{"children", registry.GroupFilter{Readers: everything, ParentID: f.group.ID}, []string{"acme/open"}},
		{"search", registry.GroupFilter{Readers: everything, Search: "CRE"}, []string{"secret"}},
	}
	for _, tt := range tests {
		got, total, err := f.ListGroups(f.ctx, tt.filter, firstPage)
		ok(f.T, err)
		var paths []string
		for _, g := range got {
			paths = append(paths, g.FullPath)
		}
		wantSame(f.T, tt.name, paths, tt.want)
		wantSame(f.T, tt.name+": total", int(total), len(tt.want))
	}
	shown := f.newGroup(registry.Group{Path: "shown", Visibility: registry.Public})
	got, _, err := f.ListGroups(f.ctx, registry.GroupFilter{Readers: registry.Readers{Public: true}}, firstPage)
	ok(f.T, err)
	if !slices.ContainsFunc(got, func(g registry.Group) bool { return g.ID == shown.ID }) {
		f.Error("a public group without projects is not listed")
	}
}

func testPages(f *fixture) {
	for i := range 4 { // with demo: five
		f.newProject(registry.Project{GroupID: f.group.ID, Path: fmt.Sprintf("p%d", i)})
	}
	var seen []string
	for number := 1; number <= 4; number++ {
		got, total, err := f.ListProjects(f.ctx, registry.ProjectFilter{Readers: everything}, registry.Page{Number: number, Size: 2})
		ok(f.T, err)
		wantSame(f.T, "total", total, int64(5))
		for _, p := range got {
			seen = append(seen, p.Path)
		}
	}
	wantSame(f.T, "all pages", seen, []string{"demo", "p0", "p1", "p2", "p3"})
	for _, page := range []registry.Page{{Number: math.MaxInt, Size: math.MaxInt}, {Number: math.MaxInt, Size: 1}, {Number: 1000, Size: 100}} {
		got, total, err := f.ListProjects(f.ctx, registry.ProjectFilter{Readers: everything}, page)
		ok(f.T, err)
		wantSame(f.T, fmt.Sprintf("page %+v", page), len(got), 0)
		wantSame(f.T, "total", total, int64(5))
	}
	got, _, err := f.ListProjects(f.ctx, registry.ProjectFilter{Readers: everything}, registry.Page{Number: -3, Size: 2})
	ok(f.T, err)
	wantSame(f.T, "a page before the first", len(got), 2)
}
