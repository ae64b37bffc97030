package resolve_test

import (
	"strings"
	"testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
)

// secretHolders are all the ways in which a provider holds a secret.
var secretHolders = map[string]changeProvider{
	"a client": func(s *v1alpha1.OAuthProviderSpec) {
		s.Client = &v1alpha1.Client{ID: "us", SecretRef: ref("shared", "secret")}
	},
	"a client without a secret": func(s *v1alpha1.OAuthProviderSpec) { s.Client = &v1alpha1.Client{ID: "us"} },
	"a header from a Secret": func(s *v1alpha1.OAuthProviderSpec) {
		s.Request.Headers = []v1alpha1.Header{{Name: "X-App", ValueFrom: from("shared", "app")}}
	},
	"a parameter from a Secret": func(s *v1alpha1.OAuthProviderSpec) {
		s.Request.Parameters = []v1alpha1.Parameter{{Name: "app", ValueFrom: from("shared", "app")}}
	},
}

// TestATenantSteersNoSecretOfAProvider goes through all that a credential can set that
// shapes a request: with a provider that holds a secret, none of it is allowed unless
// the provider lists it.
func TestATenantSteersNoSecretOfAProvider(t *testing.T) {
	t.Parallel()
	forbidden := map[string]struct {
		change changeSpec
		says   string
	}{
		"client id":      {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.ID = "mine" }, "spec.client"},
		"client secret":  {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.SecretRef = ref("client", "secret") }, "spec.client"},
		"authentication": {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.Authentication.Method = "none" }, "spec.client"},
		"header": {func(s *v1alpha1.OAuthCredentialSpec) {
			s.Request.Headers = []v1alpha1.Header{{Name: "X-App", Value: new("x")}}
		}, "spec.request"},
		"parameter": {func(s *v1alpha1.OAuthCredentialSpec) {
			s.Request.Parameters = []v1alpha1.Parameter{{Name: "realm", Value: new("x")}}
		}, "spec.request"},
		"refresh token": {refreshing, "spec.refreshToken"},
		"authorization code": {func(s *v1alpha1.OAuthCredentialSpec) {
			s.AuthorizationCode = &v1alpha1.AuthorizationCode{}
		}, "spec.authorizationCode"},
		"device grant":   {func(s *v1alpha1.OAuthCredentialSpec) { s.GrantType = v1alpha1.GrantDeviceCode }, "spec.allowed.grantTypes"},
		"jwt-bearer":     {func(s *v1alpha1.OAuthCredentialSpec) { s.JWTBearer = &v1alpha1.JWTBearer{} }, "spec.jwtBearer"},
		"token exchange": {func(s *v1alpha1.OAuthCredentialSpec) { s.TokenExchange = &v1alpha1.TokenExchange{} }, "spec.tokenExchange"},
		"password":       {func(s *v1alpha1.OAuthCredentialSpec) { s.Password = &v1alpha1.Password{} }, "spec.password"},
		"scope":          {func(s *v1alpha1.OAuthCredentialSpec) { s.Scopes = []string{"admin"} }, "spec.allowed.scopes"},
		"audience":       {func(s *v1alpha1.OAuthCredentialSpec) { s.Audiences = []string{"api"} }, "spec.allowed.audiences"},
		"resource":       {func(s *v1alpha1.OAuthCredentialSpec) { s.Resources = []string{"urn:x"} }, "spec.allowed.resources"},
		"grant type":     {func(s *v1alpha1.OAuthCredentialSpec) { s.GrantType = "urn:their:own" }, "spec.allowed.grantTypes"},
		"variable": {func(s *v1alpha1.OAuthCredentialSpec) {
			s.ProviderRef.Variables = map[string]v1alpha1.VariableValue{"realm": "mine"}
		}, "spec.allowed.variables.realm"},
	}
	for holder, holds := range secretHolders {
		for name, test := range forbidden {
			t.Run(holder+", "+name, func(t *testing.T) {
				t.Parallel()
				for _, provider := range []*resolve.Provider{open(holds), own(open(holds))} {
					_, err := resolve.Join(user(test.change), provider)
					expectText(t, expectReason(t, err, v1alpha1.ReasonNotAllowedByProvider), test.says, provider.String())
				}
			})
		}
	}
}

// TestWhatAProviderWithASecretLeavesToTheTenant is the other side of the test above.
func TestWhatAProviderWithASecretLeavesToTheTenant(t *testing.T) {
	t.Parallel()
	for holder, holds := range secretHolders {
		t.Run(holder, func(t *testing.T) {
			t.Parallel()
			plan, err := resolve.Join(user(func(s *v1alpha1.OAuthCredentialSpec) {
				s.Secret.Data = map[string]v1alpha1.Expression{"token": "token.access_token"}
				s.Refresh.AfterPercent = new(int32(50))
			}), open(holds))
			if err != nil || !plan.HoldsSecret {
				t.Errorf("got %v", err)
			}
		})
	}
	if plan := join(t, user(unchanged), open(unchanged)); plan.HoldsSecret {
		t.Error("a provider that names no Secret holds one")
	}
	if plan := join(t, user(unchanged), open(func(s *v1alpha1.OAuthProviderSpec) {
		s.TLS = &v1alpha1.TLS{CARef: &v1alpha1.CAReference{Kind: v1alpha1.KindSecret, Name: "ca", Key: "ca.crt"}}
	})); plan.HoldsSecret {
		t.Error("a CA bundle counts as a secret")
	}
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	allowed := v1alpha1.Allowed{
		Scopes: []string{"read", "write"}, Audiences: []string{"api"}, Resources: []string{"urn:x"},
		Variables: map[string]v1alpha1.VariableValues{"realm": {"a", "b"}},
	}
	realm := func(value v1alpha1.VariableValue) changeSpec {
		return func(s *v1alpha1.OAuthCredentialSpec) {
			s.ProviderRef.Variables = map[string]v1alpha1.VariableValue{"realm": value}
		}
	}
	for name, test := range map[string]struct {
		grantTypes []v1alpha1.GrantType
		change     changeSpec
		ok         bool
	}{
		"some scopes":           {nil, func(s *v1alpha1.OAuthCredentialSpec) { s.Scopes = []string{"write"} }, true},
		"one scope too many":    {nil, func(s *v1alpha1.OAuthCredentialSpec) { s.Scopes = []string{"read", "admin"} }, false},
		"a scope in upper case": {nil, func(s *v1alpha1.OAuthCredentialSpec) { s.Scopes = []string{"READ"} }, false},
		"an audience":           {nil, func(s *v1alpha1.OAuthCredentialSpec) { s.Audiences = []string{"api"} }, true},
		"a resource":            {nil, func(s *v1alpha1.OAuthCredentialSpec) { s.Resources = []string{"urn:x"} }, true},
		"a variable's value":    {nil, realm("b"), true},
		"another value":         {nil, realm("c"), false},
		"client credentials":    {nil, unchanged[v1alpha1.OAuthCredentialSpec], true},
		"not client credentials, with a list of others": {
			[]v1alpha1.GrantType{"urn:x"}, unchanged[v1alpha1.OAuthCredentialSpec], false,
		},
		"a listed grant type": {
			[]v1alpha1.GrantType{"urn:x"}, func(s *v1alpha1.OAuthCredentialSpec) { s.GrantType = "urn:x" }, true,
		},
		"a login, where that is listed": {
			[]v1alpha1.GrantType{v1alpha1.GrantAuthorizationCode},
			func(s *v1alpha1.OAuthCredentialSpec) { s.GrantType = v1alpha1.GrantAuthorizationCode }, true,
		},
		"a refresh token of one's own, although that is listed": {[]v1alpha1.GrantType{v1alpha1.GrantRefreshToken}, refreshing, false},
		"none of an empty list":                                 {[]v1alpha1.GrantType{}, unchanged[v1alpha1.OAuthCredentialSpec], false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := resolve.Join(user(test.change), shared(func(s *v1alpha1.OAuthProviderSpec) {
				s.Allowed = allowed.DeepCopy()
				s.Allowed.GrantTypes, s.AuthorizationURL = test.grantTypes, "https://as.example/authorize"
			}))
			if test.ok && err != nil {
				t.Error(err)
			}
			if !test.ok {
				expectReason(t, err, v1alpha1.ReasonNotAllowedByProvider)
			}
		})
	}
}

func TestWhatIsAskedForIsQuotedInShort(t *testing.T) {
	t.Parallel()
	_, err := resolve.Join(user(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Audiences = []string{"\u202e\n" + strings.Repeat("ä", 2000)}
	}), shared(unchanged))
	message := expectReason(t, err, v1alpha1.ReasonNotAllowedByProvider)
	if strings.ContainsAny(message, "\u202e\n\ufffd") || len([]rune(message)) > 512 {
		t.Errorf("the message is not fit to be shown: %q", message)
	}
}
