package conformance

import (
	"crypto/rand"
	"errors"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/egress"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
)

const (
	// reserved needs form encoding, and cannot be decoded when it had none.
	reserved = "s:e/c+r=e%t &?"
	// plus is still a good form without encoding, but another secret.
	plus = "a+b"

	opaqueResource = "urn:tokensync:test"
	jwtResource    = "https://api.example.com/jwt"
	briefResource  = "https://api.example.com/brief"
)

// start runs the server with the clients and resources of these tests.
func start(t *testing.T, tls bool) *oidcprovider.Provider {
	t.Helper()
	return startWith(t, oidcprovider.Options{
		TLS: tls,
		Clients: []oidcprovider.Client{
			{ID: "basic:client/1+2", Secret: reserved, Method: "client_secret_basic", Scopes: []string{"read"}},
			{ID: "plus", Secret: plus, Method: "client_secret_basic"},
			{ID: "plain", Secret: "simple", Method: "client_secret_basic"},
			{ID: "post:client/1+2", Secret: reserved, Method: "client_secret_post", Scopes: []string{"read", "write"}},
		},
		Resources: []oidcprovider.Resource{
			{Identifier: opaqueResource, Scopes: []string{"read", "write"}, Seconds: 600},
			{Identifier: jwtResource, Scopes: []string{"read"}, Seconds: 30, JWT: true},
			{Identifier: briefResource, Scopes: []string{"read"}, Seconds: 2},
		},
	})
}

// startWith runs the server until the test ends.
func startWith(t *testing.T, options oidcprovider.Options) *oidcprovider.Provider {
	t.Helper()
	provider, err := oidcprovider.Start(t.Context(), options)
	if err != nil {
		t.Fatalf("the authorization server does not start: %v", err)
	}
	t.Cleanup(func() {
		provider.Stop()
		if t.Failed() {
			t.Logf("the server said:\n%s", provider.Errors())
		}
	})
	return provider
}

// newClient is the client under test.
func newClient(t *testing.T) *oauth.Client {
	t.Helper()
	return newClientWith(t, time.Now, rand.Reader)
}

// newClientWith is the client under test with a clock and a random source of its own.
func newClientWith(t *testing.T, now func() time.Time, random io.Reader) *oauth.Client {
	t.Helper()
	client := oauth.NewClient(oauth.Options{
		Egress: egress.NewPolicy(egress.Options{Allow: []netip.Prefix{
			netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
		}}),
		AllowInsecureHTTP: true,
		Now:               now,
		Random:            random,
	})
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// request is a good request by client_secret_basic.
func request(provider *oidcprovider.Provider) oauth.Request {
	return oauth.Request{
		TokenURL: provider.TokenURL,
		Client: oauth.ClientAuthentication{
			Method: oauth.MethodClientSecretBasic, ID: "basic:client/1+2", Secret: redact.New(reserved),
		},
		GrantType: "client_credentials",
		Scopes:    []string{"read"},
		Timeout:   30 * time.Second,
	}
}

// failure is what an error must say.
type failure struct {
	kind   oauth.Kind
	class  string
	code   string
	status int
}

func expectFailure(t *testing.T, err error, want failure) {
	t.Helper()
	var failed *oauth.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want %+v", err, want)
	}
	got := failure{failed.Kind, string(failed.Class), failed.Code, failed.Status}
	if got != want {
		t.Errorf("got  %+v\nwant %+v\nmessage: %s", got, want, failed.Message)
	}
}
