package failures_test

import (
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/output"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var (
	controlPlane *cluster.Cluster
	api          client.WithWatch
	binary       string
	// credentials is all that the suite's credentials have ever been.
	credentials *history
)

func TestFailures(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Failures")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	SetDefaultEventuallyTimeout(30 * time.Second)
	EnforceDefaultTimeoutsWhenUsingContexts()

	var err error
	binary, err = operator.Build(ctx, "tokensync-operator-race", "-race")
	Expect(err).NotTo(HaveOccurred())
	controlPlane, err = cluster.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return controlPlane.Stop() })
	api, err = client.NewWithWatch(controlPlane.Config, client.Options{Scheme: controlPlane.Client.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	credentials = watchCredentials(ctx, api)

	startTable(ctx)
})

// running is an operator and its log.
type running struct {
	*operator.Process
	log *output.Log
}

// startOperator starts an operator that works in some namespaces only, beside
// those of other tests. It ends with the test, and must not have raced or panicked.
func startOperator(ctx SpecContext, namespaces []string, arguments ...string) *running {
	GinkgoHelper()
	process := launchOperator(ctx, namespaces, arguments...)
	DeferCleanup(process.end)
	return process
}

// launchOperator starts an operator that the caller ends.
func launchOperator(ctx SpecContext, namespaces []string, arguments ...string) *running {
	GinkgoHelper()
	log := &output.Log{}
	process, err := operator.Start(ctx, operator.Options{
		Binary:     binary,
		Kubeconfig: controlPlane.Kubeconfig,
		Arguments:  append([]string{"--watch-namespaces=" + strings.Join(namespaces, ",")}, arguments...),
		Log:        log,
	})
	Expect(err).NotTo(HaveOccurred(), log.String())
	return &running{Process: process, log: log}
}

// end ends an operator, and demands that it was sound.
func (r *running) end() {
	GinkgoHelper()
	Expect(r.Stop()).To(Succeed())
	expectSound(r.log)
}

// startBareOperator starts an operator with none of the flags that let it talk to
// loopback.
func startBareOperator(namespaces []string) (stop func()) {
	GinkgoHelper()
	log := &output.Log{}
	process := exec.Command(binary, "--kubeconfig="+controlPlane.Kubeconfig, "--watch-namespaces="+strings.Join(namespaces, ","),
		"--metrics-bind-address=0", "--health-probe-bind-address=0")
	process.Stdout, process.Stderr = log, log
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	Expect(process.Start()).To(Succeed())
	stop = sync.OnceFunc(func() {
		Expect(process.Process.Signal(syscall.SIGTERM)).To(Succeed(), "the operator must still run: %s", log)
		Expect(process.Wait()).To(Succeed(), "%s", log)
		expectSound(log)
	})
	DeferCleanup(stop)
	return stop
}

// expectSound demands that an operator has met no fault of its own: what its
// providers do is no error of the operator.
func expectSound(log *output.Log) {
	GinkgoHelper()
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "context canceled") {
			continue // by SIGTERM
		}
		Expect(line).NotTo(SatisfyAny(
			ContainSubstring("DATA RACE"), ContainSubstring("panic"), ContainSubstring("Reconciler error")))
	}
}

func createNamespace(ctx SpecContext) string {
	GinkgoHelper()
	namespace, err := controlPlane.CreateNamespace(ctx, "failures")
	Expect(err).NotTo(HaveOccurred())
	return namespace
}
