package oauth

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzAnswer reads any body. What comes out as a token must be fit for a
// header, and what is refused must be refused in fixed words.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		"", "{}", "null", "[]", "\ufeff{\"access_token\":\"t\"}", "access_token=t&expires_in=3600.5", "error=invalid_client",
		`{"access_token":"t","token_type":"BearerToken","expires_in":"5099","issued_at":"1420262924658","scope":["a","b"]}`,
		`{"access_token":"t",".issued":"Thu, 01 Dec 2022 19:59:20 GMT",".expires":"Thu, 01 Dec 2022 20:19:20 GMT"}`,
		`{"error":{"code":5},"error_description":[1]}`, `{"access_token":"t","token_type":"DPoP"}`,
		`{"access_token":"\ud800\u0000"}`, `{"a":[[[[{"b":"]}\"\\"}]]]]}`, "<html>", "{\"access_token\":\"\xff\"}",
	} {
		f.Add([]byte(body))
	}

	f.Fuzz(func(t *testing.T, body []byte) {
		parsed, wrong := parseBody(body)
		if (wrong == "") != (parsed != nil) {
			t.Fatalf("fields %v and problem %q", parsed, wrong)
		}

		if wrong != "" {
			return
		}

		if deepest := depth(map[string]any(parsed)); deepest > maxDepth {
			t.Errorf("nested %d deep", deepest)
		}

		answer, wrong := newAnswer(parsed, http.Header{})
		if (wrong == "") != (answer != nil) {
			t.Fatalf("answer %v and problem %q", answer, wrong)
		}

		if answer == nil {
			return
		}

		token := answer.AccessToken.Reveal()
		if token == "" || !utf8.ValidString(token) || strings.ContainsFunc(token, isControl) {
			t.Errorf("the token is %q", token)
		}

		if answer.TokenType == "" && parsed.text("token_type") == "" || len(answer.TokenType) > 4*256 {
			t.Errorf("the type is %q", answer.TokenType)
		}

		if answer.Scope != strings.Join(strings.Fields(answer.Scope), " ") {
			t.Errorf("the scope is %q", answer.Scope)
		}

		switch answer.Claims.ExpiresIn.(type) {
		case nil, string, bool, json.Number, []any, map[string]any:
		default:
			t.Errorf("expires_in is a %T", answer.Claims.ExpiresIn)
		}
	})
}

// depth returns how many arrays and objects lie within each other.
func depth(value any) int {
	deepest := 0

	switch value := value.(type) {
	case map[string]any:
		for _, item := range value {
			deepest = max(deepest, depth(item))
		}
	case []any:
		for _, item := range value {
			deepest = max(deepest, depth(item))
		}
	default:
		return 0
	}

	return deepest + 1
}
