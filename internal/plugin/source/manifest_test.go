package source_test

import (
	"context"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/plugin/source"
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

func TestRead(t *testing.T) {
	t.Parallel()
	m, err := source.Read(strings.NewReader(several))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Credentials) != 2 || strings.Join(m.Others, " ") != "Deployment" {
		t.Fatalf("got %+v", m)
	}
	one, two := m.Credentials[0].Spec, m.Credentials[1].Spec
	if one.GrantType != v1alpha1.GrantClientCredentials || one.ProviderRef.Kind != v1alpha1.KindOAuthProvider || two.GrantType != v1alpha1.GrantPassword {
		t.Errorf("the defaults of the schema are not filled in: %+v and %+v", one, two)
	}
	o := &source.Objects{Manifest: m, Namespace: "web", Operator: "tokensync-system"}
	secret, err := o.Secret(t.Context(), "web", "s")
	if err != nil || string(secret.Data["a"]) != "a" || string(secret.Data["b"]) != "c" {
		t.Errorf("got %v, %v", secret, err)
	}
	if _, err := o.Secret(t.Context(), "other", "s"); err == nil {
		t.Error("a Secret was found in another namespace")
	}
	elsewhere, err := source.Read(strings.NewReader(strings.ReplaceAll(several, "{name: s}", "{name: s, namespace: other}")))
	if err != nil {
		t.Fatal(err)
	}
	o.Manifest = elsewhere
	if _, err := o.Secret(t.Context(), "web", "s"); err == nil {
		t.Error("a Secret of another namespace was found")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(several)
	f.Add("apiVersion: v1\nkind: Secret\ndata: {a: thesecret!}")
	f.Fuzz(func(t *testing.T, manifest string) {
		if _, err := source.Read(strings.NewReader(manifest)); err != nil && strings.Contains(err.Error(), "thesecret") {
			t.Errorf("the error quotes: %v", err)
		}
	})
}

// nothing is a cluster in which there is nothing.
type nothing struct{ client.WithWatch }

func (nothing) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewNotFound(schema.GroupResource{Resource: "oauthproviders"}, key.Name)
}

// TestAMissingProvider is missing where it was looked for.
func TestAMissingProvider(t *testing.T) {
	t.Parallel()
	m, err := source.Read(strings.NewReader(several))
	if err != nil {
		t.Fatal(err)
	}
	cluster := &cli.Cluster{Client: nothing{}, Namespace: "web"}
	for name, test := range map[string]struct {
		objects *source.Objects
		says    string
	}{
		"a file":               {&source.Objects{Manifest: m}, `the OAuthProvider "p" is not in the file`},
		"a file and a cluster": {&source.Objects{Manifest: m, Cluster: cluster}, `the OAuthProvider "p" is neither in the file nor in the cluster`},
		"a cluster":            {&source.Objects{Manifest: &source.Manifest{}, Cluster: cluster}, `the OAuthProvider "p" does not exist in the cluster`},
	} {
		if _, err := test.objects.Provider(t.Context(), &m.Credentials[0]); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
