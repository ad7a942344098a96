package blob

import (
	"context"
	"errors"
	"io"
)

var (
	errShort = errors.New("the body ended before its size")
	errLong  = errors.New("the body goes on after its size")
)

// exactReader gives a body that must have a known size, and fails instead of
// ending when it has another. It also fails once the context ended, which most
// bodies do not notice.
type exactReader struct {
	ctx  context.Context // of the call that made the reader, which it does not outlive
	r    io.Reader
	left int64 // bytes still to come
}

func (e *exactReader) Read(p []byte) (int, error) {
	if err := e.ctx.Err(); err != nil {
		return 0, err
	}
	if e.left == 0 {
		return 0, e.end()
	}
	if int64(len(p)) > e.left {
		p = p[:e.left]
	}
	n, err := e.r.Read(p)
	e.left -= int64(n)
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF:
		return n, err
	case e.left > 0:
		return n, errShort
	}
	return n, nil // the next Read finds the end
}

// end makes sure that the body really ends.
func (e *exactReader) end() error {
	var more [1]byte
	for {
		n, err := e.r.Read(more[:])
		switch {
		case n > 0:
			return errLong
		case err != nil:
			return err
		}
	}
}
