package resolve_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

// The endpoints that an issuer's metadata name.
const (
	discoveredToken         = "https://as.example/discovered/token"
	discoveredAuthorization = "https://as.example/discovered/authorize"
	discoveredDevice        = "https://as.example/discovered/device"
	discoveredRevocation    = "https://as.example/discovered/revoke"
)

// known is an issuer with all endpoints.
func known(change func(*oauth.Metadata)) *issuers {
	found := &issuers{metadata: oauth.Metadata{
		Issuer: "https://as.example", TokenEndpoint: discoveredToken, AuthorizationEndpoint: discoveredAuthorization,
		DeviceAuthorizationEndpoint: discoveredDevice, RevocationEndpoint: discoveredRevocation,
		AuthorizationResponseIssParameterSupported: true,
	}}
	change(&found.metadata)
	return found
}

// toLogIn is a credential of a client of its own that begins with a login.
func toLogIn(change changeSpec) *v1alpha1.OAuthCredential {
	return user(func(s *v1alpha1.OAuthCredentialSpec) {
		s.GrantType = v1alpha1.GrantAuthorizationCode
		s.Client = clients()["secret"]
		asking(s)
		change(s)
	})
}

// endpoints declares the endpoints beside that for tokens.
func endpoints(s *v1alpha1.OAuthProviderSpec) {
	s.AuthorizationURL = "https://as.example/authorize"
	s.DeviceAuthorizationURL = "https://as.example/device"
	s.RevocationURL = "https://as.example/revoke"
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	reader := namespace()
	plan := join(t, toLogIn(func(s *v1alpha1.OAuthCredentialSpec) {
		s.AuthorizationCode = &v1alpha1.AuthorizationCode{
			RedirectURI: "http://localhost:8400/callback",
			Parameters:  map[string]v1alpha1.AuthorizationParameter{"prompt": "login", "login_hint": "anna"},
		}
	}), open(func(s *v1alpha1.OAuthProviderSpec) {
		endpoints(s)
		s.Request.ScopeSeparator = ","
		s.AuthorizationParameters = map[string]v1alpha1.AuthorizationParameter{"access_type": "offline", "prompt": "consent"}
	}))
	found, err := resolver(reader, &issuers{}).Authorization(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	request := found.Request
	if request.AuthorizationURL != "https://as.example/authorize" || request.RedirectURI != "http://localhost:8400/callback" ||
		request.ClientID != "me" || request.ScopeSeparator != "," {
		t.Errorf("wrong request: %+v", request)
	}
	if !slices.Equal(request.Scopes, []string{"read"}) || !slices.Equal(request.Audiences, []string{"api"}) || !slices.Equal(request.Resources, []string{"urn:x"}) {
		t.Errorf("asks for %v, %v and %v", request.Scopes, request.Audiences, request.Resources)
	}
	expectFields(t, request.Parameters, map[string]string{"access_type": "offline", "prompt": "login", "login_hint": "anna"})
	if found.TokenURL != "https://as.example/token" || found.Issuer != "" || found.IssuerRequired {
		t.Errorf("got %+v", found)
	}
	if got := plan.Endpoint.AuthorizationParameters["prompt"]; got != "consent" {
		t.Errorf("the provider's own parameter has become %s", got)
	}
	if again, err := resolver(reader, &issuers{}).Authorization(t.Context(), plan); err != nil || !slices.EqualFunc(again.Request.Parameters,
		request.Parameters, func(a, b oauth.Field) bool { return a.Name == b.Name }) {
		t.Errorf("the parameters have no stable order: %v", err)
	}
}

// TestALoginNeedsNoSecret: who may log in may not be who may read the client's secret.
func TestALoginNeedsNoSecret(t *testing.T) {
	t.Parallel()
	plan := join(t, toLogIn(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Client = v1alpha1.Client{ID: "me", SecretRef: ref("nowhere", "secret")}
	}), open(endpoints))
	reader := namespace()
	found, err := resolver(reader, &issuers{}).Authorization(t.Context(), plan)
	if err != nil || reader.reads != 0 {
		t.Errorf("after %d reads: %v", reader.reads, err)
	}
	if found.Request.RedirectURI != "http://127.0.0.1/callback" {
		t.Errorf("the browser comes back to %s", found.Request.RedirectURI)
	}
}

func TestTheAuthorizationEndpointOfAnIssuer(t *testing.T) {
	t.Parallel()
	plan := join(t, toLogIn(unchanged), open(atIssuer("https://as.example")))
	found, err := resolver(namespace(), known(unchanged)).Authorization(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if found.Request.AuthorizationURL != discoveredAuthorization || found.TokenURL != discoveredToken ||
		found.Issuer != "https://as.example" || !found.IssuerRequired {
		t.Errorf("got %+v", found)
	}
	plan = join(t, toLogIn(unchanged), open(func(s *v1alpha1.OAuthProviderSpec) {
		atIssuer("https://as.example")(s)
		endpoints(s)
	}))
	if found, err = resolver(namespace(), known(unchanged)).Authorization(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if found.Request.AuthorizationURL != "https://as.example/authorize" || found.TokenURL != discoveredToken {
		t.Errorf("what is declared does not count: %+v", found)
	}
}

func TestAProviderThatLacksAnEndpoint(t *testing.T) {
	t.Parallel()
	without := known(func(m *oauth.Metadata) {
		m.AuthorizationEndpoint, m.DeviceAuthorizationEndpoint, m.RevocationEndpoint = "", "", ""
	})
	for field, change := range map[string]changeSpec{
		"authorizationURL":       func(s *v1alpha1.OAuthCredentialSpec) { s.GrantType = v1alpha1.GrantAuthorizationCode },
		"deviceAuthorizationURL": func(s *v1alpha1.OAuthCredentialSpec) { s.GrantType = v1alpha1.GrantDeviceCode },
		"revocationURL": func(s *v1alpha1.OAuthCredentialSpec) {
			s.GrantType, s.RevocationPolicy = v1alpha1.GrantRefreshToken, v1alpha1.RevocationOnDelete
		},
	} {
		_, err := resolve.Join(toLogIn(change), open(unchanged))
		expectText(t, expectReason(t, err, v1alpha1.ReasonIncompatibleProvider), "spec."+field+" of the", "issuer")
	}
	plan := join(t, toLogIn(unchanged), open(atIssuer("https://as.example")))
	r := resolver(namespace(), &issuers{metadata: without.metadata})
	_, err := r.Authorization(t.Context(), plan)
	expectText(t, expectReason(t, err, v1alpha1.ReasonIncompatibleProvider), "spec.authorizationURL of the", "issuer")
	_, err = r.DeviceAuthorization(t.Context(), plan)
	expectText(t, expectReason(t, err, v1alpha1.ReasonIncompatibleProvider), "spec.deviceAuthorizationURL of the", "issuer")
	if _, ok, err := r.Revocation(t.Context(), plan); ok || err != nil {
		t.Errorf("there is a revocation endpoint: %t, %v", ok, err)
	}
}

// TestNoEndpointElsewhereGetsTheSecretOfAProvider: metadata may not lead it to a host that
// the provider's administrator has not named, whichever endpoint that is.
func TestNoEndpointElsewhereGetsTheSecretOfAProvider(t *testing.T) {
	t.Parallel()
	elsewhere := "https://evil.example/endpoint"
	shift := map[string]func(*oauth.Metadata){
		"token":      func(m *oauth.Metadata) { m.TokenEndpoint = elsewhere },
		"device":     func(m *oauth.Metadata) { m.DeviceAuthorizationEndpoint = elsewhere },
		"revocation": func(m *oauth.Metadata) { m.RevocationEndpoint = elsewhere },
	}
	provider := func(allowed ...string) *resolve.Provider {
		return shared(func(s *v1alpha1.OAuthProviderSpec) {
			atIssuer("https://as.example")(s)
			s.AllowedAuthorities = allowed
			s.Allowed = &v1alpha1.Allowed{GrantTypes: []v1alpha1.GrantType{v1alpha1.GrantAuthorizationCode}}
		})
	}
	tenants := user(func(s *v1alpha1.OAuthCredentialSpec) { s.GrantType = v1alpha1.GrantAuthorizationCode })
	for name, change := range shift {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := resolver(namespace(), known(change))
			plan := join(t, tenants, provider())
			if _, err := r.Authorization(t.Context(), plan); name == "token" {
				expectReason(t, err, v1alpha1.ReasonIncompatibleProvider)
			}
			_, device := r.DeviceAuthorization(t.Context(), plan)
			_, _, revocation := r.Revocation(t.Context(), plan)
			if name != "revocation" {
				expectReason(t, device, v1alpha1.ReasonIncompatibleProvider)
			}
			if name != "device" {
				expectReason(t, revocation, v1alpha1.ReasonIncompatibleProvider)
			}
			plan = join(t, tenants, provider("evil.example"))
			_, device = r.DeviceAuthorization(t.Context(), plan)
			_, _, revocation = r.Revocation(t.Context(), plan)
			if device != nil || revocation != nil {
				t.Errorf("an allowed host is refused: %v and %v", device, revocation)
			}
		})
	}
	found, err := resolver(namespace(), known(unchanged)).Authorization(t.Context(), join(t, tenants, provider()))
	if err != nil || found.Request.ClientID != "us" {
		t.Errorf("got %+v, %v", found, err)
	}
	// A browser is led there, without any secret.
	plan := join(t, tenants, provider())
	found, err = resolver(namespace(), known(func(m *oauth.Metadata) { m.AuthorizationEndpoint = elsewhere })).Authorization(t.Context(), plan)
	if err != nil || found.Request.AuthorizationURL != elsewhere {
		t.Errorf("got %+v, %v", found, err)
	}
}

// TestAnIssuerThatDoesNotAnswer is the provider's trouble, and no mistake in a spec.
func TestAnIssuerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	away := &issuers{err: &oauth.Error{Kind: oauth.KindUnreachable}}
	plan := join(t, toLogIn(unchanged), open(atIssuer("https://as.example")))
	r := resolver(namespace(), away)
	_, authorization := r.Authorization(t.Context(), plan)
	_, device := r.DeviceAuthorization(t.Context(), plan)
	_, _, revocation := r.Revocation(t.Context(), plan)
	for name, err := range map[string]error{"authorization": authorization, "device": device, "revocation": revocation} {
		if !errors.Is(err, away.err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestEndpointsHaveVariables, as the token URL has.
func TestEndpointsHaveVariables(t *testing.T) {
	t.Parallel()
	c := toLogIn(realm("acme"))
	plan := join(t, c, open(func(s *v1alpha1.OAuthProviderSpec) {
		s.AuthorizationURL, s.DeviceAuthorizationURL = "https://as.example/{realm}/authorize", "https://as.example/{realm}/device"
		s.RevocationURL = "https://as.example/{realm}/revoke"
	}))
	r := resolver(namespace(), &issuers{})
	found, err := r.Authorization(t.Context(), plan)
	if err != nil || found.Request.AuthorizationURL != "https://as.example/acme/authorize" {
		t.Errorf("the browser goes to %+v: %v", found, err)
	}
	device, err := r.DeviceAuthorization(t.Context(), plan)
	if err != nil || device.TokenURL != "https://as.example/acme/device" {
		t.Errorf("the device authorization asks %s: %v", device.TokenURL, err)
	}
	revocation, _, err := r.Revocation(t.Context(), plan)
	if err != nil || revocation.TokenURL != "https://as.example/acme/revoke" {
		t.Errorf("the revocation asks %s: %v", revocation.TokenURL, err)
	}
}
