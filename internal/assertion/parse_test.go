package assertion_test

import (
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/tokensync/tokensync/internal/assertion"
)

func TestParseKeyReadsEveryForm(t *testing.T) {
	t.Parallel()
	certificates := block("CERTIFICATE", certificate(otherRSA())) + block("CERTIFICATE", certificate(rsaKey()))
	for name, test := range map[string]struct {
		text      string
		key       string // of signers
		algorithm string
	}{
		"PKCS#1":                           {pkcs1(rsaKey()), "RSA", "RS256"},
		"PKCS#8 RSA":                       {pkcs8(rsaKey()), "RSA", "RS256"},
		"PKCS#8 P-256":                     {pkcs8(p256Key()), "P-256", "ES256"},
		"PKCS#8 P-384":                     {pkcs8(p384Key()), "P-384", "ES384"},
		"PKCS#8 P-521":                     {pkcs8(p521Key()), "P-521", "ES512"},
		"PKCS#8 Ed25519":                   {pkcs8(edKey()), "Ed25519", "EdDSA"},
		"SEC 1 P-256":                      {sec1(p256Key()), "P-256", "ES256"},
		"SEC 1 P-384":                      {sec1(p384Key()), "P-384", "ES384"},
		"SEC 1 P-521":                      {sec1(p521Key()), "P-521", "ES512"},
		"EC PARAMETERS first":              {ecParameters() + sec1(p256Key()), "P-256", "ES256"},
		"PKCS#8 under the name of PKCS#1":  {strings.ReplaceAll(pkcs8(rsaKey()), " PRIVATE", " RSA PRIVATE"), "RSA", "RS256"},
		"a chain, and the key last":        {certificates + pkcs8(rsaKey()), "RSA", "RS256"},
		"the public key beside":            {publicPEM(rsaKey()) + pkcs8(rsaKey()), "RSA", "RS256"},
		"text around":                      {"Bag Attributes\n  friendlyName: x\n" + pkcs8(edKey()) + "\nbye", "Ed25519", "EdDSA"},
		"CRLF":                             {strings.ReplaceAll(pkcs8(p256Key()), "\n", "\r\n"), "P-256", "ES256"},
		"a byte order mark":                {"\ufeff" + pkcs8(p256Key()), "P-256", "ES256"},
		"white space around":               {" \n\t" + pkcs8(p256Key()) + " \r\n\n", "P-256", "ES256"},
		"indentation":                      {strings.ReplaceAll(pkcs8(p256Key()), "\n", "  \n    "), "P-256", "ES256"},
		"written line breaks":              {strings.ReplaceAll(pkcs8(p256Key()), "\n", `\n`), "P-256", "ES256"},
		"no line break at the end":         {strings.TrimSpace(sec1(p256Key())), "P-256", "ES256"},
		"a JWK, RSA":                       {jwk(rsaKey(), nil), "RSA", "RS256"},
		"a JWK, RSA without the factors":   {jwk(rsaKey(), map[string]any{"dp": nil, "dq": nil, "qi": nil}), "RSA", "RS256"},
		"a JWK, P-256":                     {jwk(p256Key(), nil), "P-256", "ES256"},
		"a JWK, P-384":                     {jwk(p384Key(), nil), "P-384", "ES384"},
		"a JWK, P-521":                     {jwk(p521Key(), nil), "P-521", "ES512"},
		"a JWK, Ed25519":                   {jwk(edKey(), nil), "Ed25519", "EdDSA"},
		"a JWK after a byte order mark":    {"\ufeff " + jwk(edKey(), nil) + "\r\n", "Ed25519", "EdDSA"},
		"the algorithm of a JWK":           {jwk(rsaKey(), map[string]any{"alg": "PS384", "use": "sig"}), "RSA", "PS384"},
		"the algorithm under its new name": {jwk(edKey(), map[string]any{"alg": "Ed25519"}), "Ed25519", "EdDSA"},
		"a JWK Set of one":                 {jwks(jwk(p256Key(), nil)), "P-256", "ES256"},
		"a JWK Set with public keys":       {jwks(jwk(otherRSA().Public(), nil), jwk(p256Key(), nil)), "P-256", "ES256"},
		"a JWK Set with other kinds": {
			jwks(`{"kty":"AKP","alg":"ML-DSA-44"}`, `{"kty":"oct","k":"c2VjcmV0"}`, `7`, jwk(p256Key(), nil)), "P-256", "ES256",
		},
		"a JWK Set with one for encryption": {
			jwks(jwk(otherRSA(), map[string]any{"use": "enc"}), jwk(p256Key(), nil)), "P-256", "ES256",
		},
		"the first of a JWK Set for signatures": {
			jwks(jwk(p256Key(), nil), jwk(p384Key(), map[string]any{"use": "sig"}), jwk(edKey(), map[string]any{"use": "sig"})),
			"P-384", "ES384",
		},
		"a service account": {serviceAccount(pkcs8(rsaKey())), "RSA", "RS256"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := parse(t, test.text).Sign(assertion.Options{}, claims)
			if err != nil {
				t.Fatal(err)
			}
			checkSignature(t, token, test.algorithm, signers()[test.key].Public())
		})
	}
}

// refused are texts that are no key, each with a part of what the error must say.
var refused = sync.OnceValue(func() map[string]struct{ text, want string } {
	encrypted := pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Bytes: []byte("pa55word"),
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"},
	})
	x25519 := must(ecdh.X25519().GenerateKey(rand.Reader))
	p224 := newEC(elliptic.P224())
	wrongD := jwk(p256Key(), map[string]any{"d": base64.RawURLEncoding.EncodeToString(must(newEC(elliptic.P256()).Bytes()))})
	var other map[string]any
	if err := json.Unmarshal([]byte(jwk(otherRSA(), nil)), &other); err != nil {
		panic(err)
	}
	return map[string]struct{ text, want string }{
		"nothing":                    {"", "is empty"},
		"white space":                {"\ufeff \r\n", "is empty"},
		"text":                       {"pa55word", "neither PEM nor JSON"},
		"DER":                        {string(must(x509PKCS8(p224))), "neither PEM nor JSON"},
		"too much":                   {pkcs8(p256Key()) + strings.Repeat("pa55word", 64<<10/8), "larger than 64 KiB"},
		"base64 of PEM":              {base64.StdEncoding.EncodeToString([]byte(pkcs8(p256Key()))), "base64 once more"},
		"PEM on one line":            {strings.ReplaceAll(pkcs8(p256Key()), "\n", " "), "line breaks"},
		"PEM without an end":         {pkcs8(p256Key())[:150], "damaged"},
		"PKCS#8, encrypted":          {block("ENCRYPTED PRIVATE KEY", []byte("pa55word")), "passphrase"},
		"PKCS#1, encrypted":          {string(encrypted), "passphrase"},
		"OpenSSH":                    {block("OPENSSH PRIVATE KEY", []byte("pa55word")), "ssh-keygen"},
		"DSA":                        {block("DSA PRIVATE KEY", []byte("pa55word")), "kind that cannot sign"},
		"a public key":               {publicPEM(p256Key()), "public key"},
		"a certificate alone":        {block("CERTIFICATE", certificate(p256Key())), "no private key"},
		"parameters alone":           {ecParameters(), "holds no private key"},
		"two keys":                   {pkcs8(p256Key()) + pkcs8(edKey()), "more than one private key"},
		"another's certificate":      {pkcs8(p256Key()) + block("CERTIFICATE", certificate(edKey())), "does not belong"},
		"a broken certificate":       {pkcs8(p256Key()) + block("CERTIFICATE", []byte("pa55word")), "certificate cannot be read"},
		"a broken key":               {block("PRIVATE KEY", []byte("pa55word")), "cannot be read"},
		"a key that is far too long": {block("RSA PRIVATE KEY", make([]byte, 5<<10)), "longer than 4096 bits"},
		"RSA with too many bits":     {pkcs1(newMultiPrime(10, 4200)), "longer than 4096 bits"},
		"RSA with three primes":      {pkcs1(newMultiPrime(3, 2048)), "kind that cannot sign"},
		"a JWK with too many bits":   {jwk(rsaKey(), map[string]any{"n": strings.Repeat("A", 690)}), "longer than 4096 bits"},
		"an encrypted key beside its certificate": {
			block("CERTIFICATE", certificate(p256Key())) + block("ENCRYPTED PRIVATE KEY", []byte("pa55word")), "passphrase",
		},
		"X25519":                          {block("PRIVATE KEY", must(x509PKCS8(x25519))), "kind that cannot sign"},
		"P-224":                           {pkcs8(p224), "kind that cannot sign"},
		"RSA with 1024 bits":              {pkcs8(newRSA(1024)), "shorter than 2048 bits"},
		"JSON that is none":               {`{"private_key": "pa55word"`, "neither a JWK"},
		"JSON of something else":          {`{"client_secret": "pa55word"}`, "neither a JWK"},
		"a service account with no key":   {serviceAccount(""), "neither a JWK"},
		"a service account, public":       {serviceAccount(publicPEM(rsaKey())), "public key"},
		"a service account within itself": {serviceAccount(serviceAccount(pkcs8(edKey()))), "damaged"},
		"a public JWK":                    {jwk(rsaKey().Public(), nil), "public key"},
		"a secret JWK":                    {`{"kty":"oct","k":"cGE1NXdvcmQ"}`, "client_secret_jwt"},
		"a JWK without a kind":            {`{"kty":null,"d":"cGE1NXdvcmQ"}`, "kind that cannot sign"},
		"a JWK of another kind":           {`{"kty":"AKP","alg":"ML-DSA-44","priv":"cGE1NXdvcmQ"}`, "kind that cannot sign"},
		"a JWK, X25519":                   {`{"kty":"OKP","crv":"X25519","x":"cGE1","d":"cGE1NXdvcmQ"}`, "not valid"},
		"a JWK that is a list":            {`{"kty":["RSA"],"d":"cGE1NXdvcmQ"}`, "not valid"},
		"a JWK for encryption":            {jwk(rsaKey(), map[string]any{"use": "enc"}), "for encryption"},
		"a JWK with another algorithm":    {jwk(rsaKey(), map[string]any{"alg": "RSA-OAEP"}), "alg of the JWK"},
		"a JWK with the wrong curve's":    {jwk(p256Key(), map[string]any{"alg": "ES384"}), "alg of the JWK"},
		"a JWK without primes":            {jwk(rsaKey(), map[string]any{"p": nil, "q": nil}), "not valid"},
		"a JWK with another's d":          {jwk(rsaKey(), map[string]any{"d": other["d"]}), "not valid"},
		"an EC JWK with another's d":      {wrongD, "not valid"},
		"a JWK with 1024 bits":            {jwk(newRSA(1024), nil), "shorter than 2048 bits"},
		"a JWK with another's certificate": {
			jwk(p256Key(), map[string]any{"x5c": [][]byte{certificate(edKey())}}), "not valid",
		},
		"a JWK Set of public keys":      {jwks(jwk(rsaKey().Public(), nil), jwk(edKey().Public(), nil)), "no private key"},
		"an empty JWK Set":              {jwks(), "no private key"},
		"a JWK Set of one public key":   {jwks(jwk(rsaKey().Public(), nil)), "public key"},
		"a JWK Set of one secret":       {jwks(`{"kty":"oct","k":"cGE1NXdvcmQ"}`), "client_secret_jwt"},
		"a JWK Set with two keys":       {jwks(jwk(p256Key(), nil), jwk(edKey(), nil)), "use: sig"},
		"a JWK Set that is an object":   {`{"keys":{"a":` + jwk(p256Key(), nil) + `}}`, "neither a JWK"},
		"a JWK Set with a broken key":   {jwks(`{"kty":"EC","use":"sig","d":"cGE1NXdvcmQ"}`, jwk(edKey(), nil)), "not valid"},
		"a JWK Set within a JWK Set":    {jwks(jwks(jwk(edKey(), nil))), "kind that cannot sign"},
		"an encrypted service account":  {serviceAccount(string(encrypted)), "passphrase"},
		"a service account, two keys":   {serviceAccount(pkcs8(edKey()) + pkcs8(p256Key())), "more than one private key"},
		"a service account of nonsense": {serviceAccount("pa55word"), "neither PEM nor JSON"},
	}
})

func TestParseKeyRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range refused() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := assertion.ParseKey([]byte(test.text))
			var wrong *assertion.KeyError
			if key != nil || !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v and %v, want an error with %q", key, err, test.want)
			}
		})
	}
}

func TestCertificateKey(t *testing.T) {
	t.Parallel()
	der, foreign := certificate(p256Key()), block("CERTIFICATE", certificate(otherRSA()))
	own := block("CERTIFICATE", der)
	for name, test := range map[string]struct {
		certificate, key, want string // want: a part of the error; empty for none
	}{
		"the two halves":                   {own, sec1(p256Key()), ""},
		"a chain":                          {own + foreign, pkcs8(p256Key()), ""},
		"a chain the wrong way around":     {foreign + own, pkcs8(p256Key()), ""},
		"CRLF and a byte order mark":       {"\ufeff" + strings.ReplaceAll(own, "\n", "\r\n"), pkcs8(p256Key()), ""},
		"another key":                      {own, pkcs8(newEC(elliptic.P256())), "does not belong"},
		"a key of another kind":            {own, pkcs8(edKey()), "does not belong"},
		"no certificate":                   {"", pkcs8(p256Key()), "missing"},
		"a key in the certificate's place": {pkcs8(p256Key()), pkcs8(p256Key()), "missing"},
		"a broken certificate":             {block("CERTIFICATE", []byte("pa55word")), pkcs8(p256Key()), "cannot be read"},
		"no key":                           {own, "", "is empty"},
		"the certificate in its place":     {own, own, "no private key"},
		"too much":                         {own + strings.Repeat(" ", 64<<10), pkcs8(p256Key()), "larger than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := assertion.CertificateKey([]byte(test.certificate), []byte(test.key))
			if test.want != "" {
				var wrong *assertion.KeyError
				if key != nil || !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v and %v, want an error with %q", key, err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			token, err := key.Sign(assertion.Options{}, claims)
			if err != nil {
				t.Fatal(err)
			}
			p := checkSignature(t, token, "ES256", p256Key().Public())
			if got, want := p.header["x5t#S256"], thumbprintOf(der); got != want {
				t.Errorf("the thumbprint is %v, want %v", got, want)
			}
		})
	}
}
