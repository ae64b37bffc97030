package assertion_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tokensync/tokensync/internal/assertion"
)

// FuzzParseKey reads any text. What comes out as a key must sign, and what is refused must be refused in fixed words.
func FuzzParseKey(f *testing.F) {
	for _, test := range refused() {
		f.Add([]byte(test.text))
	}
	for _, signer := range signers() {
		f.Add([]byte(pkcs8(signer)))
		f.Add([]byte(jwk(signer, map[string]any{"kid": "k", "use": "sig"})))
		f.Add([]byte(jwks(jwk(signer.Public(), nil), jwk(signer, nil))))
		f.Add([]byte(pkcs8(signer) + block("CERTIFICATE", certificate(signer))))
	}
	f.Add([]byte(serviceAccount(pkcs1(rsaKey()))))
	f.Add([]byte(ecParameters() + sec1(p256Key())))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := assertion.ParseKey(data)
		if (key == nil) != (err != nil) {
			t.Fatalf("got %v and %v", key, err)
		}
		if err != nil {
			var wrong *assertion.KeyError
			if !errors.As(err, &wrong) || err.Error() == "" {
				t.Fatalf("an error of another type: %v", err)
			}
			return
		}
		token, err := key.Sign(assertion.Options{}, claims)
		if err != nil || strings.Count(token.Reveal(), ".") != 2 {
			t.Fatalf("a key that does not sign: %v", err)
		}
	})
}
