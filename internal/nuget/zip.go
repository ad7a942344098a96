package nuget

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io"
	"slices"

	"pakhus/internal/registry"
)

// Bounds of an archive (nuget.md 9, threats.md A2). They keep what we hold of
// its directory in memory below 32 MiB.
const (
	maxEntries   = 65_533
	maxDirectory = 16 << 20 // bytes
	maxEntryName = 1024     // bytes
	maxUnpacked  = 16 << 30 // bytes of all entries, as the directory says
	// maxRatio is above what deflate can reach: 1032 to 1.
	maxRatio = 1040
)

// Lengths and signatures of the records of a zip archive.
const (
	endLength       = 22
	maxEndComment   = 1<<16 - 1
	directoryLength = 46
	localLength     = 30

	endSignature       = "PK\x05\x06"
	zip64Signature     = "PK\x06\x07" // of the locator, which stands before the end record
	zip64LocatorLength = 20
	directorySignature = "PK\x01\x02"
	localSignature     = "PK\x03\x04"
)

// zipArchive is an archive in which all readers see the same. archive/zip is
// made to read what it can: it takes the last of two entries of a name, skips
// what stands before and between entries, and does not compare an entry's own
// header with the directory. Others decide otherwise, and then what was checked
// is not what gets installed (threats.md A3). So the records are read here, and
// they must tile the file without gaps.
type zipArchive struct {
	source  source
	entries []zipEntry
	byName  map[uint64]int // hash of the folded path, to the index of the entry
	names   maphash.Seed
}

// zipEntry is a file or folder of an archive.
type zipEntry struct {
	path         string // with forward slashes, unescaped
	raw          string // as the archive has it
	flags        uint16
	method       uint16
	crc          uint32
	packed, size int64 // bytes
	header, data int64 // offsets
}

// source gives the bytes of an archive. That they cannot be read is no fault of
// the archive.
type source struct{ io.ReaderAt }

func (s source) ReadAt(p []byte, offset int64) (int, error) {
	n, err := s.ReaderAt.ReadAt(p, offset)
	if err != nil && !errors.Is(err, io.EOF) && registry.KindOf(err) == registry.Internal {
		err = registry.Wrapf(registry.Unavailable, err, "the body of the request cannot be read again")
	}
	return n, err
}

func errArchive(why string) error {
	return registry.Errorf(registry.Invalid, "the package is refused: %s", why)
}

func errEntry(name, why string) error {
	return registry.Errorf(registry.Invalid, "the package is refused: entry %q %s", cutText(name, 200), why)
}

// archiveError makes a failure Invalid, unless it already says what it is.
func archiveError(err error, why string) error {
	if kind := registry.KindOf(err); kind != registry.Internal {
		return err
	}
	return registry.Wrapf(registry.Invalid, err, "the package is refused: %s", why)
}

// openZip reads the directory of an archive of so many bytes and checks it
// against the entries' own headers. What is wrong with it is Invalid.
func openZip(r io.ReaderAt, size int64) (*zipArchive, error) {
	z := &zipArchive{source: source{r}, byName: map[uint64]int{}, names: maphash.MakeSeed()}
	end, at, err := z.findEnd(size)
	if err != nil {
		return nil, err
	}
	count := int(binary.LittleEndian.Uint16(end[10:]))
	length := int64(binary.LittleEndian.Uint32(end[12:]))
	start := int64(binary.LittleEndian.Uint32(end[16:]))
	switch {
	case !bytes.Equal(end[4:8], []byte{0, 0, 0, 0}) || !bytes.Equal(end[8:10], end[10:12]):
		return nil, errArchive("it is a part of a zip archive of several files")
	case count > maxEntries:
		return nil, registry.Errorf(registry.Invalid, "the package is refused: it holds more than %d entries", maxEntries)
	case length > maxDirectory:
		return nil, registry.Errorf(registry.Invalid, "the package is refused: its directory is larger than %d bytes", maxDirectory)
	case start+length != at:
		return nil, errArchive("its directory is not where its end says: data stands before or behind it")
	}
	if err := z.readDirectory(start, length, count); err != nil {
		return nil, err
	}
	if err := z.checkHeaders(start); err != nil {
		return nil, err
	}
	return z, nil
}

// findEnd finds the end record. Readers look for the last signature, and some
// for one whose comment ends with the file: it must be the same.
func (z *zipArchive) findEnd(size int64) (end []byte, at int64, err error) {
	tail := make([]byte, min(size, endLength))
	for {
		if _, err := z.source.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, err
		}
		if i := bytes.LastIndex(tail, []byte(endSignature)); i >= 0 {
			end, at = tail[i:], size-int64(len(tail)-i)
			break
		}
		if int64(len(tail)) >= min(size, endLength+maxEndComment) {
			return nil, 0, errArchive("it is not a zip archive")
		}
		tail = make([]byte, min(size, endLength+maxEndComment))
	}
	if len(end) < endLength || len(end) != endLength+int(binary.LittleEndian.Uint16(end[20:])) {
		return nil, 0, errArchive("it is not a zip archive, or data follows its end")
	}
	if at >= zip64LocatorLength {
		locator := make([]byte, len(zip64Signature))
		if _, err := z.source.ReadAt(locator, at-zip64LocatorLength); err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, err
		}
		if string(locator) == zip64Signature {
			return nil, 0, errArchive("it is a zip64 archive, which no package of its size needs")
		}
	}
	return end, at, nil
}

// readDirectory reads the entries, which must fill the directory.
func (z *zipArchive) readDirectory(start, length int64, count int) error {
	r := bufio.NewReaderSize(io.NewSectionReader(z.source, start, length), 64<<10)
	z.entries = make([]zipEntry, 0, count)
	var unpacked int64
	for range count {
		e, err := readDirectoryEntry(r)
		if err != nil {
			return archiveError(err, "its directory is cut off")
		}
		if e.path, err = entryPath(e.raw); err != nil {
			return err
		}
		if err := checkEntry(e); err != nil {
			return err
		}
		if unpacked += e.size; unpacked > maxUnpacked {
			return registry.Errorf(registry.Invalid, "the package is refused: it unpacks to more than %d bytes", int64(maxUnpacked))
		}
		key := z.key(e.path)
		if _, taken := z.byName[key]; taken {
			return errEntry(e.raw, "comes twice, or differs from another one only in case or escapes")
		}
		z.byName[key] = len(z.entries)
		z.entries = append(z.entries, e)
	}
	if _, err := r.ReadByte(); err == nil {
		return errArchive("its directory holds more than its end says")
	}
	return nil
}

func readDirectoryEntry(r *bufio.Reader) (zipEntry, error) {
	var b [directoryLength]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return zipEntry{}, err
	}
	if string(b[:4]) != directorySignature {
		return zipEntry{}, errArchive("its directory is damaged")
	}
	e := zipEntry{
		flags:  binary.LittleEndian.Uint16(b[8:]),
		method: binary.LittleEndian.Uint16(b[10:]),
		crc:    binary.LittleEndian.Uint32(b[16:]),
		packed: int64(binary.LittleEndian.Uint32(b[20:])),
		size:   int64(binary.LittleEndian.Uint32(b[24:])),
		header: int64(binary.LittleEndian.Uint32(b[42:])),
	}
	if disk := binary.LittleEndian.Uint16(b[34:]); disk != 0 {
		return zipEntry{}, errArchive("it is a part of a zip archive of several files")
	}
	length := int(binary.LittleEndian.Uint16(b[28:]))
	if length > maxEntryName {
		return zipEntry{}, registry.Errorf(registry.Invalid, "the package is refused: an entry's name is longer than %d bytes", maxEntryName)
	}
	name := make([]byte, length)
	if _, err := io.ReadFull(r, name); err != nil {
		return zipEntry{}, err
	}
	e.raw = string(name)
	if host, mode := b[5], binary.LittleEndian.Uint16(b[40:])&modeType; (host == hostUnix || host == hostDarwin) && mode != 0 && mode != modeFile && mode != modeFolder {
		return zipEntry{}, errEntry(e.raw, "is a link or a device")
	}
	extra := make([]byte, binary.LittleEndian.Uint16(b[30:]))
	if _, err := io.ReadFull(r, extra); err != nil {
		return zipEntry{}, err
	}
	if err := checkExtra(e.raw, extra); err != nil {
		return zipEntry{}, err
	}
	_, err := r.Discard(int(binary.LittleEndian.Uint16(b[32:]))) // comment
	return e, err
}

// key is what two entries must not have in common.
func (z *zipArchive) key(path string) uint64 { return maphash.String(z.names, foldPath(path)) }

// find gives the file of a path, whatever its case, or nil.
func (z *zipArchive) find(path string) *zipEntry {
	if i, ok := z.byName[z.key(path)]; ok {
		return &z.entries[i]
	}
	return nil
}

// checkHeaders compares the entries' own headers with the directory. In the
// order of their offsets they must follow each other without a gap from the
// first byte to the directory.
func (z *zipArchive) checkHeaders(end int64) error {
	order := make([]*zipEntry, len(z.entries))
	for i := range z.entries {
		order[i] = &z.entries[i]
	}
	slices.SortFunc(order, func(a, b *zipEntry) int { return cmp.Compare(a.header, b.header) })
	if len(order) == 0 && end != 0 || len(order) > 0 && order[0].header != 0 {
		return errArchive("data stands before its first entry")
	}
	for i, e := range order {
		next := end
		if i+1 < len(order) {
			next = order[i+1].header
		}
		if err := z.checkHeader(e, next); err != nil {
			return err
		}
	}
	return nil
}
