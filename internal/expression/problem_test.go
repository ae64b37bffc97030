package expression

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestProblems(t *testing.T) {
	t.Parallel()

	tests := []struct {
		environment    Environment
		source, expect string
	}{
		{Data, `Bearer + token.access_token`, `f: Bearer is not a variable (client.id, credential.name, ` +
			`credential.namespace, token); quote it if it is text: '"Bearer"', in the expression Bearer + token.access_token`},
		{Data, `my-app`, `quote it if it is text: '"my"'`},
		{Request, `refresh_token`, `refresh_token exists only in requests under the refresh_token grant`},
		{Data, `client.secret`, `client has no such field; there are: client.id`},
		{Data, `client`, `client has no such field`},
		{Data, `token.missing`, `token.missing is absent; test with has()`},
		{Data, `token.raw.a.b`, `token.raw.a is absent`},
		{Data, `token.raw.nested.list[4]`, `token.raw.nested.list[4] is absent`},
		{Data, `token[token.access_token]`, `token[token.access_token] is absent`},
		{Data, `jwt(token.access_token).sub`, `jwt(token.access_token).sub is absent`},
		{Request, `"x" + value`, `value is absent`},
		{Request, `variables.realm`, `variables.realm is absent`},
		{Request, `string(now)`, `now is absent`},
		{Data, `int(token.access_token)`, `int(token.access_token) does not work with the values that there are`},
		{Data, `timestamp(token.access_token)`, `timestamp(token.access_token) does not work`},
		{Data, `token.access_token + 1`, `does not work`},
		{Data, `token.access_token ? 1 : 2`, `token.access_token is a condition and neither true nor false`},
		{Data, `token.access_token && true`, `token.access_token is a condition`},
		{Data, `token.access_token.map(x, x)`, `neither a list nor a map`},
		{Data, `true ? token.scope.orValue("x") : "y"`, `token.scope is not optional; write .? before the last field`},
		{Data, `toJSON({1: 2})`, `toJSON({1: 2}) does not work`},
		{Data, `"a" + 1`, `found no matching overload for '_+_' applied to '(string, int)' at character 5`},
		{Data, `nothing(1)`, `there is no function nothing()`},
		{Data, `token.access_token.nothing()`, `there is no function nothing()`},
		{Data, `"abc`, `it is not valid CEL at character 1; text must stand in quotes`},
		{Data, `https://example.com`, `text must stand in quotes`},
		{Data, `has(token)`, `invalid argument to has() macro`},
		{Data, ``, `it is empty`},
		{Data, "\xff", `it is not UTF-8`},
		{Data, `google.protobuf.Struct{}`, `use a map`},
		{Data, `"x".matches("(")`, `the regular expression of matches() is invalid`},
		{Data, `type(1)`, `the result does not work`},
		{Data, `now`, `now is not a variable`},
		{Data, `timestamp(token.expires_at).getHours("Europe/Berlin")`, `found no matching overload for 'getHours'`},
		{Environment(9), `1`, `where there are no expressions`},
	}

	c := NewCompiler()

	for _, test := range tests {
		t.Run(test.source, func(t *testing.T) {
			t.Parallel()

			variables := data()
			variables["variables"] = map[string]string{"other": canary}
			variables["token"].(map[string]any)["access_token"] = canary

			_, err := c.Evaluate(test.environment, "f", test.source, variables)

			problem := (*Error)(nil)
			if !errors.As(err, &problem) {
				t.Fatalf("%v is no *Error", err)
			}

			got := err.Error()
			if !strings.Contains(got, test.expect) || !strings.HasPrefix(got, "f: ") {
				t.Errorf("%s\nlacks %s", got, test.expect)
			}

			if strings.ContainsAny(got, "\n@") || strings.Contains(got, canary) || utf8.RuneCountInString(got) > 256 {
				t.Errorf("unfit: %q", got)
			}

			if _, again := c.Evaluate(test.environment, "f", test.source, variables); again.Error() != got {
				t.Errorf("first %s\nthen %s", got, again)
			}
		})
	}
}
