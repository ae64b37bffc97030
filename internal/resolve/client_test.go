package resolve_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

// pair makes a private key and a certificate for it, in PEM.
func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "me"}, NotAfter: noon.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

func pemKey(t *testing.T) string {
	t.Helper()
	_, key := pair(t)
	return key
}

// presented is the certificate of the client that a request would present.
func presented(t *testing.T, plan *resolve.Plan, reader *objects) []byte {
	t.Helper()
	resolved, err := resolver(reader, &issuers{}).Resolve(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if resolved.Request.Client.Certificate == nil {
		t.Fatal("there is no certificate")
	}
	return resolved.Request.Client.Certificate.Certificate[0]
}

func TestACertificateIsReadAnewForEachRequest(t *testing.T) {
	t.Parallel()
	plan := join(t, credential(func(s *v1alpha1.OAuthCredentialSpec) { s.Client = clients()["certificate"] }), nil)
	firstCertificate, firstKey := pair(t)
	secondCertificate, secondKey := pair(t)
	reader := namespace().with(tenant, "pair", "1", map[string]string{"tls.crt": firstCertificate, "tls.key": firstKey})
	before := presented(t, plan, reader)
	reader.with(tenant, "pair", "2", map[string]string{"tls.crt": secondCertificate, "tls.key": secondKey})
	if bytes.Equal(before, presented(t, plan, reader)) {
		t.Error("the old certificate is still presented")
	}
	reader.with(tenant, "pair", "3", map[string]string{"tls.crt": firstCertificate, "tls.key": secondKey})
	_, err := resolver(reader, &issuers{}).Resolve(t.Context(), plan)
	expectText(t, expectReason(t, err, v1alpha1.ReasonInvalidKey), "spec.client.certificateRef", "belong together")
}

func TestWhatACertificateIsFor(t *testing.T) {
	t.Parallel()
	certificate, key := pair(t)
	for method, presents := range map[v1alpha1.ClientAuthenticationMethod]bool{
		"": true, v1alpha1.TLSClientAuth: true, v1alpha1.SelfSignedTLSClientAuth: true, v1alpha1.PrivateKeyJWT: false,
	} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			reader := namespace().with(tenant, "pair", "1", map[string]string{"tls.crt": certificate, "tls.key": key})
			resolved, err := planned(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
				s.Client, s.Provider.ClientAuthentication.Method = clients()["certificate"], method
			}), reader)
			if err != nil {
				t.Fatal(err)
			}
			got := resolved.Request.Client
			if (got.Certificate != nil) != presents || (got.Key != nil) == presents {
				t.Errorf("it is presented: %t, it signs: %t", got.Certificate != nil, got.Key != nil)
			}
		})
	}
}

func TestClients(t *testing.T) {
	t.Parallel()
	reader := namespace().with(tenant, "client", "7", map[string]string{"id": "me", "secret": "s3cret", "key": pemKey(t)})
	for name, test := range map[string]struct {
		change changeSpec
		check  func(oauth.ClientAuthentication) bool
	}{
		"none, with an id": {func(s *v1alpha1.OAuthCredentialSpec) { s.Client = clients()["none"] }, func(c oauth.ClientAuthentication) bool {
			return c.Method == oauth.MethodNone && c.ID == "me"
		}},
		"none at all": {func(s *v1alpha1.OAuthCredentialSpec) { s.Client = v1alpha1.Client{} }, func(c oauth.ClientAuthentication) bool {
			return c.Method == oauth.MethodNone && c.ID == ""
		}},
		"a private key": {func(s *v1alpha1.OAuthCredentialSpec) { s.Client = clients()["private key"] }, func(c oauth.ClientAuthentication) bool {
			return c.Key != nil && c.Secret.IsEmpty()
		}},
		"a ServiceAccount": {func(s *v1alpha1.OAuthCredentialSpec) { s.Client = clients()["service account"] }, func(c oauth.ClientAuthentication) bool {
			return c.Token.Reveal() == "a.b.c" && c.Method == oauth.MethodPrivateKeyJWT
		}},
		"an assertion in detail": {func(s *v1alpha1.OAuthCredentialSpec) {
			s.Provider.ClientAuthentication = v1alpha1.ClientAuthentication{Method: v1alpha1.ClientSecretJWT, Assertion: &v1alpha1.ClientAssertion{
				Audience: "aud", Algorithm: "HS384", KeyID: "kid", Lifetime: &metav1.Duration{Duration: time.Minute},
			}}
		}, func(c oauth.ClientAuthentication) bool {
			return c.Audience == "aud" && c.Algorithm == "HS384" && c.KeyID == "kid" && c.Lifetime == time.Minute && c.Secret.Reveal() == "s3cret"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resolved, err := planned(t, credential(test.change), &objects{secrets: reader.secrets})
			if err != nil || !test.check(resolved.Request.Client) {
				t.Errorf("got %v and error %v", resolved.Request.Client, err)
			}
		})
	}
}

func TestTheClientOfAProviderIsReadWhereTheProviderIs(t *testing.T) {
	t.Parallel()
	reader := namespace().with(tenant, "shared", "1", map[string]string{"id": "wrong", "secret": "wrong"})
	resolved, err := resolver(reader, &issuers{}).Resolve(t.Context(), join(t, user(unchanged), shared(unchanged)))
	if c := resolved.Request.Client; err != nil || c.ID != "us" || c.Secret.Reveal() != "sh4red" {
		t.Errorf("got the client %q and error %v", c.ID, err)
	}
	resolved, err = resolver(reader, &issuers{}).Resolve(t.Context(), join(t, user(unchanged), own(shared(unchanged))))
	if c := resolved.Request.Client; err != nil || c.ID != "wrong" {
		t.Errorf("got the client %q and error %v", c.ID, err)
	}
}
