package resolve_test

import (
	"errors"
	"testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

func TestProvidersThatCanBeUsed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		provider *resolve.Provider
		tokenURL string
		asked    bool
	}{
		"with nothing but a URL":    {open(unchanged), "", false},
		"with a client":             {shared(unchanged), "", false},
		"with a header":             {open(secretHolders["a header from a Secret"]), "", false},
		"with templates":            {open(at("https://as.example/{realm}")), "", false},
		"with an issuer":            {open(atIssuer("https://as.example")), "https://as.example/token", true},
		"with one issuer per realm": {open(atIssuer("https://as.example/{realm}")), "", false},
		"with an issuer and a key":  {shared(atIssuer("https://as.example")), "https://as.example/token", true},
		"with an expression":        {open(func(s *v1alpha1.OAuthProviderSpec) { s.Response.AccessToken = "body.token" }), "", false},
		"with a method, but no key": {open(withMethod(v1alpha1.PrivateKeyJWT)), "", false},
		"with a refresh token in a header": {open(func(s *v1alpha1.OAuthProviderSpec) {
			s.Request.Headers = []v1alpha1.Header{{Name: "a", Expression: "refresh_token"}}
		}), "", false},
		"with variables in a header": {open(func(s *v1alpha1.OAuthProviderSpec) {
			s.Request.Headers = []v1alpha1.Header{{Name: "a", Expression: "variables.a"}}
		}), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			known := &issuers{metadata: oauth.Metadata{TokenEndpoint: "https://as.example/token"}}
			tokenURL, err := resolver(namespace(), known).Probe(t.Context(), test.provider)
			if err != nil || tokenURL != test.tokenURL || (known.asked != nil) != test.asked {
				t.Errorf("found %q, with error %v", tokenURL, err)
			}
		})
	}
}

func TestProvidersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	unreachable := &oauth.Error{Kind: oauth.KindUnreachable}
	_, err := resolver(namespace(), &issuers{err: unreachable}).Probe(t.Context(), open(atIssuer("https://as.example")))
	if !errors.Is(err, unreachable) {
		t.Errorf("got %v", err)
	}
	reader := namespace()
	reader.err = errors.New("the server is away")
	_, err = resolver(reader, &issuers{}).Probe(t.Context(), open(func(s *v1alpha1.OAuthProviderSpec) { s.TLS = bundle(v1alpha1.KindSecret, "ca") }))
	if !errors.Is(err, reader.err) {
		t.Errorf("got %v", err)
	}
	// Its owner finds the field as it is called in the provider.
	_, err = resolver(namespace(), &issuers{}).Probe(t.Context(), shared(func(s *v1alpha1.OAuthProviderSpec) { s.Client.IDRef = ref("nowhere", "id") }))
	expectProblem(t, "no id", err, resolve.NotFound)
	expectText(t, err.Error(), `Secret "nowhere", named by spec.client.idRef, does not exist`)
	_, err = resolver(namespace(), &issuers{}).Probe(t.Context(), open(func(s *v1alpha1.OAuthProviderSpec) { s.Response.Scope = "body +" }))
	expectText(t, expectReason(t, err, v1alpha1.ReasonInvalidExpression), "spec.response.scope:")
	_, err = resolver(namespace(), &issuers{}).Probe(t.Context(), shared(withMethod(v1alpha1.TLSClientAuth)))
	expectText(t, expectReason(t, err, v1alpha1.ReasonIncompatibleProvider), "needs client.certificateRef", "spec.clientAuthentication.method")
}
