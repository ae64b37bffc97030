package resolve_test

import (
	"testing"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/render"
	"github.com/tokensync/tokensync/internal/resolve"
)

// TestWhatIsWantedOfAnAnswer: only expressions of the credential see more than the token,
// and what nobody sees fails nothing.
func TestWhatIsWantedOfAnAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change     changeSpec
		holds      changeProvider
		raw, extra bool
	}{
		"default keys": {unchanged[v1alpha1.OAuthCredentialSpec], unchanged[v1alpha1.OAuthProviderSpec], false, false},
		"default keys, of a client of a provider's": {unchanged[v1alpha1.OAuthCredentialSpec], secretHolders["a client"], false, false},
		"expressions": {wantsAll, unchanged[v1alpha1.OAuthProviderSpec], true, true},
		"expressions, and a client of a provider's": {wantsAll, secretHolders["a client"], false, true},
		"expressions, and a header of a provider's": {wantsAll, secretHolders["a header from a Secret"], false, true},
	} {
		for _, source := range []v1alpha1.Expression{"body.tenant", "int('x')", "broken +"} {
			t.Run(name+", "+string(source), func(t *testing.T) {
				t.Parallel()
				provider := open(func(s *v1alpha1.OAuthProviderSpec) {
					s.Response.Extra = map[string]v1alpha1.Expression{"tenant": source}
					test.holds(s)
				})
				resolved, err := resolver(namespace(), &issuers{}).Resolve(t.Context(), join(t, user(test.change), provider))
				if test.extra && source == "broken +" {
					expectReason(t, err, v1alpha1.ReasonInvalidExpression)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				got := resolved.Request
				if got.WantRaw != test.raw || got.WantExtra != test.extra || (got.Response != nil) != test.extra {
					t.Errorf("wants the raw answer: %t, extra values: %t, has a mapper: %t", got.WantRaw, got.WantExtra, got.Response != nil)
				}
				if got.Response == nil {
					return
				}
				mapping, err := got.Response.Map(oauth.Response{Body: map[string]any{"tenant": "acme"}})
				if works := source == "body.tenant"; (err == nil) != works || (mapping.Extra["tenant"] == "acme") != works {
					t.Errorf("found %v, with error %v", mapping.Extra, err)
				}
			})
		}
	}
}

func TestData(t *testing.T) {
	t.Parallel()
	answer := &oauth.Answer{
		AccessToken: redact.New("t0ken"), TokenType: "Bearer", Scope: "read",
		Raw:   map[string]any{"tenant": "raw-acme"},
		Extra: map[string]any{"tenant": "acme", "seats": int64(3), "scope": "not this"},
	}
	for name, test := range map[string]struct {
		provider *resolve.Provider
		data     map[string]v1alpha1.Expression
		expires  time.Time
		want     map[string]string
	}{
		"by default": {open(unchanged), nil, noon, map[string]string{
			"access_token": "t0ken", "token_type": "Bearer", "scope": "read", "expires_at": "2026-01-02T12:00:00Z",
		}},
		"without an expiry": {open(unchanged), nil, time.Time{}, map[string]string{
			"access_token": "t0ken", "token_type": "Bearer", "scope": "read",
		}},
		"by expressions": {open(unchanged), map[string]v1alpha1.Expression{
			"header": `token.token_type + " " + token.access_token`, "id": "client.id", "who": "credential.namespace + '/' + credential.name",
			"seats": "token.seats", "scope": "token.scope", "raw": "token.raw.tenant",
		}, noon, map[string]string{
			"header": "Bearer t0ken", "id": "me", "who": "web/c", "seats": "3", "scope": "read", "raw": "raw-acme",
		}},
		"of a provider that holds a secret": {shared(unchanged), map[string]v1alpha1.Expression{
			"tenant": "token.tenant", "raw": "string(has(token.raw))",
		}, noon, map[string]string{"tenant": "acme", "raw": "false"}},
		"of a provider that holds a header": {open(secretHolders["a header from a Secret"]), map[string]v1alpha1.Expression{
			"raw": "string(has(token.raw))",
		}, noon, map[string]string{"raw": "false"}},
		"of the tenant's own provider with a secret": {own(shared(unchanged)), map[string]v1alpha1.Expression{
			"raw": "string(has(token.raw))",
		}, noon, map[string]string{"raw": "false"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := join(t, user(func(s *v1alpha1.OAuthCredentialSpec) { s.Secret.Data = test.data }), test.provider)
			data, err := plan.Data(expression.NewCompiler(), answer, "me", test.expires)
			if err != nil || len(data) != len(test.want) || !render.Holds(data, asData(test.want)) {
				t.Errorf("got %d keys and error %v, want %v", len(data), err, test.want)
			}
		})
	}
	plan := join(t, user(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Secret.Data = map[string]v1alpha1.Expression{"b": "token.absent", "a": "token"}
	}), open(unchanged))
	_, err := plan.Data(expression.NewCompiler(), answer, "me", noon)
	expectText(t, expectReason(t, err, v1alpha1.ReasonInvalidExpression), "spec.secret.data.a")
}

func asData(texts map[string]string) render.Data {
	data := render.Data{}
	for key, text := range texts {
		data[key] = []byte(text)
	}
	return data
}
