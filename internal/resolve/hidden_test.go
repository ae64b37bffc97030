package resolve_test

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

// wantsAll has a credential see all that it may of an answer.
func wantsAll(s *v1alpha1.OAuthCredentialSpec) {
	s.Secret.Data = map[string]v1alpha1.Expression{"token": "token.access_token"}
}

// TestATenantDoesNotSeeIntoAClusterOAuthProvider breaks such a provider in every way, with
// "canary" in all that its administrator wrote: a tenant is told whom to ask, and the
// provider's own status says what is wrong.
func TestATenantDoesNotSeeIntoAClusterOAuthProvider(t *testing.T) {
	t.Parallel()
	secret := map[string]string{"canary-secret": "s", "canary-empty": "", "tls.crt": "canary", "tls.key": "canary"}
	key := func(name, key string) changeProvider {
		return func(s *v1alpha1.OAuthProviderSpec) {
			s.Client = &v1alpha1.Client{ID: "canary-id", SecretRef: ref(name, key)}
		}
	}
	header := func(source v1alpha1.Expression) changeProvider {
		return func(s *v1alpha1.OAuthProviderSpec) {
			s.Request.Headers = []v1alpha1.Header{{Name: "X-Canary", ValueFrom: from("canary", "canary-secret"), Expression: source}}
		}
	}
	certificate := &v1alpha1.Client{ID: "canary-id", CertificateRef: &v1alpha1.SecretReference{Name: "canary"}}
	for name, test := range map[string]struct {
		change changeProvider
		// told is what the provider's own status says; nothing where it takes a request to tell.
		told string
	}{
		"missing Secret":      {key("canary-missing", "k"), "canary"},
		"missing key":         {key("canary", "canary-key"), "canary"},
		"empty key":           {key("canary", "canary-empty"), "canary"},
		"Secret with powers":  {key("canary-powers", "canary-secret"), "canary"},
		"missing ConfigMap":   {func(s *v1alpha1.OAuthProviderSpec) { s.TLS = bundle(v1alpha1.KindConfigMap, "canary") }, "canary"},
		"missing bundle":      {func(s *v1alpha1.OAuthProviderSpec) { s.TLS = bundle(v1alpha1.KindSecret, "canary") }, "canary"},
		"header's expression": {header("canary +"), "canary"},
		"header's value":      {header("variables.canary"), ""},
		"header's list":       {header("[value, 'canary']"), ""},
		"answer's expression": {func(s *v1alpha1.OAuthProviderSpec) { s.Response.AccessToken = "canary(" }, "canary"},
		"extra's expression": {func(s *v1alpha1.OAuthProviderSpec) {
			s.Response.Extra = map[string]v1alpha1.Expression{"canary": "canary("}
		}, "canary"},
		"private key": {func(s *v1alpha1.OAuthProviderSpec) {
			s.Client = &v1alpha1.Client{ID: "canary-id", PrivateKeyRef: ref("canary", "canary-secret")}
		}, "spec.client.privateKeyRef"},
		"certificate to present": {func(s *v1alpha1.OAuthProviderSpec) { s.Client = certificate }, "spec.client.certificateRef"},
		"certificate to sign with": {func(s *v1alpha1.OAuthProviderSpec) {
			s.Client, s.ClientAuthentication.Method = certificate, v1alpha1.PrivateKeyJWT
		}, "spec.client.certificateRef"},
		"method": {func(s *v1alpha1.OAuthProviderSpec) {
			s.Client = &v1alpha1.Client{ID: "canary-id"}
			s.ClientAuthentication.Method = "canary_jwt"
		}, "canary"},
		"host of the token endpoint": {func(s *v1alpha1.OAuthProviderSpec) {
			s.Client = &v1alpha1.Client{ID: "canary-id"}
			s.Issuer, s.TokenURL = "https://canary.example", ""
		}, "canary"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader := namespace().with(system, "canary", "1", secret).with(system, "canary-powers", "1", secret)
			reader.secrets[system+"/canary-powers"].Type = corev1.SecretTypeServiceAccountToken
			r := resolver(reader, &issuers{metadata: oauth.Metadata{TokenEndpoint: "https://canary-tokens.example/t"}})
			provider := open(test.change)
			plan, err := resolve.Join(user(wantsAll), provider)
			if err == nil {
				var resolved resolve.Resolved
				resolved, err = r.Resolve(t.Context(), plan)
				for _, version := range resolved.Versions {
					if strings.Contains(version.Name, "canary") {
						t.Errorf("the record names %s", version.Name)
					}
				}
			}
			if err == nil || strings.Contains(strings.ToLower(err.Error()), "canary") {
				t.Fatalf("the tenant is told: %v", err)
			}
			expectText(t, err.Error(), provider.String(), "administrator")
			var source *resolve.SourceError
			var spec *resolve.SpecError
			if !errors.As(err, &source) && !errors.As(err, &spec) {
				t.Errorf("%T is nobody's mistake", err)
			}
			_, err = r.Probe(t.Context(), provider)
			if (err != nil) != (test.told != "") || err != nil && !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(test.told)) {
				t.Errorf("its administrator is told: %v", err)
			}
		})
	}
}

// TestAnOAuthProviderIsTheTenantsOwn is the other side: within a namespace nothing is
// hidden.
func TestAnOAuthProviderIsTheTenantsOwn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change changeProvider
		says   string
	}{
		"missing Secret": {func(s *v1alpha1.OAuthProviderSpec) {
			s.Client = &v1alpha1.Client{ID: "us", SecretRef: ref("nowhere", "k")}
		}, `Secret "nowhere", named by spec.client.secretRef of the OAuthProvider "p"`},
		"missing key of a header": {func(s *v1alpha1.OAuthProviderSpec) {
			s.Request.Headers = []v1alpha1.Header{{Name: "X-App", ValueFrom: from("client", "nothing")}}
		}, `"nothing", which spec.request.headers[X-App] of the OAuthProvider "p"`},
		"expression": {func(s *v1alpha1.OAuthProviderSpec) { s.Response.Scope = "nothing +" }, `spec.response.scope of the OAuthProvider "p"`},
		"value of a header": {func(s *v1alpha1.OAuthProviderSpec) {
			s.Request.Headers = []v1alpha1.Header{{Name: "X-App", Expression: "variables.nothing"}}
		}, `spec.request.headers[X-App].expression of the OAuthProvider "p"`},
		"key": {func(s *v1alpha1.OAuthProviderSpec) {
			s.Client = &v1alpha1.Client{ID: "us", PrivateKeyRef: ref("client", "secret")}
		}, `spec.client.privateKeyRef of the OAuthProvider "p"`},
		"method": {func(s *v1alpha1.OAuthProviderSpec) {
			s.Client, s.ClientAuthentication.Method = &v1alpha1.Client{ID: "us"}, v1alpha1.TLSClientAuth
		}, "tls_client_auth needs client.certificateRef"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, err := resolve.Join(user(unchanged), own(open(test.change)))
			if err == nil {
				_, err = resolver(namespace(), &issuers{}).Resolve(t.Context(), plan)
			}
			if err == nil {
				t.Fatal("it works")
			}
			expectText(t, err.Error(), test.says)
		})
	}
}

// TestAnOperatorThatDoesNotKnowItsNamespace reads nothing from anywhere else.
func TestAnOperatorThatDoesNotKnowItsNamespace(t *testing.T) {
	t.Parallel()
	homeless := func(change changeProvider) *resolve.Provider {
		provider := open(change)
		provider.Namespace = metav1.NamespaceAll
		return provider
	}
	holders := map[string]changeProvider{
		"a bundle": func(s *v1alpha1.OAuthProviderSpec) { s.TLS = bundle(v1alpha1.KindConfigMap, "ca") },
		"a client": func(s *v1alpha1.OAuthProviderSpec) {
			s.Client = &v1alpha1.Client{ID: "us", SecretRef: ref("shared", "secret")}
		},
	}
	for name, change := range holders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader := namespace()
			_, err := resolve.Join(user(unchanged), homeless(change))
			expectText(t, expectReason(t, err, v1alpha1.ReasonProviderNotFound), "POD_NAMESPACE")
			_, err = resolver(reader, &issuers{}).Probe(t.Context(), homeless(change))
			expectText(t, expectReason(t, err, v1alpha1.ReasonProviderNotFound), "POD_NAMESPACE")
			if reader.reads != 0 {
				t.Errorf("%d objects were read", reader.reads)
			}
		})
	}
	if _, err := resolve.Join(user(unchanged), homeless(unchanged)); err != nil {
		t.Errorf("a provider that names nothing needs no namespace: %v", err)
	}
}

func TestWhatAnExpressionIsMadeOfIsASecretToo(t *testing.T) {
	t.Parallel()
	plan, err := resolve.Join(credential(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Request.Headers = []v1alpha1.Header{{
			Name: "X-Key", ValueFrom: &v1alpha1.ValueSource{SecretKeyRef: *ref("client", "app")}, Expression: "base64.encode(value)",
		}}
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := resolver(namespace(), &issuers{}).Resolve(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, secret := range resolved.Request.Secrets() {
		known[secret.Reveal()] = true
	}
	if !known["app-token"] || !known["YXBwLXRva2Vu"] {
		t.Error("the value or what was made of it is not known as a secret")
	}
}
