package failures_test

import (
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Thirty credentials of a provider that hangs", func() {
	It("delay none of twenty credentials of another, with lifetimes of six seconds", func(ctx SpecContext) {
		namespace := createNamespace(ctx)
		hanging, healthy := startProvider(time.Hour), startProvider(6*time.Second)
		hanging.Misbehave(standin.Behavior{Fault: standin.Hang})
		startOperator(ctx, []string{namespace})

		apply(ctx, namespace, clientSecret)
		for _, name := range names("hanging", 30) {
			apply(ctx, namespace, numbered(hanging.url, name))
		}
		Eventually(func() int64 { return hanging.Counts().InFlight }).WithContext(ctx).Should(BeEquivalentTo(10))

		good := names("healthy", 20)
		for _, name := range good {
			apply(ctx, namespace, numbered(healthy.url, name))
		}
		expectReady(ctx, namespace, good...)
		Expect(hanging.Counts()).To(HaveField("Requests", BeEquivalentTo(10)), "none that hangs had to end before")
		polling := startPolling(ctx, []string{namespace}, healthy.Server)

		Eventually(func() []string {
			var waiting []string
			for _, name := range good {
				if healthy.CountsOf(name).Outcomes[standin.Issued] < 4 {
					waiting = append(waiting, name)
				}
			}
			return waiting
		}).WithContext(ctx).WithTimeout(25*time.Second).Should(BeEmpty(), "each must have been refreshed three times")
		polling.expectNeverExpired()
		Expect(hanging.Counts().MostInFlight).To(BeEquivalentTo(10), "a provider gets so many requests at a time")
		Expect(hanging.Counts().TooClose).To(BeZero())
		healthy.expectBehaved()
	})
})
