package integration_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/operator"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// poll is how often a wait looks again.
	poll = 30 * time.Millisecond
	// patience bounds the waits that have no bound of their own.
	patience = 10 * time.Second
	// atOnce bounds what a user sees happen at once: two token requests of one
	// credential are a second apart, and the machine may be busy.
	atOnce = 3 * time.Second
	// repairTime bounds the repair of a Secret that somebody has damaged.
	repairTime = 2 * time.Second
	// spacing is the least distance of two token requests of one credential, as the
	// operator begins them, and haste what a busy machine may take off on the way.
	spacing = time.Second
	haste   = 300 * time.Millisecond
	// silence is how long nothing may happen where nothing should.
	silence = 1200 * time.Millisecond
)

var (
	controlPlane *cluster.Cluster
	process      *operator.Process
	operatorLog  = &logBuffer{}
	observed     *witness
	// operatorOptions are what the operator is started with, and operatorNamespace is
	// where it finds the Secrets of ClusterOAuthProviders.
	operatorOptions   operator.Options
	operatorNamespace string
)

func TestIntegration(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Integration")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(poll)
	SetDefaultConsistentlyDuration(silence)
	SetDefaultConsistentlyPollingInterval(poll)
	EnforceDefaultTimeoutsWhenUsingContexts()

	binary, err := operator.Build(ctx, "tokensync-operator-race", "-race")
	Expect(err).NotTo(HaveOccurred())
	controlPlane, err = cluster.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return controlPlane.Stop() })
	observed, err = newWitness(ctx, controlPlane)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(observed.stop)

	operatorNamespace, err = controlPlane.CreateNamespace(ctx, "operator")
	Expect(err).NotTo(HaveOccurred())
	operatorOptions = operator.Options{
		Binary:      binary,
		Kubeconfig:  operatorIdentity(ctx),
		Arguments:   []string{"--leader-elect=false", "--log-level=debug", "--service-account-tokens"},
		Environment: []string{"GORACE=halt_on_error=1", "POD_NAMESPACE=" + operatorNamespace},
		Log:         operatorLog,
	}
	startOperator(ctx)
	DeferCleanup(func() error { return process.Stop() })
}, NodeTimeout(5*time.Minute))

// startOperator starts the operator that all specs share.
func startOperator(ctx context.Context) {
	GinkgoHelper()
	var err error
	process, err = operator.Start(ctx, operatorOptions)
	Expect(err).NotTo(HaveOccurred())
}

// restartOperator ends the operator and starts it anew.
func restartOperator(ctx context.Context) {
	GinkgoHelper()
	Expect(process.Stop()).To(Succeed())
	startOperator(ctx)
}

var _ = AfterEach(func() {
	Expect(process.Running()).To(BeTrue(), "the operator ended by itself:\n%s", operatorLog.tail())
	Expect(observed.complaints()).To(BeEmpty(), "statuses that make no sense")
})

var _ = AfterSuite(func() {
	AddReportEntry("errors in the operator's log", strings.Join(operatorLog.errors(), "\n"), ReportEntryVisibilityFailureOrVerbose)
	Expect(operatorLog.text()).NotTo(Or(ContainSubstring("DATA RACE"), ContainSubstring("panic")))
})

// logBuffer keeps what the operator prints. It is safe for concurrent use.
type logBuffer struct {
	mu      sync.Mutex
	content bytes.Buffer
}

// Write implements io.Writer.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.Write(p)
}

func (b *logBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.String()
}

func (b *logBuffer) tail() string {
	const most = 8000
	all := b.text()
	return all[max(0, len(all)-most):]
}

func (b *logBuffer) errors() []string {
	var found []string
	for line := range strings.Lines(b.text()) {
		if strings.Contains(line, `"level":"ERROR"`) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// kubectl runs kubectl as the cluster's administrator and answers what it prints.
func kubectl(ctx context.Context, stdin string, arguments ...string) string {
	GinkgoHelper()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		assets = filepath.Join(cluster.Root(), "bin", "controlplane")
	}
	command := exec.CommandContext(ctx, filepath.Join(assets, "kubectl"), append([]string{"--kubeconfig", controlPlane.Kubeconfig}, arguments...)...)
	command.Stdin = strings.NewReader(stdin)
	output, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(output))
	return string(output)
}
