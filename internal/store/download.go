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
	totals := sumDays(counts)
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
		for _, c := range totals {
			err := t.Exec(`INSERT INTO download_totals (package_id, version_id, count)
				SELECT p.id, ?, ? FROM packages p WHERE p.id = ? `+lock+`
				ON CONFLICT (package_id, version_id) DO UPDATE SET count = download_totals.count + excluded.count`,
				c.VersionID, c.Count, c.PackageID).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// sumDays adds the days of each version up, in the order of packages and
// versions.
func sumDays(counts []registry.DownloadCount) []registry.DownloadCount {
	type key struct{ packageID, versionID int64 }
	sums := map[key]int64{}
	for _, c := range counts {
		sums[key{c.PackageID, c.VersionID}] += c.Count
	}
	totals := make([]registry.DownloadCount, 0, len(sums))
	for k, n := range sums {
		totals = append(totals, registry.DownloadCount{PackageID: k.packageID, VersionID: k.versionID, Count: n})
	}
	slices.SortFunc(totals, func(a, b registry.DownloadCount) int {
		return cmp.Or(cmp.Compare(a.PackageID, b.PackageID), cmp.Compare(a.VersionID, b.VersionID))
	})
	return totals
}

// FindDownloads implements registry.Store.
func (s *Store) FindDownloads(ctx context.Context, packageIDs []int64) (map[int64]registry.Downloads, error) {
	found := map[int64]registry.Downloads{}
	for part := range slices.Chunk(packageIDs, insertBatch) {
		var rows []struct {
			PackageID  int64
			VersionKey string
			Count      int64
		}
		err := s.read(ctx).Raw(`SELECT d.package_id, COALESCE(v.version_key, '') AS version_key, d.count
			FROM download_totals d LEFT JOIN versions v ON v.id = d.version_id WHERE d.package_id IN ?`, part).Scan(&rows).Error
		if err != nil {
			return nil, s.fail(ctx, err, "")
		}
		for _, row := range rows {
			of, ok := found[row.PackageID]
			if !ok {
				of.Versions = map[string]int64{}
			}
			of.Total += row.Count
			if row.VersionKey != "" {
				of.Versions[row.VersionKey] = row.Count
			}
			found[row.PackageID] = of
		}
	}
	return found, nil
}

// SumDownloads implements registry.Store.
func (s *Store) SumDownloads(ctx context.Context, packageID int64, since time.Time) (int64, error) {
	var sum int64
	err := s.read(ctx).Raw("SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM downloads WHERE package_id = ? AND day >= ?", packageID, day(since)).
		Scan(&sum).Error
	return sum, s.fail(ctx, err, "")
}
