package failures_test

import (
	"fmt"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Replicas with leader election", Ordered, func() {
	const (
		lifetime = 20 * time.Second
		// idle is when no refresh has begun yet: they begin after 62 to 67 percent of
		// a life.
		idle = 11 * time.Second
	)
	var (
		namespace       string
		server          *provider
		leader, standby *running
		polling         *poller
		all             []string
		issued          time.Time
	)
	replica := func(ctx SpecContext) *running {
		return startOperator(ctx, []string{namespace}, "--leader-elect", "--leader-election-namespace="+namespace,
			"--leader-election-lease-duration=3s", "--leader-election-renew-deadline=2s", "--leader-election-retry-period=500ms")
	}
	expectToLead := func(ctx SpecContext, process *running) {
		GinkgoHelper()
		Eventually(func() bool { return leads(ctx, process) }).WithContext(ctx).WithTimeout(6 * time.Second).Should(BeTrue())
	}

	BeforeAll(func(ctx SpecContext) {
		namespace = createNamespace(ctx)
		server = startProvider(lifetime)
		leader = replica(ctx)
		expectToLead(ctx, leader)
		standby = replica(ctx)
		all = names("app", 30)
		apply(ctx, namespace, clientSecret)
		issued = time.Now()
		for _, name := range all {
			apply(ctx, namespace, numbered(server.url, name))
		}
		expectReady(ctx, namespace, all...)
		polling = startPolling(ctx, []string{namespace}, server.Server)
		Expect(leads(ctx, standby)).To(BeFalse())
	})

	It("hand over by SIGKILL without asking for one token twice", func(ctx SpecContext) {
		Eventually(time.Now).WithContext(ctx).WithTimeout(lifetime).Should(BeTemporally(">=", issued.Add(idle)))
		Expect(server.Counts().Requests).To(BeEquivalentTo(len(all)))
		Expect(leader.Kill()).To(Succeed())
		expectToLead(ctx, standby)
		Eventually(func() []string { return unissued(server, all, 2) }).WithContext(ctx).Should(BeEmpty())
		for _, name := range all {
			Expect(server.CountsOf(name).Requests).To(BeEquivalentTo(2), name)
		}
		Expect(server.Counts().TooClose).To(BeZero())
	})

	It("hand over in the middle of requests, which are made again and no sooner than needed", func(ctx SpecContext) {
		leader, standby = standby, replica(ctx)
		before := server.Counts().Requests
		server.Misbehave(standin.Behavior{Delay: 500 * time.Millisecond})
		Eventually(func() int64 { return server.Counts().InFlight }).WithContext(ctx).WithTimeout(lifetime).Should(BeNumerically(">", 5))
		asked := server.Counts().Requests - before
		Expect(leader.Kill()).To(Succeed())
		server.Behave()
		expectToLead(ctx, standby)
		Eventually(func() []string { return unissued(server, all, 3) }).WithContext(ctx).Should(BeEmpty())
		expectReady(ctx, namespace, all...)
		twice := 0
		for _, name := range all {
			requests := server.CountsOf(name).Requests
			Expect(requests).To(BeElementOf(int64(3), int64(4)), name)
			twice += int(requests - 3)
		}
		Expect(twice).To(BeNumerically("<=", asked), "only what was under way is asked for again")
		Expect(server.Counts().TooClose).To(BeZero())
	})

	It("leave no token to expire", func() {
		polling.expectNeverExpired()
		server.expectBehaved()
	})
})

// leads tells whether a replica is the leader.
func leads(ctx SpecContext, process *running) bool {
	GinkgoHelper()
	page, err := process.Metrics(ctx)
	if err != nil {
		return false // It is healthy before it serves its metrics.
	}
	return sum("leader_election_master_status", `name="tokensync-operator"`)(page) == 1
}

// unissued are the clients that have been given fewer tokens.
func unissued(server *provider, clients []string, tokens int64) []string {
	var waiting []string
	for _, id := range clients {
		if issued := server.CountsOf(id).Outcomes[standin.Issued]; issued < tokens {
			waiting = append(waiting, fmt.Sprintf("%s has %d", id, issued))
		}
	}
	return waiting
}
