package resolve_test

import (
	"testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
)

// in moves a credential to another namespace.
func in(namespace string, c *v1alpha1.OAuthCredential) *v1alpha1.OAuthCredential {
	c.Namespace = namespace
	return c
}

// another makes it another provider, with the same name and spec.
func another(provider *resolve.Provider) *resolve.Provider {
	provider.UID = "u-2"
	return provider
}

func realm(value v1alpha1.VariableValue) changeSpec {
	return withVariables(map[string]v1alpha1.VariableValue{"realm": value})
}

func at(url v1alpha1.EndpointURL) changeProvider {
	return func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL = url }
}

// allowing lets credentials choose the realm a or b.
func allowing(change changeProvider) changeProvider {
	return func(s *v1alpha1.OAuthProviderSpec) {
		s.Allowed = &v1alpha1.Allowed{
			Scopes: []string{"a", "b"}, Variables: map[string]v1alpha1.VariableValues{"realm": {"a", "b"}},
		}
		change(s)
	}
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
	issuer, issuers := atIssuer("https://as.example/a"), atIssuer("https://as.example/{realm}")
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
			false,
		},
		"two providers of one host": {
			request{user(unchanged), open(unchanged)}, request{user(unchanged), another(open(unchanged))}, false,
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
		"two namespaces that chose an issuer": {
			request{user(realm("a")), open(issuers)}, request{in("b", user(realm("b"))), open(issuers)}, false,
		},
		"two issuers of one namespace": {
			request{user(realm("a")), open(issuers)}, request{user(realm("b")), open(issuers)}, true,
		},
		"two namespaces with one issuer": {
			request{user(unchanged), open(issuer)}, request{in("b", user(unchanged)), open(issuer)}, true,
		},
		"two namespaces that chose an issuer of a provider with a secret": {
			request{user(realm("a")), shared(allowing(issuers))}, request{in("b", user(realm("b"))), shared(allowing(issuers))}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			planA, planB := join(t, test.a.credential, test.a.provider), join(t, test.b.credential, test.b.provider)
			a, b := planA.Line(), planB.Line()
			if (a == b) != test.shared {
				t.Errorf("%s and %s are the same line: %t", a, b, a == b)
			}
			foreign := test.a.credential.Namespace != test.b.credential.Namespace && (test.a.provider == nil) == (test.b.provider == nil)
			if foreign && (planA.SharesLine() != test.shared || planB.SharesLine() != test.shared) {
				t.Errorf("%s is said to be for several namespaces: %t, %t", a, planA.SharesLine(), planB.SharesLine())
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
		"another of those":     pool(user(plain), another(open(unchanged))),
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
	named := func(namespace, id, secret string) *resolve.Plan {
		return join(t, in(namespace, credential(func(s *v1alpha1.OAuthCredentialSpec) {
			s.Client = v1alpha1.Client{ID: id, SecretRef: ref(secret, "secret")}
		})), nil)
	}
	account := func(name string) *resolve.Plan {
		return join(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
			s.Client = v1alpha1.Client{ServiceAccount: &v1alpha1.ServiceAccountToken{Name: name}}
		}), nil)
	}
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
	for name, test := range map[string]struct {
		a, b *resolve.Plan
		same bool
	}{
		"one id, and two Secrets":        {named("a", "me", "client"), named("a", "me", "copy"), true},
		"two ids, and one Secret":        {named("a", "me", "client"), named("a", "you", "client"), false},
		"one id, named by two":           {named("a", "me", "client"), named("b", "me", "client"), false},
		"two ServiceAccounts":            {account("a"), account("b"), false},
		"an id and one from elsewhere":   {named(tenant, "me", "client"), join(t, credential(unchanged), nil), false},
		"a provider's and a namespace's": {named("u-1", "us", "shared"), join(t, user(unchanged), open(secretHolders["a client"])), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if (test.a.ClientKey() == test.b.ClientKey()) != test.same {
				t.Errorf("it is the same: %t", !test.same)
			}
		})
	}
}

// TestAProviderWithASecretIsOneClient holds for all that such a provider may hold, since a
// credential can set none of it.
func TestAProviderWithASecretIsOneClient(t *testing.T) {
	t.Parallel()
	for holder, holds := range secretHolders {
		t.Run(holder, func(t *testing.T) {
			t.Parallel()
			a, b := join(t, user(unchanged), open(holds)), join(t, in("b", user(unchanged)), open(holds))
			if a.ClientKey() != b.ClientKey() || !a.SharesClient() {
				t.Error("it is another one in another namespace")
			}
			if other := join(t, user(unchanged), another(open(holds))); other.ClientKey() == a.ClientKey() {
				t.Error("two providers have the same")
			}
			demanding := func(s *v1alpha1.OAuthProviderSpec) {
				holds(s)
				s.ClientAuthentication.Method = v1alpha1.PrivateKeyJWT
			}
			_, err := resolve.Join(user(unchanged), open(demanding))
			expectText(t, expectReason(t, err, v1alpha1.ReasonIncompatibleProvider), "administrator")
			_, err = resolver(namespace(), &issuers{}).Probe(t.Context(), open(demanding))
			expectText(t, expectReason(t, err, v1alpha1.ReasonIncompatibleProvider), "private_key_jwt")
		})
	}
	for name, plan := range map[string]*resolve.Plan{
		"inline":             join(t, credential(unchanged), nil),
		"of a provider":      join(t, user(func(s *v1alpha1.OAuthCredentialSpec) { s.Client.ID = "me" }), open(unchanged)),
		"with a header":      join(t, credential(func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.Request.Headers = secretHeader() }), nil),
		"with a header, too": join(t, user(func(s *v1alpha1.OAuthCredentialSpec) { s.Request.Headers = secretHeader() }), open(unchanged)),
	} {
		if plan.SharesClient() {
			t.Errorf("a client of one's own is shared: %s", name)
		}
	}
}

func secretHeader() []v1alpha1.Header {
	return []v1alpha1.Header{{Name: "Authorization", ValueFrom: from("client", "app")}}
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
