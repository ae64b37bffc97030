package standin_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

// organizationKey seals the tokens of an organization.
var organizationKey = []byte("one organization")

// mint asks Synqly for an integration token.
func mint(t *testing.T, server *standin.Server, bearer, body string, edits ...func(*http.Request)) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, standin.IntegrationPath("acct-17", "int-42"), strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+bearer)
	for _, edit := range edits {
		edit(r)
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// organizationToken is one of an authorization server with the same key.
func organizationToken(t *testing.T, clock func() time.Time) string {
	t.Helper()
	server := standin.NewOAuth(standin.Options{Clients: map[string]string{"org": "s"}, Key: organizationKey, Clock: clock})
	response := token(t, server, rawBasic("org", "s"))
	found := opaque.FindString(response.text)
	if found == "" {
		t.Fatalf("no token in %s", response.text)
	}
	return found
}

func TestSynqlyAnswersByteForByte(t *testing.T) {
	server := standin.NewSynqly(standin.Options{Key: organizationKey, Clock: fixed})
	response := mint(t, server, organizationToken(t, fixed), `{"name":"siem"}`)
	want := `{"result":{"secret":"TOKEN","expires":"2022-12-01T20:09:20.75Z","permissions":{"resources":{},"permission_set":"integration"}}}`
	if got := response.masked(); got != want || response.status != http.StatusOK {
		t.Errorf("status %d, got  %s\nwant %s", response.status, got, want)
	}
	expectHeader(t, response, map[string]string{"Content-Type": "application/json"})
	if violations := server.Violations(); len(violations) > 0 {
		t.Errorf("violations: %v", violations)
	}
	if count := server.CountsOf("acct-17/int-42").Requests; count != 1 {
		t.Errorf("%d requests are counted for the integration", count)
	}
}

func TestSynqlyRefusesByProblems(t *testing.T) {
	good := organizationToken(t, fixed)
	for name, test := range map[string]struct {
		bearer, body string
		edit         func(*http.Request)
		status       int
		rule         standin.Rule
	}{
		"a bearer of somebody else": {bearer: "other", body: "{}", status: 401},
		"one that has expired":      {bearer: organizationToken(t, func() time.Time { return noon.Add(-2 * time.Hour) }), body: "{}", status: 401},
		"another scheme": {
			body: "{}", status: 401, edit: func(r *http.Request) { r.Header.Set("Authorization", "Basic "+good) },
		},
		"a form": {
			bearer: good, body: "grant_type=client_credentials", status: 400, rule: standin.WrongContentType,
			edit: func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") },
		},
		"no object":           {bearer: good, body: "[]", status: 400, rule: standin.MalformedBody},
		"null":                {bearer: good, body: "null", status: 400, rule: standin.MalformedBody},
		"an unknown member":   {bearer: good, body: `{"grant_type":"x"}`, status: 400, rule: standin.UnknownParameter},
		"a method of another": {bearer: good, body: "{}", status: 400, rule: standin.WrongMethod, edit: func(r *http.Request) { r.Method = http.MethodPut }},
	} {
		t.Run(name, func(t *testing.T) {
			server := standin.NewSynqly(standin.Options{Key: organizationKey, Clock: fixed})
			edit := test.edit
			if edit == nil {
				edit = func(*http.Request) {}
			}
			response := mint(t, server, test.bearer, test.body, edit)
			want := map[int]string{
				400: `{"message":"Bad Request","status":400,"occurred_at":"2022-12-01T19:59:20.75Z","instance":"/v1/tokens"}`,
				401: `{"message":"Unauthorized","status":401,"occurred_at":"2022-12-01T19:59:20.75Z","instance":"/v1/tokens"}`,
			}[test.status]
			if response.status != test.status || response.text != want {
				t.Errorf("status %d, got  %s\nwant %s", response.status, response.text, want)
			}
			violations := server.Violations()
			if broken := len(violations) > 0; broken != (test.rule != "") || broken && violations[0].Rule != test.rule {
				t.Errorf("violations %v, want %q", violations, test.rule)
			}
		})
	}
}

func TestSynqlyHasNoOtherPaths(t *testing.T) {
	server := standin.NewSynqly(standin.Options{})
	for _, path := range []string{standin.TokenPath, "/v1/tokens", "/v1/tokens/a", "/v1/tokens/a/b/c", "/v2/tokens/a/b"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader("{}"))
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != http.StatusNotFound {
			t.Errorf("%s answers %d", path, w.Code)
		}
	}
}

func TestOAuthAsksAboutGrantsAndAssertions(t *testing.T) {
	server := standin.NewOAuth(standin.Options{
		Clients: map[string]string{id: secret},
		Clock:   fixed,
		Grant: func(grantType string, parameters url.Values) string {
			if grantType != "password" || parameters.Get("username") != "me" {
				return "who is that"
			}
			return ""
		},
		Assertion: func(assertion string) (clientID, problem string) {
			if assertion != "signed" {
				return "", "not signed"
			}
			return "robot", ""
		},
	})
	const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	for name, test := range map[string]struct {
		edits  []edit
		status int
		code   string
	}{
		"a grant that is good":     {[]edit{encodedBasic(), parameter("grant_type", "password"), parameter("username", "me")}, 200, ""},
		"one that is not":          {[]edit{encodedBasic(), parameter("grant_type", "password")}, 400, "invalid_grant"},
		"of an unknown client":     {[]edit{rawBasic("x", "y"), parameter("grant_type", "password"), parameter("username", "me")}, 401, "invalid_client"},
		"an assertion for a key":   {[]edit{parameter("client_assertion", "signed"), parameter("client_assertion_type", jwtBearer)}, 200, ""},
		"an assertion of somebody": {[]edit{parameter("client_assertion", "x"), parameter("client_assertion_type", jwtBearer)}, 401, "invalid_client"},
		"an assertion of no type":  {[]edit{parameter("client_assertion", "signed")}, 401, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			response := token(t, server, test.edits...)
			if response.status != test.status || !strings.Contains(response.text, test.code) {
				t.Errorf("status %d: %s", response.status, response.text)
			}
		})
	}
	if count := server.CountsOf("robot").Requests; count != 1 {
		t.Errorf("%d requests are counted for the subject of the assertion", count)
	}
}

func TestTheSameTokenIsAnsweredUntilItExpires(t *testing.T) {
	clock := clock{now: noon}
	server := standin.NewOAuth(standin.Options{Clients: map[string]string{id: secret}, Same: true, Lifetime: time.Minute, Clock: clock.Now})
	first := token(t, server, encodedBasic())
	clock.now = noon.Add(20 * time.Second)
	again := token(t, server, encodedBasic())
	clock.now = noon.Add(time.Minute)
	next := token(t, server, encodedBasic())
	if opaque.FindString(again.text) != opaque.FindString(first.text) || !strings.Contains(again.text, `"expires_in":40`) {
		t.Errorf("first %s\nthen %s", first.text, again.text)
	}
	if opaque.FindString(next.text) == opaque.FindString(first.text) || !strings.Contains(next.text, `"expires_in":60`) {
		t.Errorf("first %s\nnext %s", first.text, next.text)
	}
}
