package npm

import (
	"bytes"
	"encoding/base64"
	"io"

	"pakhus/internal/registry"
)

// base64Sink decodes base64 that comes in pieces of any length. It is strict:
// the standard alphabet, padding, no line breaks, no stray bits.
type base64Sink struct {
	w     io.Writer
	out   []byte
	carry [4]byte // bytes that are not a group of four yet
	held  int
	ended bool // padding came
}

var strictBase64 = base64.StdEncoding.Strict()

var errBase64 = registry.Errorf(registry.Invalid, "data of an attachment is not base64")

// write decodes p. Its errors are Invalid, or those of the writer.
func (d *base64Sink) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	// encoding/base64 skips line breaks.
	if d.ended || bytes.IndexByte(p, '\n') >= 0 || bytes.IndexByte(p, '\r') >= 0 {
		return errBase64
	}
	if d.held > 0 {
		n := copy(d.carry[d.held:], p)
		d.held += n
		p = p[n:]
		if d.held < len(d.carry) {
			return nil
		}
		d.held = 0
		if err := d.decode(d.carry[:]); err != nil {
			return err
		}
	}
	whole := len(p) &^ 3
	if whole > 0 {
		if err := d.decode(p[:whole]); err != nil {
			return err
		}
	}
	d.held = copy(d.carry[:], p[whole:])
	if d.ended && d.held > 0 {
		return errBase64
	}
	return nil
}

// decode decodes whole groups.
func (d *base64Sink) decode(p []byte) error {
	if d.ended {
		return errBase64
	}
	if need := len(p) / 4 * 3; len(d.out) < need {
		d.out = make([]byte, need)
	}
	n, err := strictBase64.Decode(d.out, p)
	if err != nil {
		return errBase64
	}
	d.ended = p[len(p)-1] == '='
	_, err = d.w.Write(d.out[:n])
	return err
}

// finish checks that the last group is complete.
func (d *base64Sink) finish() error {
	if d.held > 0 {
		return errBase64
	}
	return nil
}
