package catalog

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"
)

// fill puts what is made for the test in the place of the words that stand for it.
func fill(text string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	return made().Replace(text)
}

// made makes the keys once.
var made = sync.OnceValue(func() *strings.Replacer {
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	ecKey := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	rsaPEM := encode("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(rsaKey)))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotBefore: start, NotAfter: start.Add(time.Hour),
	}
	return strings.NewReplacer(
		"{jwt}", unsigned(map[string]any{"iat": start.Unix(), "exp": start.Add(10 * time.Minute).Unix()}),
		"{jwk}", jwk(ecKey),
		"{rsa-key}", rsaPEM,
		"{google-key}", text(map[string]any{
			"type": "service_account", "private_key_id": "key-1", "private_key": rsaPEM,
			"client_email": "orders@acme-prod.iam.gserviceaccount.com",
		}),
		"{certificate}", encode("CERTIFICATE", must(x509.CreateCertificate(rand.Reader, template, template, &ecKey.PublicKey, ecKey))),
		"{private-key}", encode("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ecKey))),
	)
})

// unsigned is a JWT that nobody signed.
func unsigned(claims map[string]any) string {
	segment := base64.RawURLEncoding.EncodeToString
	return segment([]byte(`{"alg":"none"}`)) + "." + segment([]byte(text(claims))) + "."
}

// jwk is a private key as in RFC 7518 section 6.2.
func jwk(key *ecdsa.PrivateKey) string {
	const size = 32 // bytes of a coordinate
	public := must(key.PublicKey.Bytes())
	segment := base64.RawURLEncoding.EncodeToString
	return text(map[string]any{
		"kty": "EC", "crv": "P-256", "kid": "key-1",
		"x": segment(public[1 : 1+size]), "y": segment(public[1+size:]), "d": segment(must(key.Bytes())),
	})
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func text(value any) string { return string(must(json.Marshal(value))) }

// must is for what cannot fail.
func must[T any](value T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("make a key for the test: %v", err))
	}
	return value
}
