package registrytest

import (
	"fmt"
	"time"

	"pakhus/internal/registry"
)

func testListPackages(f *fixture) {
	f.publish("b", "1.0.0")
	f.publish("a", "1.0.0")
	other := f.newProject(registry.Project{GroupID: f.newGroup(registry.Group{Path: "other"}).ID, Path: "p", Visibility: registry.Public})
	p, blobs := f.release("c", "1.0.0")
	p.ProjectID, p.Format = other.ID, registry.NuGet
	_, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	ok(f.T, err)
	tests := []struct {
		name   string
		filter registry.PackageFilter
		want   []string
	}{
		{"nobody", registry.PackageFilter{}, nil},
		{"all by name", registry.PackageFilter{Readers: everything}, []string{"a", "b", "c"}},
		{"format", registry.PackageFilter{Readers: everything, Format: registry.NPM}, []string{"a", "b"}},
		{"project", registry.PackageFilter{Readers: everything, Span: registry.Span{ProjectID: other.ID}}, []string{"c"}},
		{"group", registry.PackageFilter{Readers: everything, Span: registry.Span{GroupID: f.group.ID}}, []string{"a", "b"}},
		{"anonymous", registry.PackageFilter{Readers: registry.Readers{Public: true}}, []string{"c"}},
		{"foreign span", registry.PackageFilter{Readers: registry.Readers{Public: true}, Span: registry.Span{ProjectID: f.project.ID}}, nil},
	}
	for _, tt := range tests {
		got, total, err := f.ListPackages(f.ctx, tt.filter, firstPage)
		ok(f.T, err)
		var names []string
		for _, p := range got {
			names = append(names, p.Name)
		}
		wantSame(f.T, tt.name, names, tt.want)
		wantSame(f.T, tt.name+": total", int(total), len(tt.want))
	}
}

// publishWords publishes a package that search finds by the given words.
func (f *fixture) publishWords(name string, words ...string) {
	f.Helper()
	p, blobs := f.release(name, "1.0.0")
	p.Listing.Terms = words
	_, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
	ok(f.T, err)
}

func testSearch(f *fixture) {
	f.publishWords("alpha", "alpha", "log", "fast")
	f.publishWords("beta", "beta", "logging", "fast", "fast", "")
	f.publishWords("log", "log", "slow")
	f.publishWords("zeta", "log", "fast")
	f.publish("unlisted", "1.0.0")
	tests := []struct {
		name  string
		query registry.SearchQuery
		want  []string
		total int64
	}{
		{"whole words before beginnings, then by name", registry.SearchQuery{Terms: []string{"log"}}, []string{"alpha", "log", "zeta", "beta"}, 4},
		{"the exact key first", registry.SearchQuery{Terms: []string{"log"}, Exact: "log"}, []string{"log", "alpha", "zeta", "beta"}, 4},
		{"an exact key that does not match", registry.SearchQuery{Terms: []string{"slow"}, Exact: "zeta"}, []string{"log"}, 1},
		{"all terms", registry.SearchQuery{Terms: []string{"log", "fast"}}, []string{"alpha", "zeta", "beta"}, 3},
		{"not a term", registry.SearchQuery{Terms: []string{"log"}, Not: []string{"fa"}}, []string{"log"}, 1},
		{"having whole terms", registry.SearchQuery{Terms: []string{"log"}, Having: []string{"fast", "alpha"}}, []string{"alpha"}, 1},
		{"having the beginning of one", registry.SearchQuery{Having: []string{"fas"}}, nil, 0},
		{"having, newest first", registry.SearchQuery{Having: []string{"fast"}}, []string{"zeta", "beta", "alpha"}, 3},
		{"by key", registry.SearchQuery{Terms: []string{"log"}, ByKey: true}, []string{"alpha", "beta", "log", "zeta"}, 4},
		{"all by key", registry.SearchQuery{ByKey: true, Limit: 2, Offset: 3}, []string{"unlisted", "zeta"}, 5},
		{"from a key on", registry.SearchQuery{Terms: []string{"log"}, ByKey: true, From: "bf", Limit: 1}, []string{"log"}, 2},
		{"without a total", registry.SearchQuery{Terms: []string{"log"}, NoTotal: true, Limit: 2}, []string{"alpha", "log"}, 0},
		{"the middle of a word", registry.SearchQuery{Terms: []string{"og"}}, nil, 0},
		{"newest first", registry.SearchQuery{}, []string{"unlisted", "zeta", "log", "beta", "alpha"}, 5},
		{"limit", registry.SearchQuery{Terms: []string{"log"}, Limit: 2}, []string{"alpha", "log"}, 4},
		{"offset", registry.SearchQuery{Terms: []string{"log"}, Offset: 3}, []string{"beta"}, 4},
		{"beyond", registry.SearchQuery{Terms: []string{"log"}, Offset: 30}, nil, 4},
		{"only the total", registry.SearchQuery{Terms: []string{"log"}, Limit: -1}, nil, 4},
		{"another format", registry.SearchQuery{Format: registry.Maven, Terms: []string{"log"}}, nil, 0},
		{"this format", registry.SearchQuery{Format: registry.NPM, Terms: []string{"slow"}}, []string{"log"}, 1},
	}
	for _, tt := range tests {
		tt.query.Readers = everything
		if tt.query.Limit == 0 {
			tt.query.Limit = 20
		}
		found, total, err := f.SearchPackages(f.ctx, tt.query)
		ok(f.T, err)
		var names []string
		for _, p := range found {
			names = append(names, p.Package.Name)
			wantSame(f.T, "summary of "+p.Package.Name, string(p.Summary), "summary 1.0.0")
		}
		wantSame(f.T, tt.name, names, tt.want)
		wantSame(f.T, tt.name+": total", total, tt.total)
	}
}

// testSearchOncePerKey: what several projects have is found once, counted once,
// and pages neither repeat nor miss it.
func testSearchOncePerKey(f *fixture) {
	t := newTree(f)
	for _, p := range []struct {
		project registry.Project
		name    string
		terms   []string
	}{
		{t.private, "log", []string{"log", "all"}},
		{t.private, "logger", []string{"logger", "all"}},
		{t.inner, "log", []string{"log", "logs", "all"}},
		{t.inner, "blog", []string{"log", "all"}},
		{t.public, "logger", []string{"log", "all"}},
		{t.hidden, "log", []string{"log", "all"}},
		{t.hidden, "secret", []string{"log", "all"}},
	} {
		release, blobs := f.release(p.name, "1.0.0")
		release.ProjectID, release.Listing.Terms = p.project.ID, p.terms
		_, err := f.SavePublication(f.ctx, []registry.Publication{release}, blobs)
		ok(f.T, err)
	}
	tests := []struct {
		name  string
		query registry.SearchQuery
		want  []string
	}{
		{"whole words first", registry.SearchQuery{Terms: []string{"log"}}, []string{"log", "blog", "logger"}},
		{"the exact key first", registry.SearchQuery{Terms: []string{"log"}, Exact: "logger"}, []string{"logger", "log", "blog"}},
		{"newest first", registry.SearchQuery{Having: []string{"all"}}, []string{"logger", "blog", "log"}},
		{"by key", registry.SearchQuery{Terms: []string{"log"}, ByKey: true}, []string{"blog", "log", "logger"}},
		{"from a key on", registry.SearchQuery{Terms: []string{"log"}, ByKey: true, From: "log"}, []string{"log", "logger"}},
		{"one project", registry.SearchQuery{Terms: []string{"log"}, Span: registry.Span{ProjectID: t.inner.ID}}, []string{"log", "blog"}},
		{"nobody", registry.SearchQuery{Terms: []string{"log"}, Readers: registry.Readers{Projects: []int64{999}}}, nil},
	}
	for _, tt := range tests {
		q := tt.query
		if len(q.Readers.Projects) == 0 {
			q.Readers = registry.Readers{Groups: []int64{f.group.ID}}
		}
		q.Format, q.OncePerKey = registry.NPM, true
		if q.Span == (registry.Span{}) {
			q.Span.GroupID = f.group.ID
		}
		for size := 1; size <= 4; size++ {
			var names []string
			for q.Offset = 0; q.Offset < 6; q.Offset += size {
				q.Limit = size
				found, total, err := f.SearchPackages(f.ctx, q)
				ok(f.T, err)
				wantSame(f.T, fmt.Sprintf("%s: total at %d", tt.name, q.Offset), int(total), len(tt.want))
				for _, p := range found {
					names = append(names, p.Package.Name)
					wantSame(f.T, "shared: "+p.Package.Name, p.Shared, p.Package.Name != "blog")
				}
			}
			wantSame(f.T, fmt.Sprintf("%s, %d a page", tt.name, size), names, tt.want)
		}
	}
	_, _, err := f.SearchPackages(f.ctx, registry.SearchQuery{OncePerKey: true, Limit: 1})
	if err == nil || registry.KindOf(err) != registry.Internal {
		f.Errorf("without terms: %v", err)
	}
}

// testFindByTerm: a term is found whole, in its own project and format only.
func testFindByTerm(f *fixture) {
	f.publishWords("alpha", "log", "\x01twin=alpha\x01")
	f.publishWords("beta", "logging")
	head := f.head("alpha")
	for _, tt := range []struct {
		project int64
		format  registry.Format
		term    string
		want    int
	}{
		{head.ProjectID, registry.NPM, "log", 1},
		{head.ProjectID, registry.NPM, "\x01twin=alpha\x01", 1},
		{head.ProjectID, registry.NPM, "logg", 0},
		{head.ProjectID, registry.NPM, "l%", 0},
		{head.ProjectID, registry.Maven, "log", 0},
		{head.ProjectID + 1, registry.NPM, "log", 0},
	} {
		found, err := f.FindPackagesByTerm(f.ctx, tt.project, tt.format, tt.term)
		ok(f.T, err)
		wantSame(f.T, tt.term, len(found), tt.want)
	}
}

// testSearchReach: search shows nobody what he may not read (threat T16).
func testSearchReach(f *fixture) {
	t := newTree(f)
	for i, project := range []registry.Project{t.private, t.inner, t.public, t.hidden} {
		p, blobs := f.release(fmt.Sprintf("pkg%d", i), "1.0.0")
		p.ProjectID, p.Listing.Terms = project.ID, []string{"word"}
		_, err := f.SavePublication(f.ctx, []registry.Publication{p}, blobs)
		ok(f.T, err)
	}
	tests := []struct {
		name    string
		readers registry.Readers
		span    registry.Span
		want    []string
	}{
		{"nobody", registry.Readers{}, registry.Span{}, nil},
		{"anonymous", registry.Readers{Public: true}, registry.Span{}, []string{"pkg2"}},
		{"signed in", registry.Readers{Public: true, Internal: true}, registry.Span{}, []string{"pkg1", "pkg2"}},
		{"group", registry.Readers{Groups: []int64{f.group.ID}}, registry.Span{}, []string{"pkg0", "pkg1", "pkg2"}},
		{"project", registry.Readers{Projects: []int64{t.hidden.ID}}, registry.Span{}, []string{"pkg3"}},
		{"group in a span", registry.Readers{Groups: []int64{f.group.ID}}, registry.Span{GroupID: t.open.ID}, []string{"pkg1", "pkg2"}},
		{"one project", everything, registry.Span{ProjectID: t.hidden.ID}, []string{"pkg3"}},
		{"foreign project", registry.Readers{Public: true}, registry.Span{ProjectID: t.hidden.ID}, nil},
	}
	for _, tt := range tests {
		for _, terms := range [][]string{{"word"}, nil} {
			found, total, err := f.SearchPackages(f.ctx, registry.SearchQuery{Readers: tt.readers, Span: tt.span, Terms: terms, Limit: 10})
			ok(f.T, err)
			var names []string
			for _, p := range found {
				names = append(names, p.Package.Name)
			}
			if terms == nil { // newest first
				for i, j := 0, len(names)-1; i < j; i, j = i+1, j-1 {
					names[i], names[j] = names[j], names[i]
				}
			}
			wantSame(f.T, fmt.Sprintf("%s %v", tt.name, terms), names, tt.want)
			wantSame(f.T, tt.name+": total", int(total), len(tt.want))
		}
	}
}

func testStars(f *fixture) {
	head := f.publish("x", "1.0.0")
	f.publish("a", "1.0.0")
	ok(f.T, f.SaveStar(f.ctx, head.ID, "maria", true))
	ok(f.T, f.SaveStar(f.ctx, head.ID, "adam", true))
	wantSame(f.T, "revision", f.head("x").Revision, head.Revision+2)
	ok(f.T, f.SaveStar(f.ctx, head.ID, "maria", true))
	wantSame(f.T, "revision after a star that was there", f.head("x").Revision, head.Revision+2)
	users, err := f.ListStars(f.ctx, head.ID)
	ok(f.T, err)
	wantSame(f.T, "stars", users, []string{"adam", "maria"})
	ok(f.T, f.SaveStar(f.ctx, f.head("a").ID, "maria", true))
	starred, err := f.ListStarred(f.ctx, registry.NPM, "maria")
	ok(f.T, err)
	wantSame(f.T, "starred", starred, []registry.Package{f.head("a"), f.head("x")})
	ok(f.T, f.SaveStar(f.ctx, head.ID, "maria", false))
	ok(f.T, f.SaveStar(f.ctx, head.ID, "maria", false))
	wantSame(f.T, "revision after the star went", f.head("x").Revision, head.Revision+3)
	starred, err = f.ListStarred(f.ctx, registry.NPM, "maria")
	ok(f.T, err)
	wantSame(f.T, "starred", starred, []registry.Package{f.head("a")})
	none, err := f.ListStarred(f.ctx, registry.NuGet, "maria")
	ok(f.T, err)
	wantSame(f.T, "another format", len(none), 0)
	wantFailure(f.T, "absent package", f.SaveStar(f.ctx, 999, "maria", true), registry.NotFound)
}

func testDownloads(f *fixture) {
	head := f.publish("x", "1.0.0")
	version := f.version(head, "1.0.0")
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	count := func(day time.Time, n int64) registry.DownloadCount {
		return registry.DownloadCount{VersionID: version.ID, PackageID: head.ID, Day: day, Count: n}
	}
	ok(f.T, f.AddDownloads(f.ctx, []registry.DownloadCount{
		count(monday, 3), count(monday.AddDate(0, 0, 1), 4), {VersionID: 1, PackageID: 999, Day: monday, Count: 5},
	}))
	ok(f.T, f.AddDownloads(f.ctx, []registry.DownloadCount{count(monday, 10)}))
	ok(f.T, f.AddDownloads(f.ctx, nil))
	for days, want := range map[int]int64{-1: 17, 0: 17, 1: 4, 2: 0} {
		sum, err := f.SumDownloads(f.ctx, head.ID, monday.AddDate(0, 0, days))
		ok(f.T, err)
		wantSame(f.T, fmt.Sprintf("since day %d", days), sum, want)
	}
	f.publish("x", "2.0.0")
	f.publish("y", "1.0.0")
	second := f.version(head, "2.0.0")
	ok(f.T, f.AddDownloads(f.ctx, []registry.DownloadCount{
		{VersionID: second.ID, PackageID: head.ID, Day: monday, Count: 2}, {VersionID: 12345, PackageID: head.ID, Day: monday, Count: 1},
	}))
	found, err := f.FindDownloads(f.ctx, []int64{head.ID, f.head("y").ID, 999})
	ok(f.T, err)
	wantSame(f.T, "of all days", found, map[int64]registry.Downloads{head.ID: {Total: 20, Versions: map[string]int64{"1.0.0": 17, "2.0.0": 2}}})
	found, err = f.FindDownloads(f.ctx, nil)
	ok(f.T, err)
	wantSame(f.T, "of nothing", len(found), 0)
	head = f.head("x")
	ok(f.T, f.AddDownloads(f.ctx, []registry.DownloadCount{count(monday, 1)}))
	sum, err := f.SumDownloads(f.ctx, 999, monday)
	ok(f.T, err)
	wantSame(f.T, "absent package", sum, int64(0))
	wantSame(f.T, "counting is no visible change", f.head("x").Revision, head.Revision)
}
