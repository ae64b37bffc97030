package plugin_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/operator"

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
	operatorLog  = &buffer{}
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

	plugins = GinkgoT().TempDir()
	build := exec.CommandContext(ctx, "go", "build", "-race", "-o", filepath.Join(plugins, "kubectl-tokensync"), "./cmd/kubectl-tokensync")
	build.Dir = cluster.Root()
	output, err := build.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(output))
	Expect(os.Symlink("kubectl-tokensync", filepath.Join(plugins, "kubectl_complete-tokensync"))).To(Succeed())

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

// buffer keeps what a process prints. It is safe for concurrent use.
type buffer struct {
	mu      sync.Mutex
	content bytes.Buffer
}

// Write implements io.Writer.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.Write(p)
}

// String answers all that was written.
func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.String()
}

// run is a call of the plugin.
type run struct {
	out, errOut buffer
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
