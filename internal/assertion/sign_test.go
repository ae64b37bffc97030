package assertion_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/assertion"
	"github.com/tokensync/tokensync/internal/redact"

	_ "crypto/sha512" // the hashes of the longer algorithms
)

var claims = map[string]any{
	"iss": "client", "sub": "client", "aud": []string{"https://id.example.com/"}, "jti": "5d0e",
	"iat": int64(1_795_000_000), "exp": int64(1_795_000_060),
}

// parts are the three parts of a compact JWS, decoded.
type parts struct {
	header             map[string]any
	payload, signature []byte
	signed             []byte
}

func split(t *testing.T, token string) parts {
	t.Helper()
	fields := strings.Split(token, ".")
	if len(fields) != 3 {
		t.Fatalf("%d parts", len(fields))
	}
	var decoded [3][]byte
	for i, field := range fields {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(field); err != nil {
			t.Fatal(err)
		}
	}
	p := parts{payload: decoded[1], signature: decoded[2], signed: []byte(fields[0] + "." + fields[1])}
	if err := json.Unmarshal(decoded[0], &p.header); err != nil {
		t.Fatal(err)
	}
	return p
}

// verifies checks a signature as RFC 7518 section 3 describes it, without a JOSE library.
func verifies(algorithm string, public any, p parts) bool {
	if public, ok := public.(ed25519.PublicKey); ok {
		return algorithm == "EdDSA" && ed25519.Verify(public, p.signed, p.signature)
	}
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[algorithm[2:]]
	digest := hash.New()
	digest.Write(p.signed)
	sum := digest.Sum(nil)
	switch public := public.(type) {
	case *rsa.PublicKey:
		if algorithm[:2] == "PS" {
			return rsa.VerifyPSS(public, hash, sum, p.signature, &rsa.PSSOptions{SaltLength: hash.Size()}) == nil
		}
		return algorithm[:2] == "RS" && rsa.VerifyPKCS1v15(public, hash, sum, p.signature) == nil
	case *ecdsa.PublicKey:
		half := (public.Curve.Params().BitSize + 7) / 8
		if algorithm[:2] != "ES" || len(p.signature) != 2*half {
			return false
		}
		r, s := new(big.Int).SetBytes(p.signature[:half]), new(big.Int).SetBytes(p.signature[half:])
		return ecdsa.Verify(public, sum, r, s)
	case []byte:
		mac := hmac.New(hash.New, public)
		mac.Write(p.signed)
		return algorithm[:2] == "HS" && hmac.Equal(mac.Sum(nil), p.signature)
	default:
		return false
	}
}

// checkSignature verifies an assertion by hand and by go-jose, and that no other claims verify.
func checkSignature(t *testing.T, token redact.String, algorithm string, public any) parts {
	t.Helper()
	p := split(t, token.Reveal())
	if p.header["alg"] != algorithm {
		t.Errorf("the algorithm is %v, want %s", p.header["alg"], algorithm)
	}
	if !verifies(algorithm, public, p) {
		t.Errorf("%s does not verify", algorithm)
	}
	parsed, err := jose.ParseSignedCompact(token.Reveal(), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := parsed.Verify(public)
	if err != nil || !bytes.Equal(payload, p.payload) {
		t.Errorf("go-jose reads %q: %v", payload, err)
	}
	p.signed = append(p.signed, 'A')
	if verifies(algorithm, public, p) {
		t.Error("the test verifies anything")
	}
	return p
}

func TestSignEveryAlgorithm(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	fitting := map[string]string{
		"RSA": "RS256 RS384 RS512 PS256 PS384 PS512", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512",
		"Ed25519": "EdDSA", "secret": "HS256 HS384 HS512",
	}
	keys := map[string]*assertion.Key{"secret": assertion.SecretKey(redact.New(secret))}
	public := map[string]any{"secret": []byte(secret)}
	for name, signer := range signers() {
		keys[name], public[name] = parse(t, pkcs8(signer)), signer.Public()
	}
	every := "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA HS256 HS384 HS512 none ES256K Ed25519 rs256"
	for name, key := range keys {
		for algorithm := range strings.FieldsSeq(every) {
			t.Run(name+" with "+algorithm, func(t *testing.T) {
				t.Parallel()
				token, err := key.Sign(assertion.Options{Algorithm: algorithm}, claims)
				if strings.Contains(fitting[name]+" ", algorithm+" ") {
					if err != nil {
						t.Fatal(err)
					}
					checkSignature(t, token, algorithm, public[name])
					return
				}
				var wrong *assertion.KeyError
				first := strings.Fields(fitting[name])[0]
				if !errors.As(err, &wrong) || !strings.Contains(err.Error(), first) || !token.IsEmpty() {
					t.Errorf("got %v, want an error that names %s", err, first)
				}
			})
		}
		t.Run(name+" by default", func(t *testing.T) {
			t.Parallel()
			token, err := key.Sign(assertion.Options{}, claims)
			if err != nil {
				t.Fatal(err)
			}
			checkSignature(t, token, strings.Fields(fitting[name])[0], public[name])
		})
	}
}

func TestSignHeader(t *testing.T) {
	t.Parallel()
	der := certificate(p256Key())
	plain, named, pemOf := pkcs8(p256Key()), jwk(p256Key(), map[string]any{"kid": "kid-of-jwk"}), block("CERTIFICATE", der)
	with := func(name, value string) map[string]any {
		header := map[string]any{"typ": "JWT", "alg": "ES256"}
		if name != "" {
			header[name] = value
		}
		return header
	}
	const kid, x5t = "kid", "x5t#S256"
	type options = assertion.Options
	for name, test := range map[string]struct {
		key     string
		options options
		want    map[string]any
	}{
		"nothing but the least":      {plain, options{}, with("", "")},
		"a type":                     {plain, options{Type: "client-authentication+jwt"}, with("typ", "client-authentication+jwt")},
		"a key ID":                   {plain, options{KeyID: "mine"}, with(kid, "mine")},
		"the JWK's key ID":           {named, options{}, with(kid, "kid-of-jwk")},
		"a key ID beats the JWK's":   {named, options{KeyID: "mine"}, with(kid, "mine")},
		"the service account's":      {serviceAccount(plain), options{}, with(kid, "kid-of-file")},
		"a certificate":              {plain + pemOf, options{}, with(x5t, thumbprintOf(der))},
		"a certificate before it":    {pemOf + plain, options{}, with(x5t, thumbprintOf(der))},
		"a certificate in the JWK":   {jwk(p256Key(), map[string]any{"x5c": [][]byte{der}}), options{}, with(x5t, thumbprintOf(der))},
		"a thumbprint in the JWK":    {jwk(p256Key(), map[string]any{x5t: thumbprintOf(der)}), options{}, with(x5t, thumbprintOf(der))},
		"no kid from an empty JWK's": {jwk(p256Key(), map[string]any{kid: ""}), options{}, with("", "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := parse(t, test.key).Sign(test.options, claims)
			if err != nil {
				t.Fatal(err)
			}
			p := checkSignature(t, token, "ES256", p256Key().Public())
			if diff := cmp.Diff(test.want, p.header); diff != "" {
				t.Errorf("the header differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSignClaims(t *testing.T) {
	t.Parallel()
	key := parse(t, pkcs8(edKey()))
	for name, test := range map[string]struct {
		claims map[string]any
		want   string // the payload, or a part of the error where it begins otherwise
	}{
		"none":     {nil, `{}`},
		"integers": {map[string]any{"exp": 1_795_000_060, "iat": int64(-1), "nbf": uint64(3)}, `{"exp":1795000060,"iat":-1,"nbf":3}`},
		"floating point": {
			map[string]any{"exp": 1.79500006e9, "iat": 1_795_000_000.99, "nbf": -0.5},
			`{"exp":1795000060,"iat":1795000000,"nbf":-1}`,
		},
		"an instant":           {map[string]any{"exp": time.Unix(1_795_000_060, 999)}, `{"exp":1795000060}`},
		"others as they are":   {map[string]any{"n": 1.5, "list": []any{"a", nil, true}}, `{"list":["a",null,true],"n":1.5}`},
		"a text":               {map[string]any{"exp": "1795000060"}, "claim exp"},
		"no number":            {map[string]any{"iat": math.NaN()}, "claim iat"},
		"no finite number":     {map[string]any{"nbf": math.Inf(1)}, "claim nbf"},
		"too large a number":   {map[string]any{"exp": 1e300}, "claim exp"},
		"too large an integer": {map[string]any{"exp": uint64(math.MaxUint64)}, "claim exp"},
		"null":                 {map[string]any{"exp": nil}, "claim exp"},
		"what JSON has not":    {map[string]any{"pa55word": func() {}}, "cannot be written as JSON"},
		"NaN elsewhere":        {map[string]any{"n": math.NaN()}, "cannot be written as JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := maps.Clone(test.claims)
			token, err := key.Sign(assertion.Options{}, test.claims)
			if test.want[0] != '{' {
				var wrong *assertion.KeyError
				if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "pa55word") {
					t.Errorf("got %v, want an error with %q", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if p := checkSignature(t, token, "EdDSA", edKey().Public()); string(p.payload) != test.want {
				t.Errorf("got %s, want %s", p.payload, test.want)
			}
			if diff := cmp.Diff(before, test.claims); diff != "" {
				t.Errorf("the caller's claims were changed:\n%s", diff)
			}
		})
	}
}

func TestShortSecretsAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		length    int
		algorithm string
		want      string // a part of the error; empty for none
	}{
		"none at all":           {0, "", "32 bytes"},
		"a byte short":          {31, "", "32 bytes that HS256 demands"},
		"a byte short, by name": {31, "HS256", "client_secret_basic"},
		"just enough":           {32, "", ""},
		"too short for the named": {
			47, "HS384",
			"48 bytes that HS384 demands (RFC 7518 section 3.2). Have the provider issue a longer one, or use HS256.",
		},
		"enough for the named": {48, "HS384", ""},
		"too short for HS512":  {63, "HS512", "use HS256, HS384"},
		"enough for HS512":     {64, "HS512", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret := strings.Repeat("s", test.length)
			token, err := assertion.SecretKey(redact.New(secret)).Sign(assertion.Options{Algorithm: test.algorithm}, claims)
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				checkSignature(t, token, map[int]string{32: "HS256", 48: "HS384", 64: "HS512"}[test.length], []byte(secret))
				return
			}
			var wrong *assertion.KeyError
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	keys := map[string]*assertion.Key{"secret": assertion.SecretKey(redact.New(strings.Repeat("s", 32)))}
	for name, signer := range signers() {
		keys[name] = must(assertion.ParseKey([]byte(pkcs8(signer))))
	}
	keys["RSA JWK"] = must(assertion.ParseKey([]byte(jwk(rsaKey(), nil))))
	for name, key := range keys {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := key.Sign(assertion.Options{}, claims); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{"PEM": pkcs8(rsaKey()), "JWK": jwk(rsaKey(), nil)} {
		b.Run(fmt.Sprint("RSA ", name), func(b *testing.B) {
			for b.Loop() {
				if _, err := assertion.ParseKey([]byte(text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
