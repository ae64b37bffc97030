package e2e_test

import (
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// poll is how often a wait looks again.
	poll = 200 * time.Millisecond
	// patience bounds the waits that have no bound of their own: pods that start, on a
	// machine that is busy.
	patience = time.Minute
)

// Specs disturb the crowd first, in any order. These come after them.
const (
	// judging is when the crowd has to have kept calling.
	judging SpecPriority = -10
	// slowing is when the crowd has gone, and the kubelet becomes slow.
	slowing SpecPriority = -20
	// removing is for specs that uninstall what the others need.
	removing SpecPriority = -30
)

const (
	clusterVariable = "E2E_CLUSTER"
	// nodeOfOurs is its value for the node of hack/node, with which the suite may do as it likes.
	nodeOfOurs = "node"
)

var (
	// operator is the installation that all specs share.
	operator *release
	// crowd are consumers that call from the beginning of the suite.
	crowd *stage
)

func TestEndToEnd(t *testing.T) {
	if os.Getenv(clusterVariable) == "" {
		t.Skip("it takes a cluster, which test/e2e/run.sh brings up: run `make e2e`")
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "End to end")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(poll)
	EnforceDefaultTimeoutsWhenUsingContexts()

	connect()
	complete := false
	defer func() {
		if !complete {
			reportTrouble(ctx)
		}
	}()
	// CRDs that a run has left belong to the release of that name and namespace, and to no
	// installation of somebody else, whose CRDs stop the suite here.
	operator = install(ctx, "tokensync", createNamed(ctx, "tokensync-e2e"),
		"sidecar.injection.enabled=true", "serviceAccountTokens.enabled=true", "networkPolicy.enabled=true")
	crowd = setStage(ctx, "crowd", crowdLifetime())
	crowd.start(ctx, everyWay...)
	complete = true
}, NodeTimeout(5*time.Minute))

// Before the spec takes down what it has made.
var _ = JustAfterEach(func(ctx SpecContext) {
	if CurrentSpecReport().Failed() {
		reportTrouble(ctx)
	}
}, NodeTimeout(time.Minute))

// onNode tells whether the cluster is the node of hack/node.
func onNode() bool { return os.Getenv(clusterVariable) == nodeOfOurs }

// needNode skips a spec that does to the cluster what only the suite's own may be done to.
func needNode() {
	if !onNode() {
		Skip("it restarts parts of the node, which is for the node of hack/node alone: run it without E2E_KUBECONFIG")
	}
}

// crowdLifetime is that of the tokens of the crowd. A third of it is left when a new one is
// asked for: time for a kubelet that syncs each second, or else for one at its defaults.
func crowdLifetime() time.Duration {
	if onNode() {
		return 30 * time.Second
	}
	return 5 * time.Minute
}
