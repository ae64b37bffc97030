package oauth_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// The secrets of a request, each of which has a part that no encoding changes.
const (
	clientSecret = "cl13ntSECRET+/=&%\"x"
	headerSecret = "Bearer h34derSECRET=="
	paramSecret  = "p4ramSECRET x"
	querySecret  = "qu3rySECRET"
	answerSecret = "4nswerSECRET"
)

// forms returns how a server may echo a text.
func forms(text string) []string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}

	return []string{
		text, strings.TrimSpace(text), url.QueryEscape(text), url.PathEscape(text), string(quoted),
		base64.StdEncoding.EncodeToString([]byte(text)), base64.RawStdEncoding.EncodeToString([]byte(text)),
		base64.URLEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text)),
		hex.EncodeToString([]byte(text)),
	}
}

// echoes returns everything about a request that a server may echo.
func echoes() []string {
	var all []string

	for _, text := range []string{
		clientSecret, headerSecret, strings.TrimPrefix(headerSecret, "Bearer "), paramSecret, querySecret, answerSecret,
		"my client:" + clientSecret, url.QueryEscape("my client") + ":" + url.QueryEscape(clientSecret),
	} {
		all = append(all, forms(text)...)
	}

	return all
}

func TestNoErrorHoldsASecret(t *testing.T) {
	t.Parallel()

	object := func(pairs ...string) string {
		values := map[string]any{"access_token_": 1}
		for i := 0; i < len(pairs); i += 2 {
			values[pairs[i]] = pairs[i+1]
		}

		encoded, err := json.Marshal(values)
		if err != nil {
			panic(err)
		}

		return string(encoded)
	}
	abort := func(_ http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

	failures := map[string]func(echo string) http.HandlerFunc{
		"a description": func(echo string) http.HandlerFunc {
			return reply(401, object("error", "invalid_client", "error_description", "Bad: "+echo, "access_token", answerSecret))
		},
		"a code": func(echo string) http.HandlerFunc { return reply(400, object("error", echo, "id_token", answerSecret)) },
		"a code of a 200": func(echo string) http.HandlerFunc {
			return reply(200, object("error", echo, "refresh_token", answerSecret))
		},
		"a body that is text": func(echo string) http.HandlerFunc { return reply(400, echo) },
		"a page":              func(echo string) http.HandlerFunc { return reply(200, "<html>"+echo) },
		"a broken body":       func(echo string) http.HandlerFunc { return reply(200, `{"`+echo) },
		"a form": func(echo string) http.HandlerFunc {
			return reply(400, "error_description="+url.QueryEscape(echo)+"&error=x&access_token="+answerSecret)
		},
		"a 5xx": func(echo string) http.HandlerFunc {
			return reply(500, object("error", echo, "error_description", echo, "access_token", answerSecret))
		},
		"a 429": func(echo string) http.HandlerFunc {
			return reply(429, object("error_description", echo, "access_token", answerSecret))
		},
		"a redirect to a path": func(echo string) http.HandlerFunc {
			return reply(302, echo, "Location: https://x.example.com/"+url.PathEscape(echo))
		},
		"a redirect to a host": func(echo string) http.HandlerFunc {
			return reply(302, echo, "Location: https://"+url.PathEscape(echo)+".example.com/")
		},
		"headers": func(echo string) http.HandlerFunc {
			return reply(401, "", "WWW-Authenticate: "+url.PathEscape(echo), "Retry-After: "+url.PathEscape(echo))
		},
		"an encoding":               func(echo string) http.HandlerFunc { return reply(200, "x", "Content-Encoding: "+url.PathEscape(echo)) },
		"a connection that is lost": func(string) http.HandlerFunc { return abort },
		"zero-width characters": func(echo string) http.HandlerFunc {
			return reply(400, object("error", "x", "error_description", strings.Join(strings.Split(echo, ""), "\u200b"), "access_token", answerSecret))
		},
	}

	for name, handle := range failures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var echo atomic.Value

			server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { handle(echo.Load().(string))(w, r) })
			client := newClient(t)
			request := newRequest(server)
			request.TokenURL += "?key=" + querySecret
			request.Client = oauth.ClientAuthentication{
				Method: oauth.MethodClientSecretBasic, ID: "my client", Secret: redact.New(clientSecret),
			}
			request.Headers = []oauth.Field{field("X-Key", headerSecret)}
			request.Parameters = []oauth.Field{field("key", paramSecret)}

			for _, text := range echoes() {
				if strings.Contains(name, "host") && slices.Contains(forms(answerSecret), text) {
					continue // not known: a redirect brings no token
				}

				echo.Store(text)

				answer, err := client.Token(t.Context(), request)
				checkNoSecret(t, failure(t, answer, err))
			}
		})
	}
}

func TestFailuresBeforeAnAnswerHoldNoSecret(t *testing.T) {
	t.Parallel()

	for name, tokenURL := range map[string]string{
		"no such host":     "https://does-not-exist.invalid/token?key=" + querySecret,
		"nobody listens":   "http://127.0.0.1:1/token?key=" + querySecret,
		"a refused target": "http://169.254.169.254/token?key=" + querySecret,
		"a broken URL":     "https://id.example.com/%zz?key=" + querySecret,
		"userinfo":         "https://x:" + querySecret + "@id.example.com/",
	} {
		request := oauth.Request{
			TokenURL: tokenURL, Parameters: []oauth.Field{field("key", paramSecret)},
			Client: oauth.ClientAuthentication{
				Method: oauth.MethodClientSecretPost, ID: "my client", Secret: redact.New(clientSecret),
			},
		}

		answer, err := newClient(t).Token(t.Context(), request)
		e := failure(t, answer, err)
		checkNoSecret(t, e)

		if strings.ContainsAny(e.Error(), "?%") || strings.Contains(e.Error(), "169.254.169.254:") {
			t.Errorf("%s: got %q", name, e)
		}
	}
}

func TestRequestsAndAnswersAreNotPrinted(t *testing.T) {
	t.Parallel()

	request := oauth.Request{
		Client:     oauth.ClientAuthentication{Secret: redact.New(clientSecret)},
		Headers:    []oauth.Field{field("X-Key", headerSecret)},
		Parameters: []oauth.Field{field("key", paramSecret)},
	}
	answer := oauth.Answer{AccessToken: redact.New(answerSecret), RefreshToken: redact.New(answerSecret)}

	for _, value := range []any{request, &request, answer, &answer, request.Secrets()} {
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}

		checkText(t, fmt.Sprintf("%v %+v %#v %s", value, value, value, encoded))
	}
}

// checkNoSecret looks at an error in every way that a program may show it.
func checkNoSecret(t *testing.T, e *oauth.Error) {
	t.Helper()

	encoded, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}

	checkText(t, string(encoded))

	for cause := error(e); cause != nil; cause = errors.Unwrap(cause) {
		checkText(t, fmt.Sprintf("%v %+v %#v %q %s", cause, cause, cause, cause, cause.Error()))
	}

	checkText(t, fmt.Sprintf("%+v %#v", *e, *e))
	checkText(t, fmt.Sprint(errors.Join(e, io.EOF)))
}

// checkText looks for the unmistakable part of each secret, and for base64 and
// hexadecimal forms of it.
func checkText(t *testing.T, text string) {
	t.Helper()

	for _, part := range []string{"cl13ntSECRET", "h34derSECRET", "p4ramSECRET", "qu3rySECRET", "4nswerSECRET"} {
		if strings.Contains(text, part) || strings.Contains(text, hex.EncodeToString([]byte(part))) {
			t.Fatalf("%q holds %s", text, part)
		}
	}

	for _, echo := range echoes() {
		// A shorter piece than half a secret tells nothing in base64.
		for i := 0; i+16 <= len(echo); i += 8 {
			if strings.Contains(text, echo[i:i+16]) {
				t.Fatalf("%q holds %s of %s", text, echo[i:i+16], echo)
			}
		}
	}
}

func TestOnlyAPublicParameterIsShown(t *testing.T) {
	t.Parallel()

	server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_scope","error_description":"no acme-corp for hidden-value or header-value"}`)
	})
	request := newRequest(server)
	request.Headers = []oauth.Field{{Name: "X-Tenant", Value: redact.New("header-value"), Public: true}}
	request.Parameters = []oauth.Field{
		{Name: "tenant", Value: redact.New("acme-corp"), Public: true},
		{Name: "other", Value: redact.New("hidden-value")},
	}

	_, err := newClient(t).Token(t.Context(), request)
	if err == nil || !strings.Contains(err.Error(), "acme-corp") ||
		strings.Contains(err.Error(), "hidden-value") || strings.Contains(err.Error(), "header-value") {
		t.Errorf("got %v", err)
	}
}
