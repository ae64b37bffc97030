package e2e_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/tokensync/tokensync/test/cluster"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// shortLifetime is less than a kubelet at its defaults takes by far.
	shortLifetime = 8 * time.Second
	// slowest is what such a kubelet takes at most: its period and half of it again, and
	// what the machine takes.
	slowest = 2 * time.Minute
	// settling is how long after its start a kubelet still syncs a pod for reasons of its own,
	// and brings a new token along.
	settling = 15 * time.Second
	// quickly is what the sidecar takes at most in half of all cases, on a busy machine.
	quickly = time.Second
)

// The kubelet becomes slow, and a token of an hour is replaced once. While that is under way
// to a mounting pod, tokens of some seconds come and go.
var _ = Describe("With a kubelet at its defaults", Label("default-sync"), slowing, Ordered, func() {
	var long, short *stage

	BeforeAll(func(ctx SpecContext) {
		crowd.leave(ctx)
		slowKubelet(ctx)
		long = setStage(ctx, "long", time.Hour)
		long.start(ctx, mounted, mounted, mounted, fromFile)
		started := time.Now()
		short = setStage(ctx, "short", shortLifetime)
		short.start(ctx, mounted, fromFile, fromEndpoint, byProxy)
		Eventually(ctx, time.Since).WithArguments(started).Should(BeNumerically(">", settling))
		long.refresh(ctx)
	}, NodeTimeout(3*time.Minute))

	It("a credential warns of a token that lives shorter than a mounted Secret takes", func(ctx SpecContext) {
		Expect(awaitReady(ctx, short.namespace, short.credential).Message).To(
			MatchRegexp("it lives [0-9]s, less than a mounted Secret may take to reach a pod's files: use the tokensync sidecar"))
		Expect(awaitReady(ctx, long.namespace, long.credential).Message).NotTo(ContainSubstring("sidecar"))
	})

	It("the warning is right: who mounts such a token is refused", func(ctx SpecContext) {
		reader := short.consumer(mounted)
		Eventually(ctx, func() (int, error) {
			seen, err := reader.report(ctx)
			return seen.Refused(), err
		}).Should(BeNumerically(">", 0))
	})

	It("a sidecar brings a token while the kubelet has not begun", func(ctx SpecContext) {
		brought := measure(fromFile.name, syncByDefault, long.consumer(fromFile).awaitTokens(ctx, 2, patience))
		Expect(brought.median()).To(BeNumerically("<", quickly))
	})

	It("a mounted Secret brings a token within two minutes", func(ctx SpecContext) {
		for _, reader := range long.consumers {
			if reader.way == mounted.name {
				measure(mounted.name, syncByDefault, reader.awaitTokens(ctx, 2, slowest))
			}
		}
	})

	DescribeTable("a sidecar keeps the promise for tokens of some seconds",
		func(ctx SpecContext, w way) {
			brought := measure(w.name, syncByDefault, short.consumer(w).awaitLifetimes(ctx, lifetimes, shortLifetime))
			Expect(brought.median()).To(BeNumerically("<", quickly))
		},
		func(w way) string { return "by the " + w.name },
		Entry(nil, fromFile),
		Entry(nil, fromEndpoint),
		Entry(nil, byProxy),
	)
})

// slowKubelet restarts the kubelet with the default of syncFrequency, and puts it back at the
// end. That of another cluster is taken to have it.
func slowKubelet(ctx context.Context) {
	GinkgoHelper()
	if !onNode() {
		return
	}
	restartKubelet(ctx, "1m")
	DeferCleanup(restartKubelet, "1s")
}

// restartKubelet kills the kubelet of the node and waits until another one is at work, with
// arguments for its script.
func restartKubelet(ctx context.Context, arguments ...string) {
	GinkgoHelper()
	script := filepath.Join(cluster.Root(), "hack", "node", "kubelet.sh")
	output, err := exec.CommandContext(ctx, script, append([]string{"restart"}, arguments...)...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(output))
}
