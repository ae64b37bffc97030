package standin_test

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

const (
	callback = "http://127.0.0.1:49152/callback?from=login"
	verifier = "a-verifier-of-forty-three-characters-0123456"
)

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// asking is the query of a good authorization request. Each change replaces a
// parameter, or takes an empty one away.
func asking(changes map[string]string) string {
	query := map[string]string{
		"response_type": "code", "client_id": id, "redirect_uri": callback, "scope": "read", "state": "st&te",
		"code_challenge": challenge(verifier), "code_challenge_method": "S256",
	}
	maps.Copy(query, changes)
	values := url.Values{}
	for name, value := range query {
		if value != "" {
			values.Set(name, value)
		}
	}
	return standin.AuthorizePath + "?" + values.Encode()
}

// decide posts the form of a page and returns what the redirect answers.
func decide(t *testing.T, server *standin.Server, target, decision string) url.Values {
	t.Helper()
	response := call(t, server, http.MethodPost, target, "decision="+decision)
	location, err := url.Parse(response.header.Get("Location"))
	if err != nil || response.status != http.StatusSeeOther {
		t.Fatalf("%d %s, %v", response.status, response.text, err)
	}
	return location.Query()
}

// redeeming makes a request one to redeem a code.
func redeeming(code string) edit {
	return func(r *http.Request, form url.Values) {
		form.Set("grant_type", "authorization_code")
		form.Set("code", code)
		form.Set("redirect_uri", callback)
		form.Set("code_verifier", verifier)
		encodedBasic()(r, form)
	}
}

// codeOptions are those of a server with codes, by a clock.
func codeOptions(clock func() time.Time) standin.Options {
	return standin.Options{
		Clients:  map[string]string{id: secret, "public": ""},
		Rotation: &standin.Rotation{}, Clock: clock,
		RedirectURIs: []string{
			"https://example.com/callback", "http://127.0.0.1/callback?from=login", "http://10.0.0.1:80/callback",
		},
	}
}

func TestTheConsentPage(t *testing.T) {
	server := standin.NewOAuth(codeOptions(fixed))
	response := call(t, server, http.MethodGet, asking(map[string]string{"scope": "<read>"}), "")
	expectHeader(t, response, map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})
	for _, part := range []string{`<form method="post">`, `id="allow"`, `id="deny"`, "&lt;read&gt;", id} {
		if !strings.Contains(response.text, part) {
			t.Errorf("the page lacks %s:\n%s", part, response.text)
		}
	}
	if strings.Contains(response.text, "<read>") {
		t.Error("the page does not escape")
	}
	if got := call(t, server, http.MethodPost, asking(nil), "decision=maybe").status; got != http.StatusBadRequest {
		t.Errorf("an unknown decision: %d", got)
	}
	if got := call(t, server, http.MethodDelete, asking(nil), "").status; got != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", got)
	}
	if outcomes := server.Counts().Outcomes; outcomes[standin.Shown] != 2 || outcomes[standin.Consented] != 0 {
		t.Errorf("counted %v", outcomes)
	}
}

func TestConsentIsRedirected(t *testing.T) {
	options := codeOptions(fixed)
	server := standin.NewOAuth(options)
	if got := decide(t, server, asking(nil), "allow"); got.Get("code") == "" || got.Get("state") != "st&te" || got.Get("from") != "login" || got.Has("iss") {
		t.Errorf("allowed: %v", got)
	}
	if got := decide(t, server, asking(map[string]string{"state": ""}), "deny"); got.Get("error") != "access_denied" || got.Has("state") || got.Has("code") {
		t.Errorf("denied: %v", got)
	}
	response := call(t, server, http.MethodPost, asking(map[string]string{"redirect_uri": ""}), "decision=allow")
	if !strings.HasPrefix(response.header.Get("Location"), "https://example.com/callback?code=") {
		t.Errorf("without redirect_uri: %v", response.header)
	}
	options.SendIssuer = true
	if got := decide(t, standin.NewOAuth(options), asking(nil), "allow").Get("iss"); got != "http://example.com" {
		t.Errorf("iss is %q", got)
	}
	if outcomes := server.Counts().Outcomes; outcomes[standin.Consented] != 2 || outcomes[standin.Withheld] != 1 {
		t.Errorf("counted %v", outcomes)
	}
	if v := server.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}

func TestAuthorizationRequestsAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change map[string]string
		// fault is what the redirect says; without one there is none.
		fault string
		rule  standin.Rule
	}{
		"no client":                    {change: map[string]string{"client_id": ""}},
		"an unknown client":            {change: map[string]string{"client_id": "who"}},
		"an unknown address":           {change: map[string]string{"redirect_uri": "https://example.com/callback/"}},
		"loopback by name":             {change: map[string]string{"redirect_uri": "http://localhost:1/callback?from=login"}},
		"another loopback path":        {change: map[string]string{"redirect_uri": "http://127.0.0.1:1/other"}},
		"another loopback address":     {change: map[string]string{"redirect_uri": "http://[::1]:1/callback?from=login"}},
		"another port of a host":       {change: map[string]string{"redirect_uri": "http://10.0.0.1:81/callback"}},
		"a port that matters":          {change: map[string]string{"redirect_uri": "https://example.com:8443/callback"}},
		"a fragment":                   {change: map[string]string{"redirect_uri": "https://example.com/callback#x"}},
		"no response type":             {change: map[string]string{"response_type": ""}, fault: "invalid_request"},
		"another response type":        {change: map[string]string{"response_type": "token"}, fault: "unsupported_response_type"},
		"a plain challenge":            {change: map[string]string{"code_challenge_method": "plain"}, fault: "invalid_request", rule: standin.WrongPKCE},
		"no challenge method":          {change: map[string]string{"code_challenge_method": ""}, fault: "invalid_request", rule: standin.WrongPKCE},
		"a challenge that is no hash":  {change: map[string]string{"code_challenge": "x"}, fault: "invalid_request", rule: standin.WrongPKCE},
		"an unknown scope":             {change: map[string]string{"scope": "write"}, fault: "invalid_scope"},
		"the verifier with the others": {change: map[string]string{"code_verifier": verifier, "response_type": "x"}, fault: "unsupported_response_type", rule: standin.SecretInURL},
	} {
		t.Run(name, func(t *testing.T) {
			options := codeOptions(fixed)
			options.Scopes = []string{"read"}
			server := standin.NewOAuth(options)
			response := call(t, server, http.MethodPost, asking(test.change), "decision=allow")
			location, err := url.Parse(response.header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			want := http.StatusBadRequest
			if test.fault != "" {
				want = http.StatusSeeOther
			}
			if response.status != want || location.Query().Get("error") != test.fault || location.Query().Has("code") {
				t.Errorf("%d %s %s", response.status, location, response.text)
			}
			expectRule(t, server, test.rule)
		})
	}
	server := standin.NewOAuth(codeOptions(fixed))
	if got := call(t, server, http.MethodGet, asking(nil)+"&state=2", "").status; got != http.StatusBadRequest {
		t.Errorf("a parameter twice: %d", got)
	}
}

func TestAnyAddressIsGoodWhereNoneIsRegistered(t *testing.T) {
	options := codeOptions(fixed)
	options.RedirectURIs = nil
	server := standin.NewOAuth(options)
	for address, want := range map[string]int{
		"https://example.com/x":    http.StatusSeeOther,
		"http://localhost:1/x?a=b": http.StatusSeeOther,
		"https://example.com/#x":   http.StatusBadRequest,
		"https://me@example.com/":  http.StatusBadRequest,
		"/callback":                http.StatusBadRequest,
		"example.com":              http.StatusBadRequest,
		"":                         http.StatusBadRequest,
	} {
		if got := call(t, server, http.MethodPost, asking(map[string]string{"redirect_uri": address}), "decision=allow").status; got != want {
			t.Errorf("%q: %d, want %d", address, got, want)
		}
	}
}

// expectRule wants that rule broken and no other; none where it is empty.
func expectRule(t *testing.T, server *standin.Server, rule standin.Rule) {
	t.Helper()
	v := server.Violations()
	if broken := len(v) > 0; broken != (rule != "") || broken && (len(v) != 1 || v[0].Rule != rule) {
		t.Errorf("violations %v, want %q", v, rule)
	}
}

func TestACodeIsRedeemedOnce(t *testing.T) {
	server := standin.NewOAuth(codeOptions(fixed))
	code := decide(t, server, asking(nil), "allow").Get("code")
	response := token(t, server, redeeming(code))
	want := `{"access_token":"TOKEN","token_type":"Bearer","expires_in":3600,"refresh_token":"TOKEN","scope":"read"}`
	if response.status != http.StatusOK || response.masked() != want {
		t.Fatalf("%d %s", response.status, response.masked())
	}
	first := response.told(t)
	next := token(t, server, refreshing(first.RefreshToken)).told(t)
	if next.RefreshToken == "" || server.FamilyOf(first.AccessToken).Generation != 1 {
		t.Errorf("refreshed: %+v", next)
	}
	if got := token(t, server, redeeming(code)).told(t).Error; got != "invalid_grant" {
		t.Errorf("the second time: %q", got)
	}
	for _, accessToken := range []string{first.AccessToken, next.AccessToken} {
		if _, _, ok := server.Check(accessToken); ok {
			t.Error("a token of a code that was used twice is good")
		}
	}
	expectRule(t, server, "")
}

func TestCodesAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		asked map[string]string
		edits []edit
		after time.Duration
		code  string
		rule  standin.Rule
	}{
		"good until the end":     {after: time.Minute - 1},
		"too late":               {after: time.Minute, code: "invalid_grant"},
		"another port":           {edits: []edit{parameter("redirect_uri", strings.Replace(callback, "49152", "1", 1))}, code: "invalid_grant"},
		"no redirect_uri":        {edits: []edit{parameter("redirect_uri")}, code: "invalid_grant"},
		"another client":         {edits: []edit{parameter("client_id", "public"), func(r *http.Request, _ url.Values) { r.Header.Del("Authorization") }}, code: "invalid_grant"},
		"a wrong client":         {edits: []edit{rawBasic(id, "x")}, code: "invalid_client"},
		"no code":                {edits: []edit{parameter("code")}, code: "invalid_request"},
		"somebody's code":        {edits: []edit{parameter("code", "x")}, code: "invalid_grant"},
		"no verifier":            {edits: []edit{parameter("code_verifier")}, code: "invalid_grant", rule: standin.WrongPKCE},
		"a wrong verifier":       {edits: []edit{parameter("code_verifier", verifier+"x")}, code: "invalid_grant", rule: standin.WrongPKCE},
		"no challenge":           {asked: map[string]string{"code_challenge": "", "code_challenge_method": ""}, code: "invalid_grant", rule: standin.WrongPKCE},
		"a short verifier":       {asked: map[string]string{"code_challenge": challenge("x")}, edits: []edit{parameter("code_verifier", "x")}, code: "invalid_grant", rule: standin.WrongPKCE},
		"the client it is for":   {asked: map[string]string{"client_id": "public"}, edits: []edit{parameter("client_id", "public"), func(r *http.Request, _ url.Values) { r.Header.Del("Authorization") }}},
		"the code in the URL":    {edits: []edit{func(r *http.Request, _ url.Values) { r.URL.RawQuery = "code=x" }}, rule: standin.SecretInURL},
		"nobody asked for it so": {asked: map[string]string{"redirect_uri": ""}, code: "invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := &clock{now: noon}
			server := standin.NewOAuth(codeOptions(clock.Now))
			code := decide(t, server, asking(test.asked), "allow").Get("code")
			clock.now = noon.Add(test.after)
			if got := token(t, server, append([]edit{redeeming(code)}, test.edits...)...).told(t).Error; got != test.code {
				t.Errorf("%q, want %q", got, test.code)
			}
			expectRule(t, server, test.rule)
		})
	}
}

func TestTheAnswerOfACodeIsLost(t *testing.T) {
	server := standin.NewOAuth(codeOptions(fixed))
	server.Misbehave(standin.Behavior{Fault: standin.Respond, Status: http.StatusBadGateway, AfterRotation: true, Next: 1})
	code := decide(t, server, asking(nil), "allow").Get("code")
	if got := token(t, server, redeeming(code)).status; got != http.StatusBadGateway {
		t.Errorf("at first: %d", got)
	}
	families := server.Families()
	if len(families) != 1 || server.StateOf(families[0].LastToken) != standin.TokenCurrent {
		t.Errorf("families: %+v", families)
	}
	if got := token(t, server, redeeming(code)).told(t).Error; got != "invalid_grant" {
		t.Errorf("then: %q", got)
	}
}
