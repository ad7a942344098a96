package registry

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
)

// maxAhead bounds the bodies that are written ahead at once: a batch of a
// thousand packages must not be a thousand files waiting for the disk.
const maxAhead = 16

// ahead is a body on its way to the bucket while its publication is made.
type ahead struct {
	done chan struct{} // closed when blob and err are final
	blob Blob          // zero when the bytes were stored already
	err  error
	drop func(Blob) // removes bytes that nothing will name
}

// WriteAhead begins to store a body whose digests are what the client said,
// while the caller goes on checking it and makes its publication. Writing a small
// file durably is half a millisecond in which the processor waits for the disk,
// and a large one takes as long as looking into it. Publish takes over what was
// begun; if it is not called, Spool.Close removes the bytes. With too many at
// once nothing is begun, and Publish writes the body itself.
func (s *Service) WriteAhead(ctx context.Context, body *Spool) error {
	if body.ahead != nil {
		return nil
	}
	r, err := body.Open()
	if err != nil {
		return err
	}
	select {
	case s.ahead <- struct{}{}:
	default:
		return nil
	}
	a := &ahead{done: make(chan struct{}), drop: func(b Blob) { s.dropBlobs(ctx, map[string]Blob{b.Digest(): b}) }}
	body.ahead = a
	digests := body.Digests()
	go func() {
		defer close(a.done)
		defer func() { <-s.ahead }()
		a.blob, a.err = s.writeGuarded(ctx, digests, r)
	}()
	return nil
}

// writeGuarded makes a panic an error: no middleware is above the goroutine.
func (s *Service) writeGuarded(ctx context.Context, digests Digests, body io.Reader) (b Blob, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic while writing a blob: %v\n%s", cause, debug.Stack())
		}
	}()
	return s.writeBlob(ctx, digests, body)
}

// take waits for a body that was written ahead, and makes it the caller's. The
// second time there is none.
func (s *Spool) take() (b Blob, began bool, err error) {
	a := s.ahead
	if a == nil {
		return Blob{}, false, nil
	}
	s.ahead = nil
	<-a.done
	return a.blob, true, a.err
}

// dropAhead removes what was written ahead and not taken.
func (s *Spool) dropAhead() {
	a := s.ahead
	if b, _, err := s.take(); err == nil && b.Key != "" {
		a.drop(b)
	}
}
