package oauth_test

import (
	"crypto/tls"
	"encoding/base64"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

func field(name, value string) oauth.Field {
	return oauth.Field{Name: name, Value: redact.New(value)}
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()

	basic := func(pair string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) }

	for name, test := range map[string]struct {
		change        func(*oauth.Request)
		body          string
		authorization string
		header        map[string]string
	}{
		"Basic, form-encoded first": {
			change: func(r *oauth.Request) {
				r.Client.ID, r.Client.Secret = "my client", redact.New("a+b/c==!:ä")
			},
			body:          "grant_type=client_credentials",
			authorization: basic("my+client:a%2Bb%2Fc%3D%3D%21%3A%C3%A4"),
		},
		"Basic, raw": {
			change: func(r *oauth.Request) {
				r.Client.BasicEncoding, r.Client.Secret = oauth.Raw, redact.New("a+b/c==!:ä")
			},
			body:          "grant_type=client_credentials",
			authorization: basic("client:a+b/c==!:ä"),
		},
		"Basic with an empty secret": {
			change:        func(r *oauth.Request) { r.Client.Secret = redact.String{} },
			body:          "grant_type=client_credentials",
			authorization: basic("client:"),
		},
		"post": {
			change: func(r *oauth.Request) {
				r.Client.Method, r.Client.Secret = oauth.MethodClientSecretPost, redact.New("a+b c")
				r.Scopes = []string{"acme_news_prod"}
			},
			body: "grant_type=client_credentials&scope=acme_news_prod&client_id=client&client_secret=a%2Bb+c",
		},
		"none with an ID": {
			change: func(r *oauth.Request) { r.Client.Method = oauth.MethodNone },
			body:   "grant_type=client_credentials&client_id=client",
		},
		"none without one, and an Authorization header": {
			change: func(r *oauth.Request) {
				r.Client = oauth.ClientAuthentication{Method: oauth.MethodNone}
				r.Headers = []oauth.Field{field("authorization", "Bearer abc+/=")}
			},
			body:          "grant_type=client_credentials",
			authorization: "Bearer abc+/=",
		},
		"no grant type": {
			change:        func(r *oauth.Request) { r.GrantType = ""; r.Parameters = []oauth.Field{field("q", "")} },
			body:          "q=",
			authorization: basic("client:hunter22hunter22"),
		},
		"lists keep their order": {
			change: func(r *oauth.Request) {
				r.Scopes = []string{"b", "a"}
				r.Audiences = []string{"https://b.example.com/", "a"}
				r.Resources = []string{"urn:b", "urn:a"}
			},
			body: "grant_type=client_credentials&scope=b+a&audience=https%3A%2F%2Fb.example.com%2F&audience=a" +
				"&resource=urn%3Ab&resource=urn%3Aa",
			authorization: basic("client:hunter22hunter22"),
		},
		"parameters replace standard ones, and may repeat": {
			change: func(r *oauth.Request) {
				r.Audiences = []string{"gone", "gone too"}
				r.Parameters = []oauth.Field{
					field("audience", "x"), field("zoom", "1"), field("grant_type", "account_credentials"), field("audience", "y"),
				}
			},
			body:          "audience=x&zoom=1&grant_type=account_credentials&audience=y",
			authorization: basic("client:hunter22hunter22"),
		},
		"headers": {
			change: func(r *oauth.Request) {
				r.Headers = []oauth.Field{
					field("Sync-App-Token", "abc+/=="), field("ACCEPT", "text/plain"), field("user-agent", "mine/1"),
					field("content-type", "application/x-www-form-urlencoded; charset=UTF-8"),
				}
			},
			body:          "grant_type=client_credentials",
			authorization: basic("client:hunter22hunter22"),
			header: map[string]string{
				"Sync-App-Token": "abc+/==", "Accept": "text/plain", "User-Agent": "mine/1",
				"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, received := serve(t, reply(http.StatusOK, good))
			request := newRequest(server)
			test.change(&request)

			if _, err := newClient(t).Token(t.Context(), request); err != nil {
				t.Fatal(err)
			}

			all := received()
			if len(all) != 1 {
				t.Fatalf("got %d requests", len(all))
			}

			want := map[string]string{
				"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded", "User-Agent": "tokensync",
			}
			maps.Copy(want, test.header)

			for name, value := range want {
				if diff := cmp.Diff([]string{value}, all[0].header.Values(name)); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}

			got := []string{all[0].method, all[0].uri, all[0].body, all[0].header.Get("Authorization")}
			if diff := cmp.Diff([]string{http.MethodPost, "/oauth/token", test.body, test.authorization}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheQueryOfTheURLIsKept(t *testing.T) {
	t.Parallel()

	server, received := serve(t, reply(http.StatusOK, good))
	request := newRequest(server)
	request.TokenURL += "?tenant=a%20b"

	if _, err := newClient(t).Token(t.Context(), request); err != nil {
		t.Fatal(err)
	}

	if got := received()[0].uri; got != "/oauth/token?tenant=a%20b" {
		t.Errorf("requested %s", got)
	}
}

func TestRequestsThatAreNotMade(t *testing.T) {
	t.Parallel()

	headers := func(fields ...oauth.Field) func(*oauth.Request) {
		return func(r *oauth.Request) { r.Headers = fields }
	}
	toURL := func(raw string) func(*oauth.Request) {
		return func(r *oauth.Request) { r.TokenURL = raw }
	}

	client := func(method oauth.Method) func(*oauth.Request) {
		return func(r *oauth.Request) {
			r.TokenURL, r.Client = "https://id.example.com/", oauth.ClientAuthentication{Method: method, ID: "me"}
		}
	}
	send := func(method string, format oauth.BodyFormat) func(*oauth.Request) {
		return func(r *oauth.Request) { r.Method, r.BodyFormat = method, format }
	}

	tests := map[string]struct {
		change func(*oauth.Request)
		kind   oauth.Kind
		text   string
	}{
		"no URL":                 {toURL(""), oauth.KindInvalidRequest, "not an absolute https URL"},
		"no host":                {toURL("https:///token"), oauth.KindInvalidRequest, "not an absolute https URL"},
		"no host but a port":     {toURL("https://:443/token"), oauth.KindInvalidRequest, "not an absolute https URL"},
		"no such port":           {toURL("https://id.example.com:99999/"), oauth.KindInvalidRequest, "not an absolute https URL"},
		"a URL that is none":     {toURL("https://id.example.com/%zz"), oauth.KindInvalidRequest, "not an absolute https URL"},
		"another scheme":         {toURL("ftp://id.example.com/"), oauth.KindInvalidRequest, "not an https URL"},
		"userinfo":               {toURL("https://u:pa55word@id.example.com/"), oauth.KindInvalidRequest, "user name"},
		"a fragment":             {toURL("https://id.example.com/#f"), oauth.KindInvalidRequest, "fragment"},
		"an empty fragment":      {toURL("https://id.example.com/#"), oauth.KindInvalidRequest, "fragment"},
		"no method":              {func(r *oauth.Request) { r.Client.Method = "" }, oauth.KindInvalidRequest, `method ""`},
		"an unknown method":      {func(r *oauth.Request) { r.Client.Method = "private_key" }, oauth.KindInvalidRequest, `"private_key"`},
		"an unknown encoding":    {func(r *oauth.Request) { r.Client.BasicEncoding = "raw" }, oauth.KindInvalidRequest, `"raw"`},
		"no client ID":           {func(r *oauth.Request) { r.Client.ID = "" }, oauth.KindInvalidRequest, "client ID"},
		"a raw ID with colon":    {func(r *oauth.Request) { r.Client.ID, r.Client.BasicEncoding = "a:b", oauth.Raw }, oauth.KindInvalidRequest, "colon"},
		"two authorizations":     {headers(field("AUTHORIZATION", "x")), oauth.KindInvalidRequest, "Authorization header of its own"},
		"a secret in parameters": {func(r *oauth.Request) { r.Parameters = []oauth.Field{field("client_secret", "x")} }, oauth.KindInvalidRequest, "client_secret"},
		"an assertion in those":  {func(r *oauth.Request) { r.Parameters = []oauth.Field{field("client_assertion", "x")} }, oauth.KindInvalidRequest, "client_assertion"},
		"a line break":           {headers(field("X-Key", "pa55word\n")), oauth.KindInvalidRequest, "X-Key holds a line break"},
		"a null character":       {headers(field("X-Key", "pa55\x00word")), oauth.KindInvalidRequest, "X-Key holds a line break"},
		"no header name":         {headers(field("", "x")), oauth.KindInvalidRequest, "not a valid one"},
		"a bad header name":      {headers(field("X Key\r\n", "x")), oauth.KindInvalidRequest, `"X Key" is not a valid one`},
		"a refresh token there":  {func(r *oauth.Request) { r.Parameters = []oauth.Field{field("Refresh_Token", "x")} }, oauth.KindInvalidRequest, "refresh_token"},
		"no secret to sign with": {client(oauth.MethodClientSecretJWT), oauth.KindInvalidRequest, "needs a client secret"},
		"no key to sign with":    {client(oauth.MethodPrivateKeyJWT), oauth.KindInvalidRequest, "needs a key"},
		"no certificate":         {client(oauth.MethodTLSClientAuth), oauth.KindInvalidRequest, "needs a client certificate"},
		"no certificate either":  {client(oauth.MethodSelfSignedTLSClientAuth), oauth.KindInvalidRequest, "needs a client certificate"},
		"a certificate over http": {func(r *oauth.Request) {
			r.Client.Method, r.Client.Certificate = oauth.MethodTLSClientAuth, &tls.Certificate{}
		}, oauth.KindInvalidRequest, "begins with https://"},
		"another HTTP method":   {func(r *oauth.Request) { r.Method = "PATCH" }, oauth.KindInvalidRequest, `method "PATCH"`},
		"another format":        {func(r *oauth.Request) { r.BodyFormat = "form" }, oauth.KindInvalidRequest, `bodyFormat "form"`},
		"GET a form":            {send(http.MethodGet, ""), oauth.KindInvalidRequest, "GET has no body"},
		"GET JSON":              {send(http.MethodGet, oauth.BodyJSON), oauth.KindInvalidRequest, "GET has no body"},
		"a secret without body": {func(r *oauth.Request) { r.Client.Method, r.BodyFormat = oauth.MethodClientSecretPost, oauth.BodyNone }, oauth.KindInvalidRequest, "client_secret_post needs the parameter client_id, and bodyFormat None sends no parameters"},
		"JSON as a form": {func(r *oauth.Request) {
			r.BodyFormat, r.Headers = oauth.BodyJSON, []oauth.Field{field("Content-Type", "application/x-www-form-urlencoded")}
		}, oauth.KindInvalidRequest, "which is application/json"},
		"a type of nothing": {func(r *oauth.Request) {
			r.BodyFormat, r.Headers = oauth.BodyQuery, []oauth.Field{field("Content-Type", "application/x-www-form-urlencoded")}
		}, oauth.KindInvalidRequest, "a request without a body"},
		"JSON that is not UTF-8": {func(r *oauth.Request) {
			r.BodyFormat, r.Parameters = oauth.BodyJSON, []oauth.Field{field("key", "pa55word\xff")}
		}, oauth.KindInvalidRequest, "The parameter key holds bytes that are not UTF-8"},
		"another content type": {headers(field("Content-Type", "application/json")), oauth.KindInvalidRequest, "Content-Type"},
		"an empty CA bundle":   {func(r *oauth.Request) { r.CABundle = []byte{} }, oauth.KindInvalidKey, "no certificate"},
		"a CA bundle of text":  {func(r *oauth.Request) { r.CABundle = []byte("pa55word") }, oauth.KindInvalidKey, "no certificate"},
		"a CA bundle of rubbish": {func(r *oauth.Request) {
			r.CABundle = []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
		}, oauth.KindInvalidKey, "cannot be read"},
	}

	for name := range strings.FieldsSeq("Host content-length accept-encoding Transfer-Encoding Connection TE trailer Upgrade Expect " +
		"Proxy-Authorization proxy-connection PROXY-x Keep-Alive HTTP2-Settings") {
		tests["the header "+name] = struct {
			change func(*oauth.Request)
			kind   oauth.Kind
			text   string
		}{headers(field(name, "pa55word")), oauth.KindInvalidRequest, "may not be set"}
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, received := serve(t, reply(http.StatusOK, good))
			request := newRequest(server)
			test.change(&request)

			answer, err := newClient(t).Token(t.Context(), request)
			e := failure(t, answer, err)

			if e.Kind != test.kind || e.Class != lifetime.Configuration || !strings.Contains(e.Error(), test.text) {
				t.Errorf("got %s, %s: %s", e.Kind, e.Class, e)
			}

			if strings.Contains(e.Error(), "pa55") || strings.ContainsAny(e.Error(), "\r\n") {
				t.Errorf("got %q", e)
			}

			if len(received()) != 0 {
				t.Error("a request was made")
			}
		})
	}
}
