package nuget

import (
	"strings"

	"pakhus/internal/registry"
)

// maxSymbolFile bounds the name of a symbol file, in bytes.
const maxSymbolFile = 255

// SymbolKey names a symbol file as debuggers ask for it: by its name, and by the
// id that the compiler wrote into it and into the program.
type SymbolKey struct {
	File string // lower case
	// Signature is the PDB's id in 32 lower-case hex digits, without the age,
	// which is FFFFFFFF for all portable PDBs.
	Signature string
}

// portableAge is what stands for the age in the key of a portable PDB.
const portableAge = "ffffffff"

// parseSymbolPath reads FILE/KEY/FILE. Some clients put folders before it, so
// the last three segments count (nuget.md 8.2).
func parseSymbolPath(segments []string) (Path, error) {
	if len(segments) < 3 {
		return Path{}, errNoRoute
	}
	last := segments[len(segments)-3:]
	if !strings.EqualFold(last[0], last[2]) {
		return Path{}, registry.Errorf(registry.NotFound, "the two file names of a symbol address must be the same")
	}
	key, ok := newSymbolKey(last[0], last[1])
	if !ok {
		return Path{}, errNoRoute
	}
	return Path{Kind: KindSymbol, Symbol: key}, nil
}

// newSymbolKey reads a file name and a key in any case; the age may be left out.
// Keys of Windows PDBs and of programs are none: such files are not stored.
func newSymbolKey(file, key string) (SymbolKey, bool) {
	file, key = strings.ToLower(file), strings.ToLower(key)
	if len(key) == 32+len(portableAge) {
		var ok bool
		if key, ok = strings.CutSuffix(key, portableAge); !ok {
			return SymbolKey{}, false
		}
	}
	if len(key) != 32 || strings.Trim(key, "0123456789abcdef") != "" || file == "" || len(file) > maxSymbolFile {
		return SymbolKey{}, false
	}
	return SymbolKey{File: file, Signature: key}, true
}
