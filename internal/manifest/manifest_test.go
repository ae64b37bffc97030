package manifest_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/manifest"
)

const several = `# A comment alone is no document.
---
apiVersion: v1
kind: List
items:
- apiVersion: tokensync.dev/v1alpha1
  kind: OAuthCredential
  metadata: {name: one}
  spec: {providerRef: {name: p}}
- apiVersion: v1
  kind: Secret
  metadata: {name: s}
  data: {a: YQ==, b: Yg==}
  stringData: {b: c}
---
{"apiVersion": "tokensync.dev/v1alpha1", "kind": "OAuthCredential", "metadata": {"name": "two"},
 "spec": {"provider": {"tokenURL": "https://a.example/t"}, "grantType": "password"}}
---
apiVersion: apps/v1
kind: Deployment
`

func read(t *testing.T, text string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRead(t *testing.T) {
	t.Parallel()
	m := read(t, several)
	if len(m.Credentials) != 2 || strings.Join(m.Others, " ") != "Deployment" || m.IsEmpty() {
		t.Fatalf("got %+v", m)
	}
	one, two := m.Credentials[0].Spec, m.Credentials[1].Spec
	if one.GrantType != v1alpha1.GrantClientCredentials || one.ProviderRef.Kind != v1alpha1.KindOAuthProvider || two.GrantType != v1alpha1.GrantPassword {
		t.Errorf("the defaults of the schema are not filled in: %+v and %+v", one, two)
	}
	o := manifest.Objects{Manifest: m, Namespace: "web", Operator: "tokensync-system"}
	secret, err := o.Secret(t.Context(), "web", "s")
	if err != nil || string(secret.Data["a"]) != "a" || string(secret.Data["b"]) != "c" {
		t.Errorf("got %v, %v", secret, err)
	}
	if _, err := o.Secret(t.Context(), "other", "s"); !apierrors.IsNotFound(err) {
		t.Errorf("a Secret was found in another namespace: %v", err)
	}
	o.Manifest = read(t, strings.ReplaceAll(several, "{name: s}", "{name: s, namespace: other}"))
	if _, err := o.Secret(t.Context(), "web", "s"); !apierrors.IsNotFound(err) {
		t.Errorf("a Secret of another namespace was found: %v", err)
	}
	if !read(t, "# Nothing.\n---\n").IsEmpty() {
		t.Error("comments are not empty")
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: tokensync.dev/v1alpha1\n"
	for name, test := range map[string]struct{ text, says string }{
		"a field that does not exist": {head + "kind: OAuthCredential\nspec: {providr: {}}", `unknown field "spec.providr"`},
		"a kind that does not exist":  {head + "kind: OAuthCredentials", "the kind OAuthCredentials of tokensync.dev/v1alpha1 does not exist"},
		"no manifest":                 {"a: b", "it has no kind"},
		"no YAML":                     {"a: [", "it is neither valid YAML nor JSON"},
		"a Secret that is not base64": {"apiVersion: v1\nkind: Secret\ndata: {a: thesecret!}", "it is no valid Secret"},
		"what follows a good one":     {several + "---\nb: c", "document 5: it has no kind"},
	} {
		if _, err := manifest.Read(strings.NewReader(test.text)); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

const providers = `apiVersion: tokensync.dev/v1alpha1
kind: OAuthProvider
metadata: {name: p}
spec: {tokenURL: "https://first.example/t"}
---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthProvider
metadata: {name: p}
spec: {tokenURL: "https://second.example/t"}
---
apiVersion: tokensync.dev/v1alpha1
kind: ClusterOAuthProvider
metadata: {name: p}
spec: {tokenURL: "https://cluster.example/t"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ca}
data: {ca.crt: here}
`

func TestLookups(t *testing.T) {
	t.Parallel()
	o := manifest.Objects{Manifest: read(t, several+"---\n"+providers), Namespace: "web", Operator: "tokensync-system"}
	if all, one := o.Credentials(""), o.Credentials("two"); len(all) != 2 || len(one) != 1 || one[0].Name != "two" || one[0].Namespace != "web" {
		t.Errorf("got %v and %v", all, one)
	}
	for kind, want := range map[v1alpha1.ProviderKind]struct{ url, namespace string }{
		v1alpha1.KindOAuthProvider:        {"https://first.example/t", "web"},
		v1alpha1.KindClusterOAuthProvider: {"https://cluster.example/t", "tokensync-system"},
	} {
		credential := o.Credentials("one")[0]
		credential.Spec.ProviderRef = &v1alpha1.ProviderReference{Kind: kind, Name: "p"}
		provider, err := o.Provider(t.Context(), &credential)
		if err != nil || string(provider.Spec.TokenURL) != want.url || provider.Namespace != want.namespace || provider.Kind != kind {
			t.Errorf("%s: got %+v, %v", kind, provider, err)
		}
		credential.Spec.ProviderRef.Name = "q"
		if _, err := o.Provider(t.Context(), &credential); !apierrors.IsNotFound(err) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
	if provider, err := o.Provider(t.Context(), &o.Credentials("two")[0]); provider != nil || err != nil {
		t.Errorf("an inline provider: got %v, %v", provider, err)
	}
}

// TestElsewhere is asked for what the manifest does not hold, and for nothing else.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	var asked []string
	o := manifest.Objects{Manifest: read(t, several+"---\n"+providers), Namespace: "web"}
	o.Elsewhere = func(_ context.Context, namespace, name string, into manifest.Object) error {
		asked = append(asked, namespace+"/"+name)
		if secret, ok := into.(*corev1.Secret); ok {
			secret.Data = map[string][]byte{"k": []byte("elsewhere")}
		}
		return nil
	}
	for _, name := range []string{"s", "t"} {
		if _, err := o.Secret(t.Context(), "web", name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"ca", "cb"} {
		if _, err := o.ConfigMap(t.Context(), "web", name); err != nil {
			t.Error(err)
		}
	}
	if strings.Join(asked, " ") != "web/t web/cb" {
		t.Errorf("asked for %v", asked)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(several)
	f.Add(providers)
	f.Add("apiVersion: v1\nkind: Secret\ndata: {a: thesecret!}")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := manifest.Read(strings.NewReader(text)); err != nil && strings.Contains(err.Error(), "thesecret") {
			t.Errorf("the error quotes: %v", err)
		}
	})
}
