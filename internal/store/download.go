package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"pakhus/internal/registry"
)

// day is a date as stored: days since 1970 in UTC.
func day(t time.Time) int64 {
	const seconds = 24 * 60 * 60
	return t.Unix() / seconds
}

// AddDownloads implements registry.Store. Counts of a package that is gone are
// dropped. Counting is no visible change.
func (s *Store) AddDownloads(ctx context.Context, counts []registry.DownloadCount) error {
	// All writers lock the rows in one order, so that none waits for another in a
	// circle.
	counts = slices.SortedFunc(slices.Values(counts), func(a, b registry.DownloadCount) int {
		return cmp.Or(cmp.Compare(a.PackageID, b.PackageID), a.Day.Compare(b.Day), cmp.Compare(a.VersionID, b.VersionID))
	})
	lock := ""
	if s.dialect == postgresDialect {
		lock = "FOR KEY SHARE" // or the package could go before its count arrives
	}
	return s.write(ctx, func(t *tx) error {
		for _, c := range counts {
			err := t.Exec(`INSERT INTO downloads (package_id, day, version_id, count)
				SELECT p.id, ?, ?, ? FROM packages p WHERE p.id = ? `+lock+`
				ON CONFLICT (package_id, day, version_id) DO UPDATE SET count = downloads.count + excluded.count`,
				day(c.Day), c.VersionID, c.Count, c.PackageID).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// SumDownloads implements registry.Store.
func (s *Store) SumDownloads(ctx context.Context, packageID int64, since time.Time) (int64, error) {
	var sum int64
	err := s.read(ctx).Raw("SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM downloads WHERE package_id = ? AND day >= ?", packageID, day(since)).
		Scan(&sum).Error
	return sum, s.fail(ctx, err, "")
}
