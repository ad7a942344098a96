package blob

import (
	"strings"

	"pakhus/internal/registry"
)

// keyShape is what a key looks like, "x" standing for a hex digit and "r" for
// the first character of the random end:
// sha256/<2 hex>/<64 hex>-<16 to 64 of a-z, 0-9>.
const (
	keyShape     = "sha256/xx/" + hex64 + "-"
	hex64        = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	minKeyRandom = 16
	maxKeyRandom = 64
	digestAt     = len("sha256/xx/")
)

// checkKey refuses what is not a key of ours. Keys come from our own rows, so
// another one means that something is badly wrong: Internal.
func checkKey(key string) error {
	random := len(key) - len(keyShape)
	if !fits(key) || random < minKeyRandom || random > maxKeyRandom ||
		key[7:9] != key[digestAt:digestAt+2] {
		return registry.Errorf(registry.Internal, "not the key of a blob: %.120q", key)
	}
	return nil
}

// checkPrefix refuses what no key begins with.
func checkPrefix(prefix string) error {
	if !fits(prefix) || len(prefix) > len(keyShape)+maxKeyRandom {
		return registry.Errorf(registry.Internal, "no key of a blob begins with %.120q", prefix)
	}
	return nil
}

// fits tells whether s has the shape of a key as far as it goes.
func fits(s string) bool {
	for i := range len(s) {
		switch {
		case i >= len(keyShape):
			if !lowerOrDigit(s[i]) {
				return false
			}
		case keyShape[i] == 'x':
			if !strings.Contains("0123456789abcdef", s[i:i+1]) {
				return false
			}
		case s[i] != keyShape[i]:
			return false
		}
	}
	return true
}

func lowerOrDigit(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }
