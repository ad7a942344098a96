package nuget

import (
	"bufio"
	"errors"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"

	"pakhus/internal/registry"
)

// read unpacks an entry of at most so many bytes. Its size and checksum must be
// those of the directory.
func (z *zipArchive) read(e *zipEntry, limit int64) ([]byte, error) {
	if e.size > limit {
		return nil, registry.Errorf(registry.Invalid, "the package is refused: entry %q is larger than %d bytes", cutText(e.raw, 200), limit)
	}
	content, err := z.open(e)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(content)
}

// open gives the content of an entry. Reading it to the end checks its size and
// checksum; what does not fit is Invalid. No more bytes come out than the
// directory says.
func (z *zipArchive) open(e *zipEntry) (io.Reader, error) {
	packed := bufio.NewReader(io.NewSectionReader(z.source, e.data, e.packed))
	content := &entryReader{entry: e, packed: packed, from: packed, crc: crc32.NewIEEE()}
	switch e.method {
	case methodStore:
	case methodDeflate:
		content.from = flate.NewReader(packed)
	default:
		return nil, errEntry(e.raw, "is packed with Deflate64, which cannot be read here")
	}
	return content, nil
}

// entryReader counts and sums what comes out of an entry.
type entryReader struct {
	entry  *zipEntry
	packed *bufio.Reader
	from   io.Reader
	crc    hash.Hash32
	n      int64
}

func (r *entryReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if r.n += int64(n); r.n > r.entry.size {
		return 0, errEntry(r.entry.raw, "unpacks to more than the directory says")
	}
	r.crc.Write(p[:n])
	if err == nil {
		return n, nil
	}
	if !errors.Is(err, io.EOF) {
		return 0, archiveError(err, "an entry is damaged")
	}
	if r.n != r.entry.size || r.crc.Sum32() != r.entry.crc {
		return 0, errEntry(r.entry.raw, "has another size or checksum than the directory says")
	}
	if _, err := r.packed.ReadByte(); !errors.Is(err, io.EOF) {
		return 0, errEntry(r.entry.raw, "holds more than what it unpacks to")
	}
	return n, io.EOF
}
