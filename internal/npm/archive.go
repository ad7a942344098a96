package npm

import (
	"archive/tar"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"

	"pakhus/internal/registry"
)

// Limits bound what is read of a tarball (npm.md 22), so that a small body
// cannot keep the server busy for long.
type Limits struct {
	Entries  int
	Unpacked int64 // bytes
	Ratio    int64 // unpacked to packed, above RatioFrom
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

// ReadArchive reads a tarball in one pass, without unpacking it. What npm would
// not pack, or what clients would read in different ways, is Invalid: entries
// that lead out of the folder, links, devices, sparse files, two manifests,
// names that differ only in case from package.json; so is what goes over the
// limits.
func ReadArchive(body io.Reader, limits Limits) (*Archive, error) {
	packed := &countingReader{r: body}
	zipped, err := gzip.NewReader(packed)
	if err != nil {
		return nil, archiveError(err, "it is not gzip")
	}
	unpacked := &limitedArchive{r: zipped, packed: packed, limits: limits}
	a := &archiveReader{limits: limits}
	entries := tar.NewReader(unpacked)
	for {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, archiveError(err, "it is not a tar archive")
		}
		if err := a.entry(header, entries); err != nil {
			return nil, err
		}
	}
	// What follows the end of the archive is read too: it is checked by gzip and
	// counts for the limits.
	if _, err := io.Copy(io.Discard, unpacked); err != nil {
		return nil, archiveError(err, "its end is damaged")
	}
	if a.Manifest == nil {
		return nil, errArchive("it holds no package.json in its first folder")
	}
	return &a.Archive, nil
}

func errArchive(why string) error {
	return registry.Errorf(registry.Invalid, "the tarball is refused: %s", why)
}

func archiveError(err error, why string) error {
	if kind := registry.KindOf(err); kind != registry.Internal {
		return err
	}
	return registry.Wrapf(registry.Invalid, err, "the tarball is refused: %s", why)
}

// archiveReader collects what the entries tell.
type archiveReader struct {
	Archive
	limits  Limits
	entries int
	root    string // first folder, as clients strip it
}

func (a *archiveReader) entry(header *tar.Header, content io.Reader) error {
	if a.entries++; a.entries > a.limits.Entries {
		return registry.Errorf(registry.Invalid, "the tarball is refused: it holds more than %d entries", a.limits.Entries)
	}
	if err := checkEntryName(header.Name, a.limits.Path); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil // git archive writes one
	case tar.TypeDir:
		return nil
	case tar.TypeReg:
	default:
		return registry.Errorf(registry.Invalid, "the tarball is refused: entry %q is neither a file nor a folder", header.Name)
	}
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return registry.Errorf(registry.Invalid, "the tarball is refused: entry %q is a sparse file", header.Name)
		}
	}
	a.FileCount++
	a.UnpackedSize += header.Size
	return a.file(path.Clean(header.Name), header.Size, content)
}

// file looks at the files of the package's root that mean something.
func (a *archiveReader) file(name string, size int64, content io.Reader) error {
	folder, base, nested := strings.Cut(name, "/")
	if !nested {
		return nil
	}
	if a.root == "" {
		a.root = folder
	}
	if folder != a.root || strings.Contains(base, "/") {
		return nil
	}
	switch {
	case base == "package.json":
		if a.Manifest != nil {
			return errArchive("it holds package.json twice")
		}
		return a.manifest(size, content)
	case strings.EqualFold(base, "package.json"):
		return registry.Errorf(registry.Invalid, "the tarball is refused: %q would take the place of package.json where case does not count", name)
	case base == "npm-shrinkwrap.json":
		a.HasShrinkwrap = true
	case base == "binding.gyp":
		a.HasBindingGyp = true
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
	a.Manifest = []byte(strings.TrimPrefix(string(text), "\ufeff")) // Windows editors; npm takes it off too
	return nil
}

// checkEntryName refuses names that could lead out of the folder that a client
// unpacks into, on any system.
func checkEntryName(name string, limit int) error {
	switch {
	case len(name) > limit:
		return registry.Errorf(registry.Invalid, "the tarball is refused: an entry's name is longer than %d bytes", limit)
	case strings.ContainsRune(name, 0):
		return errArchive("an entry's name holds NUL")
	case strings.HasPrefix(name, "/"), strings.HasPrefix(name, `\`), len(name) > 1 && name[1] == ':':
		return registry.Errorf(registry.Invalid, "the tarball is refused: entry %q has an absolute name", name)
	}
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == ".." {
			return registry.Errorf(registry.Invalid, "the tarball is refused: entry %q leads out of the package", name)
		}
	}
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
