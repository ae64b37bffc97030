package failures_test

import (
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Answers that come while the API server is down", func() {
	// outage is longer than a lease lives.
	const outage = 4 * time.Second

	DescribeTable("are kept when it is back, by an operator", func(ctx SpecContext, stop bool) {
		r := startRotating(ctx, 8, time.Hour, standin.Rotation{Grace: standin.GraceNone})
		behind := openDoor()
		process := launchBehind(ctx, behind, r.namespace, electing(r.namespace)...)
		expectReady(ctx, r.namespace, r.names...)

		r.Misbehave(standin.Behavior{AfterRotation: true, Delay: 2 * time.Second})
		r.askAll(ctx)
		Eventually(func() int64 { return r.Counts().InFlight }).WithContext(ctx).Should(BeEquivalentTo(len(r.names)))
		behind.shut()
		down := time.Now()
		if stop {
			Expect(syscall.Kill(process.PID(), syscall.SIGTERM)).To(Succeed())
		}
		Expect(r.Counts().InFlight).To(BeEquivalentTo(len(r.names)), "the answers must come when nobody can write them down")
		Consistently(func() (int, error) { return alive(process) }).WithContext(ctx).WithTimeout(outage).WithPolling(100*time.Millisecond).
			Should(Equal(http.StatusOK), "who is taken for dead is killed, with the answers that it has")
		Eventually(func() int64 { return r.Counts().InFlight }).WithContext(ctx).Should(BeZero())
		Eventually(time.Now).WithContext(ctx).Should(BeTemporally(">", down.Add(outage)))
		Expect(r.unkept(ctx)).To(HaveLen(len(r.names)))
		Expect(process.Running()).To(BeTrue())

		behind.reopen()
		Eventually(process.Running).WithContext(ctx).WithTimeout(20 * time.Second).Should(BeFalse())
		Expect(r.unkept(ctx)).To(BeEmpty(), "an operator that has ended has kept all its answers")
		process.expectUnbroken()
		if stop {
			Expect(process.complaint()).To(BeEmpty(), "it does as it is told")
		} else {
			Expect(process.complaint()).To(ContainSubstring("leader election lost"))
		}

		startOperator(ctx, []string{r.namespace})
		Eventually(func() []string { return r.unserved(ctx) }).WithContext(ctx).Should(BeEmpty())
		Expect(r.Counts().Requests).To(BeEquivalentTo(2*len(r.names)), "nothing is asked for twice")
		r.expectUnharmed()
	},
		Entry("that loses its lease meanwhile", false),
		Entry("that is told to stop meanwhile, and ends only then", true),
	)
})

// unkept are the credentials whose latest refresh token is not kept.
func (r *rotating) unkept(ctx SpecContext) []string {
	GinkgoHelper()
	return r.complaints(ctx, r.whyUnkept)
}

// alive asks an operator what the kubelet asks it.
func alive(process *running) (status int, err error) {
	response, err := http.Get(strings.Replace(process.HealthURL, "/readyz", "/healthz", 1))
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
