package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

func TestRawAnswers(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		body   string
		mapper oauth.ResponseMapper
		want   any
	}{
		"all of it": {
			body: `{"access_token":"t0ken","a":[1,{"b":null,"c":2.50}],"instance_url":"https://x.example.com"}`,
			want: map[string]any{
				"access_token": "t0ken", "a": []any{json.Number("1"), map[string]any{"b": nil, "c": json.Number("2.50")}},
				"instance_url": "https://x.example.com",
			},
		},
		"without the refresh token, wherever": {
			body: `{"access_token":"t0ken","refresh_token":"r0tated","a":["r0tated","x r0tated"],"r0tated":1}`,
			want: map[string]any{
				"access_token": "t0ken", "refresh_token": "[redacted]", "a": []any{"[redacted]", "x [redacted]"}, "[redacted]": json.Number("1"),
			},
		},
		"without a refresh token that is mapped": {
			body:   `{"access_token":"t0ken","refresh_token":"0ther","a":{"b":"r0tated"}}`,
			mapper: at(map[oauth.Name]string{oauth.NameRefreshToken: "a/b"}),
			want:   map[string]any{"access_token": "t0ken", "refresh_token": "[redacted]", "a": map[string]any{"b": "[redacted]"}},
		},
		"the access token as it is, though it holds a secret": {
			body: `{"access_token":"t-hunter22hunter22","x":"x-hunter22hunter22"}`,
			want: map[string]any{"access_token": "t-hunter22hunter22", "x": "x-[redacted]"},
		},
		"not of a form": {body: `access_token=t0ken`},
		"of an array": {
			body: `["t0ken","hunter22hunter22"]`,
			mapper: mapper(func(answer oauth.Response) (oauth.Mapping, error) {
				return oauth.Mapping{Values: map[oauth.Name]any{oauth.NameAccessToken: answer.Body.([]any)[0]}}, nil
			}),
			want: []any{"t0ken", "[redacted]"},
		},
		"not of text": {body: `t0ken`, mapper: at(map[oauth.Name]string{oauth.NameAccessToken: ""})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := serve(t, reply(http.StatusOK, test.body))
			request := newRequest(server)
			request.Response, request.WantRaw = test.mapper, true

			answer, err := newClient(t).Token(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}

			if diff := cmp.Diff(test.want, answer.Raw); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNoAnswerHoldsASecret has a server echo everything, in every place and in
// every form.
func TestNoAnswerHoldsASecret(t *testing.T) {
	t.Parallel()

	quote := func(text string) string {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}

		return string(quoted)
	}

	var body string

	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(http.StatusOK, body)(w, r) })
	client := newClient(t)
	request := newRequest(server)
	request.WantRaw, request.WantExtra = true, true
	request.TokenURL += "?key=" + querySecret
	request.Client = oauth.ClientAuthentication{
		Method: oauth.MethodClientSecretBasic, ID: "my client", Secret: redact.New(clientSecret),
	}
	request.Headers = []oauth.Field{field("X-Key", headerSecret)}
	request.Parameters = []oauth.Field{field("key", paramSecret), field("pin", "8675309")}
	request.Response = mapper(func(answer oauth.Response) (oauth.Mapping, error) {
		return oauth.Mapping{Extra: map[string]any{"token": "t0ken", "all": answer.Body, "of no kind": fmt.Errorf("%v", answer.Body)}}, nil
	})

	for _, echo := range echoes() {
		hidden := "x" + strings.Join(strings.Split(echo, ""), "\u200b") + "y"
		body = fmt.Sprintf(`{"access_token":"t0ken","refresh_token":%s,"a":[{"b":%[2]s}],%[2]s:1,"c":%[3]s,"pin":8675309}`,
			quote(answerSecret), quote(echo), quote(hidden))

		answer, err := client.Token(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}

		for _, value := range []any{answer.Raw, answer.Extra} {
			encoded, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}

			checkText(t, strings.ReplaceAll(string(encoded), "\u200b", ""))
			checkText(t, fmt.Sprint(value))

			if strings.Contains(string(encoded), "8675309") || !strings.Contains(string(encoded), `"t0ken"`) {
				t.Fatalf("got %s", encoded)
			}
		}

		if answer.Extra["of no kind"] != nil {
			t.Fatalf("got %v", answer.Extra)
		}
	}
}

func TestWhatIsSaidOfTheRefreshTokensLife(t *testing.T) {
	t.Parallel()

	for body, want := range map[string]any{
		`{"access_token":"t"}`: nil,
		`{"access_token":"t","refresh_token_expires_in":"86399"}`:     "86399",
		`{"access_token":"t","refresh_expires_in":0}`:                 json.Number("0"),
		`{"access_token":"t","x_refresh_token_expires_in":8726400}`:   json.Number("8726400"),
		`{"access_token":"t","mine":5,"refresh_token_expires_in":9}`:  json.Number("5"),
		`{"access_token":"t","mine":null,"refresh_expires_in":"900"}`: nil,
	} {
		server, _ := serve(t, reply(http.StatusOK, body))
		request := newRequest(server)

		if strings.Contains(body, "mine") {
			request.Response = at(map[oauth.Name]string{oauth.NameRefreshTokenExpiresIn: "mine"})
		}

		answer, err := newClient(t).Token(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}

		if diff := cmp.Diff(want, answer.RefreshTokenExpiresIn); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

// A mapped description is a way to ask for a token that is not published.
func TestMessagesHoldNoToken(t *testing.T) {
	t.Parallel()

	const token, refresh = "4ccessSECRET", "r3freshSECRET"

	body := fmt.Sprintf(`{"a":%q,"r":%q}`, token, refresh)

	for _, shown := range []string{
		token, refresh, url.QueryEscape(refresh), base64.StdEncoding.EncodeToString([]byte("x" + token)),
		strings.Join(strings.Split(token, ""), "\u200b"), "a\u202e\x1b[31m\n" + refresh,
	} {
		for _, status := range []int{200, 400, 500, 429} {
			server, _ := serve(t, reply(status, body))
			request := newRequest(server)
			request.Response = mapper(func(answer oauth.Response) (oauth.Mapping, error) {
				fields := answer.Body.(map[string]any)

				return oauth.Mapping{Values: map[oauth.Name]any{
					oauth.NameAccessToken: fields["a"], oauth.NameRefreshToken: fields["r"], oauth.NameSucceeded: false,
					oauth.NameError: shown, oauth.NameErrorDescription: shown + strings.Repeat("x", 1000),
				}}, nil
			})

			answer, err := newClient(t).Token(t.Context(), request)
			e := failure(t, answer, err)
			text := fmt.Sprintf("%v %+v %#v %s", e, e, *e, e.Code+e.Description)

			for _, secret := range []string{token, refresh, "c3NTRUNSR", "\u202e", "\x1b", "\n"} {
				if strings.Contains(text, secret) {
					t.Errorf("%q holds %q", text, secret)
				}
			}

			if n := len([]rune(e.Description)); n > 256 {
				t.Errorf("a description of %d characters", n)
			}
		}
	}
}

func TestWhatIsWantedOfAnAnswer(t *testing.T) {
	t.Parallel()

	const body = `{"access_token":"t0ken","scope":"a b","refresh_token":"r0tated"}`

	raw := map[string]any{"access_token": "t0ken", "scope": "a b", "refresh_token": "[redacted]"}
	extra := map[string]any{"more": "[redacted]"}

	for name, test := range map[string]struct {
		raw, extra bool
		wantRaw    any
		wantExtra  map[string]any
	}{
		"the token alone": {},
		"the answer":      {raw: true, wantRaw: raw},
		"what is mapped":  {extra: true, wantExtra: extra},
		"both":            {raw: true, extra: true, wantRaw: raw, wantExtra: extra},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := serve(t, reply(http.StatusOK, body))
			request := newRequest(server)
			request.WantRaw, request.WantExtra = test.raw, test.extra
			request.Response = mapper(func(oauth.Response) (oauth.Mapping, error) {
				return oauth.Mapping{Extra: map[string]any{"more": "hunter22hunter22"}}, nil
			})

			answer, err := newClient(t).Token(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}

			if answer.AccessToken.Reveal() != "t0ken" || answer.Scope != "a b" || answer.RefreshToken.Reveal() != "r0tated" {
				t.Errorf("got %+v", answer)
			}

			if diff := cmp.Diff(test.wantRaw, answer.Raw); diff != "" {
				t.Error(diff)
			}

			if diff := cmp.Diff(test.wantExtra, answer.Extra); diff != "" {
				t.Error(diff)
			}
		})
	}
}
