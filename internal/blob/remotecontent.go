package blob

import (
	"context"
	"errors"
	"io"

	"gocloud.dev/blob"

	"pakhus/internal/registry"
)

// remoteContent is a blob in a remote bucket. Nothing is asked for before the
// first Read, so HEAD and conditional requests cost no download; then one range
// request serves all reads up to the next Seek.
type remoteContent struct {
	// ctx is that of Open: io.Reader leaves no other way to end a read.
	ctx    context.Context
	remote *remote
	key    string
	size   int64 // bytes

	at     int64 // offset of the next Read
	body   *blob.Reader
	bodyAt int64 // offset of body's next byte
	watch  *watch
	closed bool
}

var (
	errClosed = errors.New("content used after close")
	errSeek   = errors.New("seek before the beginning")
)

func (c *remoteContent) Size() int64 { return c.size }

func (c *remoteContent) Seek(offset int64, from int) (int64, error) {
	switch from {
	case io.SeekCurrent:
		offset += c.at
	case io.SeekEnd:
		offset += c.size
	}
	if offset < 0 {
		return 0, registry.Wrapf(registry.Internal, errSeek, "read blob")
	}
	c.at = offset
	return offset, nil
}

// Read fails with Unavailable when the bucket does, with Canceled when the
// context of Open ended.
func (c *remoteContent) Read(p []byte) (int, error) {
	if c.closed {
		return 0, registry.Wrapf(registry.Internal, errClosed, "read blob")
	}
	if c.at >= c.size {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if err := c.request(); err != nil {
		return 0, classify(c.ctx, err, "read blob")
	}
	c.watch.resume()
	n, err := c.body.Read(p)
	c.watch.pause() // the client may take its time
	c.at += int64(n)
	c.bodyAt = c.at
	if errors.Is(err, io.EOF) && c.at < c.size {
		err = io.ErrUnexpectedEOF
	}
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	return n, classify(c.ctx, c.watch.explain(err), "read blob")
}

// request makes sure that body stands where the next Read begins.
func (c *remoteContent) request() error {
	if c.body != nil && c.bodyAt == c.at {
		return nil
	}
	c.drop()
	ctx, watch := newWatch(c.ctx, c.remote.stall)
	body, err := c.remote.bucket.NewRangeReader(ctx, c.key, c.at, -1, nil)
	if err != nil {
		err = watch.explain(err)
		watch.stop()
		return err
	}
	c.body, c.bodyAt, c.watch = body, c.at, watch
	return nil
}

// drop ends the request under way. That the rest of its answer could not be
// read to the end is no failure: nobody wants it.
func (c *remoteContent) drop() {
	if c.body != nil {
		_ = c.body.Close()
		c.watch.stop()
		c.body = nil
	}
}

// Close never fails.
func (c *remoteContent) Close() error {
	c.closed = true
	c.drop()
	return nil
}
