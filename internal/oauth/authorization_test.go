package oauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

const (
	aState    = "5tateOFtheREQUEST"
	aVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	aCode     = "c0deOFtheANSWER/+="
)

// newAuthorization returns a request that is good.
func newAuthorization() oauth.AuthorizationRequest {
	return oauth.AuthorizationRequest{
		AuthorizationURL: "https://id.example.com/authorize", ClientID: "me", RedirectURI: "http://127.0.0.1:8085/callback",
		State: redact.New(aState), CodeChallenge: oauth.CodeChallenge(redact.New(aVerifier)),
	}
}

func TestWhereABrowserIsSent(t *testing.T) {
	t.Parallel()

	const tail = "&state=" + aState + "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"

	for name, test := range map[string]struct {
		change   func(*oauth.AuthorizationRequest)
		insecure bool
		want     string
	}{
		"the least": {
			change: func(r *oauth.AuthorizationRequest) { r.RedirectURI = "" },
			want:   "https://id.example.com/authorize?response_type=code&client_id=me" + tail,
		},
		"a loopback address": {
			want: "https://id.example.com/authorize?response_type=code&client_id=me" +
				"&redirect_uri=http%3A%2F%2F127.0.0.1%3A8085%2Fcallback" + tail,
		},
		"everything": {
			change: func(r *oauth.AuthorizationRequest) {
				r.RedirectURI = "https://app.example.com/a?b=c"
				r.Scopes, r.Audiences, r.Resources = []string{"a:b", "c"}, []string{"x"}, []string{"urn:y", "urn:z"}
				r.Parameters = []oauth.Field{field("access_type", "offline"), field("prompt", "a b&c")}
			},
			want: "https://id.example.com/authorize?response_type=code&client_id=me&redirect_uri=https%3A%2F%2Fapp.example.com%2Fa%3Fb%3Dc" +
				"&scope=a%3Ab+c&audience=x&resource=urn%3Ay&resource=urn%3Az" + tail + "&access_type=offline&prompt=a+b%26c",
		},
		"scopes with commas": {
			change: func(r *oauth.AuthorizationRequest) {
				r.RedirectURI, r.Scopes, r.ScopeSeparator = "", []string{"a", "b"}, ","
			},
			want: "https://id.example.com/authorize?response_type=code&client_id=me&scope=a%2Cb" + tail,
		},
		"a query is kept": {
			change: func(r *oauth.AuthorizationRequest) {
				r.AuthorizationURL, r.RedirectURI = "https://id.example.com/a%2Fb?p=B2C_1%20x&flag&state=old", ""
			},
			want: "https://id.example.com/a%2Fb?p=B2C_1%20x&flag&response_type=code&client_id=me" + tail,
		},
		"http": {
			change: func(r *oauth.AuthorizationRequest) {
				r.AuthorizationURL, r.RedirectURI = "http://id.example.com/authorize", "http://app.example.com/"
			},
			insecure: true,
			want: "http://id.example.com/authorize?response_type=code&client_id=me" +
				"&redirect_uri=http%3A%2F%2Fapp.example.com%2F" + tail,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			request := newAuthorization()
			if test.change != nil {
				test.change(&request)
			}

			got, err := request.URL(test.insecure)
			if err != nil {
				t.Fatal(err)
			}

			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhereNoBrowserIsSent(t *testing.T) {
	t.Parallel()

	with := func(name string) func(*oauth.AuthorizationRequest) {
		return func(r *oauth.AuthorizationRequest) { r.Parameters = []oauth.Field{field(name, "x")} }
	}
	to := func(uri string) func(*oauth.AuthorizationRequest) {
		return func(r *oauth.AuthorizationRequest) { r.RedirectURI = uri }
	}
	at := func(endpoint string) func(*oauth.AuthorizationRequest) {
		return func(r *oauth.AuthorizationRequest) { r.AuthorizationURL = endpoint }
	}

	for name, test := range map[string]struct {
		change func(*oauth.AuthorizationRequest)
		want   string
	}{
		"no URL":             {at(""), "authorizationURL is not an absolute https URL."},
		"http":               {at("http://id.example.com/"), "authorizationURL begins with http://"},
		"a script":           {at("javascript:alert(1)"), "authorizationURL is not an absolute https URL."},
		"another scheme":     {at("ftp://id.example.com/"), "authorizationURL is not an https URL."},
		"a fragment":         {at("https://id.example.com/#"), "authorizationURL holds a fragment"},
		"userinfo":           {at("https://id.example.com@evil.example.com/"), "authorizationURL holds a user name or a password."},
		"no client":          {func(r *oauth.AuthorizationRequest) { r.ClientID = "" }, "needs a client ID."},
		"no state":           {func(r *oauth.AuthorizationRequest) { r.State = redact.String{} }, "has no state"},
		"no challenge":       {func(r *oauth.AuthorizationRequest) { r.CodeChallenge = "" }, "has no code challenge"},
		"response_type":      {with("response_type"), "The parameter response_type may not be added"},
		"in another case":    {with("Redirect_URI"), "The parameter redirect_uri may not be added"},
		"a state":            {with("state"), "The parameter state may not be added"},
		"a challenge":        {with("code_challenge_method"), "may not be added"},
		"a request object":   {with("request"), "may not be added"},
		"a request by name":  {with("request_uri"), "may not be added"},
		"another mode":       {with("response_mode"), "may not be added"},
		"the secret":         {with("client_secret"), "may not be added"},
		"the verifier":       {with("code_verifier"), "may not be added"},
		"a redirect by http": {to("http://app.example.com/"), "neither an https URL nor an http URL of this machine"},
		"a look-alike":       {to("http://127.0.0.1.example.com/"), "neither an https URL"},
		"a redirect to an app": {
			to("com.example.app://callback"), "neither an https URL",
		},
		"a redirect to nowhere":    {to("/callback"), "The redirect URI is not an absolute URL."},
		"a redirect of a fragment": {to("https://app.example.com/#a"), "The redirect URI holds a user name or a fragment."},
		"a redirect with a name":   {to("https://a@app.example.com/"), "The redirect URI holds a user name or a fragment."},
		"a parameter twice": {
			func(r *oauth.AuthorizationRequest) { r.Parameters = []oauth.Field{field("a", "x"), field("a", "y")} },
			"The parameter a of the authorization request occurs twice.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			request := newAuthorization()
			test.change(&request)

			got, err := request.URL(false)

			var e *oauth.Error
			if !errors.As(err, &e) || got != "" || e.Class != lifetime.Configuration || !strings.Contains(e.Error(), test.want) {
				t.Errorf("got %q, %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestRedirectsToThisMachine(t *testing.T) {
	t.Parallel()

	for _, uri := range []string{"http://127.0.0.1/", "http://127.0.0.1:1/cb", "http://[::1]:9/", "http://localhost:8085/callback"} {
		request := newAuthorization()
		request.RedirectURI = uri

		if _, err := request.URL(false); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

func TestVerifiersAndStates(t *testing.T) {
	t.Parallel()

	for name, make43 := range map[string]func() (redact.String, error){
		"a code verifier": func() (redact.String, error) { return oauth.NewCodeVerifier(sevens{}) },
		"a state":         func() (redact.String, error) { return oauth.NewState(sevens{}) },
	} {
		got, err := make43()
		if want := strings.Repeat("BwcH", 10) + "Bwc"; err != nil || got.Reveal() != want {
			t.Errorf("%s: got %q, %v, want %s", name, got.Reveal(), err, want)
		}

		if text := fmt.Sprintf("%v %+v %#v %s", got, got, got, got); strings.Contains(text, "Bwc") {
			t.Errorf("%s: %s", name, text)
		}
	}

	got, err := oauth.NewCodeVerifier(iotest.ErrReader(errors.New("broken")))
	if want := "The code verifier cannot be made: the random source of this machine has failed."; err == nil ||
		err.Error() != want || !got.IsEmpty() {
		t.Errorf("got %v, %v", got, err)
	}
}

// exchangeOf returns the request that exchanges the code.
func exchangeOf(request oauth.Request) oauth.Request {
	request.GrantType = codeGrant
	request.Grant = []oauth.Field{
		field("code", aCode),
		{Name: "redirect_uri", Value: redact.New("http://127.0.0.1:8085/callback"), Public: true},
		field("code_verifier", aVerifier),
	}

	return request
}

func TestACodeIsExchanged(t *testing.T) {
	t.Parallel()

	server, received := serve(t, reply(200, `{"access_token":"t","refresh_token":"r","refresh_token_expires_in":"86400"}`))
	request := exchangeOf(newRequest(server))
	request.Client.Method = oauth.MethodNone

	answer, err := newClient(t).Token(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}

	const want = "grant_type=authorization_code&code=c0deOFtheANSWER%2F%2B%3D&redirect_uri=http%3A%2F%2F127.0.0.1%3A8085%2Fcallback" +
		"&code_verifier=" + aVerifier + "&client_id=client"

	if diff := cmp.Diff(want, received()[0].body); diff != "" {
		t.Error(diff)
	}

	if answer.RefreshToken.Reveal() != "r" {
		t.Error("no refresh token")
	}

	if expires, known := answer.RefreshTokenExpiresAt(); !known || !expires.Equal(start.AddDate(0, 0, 1)) {
		t.Errorf("the refresh token expires at %s, %t", expires, known)
	}
}

func TestACodeIsNotShown(t *testing.T) {
	t.Parallel()

	echo := strings.Join(append(forms(aCode), forms(aVerifier)...), " ")
	encoded := url.QueryEscape(echo)

	for name, handle := range map[string]http.HandlerFunc{
		"a description": reply(400, "error=invalid_grant&error_description="+encoded),
		"a code":        reply(400, "error="+encoded),
		"a 500":         reply(500, "error=x&error_description="+encoded),
		"a 429":         reply(429, "error=x&error_description="+encoded),
		"a 200":         reply(200, "error=x&error_description="+encoded),
		"a redirect":    reply(302, "", "Location: https://"+aVerifier+".example.com/?"+encoded),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := serve(t, handle)
			answer, err := newClient(t).Token(t.Context(), exchangeOf(newRequest(server)))
			e := failure(t, answer, err)
			text := fmt.Sprintf("%+v %#v", *e, e)

			for _, part := range []string{"OFtheANS", "B92K27uhbU", "QjkyS", "T0Zua"} {
				if strings.Contains(text, part) {
					t.Errorf("%s holds %s", text, part)
				}
			}
		})
	}
}

func TestARefreshTokenOfACodeSurvives(t *testing.T) {
	t.Parallel()

	server, _ := serve(t, reply(200, `{"access_token":7,"refresh_token":"r"}`))
	answer, err := newClient(t).Token(t.Context(), exchangeOf(newRequest(server)))

	if e := failure(t, answer, err); e.RefreshToken.Reveal() != "r" || e.Undecided || e.GrantRefused {
		t.Errorf("got %+v", e)
	}
}
