package assertion

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"

	"github.com/go-jose/go-jose/v4"
)

// parseJSON tells the JSON forms of a private key apart by their members.
func parseJSON(text []byte) (*Key, error) {
	var file struct {
		Type         json.RawMessage   `json:"kty"`
		Keys         []json.RawMessage `json:"keys"`
		PrivateKey   string            `json:"private_key"`
		PrivateKeyID string            `json:"private_key_id"`
	}
	if json.Unmarshal(text, &file) != nil {
		return nil, fault(messageJSON)
	}
	switch {
	case file.PrivateKey != "":
		key, err := parsePEM([]byte(file.PrivateKey))
		if err != nil {
			return nil, err
		}
		key.keyID = file.PrivateKeyID
		return key, nil
	case file.Keys != nil:
		return parseSet(file.Keys)
	case file.Type != nil:
		return parseJWK(text)
	default:
		return nil, fault(messageJSON)
	}
}

// outline is as much of a JWK as it takes to see what it is for.
type outline struct {
	Type    string          `json:"kty"`
	Use     string          `json:"use"`
	Private json.RawMessage `json:"d"`
	Modulus string          `json:"n"`
}

// parseSet reads the private key for signatures in a JWK Set (RFC 7517 section 5). Other keys may stand beside it, also
// of kinds that are not known here.
func parseSet(keys []json.RawMessage) (*Key, error) {
	var found []json.RawMessage
	for _, raw := range keys {
		var o outline
		if json.Unmarshal(raw, &o) != nil || o.Private == nil || o.Use == "enc" {
			continue
		}
		if o.Use == "sig" {
			return parseJWK(raw)
		}
		found = append(found, raw)
	}
	switch {
	case len(found) > 1:
		return nil, fault(messageSetSeveral)
	case len(found) == 1:
		return parseJWK(found[0])
	case len(keys) == 1:
		return parseJWK(keys[0]) // It says what else this one is.
	default:
		return nil, fault(messageSetPublic)
	}
}

// parseJWK reads a private JWK (RFC 7517 section 4), with the key ID and the algorithm that it names.
func parseJWK(raw []byte) (*Key, error) {
	var o outline
	if json.Unmarshal(raw, &o) != nil {
		return nil, fault(messageJWK)
	}
	switch {
	case o.Type == "oct":
		return nil, fault(messageJWKSecret)
	case o.Type != "RSA" && o.Type != "EC" && o.Type != "OKP":
		return nil, fault(messageJWKKind)
	case o.Private == nil:
		return nil, fault(messagePublic)
	case o.Use == "enc":
		return nil, fault(messageJWKEncryption)
	case base64.RawURLEncoding.DecodedLen(len(o.Modulus))*8 > maxRSABits+8: // A leading zero is tolerated.
		return nil, fault(messageRSALong)
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(raw); err != nil {
		return nil, fault(messageJWK)
	}
	private, ok := rebuilt(jwk.Key)
	if !ok {
		return nil, fault(messageJWK)
	}
	key, err := newKey(private)
	if err != nil {
		return nil, err
	}
	if jwk.Algorithm != "" && !key.prefer(signatureAlgorithm(jwk.Algorithm)) {
		return nil, fault(messageJWKAlgorithm)
	}
	key.keyID = jwk.KeyID
	switch {
	case len(jwk.CertificateThumbprintSHA256) > 0:
		key.thumbprint = base64.RawURLEncoding.EncodeToString(jwk.CertificateThumbprintSHA256)
	case len(jwk.Certificates) > 0:
		key.thumbprint = thumbprint(jwk.Certificates[0].Raw)
	}
	return key, nil
}

// rebuilt returns a private key whose parts fit each other. go-jose leaves that open for EC, and for RSA it takes over
// factors that nobody has compared and leaves the rest to be worked out at every signature.
func rebuilt(private any) (any, bool) {
	switch private := private.(type) {
	case *rsa.PrivateKey:
		fresh := &rsa.PrivateKey{PublicKey: private.PublicKey, D: private.D, Primes: private.Primes}
		fresh.Precompute()
		return fresh, fresh.Validate() == nil
	case *ecdsa.PrivateKey:
		raw, err := private.Bytes()
		if err != nil {
			return nil, false
		}
		fresh, err := ecdsa.ParseRawPrivateKey(private.Curve, raw)
		if err != nil {
			return nil, false
		}
		return fresh, fresh.PublicKey.Equal(&private.PublicKey)
	default:
		return private, true
	}
}

// signatureAlgorithm reads the alg of a JWK. Ed25519 is what RFC 9864 section 2.2 calls EdDSA with that curve.
func signatureAlgorithm(name string) jose.SignatureAlgorithm {
	if name == "Ed25519" {
		return jose.EdDSA
	}
	return jose.SignatureAlgorithm(name)
}
