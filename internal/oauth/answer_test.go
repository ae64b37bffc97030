package oauth_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
)

// plain is an Answer that go-cmp can show.
type plain struct {
	Token, Type, Scope, Refresh string
	ExpiresIn, ExpiresAt        any
	IssuedAt                    any
}

func TestAnswersThatCanBeUsed(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		body    string
		status  int
		headers []string
		want    plain
	}{
		"RFC 6749": {
			body: `{"access_token":"t","token_type":"bearer","expires_in":3600,"scope":"a  b","refresh_token":"r"}`,
			want: plain{Token: "t", Scope: "a b", Refresh: "r", ExpiresIn: json.Number("3600")},
		},
		"Apigee: everything is text": {
			body: `{"issued_at":"1420262924658","scope":"READ","expires_in":"5099","token_type":"BearerToken",` +
				`"access_token":"t","refresh_token":"","refresh_count":"0"}`,
			want: plain{Token: "t", Scope: "READ", ExpiresIn: "5099"},
		},
		"Katana: instants too": {
			body: `{"access_token":"t","token_type":"bearer","expires_in":1199,".issued":"Thu, 01 Dec 2022 19:59:20 GMT",` +
				`".expires":"Thu, 01 Dec 2022 20:19:20 GMT"}`,
			want: plain{Token: "t", ExpiresIn: json.Number("1199")},
		},
		"Katana without expires_in": {
			body: `{"access_token":"t",".issued":"Thu, 01 Dec 2022 19:59:20 GMT",".expires":"Thu, 01 Dec 2022 20:19:20 GMT"}`,
			want: plain{Token: "t", IssuedAt: "Thu, 01 Dec 2022 19:59:20 GMT", ExpiresAt: "Thu, 01 Dec 2022 20:19:20 GMT"},
		},
		"an instant beside an empty expires_in": {
			body: `{"access_token":"t","expires_in":"","expires_at":1775197488000,"issued_at":1}`,
			want: plain{Token: "t", ExpiresIn: "", ExpiresAt: json.Number("1775197488000"), IssuedAt: json.Number("1")},
		},
		"a number beyond int64 keeps its digits": {
			body: `{"access_token":"t","expires_in":92233720368547758079}`,
			want: plain{Token: "t", ExpiresIn: json.Number("92233720368547758079")},
		},
		"a fraction keeps its digits": {
			body: `{"access_token":"t","expires_in":3.6e3}`, want: plain{Token: "t", ExpiresIn: json.Number("3.6e3")},
		},
		"a nonsensical lifetime is for others to judge": {
			body: `{"access_token":"t","expires_in":true}`, want: plain{Token: "t", ExpiresIn: true},
		},
		"status 201":             {body: good, status: 201, want: plain{Token: "t0ken", ExpiresIn: json.Number("3600")}},
		"a BOM and white space":  {body: "\ufeff \n" + good + "\n ", want: plain{Token: "t0ken", ExpiresIn: json.Number("3600")}},
		"JSON as text/plain":     {body: good, headers: []string{"Content-Type: text/plain"}, want: plain{Token: "t0ken", ExpiresIn: json.Number("3600")}},
		"JSON as text/html":      {body: good, headers: []string{"Content-Type: text/html"}, want: plain{Token: "t0ken", ExpiresIn: json.Number("3600")}},
		"a form":                 {body: "access_token=t%2B&expires_in=3600.5&scope=a+b&token_type=bearer", want: plain{Token: "t+", Scope: "a b", ExpiresIn: "3600.5"}},
		"a scope array":          {body: `{"access_token":"t","scope":["a","b c",1,null]}`, want: plain{Token: "t", Scope: "a b c"}},
		"a scope object":         {body: `{"access_token":"t","scope":{"a":1}}`, want: plain{Token: "t"}},
		"nulls":                  {body: `{"access_token":"t","scope":null,"expires_in":null,"refresh_token":null,"token_type":null}`, want: plain{Token: "t"}},
		"a token beside errors":  {body: `{"access_token":"t","error":"","error_description":5}`, want: plain{Token: "t"}},
		"an error object":        {body: `{"access_token":"t","error":{"code":5}}`, want: plain{Token: "t"}},
		"an error number":        {body: `{"access_token":"t","error":0}`, want: plain{Token: "t"}},
		"the last of duplicates": {body: `{"access_token":"s","access_token":"t"}`, want: plain{Token: "t"}},
		"token type N_A":         {body: `{"access_token":"t","token_type":"n_a"}`, want: plain{Token: "t", Type: "N_A"}},
		"an odd token type":      {body: `{"access_token":"t","token_type":"ad\u0000hoc"}`, want: plain{Token: "t", Type: "adhoc"}},
		"a token type number":    {body: `{"access_token":"t","token_type":7}`, want: plain{Token: "t"}},
		"a bad refresh token":    {body: `{"access_token":"t","refresh_token":"a\nb"}`, want: plain{Token: "t"}},
		"invalid UTF-8 elsewhere": {
			body: "{\"access_token\":\"t\",\"name\":\"M\xfcller\"}", want: plain{Token: "t"},
		},
		"JSON as deep as allowed": {
			body: `{"access_token":"t","x":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `,"y":"[[\"[["}`,
			want: plain{Token: "t"},
		},
		"the largest body": {
			body: `{"access_token":"t","x":"` + strings.Repeat("x", 1<<20-len(`{"access_token":"t","x":""}`)) + `"}`,
			want: plain{Token: "t"},
		},
		"headers just under the limit": {
			body: `{"access_token":"t"}`, headers: []string{"X-Long: " + strings.Repeat("x", 60<<10)}, want: plain{Token: "t"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if test.status == 0 {
				test.status = http.StatusOK
			}

			server, _ := serve(t, reply(test.status, test.body, test.headers...))

			answer, err := newClient(t).Token(t.Context(), newRequest(server))
			if err != nil {
				t.Fatal(err)
			}

			if test.want.Type == "" {
				test.want.Type = "Bearer"
			}

			got := plain{
				answer.AccessToken.Reveal(), answer.TokenType, answer.Scope, answer.RefreshToken.Reveal(),
				answer.Claims.ExpiresIn, answer.Claims.ExpiresAt, answer.Claims.IssuedAt,
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnswersThatCannotBeUsed(t *testing.T) {
	t.Parallel()

	const noToken = "has no access_token"

	for name, test := range map[string]struct{ body, text string }{
		"nothing":                   {"", "has no body"},
		"white space":               {" \n", "has no body"},
		"an empty object":           {"{}", noToken},
		"null":                      {"null", "is neither JSON nor form-encoded"},
		"an array":                  {`["access_token=t"]`, "is neither JSON nor form-encoded"},
		"a bare token":              {"abc.def.ghi", "is neither JSON nor form-encoded"},
		"a page":                    {"<!DOCTYPE html><title>access_token=t</title>", "is an HTML or XML page"},
		"half an object":            {`{"access_token":"t"`, "is not valid JSON"},
		"two objects":               {`{"access_token":"t"}{}`, "is not valid JSON"},
		"an empty token":            {`{"access_token":""}`, noToken},
		"a null token":              {`{"access_token":null}`, noToken},
		"a number":                  {`{"access_token":5}`, "is not a string"},
		"an object":                 {`{"access_token":{"a":"t"}}`, "is not a string"},
		"a token with a line break": {`{"access_token":"t\r\nX: y"}`, "control characters"},
		"a token with a tab":        {`{"access_token":"t\ty"}`, "control characters"},
		"a token that is not UTF-8": {"{\"access_token\":\"t\xff\"}", "invalid UTF-8"},
		"a nested token":            {`{"result":{"access_token":"t"}}`, noToken},
		"a DPoP token":              {`{"access_token":"t","token_type":"dpop"}`, "type DPoP, which is bound to a key"},
		"a MAC token":               {`{"access_token":"t","token_type":"MAC"}`, "type mac, which is bound to a key"},
		"a form without a token":    {"x=1&y_access_token=2", "is neither JSON nor form-encoded"},
		"a form that is none":       {"access_token=%zz", "is neither JSON nor form-encoded"},
		"JSON that is too deep":     {`{"access_token":"t","x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, "nested too deeply"},
		"JSON that never ends":      {strings.Repeat(`{"a":`, 100_000), "nested too deeply"},
		"one byte too many":         {`{"access_token":"t","x":"` + strings.Repeat("x", 1<<20-len(`{"access_token":"t","x":""}`)+1) + `"}`, "larger than 1 MiB"},
		"an error object":           {`{"error":{"code":"invalid_client"}}`, noToken},
		"an unknown error":          {`{"ok":false,"error":"nope"}`, `(HTTP status 200, error "nope")`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, received := serve(t, reply(http.StatusOK, test.body))
			answer, err := newClient(t).Token(t.Context(), newRequest(server))
			e := failure(t, answer, err)

			if e.Kind != oauth.KindInvalidResponse || e.Class != lifetime.Protocol || e.Status != http.StatusOK {
				t.Errorf("got %s, %s, %d", e.Kind, e.Class, e.Status)
			}

			if !strings.Contains(e.Error(), test.text) {
				t.Errorf("got %q, want it to contain %q", e, test.text)
			}

			if n := len(received()); n != 1 {
				t.Errorf("got %d requests", n)
			}
		})
	}
}

func TestCompressedAnswers(t *testing.T) {
	t.Parallel()

	pack := func(text string) string {
		var b bytes.Buffer

		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}

		if err := w.Close(); err != nil {
			t.Fatal(err)
		}

		return b.String()
	}

	packed := pack(good)
	damaged := packed[:len(packed)-8] + "\x00\x00\x00\x00" + packed[len(packed)-4:]

	for name, test := range map[string]struct {
		body, encoding, text string
	}{
		"gzip":                      {packed, "gzip", ""},
		"a bomb":                    {pack(strings.Repeat(" ", 2<<20) + good), "gzip", "larger than 1 MiB"},
		"damaged":                   {damaged, "gzip", "compression is damaged"},
		"not gzip at all":           {good + strings.Repeat(" ", 64), "gzip", "compression is damaged"},
		"another encoding":          {"\x00\x01", "br", "compressed in a way that was not asked for"},
		"an encoding that is a lie": {good, "utf-8", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := serve(t, reply(http.StatusOK, test.body, "Content-Encoding: "+test.encoding))
			answer, err := newClient(t).Token(t.Context(), newRequest(server))

			if test.text == "" {
				if err != nil || answer.AccessToken.Reveal() != "t0ken" {
					t.Errorf("got %v, %v", answer, err)
				}

				return
			}

			if e := failure(t, answer, err); e.Class != lifetime.Protocol || !strings.Contains(e.Error(), test.text) {
				t.Errorf("got %s: %s", e.Class, e)
			}
		})
	}
}

func TestAnswersAreStamped(t *testing.T) {
	t.Parallel()

	now := start
	client := oauth.NewClient(oauth.Options{
		Egress: loopbackAllowed(), AllowInsecureHTTP: true, Random: sevens{},
		Now: func() time.Time {
			now = now.Add(time.Second)

			return now
		},
	})
	t.Cleanup(client.CloseIdleConnections)

	const date = "Sun, 01 Mar 2026 11:59:00 GMT"

	server, _ := serve(t, reply(http.StatusOK, good, "Date: "+date, "Age: 7"))

	answer, err := client.Token(t.Context(), newRequest(server))
	if err != nil {
		t.Fatal(err)
	}

	if !answer.Sent.Equal(start.Add(time.Second)) || !answer.Received.Equal(start.Add(2*time.Second)) {
		t.Errorf("sent %v, received %v", answer.Sent, answer.Received)
	}

	if answer.Claims.Date != date || answer.Claims.Age != "7" {
		t.Errorf("got %+v", answer.Claims)
	}
}
