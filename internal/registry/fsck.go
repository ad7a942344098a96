package registry

import (
	"context"
	"crypto/sha256"
	"io"
	"time"
)

// Damage is what Check found to be wrong with a blob.
type Damage string

// The kinds of damage. An orphan is none to speak of: garbage collection removes
// it. The others mean that a package cannot be served as it was published.
const (
	Missing Damage = "missing" // a row without bytes
	Damaged Damage = "damaged" // bytes of another size or digest than the row says
	Orphan  Damage = "orphan"  // bytes without a row
)

// Finding is one blob that is not as it should be.
type Finding struct {
	Damage Damage
	Key    string
	Digest string // SHA-256 in hex; empty for an orphan
	Size   int64  // bytes that the row says, for an orphan those in the bucket
	// Detail says what differs, in words for the operator.
	Detail string
	// Repaired tells that it is in order now.
	Repaired bool
}

// CheckOptions say how Check looks; the zero value reads everything and changes
// nothing.
type CheckOptions struct {
	// Shallow compares sizes only, without reading the bytes.
	Shallow bool
	// Repair removes orphans. Missing and damaged bytes cannot be mended from what
	// is here: restore them from a backup, or publish the package again.
	Repair bool
	// Grace is the least age of an orphan; DefaultGrace when 0. Younger bytes may
	// belong to a publish under way.
	Grace time.Duration
	// Now is the time of the run; time.Now when zero.
	Now time.Time
}

// CheckReport counts what Check looked at.
type CheckReport struct {
	Blobs    int   // rows
	Bytes    int64 // that were read
	Findings int
	Repaired int
}

// Check compares the rows about blobs with the bucket, both ways, and calls each
// for every finding. It may run while servers publish and while garbage is
// collected. A database or bucket that does not answer is no finding: it ends
// the check, as an error of each does.
func Check(ctx context.Context, store BlobStore, blobs Blobs, o CheckOptions, each func(Finding) error) (CheckReport, error) {
	c := checker{store: store, blobs: blobs, options: o, each: each}
	if err := c.rows(ctx); err != nil {
		return c.report, err
	}
	err := eachOrphan(ctx, store, blobs, cutoff(o.Now, o.Grace), func(b BlobInfo) error {
		found := Finding{Damage: Orphan, Key: b.Key, Size: b.Size, Detail: "no row names these bytes"}
		if o.Repair {
			if err := blobs.Delete(ctx, b.Key); err != nil {
				return err
			}
			found.Repaired = true
		}
		return c.found(found)
	})
	return c.report, err
}

type checker struct {
	store   BlobStore
	blobs   Blobs
	options CheckOptions
	each    func(Finding) error
	report  CheckReport
}

func (c *checker) found(f Finding) error {
	c.report.Findings++
	if f.Repaired {
		c.report.Repaired++
	}
	return c.each(f)
}

// rows looks for the bytes of every row.
func (c *checker) rows(ctx context.Context) error {
	after := ""
	for {
		page, err := c.store.ListBlobs(ctx, after, sweepPage)
		if err != nil {
			return err
		}
		for _, b := range page {
			if err := c.row(ctx, b); err != nil {
				return err
			}
			after = b.Digest()
		}
		if len(page) < sweepPage {
			return nil
		}
	}
}

func (c *checker) row(ctx context.Context, b Blob) error {
	damage, detail, err := c.look(ctx, b)
	if err != nil {
		return err
	}
	c.report.Blobs++
	if damage == "" {
		return nil
	}
	// The row was read a moment ago: garbage collection may have taken both row
	// and bytes since, and a publish may have brought the digest back elsewhere.
	now, err := c.store.FindBlob(ctx, b.Digest())
	if KindOf(err) == NotFound || err == nil && now.Key != b.Key {
		return nil
	}
	if err != nil {
		return err
	}
	return c.found(Finding{Damage: damage, Key: b.Key, Digest: b.Digest(), Size: b.Size, Detail: detail})
}

// look compares the bytes in the bucket with what the row says of them.
func (c *checker) look(ctx context.Context, b Blob) (damage Damage, detail string, err error) {
	content, err := c.blobs.Open(ctx, b.Key)
	if KindOf(err) == NotFound {
		return Missing, "the bucket has no bytes under this key", nil
	}
	if err != nil {
		return c.unreadable(ctx, err)
	}
	defer content.Close() // only read
	if content.Size() != b.Size {
		return Damaged, "the bytes have another size", nil
	}
	if c.options.Shallow {
		return "", "", nil
	}
	digest := sha256.New()
	n, err := io.Copy(digest, content)
	c.report.Bytes += n
	if err != nil {
		return c.unreadable(ctx, err)
	}
	if [32]byte(digest.Sum(nil)) != b.SHA256 {
		return Damaged, "the bytes have another digest", nil
	}
	return "", "", nil
}

// unreadable tells a blob that cannot be read, on a bad sector for one, from a
// bucket that does not answer.
func (c *checker) unreadable(ctx context.Context, cause error) (damage Damage, detail string, err error) {
	if ctx.Err() != nil || c.blobs.Check(ctx) != nil {
		return "", "", cause
	}
	return Damaged, "the bytes cannot be read: " + cause.Error(), nil
}
