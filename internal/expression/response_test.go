package expression

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// response are the variables of Response, with a body as the caller decodes it.
func response(tb testing.TB, body string) map[string]any {
	tb.Helper()

	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()

	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		tb.Fatal(err)
	}

	return map[string]any{
		"status":  200,
		"headers": map[string]string{"date": "Thu, 01 Dec 2022 19:59:20 GMT", "x-region": "us"},
		"body":    decoded,
	}
}

const answers = `{
  "access_token": "t", "expires_in": "5099", "count": 3600, "half": 0.5, "whole": 3600.0, "large": 18446744073709551615,
  "huge": 123456789012345678901234567890, "exponent": 1e3, "issued_at": "1420262924658", "ok": false, "nil": null,
  ".expires": "Thu, 01 Dec 2022 20:19:20 GMT", "not-before-policy": 0, "scopes": ["a", "b"],
  "ErrorCode": "invalid_client", "status": 404, "message": "gone",
  "result": {"primary": {"access": {"secret": "s", "expires": "2026-01-01T00:00:00Z"}, "refresh": {"secret": "r"}}},
  "errors": [{"code": "x", "message": "m"}]
}`

func TestResponse(t *testing.T) {
	t.Parallel()

	jwt := `jwt("e30.eyJleHAiOjE3MDAwMDAwMDAsInN1YiI6InMifQ.c2ln")`

	tests := map[string]any{
		// The samples of the three systems.
		`has(body.ErrorCode) ? body.ErrorCode : body.error`:       "invalid_client",
		`has(body.Error) ? body.Error : body.error_description`:   nil,
		`body.result.primary.access.secret`:                       "s",
		`body.result.primary.access.expires`:                      "2026-01-01T00:00:00Z",
		`body.result.primary.refresh.secret`:                      "r",
		`"Bearer"`:                                                "Bearer",
		`string(body.status)`:                                     "404",
		`body.message`:                                            "gone",
		`body[".expires"]`:                                        "Thu, 01 Dec 2022 20:19:20 GMT",
		`body["not-before-policy"]`:                               int64(0),
		`body.ok == true`:                                         false,
		`body.errors[0].code`:                                     "x",
		`status`:                                                  int64(200),
		`status >= 200 && status < 300 && has(body.access_token)`: true,
		`headers["x-region"]`:                                     "us",
		`headers.date`:                                            "Thu, 01 Dec 2022 19:59:20 GMT",
		`int(body.issued_at) / 1000`:                              int64(1420262924),
		`body.scopes.join(" ")`:                                   "a b",
		jwt + `.exp`:                                              int64(1700000000),
		jwt + `.sub`:                                              "s",

		// Numbers.
		`body.count`:        int64(3600),
		`body.half`:         0.5,
		`body.whole`:        3600.0,
		`body.exponent`:     1000.0,
		`body.large`:        uint64(18446744073709551615),
		`body.huge`:         1.2345678901234568e29,
		`body.count > 10.5`: true,
		`body.count * 2`:    int64(7200),
		`body.half < 1`:     true,

		// Absent paths.
		`body.missing`:                                    nil,
		`body.a.b.c.d`:                                    nil,
		`body.nil.x`:                                      nil,
		`body.nil`:                                        nil,
		`body.access_token.x`:                             nil,
		`body.scopes[7]`:                                  nil,
		`body.scopes[-1]`:                                 nil,
		`body.scopes.x`:                                   nil,
		`body.scopes["x"]`:                                nil,
		`body[0]`:                                         nil,
		`body.errors[0].nothing.at.all`:                   nil,
		`headers.missing`:                                 nil,
		`string(body.missing)`:                            nil,
		`int(body.missing) * 60`:                          nil,
		`"Bearer " + body.missing`:                        nil,
		`body.missing > 5`:                                nil,
		`body.missing.startsWith("x")`:                    nil,
		`-body.missing`:                                   nil,
		`size(body.missing)`:                              nil,
		`jwt(body.missing).exp`:                           nil,
		`jwt("opaque").exp`:                               nil,
		`jwt("a.b.c").exp`:                                nil,
		`jwt("e30.bnVsbA.c").exp`:                         nil,
		`toJSON(body.missing)`:                            nil,
		`body.missing == "x"`:                             false,
		`body.missing != "x"`:                             true,
		`body.missing == null`:                            true,
		`body.missing == "x" ? "a" : body.message`:        "gone",
		`body.missing ? "a" : "b"`:                        "b",
		`body.missing || body.ok`:                         false,
		`!body.missing`:                                   true,
		`body.missing && true`:                            false,
		`"x" in body.missing`:                             false,
		`"a" in body.scopes`:                              true,
		`"ErrorCode" in body`:                             true,
		`body.missing.map(x, x)`:                          []any{},
		`body.missing.exists(x, x.y == 1)`:                false,
		`body.errors.exists(e, e.nothing.x == 1)`:         false,
		`body.errors.filter(e, e.code == "x")[0].message`: "m",
		`[body.a, body.message].filter(x, x != null)[0]`:  "gone",
		`body.a.b == null ? body.message : "no"`:          "gone",

		// Presence.
		`has(body.missing)`:                               false,
		`has(body.a.b.c)`:                                 false,
		`has(body.access_token)`:                          true,
		`has(body.nil)`:                                   true,
		`has(body.access_token.x)`:                        false,
		`has(body.result.primary)`:                        true,
		`has(body.errors[3].code)`:                        false,
		`body.?missing.orValue("d")`:                      "d",
		`body.?nil.orValue("d")`:                          "d",
		`body.?result.primary.access.secret.orValue("d")`: "s",
		`body.?result.secondary.access.orValue("d")`:      "d",
		`body.a.?b.orValue("d")`:                          "d",
		`body.scopes[?5].orValue("d")`:                    "d",
		`body.missing.orValue("d")`:                       "d",
		`body.message.orValue("d")`:                       "gone",
		`body.a.b.or(body.?message).value()`:              "gone",
		`body.?missing`:                                   nil,
		`body.?message`:                                   "gone",
		`body.?message.optMap(m, m + "!").orValue("")`:    "gone!",
		`optional.none().or(body.?message).value()`:       "gone",
		`{?"a": body.?missing, ?"b": body.?message}`:      map[string]any{"b": "gone"},
	}

	c := NewCompiler()
	variables := response(t, answers)

	for source, want := range tests {
		t.Run(source, func(t *testing.T) {
			t.Parallel()

			got, err := c.Evaluate(Response, "response.x", source, variables)
			if err != nil {
				t.Fatal(err)
			}

			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestResponseThatIsNoObject(t *testing.T) {
	t.Parallel()

	c := NewCompiler()

	for body, want := range map[string]any{`"plain"`: "plain", `null`: nil, `[1]`: []any{int64(1)}, `7`: int64(7)} {
		got, err := c.Evaluate(Response, "f", "body", response(t, body))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Error(err, diff)
		}

		got, err = c.Evaluate(Response, "f", "body.access_token", response(t, body))
		if err != nil || got != nil {
			t.Errorf("%v, %v in %s", got, err, body)
		}
	}
}
