package maven

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/flate"
)

// Bounds and sizes of zip's records, in bytes.
const (
	maxDirectory    = 64 << 20 // of all entries of the directory together
	endSize         = 22       // of the record at the end, without its comment
	end64Size       = 56
	end64PlaceSize  = 20
	entrySize       = 46
	localHeaderSize = 30
	maxComment      = 1<<16 - 1
)

var (
	endMark        = []byte("PK\x05\x06")
	end64Mark      = []byte("PK\x06\x06")
	end64PlaceMark = []byte("PK\x06\x07")
	entryMark      = []byte("PK\x01\x02")
	localMark      = []byte("PK\x03\x04")
)

// zipEntry is an entry of a zip's directory.
type zipEntry struct {
	found  int // how often the directory has the name
	method uint16
	offset int64 // of its local header
	size   int64 // packed
}

// findEntries reads a zip's directory in one pass and gives the entries with the
// names. It keeps nothing else, where archive/zip would hold every name: a
// directory may have a million. It is false for what is no zip.
func findEntries(r io.ReaderAt, size int64, names ...string) (map[string]zipEntry, bool) {
	start, length, base, ok := findDirectory(r, size)
	if !ok || length > maxDirectory {
		return nil, false
	}
	directory := bufio.NewReader(io.NewSectionReader(r, start, length))
	found := map[string]zipEntry{}
	var header [entrySize]byte
	for left := length; left > 0; {
		if _, err := io.ReadFull(directory, header[:]); err != nil || !bytes.HasPrefix(header[:], entryMark) {
			return nil, false
		}
		nameLength := int(binary.LittleEndian.Uint16(header[28:]))
		for _, wanted := range names {
			if nameLength != len(wanted) {
				continue
			}
			if name, err := directory.Peek(nameLength); err == nil && string(name) == wanted {
				entry := readEntry(header[:], base)
				entry.found = found[wanted].found + 1
				found[wanted] = entry
			}
		}
		rest := nameLength + int(binary.LittleEndian.Uint16(header[30:])) + int(binary.LittleEndian.Uint16(header[32:]))
		if _, err := directory.Discard(rest); err != nil {
			return nil, false
		}
		left -= int64(entrySize + rest)
	}
	return found, true
}

func readEntry(header []byte, base int64) zipEntry {
	return zipEntry{
		method: binary.LittleEndian.Uint16(header[10:]),
		size:   int64(binary.LittleEndian.Uint32(header[20:])),
		offset: base + int64(binary.LittleEndian.Uint32(header[42:])),
	}
}

// findDirectory finds a zip's directory: where it begins, its length, and where
// the archive itself begins, which is later than the file does when a script is
// put before it, as executable jars have.
func findDirectory(r io.ReaderAt, size int64) (start, length, base int64, ok bool) {
	tail := make([]byte, min(size, endSize+maxComment))
	if n, err := r.ReadAt(tail, size-int64(len(tail))); n < len(tail) && err != nil {
		return 0, 0, 0, false
	}
	for at := len(tail) - endSize; at >= 0; at-- {
		record := tail[at:]
		if !bytes.HasPrefix(record, endMark) || len(record) != endSize+int(binary.LittleEndian.Uint16(record[20:])) {
			continue
		}
		end := size - int64(len(record))
		length, offset := int64(binary.LittleEndian.Uint32(record[12:])), int64(binary.LittleEndian.Uint32(record[16:]))
		if length == 1<<32-1 || offset == 1<<32-1 || binary.LittleEndian.Uint16(record[10:]) == 1<<16-1 {
			if end64, length64, offset64, ok := findEnd64(r, end); ok {
				end, length, offset = end64, length64, offset64
			}
		}
		start, base = end-length, end-length-offset
		return start, length, base, length >= 0 && offset >= 0 && start >= 0 && base >= 0
	}
	return 0, 0, 0, false
}

// findEnd64 reads the end record of archives with more than 65,535 entries or 4
// GiB, which lies before the one of all archives.
func findEnd64(r io.ReaderAt, end int64) (end64, length, offset int64, ok bool) {
	var record [end64Size + end64PlaceSize]byte
	at := end - int64(len(record))
	if at < 0 {
		return 0, 0, 0, false
	}
	if n, err := r.ReadAt(record[:], at); n < len(record) && err != nil {
		return 0, 0, 0, false
	}
	if !bytes.HasPrefix(record[:], end64Mark) || !bytes.HasPrefix(record[end64Size:], end64PlaceMark) {
		return 0, 0, 0, false
	}
	return at, int64(binary.LittleEndian.Uint64(record[40:])), int64(binary.LittleEndian.Uint64(record[48:])), true
}

// open unpacks an entry. What is damaged, or packed in a way that jars are not,
// reads as cut off.
func (e zipEntry) open(r io.ReaderAt) io.Reader {
	var header [localHeaderSize]byte
	if n, _ := r.ReadAt(header[:], e.offset); n < len(header) || !bytes.HasPrefix(header[:], localMark) {
		return bytes.NewReader(nil)
	}
	data := e.offset + localHeaderSize + int64(binary.LittleEndian.Uint16(header[26:])) + int64(binary.LittleEndian.Uint16(header[28:]))
	packed := io.NewSectionReader(r, data, e.size)
	switch e.method {
	case 0:
		return packed
	case 8:
		return flate.NewReader(packed)
	}
	return bytes.NewReader(nil)
}
