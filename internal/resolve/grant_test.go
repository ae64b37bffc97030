package resolve_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

// requested resolves a credential with a grant, at an endpoint or an issuer.
func requested(t *testing.T, reader *objects, change changeSpec) (oauth.Request, error) {
	t.Helper()
	known := &issuers{metadata: oauth.Metadata{TokenEndpoint: "https://as.example/discovered"}}
	resolved, err := resolver(reader, known).Resolve(t.Context(), join(t, credential(change), nil))
	return resolved.Request, err
}

func TestJWTBearer(t *testing.T) {
	t.Parallel()
	reader := namespace().with(tenant, "key", "1", map[string]string{"pem": pemKey(t)})
	request, err := requested(t, reader, func(s *v1alpha1.OAuthCredentialSpec) {
		s.GrantType = v1alpha1.GrantJWTBearer
		s.JWTBearer = &v1alpha1.JWTBearer{
			PrivateKeyRef: ref("key", "pem"), Issuer: "iss", Subject: "sub", Audience: "aud", Algorithm: "ES256", KeyID: "kid",
			Lifetime: &metav1.Duration{Duration: time.Minute},
			Claims:   map[string]v1alpha1.Expression{"scope": "'a b'", "who": "client.id", "none": "null", "year": "now.getFullYear()"},
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	a := request.Assertion
	if a == nil || a.Key == nil || a.Issuer != "iss" || a.Subject != "sub" || a.Audience != "aud" || a.Algorithm != "ES256" ||
		a.KeyID != "kid" || a.Lifetime != time.Minute {
		t.Errorf("got %+v", a)
	}
	if len(a.Claims) != 3 || a.Claims["scope"] != "a b" || a.Claims["who"] != "me" || a.Claims["year"] != int64(2026) {
		t.Errorf("got the claims %v", a.Claims)
	}
	if request.GrantType != string(v1alpha1.GrantJWTBearer) || len(request.Grant) != 0 {
		t.Errorf("got the grant %s with %d parameters", request.GrantType, len(request.Grant))
	}
}

// TestWhatAssertionsAreFor: the issuer where there is one, else the token URL, which the
// client fills in for an empty audience.
func TestWhatAssertionsAreFor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		issuer        v1alpha1.EndpointURL
		client, grant string
		want, granted string
	}{
		"at a token URL":                {"", "", "", "", ""},
		"at an issuer":                  {"https://as.example/realm", "", "", "https://as.example/realm", "https://as.example/realm"},
		"at an issuer, for something":   {"https://as.example/realm", "c", "g", "c", "g"},
		"at a token URL, for something": {"", "c", "g", "c", "g"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader := namespace().with(tenant, "client", "1", map[string]string{"key": pemKey(t)})
			request, err := requested(t, reader, func(s *v1alpha1.OAuthCredentialSpec) {
				if test.issuer != "" {
					s.Provider.TokenURL, s.Provider.Issuer = "", test.issuer
				}
				s.Client = clients()["private key"]
				s.Provider.ClientAuthentication.Assertion = &v1alpha1.ClientAssertion{Audience: test.client}
				s.JWTBearer = &v1alpha1.JWTBearer{PrivateKeyRef: ref("client", "key"), Audience: test.grant}
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := request.Client.Audience; got != test.want {
				t.Errorf("the client's is for %q, want %q", got, test.want)
			}
			if got := request.Assertion.Audience; got != test.granted {
				t.Errorf("the grant's is for %q, want %q", got, test.granted)
			}
			if request.Assertion.Issuer != "" || request.Client.ID != "me" {
				t.Error("its issuer is not left to the client's id")
			}
		})
	}
}

func TestTokensOfServiceAccountsInGrants(t *testing.T) {
	t.Parallel()
	robot := &v1alpha1.ServiceAccountToken{Name: "robot", Audience: "api"}
	reader := namespace()
	request, err := requested(t, reader, func(s *v1alpha1.OAuthCredentialSpec) {
		s.JWTBearer = &v1alpha1.JWTBearer{ServiceAccount: robot}
	})
	if err != nil || request.Assertion != nil {
		t.Errorf("got an assertion to sign, or %v", err)
	}
	expectFields(t, request.Grant, map[string]string{"assertion": "a.b.c"})
	request, err = requested(t, reader, func(s *v1alpha1.OAuthCredentialSpec) {
		s.TokenExchange = &v1alpha1.TokenExchange{SubjectToken: v1alpha1.TokenSource{ServiceAccount: robot}, SubjectTokenType: "jwt"}
	})
	if err != nil {
		t.Error(err)
	}
	expectFields(t, request.Grant, map[string]string{"subject_token": "a.b.c", "subject_token_type": "jwt"})
	if len(reader.accounts) != 2 || reader.accounts[0] != "web/robot" || reader.accounts[1] != "web/robot" {
		t.Errorf("asked for tokens of %v", reader.accounts)
	}
}

func TestTokenExchange(t *testing.T) {
	t.Parallel()
	exchange := &v1alpha1.TokenExchange{
		SubjectToken: v1alpha1.TokenSource{SecretKeyRef: ref("client", "app")}, SubjectTokenType: "s",
		ActorToken: &v1alpha1.TokenSource{SecretKeyRef: ref("client", "id")}, ActorTokenType: "a", RequestedTokenType: "r",
	}
	change := func(s *v1alpha1.OAuthCredentialSpec) { s.TokenExchange = exchange }
	request, err := requested(t, namespace(), change)
	if err != nil {
		t.Fatal(err)
	}
	expectFields(t, request.Grant, map[string]string{
		"subject_token": "app-token", "subject_token_type": "s", "actor_token": "me", "actor_token_type": "a", "requested_token_type": "r",
	})
	reader := namespace().with(tenant, "client", "7", map[string]string{"id": "me", "secret": "s3cret"})
	_, err = requested(t, reader, change)
	expectProblem(t, "no subject token", err, resolve.KeyMissing)
	exchange.SubjectToken.SecretKeyRef, exchange.ActorToken.SecretKeyRef = ref("client", "id"), ref("client", "app")
	_, err = requested(t, reader, change)
	expectProblem(t, "no actor token", err, resolve.KeyMissing)
	expectText(t, err.Error(), "spec.tokenExchange.actorToken.secretKeyRef")
}

func TestPassword(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		password v1alpha1.Password
		want     map[string]string
	}{
		"by name":      {v1alpha1.Password{Username: "anna", PasswordRef: *ref("client", "app")}, map[string]string{"username": "anna", "password": "app-token"}},
		"by reference": {v1alpha1.Password{UsernameRef: ref("client", "id"), PasswordRef: *ref("client", "app")}, map[string]string{"username": "me", "password": "app-token"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request, err := requested(t, namespace(), func(s *v1alpha1.OAuthCredentialSpec) { s.Password = &test.password })
			if err != nil {
				t.Fatal(err)
			}
			expectFields(t, request.Grant, test.want)
		})
	}
	for field, password := range map[string]v1alpha1.Password{
		"spec.password.usernameRef": {UsernameRef: ref("client", "nobody"), PasswordRef: *ref("client", "app")},
		"spec.password.passwordRef": {Username: "anna", PasswordRef: *ref("client", "nothing")},
	} {
		_, err := requested(t, namespace(), func(s *v1alpha1.OAuthCredentialSpec) { s.Password = &password })
		expectProblem(t, field, err, resolve.KeyMissing)
		expectText(t, err.Error(), field)
	}
}
