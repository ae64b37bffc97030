package plugin_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/output"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	poll     = 30 * time.Millisecond
	patience = 15 * time.Second
)

var (
	controlPlane *cluster.Cluster
	process      *operator.Process
	operatorLog  = &output.Log{}
	// plugins is the directory where kubectl finds the plugin.
	plugins string
)

func TestPlugin(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Plugin")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(poll)
	EnforceDefaultTimeoutsWhenUsingContexts()

	plugin, err := operator.BuildPlugin(ctx, "kubectl-tokensync-race", "-race")
	Expect(err).NotTo(HaveOccurred())
	plugins = GinkgoT().TempDir()
	for _, name := range []string{"kubectl-tokensync", "kubectl_complete-tokensync"} {
		Expect(os.Symlink(plugin, filepath.Join(plugins, name))).To(Succeed())
	}

	binary, err := operator.Build(ctx, "tokensync-operator-plain")
	Expect(err).NotTo(HaveOccurred())
	controlPlane, err = cluster.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return controlPlane.Stop() })
	system := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "tokensync-system"}}
	Expect(controlPlane.Client.Create(ctx, system)).To(Succeed())
	process, err = operator.Start(ctx, operator.Options{
		Binary: binary, Kubeconfig: controlPlane.Kubeconfig, Log: operatorLog,
		Arguments:   []string{"--leader-elect=false"},
		Environment: []string{"POD_NAMESPACE=" + system.Name},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return process.Stop() })
}, NodeTimeout(5*time.Minute))

var _ = AfterEach(func() {
	Expect(process.Running()).To(BeTrue(), "the operator ended by itself:\n%s", operatorLog)
})

// run is a call of the plugin.
type run struct {
	out, errOut output.Log
	done        chan struct{}
	command     *exec.Cmd
}

// start runs kubectl with the plugin, as the user of a kubeconfig.
func start(ctx context.Context, kubeconfig, namespace, stdin string, arguments ...string) *run {
	GinkgoHelper()
	r := &run{done: make(chan struct{})}
	r.command = exec.CommandContext(ctx, filepath.Join(cluster.Assets(), "kubectl"), append([]string{"tokensync"}, arguments...)...)
	r.command.Env = append(os.Environ(), "PATH="+plugins+":"+os.Getenv("PATH"), "KUBECONFIG="+kubeconfig, "HOME="+GinkgoT().TempDir())
	r.command.Args = append(r.command.Args, "-n", namespace)
	r.command.Stdin = strings.NewReader(stdin)
	r.command.Stdout, r.command.Stderr = &r.out, &r.errOut
	Expect(r.command.Start()).To(Succeed())
	go func() {
		defer close(r.done)
		_ = r.command.Wait() // The exit code tells.
	}()
	return r
}

// wait waits for the end of a call and answers its exit code.
func (r *run) wait(ctx context.Context) int {
	GinkgoHelper()
	Eventually(ctx, r.done).WithTimeout(time.Minute).Should(BeClosed(), "%s", r)
	Expect(r.errOut.String()).NotTo(Or(ContainSubstring("DATA RACE"), ContainSubstring("panic:")))
	return r.command.ProcessState.ExitCode()
}

// String answers what a call has printed.
func (r *run) String() string {
	return fmt.Sprintf("printed\n%s\nand beside that\n%s", &r.out, &r.errOut)
}

// plugin runs the plugin to its end, as the administrator.
func (n *namespace) plugin(ctx context.Context, arguments ...string) (*run, int) {
	GinkgoHelper()
	r := start(ctx, controlPlane.Kubeconfig, n.name, "", arguments...)
	return r, r.wait(ctx)
}
