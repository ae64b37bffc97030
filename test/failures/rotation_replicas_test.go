package failures_test

import (
	"syscall"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// handover is a leader that spends rotating refresh tokens, and a replica that stands by.
type handover struct {
	*rotating
	name            string
	behind          *door
	leader, standby *running
}

// startHandover starts both, and waits until the leader has served its credential.
func startHandover(ctx SpecContext) *handover {
	GinkgoHelper()
	r := startRotating(ctx, 1, time.Hour, standin.Rotation{})
	h := &handover{rotating: r, name: r.names[0], behind: openDoor()}
	h.leader = launchBehind(ctx, h.behind, h.namespace, electing(h.namespace)...)
	expectLeading(ctx, h.leader)
	h.standBy(ctx)
	expectReady(ctx, h.namespace, h.name)
	return h
}

// standBy starts a replica that does.
func (h *handover) standBy(ctx SpecContext) {
	GinkgoHelper()
	h.standby = launchBehind(ctx, openDoor(), h.namespace, electing(h.namespace)...)
}

// spend asks for a refresh, and returns when the refresh token is spent and its answer
// under way.
func (h *handover) spend(ctx SpecContext) {
	GinkgoHelper()
	before := h.count(h.name)()
	h.Misbehave(standin.Behavior{Next: 1, AfterRotation: true, Delay: time.Second})
	askForRefresh(ctx, h.namespace, h.name)
	Eventually(h.count(h.name)).WithContext(ctx).Should(Equal(before + 1))
}

// refresh asks for a refresh, and waits until it is served.
func (h *handover) refresh(ctx SpecContext) {
	GinkgoHelper()
	before := h.count(h.name)()
	askForRefresh(ctx, h.namespace, h.name)
	Eventually(h.count(h.name)).WithContext(ctx).WithTimeout(15 * time.Second).Should(Equal(before + 1))
	h.expectServed(ctx)
}

func (h *handover) expectServed(ctx SpecContext) {
	GinkgoHelper()
	Eventually(func() string { return h.whyUnserved(ctx, h.name) }).WithContext(ctx).Should(BeEmpty())
}

// pause stops the leader, and waits until the other one leads and has looked around.
func (h *handover) pause(ctx SpecContext) {
	GinkgoHelper()
	Expect(syscall.Kill(h.leader.PID(), syscall.SIGSTOP)).To(Succeed())
	expectLeading(ctx, h.standby)
	waitUntilReconciled(ctx, h.standby.Process, 1)
}

// resume has the one that was stopped go on, which then finds that it leads no more.
func (h *handover) resume(ctx SpecContext) {
	GinkgoHelper()
	Expect(syscall.Kill(h.leader.PID(), syscall.SIGCONT)).To(Succeed())
	Eventually(h.leader.Running).WithContext(ctx).WithTimeout(20 * time.Second).Should(BeFalse())
	h.leader.expectUnbroken()
}

var _ = Describe("A leader whose refresh token is under way", Ordered, func() {
	var (
		here, late *handover
		held       *trap
		stopped    time.Time
	)

	BeforeAll(func(ctx SpecContext) {
		late = startHandover(ctx)
		// Who is not known to be dead is waited for as long as a request may take: the others
		// have their turn meanwhile.
		held = late.behind.hold(false, keeps(late.name))
		late.spend(ctx)
		Eventually(held.caught).WithContext(ctx).Should(BeClosed(), "the leader has its answer, and has not kept it")
		late.pause(ctx)
		stopped = time.Now()
		here = startHandover(ctx)
	})

	It("is killed, and its successor repeats the request at once", func(ctx SpecContext) {
		here.spend(ctx)
		here.leader.kill()
		expectLeading(ctx, here.standby)
		Eventually(here.count(here.name)).WithContext(ctx).WithTimeout(15*time.Second).Should(BeEquivalentTo(3), "well before a living one would be taken for dead")
		here.expectServed(ctx)
		Expect(here.family(here.name).Retries).To(BeEquivalentTo(1))
		here.expectUnharmed()
	})

	It("is stopped for longer than its lease lives, and keeps its answer when it goes on", func(ctx SpecContext) {
		here.leader = here.standby
		here.standBy(ctx)
		here.spend(ctx)
		here.pause(ctx)
		Eventually(func() int64 { return here.Counts().InFlight }).WithContext(ctx).Should(BeZero())
		Expect(grantOf(ctx, here.namespace, here.name)).To(HaveField("Attempt.Owner.PID", here.leader.PID()), "nobody repeats what may be answered")
		here.resume(ctx)
		here.expectServed(ctx)
		Expect(here.count(here.name)()).To(BeEquivalentTo(4), "the answer that was late is the one that is served")
		here.refresh(ctx)
		Expect(here.family(here.name).Retries).To(BeEquivalentTo(1))
		here.expectUnharmed()
		Expect(here.standby.Stop()).To(Succeed())
	})

	It("is stopped for so long that its successor goes on without it, and buries nothing then", func(ctx SpecContext) {
		const first, spent = 1, 1 // They were counted before the leader was stopped.
		Eventually(late.count(late.name)).WithContext(ctx).WithTimeout(40 * time.Second).Should(BeEquivalentTo(first + spent + 1))
		Expect(time.Since(stopped)).To(BeNumerically(">", 25*time.Second), "it might have been alive")
		late.expectServed(ctx)
		late.refresh(ctx)
		late.resume(ctx)
		late.expectServed(ctx)
		late.refresh(ctx)
		Expect(late.family(late.name).Retries).To(BeEquivalentTo(1))
		late.expectUnharmed()
		Expect(late.standby.Stop()).To(Succeed())
	})
})
