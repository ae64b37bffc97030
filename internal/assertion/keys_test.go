package assertion_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/tokensync/tokensync/internal/assertion"
)

// The keys of all tests, made once: those of RSA take a while.
var (
	rsaKey   = sync.OnceValue(func() *rsa.PrivateKey { return newRSA(2048) })
	otherRSA = sync.OnceValue(func() *rsa.PrivateKey { return newRSA(2048) })
	p256Key  = sync.OnceValue(func() *ecdsa.PrivateKey { return newEC(elliptic.P256()) })
	p384Key  = sync.OnceValue(func() *ecdsa.PrivateKey { return newEC(elliptic.P384()) })
	p521Key  = sync.OnceValue(func() *ecdsa.PrivateKey { return newEC(elliptic.P521()) })
	edKey    = sync.OnceValue(func() ed25519.PrivateKey {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return must(key, err)
	})
)

// signers are the keys by what the tests call them.
func signers() map[string]crypto.Signer {
	return map[string]crypto.Signer{
		"RSA": rsaKey(), "P-256": p256Key(), "P-384": p384Key(), "P-521": p521Key(), "Ed25519": edKey(),
	}
}

func newRSA(bits int) *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, bits)) }

func newMultiPrime(primes, bits int) *rsa.PrivateKey {
	//nolint:staticcheck // Nobody should make such keys, and there are some.
	return must(rsa.GenerateMultiPrimeKey(rand.Reader, primes, bits))
}

func newEC(curve elliptic.Curve) *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(key crypto.Signer) string {
	return block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key)))
}

func pkcs1(key *rsa.PrivateKey) string {
	return block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
}

func sec1(key *ecdsa.PrivateKey) string {
	return block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(key)))
}

func publicPEM(key crypto.Signer) string {
	return block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(key.Public())))
}

// ecParameters is what openssl ecparam -genkey writes before the key.
func ecParameters() string {
	return block("EC PARAMETERS", must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7})))
}

// jwk returns key, private or public, as a JWK with more members; nil removes one.
func jwk(key any, more map[string]any) string {
	members := map[string]any{}
	if err := json.Unmarshal(must(jose.JSONWebKey{Key: key}.MarshalJSON()), &members); err != nil {
		panic(err)
	}
	for name, value := range more {
		if members[name] = value; value == nil {
			delete(members, name)
		}
	}
	return string(must(json.Marshal(members)))
}

func jwks(keys ...string) string {
	return `{"keys":[` + strings.Join(keys, ",") + `]}`
}

func serviceAccount(key string) string {
	return string(must(json.Marshal(map[string]string{
		"type": "service_account", "project_id": "acme", "private_key_id": "kid-of-file", "private_key": key,
		"client_email": "robot@acme.iam.gserviceaccount.com",
	})))
}

// certificate returns one for the key, signed by itself, in DER.
func certificate(key crypto.Signer) []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	return must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
}

func thumbprintOf(der []byte) string {
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func parse(t *testing.T, text string) *assertion.Key {
	t.Helper()
	key, err := assertion.ParseKey([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return key
}
