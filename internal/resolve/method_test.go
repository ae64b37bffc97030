package resolve_test

import (
	"testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

// clients are clients by the key that they have.
func clients() map[string]v1alpha1.Client {
	return map[string]v1alpha1.Client{
		"none":            {ID: "me"},
		"secret":          {ID: "me", SecretRef: ref("client", "secret")},
		"private key":     {ID: "me", PrivateKeyRef: ref("client", "key")},
		"certificate":     {ID: "me", CertificateRef: &v1alpha1.SecretReference{Name: "pair"}},
		"service account": {ID: "me", ServiceAccount: &v1alpha1.ServiceAccountToken{Name: "robot", Audience: "api"}},
	}
}

func TestTheMethodFollowsFromTheKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]oauth.Method{
		"none":            oauth.MethodNone,
		"secret":          oauth.MethodClientSecretBasic,
		"private key":     oauth.MethodPrivateKeyJWT,
		"certificate":     oauth.MethodTLSClientAuth,
		"service account": oauth.MethodPrivateKeyJWT,
	} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			plan := join(t, user(func(s *v1alpha1.OAuthCredentialSpec) { s.Client = clients()[key] }), open(unchanged))
			if plan.Method != want {
				t.Errorf("got %s, want %s", plan.Method, want)
			}
		})
	}
}

func TestTheKeyFitsTheMethod(t *testing.T) {
	t.Parallel()
	for method, fitting := range map[v1alpha1.ClientAuthenticationMethod][]string{
		v1alpha1.ClientSecretBasic:        {"secret"},
		v1alpha1.ClientSecretPost:         {"secret"},
		v1alpha1.ClientSecretJWT:          {"secret"},
		v1alpha1.PrivateKeyJWT:            {"private key", "certificate", "service account"},
		v1alpha1.TLSClientAuth:            {"certificate"},
		v1alpha1.SelfSignedTLSClientAuth:  {"certificate"},
		v1alpha1.ClientAuthenticationNone: {"none"},
		"private_secret_jwt":              {},
	} {
		fits := map[string]bool{}
		for _, key := range fitting {
			fits[key] = true
		}
		for key, client := range clients() {
			t.Run(string(method)+" with "+key, func(t *testing.T) {
				t.Parallel()
				for _, test := range []struct {
					credential *v1alpha1.OAuthCredential
					provider   *resolve.Provider
				}{
					{user(func(s *v1alpha1.OAuthCredentialSpec) { s.Client = client }), open(withMethod(method))},
					{credential(func(s *v1alpha1.OAuthCredentialSpec) {
						s.Client, s.Provider.ClientAuthentication.Method = client, method
					}), nil},
					{user(unchanged), own(open(func(s *v1alpha1.OAuthProviderSpec) {
						s.Client = &client
						withMethod(method)(s)
					}))},
				} {
					plan, err := resolve.Join(test.credential, test.provider)
					switch {
					case !fits[key]:
						expectText(t, expectReason(t, err, v1alpha1.ReasonIncompatibleProvider), string(method))
					case err != nil || plan.Method != oauth.Method(method):
						t.Errorf("got %v", err)
					}
				}
			})
		}
	}
}

func withMethod(method v1alpha1.ClientAuthenticationMethod) changeProvider {
	return func(s *v1alpha1.OAuthProviderSpec) { s.ClientAuthentication.Method = method }
}

func TestTheClientOverridesItsProviderWhole(t *testing.T) {
	t.Parallel()
	provider := open(func(s *v1alpha1.OAuthProviderSpec) {
		s.ClientAuthentication = v1alpha1.ClientAuthentication{Method: v1alpha1.ClientSecretPost, BasicEncoding: v1alpha1.Raw}
	})
	for name, test := range map[string]struct {
		authentication v1alpha1.ClientAuthentication
		method         oauth.Method
		encoding       oauth.BasicEncoding
	}{
		"by nothing":     {v1alpha1.ClientAuthentication{}, oauth.MethodClientSecretPost, oauth.Raw},
		"by a method":    {v1alpha1.ClientAuthentication{Method: v1alpha1.ClientSecretBasic}, oauth.MethodClientSecretBasic, ""},
		"by an encoding": {v1alpha1.ClientAuthentication{BasicEncoding: v1alpha1.FormURLEncoded}, oauth.MethodClientSecretBasic, oauth.FormURLEncoded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := join(t, user(func(s *v1alpha1.OAuthCredentialSpec) {
				s.Client = v1alpha1.Client{ID: "me", SecretRef: ref("client", "secret"), Authentication: test.authentication}
			}), provider)
			resolved, err := resolver(namespace(), &issuers{}).Resolve(t.Context(), plan)
			if got := resolved.Request.Client; err != nil || got.Method != test.method || got.BasicEncoding != test.encoding {
				t.Errorf("got %s, %q and error %v", got.Method, got.BasicEncoding, err)
			}
		})
	}
}
