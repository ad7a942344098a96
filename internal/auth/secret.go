package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"log/slog"
	"math/big"
	"strings"

	"pakhus/internal/registry"
)

// Secret is the text of a credential. It cannot be printed, logged or
// marshalled; Reveal gives the text where it must be handed out. The text lies
// behind a pointer, because fmt calls no methods on unexported fields: it would
// print a plain one.
type Secret struct{ text *string }

// NewSecret wraps a text that a client sent or an operator chose.
func NewSecret(text string) Secret { return Secret{&text} }

const hidden = "[secret]"

// String hides the secret from fmt.
func (Secret) String() string { return hidden }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return hidden }

// Format hides the secret from every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText hides the secret from JSON, XML and YAML.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the secret from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// Reveal gives the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Digest is what the database keeps of the secret, and what finds it.
func (s Secret) Digest() Digest {
	var small [128]byte // keeps the usual secret off the heap
	return sha256.Sum256(append(small[:0], s.Reveal()...))
}

// The prefixes of secrets that we make. They are GitLab's, so that secret
// scanners made for GitLab find leaked ones.
const (
	deployTokenPrefix   = "gldt-"
	personalTokenPrefix = "glpat-"
)

const (
	randomLength   = 26 // base-62 characters: 154 bits
	checksumLength = 6  // base-62 characters of a CRC-32
	base62         = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// mint makes a secret: prefix, random characters, and the checksum of both. A
// failing random source is an error: there is no weaker secret.
func mint(prefix string) (Secret, error) {
	var b strings.Builder
	b.WriteString(prefix)
	for range randomLength {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(base62))))
		if err != nil {
			return Secret{}, registry.Wrapf(registry.Internal, err, "random source")
		}
		b.WriteByte(base62[n.Int64()])
	}
	b.WriteString(checksum(b.String()))
	return NewSecret(b.String()), nil
}

func checksum(s string) string {
	sum := crc32.ChecksumIEEE([]byte(s))
	out := make([]byte, checksumLength)
	for i := checksumLength - 1; i >= 0; i-- {
		out[i] = base62[sum%uint32(len(base62))]
		sum /= uint32(len(base62))
	}
	return string(out)
}

// plausible is false for a text that looks like a secret of ours but has a
// wrong checksum: a typing error, refused without a look-up. Secrets imported
// from elsewhere have other lengths and pass.
func (s Secret) plausible() bool {
	if s.Reveal() == "" || len(s.Reveal()) > maxSecret {
		return false
	}
	for _, prefix := range []string{deployTokenPrefix, personalTokenPrefix} {
		if rest, ok := strings.CutPrefix(s.Reveal(), prefix); ok && len(rest) == randomLength+checksumLength {
			body := s.Reveal()[:len(s.Reveal())-checksumLength]
			return checksum(body) == s.Reveal()[len(body):]
		}
	}
	return true
}

// maxSecret bounds a secret, in bytes: more is noise (npm.md 4.2).
const maxSecret = 8 << 10

// checkImported refuses a chosen secret that nobody could send or that is too
// easy to guess.
func checkImported(s Secret) error {
	switch {
	case len(s.Reveal()) < 16:
		return registry.Errorf(registry.Invalid, "the secret is too short: at least 16 characters")
	case len(s.Reveal()) > 255:
		return registry.Errorf(registry.Invalid, "the secret is too long: at most 255 characters")
	case strings.ContainsFunc(s.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }):
		return registry.Errorf(registry.Invalid, "the secret may hold printable ASCII characters only, without blanks")
	case !s.plausible():
		return registry.Errorf(registry.Invalid, "the secret looks like a token of this registry with a typing error in it")
	}
	return nil
}
