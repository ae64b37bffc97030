package gitops

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/cluster"
)

// `kubectl wait` waits for the token of the spec as it is now.
func TestWaitingByKubectl(t *testing.T) {
	t.Parallel()
	s := newStage(t, 0)
	s.slow(3 * time.Second) // Longer than kubectl takes to start.
	s.password("acme-password")
	s.declare()
	ready := []string{"wait", "-n", s.namespace, "--for=condition=Ready", "--timeout=1m", "oauthcredential/acme"}
	kubectl(t, ready...)
	s.issued(1)
	s.edit("OAuthCredential", "spec: {scopes: [write]}")
	kubectl(t, ready...)
	s.issued(2)
	expect(t, s.live("OAuthCredential"), good)
}

// `helm install --wait` is done when there is a token, and gives up at once, not at its
// time-out, when the provider refuses the client.
func TestWaitingByHelm(t *testing.T) {
	t.Parallel()
	const timeout = time.Minute
	for name, test := range map[string]struct {
		password, says string
		want           verdict
	}{
		"a good client":    {"acme-password", "STATUS: deployed", good},
		"a refused client": {"wrong", "invalid_client", broken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, 0)
			s.slow(time.Second)
			chart := t.TempDir()
			write(t, filepath.Join(chart, "Chart.yaml"), "apiVersion: v2\nname: acme\nversion: 0.1.0\n")
			write(t, filepath.Join(chart, "templates", "all.yaml"), clientSecret(test.password)+"---\n"+s.credential())
			began := time.Now()
			text := helm(t, "install", "acme", chart, "--kubeconfig", s.cluster.Kubeconfig,
				"-n", s.namespace, "--wait", fmt.Sprint("--timeout=", timeout))
			if !strings.Contains(text, test.says) {
				t.Errorf("helm does not say %q:\n%s", test.says, text)
			}
			if took := time.Since(began); took > timeout/2 {
				t.Errorf("helm gave up after %s only", took)
			}
			expect(t, s.live("OAuthCredential"), test.want)
		})
	}
}

// helm runs helm, without settings of whoever runs the tests, and answers what it prints,
// be it that it failed.
func helm(t *testing.T, arguments ...string) string {
	t.Helper()
	home := t.TempDir()
	command := exec.CommandContext(t.Context(), filepath.Join(cluster.Root(), "bin", "helm"), arguments...)
	command.Env = append(os.Environ(), "HELM_CONFIG_HOME="+home, "HELM_CACHE_HOME="+home, "HELM_DATA_HOME="+home)
	text, err := command.CombinedOutput()
	if len(text) == 0 && err != nil {
		t.Fatalf("%v: `make bin/helm` builds it", err)
	}
	return string(text)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
