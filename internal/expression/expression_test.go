package expression

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

const canary = "c4n4ry-s3cr3t"

func data() map[string]any {
	return map[string]any{
		"token": map[string]any{
			"access_token": "t0k<e>n", "token_type": "Bearer", "expires_at": "2026-11-21T12:00:00Z", "scope": "a b",
			"raw": map[string]any{"expires_in": json.Number("1199"), "nested": map[string]any{"list": []any{"x"}}},
		},
		"client":     map[string]any{"id": "app"},
		"credential": map[string]string{"name": "files", "namespace": "web"},
	}
}

func request() map[string]any {
	return map[string]any{
		"value":         "v",
		"client":        map[string]string{"id": "app"},
		"variables":     map[string]string{"realm": "r"},
		"now":           time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		"refresh_token": "r3fresh",
	}
}

func TestData(t *testing.T) {
	t.Parallel()

	tests := map[string]string{
		`"Bearer " + token.access_token`:               "Bearer t0k<e>n",
		`client.id`:                                    "app",
		`credential.namespace + "/" + credential.name`: "web/files",
		`toJSON({"auths": {"ghcr.io": {"username": "x", "password": token.access_token,
		  "auth": base64.encode("x:" + token.access_token)}}})`: `{"auths":{"ghcr.io":{"auth":"eDp0MGs8ZT5u",` +
			`"password":"t0k<e>n","username":"x"}}}`,
		`base64.encode(bytes("x:" + token.access_token))`:                             "eDp0MGs8ZT5u",
		`"machine api.example.com login x password " + token.access_token + "\n"`:     "machine api.example.com login x password t0k<e>n\n",
		`"TOKEN=%s\nEXPIRES=%s\n".format([token.access_token, token.expires_at])`:     "TOKEN=t0k<e>n\nEXPIRES=2026-11-21T12:00:00Z\n",
		`["TOKEN=" + token.access_token, "TYPE=" + token.token_type].join("\n")`:      "TOKEN=t0k<e>n\nTYPE=Bearer",
		`string(int(timestamp(token.expires_at)))`:                                    "1795262400",
		`int(timestamp(token.expires_at))`:                                            "1795262400",
		`timestamp(token.expires_at) - duration("1h")`:                                "2026-11-21T11:00:00Z",
		`string(timestamp(token.expires_at).getFullYear())`:                           "2026",
		`token.?missing.orValue("none")`:                                              "none",
		`has(token.raw.a.b) ? "y" : "n"`:                                              "n",
		`has(token.raw.nested.list) ? "y" : "n"`:                                      "y",
		`token.raw.nested.list[0]`:                                                    "x",
		`token["scope"].split(" ")[1]`:                                                "b",
		`token.raw.expires_in`:                                                        "1199",
		`toJSON(token.raw)`:                                                           `{"expires_in":1199,"nested":{"list":["x"]}}`,
		`toJSON([1, 2u, 1.5, 3600.0, true, null, "<&>", b"a", duration("90s")])`:      `[1,2,1.5,3600,true,null,"<&>","YQ==","90s"]`,
		`token.access_token.replace("<", "").upperAscii()`:                            "T0KE>N",
		`strings.quote(token.token_type)`:                                             `"Bearer"`,
		`1e21`:                                                                        "1000000000000000000000",
		`0.25`:                                                                        "0.25",
		`base64.decode("AP8=")`:                                                       "\x00\xff",
		`true`:                                                                        "true",
		`token.access_token.matches("^[a-z0-9<>]+$")`:                                 "true",
		`{"a": 1}.a == 1 && [3].exists(x, x == 3) ? "y" : "n"`:                        "y",
		`(["a"] + ["b"] + [token.scope]).join(",")`:                                   "a,b,a b",
		`[1, 2, 3].map(x, x * 2).filter(x, x > 2).map(x, string(x)).join()`:           "46",
		`[1u, 2.0, 3].exists_one(x, x == 2) ? [10, 20][dyn(1u)] : [10, 20][dyn(0.0)]`: "20",
		`token.scope.reverse() + token.scope.charAt(0) + token.scope.substring(2)`:    "b aab",
	}

	c := NewCompiler()

	for source, want := range tests {
		t.Run(source, func(t *testing.T) {
			t.Parallel()

			value, err := c.Evaluate(Data, `secret.data["x"]`, source, data())
			if err != nil {
				t.Fatal(err)
			}

			got, err := Text("secret.data", source, value)
			if err != nil || got != want {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()

	c := NewCompiler()

	for source, want := range map[string]any{
		`"Bearer " + value`: "Bearer v", `"Bearer " + refresh_token`: "Bearer r3fresh", `variables.realm`: "r",
		`client.id`: "app", `int(now)`: int64(1795262400), `now + duration("1h")`: "2026-11-21T13:00:00Z",
		`true ? "x" : variables.missing`: "x",
	} {
		got, err := c.Evaluate(RequestRefresh, "request.headers", source, request())
		if err != nil || got != want {
			t.Errorf("%s is %v, %v; want %v", source, got, err, want)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()

	c := NewCompiler()

	for source, good := range map[string]bool{
		`body.access_token`: true, `body.a.b[0]["c"]`: true, `body`: true, `status + "x"`: false, `bdy.x`: false,
		`headers.x + 1`: false, `token`: false, `refresh_token`: false,
	} {
		if err := c.Check(Response, "response.accessToken", source); (err == nil) != good {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()

	for _, value := range []any{nil, []any{}, map[string]any{}, struct{}{}} {
		if text, err := Text("f", "e", value); err == nil {
			t.Errorf("%v is %q", value, text)
		}
	}

	_, err := Text("f", "[1]", []any{int64(1)})
	if err == nil || !strings.Contains(err.Error(), "put toJSON() around it") {
		t.Error(err)
	}
}

// A program is planned once; what one evaluation puts into it must not show in another.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()

	c := NewCompiler()

	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()

			for _, source := range []string{
				`token.missing || true`, `token.access_token + "x"`, `token.?a.orValue("b")`,
				`[1, 2].exists(x, x == 2)`,
			} {
				for range 50 {
					if _, err := c.Evaluate(Data, "f", source, data()); err != nil {
						t.Fatal(err)
					}

					if _, err := c.Evaluate(Data, "f", `true ? token.scope.orValue("x") : int("y")`, data()); err == nil {
						t.Fatal("no error")
					}
				}
			}
		})
	}
}
