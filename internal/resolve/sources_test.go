package resolve_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
)

func bundle(kind v1alpha1.ReferenceKind, name string) *v1alpha1.TLS {
	return &v1alpha1.TLS{CARef: &v1alpha1.CAReference{Kind: kind, Name: name, Key: "ca.crt"}}
}

func TestCredentialSources(t *testing.T) {
	t.Parallel()
	got := resolve.CredentialSources(credential(func(s *v1alpha1.OAuthCredentialSpec) {
		s.Client = v1alpha1.Client{
			IDRef: ref("id", "k"), SecretRef: ref("secret", "k"), PrivateKeyRef: ref("key", "k"),
			CertificateRef: &v1alpha1.SecretReference{Name: "pair"},
		}
		s.JWTBearer = &v1alpha1.JWTBearer{PrivateKeyRef: ref("grant-key", "k")}
		s.Password = &v1alpha1.Password{UsernameRef: ref("user", "k"), PasswordRef: *ref("password", "k")}
		s.TokenExchange = &v1alpha1.TokenExchange{
			SubjectToken: v1alpha1.TokenSource{SecretKeyRef: ref("subject", "k")},
			ActorToken:   &v1alpha1.TokenSource{SecretKeyRef: ref("actor", "k")},
		}
		s.Request.Headers = []v1alpha1.Header{{Name: "a", ValueFrom: from("header", "k")}, {Name: "b", ValueFrom: from("secret", "k")}}
		s.Request.Parameters = []v1alpha1.Parameter{{Name: "a", ValueFrom: from("parameter", "k")}}
		s.Provider.Request.Headers = []v1alpha1.Header{{Name: "c", ValueFrom: from("inline", "k")}}
		s.Provider.TLS = bundle(v1alpha1.KindConfigMap, "ca")
	}))
	if !slices.IsSortedFunc(got, func(a, b resolve.Source) int { return strings.Compare(string(a.Kind)+a.Name, string(b.Kind)+b.Name) }) {
		t.Error("they are in no stable order")
	}
	found := map[string]bool{}
	for _, source := range got {
		if source.Namespace != tenant || source.RecordedName != source.Name {
			t.Errorf("wrong source: %+v", source)
		}
		found[string(source.Kind)+" "+source.Name] = source.Client
	}
	want := map[string]bool{
		"Secret id": true, "Secret secret": true, "Secret key": true, "Secret pair": true, "Secret grant-key": true,
		"Secret user": true, "Secret password": true,
		// Tokens to exchange change as a matter of course, and headers mint nothing by themselves.
		"Secret subject": false, "Secret actor": false, "Secret header": false, "Secret parameter": false, "Secret inline": false,
		"ConfigMap ca": false,
	}
	if diff := cmp.Diff(want, found); diff != "" || len(got) != len(want) {
		t.Error(diff)
	}
}

func TestSourcesOfAProvider(t *testing.T) {
	t.Parallel()
	change := func(s *v1alpha1.OAuthProviderSpec) {
		s.Request.Headers = []v1alpha1.Header{{Name: "a", ValueFrom: from("shared", "app")}}
		s.TLS = bundle(v1alpha1.KindConfigMap, "ca")
	}
	for name, test := range map[string]struct {
		provider  *resolve.Provider
		namespace string
		recorded  bool
	}{
		"a ClusterOAuthProvider is not seen into": {shared(change), system, false},
		"an OAuthProvider is the tenant's own":    {own(shared(change)), tenant, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := join(t, user(unchanged), test.provider).Sources()
			if len(got) != 2 {
				t.Fatalf("got %+v", got)
			}
			for _, source := range got {
				if source.Namespace != test.namespace || (source.RecordedName == source.Name) != test.recorded {
					t.Errorf("wrong source: %+v", source)
				}
				// The Secret of the client and of a header is the client's first of all.
				if source.Client != (source.Kind == v1alpha1.KindSecret) {
					t.Errorf("%s %s is the client's: %t", source.Kind, source.Name, source.Client)
				}
			}
		})
	}
}

// TestTheRecordedNameStandsForOneSecret shows that a changed Secret of a provider is known
// again, and that another Secret, or one of another provider, is not taken for it.
func TestTheRecordedNameStandsForOneSecret(t *testing.T) {
	t.Parallel()
	recorded := func(provider *resolve.Provider) string {
		return join(t, user(unchanged), provider).Sources()[0].RecordedName
	}
	base := recorded(shared(unchanged))
	if again := recorded(shared(func(s *v1alpha1.OAuthProviderSpec) { s.Timeout = nil })); again != base {
		t.Errorf("%q became %q", base, again)
	}
	moved := func(s *v1alpha1.OAuthProviderSpec) {
		s.Client = &v1alpha1.Client{ID: "us", SecretRef: ref("moved", "secret")}
	}
	for name, other := range map[string]string{
		"a moved reference": recorded(shared(moved)),
		"another provider":  recorded(another(shared(unchanged))),
	} {
		if other == base {
			t.Errorf("%s has the same record", name)
		}
	}
}

func TestVersionsOfAProvidersSecrets(t *testing.T) {
	t.Parallel()
	provider := shared(unchanged)
	plan := join(t, user(unchanged), provider)
	resolved, err := resolver(namespace(), &issuers{}).Resolve(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	want := []v1alpha1.SourceVersion{{Kind: v1alpha1.KindSecret, Name: plan.Sources()[0].RecordedName, ResourceVersion: "8"}}
	if diff := cmp.Diff(want, resolved.Versions); diff != "" {
		t.Error(diff)
	}
	reader := namespace()
	delete(reader.secrets, system+"/shared")
	resolved, err = resolver(reader, &issuers{}).Resolve(t.Context(), plan)
	want[0].ResourceVersion = ""
	if diff := cmp.Diff(want, resolved.Versions); diff != "" || err == nil {
		t.Errorf("of a missing Secret there is no record: %s", diff)
	}
}

// TestASecretOfTwoNames is a credential in the operator's own namespace, which names a
// Secret that its provider names too.
func TestASecretOfTwoNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "z"} { // in front of the provider's name for it, and behind
		reader := namespace().with(system, name, "5", map[string]string{"secret": "s3cret", "ca.crt": "PEM"})
		plan := join(t, in(system, user(func(s *v1alpha1.OAuthCredentialSpec) {
			s.Client = v1alpha1.Client{ID: "me", SecretRef: ref(name, "secret")}
		})), open(func(s *v1alpha1.OAuthProviderSpec) { s.TLS = bundle(v1alpha1.KindSecret, name) }))
		resolved, err := resolver(reader, &issuers{}).Resolve(t.Context(), plan)
		if err != nil {
			t.Fatal(err)
		}
		for _, source := range plan.Sources() {
			if !slices.ContainsFunc(resolved.Versions, func(v v1alpha1.SourceVersion) bool {
				return v.Name == source.RecordedName && v.ResourceVersion == "5"
			}) {
				t.Errorf("%s: the version of %s is not recorded: %v", name, source.RecordedName, resolved.Versions)
			}
		}
	}
}

func TestNobodySendsASecretWithPowers(t *testing.T) {
	t.Parallel()
	for _, powers := range []corev1.SecretType{corev1.SecretTypeServiceAccountToken, corev1.SecretTypeBootstrapToken, "helm.sh/release.v1"} {
		reader := namespace().
			with(tenant, "powers", "1", map[string]string{"secret": "p0wer", "ca.crt": "PEM"}).
			with(system, "powers", "1", map[string]string{"secret": "p0wer", "ca.crt": "PEM"})
		reader.secrets[tenant+"/powers"].Type, reader.secrets[system+"/powers"].Type = powers, powers
		for name, test := range map[string]struct {
			credential *v1alpha1.OAuthCredential
			provider   *resolve.Provider
		}{
			"as the client's": {credential(func(s *v1alpha1.OAuthCredentialSpec) { s.Client.SecretRef = ref("powers", "secret") }), nil},
			"as a certificate": {credential(func(s *v1alpha1.OAuthCredentialSpec) {
				s.Client = v1alpha1.Client{ID: "me", CertificateRef: &v1alpha1.SecretReference{Name: "powers"}}
			}), nil},
			"as a header": {credential(func(s *v1alpha1.OAuthCredentialSpec) {
				s.Request.Headers = []v1alpha1.Header{{Name: "a", ValueFrom: from("powers", "secret"), Expression: "value"}}
			}), nil},
			"as a bundle": {credential(func(s *v1alpha1.OAuthCredentialSpec) { s.Provider.TLS = bundle(v1alpha1.KindSecret, "powers") }), nil},
			"as a token to exchange": {credential(func(s *v1alpha1.OAuthCredentialSpec) {
				s.TokenExchange = &v1alpha1.TokenExchange{SubjectToken: v1alpha1.TokenSource{SecretKeyRef: ref("powers", "secret")}}
			}), nil},
			"by an OAuthProvider": {user(unchanged), own(shared(func(s *v1alpha1.OAuthProviderSpec) {
				s.Client = &v1alpha1.Client{ID: "us", SecretRef: ref("powers", "secret")}
			}))},
			"by a ClusterOAuthProvider": {user(unchanged), shared(func(s *v1alpha1.OAuthProviderSpec) {
				s.Client = &v1alpha1.Client{ID: "us", SecretRef: ref("powers", "secret")}
			})},
		} {
			_, err := resolver(reader, &issuers{}).Resolve(t.Context(), join(t, test.credential, test.provider))
			expectProblem(t, string(powers)+" "+name, err, resolve.Forbidden)
		}
	}
}
