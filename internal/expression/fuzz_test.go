package expression

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzEvaluate compiles and evaluates anything. It may neither panic nor take long, and no error may show a value.
func FuzzEvaluate(f *testing.F) {
	for source := range attacks() {
		f.Add(source)
	}

	for _, source := range []string{
		`token.access_token`, `token[token.access_token]`, `int(token.access_token)`, `duration(token.access_token)`,
		`{token.access_token: 1, token.access_token: 2}`, `{b"a": 1}`, `{null: 1}`, `[?token.access_token]`,
		`{?"a": token.access_token}`, `optional.of(token.access_token).value().x`, `token.access_token.matches(token.raw.p)`,
		`"%d".format([token.access_token])`, `has(token.x) || token.access_token`, `jwt(token.access_token).exp`,
		`body.a.?b[?0].orValue(1)`, `body.map(x, x).exists_one(y, y == 1) ? 1 : "a"`, `google.protobuf.Value{}`,
		`timestamp("2026-01-01T00:00:00Z").getHours(token.access_token)`, `base64.decode(token.access_token)`,
		`token.access_token.substring(100)`, `[1, 2][token.access_token]`, `1 / 0`, `9223372036854775807 + 1`, `-body`,
	} {
		f.Add(source)
	}

	c := NewCompiler()
	variables := data()
	variables["status"] = 200
	variables["headers"] = map[string]string{"x": canary}
	variables["value"] = canary
	variables["refresh_token"] = canary
	variables["variables"] = map[string]string{"x": canary}
	variables["now"] = time.Unix(1_795_262_400, 0)
	variables["body"] = variables["token"]
	variables["token"].(map[string]any)["access_token"] = canary
	variables["token"].(map[string]any)["raw"] = map[string]any{"p": "(" + canary, canary: canary, "l": []any{canary}}

	f.Fuzz(func(t *testing.T, source string) {
		for _, environment := range []Environment{Request, RequestRefresh, Response, Data} {
			start := time.Now()
			value, err := c.Evaluate(environment, "f", source, variables)

			if took := time.Since(start); took > hangs {
				t.Errorf("took %v", took)
			}

			if err == nil {
				if text, err := Text("f", source, value); err == nil && len(text) > maxTextMade {
					t.Errorf("%d bytes", len(text))
				}

				continue
			}

			problem := (*Error)(nil)
			if !errors.As(err, &problem) || problem.Problem == "" {
				t.Fatalf("%#v", err)
			}

			// An expression may hold what it likes, also the canary.
			if strings.Contains(err.Error(), canary) && !strings.Contains(source, "c4n4ry") {
				t.Errorf("%s shows a value", err)
			}

			if strings.Contains(err.Error(), "\n") || utf8.RuneCountInString(err.Error()) > 256 {
				t.Errorf("unfit: %q", err)
			}
		}
	})
}
