package registry

import (
	"context"
	"time"
)

const (
	// sweepPage is how many rows or keys garbage collection and Check hold at once.
	sweepPage = 500
	// DefaultGrace is how long bytes stay that nothing names. It must be longer
	// than any publish takes between writing its bytes and committing its rows,
	// and than the clocks of machines and bucket are apart.
	DefaultGrace = 24 * time.Hour
)

// GCOptions say what CollectGarbage may remove; the zero value works.
type GCOptions struct {
	// Grace is the least age of what is removed; DefaultGrace when 0.
	Grace time.Duration
	// DryRun removes nothing and reports what would be removed.
	DryRun bool
	// Now is the time of the run; time.Now when zero.
	Now time.Time
}

// GCReport tells what CollectGarbage removed, or would have.
type GCReport struct {
	Blobs       int   // blobs with a row that no file named
	BlobBytes   int64 // their size
	Orphans     int   // blobs in the bucket without a row
	OrphanBytes int64 // their size
	InUse       int   // blobs that a publish took up again meanwhile
}

// cutoff is the time before which everything is old enough to go.
func cutoff(now time.Time, grace time.Duration) time.Time {
	if now.IsZero() {
		now = time.Now()
	}
	if grace == 0 {
		grace = DefaultGrace
	}
	return now.UTC().Add(-grace)
}

// CollectGarbage removes blobs that no file names any more, and bytes in the
// bucket that never got a row: what a crash in the middle of a publish, or two
// publishes of the same bytes at once, leave behind. It may run while servers
// publish, and several may run at once.
//
// It can never remove bytes that somebody is publishing, whatever the order of
// events. The database decides about the row: either a file names it by then,
// and the row stays, or the row goes, and the publish that counted on it is told
// ErrBlobGone and writes the bytes anew, under another key, for no key is ever
// used twice. And bytes whose row is still to come are younger than the grace.
//
// What it removed before a failure stays removed and is reported; another run
// goes on from there. The kinds of failures are those of store and bucket.
func CollectGarbage(ctx context.Context, store BlobStore, blobs Blobs, o GCOptions) (GCReport, error) {
	g := garbage{store: store, blobs: blobs, dryRun: o.DryRun, before: cutoff(o.Now, o.Grace)}
	if err := g.sweepRows(ctx); err != nil {
		return g.report, err
	}
	err := eachOrphan(ctx, store, blobs, g.before, func(b BlobInfo) error {
		if !g.dryRun {
			if err := blobs.Delete(ctx, b.Key); err != nil {
				return err
			}
		}
		g.report.Orphans++
		g.report.OrphanBytes += b.Size
		return nil
	})
	return g.report, err
}

type garbage struct {
	store  BlobStore
	blobs  Blobs
	dryRun bool
	before time.Time
	report GCReport
}

// sweepRows removes blobs that no file names: the row first, since bytes without
// a row are found again, but a row without bytes is a broken package.
func (g *garbage) sweepRows(ctx context.Context) error {
	for after := ""; ; {
		unused, err := g.store.ListUnusedBlobs(ctx, g.before, after, sweepPage)
		if err != nil {
			return err
		}
		for _, b := range unused {
			after = b.Digest()
			if err := g.sweepBlob(ctx, b); err != nil {
				return err
			}
		}
		if len(unused) < sweepPage {
			return nil
		}
	}
}

func (g *garbage) sweepBlob(ctx context.Context, b Blob) error {
	if g.dryRun {
		g.report.Blobs++
		g.report.BlobBytes += b.Size
		return nil
	}
	return g.removeBlob(ctx, b)
}

func (g *garbage) removeBlob(ctx context.Context, b Blob) error {
	err := g.store.DeleteUnusedBlob(ctx, b.Digest())
	switch {
	case err == nil:
	case KindOf(err) == Conflict:
		g.report.InUse++
		return nil
	case KindOf(err) == NotFound: // another run was faster, and removes the bytes
		return nil
	default:
		return err
	}
	if err := g.blobs.Delete(ctx, b.Key); err != nil {
		return err
	}
	g.report.Blobs++
	g.report.BlobBytes += b.Size
	return nil
}

// eachOrphan calls each for everything in the bucket that has no row and was
// there before the given time. An error of each ends it.
func eachOrphan(ctx context.Context, store BlobStore, blobs Blobs, before time.Time, each func(BlobInfo) error) error {
	var page []BlobInfo
	sift := func() error {
		keys := make([]string, len(page))
		for i, b := range page {
			keys[i] = b.Key
		}
		known, err := store.FindBlobKeys(ctx, keys)
		if err != nil {
			return err
		}
		for _, b := range page {
			if known[b.Key] {
				continue
			}
			if err := each(b); err != nil {
				return err
			}
		}
		page = page[:0]
		return nil
	}
	err := blobs.List(ctx, "", func(b BlobInfo) error {
		if !b.Modified.Before(before) {
			return nil
		}
		if page = append(page, b); len(page) < sweepPage {
			return nil
		}
		return sift()
	})
	if err != nil || len(page) == 0 {
		return err
	}
	return sift()
}
