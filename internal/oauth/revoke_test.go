package oauth_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

const oldToken = "r3freshTOKENr3freshTOKEN"

func TestRevocations(t *testing.T) {
	t.Parallel()

	for name, handle := range map[string]http.HandlerFunc{
		"nothing":         reply(200, ``),
		"JSON":            reply(200, `{}`),
		"an error in 200": reply(200, `{"error":"invalid_client"}`),
		"a page":          reply(200, `<html>`),
		"too much":        reply(200, strings.Repeat("x", 2<<20)),
		"204":             reply(204, ``),
		"half a body": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = io.WriteString(w, "{")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, received := serve(t, handle)
			request := newRequest(server)
			// A mapping is for tokens, of which there is none here.
			request.Response = found(map[oauth.Name]any{oauth.NameSucceeded: false})

			if err := newClient(t).Revoke(t.Context(), request, redact.New(oldToken), ""); err != nil {
				t.Error(err)
			}

			if got := received(); len(got) != 1 || got[0].body != "token="+oldToken {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestWhatARevocationSends(t *testing.T) {
	t.Parallel()

	server, received := serve(t, reply(200, ``))
	request := newRequest(server)
	request.TokenURL = server.URL + "/revoke?tenant=a"
	request.Method, request.BodyFormat = http.MethodPut, oauth.BodyJSON
	request.Client.Method = oauth.MethodClientSecretPost
	request.GrantType, request.Grant = refreshGrant, []oauth.Field{field("refresh_token", "other")}
	request.Scopes, request.Audiences, request.Resources = []string{"a"}, []string{"b"}, []string{"c"}
	request.Headers = []oauth.Field{field("X-Tenant", "acme"), field("content-type", "application/json")}
	request.Parameters = []oauth.Field{field("more", "1"), field("token", "x")}
	request.OmitParameters = []string{"token", "token_type_hint"}

	if err := newClient(t).Revoke(t.Context(), request, redact.New("a+b"), refreshGrant); err != nil {
		t.Fatal(err)
	}

	got := received()[0]
	want := "token=a%2Bb&token_type_hint=refresh_token&client_id=client&client_secret=hunter22hunter22"

	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Error(diff)
	}

	if got.method != http.MethodPost || got.uri != "/revoke?tenant=a" || got.header.Get("X-Tenant") != "acme" ||
		got.header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("got %s %s %v", got.method, got.uri, got.header)
	}

	if len(request.Headers) != 2 || request.Headers[1].Name != "content-type" || len(request.OmitParameters) != 2 ||
		request.OmitParameters[0] != "token" {
		t.Error("the caller's request was changed")
	}
}

func TestRevocationsThatFail(t *testing.T) {
	t.Parallel()

	busy := func(wait time.Duration) verdict {
		return verdict{oauth.KindRateLimited, lifetime.Throttled, "", wait}
	}
	echo := url.QueryEscape(strings.Join(forms(oldToken), " "))

	for name, test := range map[string]struct {
		handle http.HandlerFunc
		want   verdict
		text   string
	}{
		"another kind of token":  {reply(400, `{"error":"unsupported_token_type"}`), rejected("unsupported_token_type"), `(HTTP status 400, error "unsupported_token_type"). This endpoint does not revoke tokens of this kind.`},
		"invalid_client":         {reply(401, `{"error":"invalid_client"}`), rejected("invalid_client"), "The revocation endpoint at 127.0.0.1"},
		"unauthorized_client":    {reply(400, `{"error":"unauthorized_client"}`), rejected("unauthorized_client"), "Check what this client may do at the provider."},
		"invalid_grant":          {reply(400, `{"error":"invalid_grant"}`), rejected("invalid_grant"), "refused the request"},
		"busy":                   {reply(503, ``, "Retry-After: 9"), busy(9 * time.Second), "limits the number of requests"},
		"unwell":                 {reply(503, ``), unreachable(""), "cannot answer for now"},
		"too many":               {reply(429, ``), busy(0), "limits the number of requests"},
		"not found":              {reply(404, ``), unusable(""), "Check revocationURL."},
		"a redirect":             {reply(307, ``, "Location: /x"), unusable(""), "Set revocationURL to where it really is."},
		"the token in an error":  {reply(400, "error=x&error_description="+echo), unusable("x"), redact.Marker},
		"the token as a code":    {reply(400, "error="+echo), verdict{Kind: oauth.KindInvalidResponse, Class: lifetime.Protocol, Code: "*"}, redact.Marker},
		"the token in a redirct": {reply(302, ``, "Location: https://"+oldToken+".example.com/"), unusable(""), redact.Marker},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, received := serve(t, test.handle)
			err := newClient(t).Revoke(t.Context(), newRequest(server), redact.New(oldToken), "access_token")

			var e *oauth.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an *Error", err)
			}

			got := verdict{e.Kind, e.Class, e.Code, e.RetryAfter}
			if test.want.Code == "*" {
				got.Code = "*"
			}

			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n%s", diff, e)
			}

			if text := fmt.Sprintf("%+v %s", *e, e); !strings.Contains(text, test.text) || strings.Contains(text, "TOKENr3fr") {
				t.Errorf("got %s, want %s", text, test.text)
			}

			if strings.Contains(e.Error(), "tries again") {
				t.Errorf("got %s, which only the caller can promise", e)
			}

			if e.GrantRefused || len(received()) != 1 {
				t.Error("refused, or not asked once")
			}
		})
	}
}

func TestRevocationsThatAreNotMade(t *testing.T) {
	t.Parallel()

	server, received := serve(t, reply(200, ``))

	for want, test := range map[string]struct {
		url   string
		token string
	}{
		"There is no token to revoke.":                                                      {server.URL, ""},
		"revocationURL is not an absolute https URL.":                                       {"", oldToken},
		"revocationURL holds a fragment":                                                    {"https://id.example.com/#", oldToken},
		"The host 169.254.169.254 of revocationURL leads to a cloud metadata address":       {"http://169.254.169.254/", oldToken},
		"The connection to the revocation endpoint at 127.0.0.1:1 failed: connection refus": {"http://127.0.0.1:1/", oldToken},
	} {
		request := newRequest(server)
		request.TokenURL = test.url

		err := newClient(t).Revoke(t.Context(), request, redact.New(test.token), "")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}

	if len(received()) != 0 {
		t.Error("a request was made")
	}
}
