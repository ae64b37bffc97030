package oauth_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/oauth"
)

// mapper is a ResponseMapper in a line.
type mapper func(oauth.Response) (oauth.Mapping, error)

func (m mapper) Map(answer oauth.Response) (oauth.Mapping, error) { return m(answer) }

// found returns a mapper that finds values, whatever the answer.
func found(values map[oauth.Name]any) mapper {
	return func(oauth.Response) (oauth.Mapping, error) { return oauth.Mapping{Values: values}, nil }
}

// at returns a mapper that looks at places of the body, as expressions do.
func at(places map[oauth.Name]string) mapper {
	return func(answer oauth.Response) (oauth.Mapping, error) {
		values := map[oauth.Name]any{}

		for name, path := range places {
			value := answer.Body

			for _, key := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' }) {
				object, _ := value.(map[string]any)
				value = object[key]
			}

			values[name] = value
		}

		return oauth.Mapping{Values: values}, nil
	}
}

const synqly = `{"result":{"name":"x","token_type":"adhoc","primary":{"access":{"secret":"t0ken","expires":"2026-03-01T13:00:00Z"},` +
	`"refresh":{"secret":"r0tated"}}}}`

func TestMappedAnswers(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		body    string
		headers []string
		mapper  oauth.ResponseMapper
		want    plain
	}{
		"Synqly": {
			body: synqly,
			mapper: mapper(func(answer oauth.Response) (oauth.Mapping, error) {
				mapping, err := at(map[oauth.Name]string{
					oauth.NameAccessToken: "result/primary/access/secret", oauth.NameExpiresAt: "result/primary/access/expires",
					oauth.NameRefreshToken: "result/primary/refresh/secret", oauth.NameError: "status",
				})(answer)
				mapping.Values[oauth.NameTokenType] = "Bearer"

				return mapping, err
			}),
			want: plain{Token: "t0ken", Refresh: "r0tated", ExpiresAt: "2026-03-01T13:00:00Z"},
		},
		"nothing is mapped": {
			body: `{"access_token":"t","expires_in":5,"scope":"a"}`, mapper: found(nil),
			want: plain{Token: "t", Scope: "a", ExpiresIn: json.Number("5")},
		},
		"what is mapped to nothing is not there": {
			body: `{"access_token":"t","expires_in":5,"scope":"a","refresh_token":"r","token_type":"x"}`,
			mapper: found(map[oauth.Name]any{
				oauth.NameExpiresIn: nil, oauth.NameScope: nil, oauth.NameRefreshToken: nil, oauth.NameTokenType: nil,
			}),
			want: plain{Token: "t"},
		},
		"an instant instead of a lifetime": {
			body: `{"access_token":"t","expires_in":5,"expires_at":7}`, mapper: found(map[oauth.Name]any{oauth.NameExpiresIn: nil}),
			want: plain{Token: "t", ExpiresAt: json.Number("7")},
		},
		"an instant that is mapped stands beside a lifetime": {
			body:   `{"access_token":"t","expires_in":5,"expires_at":7}`,
			mapper: found(map[oauth.Name]any{oauth.NameExpiresAt: int64(9), oauth.NameIssuedAt: 2.5}),
			want:   plain{Token: "t", ExpiresIn: json.Number("5"), ExpiresAt: int64(9), IssuedAt: 2.5},
		},
		"no instants": {
			body:   `{"access_token":"t","expires_at":7,"issued_at":6}`,
			mapper: found(map[oauth.Name]any{oauth.NameExpiresAt: nil, oauth.NameIssuedAt: nil}),
			want:   plain{Token: "t"},
		},
		"a scope array":         {body: good, mapper: found(map[oauth.Name]any{oauth.NameScope: []any{"a", "b"}, oauth.NameExpiresIn: nil}), want: plain{Token: "t0ken", Scope: "a b"}},
		"a bare token":          {body: " t0ken\n", mapper: at(map[oauth.Name]string{oauth.NameAccessToken: ""}), want: plain{Token: "t0ken"}},
		"a bare token in JSON":  {body: `"t0ken"`, mapper: at(map[oauth.Name]string{oauth.NameAccessToken: ""}), want: plain{Token: "t0ken"}},
		"a form":                {body: `access_token=t%2B&expires_in=5`, mapper: found(nil), want: plain{Token: "t+", ExpiresIn: "5"}},
		"a form, mapped":        {body: `access_token=t%2B&x=y`, mapper: at(map[oauth.Name]string{oauth.NameScope: "x"}), want: plain{Token: "t+", Scope: "y"}},
		"success as it says":    {body: good, mapper: found(map[oauth.Name]any{oauth.NameSucceeded: true, oauth.NameExpiresIn: nil}), want: plain{Token: "t0ken"}},
		"a token beside errors": {body: `{"access_token":"t","code":0}`, mapper: at(map[oauth.Name]string{oauth.NameError: "code"}), want: plain{Token: "t"}},
		"a token in a header": {
			headers: []string{"X-Token: t0ken"},
			mapper: mapper(func(answer oauth.Response) (oauth.Mapping, error) {
				return oauth.Mapping{Values: map[oauth.Name]any{oauth.NameAccessToken: answer.Headers["x-token"]}}, nil
			}),
			want: plain{Token: "t0ken"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, _ := serve(t, reply(http.StatusOK, test.body, test.headers...))
			request := newRequest(server)
			request.Response = test.mapper

			answer, err := newClient(t).Token(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}

			test.want.Type = "Bearer"
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

func TestAMapperSeesTheAnswer(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		body string
		want any
	}{
		"an object":          {`{"a":{"b":1}}`, map[string]any{"a": map[string]any{"b": json.Number("1")}}},
		"an array":           {`[1,"a"]`, []any{json.Number("1"), "a"}},
		"a number":           {`12345678901234567890`, json.Number("12345678901234567890")},
		"a string":           {`"a"`, "a"},
		"null":               {`null`, nil},
		"true":               {`true`, true},
		"a form":             {`error=a+b&x=y`, map[string]any{"error": "a b", "x": "y"}},
		"a form in Latin-1":  {"error=M\xfcll", map[string]any{"error": "M\ufffdll"}},
		"text":               {"\ufeff a b \n", "a b"},
		"text like a form":   {"a=b", "a=b"},
		"a page":             {"<p>error=a</p>", "<p>error=a</p>"},
		"a page like a form": {"<a href=x?y=1&error=z>", "<a href=x?y=1&error=z>"},
		"nothing":            {" ", nil},
		"what is no text":    {"\xff\xfe", nil},
		"half an object":     {`{"a"`, nil},
		"half an array":      {`[1`, nil},
		"JSON that goes on":  {`"a" b`, `"a" b`},
		"JSON that is deep":  {strings.Repeat("[", 65) + strings.Repeat("]", 65), nil},
		"a body that is big": {strings.Repeat("x", 1<<20+1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var got oauth.Response

			server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Add("X-Two", "a")
				w.Header().Add("X-Two", "b\xff")
				reply(http.StatusTeapot, test.body)(w, r)
			})
			request := newRequest(server)
			request.Response = mapper(func(answer oauth.Response) (oauth.Mapping, error) {
				got = answer

				return oauth.Mapping{}, nil
			})

			answer, err := newClient(t).Token(t.Context(), request)
			_ = failure(t, answer, err)

			if diff := cmp.Diff(test.want, got.Body); diff != "" {
				t.Error(diff)
			}

			if got.Status != http.StatusTeapot || got.Headers["x-two"] != "a, b\ufffd" || got.Headers["content-type"] != "application/json" {
				t.Errorf("got %d, %v", got.Status, got.Headers)
			}
		})
	}
}
