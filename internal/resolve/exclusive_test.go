package resolve_test

import (
	"testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
)

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

// TestTheExclusiveTokenOfAProvidersClient is the same in all namespaces, as far as the
// provider has them ask for the same.
func TestTheExclusiveTokenOfAProvidersClient(t *testing.T) {
	t.Parallel()
	for holder, holds := range secretHolders {
		replacing := func(provide changeProvider) *resolve.Provider {
			return open(func(s *v1alpha1.OAuthProviderSpec) {
				s.TokenReissue = v1alpha1.ReissueReplaces
				holds(s)
				allowing(provide)(s)
			})
		}
		token := func(namespace string, change changeSpec, provide changeProvider) string {
			return join(t, in(namespace, user(change)), replacing(provide)).ExclusiveToken()
		}
		scope := func(s *v1alpha1.OAuthCredentialSpec) { s.Scopes = []string{"a"} }
		base := token("a", unchanged, unchanged)
		for name, test := range map[string]struct {
			got  string
			same bool
		}{
			"another namespace":        {token("b", unchanged, unchanged), true},
			"no variables, in a map":   {token("b", withVariables(map[string]v1alpha1.VariableValue{}), unchanged), true},
			"another scope":            {token("b", scope, unchanged), false},
			"what a variable chose":    {token("b", realm("a"), unchanged), false},
			"another endpoint":         {token("b", unchanged, at("https://as.example/other")), false},
			"another provider":         {join(t, user(unchanged), another(replacing(unchanged))).ExclusiveToken(), false},
			"one that lives beside it": {token("b", unchanged, func(s *v1alpha1.OAuthProviderSpec) { s.TokenReissue = "" }), false},
		} {
			if base == "" || (test.got == base) != test.same {
				t.Errorf("%s, %s: it is the same token: %t", holder, name, !test.same)
			}
		}
		if token("a", realm("a"), unchanged) != token("b", realm("a"), unchanged) {
			t.Errorf("%s: two namespaces with the same variable do not get the same token", holder)
		}
	}
}
