package conformance

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
)

const (
	deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"
	redirectURI = "http://127.0.0.1:8400/callback"

	// consented is a credential whose grant a person begins, as its provider wants it:
	// refresh tokens are for those that ask for offline access.
	consented = `provider: {issuer: "${ISSUER}"}
client: {id: app, secretRef: {name: app, key: client_secret}}
scopes: [openid, offline_access, read]
`
	byCode = consented + `grantType: authorization_code
authorizationCode: {redirectURI: "http://127.0.0.1/callback", parameters: {prompt: consent}}
`
	byDevice = consented + "grantType: " + deviceGrant + "\n"
)

// startPeople runs a server on which people log in.
func startPeople(t *testing.T, resources ...oidcprovider.Resource) *oidcprovider.Provider {
	t.Helper()
	return startWith(t, oidcprovider.Options{
		People: true,
		Clients: []oidcprovider.Client{{
			ID: "app", Secret: reserved, Method: "client_secret_basic",
			Grants:       []string{"authorization_code", "refresh_token", deviceGrant},
			RedirectURIs: []string{"http://127.0.0.1/callback"},
		}},
		Resources: resources,
	})
}

// longResource is one whose tokens live as long as a test, and more.
func longResource() oidcprovider.Resource {
	return oidcprovider.Resource{Identifier: opaqueResource, Scopes: []string{"read", "write"}, Seconds: 600}
}

// plan is that of a credential.
func (n *namespace) plan(t *testing.T, spec string) (*resolve.Plan, resolve.Resolver) {
	t.Helper()
	plan, err := resolve.Join(n.credential(t, spec), nil)
	if err != nil {
		t.Fatal(err)
	}
	return plan, n.resolver()
}

// logIn has a person consent to what a credential asks for, and exchanges the code.
func (n *namespace) logIn(t *testing.T, spec string, p *person) (query url.Values, login resolve.Grant, state redact.String) {
	t.Helper()
	plan, resolver := n.plan(t, spec)
	asked, err := resolver.Authorization(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if asked.Issuer != n.server.Issuer || !asked.IssuerRequired || asked.TokenURL != n.server.TokenURL {
		t.Errorf("what is known of the server is %+v", asked)
	}
	if login.Verifier, err = oauth.NewCodeVerifier(rand.Reader); err != nil {
		t.Fatal(err)
	}
	if state, err = oauth.NewState(rand.Reader); err != nil {
		t.Fatal(err)
	}
	request := asked.Request
	request.RedirectURI, request.State, request.CodeChallenge = redirectURI, state, oauth.CodeChallenge(login.Verifier)
	login.RedirectURI = redirectURI
	page, err := request.URL(true)
	if err != nil {
		t.Fatal(err)
	}
	query, text := p.visit(t.Context(), page)
	if query == nil {
		t.Fatalf("the person is left with\n%s", text)
	}
	return query, login, state
}

// exchange asks for the token of a grant.
func (n *namespace) exchange(t *testing.T, spec string, login resolve.Grant) (*oauth.Answer, error) {
	t.Helper()
	plan, resolver := n.plan(t, spec)
	resolved, err := resolver.ResolveWith(t.Context(), plan, login)
	if err != nil {
		t.Fatal(err)
	}
	resolved.Request.Timeout = 30 * time.Second
	return n.client.Token(t.Context(), resolved.Request)
}

// withPeople is a namespace of a server on which people log in.
func withPeople(t *testing.T) *namespace {
	t.Helper()
	n := newNamespace(t, startPeople(t, longResource()))
	n.secrets["app"] = map[string]string{"client_secret": reserved}
	return n
}

func TestAPersonConsentsInABrowser(t *testing.T) {
	n := withPeople(t)
	spec := byCode
	expected := func(state redact.String) oauth.Expectation {
		return oauth.Expectation{State: state, Issuer: n.server.Issuer, IssuerRequired: true}
	}
	query, login, state := n.logIn(t, spec, newPerson(t))
	var err error
	if login.Code, err = oauth.ParseCallback(query, expected(state)); err != nil {
		t.Fatal(err)
	}
	answer, err := n.exchange(t, spec, login)
	if err != nil {
		t.Fatal(err)
	}
	if told := n.introspect(t, answer); told.Person != "jane" || told.ClientID != "app" || told.Scope != "read" {
		t.Errorf("the server knows the token as %+v", told)
	}
	expectLifetime(t, answer, 600*time.Second)

	t.Run("and the refresh token rotates", func(t *testing.T) { rotates(t, n, spec, answer) })
	t.Run("and a code is good once", func(t *testing.T) {
		_, err := n.exchange(t, spec, login)
		expectRefusedGrant(t, err)
	})
	t.Run("or somebody else has the code", func(t *testing.T) {
		query, login, state := n.logIn(t, spec, newPerson(t))
		if login.Code, err = oauth.ParseCallback(query, expected(state)); err != nil {
			t.Fatal(err)
		}
		if login.Verifier, err = oauth.NewCodeVerifier(rand.Reader); err != nil {
			t.Fatal(err)
		}
		_, err := n.exchange(t, spec, login)
		expectRefusedGrant(t, err)
	})
	t.Run("or declines", func(t *testing.T) {
		p := newPerson(t)
		p.declines = true
		query, _, state := n.logIn(t, spec, p)
		_, err := oauth.ParseCallback(query, expected(state))
		expectFailure(t, err, failure{kind: oauth.KindRejected, class: string(lifetime.Authorization), code: "access_denied"})
	})
	t.Run("or the answer is of another server", func(t *testing.T) {
		query, _, state := n.logIn(t, spec, newPerson(t))
		_, err := oauth.ParseCallback(query, oauth.Expectation{State: state, Issuer: "https://elsewhere.example.com", IssuerRequired: true})
		expectFailure(t, err, failure{kind: oauth.KindInvalidResponse, class: string(lifetime.Authorization)})
	})
}

// rotates uses the refresh tokens of a grant, and then one for a second time.
func rotates(t *testing.T, n *namespace, spec string, answer *oauth.Answer) {
	t.Helper()
	seen := []string{answer.RefreshToken.Reveal()}
	for range 3 {
		var err error
		if answer, err = n.exchange(t, spec, resolve.Grant{RefreshToken: answer.RefreshToken}); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(seen, answer.RefreshToken.Reveal()) || answer.RefreshToken.IsEmpty() {
			t.Fatal("there is no new refresh token")
		}
		seen = append(seen, answer.RefreshToken.Reveal())
	}
	_, err := n.exchange(t, spec, resolve.Grant{RefreshToken: redact.New(seen[0])})
	expectRefusedGrant(t, err)
	counts, err := n.server.Counts()
	if err != nil || counts != (oidcprovider.Counts{Refreshed: 3, Reused: 1, Revoked: 1}) {
		t.Errorf("the server has counted %+v (%v)", counts, err)
	}
	_, err = n.exchange(t, spec, resolve.Grant{RefreshToken: answer.RefreshToken})
	expectRefusedGrant(t, err)
}

// expectRefusedGrant wants an error that ends a grant.
func expectRefusedGrant(t *testing.T, err error) {
	t.Helper()
	expectFailure(t, err, rejected("invalid_grant", http.StatusBadRequest))
	if failed, ok := errors.AsType[*oauth.Error](err); !ok || !failed.GrantRefused || failed.Undecided {
		t.Errorf("the grant is not taken for refused: %+v", err)
	}
}

func TestAPersonEntersACode(t *testing.T) {
	n := withPeople(t)
	spec := byDevice
	begin := func() *oauth.DeviceAuthorization {
		t.Helper()
		plan, resolver := n.plan(t, spec)
		request, err := resolver.DeviceAuthorization(t.Context(), plan)
		if err != nil {
			t.Fatal(err)
		}
		request.Timeout = 30 * time.Second
		device, err := n.client.DeviceAuthorization(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		return device
	}
	device := begin()
	if device.ExpiresIn != 600*time.Second || !strings.HasPrefix(device.VerificationURI, n.server.Issuer+"/") {
		t.Errorf("the code is %+v", device)
	}
	_, err := n.exchange(t, spec, resolve.Grant{DeviceCode: device.DeviceCode})
	expectFailure(t, err, failure{kind: oauth.KindPending, class: string(lifetime.Authorization), code: "authorization_pending", status: http.StatusBadRequest})
	if _, text := newPerson(t).visit(t.Context(), device.VerificationURIComplete); !strings.Contains(text, "was successful") {
		t.Fatalf("the person is left with\n%s", text)
	}
	answer, err := n.exchange(t, spec, resolve.Grant{DeviceCode: device.DeviceCode})
	if err != nil {
		t.Fatal(err)
	}
	if told := n.introspect(t, answer); told.Person != "jane" || answer.RefreshToken.IsEmpty() {
		t.Errorf("the server knows the token as %+v", told)
	}

	t.Run("once", func(t *testing.T) {
		_, err := n.exchange(t, spec, resolve.Grant{DeviceCode: device.DeviceCode})
		expectRefusedGrant(t, err)
	})
	t.Run("or declines", func(t *testing.T) {
		device, p := begin(), newPerson(t)
		p.declines = true
		p.visit(t.Context(), device.VerificationURIComplete)
		_, err := n.exchange(t, spec, resolve.Grant{DeviceCode: device.DeviceCode})
		if failed, ok := errors.AsType[*oauth.Error](err); !ok || failed.Code != "access_denied" {
			t.Errorf("the answer is %v", err)
		}
	})
}

func TestTokensAreRevoked(t *testing.T) {
	n := withPeople(t)
	spec := byCode
	begin := func() *oauth.Answer {
		t.Helper()
		query, login, _ := n.logIn(t, spec, newPerson(t))
		login.Code = redact.New(query.Get("code"))
		answer, err := n.exchange(t, spec, login)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	revoke := func(token redact.String, hint string) {
		t.Helper()
		plan, resolver := n.plan(t, spec)
		request, ok, err := resolver.Revocation(t.Context(), plan)
		if err != nil || !ok {
			t.Fatalf("there is no revocation endpoint: %v", err)
		}
		request.Timeout = 30 * time.Second
		if err := n.client.Revoke(t.Context(), request, token, hint); err != nil {
			t.Fatal(err)
		}
	}
	answer := begin()
	revoke(answer.AccessToken, "access_token")
	if told := n.introspect(t, answer); told.Active {
		t.Error("the access token is still good")
	}
	answer = begin()
	revoke(answer.RefreshToken, "refresh_token")
	if told := n.introspect(t, answer); told.Active {
		t.Error("the access token outlives the refresh token")
	}
	_, err := n.exchange(t, spec, resolve.Grant{RefreshToken: answer.RefreshToken})
	expectRefusedGrant(t, err)
	revoke(redact.New("nobody's"), "refresh_token")
}
