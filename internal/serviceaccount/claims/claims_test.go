package claims_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokensync/tokensync/internal/serviceaccount/claims"
)

func jwt(payload string) string {
	return "h." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".s"
}

func TestRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		token string
		want  claims.Claims
		ok    bool
	}{
		"a list of audiences": {jwt(`{"iss":"i","sub":"s","aud":["a","b"]}`), claims.Claims{Issuer: "i", Subject: "s", Audiences: []string{"a", "b"}}, true},
		"one audience":        {jwt(`{"iss":"i","aud":"a"}`) + "\n", claims.Claims{Issuer: "i", Audiences: []string{"a"}}, true},
		"none":                {jwt(`{"iss":"i"}`), claims.Claims{Issuer: "i"}, true},
		"a wrong one":         {jwt(`{"iss":"i","aud":7}`), claims.Claims{}, false},
		"opaque":              {"opaque", claims.Claims{}, false},
		"no base64":           {"h.=.s", claims.Claims{}, false},
	} {
		got, ok := claims.Read(test.token)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok {
			t.Errorf("%s: %t (-want +got):\n%s", name, ok, diff)
		}
	}
}

func TestAccount(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string][2]string{
		"system:serviceaccount:web:robot": {"web", "robot"},
		"system:serviceaccount:web":       {},
		"system:node:one":                 {},
		"":                                {},
	} {
		namespace, name, ok := claims.Claims{Subject: subject}.Account()
		if ok != (want[1] != "") || ok && (namespace != want[0] || name != want[1]) {
			t.Errorf("%q: %q %q %t", subject, namespace, name, ok)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("e30.e30.e30")
	f.Add("e30.eyJhdWQiOlsiYSJdfQ.")
	f.Fuzz(func(t *testing.T, token string) {
		if found, ok := claims.Read(token); !ok && (found.Issuer != "" || found.Audiences != nil) || ok && strings.Count(token, ".") != 2 {
			t.Errorf("read %+v, %t", found, ok)
		}
	})
}
