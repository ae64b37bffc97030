package resolve_test

import (
	"errors"
	"testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

func TestHeadersAndParameters(t *testing.T) {
	t.Parallel()
	resolved, err := resolver(namespace(), &issuers{}).Resolve(t.Context(), join(t, user(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Client = v1alpha1.Client{IDRef: ref("client", "id")}
		s.ProviderRef.Variables = map[string]v1alpha1.VariableValue{"realm": "acme"}
		s.Request.Headers = []v1alpha1.Header{{Name: "AUTHORIZATION", ValueFrom: from("client", "app"), Expression: `"Bearer " + value`}}
		s.Request.Parameters = []v1alpha1.Parameter{{Name: "b", Value: new("mine")}, {Name: "B", Value: new("other")}}
	}), open(func(s *v1alpha1.OAuthProviderSpec) {
		s.Request.Headers = []v1alpha1.Header{
			{Name: "Authorization", Value: new("theirs")},
			{Name: "X-Client", Expression: `client.id + "@" + variables.realm`},
			{Name: "X-Now", Expression: "string(now)"},
		}
		s.Request.Parameters = []v1alpha1.Parameter{{Name: "a", Value: new("")}, {Name: "b", Value: new("theirs")}}
	})))
	if err != nil {
		t.Fatal(err)
	}
	expectFields(t, resolved.Request.Headers, map[string]string{
		"AUTHORIZATION": "Bearer app-token", "X-Client": "me@acme", "X-Now": "2026-01-02T12:00:00Z",
	})
	expectFields(t, resolved.Request.Parameters, map[string]string{"a": "", "b": "mine", "B": "other"})
	if first := resolved.Request.Headers[0].Name; first != "AUTHORIZATION" {
		t.Errorf("the replaced header is not in its place, but %s", first)
	}
}

func TestOnlyWhatATenantWroteMayBeShown(t *testing.T) {
	t.Parallel()
	parameters := []v1alpha1.Parameter{
		{Name: "literal", Value: new("x")},
		{Name: "secret", ValueFrom: from("client", "app")},
		{Name: "made", Value: new("x"), Expression: "value"},
	}
	theirs := open(func(s *v1alpha1.OAuthProviderSpec) {
		s.Request.Parameters = []v1alpha1.Parameter{{Name: "provider", Value: new("x")}}
	})
	mine := user(func(s *v1alpha1.OAuthCredentialSpec) { s.Request.Parameters = parameters })
	resolved, err := resolver(namespace(), &issuers{}).Resolve(t.Context(), join(t, mine, theirs))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range resolved.Request.Parameters {
		if field.Public != (field.Name == "literal") {
			t.Errorf("%s is public: %t", field.Name, field.Public)
		}
	}
}

// TestWhatIsReplacedIsNotLookedAt: what nobody sends can be as wrong as it likes.
func TestWhatIsReplacedIsNotLookedAt(t *testing.T) {
	t.Parallel()
	broken := []v1alpha1.Header{{Name: "X-App", ValueFrom: from("nowhere", "k"), Expression: "broken +"}}
	_, err := planned(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Provider.Request.Headers = broken
		s.Request.Headers = []v1alpha1.Header{{Name: "x-app", Value: new("x")}}
	}), namespace())
	if err != nil {
		t.Error(err)
	}
	_, err = planned(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Provider.Request.Headers = broken
		s.Request.Parameters = []v1alpha1.Parameter{{Name: "X-App", Value: new("x")}}
	}), namespace())
	expectReason(t, err, v1alpha1.ReasonInvalidExpression)
}

func TestEveryExpressionIsCompiledAheadOfTheRequest(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]changeSpec{
		"spec.provider.request.headers[X-A].expression": func(s *v1alpha1.OAuthCredentialSpec) {
			s.Provider.Request.Headers = []v1alpha1.Header{{Name: "X-A", Expression: "broken +"}}
		},
		"spec.provider.request.parameters[a].expression": func(s *v1alpha1.OAuthCredentialSpec) {
			s.Provider.Request.Parameters = []v1alpha1.Parameter{{Name: "a", Expression: "broken +"}}
		},
		"spec.request.headers[X-A].expression": func(s *v1alpha1.OAuthCredentialSpec) {
			s.Request.Headers = []v1alpha1.Header{{Name: "X-A", Expression: "body"}}
		},
		"spec.request.parameters[a].expression": func(s *v1alpha1.OAuthCredentialSpec) {
			s.Request.Parameters = []v1alpha1.Parameter{{Name: "a", Expression: "token"}}
		},
		"spec.provider.response.refreshToken": func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.Response.RefreshToken = "client.id" },
		"spec.provider.response.extra.a": func(s *v1alpha1.OAuthCredentialSpec) {
			s.Provider.Response.Extra = map[string]v1alpha1.Expression{"a": "value", "b": "value"}
			wantsAll(s)
		},
		"spec.jwtBearer.claims.a": func(s *v1alpha1.OAuthCredentialSpec) {
			s.JWTBearer = &v1alpha1.JWTBearer{Claims: map[string]v1alpha1.Expression{"b": "body", "a": "body"}}
		},
		"spec.secret.data.a": func(s *v1alpha1.OAuthCredentialSpec) {
			s.Secret.Data = map[string]v1alpha1.Expression{"b": "body", "a": "body", "c": "'x'"}
		},
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			reader := namespace()
			_, err := planned(t, credential(change), reader)
			expectText(t, expectReason(t, err, v1alpha1.ReasonInvalidExpression), field)
			if reader.reads != 0 {
				t.Errorf("%d objects were read before", reader.reads)
			}
		})
	}
}

func TestAnAnswerReadByExpressions(t *testing.T) {
	t.Parallel()
	resolved, err := planned(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Provider.Response = v1alpha1.Response{
			AccessToken: "body.result.secret", ExpiresIn: "status", Scope: "headers['x-scope']", Error: "body.nothing.there",
			Extra: map[string]v1alpha1.Expression{"tenant": "body.tenant", "absent": "body.absent"},
		}
		wantsAll(s)
	}), namespace())
	if err != nil {
		t.Fatal(err)
	}
	mapping, err := resolved.Request.Response.Map(oauth.Response{
		Status: 200, Headers: map[string]string{"x-scope": "read"},
		Body: map[string]any{"result": map[string]any{"secret": "t0ken"}, "tenant": "acme"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[oauth.Name]any{
		oauth.NameAccessToken: "t0ken", oauth.NameExpiresIn: int64(200), oauth.NameScope: "read", oauth.NameError: nil,
	} {
		if got, there := mapping.Values[name]; got != want || !there {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if len(mapping.Values) != 4 || len(mapping.Extra) != 1 || mapping.Extra["tenant"] != "acme" {
		t.Errorf("found %v and %v", mapping.Values, mapping.Extra)
	}
	resolved, err = planned(t, credential(unchanged), namespace())
	if err != nil || resolved.Request.Response != nil {
		t.Errorf("without expressions there is a mapper, or %v", err)
	}
}

// TestTheFirstExpressionToFailIsAlwaysTheSame: else the message would change from one
// attempt to the next. What else is found is found in spite of it.
func TestTheFirstExpressionToFailIsAlwaysTheSame(t *testing.T) {
	t.Parallel()
	for range 20 {
		resolved, err := planned(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
			s.Provider.Response = v1alpha1.Response{
				RefreshToken: "body.refresh",
				Extra:        map[string]v1alpha1.Expression{"d": "int('x')", "a": "body.tenant", "c": "int('x')", "b": "int('x')"},
			}
			wantsAll(s)
		}), namespace())
		if err != nil {
			t.Fatal(err)
		}
		mapping, err := resolved.Request.Response.Map(oauth.Response{Body: map[string]any{"refresh": "r", "tenant": "acme"}})
		expectText(t, expectReason(t, err, v1alpha1.ReasonInvalidExpression), "spec.provider.response.extra.b")
		if mapping.Values[oauth.NameRefreshToken] != "r" || mapping.Extra["a"] != "acme" {
			t.Fatal("the failure took along what was found")
		}
		_, err = planned(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
			s.JWTBearer = &v1alpha1.JWTBearer{
				PrivateKeyRef: ref("client", "key"),
				Claims:        map[string]v1alpha1.Expression{"d": "int('x')", "c": "int('x')", "b": "int('x')"},
			}
		}), namespace().with(tenant, "client", "7", map[string]string{"id": "me", "secret": "s", "key": pemKey(t)}))
		expectText(t, expectReason(t, err, v1alpha1.ReasonInvalidExpression), "spec.jwtBearer.claims.b")
	}
}

func TestAnErrorOfTheEvaluatorItselfIsNotHidden(t *testing.T) {
	t.Parallel()
	broken := errors.New("out of memory")
	plan := join(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Secret.Data = map[string]v1alpha1.Expression{"a": "'b'"}
	}), nil)
	if _, err := plan.Data(failing{err: broken}, &oauth.Answer{}, "me", noon); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct {
	resolve.Evaluator

	err error
}

func (f failing) Evaluate(expression.Environment, string, string, map[string]any) (any, error) {
	return nil, f.err
}
