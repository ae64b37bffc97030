package resolve_test

import (
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
)

func atIssuer(issuer v1alpha1.EndpointURL) changeProvider {
	return func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL, s.Issuer = "", issuer }
}

// TestADiscoveredEndpointThatGetsASecret: metadata may not lead the secret of a provider to
// a host that its administrator has not named.
func TestADiscoveredEndpointThatGetsASecret(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		endpoint string
		allowed  []string
		ok       bool
	}{
		"the same host":               {"https://as.example/token", nil, true},
		"the same host, in capitals":  {"https://AS.example:443/token", nil, true},
		"another port":                {"https://as.example:8443/token", nil, false},
		"without TLS":                 {"http://as.example/token", nil, false},
		"a subdomain":                 {"https://x.as.example/token", nil, false},
		"a host that begins like it":  {"https://as.example.evil.example/token", nil, false},
		"a path that looks like it":   {"https://evil.example/as.example", nil, false},
		"another host":                {"https://tokens.example/token", nil, false},
		"an allowed host":             {"https://tokens.example/token", []string{"x.example", "Tokens.example"}, true},
		"an allowed host, other port": {"https://tokens.example:8443/token", []string{"tokens.example"}, false},
		"an allowed port":             {"https://tokens.example:8443/token", []string{"tokens.example:8443"}, true},
		"no URL":                      {"https://%zz", []string{"%zz"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider := shared(func(s *v1alpha1.OAuthProviderSpec) {
				atIssuer("https://as.example/realm")(s)
				s.AllowedAuthorities = test.allowed
			})
			r := resolver(namespace(), &issuers{metadata: oauth.Metadata{TokenEndpoint: test.endpoint}})
			resolved, err := r.Resolve(t.Context(), join(t, user(unchanged), provider))
			_, probed := r.Probe(t.Context(), provider)
			if test.ok {
				if err != nil || probed != nil || resolved.Request.TokenURL != test.endpoint {
					t.Errorf("asks %s, with errors %v and %v", resolved.Request.TokenURL, err, probed)
				}
				return
			}
			expectReason(t, err, v1alpha1.ReasonIncompatibleProvider)
			expectText(t, expectReason(t, probed, v1alpha1.ReasonIncompatibleProvider), "spec.allowedAuthorities")
		})
	}
	plan := join(t, user(func(s *v1alpha1.OAuthCredentialSpec) { s.Client = clients()["secret"] }), open(atIssuer("https://as.example")))
	resolved, err := resolver(namespace(), &issuers{metadata: oauth.Metadata{TokenEndpoint: "https://tokens.example"}}).Resolve(t.Context(), plan)
	if err != nil || resolved.Request.TokenURL != "https://tokens.example" {
		t.Errorf("a provider without a secret asks %s: %v", resolved.Request.TokenURL, err)
	}
}

func TestClientsWithACertificateHaveAnEndpointOfTheirOwn(t *testing.T) {
	t.Parallel()
	certificate, key := pair(t)
	for name, test := range map[string]struct {
		method v1alpha1.ClientAuthenticationMethod
		mutual string
		want   string
	}{
		"tls_client_auth":             {v1alpha1.TLSClientAuth, "https://mtls.example", "https://mtls.example"},
		"self_signed_tls_client_auth": {v1alpha1.SelfSignedTLSClientAuth, "https://mtls.example", "https://mtls.example"},
		"without one":                 {v1alpha1.TLSClientAuth, "", "https://as.example/token"},
		"private_key_jwt":             {v1alpha1.PrivateKeyJWT, "https://mtls.example", "https://as.example/token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader := namespace().with(tenant, "pair", "1", map[string]string{"tls.crt": certificate, "tls.key": key})
			known := &issuers{metadata: oauth.Metadata{TokenEndpoint: "https://as.example/token", MTLSTokenEndpoint: test.mutual}}
			provider := own(open(func(s *v1alpha1.OAuthProviderSpec) {
				atIssuer("https://as.example")(s)
				s.ClientAuthentication.Method = test.method
			}))
			plan := join(t, user(func(s *v1alpha1.OAuthCredentialSpec) { s.Client = clients()["certificate"] }), provider)
			resolved, err := resolver(reader, known).Resolve(t.Context(), plan)
			if err != nil || resolved.Request.TokenURL != test.want {
				t.Errorf("asks %s, want %s: %v", resolved.Request.TokenURL, test.want, err)
			}
			if tokenURL, err := resolver(reader, known).Probe(t.Context(), provider); err != nil || tokenURL != test.want {
				t.Errorf("the provider's status says %s, want %s: %v", tokenURL, test.want, err)
			}
		})
	}
}

func TestWhatIsAskedOfAnIssuer(t *testing.T) {
	t.Parallel()
	reader := namespace()
	reader.configMaps[system+"/ca"] = reader.configMaps[tenant+"/ca"]
	known := &issuers{metadata: oauth.Metadata{TokenEndpoint: "https://as.example/token"}}
	plan := join(t, user(realm("acme")), open(func(s *v1alpha1.OAuthProviderSpec) {
		atIssuer("https://as.example/{realm}")(s)
		s.TLS = bundle(v1alpha1.KindConfigMap, "ca")
		s.Timeout = &metav1.Duration{Duration: 3 * time.Second}
	}))
	resolved, err := resolver(reader, known).Resolve(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if got := known.asked; got.Issuer != "https://as.example/acme" || string(got.CABundle) != "PEM" || got.Timeout != 3*time.Second ||
		got.Pool != resolved.Request.Pool {
		t.Errorf("asked %+v", got)
	}
	if resolved.Issuer == nil || resolved.Issuer.Key() != known.asked.Key() {
		t.Error("what was asked cannot be forgotten")
	}
	known.err = &oauth.Error{Kind: oauth.KindUnreachable}
	resolved, err = resolver(reader, known).Resolve(t.Context(), plan)
	if !errors.Is(err, known.err) || resolved.Issuer == nil {
		t.Errorf("got %v", err)
	}
	resolved, err = planned(t, credential(unchanged), namespace())
	if err != nil || resolved.Issuer != nil || resolved.Request.TokenURL != "https://as.example/token" {
		t.Errorf("without an issuer it asks %v and %s: %v", resolved.Issuer, resolved.Request.TokenURL, err)
	}
}
