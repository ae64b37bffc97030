package resolve_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
)

// in moves a credential to another namespace.
func in(namespace string, c *v1alpha1.OAuthCredential) *v1alpha1.OAuthCredential {
	c.Namespace = namespace
	return c
}

func identified(uid types.UID, provider *resolve.Provider) *resolve.Provider {
	provider.UID = uid
	return provider
}

func realm(value v1alpha1.VariableValue) changeSpec {
	return withVariables(map[string]v1alpha1.VariableValue{"realm": value})
}

func at(url v1alpha1.EndpointURL) changeProvider {
	return func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL = url }
}

func inline(url v1alpha1.EndpointURL) changeSpec {
	return func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.TokenURL = url }
}

func TestWhoSharesALine(t *testing.T) {
	t.Parallel()
	type request struct {
		credential *v1alpha1.OAuthCredential
		provider   *resolve.Provider
	}
	hosted, realms := at("https://{realm}.example/token"), at("https://as.example/{realm}/token")
	for name, test := range map[string]struct {
		a, b   request
		shared bool
	}{
		"two namespaces with one provider": {
			request{user(unchanged), open(unchanged)}, request{in("b", user(unchanged)), open(unchanged)}, true,
		},
		"two realms at one host": {
			request{user(realm("a")), open(realms)}, request{in("b", user(realm("b"))), open(realms)}, true,
		},
		"two namespaces that chose the same host": {
			request{user(realm("a")), open(hosted)}, request{in("b", user(realm("a"))), open(hosted)}, false,
		},
		"two hosts of one namespace": {
			request{user(realm("a")), open(hosted)}, request{user(realm("b")), open(hosted)}, false,
		},
		"two namespaces that chose where to revoke": {
			request{user(realm("a")), open(func(s *v1alpha1.OAuthProviderSpec) { s.RevocationURL = "https://{realm}.example" })},
			request{in("b", user(realm("b"))), open(func(s *v1alpha1.OAuthProviderSpec) { s.RevocationURL = "https://{realm}.example" })},
			true,
		},
		"two providers of one host": {
			request{user(unchanged), open(unchanged)}, request{user(unchanged), identified("u-2", open(unchanged))}, false,
		},
		"a provider that has moved": {
			request{user(unchanged), open(unchanged)}, request{user(unchanged), open(at("https://b.example/token"))}, false,
		},
		"two inline providers of one namespace": {
			request{credential(unchanged), nil}, request{credential(inline("https://AS.example:443/other")), nil}, true,
		},
		"two ports": {
			request{credential(unchanged), nil}, request{credential(inline("https://as.example:8443/token")), nil}, false,
		},
		"two namespaces with inline providers": {
			request{credential(unchanged), nil}, request{in("b", credential(unchanged)), nil}, false,
		},
		"a provider and a namespace that is called like it": {
			request{user(unchanged), open(unchanged)}, request{in("u-1", credential(unchanged)), nil}, false,
		},
		"an issuer and a token URL of one host": {
			request{user(unchanged), open(unchanged)},
			request{user(unchanged), open(func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL, s.Issuer = "", "https://as.example/x" })},
			true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := join(t, test.a.credential, test.a.provider).Line(), join(t, test.b.credential, test.b.provider).Line()
			if (a == b) != test.shared {
				t.Errorf("%s and %s are the same line: %t", a, b, a == b)
			}
		})
	}
}

func TestWhoSharesConnections(t *testing.T) {
	t.Parallel()
	pool := func(c *v1alpha1.OAuthCredential, provider *resolve.Provider) string {
		resolved, err := resolver(namespace(), &issuers{}).Resolve(t.Context(), join(t, c, provider))
		if err != nil {
			t.Fatal(err)
		}
		return resolved.Request.Pool
	}
	plain := func(s *v1alpha1.OAuthCredentialSpec) { s.Client = v1alpha1.Client{ID: "me"} }
	pools := map[string]string{
		"inline":               pool(credential(plain), nil),
		"inline, elsewhere":    pool(in("b", credential(plain)), nil),
		"a cluster's provider": pool(user(plain), open(unchanged)),
		"another of those":     pool(user(plain), identified("u-2", open(unchanged))),
		"a namespace like it":  pool(in("u-1", credential(plain)), nil),
	}
	seen := map[string]string{}
	for name, got := range pools {
		if other, ok := seen[got]; ok || got == "" {
			t.Errorf("%q and %q share %q", name, other, got)
		}
		seen[got] = name
	}
	if got := pool(in("b", user(plain)), open(unchanged)); got != pools["a cluster's provider"] {
		t.Errorf("the tenants of one provider do not share: %q", got)
	}
	if got := pool(user(plain), own(open(unchanged))); got != tenant {
		t.Errorf("a provider of the namespace has the pool %q", got)
	}
}

func TestWhoIsTheSameClient(t *testing.T) {
	t.Parallel()
	mine := join(t, credential(unchanged), nil).ClientKey()
	for name, test := range map[string]struct {
		plan *resolve.Plan
		same bool
	}{
		"another credential's":            {join(t, credential(func(s *v1alpha1.OAuthCredentialSpec) { s.Scopes = []string{"a"} }), nil), true},
		"that proves itself in other way": {join(t, credential(func(s *v1alpha1.OAuthCredentialSpec) { s.Client.Authentication.BasicEncoding = "Raw" }), nil), true},
		"of another key":                  {join(t, credential(func(s *v1alpha1.OAuthCredentialSpec) { s.Client.IDRef = ref("client", "app") }), nil), false},
		"of another namespace":            {join(t, in("b", credential(unchanged)), nil), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.plan.ClientKey(); (got == mine) != test.same {
				t.Errorf("it is the same: %t", got == mine)
			}
		})
	}
	a, b := join(t, user(unchanged), shared(unchanged)), join(t, in("b", user(unchanged)), shared(unchanged))
	if a.ClientKey() != b.ClientKey() || !a.SharesClient() {
		t.Error("the client of a provider is another one in another namespace")
	}
	if plan := join(t, credential(unchanged), nil); plan.SharesClient() {
		t.Error("a client of one's own is shared")
	}
}

func TestExclusiveToken(t *testing.T) {
	t.Parallel()
	token := func(change changeSpec) string {
		return join(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
			s.Provider.TokenReissue = v1alpha1.ReissueReplaces
			s.Client.ID, s.Client.IDRef = "me", nil
			s.Scopes = []string{"a", "b"}
			change(s)
		}), nil).ExclusiveToken()
	}
	base := token(unchanged)
	if base == "" || join(t, credential(unchanged), nil).ExclusiveToken() != "" {
		t.Error("only a token that ends the one before is exclusive")
	}
	for name, test := range map[string]struct {
		change changeSpec
		same   bool
	}{
		"scopes in another order": {func(s *v1alpha1.OAuthCredentialSpec) { s.Scopes = []string{"b", "a"} }, true},
		"another Secret":          {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.SecretRef = ref("copy", "secret") }, true},
		"fewer scopes":            {func(s *v1alpha1.OAuthCredentialSpec) { s.Scopes = []string{"a"} }, false},
		"another client":          {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.ID = "you" }, false},
		"another endpoint":        {func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.TokenURL += "2" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := token(test.change); (got == base) != test.same {
				t.Errorf("it is the same token: %t", got == base)
			}
		})
	}
}

func TestLimitsAndNamesOfProviders(t *testing.T) {
	t.Parallel()
	limited := func(s *v1alpha1.OAuthProviderSpec) { s.Limits = &v1alpha1.Limits{MaxConcurrentRequests: new(int32(3))} }
	plan := join(t, user(unchanged), open(limited))
	if got := plan.Limits().MaxConcurrentRequests; got == nil || *got != 3 {
		t.Errorf("the limit is %v", got)
	}
	if plan.ClusterProvider() != "p" {
		t.Errorf("it is called %q", plan.ClusterProvider())
	}
	if got := join(t, user(unchanged), own(open(unchanged))).ClusterProvider(); got != "" {
		t.Errorf("a provider of a namespace is called %q", got)
	}
	if plan := join(t, credential(unchanged), nil); plan.Limits() != (v1alpha1.Limits{}) || plan.ClusterProvider() != "" {
		t.Error("an inline provider has limits or a name")
	}
}
