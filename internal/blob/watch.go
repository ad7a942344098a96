package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

var errStalled = errors.New("the bucket made no progress for too long")

// watch cancels a remote call that makes no progress. A limit for the whole
// call would be too short for a large body or too long for a small one.
type watch struct {
	ctx    context.Context // the watched one, to tell why it ended
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stall  time.Duration
}

// newWatch derives a context that is cancelled when stall passes without
// resume. Stop the watch.
func newWatch(parent context.Context, stall time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(parent)
	return ctx, &watch{
		ctx:    ctx,
		cancel: cancel,
		timer:  time.AfterFunc(stall, func() { cancel(errStalled) }),
		stall:  stall,
	}
}

// resume begins the time anew.
func (w *watch) resume() { w.timer.Reset(w.stall) }

// pause holds the time while nothing is waited for.
func (w *watch) pause() { w.timer.Stop() }

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// explain names what ended the call, when the watch did, and adds what else
// Bucket looks for.
func (w *watch) explain(err error) error {
	if cause := context.Cause(w.ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return translate(err)
}

// reader makes each read of r a sign of progress, and its failure the end of
// the call: gocloud's upload to memory and to Google's store would take a body
// that failed for one that ended, and keep what came before.
func (w *watch) reader(r io.Reader) io.Reader { return &watchedReader{w: w, r: r} }

type watchedReader struct {
	w *watch
	r io.Reader
}

func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		r.w.cancel(err)
	}
	r.w.resume()
	return n, err
}
