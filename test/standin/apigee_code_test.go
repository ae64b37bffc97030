package standin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/standin"
)

// apigeeCode makes a request one to redeem a code of Syncplicity.
func apigeeCode(code string) edit {
	return func(r *http.Request, form url.Values) {
		rawBasic(id, secret)(r, form)
		form.Set("grant_type", "authorization_code")
		form.Set("code", code)
	}
}

func TestSyncplicityRedeemsCodesByteForByte(t *testing.T) {
	clock := &clock{now: noon}
	options := syncplicityOptions()
	options.Clock, options.Rotation = clock.Now, &standin.Rotation{}
	options.RedirectURIs = []string{"https://example.com/back"}
	for name, test := range map[string]struct {
		asked string
		edits []edit
		after time.Duration
		rule  standin.Rule
		want  string
	}{
		"bare":                     {asked: "scope=read+readwrite", after: 30*time.Second - 1},
		"with redirect_uri":        {asked: "scope=read+readwrite&redirect_uri=https://example.com/back", edits: []edit{parameter("redirect_uri", "https://example.com/back")}},
		"without it the second":    {asked: "scope=read+readwrite&redirect_uri=https://example.com/back"},
		"with PKCE":                {asked: "scope=read+readwrite&code_challenge_method=S256&code_challenge=" + challenge(verifier), edits: []edit{parameter("code_verifier", verifier)}},
		"too late":                 {after: 30 * time.Second, want: `{"ErrorCode" : "invalid_request", "Error" :"Invalid Authorization Code"}`},
		"another redirect_uri":     {asked: "redirect_uri=https://example.com/back", edits: []edit{parameter("redirect_uri", "oob")}, want: `{"ErrorCode" : "invalid_request", "Error" :"Invalid redirect_uri : oob"}`},
		"no code":                  {edits: []edit{parameter("code")}, want: `{"ErrorCode" : "invalid_request", "Error" :"Required param : code"}`},
		"another parameter":        {edits: []edit{parameter("client_id", id), parameter("code", "x")}, rule: standin.UnknownParameter, want: `{"ErrorCode" : "invalid_request", "Error" :"Invalid Authorization Code"}`},
		"a wrong secret":           {edits: []edit{rawBasic(id, "x")}, want: `{"ErrorCode" : "invalid_client", "Error" :"ClientId is Invalid"}`},
		"a code for the app token": {edits: []edit{parameter("grant_type", "client_credentials"), header("Sync-App-Token", app)}, rule: standin.UnknownParameter, want: "TOKEN"},
	} {
		t.Run(name, func(t *testing.T) {
			clock.now = noon
			server := standin.NewSyncplicity(options)
			code := decide(t, server, standin.AuthorizePath+"?response_type=code&client_id="+id+"&"+test.asked, "allow").Get("code")
			clock.now = noon.Add(test.after)
			response := token(t, server, append([]edit{apigeeCode(code)}, test.edits...)...)
			expectRule(t, server, test.rule)
			if test.want != "" {
				if got := response.masked(); !strings.Contains(got, test.want) {
					t.Errorf("%d %s\nwant %s", response.status, got, test.want)
				}
				return
			}
			options := options
			alone := token(t, standin.NewSyncplicity(options), rawBasic(id, secret), header("Sync-App-Token", app), parameter("scope", "read readwrite"))
			if response.status != http.StatusOK || response.masked() != alone.masked() || strings.Contains(response.text, "refresh_token\"") {
				t.Errorf("%d %s\nwant %s", response.status, response.masked(), alone.masked())
			}
			if got := token(t, server, append([]edit{apigeeCode(code)}, test.edits...)...); got.status != http.StatusBadRequest {
				t.Errorf("the second time: %d %s", got.status, got.text)
			}
		})
	}
}

func TestSyncplicityRefusesConsentLikeApigee(t *testing.T) {
	options := syncplicityOptions()
	options.RedirectURIs = []string{"https://example.com/back"}
	server := standin.NewSyncplicity(options)
	for query, want := range map[string]string{
		"response_type=code":                  `{"ErrorCode" : "invalid_request", "Error" :"The request is missing a required parameter : client_id"}`,
		"response_type=code&client_id=x":      `{"ErrorCode" : "invalid_request", "Error" :"Invalid client id : x. ClientId is Invalid"}`,
		"client_id=" + id:                     `{"ErrorCode" : "invalid_request", "Error" :"The request is missing a required parameter : response_type"}`,
		"response_type=token&client_id=" + id: `{"ErrorCode" : "invalid_request", "Error" :"Response type must be code"}`,
		"response_type=code&redirect_uri=http://a.example&client_id=" + id: `{"ErrorCode" : "invalid_request", "Error" :"Invalid redirection uri http://a.example"}`,
	} {
		response := call(t, server, http.MethodGet, standin.AuthorizePath+"?"+query, "")
		if response.status < 400 || response.text != want {
			t.Errorf("%s: %d %s", query, response.status, response.text)
		}
	}
	if got := decide(t, server, standin.AuthorizePath+"?state=s&response_type=code&client_id="+id, "deny"); got.Get("error") != "access_denied" || got.Get("state") != "s" {
		t.Errorf("denied: %v", got)
	}
}
