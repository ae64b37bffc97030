package conformance

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/test/standin"
)

const (
	standinID = "app_acme_news_prod"
	appToken  = "YXBwK3Rva2Vu/w=="
	tenant    = "acme_news_prod"
)

func listen(t *testing.T, server *standin.Server) (tokenURL string) {
	t.Helper()
	baseURL, stop, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return baseURL + standin.TokenPath
}

func syncronexRequest(tokenURL string) oauth.Request {
	return oauth.Request{
		TokenURL:  tokenURL,
		Client:    oauth.ClientAuthentication{Method: oauth.MethodClientSecretPost, ID: standinID, Secret: redact.New(reserved)},
		GrantType: "client_credentials",
		Scopes:    []string{tenant},
		Timeout:   time.Second,
	}
}

// TestStandIns proves that client and stand-ins agree about what the real
// systems want, and that the client does nothing that it should not.
func TestStandIns(t *testing.T) {
	clients := map[string]string{standinID: reserved}
	for name, c := range map[string]struct {
		server *standin.Server
		edit   func(r *oauth.Request)
		life   time.Duration
	}{
		"Syncronex": {
			standin.NewSyncronex(standin.Options{Clients: clients, Tenants: []string{tenant}}),
			func(*oauth.Request) {}, 1199 * time.Second,
		},
		"Syncplicity": {
			standin.NewSyncplicity(standin.Options{Clients: clients, AppTokens: []string{appToken}}),
			func(r *oauth.Request) {
				r.Client.Method, r.Client.BasicEncoding, r.Scopes = oauth.MethodClientSecretBasic, oauth.Raw, nil
				r.Headers = []oauth.Field{{Name: "Sync-App-Token", Value: redact.New(appToken)}}
			}, 5099 * time.Second,
		},
		"OAuth": {
			standin.NewOAuth(standin.Options{Clients: clients}),
			func(r *oauth.Request) { r.Client.Method = oauth.MethodClientSecretBasic }, 3600 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := syncronexRequest(listen(t, c.server))
			c.edit(&r)
			answer, err := newClient(t).Token(t.Context(), r)
			if err != nil {
				t.Fatalf("%v; the server saw %+v", err, c.server.Requests())
			}
			if id, _, ok := c.server.Check(answer.AccessToken.Reveal()); !ok || id != standinID {
				t.Errorf("the token is good: %t, for %s", ok, id)
			}
			if answer.TokenType != "Bearer" {
				t.Errorf("the type is %q", answer.TokenType)
			}
			expectLifetime(t, answer, c.life)
			if v := c.server.Violations(); len(v) > 0 {
				t.Errorf("violations: %+v", v)
			}
		})
	}
}

// TestMisbehavior has every fault of the stand-ins meet the client.
func TestMisbehavior(t *testing.T) {
	server := standin.NewSyncronex(standin.Options{Clients: map[string]string{standinID: reserved}})
	r := syncronexRequest(listen(t, server))
	client := newClient(t)
	unreachable := failure{kind: oauth.KindUnreachable, class: string(lifetime.Transient)}
	unusable := failure{kind: oauth.KindInvalidResponse, class: string(lifetime.Protocol), status: http.StatusOK}
	for fault, want := range map[standin.Fault]failure{
		standin.Hang:       unreachable,
		standin.Reset:      unreachable,
		standin.Respond:    {oauth.KindUnreachable, string(lifetime.Transient), "", http.StatusServiceUnavailable},
		standin.TooMany:    {oauth.KindRateLimited, string(lifetime.Throttled), "", http.StatusTooManyRequests},
		standin.Garbage:    unusable,
		standin.HTML:       unusable,
		standin.Truncated:  {oauth.KindUnreachable, string(lifetime.Transient), "", http.StatusOK},
		standin.Redirect:   {oauth.KindInvalidResponse, string(lifetime.Protocol), "", http.StatusTemporaryRedirect},
		standin.Huge:       unusable,
		standin.Empty:      unusable,
		standin.ErrorIn200: {oauth.KindRejected, string(lifetime.Rejected), "invalid_client", http.StatusOK},
		standin.Echo:       {oauth.KindRejected, string(lifetime.Rejected), "invalid_client", http.StatusUnauthorized},
	} {
		t.Run(fault.String(), func(t *testing.T) {
			server.Misbehave(standin.Behavior{Fault: fault})
			before := server.Counts().Requests
			_, err := client.Token(t.Context(), r)
			expectFailure(t, err, want)
			if strings.Contains(err.Error(), reserved) {
				t.Errorf("the message gives the secret away: %s", err)
			}
			if sent := server.Counts().Requests - before; sent != 1 {
				t.Errorf("%d requests were sent", sent)
			}
		})
	}
	server.Behave()
	if _, err := client.Token(t.Context(), r); err != nil {
		t.Errorf("it does not recover: %v", err)
	}
	if v := server.Violations(); len(v) > 0 {
		t.Errorf("violations: %+v", v)
	}
}
