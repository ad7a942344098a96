// Package seal hides the few secrets that must be readable again, such as
// deploy tokens for CI variables, under the key of the instance. Everything
// else is kept as a digest only.
//
// It is the only package besides blob that knows gocloud: its local keeper is
// NaCl's secretbox (XSalsa20 and Poly1305) with a random nonce a message.
package seal

import (
	"context"

	"gocloud.dev/secrets"
	"gocloud.dev/secrets/localsecrets"

	"pakhus/internal/registry"
)

// Sealer seals and opens under one key. It is safe for concurrent use.
type Sealer struct{ keeper *secrets.Keeper }

// New makes a Sealer for a key.
func New(key Key) *Sealer {
	return &Sealer{localsecrets.NewKeeper(key.bytes())}
}

// Seal hides a text.
func (s *Sealer) Seal(ctx context.Context, plain []byte) ([]byte, error) {
	sealed, err := s.keeper.Encrypt(ctx, plain)
	if err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "seal")
	}
	return sealed, nil
}

// Open gives back what was sealed. Another key's or damaged bytes are Invalid.
func (s *Sealer) Open(ctx context.Context, sealed []byte) ([]byte, error) {
	plain, err := s.keeper.Decrypt(ctx, sealed)
	if err != nil {
		return nil, registry.Wrapf(registry.Invalid, err, "the sealed text belongs to another instance key, or is damaged")
	}
	return plain, nil
}

// Close ends the use of the key.
func (s *Sealer) Close() error { return s.keeper.Close() }
