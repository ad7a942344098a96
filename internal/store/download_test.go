package store_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pakhus/internal/registry"
	"pakhus/internal/store"
)

// A database that has counted by the day before gets the same totals as one that
// has kept both from the beginning.
func TestMigrationSumsDownloads(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			w := newWorld(t, open(t, store.Options{URL: db.make(t)}))
			monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
			for day := range 3 {
				err := w.AddDownloads(t.Context(), []registry.DownloadCount{
					{PackageID: w.head.ID, VersionID: w.version.ID, Day: monday.AddDate(0, 0, day), Count: 5},
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			want, err := w.FindDownloads(t.Context(), []int64{w.head.ID})
			if err != nil || want[w.head.ID].Total != 15 {
				t.Fatalf("%v, %v", want, err)
			}
			migration, err := os.ReadFile("migrations/" + db.name + "/0006_download_totals.sql")
			if err != nil {
				t.Fatal(err)
			}
			for statement := range strings.SplitSeq("DROP TABLE download_totals;\n"+strings.TrimSpace(string(migration)), ";\n") {
				if err := w.Writer().Exec(statement).Error; err != nil {
					t.Fatal(err)
				}
			}
			got, err := w.FindDownloads(t.Context(), []int64{w.head.ID})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
