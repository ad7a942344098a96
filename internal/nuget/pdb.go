package nuget

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"

	"pakhus/internal/registry"
)

// A portable PDB is metadata as in ECMA-335 II.24.2.1: a root that lists streams,
// among them #Pdb, which begins with the id of the file.
const (
	maxPDBHead    = 4096 // bytes; the root takes some 150
	maxPDBStreams = 32
	pdbIDLength   = 20 // a GUID, and a stamp of 4 bytes
)

// findPDBID gives the offset of the id, from the begin of a PDB that has so many
// bytes in all. Anything but a portable PDB is Invalid.
func findPDBID(head []byte, size int64) (int64, error) {
	if !bytes.HasPrefix(head, []byte("BSJB")) {
		if bytes.HasPrefix(head, []byte("Microsoft C/C++")) {
			return 0, errPDB("it is a Windows PDB")
		}
		return 0, errPDB("it does not begin with BSJB")
	}
	if len(head) < 16 {
		return 0, errPDB("it is cut off")
	}
	version := binary.LittleEndian.Uint32(head[12:])
	if version > 255 || len(head) < 16+int(version)+4 {
		return 0, errPDB("its version is too long")
	}
	rest := head[16+version:]
	count := int(binary.LittleEndian.Uint16(rest[2:]))
	if rest = rest[4:]; count > maxPDBStreams {
		return 0, errPDB("it has too many streams")
	}
	found := int64(-1)
	for range count {
		if len(rest) < 8 {
			return 0, errPDB("its list of streams is cut off")
		}
		offset, length := int64(binary.LittleEndian.Uint32(rest)), int64(binary.LittleEndian.Uint32(rest[4:]))
		end := bytes.IndexByte(rest[8:], 0)
		padded := 8 + (end+4)/4*4
		if end < 0 || padded > len(rest) {
			return 0, errPDB("its list of streams is cut off")
		}
		name := string(rest[8 : 8+end])
		rest = rest[padded:]
		if offset+length > size {
			return 0, errPDB("a stream leads out of it")
		}
		if name != "#Pdb" {
			continue
		}
		if found >= 0 || length < pdbIDLength {
			return 0, errPDB("it must have one id")
		}
		found = offset
	}
	if found < int64(len(head)-len(rest)) {
		return 0, errPDB("it has no id")
	}
	return found, nil
}

func errPDB(why string) error { return registry.Errorf(registry.Invalid, "%s", why) }

// pdbKey is the key of the symbol server protocol: the GUID as it is written,
// whose first three fields are stored with their lowest byte first, and in the
// place of an age what says that the PDB is portable.
func pdbKey(id [pdbIDLength]byte) string {
	guid := [16]byte{id[3], id[2], id[1], id[0], id[5], id[4], id[7], id[6]}
	copy(guid[8:], id[8:16])
	return hex.EncodeToString(guid[:]) + "FFFFFFFF"
}

// idSplitter reads a PDB with zeros in the place of its id, which it keeps.
type idSplitter struct {
	from io.Reader
	at   int64 // offset of the id
	id   [pdbIDLength]byte
	n    int64 // bytes read
}

func (s *idSplitter) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	for i := max(s.at, s.n); i < min(s.at+pdbIDLength, s.n+int64(n)); i++ {
		s.id[i-s.at] = p[i-s.n]
		p[i-s.n] = 0
	}
	s.n += int64(n)
	return n, err
}
