package store_test

import (
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
	"pakhus/internal/store"
)

// hot is what requests of clients do. None of it may read a whole table: its
// cost must not grow with what is stored.
func hot(t *testing.T, w *world) {
	t.Helper()
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w.publish(t, "x", "9.0.0")
	p, blobs := w.publication(t, "x", "9.0.0")
	p.Versions[0].Grow, p.Versions[0].Files[0].Replace = true, true
	p.Tags = []registry.TagChange{{Tag: "t", VersionKey: "1.0.0"}}
	p.Listing.Terms = []string{"changed"}
	p.Notes = []registry.Note{{NoteKey: registry.NoteKey{Kind: "k", VersionKey: "9.0.0", Name: "n"}, Due: time.Now()}}
	p.DropNotes = []registry.NoteKey{{Kind: "k", VersionKey: "9.0.0", Name: "gone"}}
	heads, err := w.SavePublication(ctx, []registry.Publication{p}, blobs)
	check(err)
	head := heads[0]
	_, err = w.SaveEdit(ctx, registry.Edit{
		PackageID: head.ID, Revision: head.Revision, DropTags: []string{"t"}, By: command, Action: "unpublish",
		Versions: []registry.VersionEdit{{VersionID: w.version.ID, Status: registry.Deleted}},
	})
	check(err)
	_, err = w.FindPackages(ctx, registry.NPM, "x")
	check(err)
	_, err = w.ListVersions(ctx, head.ID)
	check(err)
	v, err := w.FindVersion(ctx, head.ID, "9.0.0")
	check(err)
	_, err = w.ListFragments(ctx, head.ID, "full")
	check(err)
	_, err = w.FindFragment(ctx, v.ID, "full")
	check(err)
	_, err = w.ListTags(ctx, head.ID)
	check(err)
	_, err = w.ListFiles(ctx, v.ID)
	check(err)
	file, err := w.FindFile(ctx, head.ID, "x-9.0.0.tgz")
	check(err)
	_, err = w.FindVersionFile(ctx, head.ID, "9.0.0", "x-9.0.0.tgz")
	check(err)
	_, err = w.ListSharedFiles(ctx, registry.Span{ProjectID: w.project.ID}, registry.NPM, "@x", 5)
	check(err)
	_, err = w.ListWithheld(ctx, head.ID)
	check(err)
	_, err = w.ListNotes(ctx, registry.NoteQuery{PackageID: head.ID, Kind: "k", VersionKey: "9.0.0", NotHeld: time.Now()})
	check(err)
	_, err = w.ListPackageKeys(ctx, registry.PackageFilter{Readers: registry.Readers{All: true}, Span: registry.Span{ProjectID: w.project.ID}, Format: registry.NPM}, "a", "z", 5)
	check(err)
	_, err = w.FindBlob(ctx, file.Blob.Digest())
	check(err)
	_, err = w.FindBlobKeys(ctx, []string{file.Blob.Key})
	check(err)
	_, err = w.FindProject(ctx, w.project.ID)
	check(err)
	_, err = w.FindProjectByPath(ctx, "g/p")
	check(err)
	if _, err = w.FindMovedProject(ctx, "g/old"); registry.KindOf(err) != registry.NotFound {
		t.Fatal(err)
	}
	_, err = w.FindGroupByPath(ctx, "g")
	check(err)
	_, err = w.FindSettings(ctx, registry.Span{ProjectID: w.project.ID})
	check(err)
	_, err = w.FindDeployTokenByDigest(ctx, auth.Digest{1})
	check(err)
	_, err = w.FindPersonalTokenByDigest(ctx, auth.Digest{1})
	check(err)
	_, err = w.FindUserByName(ctx, "u")
	check(err)
	_, err = w.ListMemberships(ctx, w.user.ID)
	check(err)
	check(w.Touch(ctx, map[int64]time.Time{w.token.ID: time.Now()}, map[int64]time.Time{w.personal.ID: time.Now()}))
	check(w.AddDownloads(ctx, []registry.DownloadCount{{VersionID: v.ID, PackageID: head.ID, Day: time.Now(), Count: 1}}))
	_, err = w.FindDownloads(ctx, []int64{head.ID})
	check(err)
	_, err = w.SumDownloads(ctx, head.ID, time.Now())
	check(err)
	check(w.SaveStar(ctx, head.ID, "u", true))
	_, err = w.ListStars(ctx, head.ID)
	check(err)
	_, _, err = w.ListPackages(ctx, registry.PackageFilter{Readers: registry.Readers{All: true}, Span: registry.Span{ProjectID: w.project.ID}}, registry.Page{Number: 1, Size: 5})
	check(err)
	_, _, err = w.SearchPackages(ctx, registry.SearchQuery{Readers: registry.Readers{All: true}, Format: registry.NPM, Terms: []string{"x"}, Limit: 5})
	check(err)
}

// TestHotPathsScanNothing asks both databases for the plan of every statement
// of the hot paths.
func TestHotPathsScanNothing(t *testing.T) {
	explain := map[string]string{"sqlite": "EXPLAIN QUERY PLAN ", "postgres": "EXPLAIN "}
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			databaseURL := db.make(t)
			w := newWorld(t, open(t, store.Options{URL: databaseURL}))
			type statement struct {
				sql  string
				args []any
			}
			var statements []statement
			w.Trace(func(sql string, args []any) { statements = append(statements, statement{sql, args}) })
			hot(t, w)
			if len(statements) < 60 {
				t.Fatalf("%d statements traced, want more", len(statements))
			}
			traced := statements // explaining is traced as well
			planner := w.Writer().Begin()
			defer planner.Rollback()
			if db.name == "postgres" { // its tables are too small for an index to pay
				if err := planner.Exec("SET LOCAL enable_seqscan = off").Error; err != nil {
					t.Fatal(err)
				}
			}
			for _, s := range traced {
				for _, line := range plan(t, planner, explain[db.name]+s.sql, s.args) {
					if strings.Contains(line, "Seq Scan") || strings.HasPrefix(line, "SCAN ") && !inMemory(line) {
						t.Errorf("reads a whole table:\n%s\n%s", s.sql, line)
					}
				}
			}
		})
	}
}

// inMemory tells scans of what the statement itself brings.
func inMemory(line string) bool {
	return strings.HasSuffix(line, "CONSTANT ROW") || strings.HasSuffix(line, "VALUES CLAUSE") || strings.Contains(line, "json_each")
}

// plan gives the lines of a plan: the last column of each row, in both databases.
func plan(t *testing.T, db *gorm.DB, sql string, args []any) (lines []string) {
	t.Helper()
	rows, err := db.Statement.ConnPool.QueryContext(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(columns))
		var line string
		for i := range values {
			values[i] = new(any)
		}
		values[len(values)-1] = &line
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}
