package resolve_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// A hash in a Secret outlives the release that wrote it: with another one, every token
// of every cluster would be asked for again.
const (
	plainHash = "c78612adaa9dce0030f76887274523d7"
	richHash  = "54602a9a790fbcec878305255033de9e"
)

func TestInputsHash(t *testing.T) {
	t.Parallel()
	base := join(t, credential(unchanged), nil).InputsHash()
	if base != plainHash {
		t.Errorf("the hash of a plain credential is %s, and was %s", base, plainHash)
	}
	for name, test := range map[string]struct {
		change changeSpec
		same   bool
	}{
		"scopes":    {func(s *v1alpha1.OAuthCredentialSpec) { s.Scopes = []string{"a"} }, false},
		"audiences": {func(s *v1alpha1.OAuthCredentialSpec) { s.Audiences = []string{"a"} }, false},
		"resources": {func(s *v1alpha1.OAuthCredentialSpec) { s.Resources = []string{"a"} }, false},
		"token URL": {func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.TokenURL += "2" }, false},
		"issuer": {func(s *v1alpha1.OAuthCredentialSpec) {
			s.Provider.TokenURL, s.Provider.Issuer = "", "https://as.example"
		}, false},
		"grant type":   {func(s *v1alpha1.OAuthCredentialSpec) { s.GrantType = "urn:x" }, false},
		"client":       {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.ID = "other" }, false},
		"moved secret": {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.SecretRef = ref("moved", "secret") }, false},
		"other key":    {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.SecretRef = ref("client", "other") }, false},
		"data":         {func(s *v1alpha1.OAuthCredentialSpec) { s.Secret.Data = map[string]v1alpha1.Expression{"a": "'b'"} }, false},
		"lifetime":     {func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.Lifetime.ExpiresInUnit = "Minutes" }, false},
		"body format":  {func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.Request.BodyFormat = "JSON" }, false},
		"response": {func(s *v1alpha1.OAuthCredentialSpec) {
			s.Provider.Response.Extra = map[string]v1alpha1.Expression{"a": "body.a"}
		}, false},
		"parameters": {func(s *v1alpha1.OAuthCredentialSpec) { s.Request.Parameters = []v1alpha1.Parameter{{Name: "a"}} }, false},
		"empty value": {func(s *v1alpha1.OAuthCredentialSpec) {
			s.Provider.Request.Headers = []v1alpha1.Header{{Name: "a", Value: new("")}}
		}, false},
		"grant":           {func(s *v1alpha1.OAuthCredentialSpec) { s.Password = &v1alpha1.Password{Username: "a"} }, false},
		"method":          {func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.ClientAuthentication.Method = "client_secret_post" }, false},
		"client's method": {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.Authentication.Method = "client_secret_post" }, false},

		"timeout": {func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.Timeout = &metav1.Duration{} }, true},
		"CA": {func(s *v1alpha1.OAuthCredentialSpec) {
			s.Provider.TLS = &v1alpha1.TLS{CARef: &v1alpha1.CAReference{Name: "ca"}}
		}, true},
		"reissue":    {func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.TokenReissue = v1alpha1.ReissueSame }, true},
		"refresh":    {func(s *v1alpha1.OAuthCredentialSpec) { s.Refresh.AfterPercent = new(int32(50)) }, true},
		"secret":     {func(s *v1alpha1.OAuthCredentialSpec) { s.Secret.Name = "other" }, true},
		"labels":     {func(s *v1alpha1.OAuthCredentialSpec) { s.Secret.Labels = map[string]v1alpha1.LabelValue{"a": "b"} }, true},
		"suspend":    {func(s *v1alpha1.OAuthCredentialSpec) { s.Suspend = true }, true},
		"empty list": {func(s *v1alpha1.OAuthCredentialSpec) { s.Scopes = []string{} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := join(t, credential(test.change), nil).InputsHash(); (got == base) != test.same {
				t.Errorf("the hash is the same: %t, want %t", got == base, test.same)
			}
		})
	}
}

func TestInputsHashOfAProvider(t *testing.T) {
	t.Parallel()
	variables := withVariables(map[string]v1alpha1.VariableValue{"realm": "a"})
	allowed := func(s *v1alpha1.OAuthProviderSpec) {
		s.Allowed = &v1alpha1.Allowed{Variables: map[string]v1alpha1.VariableValues{"realm": {"a", "b"}}}
	}
	base := join(t, user(variables), shared(allowed)).InputsHash()
	for name, test := range map[string]struct {
		change changeProvider
		same   bool
	}{
		"moved secret": {func(s *v1alpha1.OAuthProviderSpec) { s.Client.SecretRef = ref("moved", "secret") }, false},
		"other client": {func(s *v1alpha1.OAuthProviderSpec) { s.Client.IDRef = ref("shared", "other") }, false},
		"template":     {func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL = "https://as.example/{realm}/token" }, false},
		"header": {func(s *v1alpha1.OAuthProviderSpec) {
			s.Request.Headers = []v1alpha1.Header{{Name: "a", Value: new("b")}}
		}, false},
		"revocation URL":    {func(s *v1alpha1.OAuthProviderSpec) { s.RevocationURL = "https://as.example/revoke" }, true},
		"limits":            {func(s *v1alpha1.OAuthProviderSpec) { s.Limits = &v1alpha1.Limits{Burst: new(int32(2))} }, true},
		"allowed":           {func(s *v1alpha1.OAuthProviderSpec) { s.Allowed.Scopes = []string{"a"} }, true},
		"other authorities": {func(s *v1alpha1.OAuthProviderSpec) { s.AllowedAuthorities = []string{"b.example"} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := join(t, user(variables), shared(func(s *v1alpha1.OAuthProviderSpec) {
				allowed(s)
				test.change(s)
			})).InputsHash()
			if (got == base) != test.same {
				t.Errorf("the hash is the same: %t, want %t", got == base, test.same)
			}
		})
	}
	moved := shared(allowed)
	moved.Namespace = "elsewhere"
	if join(t, user(variables), moved).InputsHash() == base {
		t.Error("Secrets of the same name in another namespace make no difference")
	}
	renamed := shared(allowed)
	renamed.Name, renamed.UID = "q", "u-2"
	if join(t, user(variables), renamed).InputsHash() != base {
		t.Error("the provider's name makes a difference")
	}
	if join(t, user(withVariables(map[string]v1alpha1.VariableValue{"realm": "b"})), shared(allowed)).InputsHash() == base {
		t.Error("a variable, which expressions can read, makes no difference")
	}
}

// TestAMethodThatTheClientOverridesIsNoInput shows that a provider's default does not
// matter to a client that has said otherwise.
func TestAMethodThatTheClientOverridesIsNoInput(t *testing.T) {
	t.Parallel()
	own := user(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Client = v1alpha1.Client{ID: "me", SecretRef: ref("client", "secret")}
		s.Client.Authentication.Method = v1alpha1.ClientSecretPost
	})
	hashes := map[string]bool{}
	for _, method := range []v1alpha1.ClientAuthenticationMethod{"", v1alpha1.ClientSecretBasic, v1alpha1.ClientSecretJWT} {
		hashes[join(t, own, open(func(s *v1alpha1.OAuthProviderSpec) { s.ClientAuthentication.Method = method })).InputsHash()] = true
	}
	if len(hashes) != 1 {
		t.Errorf("%d hashes, want one", len(hashes))
	}
}

// TestTheHashOfEverything pins the encoding of each field, so that none is renamed or
// moved by accident. The durations are written as 90s, and hash as they are stored.
func TestTheHashOfEverything(t *testing.T) {
	t.Parallel()
	ninety := &metav1.Duration{Duration: 90 * time.Second}
	account := &v1alpha1.ServiceAccountToken{Name: "robot", Audience: "api", ExpirationSeconds: new(int64(900))}
	c := credential(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Provider.Request = v1alpha1.ProviderRequest{
			Method: "PUT", BodyFormat: "JSON", ScopeSeparator: ",", OmitParameters: []string{"grant_type"},
			RequestAdditions: v1alpha1.RequestAdditions{
				Headers:    []v1alpha1.Header{{Name: "h", Value: new("v"), Expression: "value"}},
				Parameters: []v1alpha1.Parameter{{Name: "p", ValueFrom: from("client", "app")}},
			},
		}
		s.Provider.Response = v1alpha1.Response{
			Succeeded: "a", AccessToken: "b", TokenType: "c", ExpiresIn: "d", ExpiresAt: "e", IssuedAt: "f", RefreshToken: "g",
			RefreshTokenExpiresIn: "h", Scope: "i", Error: "j", ErrorDescription: "k", Extra: map[string]v1alpha1.Expression{"l": "m"},
		}
		s.Provider.Lifetime = v1alpha1.Lifetime{Default: ninety, Maximum: ninety, ExpiresInUnit: "Minutes"}
		s.Provider.ClientAuthentication = v1alpha1.ClientAuthentication{
			Method: "client_secret_basic", BasicEncoding: "Raw",
			Assertion: &v1alpha1.ClientAssertion{Audience: "a", Algorithm: "HS256", KeyID: "k", Lifetime: ninety},
		}
		s.Client.ID, s.Client.IDRef = "me", nil
		s.JWTBearer = &v1alpha1.JWTBearer{
			PrivateKeyRef: ref("key", "pem"), Issuer: "i", Subject: "s", Audience: "a", Algorithm: "RS256", KeyID: "k",
			Lifetime: ninety, Claims: map[string]v1alpha1.Expression{"scope": "'x'"},
		}
		s.TokenExchange = &v1alpha1.TokenExchange{
			SubjectToken: v1alpha1.TokenSource{SecretKeyRef: ref("t", "k")}, SubjectTokenType: "s",
			ActorToken: &v1alpha1.TokenSource{ServiceAccount: account}, ActorTokenType: "a", RequestedTokenType: "r",
		}
		s.Password = &v1alpha1.Password{UsernameRef: ref("u", "k"), PasswordRef: *ref("p", "k")}
		s.Scopes, s.Audiences, s.Resources = []string{"s"}, []string{"a"}, []string{"r"}
		s.Request.Headers = []v1alpha1.Header{{Name: "own", ValueFrom: from("client", "app")}}
		s.Secret.Data = map[string]v1alpha1.Expression{"x": "token.access_token"}
	})
	if got := join(t, c, nil).InputsHash(); got != richHash {
		t.Errorf("the hash of everything is %s, and was %s", got, richHash)
	}
}

// TestEmptyFieldsAreNoInputs holds what lets fields be added to the API: each is left out
// of the hash while it is empty.
func TestEmptyFieldsAreNoInputs(t *testing.T) {
	t.Parallel()
	seen := map[reflect.Type]bool{}
	var check func(kind reflect.Type)
	check = func(kind reflect.Type) {
		for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice || kind.Kind() == reflect.Map {
			kind = kind.Elem()
		}
		if kind.Kind() != reflect.Struct || kind == reflect.TypeFor[metav1.Duration]() || seen[kind] {
			return
		}
		seen[kind] = true
		for field := range kind.Fields() {
			options := strings.Split(field.Tag.Get("json"), ",")[1:]
			needed := "omitempty"
			if field.Type.Kind() == reflect.Struct {
				needed = "omitzero"
			}
			if !field.Anonymous && !slices.Contains(options, needed) {
				t.Errorf("%s.%s is no %s", kind, field.Name, needed)
			}
			check(field.Type)
		}
	}
	for _, root := range []reflect.Type{
		reflect.TypeFor[v1alpha1.ClientAuthentication](), reflect.TypeFor[v1alpha1.ProviderRequest](),
		reflect.TypeFor[v1alpha1.Response](), reflect.TypeFor[v1alpha1.Lifetime](), reflect.TypeFor[v1alpha1.JWTBearer](),
		reflect.TypeFor[v1alpha1.TokenExchange](), reflect.TypeFor[v1alpha1.Password](), reflect.TypeFor[v1alpha1.Client](),
		reflect.TypeFor[v1alpha1.RequestAdditions](),
	} {
		check(root)
	}
	if len(seen) < 12 {
		t.Errorf("only %d types were looked at", len(seen))
	}
}
