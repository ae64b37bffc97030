package catalog

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
)

// loggingIn are the providers whose users log in, and what is in their authorization
// requests beside the standard.
var loggingIn = map[string]url.Values{
	"atlassian": {"prompt": {"consent"}}, "bitbucket": nil, "box": nil, "entra-id": nil, "gitlab": nil,
	"google": {"access_type": {"offline"}}, "hubspot": nil, "quickbooks": nil, "slack": nil, "syncplicity": nil,
	"syncronex": nil, "xero": nil,
}

// TestUsersLogIn: a provider with an authorization endpoint has all that a login takes, and
// no parameter that would be refused.
func TestUsersLogIn(t *testing.T) {
	compiler := expression.NewCompiler()
	for _, name := range providers(t) {
		t.Run(name, func(t *testing.T) {
			provider, example, s := load(t, name)
			parameters, logsIn := loggingIn[name]
			spec := &provider.Spec
			if declared := spec.AuthorizationURL != ""; declared != logsIn {
				t.Fatalf("it has an authorization endpoint: %t", declared)
			}
			if !logsIn {
				return
			}
			credential := example.DeepCopy()
			credential.Spec = v1alpha1.OAuthCredentialSpec{
				ProviderRef: example.Spec.ProviderRef, GrantType: v1alpha1.GrantAuthorizationCode, Scopes: []string{"a", "b"},
				Client: v1alpha1.Client{ID: "app", Authentication: v1alpha1.ClientAuthentication{Method: v1alpha1.ClientAuthenticationNone}},
			}
			plan, err := resolve.Join(credential, &resolve.Provider{
				Kind: v1alpha1.KindClusterOAuthProvider, Name: name, UID: "uid", Namespace: "tokensync-system", Spec: &spec.OAuthProviderSpec,
			})
			if err != nil {
				t.Fatal(err)
			}
			resolver := resolve.Resolver{
				Reader: secrets{t: t, s: s, credential: credential}, Expressions: compiler, Issuers: metadata{t: t, s: s}, Now: now,
			}
			checkLogin(t, resolver, plan, parameters)
			checkBeside(t, resolver, plan, spec)
		})
	}
}

// checkLogin checks where the browser is led.
func checkLogin(t *testing.T, resolver resolve.Resolver, plan *resolve.Plan, parameters url.Values) {
	t.Helper()
	found, err := resolver.Authorization(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	found.Request.State, found.Request.CodeChallenge = redact.New("state"), oauth.CodeChallenge(redact.New("verifier"))
	raw, err := found.Request.URL(false)
	if err != nil {
		t.Fatal(err)
	}
	query := mustURL(t, raw).Query()
	for _, standard := range []string{
		"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
	} {
		if !query.Has(standard) {
			t.Errorf("it lacks the parameter %s", standard)
		}
		query.Del(standard)
	}
	if query.Encode() != parameters.Encode() {
		t.Errorf("it has the parameters %v", query)
	}
}

// checkBeside checks the other endpoints, which are at the provider's own.
func checkBeside(t *testing.T, resolver resolve.Resolver, plan *resolve.Plan, spec *v1alpha1.ClusterOAuthProviderSpec) {
	t.Helper()
	device, err := resolver.DeviceAuthorization(t.Context(), plan)
	if byDevice := spec.DeviceAuthorizationURL != ""; (err == nil) != byDevice {
		t.Errorf("it has a device authorization endpoint: %t, %v", byDevice, err)
	}
	revocation, ok, err := resolver.Revocation(t.Context(), plan)
	if revokes := spec.RevocationURL != ""; err != nil || ok != revokes {
		t.Errorf("it has a revocation endpoint: %t, %t, %v", revokes, ok, err)
	}
	for _, endpoint := range []string{device.TokenURL, revocation.TokenURL} {
		if strings.ContainsAny(endpoint, "{}") {
			t.Errorf("%s has a template left", endpoint)
		}
	}
}

// TestWhatIsDeclaredIsAGrant: whoever reads an entry finds each grant that its endpoints are
// for.
func TestWhatIsDeclaredIsAGrant(t *testing.T) {
	for _, name := range providers(t) {
		provider, _, _ := load(t, name)
		grants := strings.FieldsFunc(provider.Annotations["tokensync.dev/catalog-grants"], func(r rune) bool { return r == ',' || r == ' ' })
		for grant, endpoint := range map[v1alpha1.GrantType]v1alpha1.EndpointURL{
			v1alpha1.GrantAuthorizationCode: provider.Spec.AuthorizationURL, v1alpha1.GrantDeviceCode: provider.Spec.DeviceAuthorizationURL,
		} {
			if endpoint != "" && !slices.Contains(grants, string(grant)) {
				t.Errorf("%s has an endpoint for %s, and does not list it", name, grant)
			}
		}
	}
}
