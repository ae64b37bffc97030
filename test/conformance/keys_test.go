package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
)

// newKey makes a private key that an algorithm of JWS fits.
func newKey(t *testing.T, algorithm string) crypto.Signer {
	t.Helper()
	var (
		key crypto.Signer
		err error
	)
	switch algorithm {
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// pkcs8 is a private key as `openssl genpkey` writes it.
func pkcs8(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// pkcs1 is an RSA key as `openssl genrsa -traditional` writes it.
func pkcs1(key crypto.Signer) string {
	der := x509.MarshalPKCS1PrivateKey(key.(*rsa.PrivateKey))
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der}))
}

// sec1 is an elliptic curve key as `openssl ecparam -genkey` writes it.
func sec1(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

// jwk is a key, private or public, as a JWK. The key ID and the algorithm may be
// empty.
func jwk(t *testing.T, key any, keyID, algorithm string) json.RawMessage {
	t.Helper()
	encoded, err := jose.JSONWebKey{Key: key, KeyID: keyID, Algorithm: algorithm, Use: "sig"}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// public registers the public half of a key, with nothing but what it takes.
func public(t *testing.T, key crypto.Signer) []json.RawMessage {
	t.Helper()
	return []json.RawMessage{jwk(t, key.Public(), "", "")}
}

// leaf reads the certificate of a pair.
func leaf(t *testing.T, pair *oidcprovider.Pair) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(pair.Certificate)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// certified registers the certificate of a pair (RFC 8705 section 2.2.2).
func certified(t *testing.T, pair *oidcprovider.Pair) []json.RawMessage {
	t.Helper()
	certificate := leaf(t, pair)
	encoded, err := jose.JSONWebKey{Key: certificate.PublicKey, Certificates: []*x509.Certificate{certificate}}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return []json.RawMessage{encoded}
}

// thumbprint is what a token is bound to that was got with a certificate.
func thumbprint(t *testing.T, pair *oidcprovider.Pair) string {
	t.Helper()
	sum := sha256.Sum256(leaf(t, pair).Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// tlsSecret is the data of a Secret of the type kubernetes.io/tls.
func tlsSecret(pair *oidcprovider.Pair) map[string]string {
	return map[string]string{"tls.crt": string(pair.Certificate), "tls.key": string(pair.Key)}
}
