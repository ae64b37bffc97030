package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/tokensync/tokensync/test/cluster"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// chart is the one that users install.
func chart() string { return filepath.Join(cluster.Root(), "charts", "tokensync") }

// release is an installation of the chart.
type release struct{ name, namespace string }

// install installs the chart with the images of the suite, and waits until its pods are
// ready. Settings are values of the chart as --set takes them. It is uninstalled when the
// spec ends, or the suite where that has made it, unless E2E_KEEP is set.
func install(ctx context.Context, name, namespace string, settings ...string) *release {
	GinkgoHelper()
	r := &release{name: name, namespace: namespace}
	r.helm(ctx, "install", append([]string{chart(), "--wait"}, values(settings)...)...)
	if os.Getenv("E2E_KEEP") == "" {
		DeferCleanup(func(ctx context.Context) { r.helm(ctx, "uninstall", "--ignore-not-found") })
	}
	return r
}

// upgrade upgrades the release with further settings, and waits until its pods are ready.
func (r *release) upgrade(ctx context.Context, settings ...string) {
	GinkgoHelper()
	r.helm(ctx, "upgrade", append([]string{chart(), "--wait", "--reset-then-reuse-values"}, values(settings)...)...)
}

// helm runs a command of Helm on the release, and answers what it prints.
func (r *release) helm(ctx context.Context, command string, arguments ...string) string {
	GinkgoHelper()
	arguments = append([]string{command, r.name, "--namespace", r.namespace, "--timeout", patience.String()}, arguments...)
	output, err := exec.CommandContext(ctx, filepath.Join(cluster.Root(), "bin", "helm"), arguments...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "helm %s: %s", command, output)
	return string(output)
}

// values are arguments for settings, and for the images.
func values(settings []string) []string {
	arguments := []string{
		"--set", "image.repository=" + repository("tokensync-operator"), "--set", "image.tag=" + tag,
		"--set", "sidecar.image.repository=" + repository("tokensync-sidecar"), "--set", "sidecar.image.tag=" + tag,
	}
	for _, setting := range settings {
		arguments = append(arguments, "--set", setting)
	}
	return arguments
}

// tag is that of the images of the suite, which images.sh builds.
const tag = "e2e"

// repository is where the cluster has an image of the suite.
func repository(name string) string {
	if prefix := os.Getenv("E2E_IMAGES"); prefix != "" {
		return prefix + name
	}
	return "localhost/" + name
}

func image(name string) string { return repository(name) + ":" + tag }
