package failures_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Refresh tokens that rotate", func() {
	It("outlive an operator that is killed at any time, through 200 refreshes", func(ctx SpecContext) {
		const (
			refreshes = 200
			// delay is how long an answer is under way, and longest how long an operator lives.
			delay, longest = 300 * time.Millisecond, 2500 * time.Millisecond
		)
		within := chance()
		r := startRotating(ctx, 24, 3*time.Second, standin.Rotation{})
		r.Misbehave(standin.Behavior{AfterRotation: true, Delay: delay})
		kills, open := 0, 0
		for {
			process := launchMortal(ctx, r.namespace)
			if kills%2 == 0 {
				time.Sleep(within(longest))
			} else {
				Eventually(func() int64 { return r.Counts().InFlight }).WithContext(ctx).Should(BeNumerically(">", 0))
				time.Sleep(within(delay))
			}
			process.kill()
			kills++
			r.expectUnharmed()
			Expect(kills).To(BeNumerically("<", 100), "it must get something done in between")
			if open = r.open(ctx); open == 0 {
				continue // The next operator is to find something that the last one has left.
			}
			if refreshed, retried := r.refreshed(); refreshed >= refreshes && retried >= 10 {
				break
			}
		}
		refreshed, retried := r.refreshed()
		AddReportEntry("kills", fmt.Sprintf("%d kills through %d refreshes, %d of them repeated, and %d open at the end",
			kills, refreshed, retried, open))

		before := map[string]int64{}
		for _, name := range r.names {
			before[name] = r.family(name).Refreshes
		}
		startOperator(ctx, []string{r.namespace})
		// Well before anybody would take a process for dead that may be alive.
		Eventually(func() []string {
			var waiting []string
			for _, name := range r.names {
				if r.family(name).Refreshes == before[name] {
					waiting = append(waiting, name)
				}
			}
			return waiting
		}).WithContext(ctx).WithTimeout(20 * time.Second).Should(BeEmpty())
		r.Behave()
		for _, name := range r.names {
			Eventually(func() string { return r.whyUnserved(ctx, name) }).WithContext(ctx).Should(BeEmpty())
		}
		expectReady(ctx, r.namespace, r.names...)
		r.expectUnharmed()
	})

	DescribeTable("outlive, although none may be sent twice, an operator that", func(ctx SpecContext, strike func(*struckOperator, SpecContext), steps ...step) {
		o := &struckOperator{rotating: startRotating(ctx, 1, time.Hour, standin.Rotation{Grace: standin.GraceNone}), behind: openDoor()}
		name := o.names[0]
		o.launch(ctx)
		expectReady(ctx, o.namespace, name)
		for _, at := range steps {
			By("striking " + at.text)
			before := o.count(name)()
			held := o.behind.hold(at.answered, at.fits(name))
			askForRefresh(ctx, o.namespace, name)
			Eventually(held.caught).WithContext(ctx).Should(BeClosed())
			strike(o, ctx)
			Eventually(func() int64 {
				if o.whyUnserved(ctx, name) != "" {
					return 0
				}
				return o.count(name)()
			}).WithContext(ctx).Should(Equal(before+1), "one refresh was asked for")
		}
		o.process.kill()
		o.expectUnharmed()
	},
		// Between what is sent and what is kept, an answer is lost with the process.
		Entry("is killed between any two steps", (*struckOperator).restart,
			step{"before an attempt is written down", attempts, false},
			step{"before anything is sent", attempts, true},
			step{"when the answer is kept", keeps, true},
			step{"before the token is published", publishes, false},
			step{"when the token is published", publishes, true}),
		// Each asks for no more than a credential may ask for beside its schedule.
		Entry("never hears that it has written", (*struckOperator).cutOff,
			step{"when an attempt is written down", attempts, true},
			step{"when the answer is kept", keeps, true}),
		Entry("never hears that it has published", (*struckOperator).cutOff,
			step{"when the token is published", publishes, true}),
	)
})

// step is a write of the operator, as it goes to the API server or comes back from it.
type step struct {
	text     string
	fits     func(name string) func(*http.Request, []byte) bool
	answered bool
}

// struckOperator is an operator that is struck at its steps.
type struckOperator struct {
	*rotating
	behind  *door
	process *running
}

func (o *struckOperator) launch(ctx SpecContext) {
	GinkgoHelper()
	o.process = launchBehind(ctx, o.behind, o.namespace)
}

// restart kills it and starts it anew.
func (o *struckOperator) restart(ctx SpecContext) {
	GinkgoHelper()
	o.process.kill()
	o.launch(ctx)
}

// cutOff cuts its connections to the API server, which it then makes anew.
func (o *struckOperator) cutOff(SpecContext) {
	GinkgoHelper()
	o.behind.shut()
	o.behind.reopen()
}

// open is how many credentials wait for an answer, by what is written down.
func (r *rotating) open(ctx SpecContext) int {
	GinkgoHelper()
	open := 0
	grants, err := listGrants(ctx, r.namespace)
	Expect(err).NotTo(HaveOccurred())
	for _, record := range grants {
		if record.Attempt != nil {
			open++
		}
	}
	return open
}
