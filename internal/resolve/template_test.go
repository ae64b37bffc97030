package resolve_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
)

func withVariables(variables map[string]v1alpha1.VariableValue) changeSpec {
	return func(s *v1alpha1.OAuthCredentialSpec) { s.ProviderRef.Variables = variables }
}

func TestVariablesFillTheURLs(t *testing.T) {
	t.Parallel()
	plan := join(t, user(withVariables(map[string]v1alpha1.VariableValue{"realm": "acme", "id": "7~x"})),
		open(func(s *v1alpha1.OAuthProviderSpec) {
			s.TokenURL = "https://as.example/{realm}/{id}-{id}/token?r={realm}"
			s.AuthorizationURL = "https://as.example/{realm}/authorize"
			s.DeviceAuthorizationURL = "https://as.example/{realm}/device"
			s.RevocationURL = "https://{realm}.example/revoke"
		}))
	for got, want := range map[v1alpha1.EndpointURL]v1alpha1.EndpointURL{
		plan.Endpoint.TokenURL:               "https://as.example/acme/7~x-7~x/token?r=acme",
		plan.Endpoint.AuthorizationURL:       "https://as.example/acme/authorize",
		plan.Endpoint.DeviceAuthorizationURL: "https://as.example/acme/device",
		plan.Endpoint.RevocationURL:          "https://acme.example/revoke",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTheProviderIsNotChangedByItsUse(t *testing.T) {
	t.Parallel()
	provider := open(func(s *v1alpha1.OAuthProviderSpec) { s.Issuer, s.TokenURL = "https://as.example/{realm}", "" })
	join(t, user(withVariables(map[string]v1alpha1.VariableValue{"realm": "acme"})), provider)
	if provider.Spec.Issuer != "https://as.example/{realm}" {
		t.Errorf("its issuer is %s", provider.Spec.Issuer)
	}
}

func TestAMissingVariableIsNamed(t *testing.T) {
	t.Parallel()
	provider := open(func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL = "https://as.example/{realm}/{other}" })
	for name, change := range map[string]changeSpec{
		"among others": withVariables(map[string]v1alpha1.VariableValue{"other": "x"}),
		"of none":      unchanged[v1alpha1.OAuthCredentialSpec],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := resolve.Join(user(change), provider)
			expectText(t, expectReason(t, err, v1alpha1.ReasonIncompatibleProvider), "spec.providerRef.variables.realm", provider.String())
		})
	}
}

// TestNoTemplateInAHostThatGetsASecret repeats what the schema demands: a value that is
// allowed must not be able to choose the host.
func TestNoTemplateInAHostThatGetsASecret(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change changeProvider
		ok     bool
	}{
		"host of the token URL":      {func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL = "https://{v}.example/token" }, false},
		"port of the token URL":      {func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL = "https://as.example:{v}/token" }, false},
		"end of a host without path": {func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL = "https://as.example{v}" }, false},
		"scheme":                     {func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL = "{v}://as.example/token" }, false},
		"host of the issuer":         {func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL, s.Issuer = "", "https://{v}.example" }, false},
		"host of the revocation URL": {func(s *v1alpha1.OAuthProviderSpec) { s.RevocationURL = "https://{v}.example/revoke" }, false},
		"path":                       {func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL = "https://as.example/{v}" }, true},
		"path behind a double slash": {func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL = "https://as.example//{v}" }, true},
		"query of a host":            {func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL = "https://as.example?v={v}" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := resolve.Join(user(withVariables(map[string]v1alpha1.VariableValue{"v": "443"})),
				shared(func(s *v1alpha1.OAuthProviderSpec) {
					s.Allowed = &v1alpha1.Allowed{Variables: map[string]v1alpha1.VariableValues{"v": {"443"}}}
					test.change(s)
				}))
			if test.ok && err != nil {
				t.Error(err)
			}
			if !test.ok {
				expectText(t, expectReason(t, err, v1alpha1.ReasonIncompatibleProvider), "template in its host")
			}
		})
	}
}

// FuzzTemplate looks for a value of the schema's alphabet that leads a request to
// another host than the template says.
func FuzzTemplate(f *testing.F) {
	f.Add("/{v}/token", "acme")
	f.Add("?v={v}", "a.b")
	f.Add("//{v}", "evil.example")
	f.Add("/a{v}b{v}", "~")
	f.Add("?{", "0")
	f.Fuzz(func(t *testing.T, rest, value string) {
		if strings.Trim(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-") != "" ||
			value == "" || value[0] == '.' || !strings.HasPrefix(rest, "/") && !strings.HasPrefix(rest, "?") {
			t.Skip()
		}
		plan, err := resolve.Join(user(withVariables(map[string]v1alpha1.VariableValue{"v": v1alpha1.VariableValue(value)})),
			shared(func(s *v1alpha1.OAuthProviderSpec) {
				s.TokenURL = v1alpha1.EndpointURL("https://as.example" + rest)
				s.Allowed = &v1alpha1.Allowed{Variables: map[string]v1alpha1.VariableValues{"v": {v1alpha1.VariableValue(value)}}}
			}))
		if err != nil {
			return
		}
		if filled, err := url.Parse(string(plan.Endpoint.TokenURL)); err == nil && filled.Host != "as.example" {
			t.Errorf("%s with %q leads to %s", rest, value, filled.Host)
		}
	})
}
