package blob

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"time"

	"pakhus/internal/registry"
)

// Options set a Bucket up; all but the URL may be left out.
type Options struct {
	// URL names the bucket: file:///folder, mem://, s3://name, gs://name,
	// azblob://name, with the parameters that gocloud knows for each.
	URL string
	// Stall is how long a remote bucket may take for a call, or move no byte of a
	// body, before the call fails; 1 minute when 0.
	Stall time.Duration
	// OnUse is told how long each use took: "write", "open", "delete", "list",
	// "sign", "check". A body that is read later is no part of "open". May be nil.
	OnUse func(operation string, took time.Duration)
}

// Bucket keeps blobs. It is safe for concurrent use.
type Bucket struct {
	store store
	onUse func(operation string, took time.Duration)
}

var _ registry.Blobs = (*Bucket)(nil)

// store is a kind of bucket. Keys and prefixes are checked before it is asked.
// Its errors are as the system or the driver gave them, except that they are
// fs.ErrNotExist and errors.ErrUnsupported as well: Bucket classifies them.
type store interface {
	// write stores body, which fails unless it has exactly size bytes.
	write(ctx context.Context, key string, body io.Reader, size int64) error
	open(ctx context.Context, key string) (registry.Content, error)
	remove(ctx context.Context, key string) error
	list(ctx context.Context, prefix string, each func(registry.BlobInfo) error) error
	sign(ctx context.Context, key string, life time.Duration) (string, error)
	check(ctx context.Context) error
	close() error
}

// Open opens the bucket that the URL names; a local folder is made when absent.
// A URL that cannot be right is Invalid, a folder that cannot be used is
// Unavailable. A remote bucket is first asked by Check or a use.
func Open(ctx context.Context, o Options) (*Bucket, error) {
	if o.Stall == 0 {
		o.Stall = time.Minute
	}
	b := &Bucket{onUse: o.OnUse}
	if b.onUse == nil {
		b.onUse = func(string, time.Duration) {}
	}
	// The parser's error repeats the URL, which may hold a secret.
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, registry.Errorf(registry.Invalid, "the bucket's address is not a URL")
	}
	if u.Scheme == "file" {
		b.store, err = openFolder(u)
	} else {
		b.store, err = openRemote(ctx, u, o.Stall)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Write implements registry.Blobs.
func (b *Bucket) Write(ctx context.Context, key string, body io.Reader, size int64) error {
	if err := checkKey(key); err != nil {
		return err
	}
	defer b.used("write", time.Now())
	return classify(ctx, b.store.write(ctx, key, &exactReader{ctx: ctx, r: body, left: size}, size), "write blob")
}

// Open implements registry.Blobs. A remote content can be read until ctx ends.
func (b *Bucket) Open(ctx context.Context, key string) (registry.Content, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, classify(ctx, err, "open blob")
	}
	defer b.used("open", time.Now())
	c, err := b.store.open(ctx, key)
	if errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil {
		return nil, registry.Wrapf(registry.NotFound, err, "open blob: it is not in the bucket")
	}
	if err != nil {
		return nil, classify(ctx, err, "open blob")
	}
	return c, nil
}

// Delete implements registry.Blobs.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return classify(ctx, err, "delete blob")
	}
	defer b.used("delete", time.Now())
	err := b.store.remove(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return classify(ctx, err, "delete blob")
}

// List implements registry.Blobs. What is in the bucket under other names than
// blobs have is passed over. An error of each comes back as it is.
func (b *Bucket) List(ctx context.Context, prefix string, each func(registry.BlobInfo) error) error {
	if err := checkPrefix(prefix); err != nil {
		return err
	}
	defer b.used("list", time.Now())
	var stopped error
	err := b.store.list(ctx, prefix, func(info registry.BlobInfo) error {
		if checkKey(info.Key) != nil {
			return nil
		}
		if stopped = ctx.Err(); stopped == nil {
			stopped = each(info)
		}
		return stopped
	})
	if stopped != nil && ctx.Err() == nil {
		return stopped
	}
	return classify(ctx, err, "list blobs")
}

// SignedURL implements registry.Blobs.
func (b *Bucket) SignedURL(ctx context.Context, key string, life time.Duration) (string, error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	defer b.used("sign", time.Now())
	signed, err := b.store.sign(ctx, key, life)
	if errors.Is(err, errors.ErrUnsupported) {
		return "", registry.Wrapf(registry.Unsupported, err, "this bucket cannot sign addresses")
	}
	return signed, classify(ctx, err, "sign address of blob")
}

// Check implements registry.Blobs.
func (b *Bucket) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return classify(ctx, err, "check bucket")
	}
	defer b.used("check", time.Now())
	return classify(ctx, b.store.check(ctx), "check bucket")
}

// Close implements registry.Blobs.
func (b *Bucket) Close() error {
	return classify(context.Background(), b.store.close(), "close bucket")
}

func (b *Bucket) used(operation string, since time.Time) { b.onUse(operation, time.Since(since)) }

// classify gives a failure its kind. What happened in detail is only in the
// cause: the text is for clients.
func classify(ctx context.Context, err error, doing string) error {
	if err == nil {
		return nil
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return registry.Wrapf(registry.Canceled, err, "%s: the request ended", doing)
	}
	return registry.Wrapf(registry.Unavailable, err, "%s: the bucket does not answer as it should", doing)
}
