package maven

import (
	"encoding/hex"

	"pakhus/internal/registry"
)

// Of gives the checksum among those of a body, in lower-case hex: exactly what
// is sent as a checksum file, without a newline (maven.md 7.1).
func (a Algorithm) Of(d registry.Digests) string {
	switch a {
	case MD5:
		return hex.EncodeToString(d.MD5[:])
	case SHA1:
		return hex.EncodeToString(d.SHA1[:])
	case SHA256:
		return hex.EncodeToString(d.SHA256[:])
	}
	return hex.EncodeToString(d.SHA512[:])
}
