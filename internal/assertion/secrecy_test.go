package assertion_test

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/tokensync/tokensync/internal/assertion"
	"github.com/tokensync/tokensync/internal/redact"
)

// x509PKCS8 is for keys that are no crypto.Signer.
func x509PKCS8(key any) ([]byte, error) { return x509.MarshalPKCS8PrivateKey(key) }

// traces are texts, one of which is in whatever shows a key.
func traces() []string {
	raw := map[string][]byte{
		"RSA exponent": rsaKey().D.Bytes()[:16], "RSA prime": rsaKey().Primes[0].Bytes()[:16],
		"P-256": must(p256Key().Bytes())[:16], "Ed25519": edKey().Seed()[:16], "secret": []byte("0123456789abcdef"),
	}
	found := []string{rsaKey().D.String(), rsaKey().Primes[0].String(), "pa55word", "cGE1NXdvcmQ"}
	for _, octets := range raw {
		list := fmt.Sprintf("%d %d %d %d %d %d", octets[0], octets[1], octets[2], octets[3], octets[4], octets[5])
		digits := hex.EncodeToString(octets)
		found = append(found, string(octets), list, digits, strings.ToUpper(digits),
			base64.StdEncoding.EncodeToString(octets)[:20], base64.RawURLEncoding.EncodeToString(octets)[:20])
	}
	return found
}

func leaks(text string) bool {
	for _, trace := range traces() {
		if strings.Contains(text, trace) {
			return true
		}
	}
	// Nor is there anything else that looks like a part of one. An address in binary is longer too.
	for _, found := range regexp.MustCompile(`[A-Za-z0-9+/_=-]{40,}`).FindAllString(text, -1) {
		if strings.Trim(found, "01") != "" {
			return true
		}
	}
	return false
}

func TestKeysAreNeverPrinted(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]*assertion.Key{
		"RSA": parse(t, pkcs8(rsaKey())), "P-256": parse(t, pkcs8(p256Key())), "Ed25519": parse(t, pkcs8(edKey())),
		"a JWK":    parse(t, jwk(rsaKey(), nil)),
		"a secret": assertion.SecretKey(redact.New("0123456789abcdef0123456789abcdef")),
	} {
		type holder struct {
			hidden  *assertion.Key
			value   assertion.Key
			Visible *assertion.Key
		}
		h := holder{hidden: key, value: *key, Visible: key}
		for verb := range strings.SplitSeq("v +v #v s q x X d t p T b o O e f g c U 10s -20q 08x", " ") {
			for _, value := range []any{key, *key, []*assertion.Key{key}, map[string]any{"k": key}, h, &h} {
				if got := fmt.Sprintf("%"+verb, value); leaks(got) {
					t.Errorf("%%%s of %s prints %q", verb, name, got)
				}
			}
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
			if got := fmt.Sprintf(verb+verb, key, *key); got != redact.Marker+redact.Marker {
				t.Errorf("%s of %s prints %q", verb, name, got)
			}
		}
		encoded, err := json.Marshal(map[string]any{"pointer": key, "value": *key, "holder": h})
		if err != nil {
			t.Fatal(err)
		}
		var logged bytes.Buffer
		for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
			slog.New(handler).Info("a key", "pointer", key, "value", *key, "holder", h)
		}
		text, err := key.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []string{string(encoded), logged.String(), string(text), key.String(), key.GoString()} {
			if leaks(got) || !strings.Contains(got, redact.Marker) {
				t.Errorf("%s prints %q", name, got)
			}
		}
	}
}

func TestErrorsHoldNothingOfTheKey(t *testing.T) {
	t.Parallel()
	for name, test := range refused() {
		_, err := assertion.ParseKey([]byte(test.text))
		for _, got := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
			if leaks(got) {
				t.Errorf("%s: %q", name, got)
			}
		}
		if _, again := assertion.ParseKey([]byte(test.text)); again.Error() != err.Error() {
			t.Errorf("%s: first %q, then %q", name, err, again)
		}
	}
}

// The trap must close: text that shows a key is found.
func TestLeaksAreSeen(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		fmt.Sprintf("%v", rsaKey()), fmt.Sprintf("%x", rsaKey().D.Bytes()),
		fmt.Sprintf("%v", edKey()), fmt.Sprintf("%x", edKey()),
		pkcs8(p256Key()), jwk(p256Key(), nil), "the secret 0123456789abcdef0123456789abcdef",
	} {
		if !leaks(text) {
			t.Errorf("not seen: %s", text)
		}
	}
}
