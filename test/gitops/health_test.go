package gitops

import (
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/test/cluster"
)

const fragment = "config/argocd/argocd-cm.yaml"

// TestHealth holds what is hard to bring about with an operator.
func TestHealth(t *testing.T) {
	t.Parallel()
	const (
		seen    = "metadata: {generation: 2}\nspec: {}\nstatus:\n  observedGeneration: 2\n"
		ended   = "  - {type: Ready, status: 'False', message: m, lastTransitionTime: '2026-01-02T12:00:00Z'}\n"
		stalled = "  - {type: Stalled, status: 'True', reason: ProviderRejected, message: refused}\n"
	)
	for name, test := range map[string]struct {
		object string
		want   health
	}{
		"no status at all": {
			"metadata: {generation: 1}\nspec: {}\n",
			health{"Progressing", "The operator has not come to this spec yet"},
		},
		"the refresh token ends soon": {
			seen + "  conditions:\n  - {type: Ready, status: 'True', message: good}\n" +
				"  - {type: RefreshTokenExpiring, status: 'True', message: log in}\n",
			health{"Healthy", "good; log in"},
		},
		"suspended because the provider refuses": {
			"metadata: {generation: 2}\nspec: {suspend: true}\nstatus:\n  observedGeneration: 2\n  conditions:\n" + ended + stalled,
			health{"Suspended", "m"},
		},
		"the token has expired": {
			seen + "  expiresAt: '2026-01-02T12:00:00Z'\n  conditions:\n" + ended,
			health{"Degraded", "m"},
		},
		"another spec, while the old token was good": {
			seen + "  expiresAt: '2026-01-02T12:00:01Z'\n  conditions:\n" + ended,
			health{"Progressing", "m"},
		},
		"another spec, and the old token does not expire": {
			seen + "  conditions:\n" + ended,
			health{"Progressing", "m"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := map[string]any{}
			if err := yaml.UnmarshalStrict([]byte(test.object), &object); err != nil {
				t.Fatal(err)
			}
			if got := argo(t, read(t, "config/argocd/health.lua"), object); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// TestFragment holds that each of our kinds has the script, and that the settings of
// Argo CD which are there stay.
func TestFragment(t *testing.T) {
	t.Parallel()
	c := controlPlane(t)
	namespace, err := c.CreateNamespace(t.Context(), "argocd")
	if err != nil {
		t.Fatal(err)
	}
	settings := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "argocd-cm"},
		Data:       map[string]string{"url": "https://argocd.example.com"},
	}
	if err := c.Client.Create(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "apply", "--server-side", "-n", namespace, "-f", filepath.Join(cluster.Root(), fragment))
	if err := c.Client.Get(t.Context(), client.ObjectKeyFromObject(settings), settings); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"url": "https://argocd.example.com"}
	for _, kind := range kinds {
		want["resource.customizations.health.tokensync.dev_"+kind] = read(t, "config/argocd/health.lua")
	}
	if !maps.Equal(settings.Data, want) {
		t.Errorf("%s has %q, and each must be health.lua", fragment, slices.Sorted(maps.Keys(settings.Data)))
	}
	crds, err := filepath.Glob(filepath.Join(cluster.Root(), "config", "crd", "bases", "*.yaml"))
	if err != nil || len(crds) != len(kinds) {
		t.Errorf("%d kinds are judged here, and there are %d CRDs: %v", len(kinds), len(crds), err)
	}
}

// kubectl runs kubectl as an administrator.
func kubectl(t *testing.T, arguments ...string) {
	t.Helper()
	arguments = append([]string{"--kubeconfig", controlPlane(t).Kubeconfig}, arguments...)
	command := exec.CommandContext(t.Context(), filepath.Join(cluster.Assets(), "kubectl"), arguments...)
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("kubectl %q: %v\n%s", arguments, err, text)
	}
}
