package assertion

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tokensync/tokensync/internal/redact"
)

// Options shape an assertion.
type Options struct {
	// Algorithm is the header alg (RFC 7518 section 3.1). Empty means what the JWK names, else RS256, ES256, ES384,
	// ES512, EdDSA or HS256, as the key is.
	Algorithm string
	// KeyID is the header kid. Empty means what the JWK or the service account's file names, else none.
	KeyID string
	// Type is the header typ (RFC 7519 section 5.1). Empty means JWT.
	Type string
}

// Sign makes an assertion of the claims, as a JWS in the compact form (RFC 7515 section 7.1). The claims exp, iat and
// nbf are written as whole seconds: they may be integers, floating-point numbers, which are rounded down, or a
// time.Time. The other values are encoded by encoding/json. All its errors are of type [*KeyError].
func (k *Key) Sign(o Options, claims map[string]any) (redact.String, error) {
	algorithm, err := k.algorithm(o.Algorithm)
	if err != nil {
		return redact.String{}, err
	}
	payload, err := encodeClaims(claims)
	if err != nil {
		return redact.String{}, err
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	if o.Type != "" {
		options.WithType(jose.ContentType(o.Type))
	}
	switch {
	case o.KeyID != "":
		options.WithHeader("kid", o.KeyID)
	case k.keyID != "":
		options.WithHeader("kid", k.keyID)
	}
	if k.thumbprint != "" {
		options.WithHeader("x5t#S256", k.thumbprint)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: k.material()}, options)
	if err != nil {
		return redact.String{}, fault(messageSign)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return redact.String{}, fault(messageSign)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		return redact.String{}, fault(messageSign)
	}
	return redact.New(text), nil
}

// algorithm returns the algorithm of that name if it fits the key, and the default for an empty name.
func (k *Key) algorithm(name string) (jose.SignatureAlgorithm, error) {
	if name == "" && len(k.algorithms) > 0 {
		return k.algorithms[0], nil
	}
	names := make([]string, 0, len(k.algorithms))
	for _, algorithm := range k.algorithms {
		if name == string(algorithm) {
			return algorithm, nil
		}
		names = append(names, string(algorithm))
	}
	if k.symmetric {
		return "", secretFault(jose.SignatureAlgorithm(name), names)
	}
	return "", fault(fmt.Sprintf("The assertion's algorithm %q does not fit the key. Use %s, or leave it out.",
		redact.Message(name), strings.Join(names, ", ")))
}

// secretFault says what to do about a client secret that cannot be used with the algorithm.
func secretFault(algorithm jose.SignatureAlgorithm, fitting []string) error {
	if algorithm == "" {
		algorithm = jose.HS256
	}
	size := hashSize(algorithm)
	if size == 0 {
		return fault(fmt.Sprintf("The assertion's algorithm %q does not fit a client secret. "+
			"Use HS256, HS384 or HS512, or leave it out.", redact.Message(string(algorithm))))
	}
	advice := "use the method client_secret_basic or client_secret_post"
	if len(fitting) > 0 {
		advice = "use " + strings.Join(fitting, ", ")
	}
	return fault(fmt.Sprintf("The client secret is shorter than the %d bytes that %s demands (RFC 7518 section 3.2). "+
		"Have the provider issue a longer one, or %s.", size, algorithm, advice))
}

// hashSize returns the bytes of the hash of an HMAC algorithm, 0 for any other.
func hashSize(algorithm jose.SignatureAlgorithm) int {
	return map[jose.SignatureAlgorithm]int{
		jose.HS256: sha256.Size, jose.HS384: sha512.Size384, jose.HS512: sha512.Size,
	}[algorithm]
}

// encodeClaims returns the claims as a JSON object.
func encodeClaims(claims map[string]any) ([]byte, error) {
	encoded := make(map[string]any, len(claims))
	for name, value := range claims {
		if name == "exp" || name == "iat" || name == "nbf" {
			seconds, ok := numericDate(value)
			if !ok {
				return nil, fault(fmt.Sprintf("The claim %s is no number of seconds since 1970 (RFC 7519 section 2).", name))
			}
			value = seconds
		}
		encoded[name] = value
	}
	payload, err := json.Marshal(encoded)
	if err != nil {
		return nil, fault(messageClaims)
	}
	return payload, nil
}

// numericDate returns a time claim in whole seconds. Many servers read no other numbers, although RFC 7519 allows them.
func numericDate(value any) (int64, bool) {
	switch value := value.(type) {
	case int:
		return int64(value), true
	case int64:
		return value, true
	case uint64:
		return int64(value & math.MaxInt64), value <= math.MaxInt64
	case float64:
		const exact = 1 << 53 // beyond it a float64 knows no single seconds
		return int64(math.Floor(value)), math.Abs(value) <= exact
	case time.Time:
		return value.Unix(), true
	default:
		return 0, false
	}
}
