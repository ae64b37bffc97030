package oauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/assertion"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// signingKey is a key and what verifies its signatures.
type signingKey struct {
	key    *assertion.Key
	public any
}

// newKey makes a signingKey of a private key.
func newKey(t *testing.T, private, public any) signingKey {
	t.Helper()

	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}

	key, err := assertion.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}

	return signingKey{key: key, public: public}
}

func ellipticKey(t *testing.T) signingKey {
	t.Helper()

	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}

	return newKey(t, private, &private.PublicKey)
}

func rsaKey(t *testing.T) signingKey {
	t.Helper()

	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}

	return newKey(t, private, &private.PublicKey)
}

// open verifies an assertion and returns its header and claims.
func open(t *testing.T, token string, public any) (header, claims map[string]any) {
	t.Helper()

	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.HS256, jose.HS512, jose.ES256, jose.RS256, jose.PS256})
	if err != nil {
		t.Fatal(err)
	}

	payload, err := signed.Verify(public)
	if err != nil {
		t.Fatal(err)
	}

	first, _, _ := strings.Cut(token, ".")

	decoded, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil {
		t.Fatal(err)
	}

	return decode(t, decoded), decode(t, payload)
}

const sevensID = "BwcHBwcHBwcHBwcHBwcHBw"

func TestClientAssertions(t *testing.T) {
	t.Parallel()

	secret := strings.Repeat("s3cret", 11)
	key := ellipticKey(t)
	long := rsaKey(t)
	at := func(d time.Duration) float64 { return float64(start.Add(d).Unix()) }

	for name, test := range map[string]struct {
		client oauth.ClientAuthentication
		public any
		header map[string]any
		claims map[string]any // besides iss, sub and jti
	}{
		"a secret": {
			client: oauth.ClientAuthentication{Method: oauth.MethodClientSecretJWT, Secret: redact.New(secret)},
			public: []byte(secret),
			header: map[string]any{"alg": "HS256", "typ": "JWT"},
			claims: map[string]any{"aud": "URL", "iat": at(-10 * time.Second), "exp": at(50 * time.Second)},
		},
		"a secret and an algorithm": {
			client: oauth.ClientAuthentication{
				Method: oauth.MethodClientSecretJWT, Secret: redact.New(secret), Algorithm: "HS512", KeyID: "k",
				Token: redact.New("of no meaning here"),
			},
			public: []byte(secret),
			header: map[string]any{"alg": "HS512", "typ": "JWT", "kid": "k"},
			claims: map[string]any{"aud": "URL", "iat": at(-10 * time.Second), "exp": at(50 * time.Second)},
		},
		"a key": {
			client: oauth.ClientAuthentication{Method: oauth.MethodPrivateKeyJWT, Key: key.key},
			public: key.public,
			header: map[string]any{"alg": "ES256", "typ": "JWT"},
			claims: map[string]any{"aud": "URL", "iat": at(-10 * time.Second), "exp": at(50 * time.Second)},
		},
		"a key and all that can be chosen": {
			client: oauth.ClientAuthentication{
				Method: oauth.MethodPrivateKeyJWT, Key: long.key, Algorithm: "PS256", KeyID: "2026",
				Audience: "https://id.example.com", Lifetime: time.Hour,
			},
			public: long.public,
			header: map[string]any{"alg": "PS256", "typ": "JWT", "kid": "2026"},
			claims: map[string]any{
				"aud": "https://id.example.com", "iat": at(-10 * time.Second), "exp": at(time.Hour - 10*time.Second),
			},
		},
		"a short life": {
			client: oauth.ClientAuthentication{Method: oauth.MethodPrivateKeyJWT, Key: key.key, Lifetime: 12 * time.Second},
			public: key.public,
			header: map[string]any{"alg": "ES256", "typ": "JWT"},
			claims: map[string]any{"aud": "URL", "iat": at(-3 * time.Second), "exp": at(9 * time.Second)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, received := serve(t, reply(http.StatusOK, good))
			request := newRequest(server)
			request.Client, request.Client.ID = test.client, "the client"

			if _, err := newClient(t).Token(t.Context(), request); err != nil {
				t.Fatal(err)
			}

			want := map[string]any{"iss": "the client", "sub": "the client", "jti": sevensID}
			if maps.Copy(want, test.claims); want["aud"] == "URL" {
				want["aud"] = request.TokenURL
			}

			header, claims := open(t, received()[0].form.Get("client_assertion"), test.public)
			if diff := cmp.Diff([]any{test.header, want}, []any{header, claims}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAssertionsThatAreTheGrant(t *testing.T) {
	t.Parallel()

	key := rsaKey(t)
	iat, exp := float64(start.Add(-10*time.Second).Unix()), float64(start.Add(50*time.Second).Unix())

	for name, test := range map[string]struct {
		change func(*oauth.Request)
		kid    any
		want   map[string]any
	}{
		"the issuer is the client": {
			change: func(*oauth.Request) {},
			want:   map[string]any{"iss": "client", "aud": "URL", "iat": iat, "exp": exp, "jti": sevensID},
		},
		"all that can be chosen": {
			change: func(r *oauth.Request) {
				r.Assertion.KeyID, r.Assertion.Issuer, r.Assertion.Subject, r.Assertion.Audience = "k", "i", "s", "a"
				r.Assertion.Lifetime = time.Hour
				r.Assertion.Claims = map[string]any{"scope": "x y", "box_sub_type": "enterprise", "aud": []string{"a", "b"}}
			},
			kid: "k",
			want: map[string]any{
				"iss": "i", "sub": "s", "aud": []any{"a", "b"}, "iat": iat, "exp": exp + 3540, "jti": sevensID,
				"scope": "x y", "box_sub_type": "enterprise",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, received := serve(t, reply(http.StatusOK, good))
			request := newRequest(server)
			request.Assertion = &oauth.Assertion{Key: key.key}
			test.change(&request)

			if _, err := newClient(t).Token(t.Context(), request); err != nil {
				t.Fatal(err)
			}

			if test.want["aud"] == "URL" {
				test.want["aud"] = request.TokenURL
			}

			header, claims := open(t, received()[0].form.Get("assertion"), key.public)
			if diff := cmp.Diff(test.want, claims); diff != "" || header["kid"] != test.kid || header["alg"] != "RS256" {
				t.Errorf("header %v, claims %s", header, diff)
			}
		})
	}
}

func TestEveryAssertionIsNew(t *testing.T) {
	t.Parallel()

	server, received := serve(t, reply(http.StatusOK, good))
	client := oauth.NewClient(oauth.Options{
		Egress: loopbackAllowed(), AllowInsecureHTTP: true, Now: func() time.Time { return start }, Random: rand.Reader,
	})
	t.Cleanup(client.CloseIdleConnections)

	key := ellipticKey(t)
	request := newRequest(server)
	request.Client = oauth.ClientAuthentication{Method: oauth.MethodPrivateKeyJWT, ID: "me", Key: key.key}
	request.Assertion = &oauth.Assertion{Key: key.key}
	seen := map[any]bool{}

	for i := range 2 {
		if _, err := client.Token(t.Context(), request); err != nil {
			t.Fatal(err)
		}

		for _, name := range []string{"assertion", "client_assertion"} {
			_, claims := open(t, received()[i].form.Get(name), key.public)
			seen[claims["jti"]] = true
		}
	}

	if len(seen) != 4 {
		t.Errorf("four assertions have %d IDs", len(seen))
	}
}
