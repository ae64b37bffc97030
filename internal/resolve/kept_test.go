package resolve_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
)

// refreshing begins with the refresh token in a Secret.
func refreshing(s *v1alpha1.OAuthCredentialSpec) {
	s.GrantType = v1alpha1.GrantRefreshToken
	s.RefreshToken = &v1alpha1.RefreshToken{BootstrapRef: *ref("bootstrap", "token")}
}

// asking has all that can be asked for.
func asking(s *v1alpha1.OAuthCredentialSpec) {
	s.Scopes, s.Audiences, s.Resources = []string{"read"}, []string{"api"}, []string{"urn:x"}
}

// granted is a credential of a grant type that asks for all there is.
func granted(grantType v1alpha1.GrantType) *v1alpha1.OAuthCredential {
	return credential(func(s *v1alpha1.OAuthCredentialSpec) {
		asking(s)
		s.Provider.AuthorizationURL, s.Provider.DeviceAuthorizationURL = "https://as.example/authorize", "https://as.example/device"
		if s.GrantType = grantType; grantType == v1alpha1.GrantRefreshToken {
			refreshing(s)
		}
	})
}

func TestWhatIsSentOfAGrantThatIsKept(t *testing.T) {
	t.Parallel()
	code := resolve.Grant{Code: redact.New("c0de"), Verifier: redact.New("v3rifier"), RedirectURI: "http://127.0.0.1:8400/callback"}
	bare := code
	bare.Verifier = redact.String{}
	token := resolve.Grant{RefreshToken: redact.New("r3fresh")}
	for name, test := range map[string]struct {
		grantType v1alpha1.GrantType
		grant     resolve.Grant
		sent      v1alpha1.GrantType
		want      map[string]string
		// asks says that what the spec asks for is sent, too.
		asks bool
	}{
		"a refresh token": {
			v1alpha1.GrantRefreshToken, token, v1alpha1.GrantRefreshToken, map[string]string{"refresh_token": "r3fresh"}, true,
		},
		"a code": {
			v1alpha1.GrantAuthorizationCode, code, v1alpha1.GrantAuthorizationCode,
			map[string]string{"code": "c0de", "redirect_uri": "http://127.0.0.1:8400/callback", "code_verifier": "v3rifier"},
			false,
		},
		"a code without a verifier": {
			v1alpha1.GrantAuthorizationCode, bare, v1alpha1.GrantAuthorizationCode,
			map[string]string{"code": "c0de", "redirect_uri": "http://127.0.0.1:8400/callback"},
			false,
		},
		"a code of a login that takes a refresh token's place": {
			v1alpha1.GrantRefreshToken, code, v1alpha1.GrantAuthorizationCode,
			map[string]string{"code": "c0de", "redirect_uri": "http://127.0.0.1:8400/callback", "code_verifier": "v3rifier"},
			false,
		},
		"the refresh token that came for a code": {
			v1alpha1.GrantAuthorizationCode, token, v1alpha1.GrantRefreshToken, map[string]string{"refresh_token": "r3fresh"}, false,
		},
		"a device code": {
			v1alpha1.GrantDeviceCode,
			resolve.Grant{DeviceCode: redact.New("d3vice")},
			v1alpha1.GrantDeviceCode,
			map[string]string{"device_code": "d3vice"},
			false,
		},
		"the refresh token that came for a device code": {
			v1alpha1.GrantDeviceCode, token, v1alpha1.GrantRefreshToken, map[string]string{"refresh_token": "r3fresh"}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resolved, err := resolver(namespace(), &issuers{}).ResolveWith(t.Context(), join(t, granted(test.grantType), nil), test.grant)
			if err != nil {
				t.Fatal(err)
			}
			request := resolved.Request
			if request.GrantType != string(test.sent) {
				t.Errorf("the grant type is %s, want %s", request.GrantType, test.sent)
			}
			expectFields(t, request.Grant, test.want)
			if (len(request.Scopes) > 0) != test.asks || (len(request.Audiences) > 0) != test.asks {
				t.Errorf("asks for %v and %v", request.Scopes, request.Audiences)
			}
			if len(request.Resources) != 1 {
				t.Errorf("the token is for %v, want what the spec says (RFC 8707 section 2.2)", request.Resources)
			}
			if request.Client.ID != "me" || request.Client.Secret.Reveal() != "s3cret" {
				t.Error("the client does not authenticate")
			}
			for _, version := range resolved.Versions {
				if version.Name == "bootstrap" {
					t.Error("the Secret of the first refresh token is read for a later one")
				}
			}
			hides(t, &request, test.want)
		})
	}
}

// hides checks that what is sent of a grant is looked for in all that is shown, but for
// the redirect URI.
func hides(t *testing.T, request *oauth.Request, sent map[string]string) {
	t.Helper()
	for name, value := range sent {
		hidden := slices.ContainsFunc(request.Secrets(), func(secret redact.String) bool { return secret.Reveal() == value })
		if hidden != (name != "redirect_uri") {
			t.Errorf("%s is a secret: %t", name, hidden)
		}
	}
}

// synqly is far from RFC 6749: the refresh token is all that is sent, as a bearer.
func synqly(s *v1alpha1.OAuthProviderSpec) {
	s.TokenURL = "https://api.synqly.example/v1/tokens/{token_id}/refresh"
	s.ClientAuthentication.Method = v1alpha1.ClientAuthenticationNone
	s.Request.Method, s.Request.BodyFormat = "PUT", "None"
	s.Request.Headers = []v1alpha1.Header{{Name: "Authorization", Expression: `"Bearer " + refresh_token`}}
}

func TestARefreshTokenInAHeader(t *testing.T) {
	t.Parallel()
	plan := join(t, user(func(s *v1alpha1.OAuthCredentialSpec) {
		refreshing(s)
		s.ProviderRef.Variables = map[string]v1alpha1.VariableValue{"token_id": "3d5b"}
	}), open(synqly))
	resolved, err := resolver(namespace(), &issuers{}).ResolveWith(t.Context(), plan, resolve.Grant{RefreshToken: redact.New("r3fresh")})
	if err != nil {
		t.Fatal(err)
	}
	request := resolved.Request
	if request.TokenURL != "https://api.synqly.example/v1/tokens/3d5b/refresh" || request.Method != http.MethodPut || request.BodyFormat != oauth.BodyNone {
		t.Errorf("asks by %s %s with the body %s", request.Method, request.TokenURL, request.BodyFormat)
	}
	expectFields(t, request.Headers, map[string]string{"Authorization": "Bearer r3fresh"})
	hides(t, &request, map[string]string{"refresh_token": "r3fresh", "Authorization": "Bearer r3fresh"})
}

func TestOnlyAGrantThatIsKeptHasARefreshToken(t *testing.T) {
	t.Parallel()
	for grantType, ok := range map[v1alpha1.GrantType]bool{
		v1alpha1.GrantRefreshToken: true, v1alpha1.GrantAuthorizationCode: true, v1alpha1.GrantDeviceCode: true,
		v1alpha1.GrantClientCredentials: false, "urn:x": false,
	} {
		plan := join(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
			s.GrantType = grantType
			s.Provider.AuthorizationURL, s.Provider.DeviceAuthorizationURL = "https://as.example/authorize", "https://as.example/device"
			s.Request.Headers = []v1alpha1.Header{{Name: "X-Token", Expression: "refresh_token"}}
		}), nil)
		resolved, err := resolver(namespace(), &issuers{}).ResolveWith(t.Context(), plan, resolve.Grant{RefreshToken: redact.New("r3fresh")})
		if plan.KeepsGrant() != ok {
			t.Errorf("%s is kept: %t", grantType, plan.KeepsGrant())
		}
		if (plan.Check(expression.NewCompiler()) == nil) != ok {
			t.Errorf("%s: the expression is taken: %t", grantType, !ok)
		}
		if !ok {
			expectText(t, expectReason(t, err, v1alpha1.ReasonInvalidExpression), "spec.request.headers[X-Token].expression")
			continue
		}
		if err != nil || revealed(resolved.Request.Headers)["X-Token"] != "r3fresh" {
			t.Errorf("%s: got %v, %v", grantType, revealed(resolved.Request.Headers), err)
		}
	}
}

// TestARefreshTokenIsNoKeyOfATarget: what workloads mount does not hold it.
func TestARefreshTokenIsNoKeyOfATarget(t *testing.T) {
	t.Parallel()
	plan := join(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
		refreshing(s)
		s.Secret.Data = map[string]v1alpha1.Expression{"token": "refresh_token"}
	}), nil)
	_, err := resolver(namespace(), &issuers{}).ResolveWith(t.Context(), plan, resolve.Grant{})
	expectText(t, expectReason(t, err, v1alpha1.ReasonInvalidExpression), "spec.secret.data.token")
}

func TestByDevice(t *testing.T) {
	t.Parallel()
	for _, grantType := range []v1alpha1.GrantType{v1alpha1.GrantDeviceCode, v1alpha1.GrantAuthorizationCode, v1alpha1.GrantRefreshToken} {
		if got := join(t, granted(grantType), nil).ByDevice(); got != (grantType == v1alpha1.GrantDeviceCode) {
			t.Errorf("%s begins with a code for a person: %t", grantType, got)
		}
	}
}

// TestConsent: a person is asked again where the spec asks for something else, and for
// nothing else.
func TestConsent(t *testing.T) {
	t.Parallel()
	consent := func(change changeSpec) string {
		return join(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
			asking(s)
			change(s)
		}), nil).Consent()
	}
	base := consent(unchanged)
	for name, test := range map[string]struct {
		change changeSpec
		same   bool
	}{
		"nothing":         {unchanged[v1alpha1.OAuthCredentialSpec], true},
		"a scope":         {func(s *v1alpha1.OAuthCredentialSpec) { s.Scopes = append(s.Scopes, "write") }, false},
		"an audience":     {func(s *v1alpha1.OAuthCredentialSpec) { s.Audiences = nil }, false},
		"a resource":      {func(s *v1alpha1.OAuthCredentialSpec) { s.Resources = []string{"urn:y"} }, false},
		"another list":    {func(s *v1alpha1.OAuthCredentialSpec) { s.Audiences, s.Resources = s.Resources, s.Audiences }, false},
		"the client":      {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.ID, s.Client.IDRef = "other", nil }, true},
		"the keys":        {func(s *v1alpha1.OAuthCredentialSpec) { s.Secret.Name = "other" }, true},
		"the token's URL": {func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.TokenURL += "2" }, true},
	} {
		if got := consent(test.change) == base; got != test.same {
			t.Errorf("%s: the consent stays: %t, want %t", name, got, test.same)
		}
	}
}

// TestALifetimeOfRefreshTokensIsNoInput, nor is where the first one comes from: neither
// makes the access token another one.
func TestALifetimeOfRefreshTokensIsNoInput(t *testing.T) {
	t.Parallel()
	base := join(t, credential(refreshing), nil).InputsHash()
	for name, change := range map[string]changeSpec{
		"the life of a grant": func(s *v1alpha1.OAuthCredentialSpec) {
			s.Provider.Lifetime.RefreshToken.Maximum = &metav1.Duration{Duration: time.Hour}
		},
		"the first refresh token": func(s *v1alpha1.OAuthCredentialSpec) { s.RefreshToken.BootstrapRef.Name = "other" },
		"the revocation": func(s *v1alpha1.OAuthCredentialSpec) {
			s.RevocationPolicy, s.Provider.RevocationURL = v1alpha1.RevocationOnDelete, "https://as.example/revoke"
		},
		"the login": func(s *v1alpha1.OAuthCredentialSpec) {
			s.Provider.AuthorizationURL = "https://as.example/authorize"
			s.Provider.AuthorizationParameters = map[string]v1alpha1.AuthorizationParameter{"prompt": "consent"}
		},
	} {
		got := join(t, credential(func(s *v1alpha1.OAuthCredentialSpec) {
			refreshing(s)
			change(s)
		}), nil).InputsHash()
		if got != base {
			t.Errorf("%s changes the hash", name)
		}
	}
}

// TestAGrantIsNotPrinted: nobody reads the code or the token in a log.
func TestAGrantIsNotPrinted(t *testing.T) {
	t.Parallel()
	secret := redact.New("s3cr3t")
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, resolve.Grant{RefreshToken: secret, Code: secret, Verifier: secret, DeviceCode: secret}); strings.Contains(text, "s3cr3t") {
			t.Errorf("%s prints %s", format, text)
		}
	}
}

// TestAnswerHash: what is made of an answer can be made anew of it, and what is asked for
// cannot.
func TestAnswerHash(t *testing.T) {
	t.Parallel()
	hash := func(change changeSpec) string { return join(t, credential(change), nil).AnswerHash() }
	base := hash(refreshing)
	for name, test := range map[string]struct {
		change changeSpec
		same   bool
	}{
		"the keys":  {func(s *v1alpha1.OAuthCredentialSpec) { s.Secret.Data = map[string]v1alpha1.Expression{"a": "'b'"} }, true},
		"scopes":    {func(s *v1alpha1.OAuthCredentialSpec) { s.Scopes = []string{"a"} }, false},
		"token URL": {func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.TokenURL += "2" }, false},
		"client":    {func(s *v1alpha1.OAuthCredentialSpec) { s.Client.SecretRef = ref("moved", "secret") }, false},
	} {
		got := hash(func(s *v1alpha1.OAuthCredentialSpec) {
			refreshing(s)
			test.change(s)
		})
		if (got == base) != test.same {
			t.Errorf("%s: the hash is the same: %t, want %t", name, got == base, test.same)
		}
	}
}
