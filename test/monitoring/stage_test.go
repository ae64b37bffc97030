package monitoring

import (
	"os"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/eventually"
	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/output"
	"github.com/tokensync/tokensync/test/standin"
)

// lifetime is that of the tokens: short, so that they are refreshed while the test looks, and
// long enough for a busy machine. The one that fails has a shorter one, in testdata.
const lifetime = 30 * time.Second

// newStage sets a cluster up with an operator that leads, a Prometheus that scrapes it, and
// the credentials of testdata/credentials.yaml, one for each state that shows. The
// provider has given every token that is asked for when it begins to fail the credential
// named so.
func newStage(t *testing.T) prometheus {
	t.Helper()
	c, err := cluster.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	namespace, err := c.CreateNamespace(t.Context(), "team")
	if err != nil {
		t.Fatal(err)
	}
	p := startPrometheus(t, startOperator(t, c.Kubeconfig, namespace))
	provider := standin.NewOAuth(standin.Options{
		Lifetime:  lifetime,
		AnyClient: func(_, secret string) bool { return secret == "made-up" },
		Rotation:  &standin.Rotation{RefreshTokenExpiresIn: time.Hour},
	})
	address, stop, err := provider.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	apply(t, c.Client, namespace, map[string]string{
		"PROVIDER":      address,
		"REFRESH_TOKEN": provider.MintRefreshToken("kept", "read"),
	})
	eventually.Holds(t, "the credential failing has a token", func() bool {
		credential := &v1alpha1.OAuthCredential{}
		err := c.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "failing"}, credential)
		return err == nil && credential.Status.ExpiresAt != nil
	})
	provider.Misbehave(standin.Behavior{ClientID: "failing", Fault: standin.Reset})
	return p
}

// startOperator starts the operator until the test ends, and answers where it is scraped.
func startOperator(t *testing.T, kubeconfig, namespace string) string {
	t.Helper()
	binary, err := operator.Build(t.Context(), "tokensync-operator-plain")
	if err != nil {
		t.Fatal(err)
	}
	log := &output.Log{}
	process, err := operator.Start(t.Context(), operator.Options{
		Binary: binary, Kubeconfig: kubeconfig, Log: log,
		Arguments:   []string{"--leader-elect"},
		Environment: []string{"POD_NAMESPACE=" + namespace},
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	t.Cleanup(func() {
		if err := process.Stop(); err != nil || t.Failed() {
			t.Logf("the operator ended (%v) and said:\n%s", err, log)
		}
	})
	return strings.TrimSuffix(strings.TrimPrefix(process.MetricsURL, "http://"), "/metrics")
}

// apply creates the objects of testdata/credentials.yaml.
func apply(t *testing.T, c client.Client, namespace string, values map[string]string) {
	t.Helper()
	manifests := os.Expand(read(t, "test/monitoring/testdata/credentials.yaml"), func(name string) string { return values[name] })
	for document := range strings.SplitSeq(manifests, "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict([]byte(document), &object.Object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		object.SetNamespace(namespace)
		if err := c.Create(t.Context(), object, client.FieldValidation("Strict")); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
	}
}
