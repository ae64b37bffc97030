package conformance

import (
	"net/http"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
)

func TestClientCredentials(t *testing.T) {
	provider := start(t, false)
	client := newClient(t)
	t.Run("every method gets a token", func(t *testing.T) { methods(t, provider, client) })
	t.Run("a JWT of a resource", func(t *testing.T) { jwt(t, provider, client) })
	t.Run("a token expires", func(t *testing.T) { expiry(t, provider, client) })
	t.Run("every mistake is told apart", func(t *testing.T) { mistakes(t, provider, client) })
}

func methods(t *testing.T, provider *oidcprovider.Provider, client *oauth.Client) {
	t.Helper()
	for name, c := range map[string]struct {
		client oauth.ClientAuthentication
		scopes []string
		scope  string
	}{
		"client_secret_basic, form-encoded": {
			client: oauth.ClientAuthentication{Method: oauth.MethodClientSecretBasic, ID: "basic:client/1+2", Secret: redact.New(reserved)},
			scopes: []string{"read"}, scope: "read",
		},
		"client_secret_basic, form-encoded by name": {
			client: oauth.ClientAuthentication{
				Method: oauth.MethodClientSecretBasic, BasicEncoding: oauth.FormURLEncoded, ID: "plus", Secret: redact.New(plus),
			},
			scopes: []string{"read", "write"}, scope: "read write",
		},
		"client_secret_basic, raw, where that makes no difference": {
			client: oauth.ClientAuthentication{
				Method: oauth.MethodClientSecretBasic, BasicEncoding: oauth.Raw, ID: "plain", Secret: redact.New("simple"),
			},
		},
		"client_secret_post": {
			client: oauth.ClientAuthentication{Method: oauth.MethodClientSecretPost, ID: "post:client/1+2", Secret: redact.New(reserved)},
			scopes: []string{"read", "write"}, scope: "read write",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(provider)
			r.Client, r.Scopes = c.client, c.scopes
			answer, err := client.Token(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if answer.TokenType != "Bearer" || answer.Scope != c.scope {
				t.Errorf("answered type %q, scope %q", answer.TokenType, answer.Scope)
			}
			told, err := provider.Introspect(t.Context(), answer.AccessToken.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			if !told.Active || told.ClientID != c.client.ID || told.Scope != c.scope || told.Audience != opaqueResource {
				t.Errorf("the server knows the token as %+v", told)
			}
			token := expectLifetime(t, answer, 600*time.Second)
			if ends := time.Unix(told.Expires, 0); token.ExpiresAt.After(ends) {
				t.Errorf("we believe in the token until %s, the server until %s", token.ExpiresAt, ends)
			}
		})
	}
}

// expectLifetime reads the answer as the operator does.
func expectLifetime(t *testing.T, answer *oauth.Answer, want time.Duration) lifetime.Token {
	t.Helper()
	token, _, err := lifetime.Read(answer.Claims, lifetime.Rules{}, answer.Sent, answer.Received)
	if err != nil || token.Lifetime() != want {
		t.Errorf("the token lives %s, want %s (%v)", token.Lifetime(), want, err)
	}
	return token
}

func jwt(t *testing.T, provider *oidcprovider.Provider, client *oauth.Client) {
	t.Helper()
	r := request(provider)
	r.Resources = []string{jwtResource}
	answer, err := client.Token(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := provider.Verify(t.Context(), answer.AccessToken.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"aud": jwtResource, "iss": provider.Issuer, "client_id": r.Client.ID, "scope": "read",
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	issued, _ := claims["iat"].(float64)
	expires, _ := claims["exp"].(float64)
	if expires-issued != 30 {
		t.Errorf("it lives from %v to %v", issued, expires)
	}
	expectLifetime(t, answer, 30*time.Second)
}

func expiry(t *testing.T, provider *oidcprovider.Provider, client *oauth.Client) {
	t.Helper()
	r := request(provider)
	r.Resources = []string{briefResource}
	answer, err := client.Token(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	expectLifetime(t, answer, 2*time.Second)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		told, err := provider.Introspect(t.Context(), answer.AccessToken.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		if !told.Active {
			return
		}
	}
	t.Error("the token never expires")
}

// mistake changes a good request; want is what the server says of it.
type mistake struct {
	edit func(r *oauth.Request)
	want failure
}

func allMistakes() map[string]mistake {
	return map[string]mistake{
		"a wrong secret": {
			func(r *oauth.Request) { r.Client.Secret = redact.New("guess") }, rejected("invalid_client", http.StatusUnauthorized),
		},
		"a wrong secret in the body": {
			func(r *oauth.Request) {
				r.Client.Method, r.Client.Secret = oauth.MethodClientSecretPost, redact.New("guess")
			}, rejected("invalid_client", http.StatusUnauthorized),
		},
		"an unknown client": {
			func(r *oauth.Request) { r.Client.ID = "nobody" }, rejected("invalid_client", http.StatusUnauthorized),
		},
		"no secret where there must be one": {
			func(r *oauth.Request) { r.Client.Method = oauth.MethodNone }, rejected("invalid_client", http.StatusUnauthorized),
		},
		"a raw secret that is no form": {
			func(r *oauth.Request) {
				r.Client.ID, r.Client.BasicEncoding = "plain", oauth.Raw
			}, rejected("invalid_request", http.StatusBadRequest),
		},
		"a raw secret that is another one as a form": {
			func(r *oauth.Request) {
				r.Client = oauth.ClientAuthentication{
					Method: oauth.MethodClientSecretBasic, BasicEncoding: oauth.Raw, ID: "plus", Secret: redact.New(plus),
				}
			}, rejected("invalid_client", http.StatusUnauthorized),
		},
		"a scope that the client may not have": {
			func(r *oauth.Request) { r.Scopes = []string{"write"} }, rejected("invalid_scope", http.StatusBadRequest),
		},
		"a resource that nobody knows": {
			func(r *oauth.Request) { r.Resources = []string{"https://api.example.com/none"} }, rejected("invalid_target", http.StatusBadRequest),
		},
		"two resources": {
			func(r *oauth.Request) { r.Resources = []string{opaqueResource, jwtResource} }, rejected("invalid_target", http.StatusBadRequest),
		},
		"a grant that is not offered": {
			func(r *oauth.Request) { r.GrantType = "urn:example:grant" }, rejected("unsupported_grant_type", http.StatusBadRequest),
		},
		"a path that is not the token endpoint": {
			func(r *oauth.Request) { r.TokenURL += "s" },
			failure{oauth.KindInvalidResponse, string(lifetime.Protocol), "", http.StatusNotFound},
		},
	}
}

func mistakes(t *testing.T, provider *oidcprovider.Provider, client *oauth.Client) {
	t.Helper()
	for name, c := range allMistakes() {
		t.Run(name, func(t *testing.T) {
			r := request(provider)
			c.edit(&r)
			answer, err := client.Token(t.Context(), r)
			if err == nil {
				t.Fatalf("it got a token of type %s", answer.TokenType)
			}
			expectFailure(t, err, c.want)
		})
	}
}

func TestTLS(t *testing.T) {
	provider := start(t, true)
	client := newClient(t)
	r := request(provider)

	_, err := client.Token(t.Context(), r)
	expectFailure(t, err, failure{kind: oauth.KindUnreachable, class: string(lifetime.Transient)})

	r.CABundle = provider.CABundle
	answer, err := client.Token(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	told, err := provider.Introspect(t.Context(), answer.AccessToken.Reveal())
	if err != nil || !told.Active || told.ClientID != r.Client.ID {
		t.Errorf("the server knows the token as %+v (%v)", told, err)
	}

	r.CABundle = start(t, true).CABundle
	_, err = client.Token(t.Context(), r)
	expectFailure(t, err, failure{kind: oauth.KindUnreachable, class: string(lifetime.Transient)})
}
