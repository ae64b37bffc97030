package resolve_test

import (
	"slices"
	"testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/redact"
)

func TestDeviceAuthorization(t *testing.T) {
	t.Parallel()
	plan := join(t, toLogIn(func(s *v1alpha1.OAuthCredentialSpec) { s.GrantType = v1alpha1.GrantDeviceCode }), open(endpoints))
	request, err := resolver(namespace(), &issuers{}).DeviceAuthorization(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if request.TokenURL != "https://as.example/device" || request.GrantType != "" || len(request.Grant) != 0 {
		t.Errorf("asks %s with the grant type %q", request.TokenURL, request.GrantType)
	}
	if !slices.Equal(request.Scopes, []string{"read"}) || !slices.Equal(request.Audiences, []string{"api"}) {
		t.Errorf("asks for %v and %v", request.Scopes, request.Audiences)
	}
	if request.Client.ID != "me" || request.Client.Secret.Reveal() != "s3cret" {
		t.Error("the client does not authenticate")
	}
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	for _, c := range []*v1alpha1.OAuthCredential{
		toLogIn(unchanged),
		toLogIn(func(s *v1alpha1.OAuthCredentialSpec) { s.GrantType = v1alpha1.GrantClientCredentials }),
		toLogIn(func(s *v1alpha1.OAuthCredentialSpec) {
			s.GrantType, s.Password = v1alpha1.GrantPassword, &v1alpha1.Password{Username: "anna", PasswordRef: *ref("client", "app")}
		}),
	} {
		request, ok, err := resolver(namespace(), &issuers{}).Revocation(t.Context(), join(t, c, open(endpoints)))
		if err != nil || !ok {
			t.Fatalf("%s: %t, %v", c.Spec.GrantType, ok, err)
		}
		if request.TokenURL != "https://as.example/revoke" || request.GrantType != "" || request.Grant != nil || request.Assertion != nil {
			t.Errorf("%s: asks %s with a grant", c.Spec.GrantType, request.TokenURL)
		}
		if request.Client.Secret.Reveal() != "s3cret" {
			t.Errorf("%s: the client does not authenticate", c.Spec.GrantType)
		}
	}
}

// TestWhatAssertionsToOtherEndpointsAreFor: the authorization server, which is known by
// its issuer, else by its token endpoint (RFC 7523 section 3).
func TestWhatAssertionsToOtherEndpointsAreFor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change   changeProvider
		audience string
		want     string
	}{
		"at a token URL":   {endpoints, "", "https://as.example/token"},
		"at an issuer":     {atIssuer("https://as.example"), "", "https://as.example"},
		"for something":    {endpoints, "urn:them", "urn:them"},
		"an issuer's, too": {atIssuer("https://as.example"), "urn:them", "urn:them"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := join(t, toLogIn(unchanged), open(func(s *v1alpha1.OAuthProviderSpec) {
				test.change(s)
				s.ClientAuthentication.Assertion = &v1alpha1.ClientAssertion{Audience: test.audience}
			}))
			r := resolver(namespace(), known(unchanged))
			device, err := r.DeviceAuthorization(t.Context(), plan)
			if err != nil || device.Client.Audience != test.want {
				t.Errorf("the device authorization: for %q, want %q: %v", device.Client.Audience, test.want, err)
			}
			revocation, _, err := r.Revocation(t.Context(), plan)
			if err != nil || revocation.Client.Audience != test.want {
				t.Errorf("the revocation: for %q, want %q: %v", revocation.Client.Audience, test.want, err)
			}
		})
	}
}

// TestNoRefreshTokenIsSentElsewhere: a header that is made of it belongs to the token
// endpoint.
func TestNoRefreshTokenIsSentElsewhere(t *testing.T) {
	t.Parallel()
	c := user(func(s *v1alpha1.OAuthCredentialSpec) {
		refreshing(s)
		s.ProviderRef.Variables = map[string]v1alpha1.VariableValue{"token_id": "3d5b"}
	})
	plan := join(t, c, open(func(s *v1alpha1.OAuthProviderSpec) {
		synqly(s)
		endpoints(s)
	}))
	request, _, err := resolver(namespace().with(tenant, "bootstrap", "1", map[string]string{"token": "r3fresh"}), &issuers{}).Revocation(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range request.Secrets() {
		if secret.Equal(redact.New("r3fresh")) {
			t.Error("the first refresh token is in the request")
		}
	}
	expectFields(t, request.Headers, map[string]string{"Authorization": "Bearer "})
}
