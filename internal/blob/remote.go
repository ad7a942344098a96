package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // azblob://
	_ "gocloud.dev/blob/gcsblob"   // gs://
	_ "gocloud.dev/blob/memblob"   // mem://
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"

	"pakhus/internal/registry"
)

const (
	// partSize and parts bound the memory of one upload, to 3 times 5 MiB. S3
	// takes no smaller part, and 10,000 of them are far above every upload limit.
	partSize = 5 << 20
	parts    = 3
)

// remote is a bucket behind gocloud.
type remote struct {
	bucket *blob.Bucket
	stall  time.Duration
}

func openRemote(ctx context.Context, u *url.URL, stall time.Duration) (*remote, error) {
	if !blob.DefaultURLMux().ValidBucketScheme(u.Scheme) {
		return nil, registry.Errorf(registry.Invalid, "the bucket's address must begin with file://, mem://, s3://, gs:// or azblob://")
	}
	bucket, err := blob.OpenBucket(ctx, withDefaults(u).String())
	if err != nil {
		return nil, registry.Wrapf(registry.Invalid, err, "the bucket's address cannot be used")
	}
	return &remote{bucket: bucket, stall: stall}, nil
}

// withDefaults adds what an S3 URL leaves to us. The SDK checks a checksum that
// the store may have kept of the whole blob, and logs a warning for every read
// when there is none, as with ranges, uploads in parts, and most stores but
// Amazon's. The connection guards the bytes on their way, fsck those at rest.
func withDefaults(u *url.URL) *url.URL {
	const validation = "response_checksum_validation"
	query := u.Query()
	if u.Scheme != s3blob.Scheme || query.Has(validation) {
		return u
	}
	query.Set(validation, "when_required")
	with := *u
	with.RawQuery = query.Encode()
	return &with
}

func (r *remote) write(ctx context.Context, key string, body io.Reader, size int64) error {
	if err := r.upload(ctx, key, body, size); err != nil {
		// The store may have kept the blob although its answer got lost.
		return errors.Join(err, r.takeBack(context.WithoutCancel(ctx), key))
	}
	return nil
}

func (r *remote) upload(ctx context.Context, key string, body io.Reader, size int64) error {
	ctx, watch := newWatch(ctx, r.stall)
	defer watch.stop()
	return watch.explain(r.bucket.Upload(ctx, key, watch.reader(body), &blob.WriterOptions{
		ContentType:    "application/octet-stream",
		BufferSize:     int(min(max(size, 1), partSize)),
		MaxConcurrency: parts,
	}))
}

// takeBack removes what a write that failed may have left. A store that is down
// must not hold the client up for long once more: garbage collection would find
// the blob, too.
func (r *remote) takeBack(ctx context.Context, key string) error {
	ctx, watch := newWatch(ctx, min(r.stall, 5*time.Second))
	defer watch.stop()
	return absentIsFine(watch.explain(r.bucket.Delete(ctx, key)))
}

func (r *remote) open(ctx context.Context, key string) (registry.Content, error) {
	asked, watch := newWatch(ctx, r.stall)
	defer watch.stop()
	attributes, err := r.bucket.Attributes(asked, key)
	if err != nil {
		return nil, watch.explain(err)
	}
	return &remoteContent{ctx: ctx, remote: r, key: key, size: attributes.Size}, nil
}

func (r *remote) remove(ctx context.Context, key string) error {
	ctx, watch := newWatch(ctx, r.stall)
	defer watch.stop()
	return watch.explain(r.bucket.Delete(ctx, key))
}

func (r *remote) list(ctx context.Context, prefix string, each func(registry.BlobInfo) error) error {
	ctx, watch := newWatch(ctx, r.stall)
	defer watch.stop()
	list := r.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		watch.resume()
		object, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return watch.explain(err)
		}
		watch.pause() // each may take as long as it likes
		if err := each(registry.BlobInfo{Key: object.Key, Size: object.Size, Modified: object.ModTime}); err != nil {
			return err
		}
	}
}

func (r *remote) sign(ctx context.Context, key string, life time.Duration) (string, error) {
	ctx, watch := newWatch(ctx, r.stall)
	defer watch.stop()
	signed, err := r.bucket.SignedURL(ctx, key, &blob.SignedURLOptions{Expiry: life})
	return signed, watch.explain(err)
}

// check lists one blob: asking for a blob would not tell an absent bucket from
// an absent blob.
func (r *remote) check(ctx context.Context) error {
	ctx, watch := newWatch(ctx, r.stall)
	defer watch.stop()
	found, err := r.bucket.IsAccessible(ctx)
	if err == nil && !found {
		err = errors.New("there is no bucket of this name")
	}
	return watch.explain(err)
}

func (r *remote) close() error { return r.bucket.Close() }

// translate adds to the driver's error what Bucket looks for.
func translate(err error) error {
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case gcerrors.Unimplemented:
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	return err
}
