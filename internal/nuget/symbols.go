package nuget

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path"
	"slices"
	"strings"

	"pakhus/internal/registry"
)

const (
	// maxSymbols bounds what all PDBs of a package unpack to, in bytes: each of
	// them is unpacked and summed while the publisher waits.
	maxSymbols = 2 << 30
	// symbolsRatio is what the PDBs may unpack to, in relation to the package,
	// above symbolsRatioFrom bytes. Real ones reach 5.
	symbolsRatio     = 100
	symbolsRatioFrom = 64 << 20
)

// symbolExtensions are the files that a snupkg may hold.
var symbolExtensions = []string{".pdb", nuspecExtension, ".xml", ".psmdcp", ".rels", ".p7s"}

// SymbolContents is what a snupkg holds.
type SymbolContents struct {
	Nuspec      *Nuspec
	NuspecBytes []byte
	// PDBs are in the order of the archive. Each pair of file name and key is
	// there once, though several frameworks may share a PDB.
	PDBs []PDB
	// Warnings are sentences for the publisher, those of the nuspec among them:
	// printable ASCII on one line each.
	Warnings []string
}

// PDB is a portable PDB of a snupkg.
type PDB struct {
	Entry string // path in the package
	File  string // last part of the path
	// Key is what debuggers look the file up by: its GUID in 32 lower-case
	// hexadecimal digits, and FFFFFFFF.
	Key string
	// Checksum is the SHA-256 of the file with its 20 id bytes zeroed, in lower-case
	// hexadecimal digits: a build writes it into the dll before the id is known.
	Checksum string
	Size     int64 // bytes

	archive *zipArchive
	entry   *zipEntry
}

// Open gives the file's bytes. It reads from what was given to ReadSymbols, and
// may be called several times. A body that changed meanwhile is Invalid.
func (p PDB) Open() (io.Reader, error) { return p.archive.open(p.entry) }

// ReadSymbols checks a snupkg of so many bytes and reads all of it. What is no
// package of symbols, or holds something else than portable PDBs, is Invalid. A
// failure of r is Unavailable.
func ReadSymbols(r io.ReaderAt, size int64) (*SymbolContents, error) {
	z, err := openZip(r, size)
	if err != nil {
		return nil, err
	}
	c := &SymbolContents{}
	if c.Nuspec, c.NuspecBytes, err = z.readNuspec(); err != nil {
		return nil, err
	}
	if !c.Nuspec.IsSymbols() {
		return nil, registry.Errorf(registry.Invalid, "%s is not of the package type SymbolsPackage: push it to the address of packages", c.Nuspec.ID)
	}
	c.Warnings = slices.Clone(c.Nuspec.Warnings)
	if err := z.checkSymbols(size); err != nil {
		return nil, err
	}
	if err := c.readPDBs(z); err != nil {
		return nil, err
	}
	if len(c.PDBs) == 0 {
		c.Warnings = append(c.Warnings, "The package holds no PDB.")
	}
	return c, nil
}

// readPDBs takes each PDB once. Two that debuggers could not tell apart must be
// the same.
func (c *SymbolContents) readPDBs(z *zipArchive) error {
	checksums := map[string]string{} // by file and key
	for i := range z.entries {
		e := &z.entries[i]
		if !strings.EqualFold(path.Ext(e.path), ".pdb") {
			continue
		}
		pdb, err := z.readPDB(e)
		if err != nil {
			return err
		}
		address := strings.ToLower(pdb.File) + "/" + pdb.Key
		other, taken := checksums[address]
		switch {
		case taken && other != pdb.Checksum:
			return errEntry(e.raw, "has the id of another PDB and other content")
		case !taken:
			checksums[address] = pdb.Checksum
			c.PDBs = append(c.PDBs, pdb)
		}
	}
	return nil
}

// checkSymbols checks the kinds of the entries, and before any is unpacked how
// large they get.
func (z *zipArchive) checkSymbols(packed int64) error {
	var unpacked int64
	for i := range z.entries {
		e := &z.entries[i]
		if strings.HasSuffix(e.path, folderSuffix) {
			continue
		}
		if !slices.Contains(symbolExtensions, strings.ToLower(path.Ext(e.path))) {
			return errEntry(e.raw, "is no PDB: a package of symbols holds nothing else")
		}
		unpacked += e.size
	}
	if unpacked > maxSymbols {
		return registry.Errorf(registry.Invalid, "the package is refused: it unpacks to more than %d bytes", int64(maxSymbols))
	}
	if unpacked > symbolsRatioFrom && unpacked/symbolsRatio > packed {
		return registry.Errorf(registry.Invalid, "the package is refused: it unpacks to more than %d times its size", symbolsRatio)
	}
	return nil
}

// readPDB reads a PDB to its end for its key and checksum.
func (z *zipArchive) readPDB(e *zipEntry) (PDB, error) {
	content, err := z.open(e)
	if err != nil {
		return PDB{}, err
	}
	head := make([]byte, min(e.size, maxPDBHead))
	if _, err := io.ReadFull(content, head); err != nil {
		return PDB{}, archiveError(err, "a PDB is cut off")
	}
	at, err := findPDBID(head, e.size)
	if err != nil {
		return PDB{}, errEntry(e.raw, "is no portable PDB: "+registry.Message(err))
	}
	sum := sha256.New()
	id := &idSplitter{from: io.MultiReader(bytes.NewReader(head), content), at: at}
	if _, err := io.Copy(sum, id); err != nil {
		return PDB{}, err
	}
	return PDB{
		Entry: e.path, File: path.Base(e.path), Key: pdbKey(id.id), Checksum: hex.EncodeToString(sum.Sum(nil)), Size: e.size,
		archive: z, entry: e,
	}, nil
}
