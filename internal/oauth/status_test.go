package oauth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// verdict is what a caller acts upon.
type verdict struct {
	Kind       oauth.Kind
	Class      lifetime.Class
	Code       string
	RetryAfter time.Duration
}

func unreachable(code string) verdict {
	return verdict{Kind: oauth.KindUnreachable, Class: lifetime.Transient, Code: code}
}

func limited(wait time.Duration) verdict {
	return verdict{Kind: oauth.KindRateLimited, Class: lifetime.Throttled, RetryAfter: wait}
}

func rejected(code string) verdict {
	return verdict{Kind: oauth.KindRejected, Class: lifetime.Rejected, Code: code}
}

func unusable(code string) verdict {
	return verdict{Kind: oauth.KindInvalidResponse, Class: lifetime.Protocol, Code: code}
}

func TestFailuresAreClassified(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("x", 100)

	for name, test := range map[string]struct {
		status  int
		body    string
		headers []string
		want    verdict
	}{
		"400 invalid_client":           {400, `{"error":"invalid_client"}`, nil, rejected("invalid_client")},
		"401 invalid_client":           {401, `{"error":"invalid_client"}`, nil, rejected("invalid_client")},
		"400 invalid_grant":            {400, `{"error":"invalid_grant"}`, nil, rejected("invalid_grant")},
		"400 invalid_request":          {400, `{"error":"invalid_request"}`, nil, rejected("invalid_request")},
		"400 invalid_scope":            {400, `{"error":"invalid_scope"}`, nil, rejected("invalid_scope")},
		"400 unauthorized_client":      {400, `{"error":"unauthorized_client"}`, nil, rejected("unauthorized_client")},
		"400 unsupported_grant_type":   {400, `{"error":"unsupported_grant_type"}`, nil, rejected("unsupported_grant_type")},
		"400 invalid_target":           {400, `{"error":"invalid_target"}`, nil, rejected("invalid_target")},
		"400 use_dpop_nonce":           {400, `{"error":"use_dpop_nonce"}`, nil, rejected("use_dpop_nonce")},
		"403 access_denied":            {403, `{"error":"access_denied"}`, nil, rejected("access_denied")},
		"200 invalid_client":           {200, `{"ok":false,"error":"invalid_client"}`, nil, rejected("invalid_client")},
		"400 a form":                   {400, `error=invalid_client&error_description=no`, []string{"Content-Type: text/plain"}, rejected("invalid_client")},
		"400 temporarily_unavailable":  {400, `{"error":"temporarily_unavailable"}`, nil, unreachable("temporarily_unavailable")},
		"401 server_error":             {401, `{"error":"server_error"}`, nil, unreachable("server_error")},
		"200 server_error":             {200, `{"error":"server_error"}`, nil, unreachable("server_error")},
		"500 invalid_client":           {500, `{"error":"invalid_client"}`, nil, unreachable("invalid_client")},
		"408":                          {408, ``, nil, unreachable("")},
		"500":                          {500, `<html>`, nil, unreachable("")},
		"502":                          {502, `<html>`, nil, unreachable("")},
		"599":                          {599, ``, nil, unreachable("")},
		"500 with a huge body":         {500, strings.Repeat("x", 2<<20), nil, unreachable("")},
		"503":                          {503, ``, nil, unreachable("")},
		"503 with a bad Retry-After":   {503, ``, []string{"Retry-After: soon"}, unreachable("")},
		"503 with Retry-After":         {503, ``, []string{"Retry-After: 7"}, limited(7 * time.Second)},
		"503 with Retry-After 0":       {503, ``, []string{"Retry-After: 0"}, limited(0)},
		"429":                          {429, ``, nil, limited(0)},
		"429 with Retry-After":         {429, `{}`, []string{"Retry-After: 120"}, limited(2 * time.Minute)},
		"429 with a fraction":          {429, ``, []string{"Retry-After: 1.5"}, limited(1500 * time.Millisecond)},
		"429 with a negative one":      {429, ``, []string{"Retry-After: -5"}, limited(0)},
		"429 with a day":               {429, ``, []string{"Retry-After: 86400"}, limited(15 * time.Minute)},
		"429 with too large a number":  {429, ``, []string{"Retry-After: 99999999999999999999"}, limited(15 * time.Minute)},
		"429 with a date by our clock": {429, ``, []string{"Retry-After: Sun, 01 Mar 2026 12:00:30 GMT"}, limited(30 * time.Second)},
		"429 with a date by theirs":    {429, ``, []string{"Retry-After: Sun, 01 Mar 2026 14:00:30 GMT", "Date: Sun, 01 Mar 2026 14:00:00 GMT"}, limited(30 * time.Second)},
		"429 with a date in the past":  {429, ``, []string{"Retry-After: Sun, 01 Mar 2026 11:00:00 GMT"}, limited(0)},
		"429 with a distant date":      {429, ``, []string{"Retry-After: Mon, 01 Mar 2027 11:00:00 GMT"}, limited(15 * time.Minute)},
		"429 with a code":              {429, `{"error":"invalid_client"}`, nil, verdict{oauth.KindRateLimited, lifetime.Throttled, "invalid_client", 0}},
		"400 without a body":           {400, ``, nil, unusable("")},
		"400 with a huge body":         {400, strings.Repeat("x", 2<<20), nil, unusable("")},
		"404":                          {404, `<html>`, nil, unusable("")},
		"401 in the way of Apigee":     {401, `{"ErrorCode":"invalid_client","Error":"ClientId is Invalid"}`, nil, unusable("")},
		"400 an error object":          {400, `{"error":{"code":"invalid_client"}}`, nil, unusable("")},
		"400 an error number":          {400, `{"error":5,"error_description":["a"]}`, nil, unusable("")},
		"400 an unknown code":          {400, `{"error":"Invalid_Client"}`, nil, unusable("Invalid_Client")},
		"400 a code that is too long":  {400, `{"error":"` + long + `"}`, nil, unusable(long[:63] + "…")},
		"400 a code that is not one":   {400, `{"error":"a\u202e\nb\u0000"}`, nil, unusable("a b")},
		"401 a token with a 4xx":       {401, good, nil, unusable("")},
		"204":                          {204, ``, nil, unusable("")},
		"a status that does not exist": {999, ``, nil, unreachable("")},
		"a code in a nested error":     {400, `{"errors":[{"error":"invalid_client"}]}`, nil, unusable("")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, received := serve(t, reply(test.status, test.body, test.headers...))
			answer, err := newClient(t).Token(t.Context(), newRequest(server))
			e := failure(t, answer, err)

			if diff := cmp.Diff(test.want, verdict{e.Kind, e.Class, e.Code, e.RetryAfter}); diff != "" {
				t.Errorf("%s\n%s", diff, e)
			}

			if e.Status != test.status || len(received()) != 1 {
				t.Errorf("status %d, more than one request", e.Status)
			}

			again, err := newClient(t).Token(t.Context(), newRequest(server))
			if second := failure(t, again, err); second.Error() != e.Error() {
				t.Errorf("not stable: %q, then %q", e, second)
			}
		})
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()

	basic := oauth.ClientAuthentication{Method: oauth.MethodClientSecretBasic, ID: "client", Secret: redact.New("plain-Secret_1")}
	with := func(change func(*oauth.ClientAuthentication)) oauth.ClientAuthentication {
		changed := basic
		change(&changed)

		return changed
	}
	secret := func(value string) func(*oauth.ClientAuthentication) {
		return func(c *oauth.ClientAuthentication) { c.Secret = redact.New(value) }
	}

	const (
		check   = "Check the client ID, the client secret and clientAuthentication.method."
		raw     = "The client ID or secret holds characters that RFC 6749 encodes and this endpoint may want as they are: try clientAuthentication.basicEncoding: Raw. Otherwise check the ID and the secret."
		compare = "Check the request against the provider's documentation."
		unknown = `{"error":"invalid_client"}`
	)

	for name, test := range map[string]struct {
		client oauth.ClientAuthentication
		status int
		body   string
		want   string
	}{
		"code and description": {
			basic, 401, `{"error":"invalid_client","error_description":"Who are you?"}`,
			`The token endpoint at HOST refused the request (HTTP status 401, error "invalid_client"): Who are you? ` + check,
		},
		"a description with a full stop": {
			basic, 400, `{"error":"invalid_scope","error_description":"No such scope."}`,
			`The token endpoint at HOST refused the request (HTTP status 400, error "invalid_scope"): No such scope. Check scopes.`,
		},
		"a secret that is encoded": {
			with(secret("a+b")), 401, unknown,
			`The token endpoint at HOST refused the request (HTTP status 401, error "invalid_client"). ` + raw,
		},
		"an ID that is encoded": {
			with(func(c *oauth.ClientAuthentication) { c.ID = "my client" }), 401, unknown,
			`The token endpoint at HOST refused the request (HTTP status 401, error "invalid_client"). ` + raw,
		},
		"a secret that is raw already": {
			with(func(c *oauth.ClientAuthentication) { c.Secret, c.BasicEncoding = redact.New("a+b"), oauth.Raw }), 401, unknown,
			`The token endpoint at HOST refused the request (HTTP status 401, error "invalid_client"). ` +
				"The client ID or secret holds characters that this endpoint may want encoded, as RFC 6749 has it: try " +
				"clientAuthentication.basicEncoding: FormURLEncoded. Otherwise check the ID and the secret.",
		},
		"a secret in the body": {
			with(func(c *oauth.ClientAuthentication) {
				c.Secret, c.Method = redact.New("a+b"), oauth.MethodClientSecretPost
			}), 401, unknown,
			`The token endpoint at HOST refused the request (HTTP status 401, error "invalid_client"). ` + check,
		},
		"a secret with a line break": {
			with(secret("plain-Secret_1\n")), 401, unknown,
			`The token endpoint at HOST refused the request (HTTP status 401, error "invalid_client"). ` +
				`The client secret begins or ends with white space, which is sent too: check how it was stored.`,
		},
		"an error in another form": {
			with(secret("a+b")), 401, `{"ErrorCode":"invalid_client"}`,
			`The token endpoint at HOST refused the request without a known OAuth error code (HTTP status 401). ` +
				raw,
		},
		"not found": {
			basic, 404, `<html>`,
			`The token endpoint at HOST refused the request without a known OAuth error code (HTTP status 404). Check tokenURL.`,
		},
		"a grant that is not for this client": {
			basic, 400, `{"error":"unauthorized_client"}`,
			`The token endpoint at HOST refused the request (HTTP status 400, error "unauthorized_client"). ` +
				`Check that this client may use the grant type client_credentials.`,
		},
		"nothing to advise": {
			basic, 403, `{"error":"access_denied"}`,
			`The token endpoint at HOST refused the request (HTTP status 403, error "access_denied").`,
		},
		"unwell": {
			basic, 502, `<html>`,
			`The token endpoint at HOST cannot answer for now (HTTP status 502). tokensync tries again.`,
		},
		"too many requests": {
			basic, 429, `{"error":"slow_down","error_description":"Calm\ndown"}`,
			`The token endpoint at HOST limits the number of requests (HTTP status 429, error "slow_down"): Calm down. ` +
				`tokensync waits and tries again.`,
		},
		"a page": {
			basic, 200, `<html>`,
			`The answer of the token endpoint at HOST is an HTML or XML page (HTTP status 200). ` +
				`Check that tokenURL is the token endpoint.`,
		},
		"a token elsewhere": {
			basic, 200, `{"token":"t"}`,
			`The answer of the token endpoint at HOST has no access_token (HTTP status 200). ` +
				`There is a text at token: if that is the token, set response.accessToken to body.token.`,
		},
		"a nested token elsewhere": {
			basic, 200, `{"data":{"access_token":"t"},"token":""}`,
			`The answer of the token endpoint at HOST has no access_token (HTTP status 200). ` +
				`There is a text at data.access_token: if that is the token, set response.accessToken to body.data.access_token.`,
		},
		"no token at all": {
			basic, 200, `{"t":"t"}`,
			`The answer of the token endpoint at HOST has no access_token (HTTP status 200). ` +
				`Check that the endpoint speaks OAuth 2.0 (RFC 6749 section 5.1), or set response.accessToken.`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := serve(t, reply(test.status, test.body))
			request := newRequest(server)
			request.Client = test.client

			answer, err := newClient(t).Token(t.Context(), request)
			e := failure(t, answer, err)

			want := strings.ReplaceAll(test.want, "HOST", strings.TrimPrefix(server.URL, "http://"))
			if diff := cmp.Diff(want, e.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()

	elsewhere, reached := serve(t, reply(http.StatusOK, good))

	for location, want := range map[string]string{
		elsewhere.URL + "/oauth/token?code=hunter22hunter22": " to " + elsewhere.URL + " (",
		"https://user:pa55@id.example.com/x?y#z":             " to https://id.example.com (",
		"/elsewhere?a=b":                                     " to http://127.0.0.1:",
		"//id.example.com/x":                                 " to http://id.example.com (",
		"https://hunter22hunter22.example.com/":              " to https://[redacted].example.com (",
		"https://id.example.com:bad/":                        " redirect (",
		"mailto:a@example.com":                               " redirect (",
		"":                                                   " redirect (",
	} {
		for _, status := range []int{301, 302, 303, 304, 307, 308} {
			server, received := serve(t, reply(status, "", "Location: "+location))
			answer, err := newClient(t).Token(t.Context(), newRequest(server))
			e := failure(t, answer, err)

			if e.Kind != oauth.KindInvalidResponse || e.Class != lifetime.Protocol || e.Status != status {
				t.Errorf("%d to %s: got %+v", status, location, e)
			}

			if !strings.Contains(e.Error(), want) || strings.ContainsAny(e.Error(), "?#") || strings.Contains(e.Error(), "pa55") {
				t.Errorf("%d to %s: got %q", status, location, e)
			}

			if len(received()) != 1 {
				t.Errorf("%d to %s: more than one request", status, location)
			}
		}
	}

	if len(reached()) != 0 {
		t.Error("a redirect was followed")
	}
}
