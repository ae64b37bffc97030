package source_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/internal/manifest"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/plugin/source"
)

const credential = `apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: one}
spec: {providerRef: {name: p}}
`

// nothing is a cluster in which there is nothing.
type nothing struct{ client.WithWatch }

func (nothing) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewNotFound(schema.GroupResource{Resource: "oauthproviders"}, key.Name)
}

// TestAMissingProvider is missing where it was looked for.
func TestAMissingProvider(t *testing.T) {
	t.Parallel()
	m, err := manifest.Read(strings.NewReader(credential))
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
		"a cluster":            {&source.Objects{Manifest: &manifest.Manifest{}, Cluster: cluster}, `the OAuthProvider "p" does not exist in the cluster`},
	} {
		if _, err := test.objects.Provider(t.Context(), &m.Credentials[0]); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// counting is a cluster that holds one Secret and counts who reads it.
type counting struct {
	client.WithWatch

	reads int
}

func (c *counting) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	c.reads++
	*into.(*corev1.Secret) = corev1.Secret{Data: map[string][]byte{"k": []byte(key.Name)}}
	return nil
}

// TestASecretOfTheCluster is read once, and noted as one of the cluster.
func TestASecretOfTheCluster(t *testing.T) {
	t.Parallel()
	held := &counting{}
	objects := &source.Objects{Manifest: &manifest.Manifest{}, Cluster: &cli.Cluster{Client: held}}
	if objects.FromCluster() {
		t.Error("a secret was read before there was one")
	}
	for range 2 {
		secret, err := objects.Secret(t.Context(), "web", "s")
		if err != nil || string(secret.Data["k"]) != "s" {
			t.Fatalf("got %v, %v", secret, err)
		}
	}
	if held.reads != 1 || !objects.FromCluster() {
		t.Errorf("read %d times, of the cluster: %t", held.reads, objects.FromCluster())
	}
}
