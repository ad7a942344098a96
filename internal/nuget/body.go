package nuget

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"

	"pakhus/internal/registry"
)

const (
	// copyBuffer is what is read of a body at a time: the spool hashes pieces of
	// this size on two cores.
	copyBuffer = 64 << 10
	// formOverhead bounds what a form may hold beside the package, in bytes.
	formOverhead = 1 << 20
)

// receive takes a package from a request into a spool. Clients send a form whose
// first part is the package, whatever its name; curl sends the package itself
// (nuget.md 7.1). Close the spool.
func (h *Handler) receive(r *http.Request) (*registry.Spool, error) {
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && strings.HasPrefix(media, "multipart/") {
		if parameters["boundary"] == "" {
			return nil, registry.Errorf(registry.Invalid, "the Content-Type of the form has no boundary")
		}
		return h.receiveForm(r.Body, parameters["boundary"])
	}
	var magic [4]byte
	n, err := fill(r.Body, magic[:])
	if err != nil && err != io.EOF { //nolint:errorlint // a wrapped one is a failure
		return nil, errBody(err)
	}
	if string(magic[:n]) != "PK\x03\x04" {
		return nil, registry.Errorf(registry.Invalid, "the body is neither a multipart form with a package nor a package: push with a NuGet client, or send the .nupkg itself")
	}
	return h.spool(io.MultiReader(bytes.NewReader(magic[:]), r.Body))
}

func (h *Handler) receiveForm(body io.Reader, boundary string) (*registry.Spool, error) {
	bounded := &boundedReader{from: body, left: h.opts.MaxUpload + formOverhead, limit: h.opts.MaxUpload}
	form := multipart.NewReader(newLineFeedReader(bounded, boundary), boundary)
	part, err := form.NextRawPart()
	if errors.Is(err, io.EOF) {
		return nil, registry.Errorf(registry.Invalid, "the form is empty: its first part must be the package")
	}
	if err != nil {
		return nil, errBody(err)
	}
	spool, err := h.spool(part)
	if err != nil {
		return nil, err
	}
	if spool.Size() == 0 {
		return nil, errors.Join(registry.Errorf(registry.Invalid, "the first part of the form is empty: it must be the package"), spool.Close())
	}
	return spool, nil
}

var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// spool reads a package to its end.
func (h *Handler) spool(from io.Reader) (*registry.Spool, error) {
	spool := h.packages.Spool(h.opts.MaxUpload)
	buffer := copyBuffers.Get().(*[copyBuffer]byte)
	defer copyBuffers.Put(buffer)
	for {
		n, err := fill(from, buffer[:])
		if _, failed := spool.Write(buffer[:n]); failed != nil {
			return nil, errors.Join(failed, spool.Close())
		}
		switch {
		case err == io.EOF: //nolint:errorlint // a wrapped one is a failure
			return spool, nil
		case err != nil:
			return nil, errors.Join(errBody(err), spool.Close())
		}
	}
}

// fill reads until p is full or the reader fails; unlike io.ReadFull it gives
// the reader's own error, so that a body that broke off is not taken for one
// that ended.
func fill(from io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = from.Read(p[n:])
		n += m
	}
	return n, err
}

// errBody keeps the kind of a failure that has one; all others are the sender's.
func errBody(err error) error {
	if registry.KindOf(err) != registry.Internal {
		return err
	}
	return registry.Wrapf(registry.Invalid, err, "the body broke off, or is not the form that its Content-Type says")
}

// boundedReader is TooLarge for a body above its bound.
type boundedReader struct {
	from  io.Reader
	left  int64
	limit int64 // for the text
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, registry.Errorf(registry.TooLarge, "the body is larger than the limit of %d bytes", b.limit)
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
