package npm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// Signer signs published versions with the registry's key (npm.md 16.1), so that
// clients can tell what this registry served from what somebody else made up.
type Signer struct {
	key    *ecdsa.PrivateKey
	public signingKey
}

// signerInfo separates the signing key from whatever else is derived from the
// instance's secret.
const signerInfo = "pakhus npm registry signatures v1"

// NewSigner derives the signing key from the instance's secret: all replicas
// share it without another file to keep.
func NewSigner(secret []byte) (*Signer, error) {
	for attempt := range 16 {
		raw, err := hkdf.Key(sha256.New, secret, nil, fmt.Sprintf("%s %d", signerInfo, attempt), 32)
		if err != nil {
			return nil, registry.Wrapf(registry.Internal, err, "derive npm signing key")
		}
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
		if err != nil {
			continue // not below the curve's order: one in 2^32
		}
		spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			return nil, registry.Wrapf(registry.Internal, err, "encode npm signing key")
		}
		sum := sha256.Sum256(spki)
		return &Signer{key: key, public: signingKey{
			KeyID:   "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:]),
			KeyType: "ecdsa-sha2-nistp256", Scheme: "ecdsa-sha2-nistp256",
			Key: base64.StdEncoding.EncodeToString(spki),
		}}, nil
	}
	return nil, registry.Errorf(registry.Internal, "no npm signing key can be derived from the secret")
}

// sign signs name, version and integrity of a published version.
func (s *Signer) sign(name, version, integrity string) (Signature, error) {
	sum := sha256.Sum256([]byte(name + "@" + version + ":" + integrity))
	der, err := ecdsa.SignASN1(rand.Reader, s.key, sum[:])
	if err != nil {
		return Signature{}, registry.Wrapf(registry.Internal, err, "sign %s@%s", name, version)
	}
	return Signature{KeyID: s.public.KeyID, Sig: base64.StdEncoding.EncodeToString(der)}, nil
}

// getKeys answers GET /-/npm/v1/keys.
func (h *Handler) getKeys(c echo.Context, _ *request) error {
	if h.opts.Signer == nil {
		return registry.Errorf(registry.NotFound, "this registry does not sign")
	}
	return c.JSON(http.StatusOK, keyList{Keys: []signingKey{h.opts.Signer.public}})
}
