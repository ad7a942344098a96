package nuget

import (
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"strings"
	"unicode/utf8"
)

// Flags and methods of an entry.
const (
	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3 // checksum and sizes follow the data
	flagPatch      = 1 << 5
	flagStrong     = 1 << 6 // encryption
	flagUTF8       = 1 << 11
	flagMasked     = 1 << 13 // local headers are hidden

	methodStore     = 0
	methodDeflate   = 8
	methodDeflate64 = 9 // Windows packs large files so; .NET unpacks it

	zip64Size    = 1<<32 - 1 // the true size is in an extra field
	zip64Extra   = 1
	nameExtra    = 0x7075 // Info-ZIP's: another name, in UTF-8
	folderSuffix = "/"

	// Systems whose packers write down what kind of file an entry is.
	hostUnix, hostDarwin = 3, 19

	modeType, modeFile, modeFolder = 0xf000, 0x8000, 0x4000
)

// checkEntry checks what the directory says of an entry.
func checkEntry(e zipEntry) error {
	switch {
	case e.flags&(flagEncrypted|flagPatch|flagStrong|flagMasked) != 0:
		return errEntry(e.raw, "is encrypted, or a patch")
	case e.method != methodStore && e.method != methodDeflate && e.method != methodDeflate64:
		return errEntry(e.raw, "is packed in a way that clients cannot unpack")
	case e.packed == zip64Size || e.size == zip64Size || e.header == zip64Size:
		return errEntry(e.raw, "is a zip64 entry, which no package of its size needs")
	case strings.HasSuffix(e.path, folderSuffix) && e.size != 0:
		return errEntry(e.raw, "is a file that is called like a folder")
	case e.method == methodStore && e.packed != e.size:
		return errEntry(e.raw, "is not packed and has two sizes")
	case e.size > e.packed*maxRatio:
		return errEntry(e.raw, "says that it unpacks to more than it can")
	}
	return nil
}

// checkHeader compares an entry's own header with the directory, and finds its
// data, which must end where the next record begins.
func (z *zipArchive) checkHeader(e *zipEntry, next int64) error {
	b := make([]byte, localLength+len(e.raw))
	if _, err := z.source.ReadAt(b, e.header); errors.Is(err, io.EOF) {
		return errEntry(e.raw, "is cut off")
	} else if err != nil {
		return err
	}
	flags := binary.LittleEndian.Uint16(b[6:])
	differ := flags ^ e.flags
	switch {
	case string(b[:4]) != localSignature:
		return errEntry(e.raw, "is not where the directory says")
	case int(binary.LittleEndian.Uint16(b[26:])) != len(e.raw) || string(b[localLength:]) != e.raw:
		return errEntry(e.raw, "has another name in its own header")
	case differ&flagDescriptor != 0 || flags&(flagEncrypted|flagPatch|flagStrong|flagMasked) != 0 || differ&flagUTF8 != 0 && !isPlain(e.raw):
		return errEntry(e.raw, "has other flags in its own header")
	case binary.LittleEndian.Uint16(b[8:]) != e.method:
		return errEntry(e.raw, "is packed in another way by its own header")
	}
	extra := make([]byte, binary.LittleEndian.Uint16(b[28:]))
	e.data = e.header + int64(len(b)+len(extra))
	if _, err := z.source.ReadAt(extra, e.header+int64(len(b))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := checkExtra(e.raw, extra); err != nil {
		return err
	}
	rest := next - e.data - e.packed
	sums := fileSums{
		crc:    binary.LittleEndian.Uint32(b[14:]),
		packed: int64(binary.LittleEndian.Uint32(b[18:])),
		size:   int64(binary.LittleEndian.Uint32(b[22:])),
	}
	if sums.packed == zip64Size || sums.size == zip64Size {
		var ok bool
		if sums, ok = zip64Sums(sums, extra); !ok {
			return errEntry(e.raw, "has no size in its own header")
		}
	}
	if flags&flagDescriptor == 0 {
		if sums != e.sums() || rest != 0 {
			return errEntry(e.raw, "has another size or checksum in its own header, or data follows it")
		}
		return nil
	}
	// The sizes may be left out here; when they are not, readers of streams
	// believe them.
	if sums != (fileSums{}) && sums != e.sums() {
		return errEntry(e.raw, "has another size or checksum in its own header")
	}
	return z.checkDescriptor(e, rest)
}

// fileSums are what is written down of an entry in three places.
type fileSums struct {
	crc          uint32
	packed, size int64
}

func (e *zipEntry) sums() fileSums { return fileSums{e.crc, e.packed, e.size} }

func isPlain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// zip64Sums takes the sizes from an extra field of a header. Packers that do not
// know the size beforehand write it so even when the directory does not need it.
func zip64Sums(sums fileSums, extra []byte) (fileSums, bool) {
	for kind, field := range extraFields(extra) {
		if kind == zip64Extra && len(field) == 16 {
			sums.size = int64(binary.LittleEndian.Uint64(field))
			sums.packed = int64(binary.LittleEndian.Uint64(field[8:]))
			return sums, true
		}
	}
	return sums, false
}

// checkExtra refuses a name in an extra field that is not the entry's: some
// readers take that one.
func checkExtra(name string, extra []byte) error {
	const before = 5 // bytes: a version, a checksum
	for kind, field := range extraFields(extra) {
		if kind == nameExtra && (len(field) < before || string(field[before:]) != name) {
			return errEntry(name, "has another name in an extra field")
		}
	}
	return nil
}

// extraFields gives the kinds and contents of extra fields. What is cut off at
// the end is padding to some packers.
func extraFields(extra []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for rest := extra; len(rest) >= 4; {
			kind, size := binary.LittleEndian.Uint16(rest), int(binary.LittleEndian.Uint16(rest[2:]))
			rest = rest[4:]
			if size > len(rest) || !yield(kind, rest[:size]) {
				return
			}
			rest = rest[size:]
		}
	}
}

// checkDescriptor reads the record of so many bytes that follows the data:
// perhaps a signature, the checksum, and two sizes of 4 or of 8 bytes.
func (z *zipArchive) checkDescriptor(e *zipEntry, length int64) error {
	if length != 12 && length != 16 && length != 20 && length != 24 {
		return errEntry(e.raw, "does not end where the next one begins")
	}
	b := make([]byte, length)
	if _, err := z.source.ReadAt(b, e.data+e.packed); errors.Is(err, io.EOF) {
		return errEntry(e.raw, "is cut off")
	} else if err != nil {
		return err
	}
	if length == 16 || length == 24 {
		if string(b[:4]) != "PK\x07\x08" {
			return errEntry(e.raw, "is followed by something else than its size")
		}
		b = b[4:]
	}
	sums := fileSums{crc: binary.LittleEndian.Uint32(b)}
	if len(b) == 12 {
		sums.packed, sums.size = int64(binary.LittleEndian.Uint32(b[4:])), int64(binary.LittleEndian.Uint32(b[8:]))
	} else {
		sums.packed, sums.size = int64(binary.LittleEndian.Uint64(b[4:])), int64(binary.LittleEndian.Uint64(b[12:]))
	}
	if sums != e.sums() {
		return errEntry(e.raw, "has another size or checksum behind it")
	}
	return nil
}
