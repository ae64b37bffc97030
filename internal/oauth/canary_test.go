package oauth_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tokensync/tokensync/internal/assertion"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

const (
	subjectToken = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.5ubjectSIGNATURE5ubject"
	readyToken   = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.r34dySIGNATUREr34dy"
	ownPassword  = "pa55WORD of the user"
)

// secretsOf returns what a server received and must not be shown, and what of a
// JWT is of use to others.
func secretsOf(values url.Values) []string {
	var secrets []string

	for _, name := range []string{"client_secret", "client_assertion", "assertion", "subject_token", "password"} {
		for _, value := range values[name] {
			secrets = append(secrets, value)

			if i := strings.LastIndexByte(value, '.'); i >= 0 {
				secrets = append(secrets, value[i+1:])
			}
		}
	}

	return secrets
}

// TestNoErrorHoldsWhatWasSent lets servers echo all that they were sent, each
// in its own way.
func TestNoErrorHoldsWhatWasSent(t *testing.T) {
	t.Parallel()

	key := ellipticKey(t).key
	clients := map[string]oauth.ClientAuthentication{
		"post":    {Method: oauth.MethodClientSecretPost, ID: "me", Secret: redact.New(clientSecret)},
		"secret":  {Method: oauth.MethodClientSecretJWT, ID: "me", Secret: redact.New(strings.Repeat(clientSecret, 3))},
		"key":     {Method: oauth.MethodPrivateKeyJWT, ID: "me", Key: key},
		"a token": {Method: oauth.MethodPrivateKeyJWT, Token: redact.New(readyToken)},
	}
	say := func(status int, text string) http.HandlerFunc {
		body, err := json.Marshal(map[string]string{"error": "invalid_client", "error_description": "Bad: " + text})
		if err != nil {
			panic(err)
		}

		return reply(status, string(body))
	}
	answers := map[string]func(sent string, each []string) http.HandlerFunc{
		"all":  func(sent string, _ []string) http.HandlerFunc { return say(400, sent) },
		"each": func(_ string, each []string) http.HandlerFunc { return say(400, strings.Join(each, " ")) },
		"in base64": func(sent string, _ []string) http.HandlerFunc {
			return say(401, base64.StdEncoding.EncodeToString([]byte(sent)))
		},
		"escaped": func(sent string, _ []string) http.HandlerFunc { return say(200, url.QueryEscape(sent)) },
		"a 500":   func(sent string, _ []string) http.HandlerFunc { return say(500, sent) },
		"a code":  func(_ string, each []string) http.HandlerFunc { return reply(400, `{"error":"`+each[len(each)-1]+`"}`) },
		"no JSON": func(sent string, _ []string) http.HandlerFunc { return reply(400, sent) },
		"a redirect": func(sent string, _ []string) http.HandlerFunc {
			return reply(302, "", "Location: /x?"+url.PathEscape(sent))
		},
		"gone before": func(string, []string) http.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		},
	}

	for name, client := range clients {
		for how, answer := range answers {
			for _, format := range []oauth.BodyFormat{oauth.BodyForm, oauth.BodyJSON, oauth.BodyQuery} {
				t.Run(fmt.Sprintf("%s, %s, %s", name, format, how), func(t *testing.T) {
					t.Parallel()

					checkEcho(t, client, format, key, answer)
				})
			}
		}
	}
}

// checkEcho makes a request with all kinds of secrets.
func checkEcho(t *testing.T, client oauth.ClientAuthentication, format oauth.BodyFormat, key *assertion.Key,
	answer func(sent string, each []string) http.HandlerFunc,
) {
	t.Helper()

	var (
		server   *httptest.Server
		received func() []sent
		noted    = make(chan []string, 1)
	)

	server, received = serve(t, func(w http.ResponseWriter, r *http.Request) {
		all := received()
		last := all[len(all)-1]
		values := last.form

		if format == oauth.BodyQuery {
			values = r.URL.Query()
		}

		if format == oauth.BodyJSON {
			values = url.Values{}
			for name, value := range decode(t, []byte(last.body)) {
				values.Set(name, fmt.Sprint(value))
			}
		}

		secrets := secretsOf(values)
		noted <- secrets
		answer(last.uri+" "+last.body, secrets)(w, r)
	})

	request := newRequest(server)
	request.BodyFormat, request.Client, request.Assertion = format, client, &oauth.Assertion{Key: key, Issuer: "me"}
	request.Grant = []oauth.Field{field("subject_token", subjectToken), field("password", ownPassword)}

	got, err := newClient(t).Token(t.Context(), request)
	e := failure(t, got, err)

	secrets := <-noted
	if len(secrets) < 6 {
		t.Fatalf("the server received %d secrets", len(secrets))
	}

	for _, text := range []string{fmt.Sprintf("%+v %#v", *e, e), e.Error()} {
		for _, secret := range secrets {
			for _, form := range forms(secret) {
				// The middle is what no encoding around it changes.
				if part := form[len(form)/4 : len(form)*3/4]; strings.Contains(text, part) {
					t.Errorf("%q holds %s of %s", text, part, secret)
				}
			}
		}
	}
}

func TestTypesOfTokensAreNoSecrets(t *testing.T) {
	t.Parallel()

	server, _ := serve(t, reply(400, `{"error":"invalid_request","error_description":"No urn:example:type but `+subjectToken+`"}`))
	request := newRequest(server)
	request.Grant = []oauth.Field{field("subject_token", subjectToken), field("subject_token_type", "urn:example:type")}

	answer, err := newClient(t).Token(t.Context(), request)

	if e := failure(t, answer, err); e.Description != "No urn:example:type but "+redact.Marker {
		t.Errorf("got %s", e.Description)
	}
}

func TestKeysAndTokensAreNotPrinted(t *testing.T) {
	t.Parallel()

	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}

	request := oauth.Request{
		Client: oauth.ClientAuthentication{
			Method: oauth.MethodPrivateKeyJWT, Secret: redact.New(clientSecret), Token: redact.New(readyToken),
			Key: ellipticKey(t).key, Certificate: &tls.Certificate{PrivateKey: private},
		},
		Assertion: &oauth.Assertion{Key: ellipticKey(t).key},
		Grant:     []oauth.Field{field("subject_token", subjectToken)},
		Answered:  func() {},
	}

	var texts []string

	for _, value := range []any{request, &request, request.Client, &request.Client, request.Assertion} {
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}

		texts = append(texts, string(encoded))

		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
			texts = append(texts, fmt.Sprintf(verb, value))
		}
	}

	seed := private.Seed()
	for _, text := range texts {
		for _, secret := range []string{
			clientSecret, readyToken, subjectToken, string(seed), hex.EncodeToString(seed),
			strings.Trim(fmt.Sprintf("%d", seed), "[]"), base64.StdEncoding.EncodeToString(seed[:30]),
		} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q", text, secret)
			}
		}
	}
}
