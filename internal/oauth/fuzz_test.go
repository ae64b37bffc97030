package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tokensync/tokensync/internal/redact"
)

// FuzzAnswer reads any body. What comes out as a token must be fit for a
// header, and what is refused must be refused in fixed words.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		"", "{}", "null", "[]", "\ufeff{\"access_token\":\"t\"}", "access_token=t&expires_in=3600.5", "error=invalid_client", "error=\xca",
		`{"access_token":"t","token_type":"BearerToken","expires_in":"5099","issued_at":"1420262924658","scope":["a","b"]}`,
		`{"access_token":"t",".issued":"Thu, 01 Dec 2022 19:59:20 GMT",".expires":"Thu, 01 Dec 2022 20:19:20 GMT"}`,
		`{"error":{"code":5},"error_description":[1]}`, `{"access_token":"t","token_type":"DPoP"}`,
		`{"access_token":"\ud800\u0000"}`, `{"a":[[[[{"b":"]}\"\\"}]]]]}`, "<html>", "{\"access_token\":\"\xff\"}",
	} {
		f.Add([]byte(body))
	}

	f.Fuzz(func(t *testing.T, body []byte) {
		parsed, wrong := parseBody(body)
		if (wrong == "") != (parsed.fields != nil) {
			t.Fatalf("fields %v and problem %q", parsed.fields, wrong)
		}

		if seen, also := parseAnything(body); wrong == "" && (also != "" || !reflect.DeepEqual(seen, parsed)) {
			t.Fatalf("a mapper sees %v, %q, others %v", seen, also, parsed)
		}

		checkAnswer(t, parsed, nil)
	})
}

// FuzzMappedAnswer has a mapper take the whole body for the token.
func FuzzMappedAnswer(f *testing.F) {
	for _, body := range []string{"", "t0ken", `"t0ken"`, "[1]", "5", "null", "<html>", "a=b&error=c", "a\x00b", "\xff", `{"a":"b"}`} {
		f.Add([]byte(body))
	}

	f.Fuzz(func(t *testing.T, body []byte) {
		parsed, wrong := parseAnything(body)
		if wrong != "" && parsed.value != nil {
			t.Fatalf("value %v and problem %q", parsed.value, wrong)
		}

		checkAnswer(t, parsed, fixed{Values: map[Name]any{
			NameAccessToken: parsed.value, NameSucceeded: true, NameError: parsed.value, NameScope: parsed.value,
		}})
	})
}

// fixed is a mapper that always finds the same.
type fixed Mapping

func (m fixed) Map(Response) (Mapping, error) { return Mapping(m), nil }

// checkAnswer checks what becomes of a body that could be read.
func checkAnswer(t *testing.T, parsed content, mapper ResponseMapper) {
	t.Helper()

	if deepest := depth(parsed.value); deepest > maxDepth {
		t.Errorf("nested %d deep", deepest)
	}

	r := newReading(parsed)
	r.apply(mapper, &http.Response{})

	request := Request{Headers: []Field{{Name: "X-Key", Value: redact.New("hunter22")}}, WantRaw: true, WantExtra: true}

	answer, wrong := (&exchange{request: request}).newAnswer(r, http.Header{})
	if (wrong == "") != (answer != nil) {
		t.Fatalf("answer %v and problem %q", answer, wrong)
	}

	if answer == nil {
		return
	}

	token := answer.AccessToken.Reveal()
	if token == "" || !utf8.ValidString(token) || strings.ContainsFunc(token, isControl) || token[0] == '<' {
		t.Errorf("the token is %q", token)
	}

	if answer.TokenType == "" && r.text(NameTokenType) == "" || len(answer.TokenType) > 4*256 {
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

	raw, err := json.Marshal(answer.Raw)
	if err != nil || !parsed.json && answer.Raw != nil {
		t.Fatalf("the raw answer is %v: %v", answer.Raw, err)
	}

	if refresh := answer.RefreshToken.Reveal(); len(refresh) >= 8 && refresh != token && !strings.Contains(token, refresh) &&
		!strings.Contains(redact.Marker, refresh) && strings.Contains(string(raw), refresh) {
		t.Errorf("%s holds the refresh token", raw)
	}
}

// FuzzMetadata reads any metadata. What comes out can be asked for a token.
func FuzzMetadata(f *testing.F) {
	const issuer = "https://id.example.com/a"

	for _, body := range []string{
		`{"issuer":"https://id.example.com/a","token_endpoint":"https://id.example.com/t","token_endpoint_auth_methods_supported":["none",1]}`,
		`{"issuer":"https://id.example.com/a","token_endpoint":"https://x@id.example.com/t"}`,
		`{"issuer":"https://id.example.com/a","token_endpoint":"/t","mtls_endpoint_aliases":{"token_endpoint":5}}`,
		`{"issuer":"https://id.example.com/a/"}`, `{"issuer":"::"}`, `{}`, "error=x", "<", "",
	} {
		f.Add([]byte(body))
	}

	f.Fuzz(func(t *testing.T, body []byte) {
		m, wrong := parseMetadata(body, issuer, false)
		if (wrong == "") != (m != nil) {
			t.Fatalf("metadata %v and problem %q", m, wrong)
		}

		if utf8.RuneCountInString(string(wrong)) > 400 || strings.ContainsFunc(string(wrong), isControl) {
			t.Errorf("the problem is %q", wrong)
		}

		if m == nil {
			return
		}

		if m.Issuer != issuer || m.TokenEndpoint == "" || m.MTLSTokenEndpoint == "" || len(m.TokenEndpointAuthMethods) > maxMethods {
			t.Errorf("got %+v", m)
		}

		for _, endpoint := range []string{
			m.TokenEndpoint, m.MTLSTokenEndpoint, m.AuthorizationEndpoint, m.DeviceAuthorizationEndpoint, m.RevocationEndpoint,
		} {
			if u, err := url.Parse(endpoint); endpoint != "" &&
				(err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Contains(endpoint, "#")) {
				t.Errorf("an endpoint is %q", endpoint)
			}
		}
	})
}

// FuzzParseCallback reads any query. A code comes only with the right state and
// issuer, and nothing of an answer is shown that is not fit for it.
func FuzzParseCallback(f *testing.F) {
	const state, issuer = "5tateOFtheREQUEST", "https://id.example.com/a"

	for _, query := range []string{
		"code=c&state=" + state, "code=c&state=" + state + "&iss=https%3A%2F%2Fid.example.com%2Fa", "code=c&state=" + state + "&iss=",
		"code=c&code=d&state=" + state, "error=access_denied&error_description=no&state=" + state, "code=%0a&state=" + state,
		"error=%E2%80%AE&error_description=" + state + "&state=" + state, "state=x", "", "%zz", "error=%00&state=" + state,
	} {
		f.Add(query, true)
		f.Add(query, false)
	}

	f.Fuzz(func(t *testing.T, raw string, required bool) {
		// What can be read of a query that is not valid counts.
		query, _ := url.ParseQuery(raw)

		code, err := ParseCallback(query, Expectation{State: redact.New(state), Issuer: issuer, IssuerRequired: required})
		if (err == nil) == code.IsEmpty() {
			t.Fatalf("got %q, %v", code.Reveal(), err)
		}

		if err == nil {
			if query.Get("state") != state || required && query.Get("iss") != issuer || !clean(code.Reveal()) {
				t.Errorf("got %q of %s", code.Reveal(), raw)
			}

			return
		}

		e, ok := errors.AsType[*Error](err)
		if !ok || utf8.RuneCountInString(e.Message) > 700 || strings.ContainsFunc(e.Message, isControl) || strings.Contains(e.Message, state) {
			t.Errorf("got %q", err)
		}
	})
}

// FuzzDeviceAuthorization reads any answer. What comes out can be shown and opened.
func FuzzDeviceAuthorization(f *testing.F) {
	for _, body := range []string{
		`{"device_code":"d","user_code":"A-B","verification_uri":"https://id.example.com/","expires_in":"600","interval":5}`,
		`{"device_code":"d3vice","user_code":"A","verification_url":"https://x@id.example.com/","verification_uri_complete":"https://id.example.com/d3vice"}`,
		`{"device_code":"d","user_code":"\u202e","verification_uri":"javascript:x","expires_in":1e999}`, `{}`, "error=x", "<", "",
	} {
		f.Add([]byte(body))
	}

	f.Fuzz(func(t *testing.T, body []byte) {
		parsed, _ := parseBody(body)

		device, wrong := parseDevice(parsed.fields, false, redact.New("hunter22"))
		if (wrong == "") != (device != nil) {
			t.Fatalf("got %v and problem %q", device, wrong)
		}

		if device == nil {
			return
		}

		if device.DeviceCode.IsEmpty() || device.ExpiresIn < time.Second || device.ExpiresIn > maxDeviceLife ||
			device.Interval < minInterval || device.Interval > maxInterval {
			t.Errorf("got %+v", device)
		}

		for _, shown := range []string{device.UserCode, device.VerificationURI, device.VerificationURIComplete} {
			if redact.Message(shown) != shown || strings.Contains(shown, "hunter22") {
				t.Errorf("%q is shown", shown)
			}
		}

		for _, page := range []string{device.VerificationURI, device.VerificationURIComplete} {
			if u, err := url.Parse(page); page != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil) {
				t.Errorf("a page is %q", page)
			}
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
