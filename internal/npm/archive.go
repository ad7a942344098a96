package npm

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"hash/maphash"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"pakhus/internal/registry"
)

// Limits bound what is read of a tarball (npm.md 22), so that a small body
// cannot keep the server busy for long.
type Limits struct {
	Entries  int
	Unpacked int64 // bytes, as they really come out of gzip
	Ratio    int64 // unpacked to packed, above ratioFrom
	Manifest int64 // bytes of package.json
	Path     int   // bytes of an entry's name
}

// DefaultLimits are the bounds that clients' own packages stay far below.
var DefaultLimits = Limits{Entries: 200_000, Unpacked: 4 << 30, Ratio: 200, Manifest: 1 << 20, Path: 4096}

// ratioFrom is how many unpacked bytes pass before the ratio counts: a file of
// zeros in a small package is no attack.
const ratioFrom = 10 << 20

// Archive is what a tarball tells.
type Archive struct {
	Manifest      []byte // package.json
	FileCount     int
	UnpackedSize  int64 // bytes
	HasShrinkwrap bool
	HasBindingGyp bool
}

// archiveBuffer is what reading a tarball needs, 100 KB. Most packages are
// smaller: making and collecting it for each took as long as reading them.
type archiveBuffer struct {
	in     *bufio.Reader // gzip reads no byte too many from it
	zipped gzip.Reader
}

var archiveBuffers = sync.Pool{New: func() any { return &archiveBuffer{in: bufio.NewReaderSize(nil, 64<<10)} }}

// ReadArchive reads a tarball in one pass, without unpacking it. What clients
// would read in different ways, or what could hurt when they unpack it, is
// Invalid: names that lead out of the package or differ in case only, links that
// do, devices, sparse files, a second package.json, data behind the end. A
// package.json or an archive over the limits is Invalid too.
//
// Clients take the first part off each name, whatever it is, so package/a and
// other/a are the same file to us as well.
func ReadArchive(body io.Reader, limits Limits) (*Archive, error) {
	packed := &countingReader{r: body}
	buffers := archiveBuffers.Get().(*archiveBuffer)
	defer archiveBuffers.Put(buffers)
	buffered, zipped := buffers.in, &buffers.zipped
	buffered.Reset(packed)
	defer buffered.Reset(nil)
	if err := zipped.Reset(buffered); err != nil {
		return nil, archiveError(err, "it is not gzip")
	}
	zipped.Multistream(false) // readers differ in whether they go on behind the first member
	unpacked := &limitedArchive{r: zipped, packed: packed, limits: limits}
	a := &archiveReader{limits: limits, names: map[uint64]uint64{}}
	if err := a.entries(tar.NewReader(unpacked)); err != nil {
		return nil, err
	}
	// Reading on to the end makes gzip compare its checksum.
	if err := onlyZeros(unpacked); err != nil {
		return nil, err
	}
	if err := onlyZeros(buffered); err != nil {
		return nil, err
	}
	if a.Manifest == nil {
		return nil, errArchive("it holds no package.json in its folder")
	}
	return &a.Archive, nil
}

func errArchive(why string) error {
	return registry.Errorf(registry.Invalid, "the tarball is refused: %s", why)
}

func errEntry(name, why string) error {
	return registry.Errorf(registry.Invalid, "the tarball is refused: entry %q %s", cutText(name, 200), why)
}

func archiveError(err error, why string) error {
	if kind := registry.KindOf(err); kind != registry.Internal {
		return err
	}
	return registry.Wrapf(registry.Invalid, err, "the tarball is refused: %s", why)
}

// onlyZeros reads to the end. Zeros are padding; anything else is data that only
// some readers see.
func onlyZeros(r io.Reader) error {
	buf := make([]byte, 4<<10)
	for {
		n, err := r.Read(buf)
		if len(bytes.Trim(buf[:n], "\x00")) > 0 {
			return errArchive("data follows its end")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return archiveError(err, "its end is damaged")
		}
	}
}

// archiveReader collects what the entries tell.
type archiveReader struct {
	Archive
	limits Limits
	count  int
	names  map[uint64]uint64 // hash of a file's name without regard to case, to that of its name
}

func (a *archiveReader) entries(r *tar.Reader) error {
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return archiveError(err, "it is not a tar archive")
		}
		if a.count++; a.count > a.limits.Entries {
			return registry.Errorf(registry.Invalid, "the tarball is refused: it holds more than %d entries", a.limits.Entries)
		}
		if err := a.entry(header, r); err != nil {
			return err
		}
	}
}

func (a *archiveReader) entry(header *tar.Header, content io.Reader) error {
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return errEntry(header.Name, "is a sparse file")
		}
	}
	if header.Typeflag == tar.TypeXGlobalHeader { // git archive writes one, with the commit
		return checkGlobalHeader(header)
	}
	name, err := entryName(header.Name, a.limits.Path)
	if err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeReg:
		if strings.HasSuffix(header.Name, "/") { // a folder to some readers
			return errEntry(header.Name, "is a file that is called like a folder")
		}
		a.FileCount++
		a.UnpackedSize += header.Size
		return a.file(header, name, content)
	case tar.TypeDir, tar.TypeSymlink, tar.TypeLink:
		if _, special := rootFiles[strings.ToLower(name)]; special {
			return errEntry(header.Name, "is not a file")
		}
		return checkLink(header, name, a.limits.Path)
	}
	return errEntry(header.Name, "is neither a file nor a folder")
}

// rootFiles are the files of the package's root that change how it is installed.
var rootFiles = map[string]struct{}{"package.json": {}, "npm-shrinkwrap.json": {}, "binding.gyp": {}}

// file looks at a file; name is without the folder that clients take off.
func (a *archiveReader) file(header *tar.Header, name string, content io.Reader) error {
	if name == "" { // beside the folder: clients do not unpack it
		return nil
	}
	folded := strings.ToLower(name)
	_, special := rootFiles[folded]
	exact := maphash.String(keySeed, name)
	fold := maphash.String(keySeed, folded)
	if other, taken := a.names[fold]; taken {
		switch {
		case other != exact:
			return errEntry(header.Name, "differs only in case from another one")
		case special:
			return errEntry(header.Name, "comes twice")
		}
	}
	a.names[fold] = exact
	switch name {
	case "package.json":
		return a.manifest(header.Size, content)
	case "npm-shrinkwrap.json":
		a.HasShrinkwrap = true
	case "binding.gyp":
		a.HasBindingGyp = true
	default:
		if special {
			return errEntry(header.Name, "would take the place of "+folded+" where case does not count")
		}
	}
	return nil
}

func (a *archiveReader) manifest(size int64, content io.Reader) error {
	if size > a.limits.Manifest {
		return registry.Errorf(registry.Invalid, "the tarball is refused: package.json is larger than %d bytes", a.limits.Manifest)
	}
	text, err := io.ReadAll(io.LimitReader(content, size))
	if err != nil {
		return archiveError(err, "package.json is cut off")
	}
	// Windows editors write a byte order mark; npm takes it off too.
	a.Manifest = bytes.TrimPrefix(text, []byte("\ufeff"))
	return nil
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// limitedArchive counts the bytes that really come out of gzip, whatever headers
// say of them.
type limitedArchive struct {
	r      io.Reader
	packed *countingReader
	limits Limits
	n      int64
}

func (l *limitedArchive) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.n += int64(n)
	if l.n > l.limits.Unpacked {
		return 0, registry.Errorf(registry.Invalid, "the tarball is refused: it unpacks to more than %d bytes", l.limits.Unpacked)
	}
	if l.n > ratioFrom && l.n/l.limits.Ratio > l.packed.n {
		return 0, registry.Errorf(registry.Invalid, "the tarball is refused: it unpacks to more than %d times its size", l.limits.Ratio)
	}
	return n, err
}
