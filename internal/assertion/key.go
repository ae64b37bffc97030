package assertion

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/tokensync/tokensync/internal/redact"
)

const (
	// minRSABits is what RFC 7518 section 3.3 demands.
	minRSABits = 2048
	// maxRSABits bounds what one signature costs: with 4,096 bits some 10 ms, with 8,192 already 200 ms.
	maxRSABits = 4096
)

// Key signs assertions. Every way to print, log or encode it yields [redact.Marker]. It is safe for concurrent use.
// The zero value fits no algorithm and signs nothing.
type Key struct {
	// material returns what go-jose signs with. As a function it is the one thing that fmt prints as an address
	// wherever it stands: for a verb that does not fit, it follows even the pointers of unexported fields.
	material func() any
	// algorithms are those that fit, the default first.
	algorithms []jose.SignatureAlgorithm
	// symmetric says that the key is a client secret.
	symmetric bool
	// keyID is the default of the header kid; empty for none.
	keyID string
	// thumbprint is the header x5t#S256 (RFC 7515 section 4.1.8); empty where no certificate is known.
	thumbprint string
}

// SecretKey makes a key of a client secret, for the method client_secret_jwt: the octets of its text are the key of an
// HMAC (OpenID Connect Core section 9). That a secret is too short shows when it signs.
func SecretKey(secret redact.String) *Key {
	key := &Key{material: func() any { return []byte(secret.Reveal()) }, symmetric: true}
	for _, algorithm := range []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512} {
		if len(secret.Reveal()) >= hashSize(algorithm) {
			key.algorithms = append(key.algorithms, algorithm)
		}
	}
	return key
}

// CertificateKey makes a key of the two halves of a TLS Secret. Its assertions name the certificate in the header
// x5t#S256. The certificate may stand in a chain, in any place. All its errors are of type [*KeyError].
func CertificateKey(certificatePEM, keyPEM []byte) (*Key, error) {
	key, err := ParseKey(keyPEM)
	if err != nil {
		return nil, err
	}
	if len(certificatePEM) > maxFile {
		return nil, fault(messageTooLarge)
	}
	var certificates [][]byte
	for _, block := range pemBlocks(certificatePEM) {
		if block.Type == blockCertificate {
			certificates = append(certificates, block.Bytes)
		}
	}
	if len(certificates) == 0 {
		return nil, fault(messageNoCertificate)
	}
	if err := key.bind(certificates); err != nil {
		return nil, err
	}
	return key, nil
}

// newKey makes a key of what a parser returned.
func newKey(private any) (*Key, error) {
	key := &Key{material: func() any { return private }}
	switch private := private.(type) {
	case *rsa.PrivateKey:
		switch bits := private.N.BitLen(); {
		case bits < minRSABits:
			return nil, fault(messageRSAShort)
		case bits > maxRSABits:
			return nil, fault(messageRSALong)
		case len(private.Primes) != 2: // RFC 8017 allows more, at many times the cost.
			return nil, fault(messageKind)
		}
		key.algorithms = []jose.SignatureAlgorithm{
			jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		}
	case *ecdsa.PrivateKey:
		algorithm, ok := map[string]jose.SignatureAlgorithm{
			"P-256": jose.ES256, "P-384": jose.ES384, "P-521": jose.ES512,
		}[private.Curve.Params().Name]
		if !ok {
			return nil, fault(messageKind)
		}
		key.algorithms = []jose.SignatureAlgorithm{algorithm}
	case ed25519.PrivateKey:
		key.algorithms = []jose.SignatureAlgorithm{jose.EdDSA}
	default:
		return nil, fault(messageKind)
	}
	return key, nil
}

// bind makes the key name the first of the certificates, in DER, that belongs to it. It is an error if none does.
func (k *Key) bind(certificates [][]byte) error {
	for _, der := range certificates {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return fault(messageBadCertificate)
		}
		if k.fits(certificate.PublicKey) {
			k.thumbprint = thumbprint(der)
			return nil
		}
	}
	return fault(messageMismatch)
}

// fits tells whether the public key belongs to this one.
func (k *Key) fits(public crypto.PublicKey) bool {
	signer, ok := k.material().(crypto.Signer)
	if !ok {
		return false
	}
	own, ok := signer.Public().(interface{ Equal(x crypto.PublicKey) bool })
	return ok && own.Equal(public)
}

// prefer makes an algorithm the default, and tells whether it fits the key at all.
func (k *Key) prefer(algorithm jose.SignatureAlgorithm) bool {
	i := slices.Index(k.algorithms, algorithm)
	if i < 0 {
		return false
	}
	k.algorithms = slices.Insert(slices.Delete(k.algorithms, i, i+1), 0, algorithm)
	return true
}

func thumbprint(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// String returns [redact.Marker].
func (Key) String() string {
	return redact.Marker
}

// GoString returns [redact.Marker].
func (Key) GoString() string {
	return redact.Marker
}

// Format writes [redact.Marker], whatever the verb and its flags.
func (Key) Format(state fmt.State, _ rune) {
	// A failed write shows in the result of the call that formats.
	_, _ = io.WriteString(state, redact.Marker)
}

// LogValue returns [redact.Marker].
func (Key) LogValue() slog.Value {
	return slog.StringValue(redact.Marker)
}

// MarshalJSON returns [redact.Marker] as a JSON string. It never fails.
func (Key) MarshalJSON() ([]byte, error) {
	return []byte(`"` + redact.Marker + `"`), nil
}

// MarshalText returns [redact.Marker]. It never fails.
func (Key) MarshalText() ([]byte, error) {
	return []byte(redact.Marker), nil
}
