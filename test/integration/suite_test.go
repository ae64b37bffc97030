package integration_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/output"

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
	operatorLog  = &output.Log{}
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
	Expect(process.Running()).To(BeTrue(), "the operator ended by itself:\n%s", tail())
	Expect(observed.complaints()).To(BeEmpty(), "statuses that make no sense")
})

var _ = AfterSuite(func() {
	AddReportEntry("errors in the operator's log", loggedErrors(), ReportEntryVisibilityFailureOrVerbose)
	Expect(operatorLog.String()).NotTo(Or(ContainSubstring("DATA RACE"), ContainSubstring("panic")))
})

// tail is the end of what the operator has printed.
func tail() string {
	const most = 8000
	all := operatorLog.String()
	return all[max(0, len(all)-most):]
}

// loggedErrors are the operator's lines of that level.
func loggedErrors() string {
	var found strings.Builder
	for line := range strings.Lines(operatorLog.String()) {
		if strings.Contains(line, `"level":"ERROR"`) {
			found.WriteString(line)
		}
	}
	return found.String()
}

// kubectl runs kubectl as the cluster's administrator and answers what it prints.
func kubectl(ctx context.Context, stdin string, arguments ...string) string {
	GinkgoHelper()
	command := exec.CommandContext(ctx, filepath.Join(cluster.Assets(), "kubectl"), append([]string{"--kubeconfig", controlPlane.Kubeconfig}, arguments...)...)
	command.Stdin = strings.NewReader(stdin)
	output, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(output))
	return string(output)
}
