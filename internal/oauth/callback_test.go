package oauth_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

const anIssuer = "https://id.example.com/realms/a"

func TestCallbacks(t *testing.T) {
	t.Parallel()

	const unasked = " It was not used. Log in again, and use only the page that opens then."

	announced := oauth.Expectation{State: redact.New(aState), Issuer: anIssuer, IssuerRequired: true}
	known := oauth.Expectation{State: redact.New(aState), Issuer: anIssuer}
	unknown := oauth.Expectation{State: redact.New(aState)}
	noIssuer := oauth.Expectation{State: redact.New(aState), IssuerRequired: true}
	bad := verdict{Kind: oauth.KindInvalidResponse, Class: lifetime.Authorization}
	refused := func(code string) verdict {
		return verdict{Kind: oauth.KindRejected, Class: lifetime.Authorization, Code: code}
	}

	const (
		ok  = "code=c0deOFtheANSWER%2F%2B%3D&state=" + aState
		iss = "&iss=https%3A%2F%2Fid.example.com%2Frealms%2Fa"
	)

	for name, test := range map[string]struct {
		query  string
		expect oauth.Expectation
		want   verdict // empty where there is a code
		text   string
	}{
		"a code":                           {ok, unknown, verdict{}, ""},
		"a code, and more":                 {ok + "&scope=a&scope=b&session_state=x", unknown, verdict{}, ""},
		"a code and an empty error":        {ok + "&error=", unknown, verdict{}, ""},
		"an issuer":                        {ok + iss, known, verdict{}, ""},
		"an issuer that is announced":      {ok + iss, announced, verdict{}, ""},
		"an issuer that was not looked up": {ok + iss, unknown, verdict{}, ""},
		"no issuer":                        {ok, known, verdict{}, ""},
		"no issuer although announced":     {ok, announced, bad, "The answer of the authorization endpoint does not say which issuer it is of, although the provider promises to." + unasked},
		"an empty issuer":                  {ok + "&iss=", known, bad, "is of another issuer." + unasked},
		"another issuer":                   {ok + "&iss=https%3A%2F%2Fevil.example.com", known, bad, "is of another issuer."},
		"another issuer, announced":        {ok + "&iss=https%3A%2F%2Fevil.example.com", announced, bad, "is of another issuer."},
		"a slash more":                     {ok + iss + "%2F", known, bad, "is of another issuer."},
		"an issuer nobody can check":       {ok + iss, noIssuer, bad, "is of another issuer."},
		"an issuer twice":                  {ok + iss + iss, known, bad, "has the parameter iss twice."},
		"no state":                         {"code=x", unknown, bad, "has no state." + unasked},
		"an empty state":                   {"code=x&state=", unknown, bad, "has no state."},
		"another state":                    {"code=x&state=" + aState + "x", unknown, bad, "has the state of another login." + unasked},
		"a state in another case":          {"code=x&state=" + strings.ToLower(aState), unknown, bad, "has the state of another login."},
		"no state was sent":                {"code=x&state=", oauth.Expectation{}, bad, "has no state."},
		"a state although none was sent":   {"code=x&state=x", oauth.Expectation{}, bad, "has the state of another login."},
		"a state twice":                    {ok + "&state=" + aState, unknown, bad, "has the parameter state twice."},
		"a code twice":                     {ok + "&code=y", unknown, bad, "has the parameter code twice."},
		"an error twice":                   {"error=a&error=b&state=" + aState, unknown, bad, "has the parameter error twice."},
		"nothing":                          {"", unknown, bad, "has no state."},
		"neither":                          {"state=" + aState, unknown, bad, "has neither a code nor an error."},
		"an empty code":                    {"code=&state=" + aState, unknown, bad, "has neither a code nor an error."},
		"a code with a line break":         {"code=a%0Ab&state=" + aState, unknown, bad, "has a code that cannot be one."},
		"a code without end":               {"code=" + strings.Repeat("x", 8193) + "&state=" + aState, unknown, bad, "has a code that cannot be one."},
		"declined": {
			"error=access_denied&error_description=The+user+said+no&state=" + aState, unknown, refused("access_denied"),
			`The request for access was declined at the provider (error "access_denied"): The user said no. Log in again and approve it, or ask who may.`,
		},
		"declined, with a code": {"error=access_denied&" + ok, unknown, refused("access_denied"), "was declined"},
		"an error without a state": {
			"error=access_denied", unknown, bad, "has no state.",
		},
		"an error of another issuer": {"error=access_denied&state=" + aState + "&iss=x", known, bad, "is of another issuer."},
		"an error without an issuer": {"error=access_denied&state=" + aState, announced, bad, "does not say which issuer"},
		"invalid_request": {
			"error=invalid_request&state=" + aState, unknown, refused("invalid_request"),
			`The authorization endpoint refused the request (error "invalid_request"). Check what this endpoint demands, and that the redirect URI is registered for the client. Then log in again.`,
		},
		"unauthorized_client":  {"error=unauthorized_client&state=" + aState, unknown, refused("unauthorized_client"), "may use the grant type authorization_code"},
		"invalid_scope":        {"error=invalid_scope&state=" + aState, unknown, refused("invalid_scope"), "Check scopes, then log in again."},
		"invalid_target":       {"error=invalid_target&state=" + aState, unknown, refused("invalid_target"), "Check audiences and resources"},
		"interaction_required": {"error=interaction_required&state=" + aState, unknown, refused("interaction_required"), "follow what the provider asks for."},
		"a code of its own":    {"error=nope&state=" + aState, unknown, refused("nope"), `(error "nope"). Check the request against the provider's documentation, then log in again.`},
		"unwell": {
			"error=server_error&state=" + aState, unknown,
			verdict{Kind: oauth.KindUnreachable, Class: lifetime.Authorization, Code: "server_error"},
			`The authorization endpoint cannot answer for now (error "server_error"). Log in again later.`,
		},
		"what cannot be shown": {
			"error=a%E2%80%AEb%00&error_description=c%0Ad+" + aState + "&state=" + aState, unknown, refused("ab"),
			`refused the request (error "ab"): c d [redacted]. Check`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			query, err := url.ParseQuery(test.query)
			if err != nil {
				t.Fatal(err)
			}

			code, err := oauth.ParseCallback(query, test.expect)

			if test.want == (verdict{}) {
				if err != nil || code.Reveal() != aCode {
					t.Errorf("got %q, %v", code.Reveal(), err)
				}

				return
			}

			var e *oauth.Error
			if !errors.As(err, &e) || !code.IsEmpty() {
				t.Fatalf("got %q, %v", code.Reveal(), err)
			}

			if diff := cmp.Diff(test.want, verdict{e.Kind, e.Class, e.Code, e.RetryAfter}); diff != "" {
				t.Error(diff)
			}

			if !strings.Contains(e.Error(), test.text) || strings.Contains(e.Error(), aState) {
				t.Errorf("got %s, want %s", e, test.text)
			}
		})
	}
}
