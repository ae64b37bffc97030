package failures_test

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A provider of many", Ordered, ContinueOnFailure, func() {
	const (
		many = 200
		// perSecond is what a provider takes that throttles, and limit what the
		// administrator allows.
		perSecond, limit, burst = 5, 5, 5
		// slowly is what a provider takes for an answer that is out of order.
		slowly, down = 500 * time.Millisecond, 6 * time.Second
	)
	var (
		here                       *site
		own, shared, crowd, single storm
		brownout, outage           storm
	)

	BeforeAll(func(ctx SpecContext) {
		if os.Getenv("STORMS") == "" {
			Skip("they measure time, and want a machine of their own: make test-storms")
		}
		here = openSite(ctx)
		crowd = here.strike(ctx, "crowd", "limits: {requests: 5, period: 1s, burst: 5}", many, standin.Behavior{})
		Eventually(func() int64 { return crowd.Counts().Requests }).WithContext(ctx).Should(BeNumerically(">=", 2*limit))
		single = storm{provider: crowd.provider, namespace: here.namespace(ctx, "single")}
		single.names = here.subscribeAs(ctx, "single", "crowd", 1, func(int, string) string {
			return "client: {id: single, secretRef: {name: app-client, key: client_secret}}"
		})

		outage = here.strike(ctx, "outage", "limits: {maxConcurrentRequests: 50}", 60, standin.Behavior{Fault: standin.Respond, Delay: slowly})
		brownout = here.strike(ctx, "brownout", "", 150, standin.Behavior{Fault: standin.Respond, Percent: 60})

		quota := standin.Quota{Requests: perSecond, Period: time.Second}
		own = here.strike(ctx, "own", "", many, standin.Behavior{Fault: standin.TooMany, RetryAfter: time.Second, Beyond: quota})
		shared = storm{provider: startProvider(time.Hour), namespace: here.namespace(ctx, "shared")}
		shared.Misbehave(standin.Behavior{Fault: standin.TooMany, RetryAfter: 2 * time.Second, Beyond: quota})
		here.share(ctx, "shared", shared.url,
			"allowedNamespaces: {}, client: {id: platform, secretRef: {name: app-client, key: client_secret}}")
		shared.names = here.subscribeAs(ctx, "shared", "shared", many, func(int, string) string { return "" })

		Eventually(func() int64 { return outage.Counts().Outcomes[standin.Respond.Outcome()] }).WithContext(ctx).
			WithTimeout(40*time.Second).Should(BeNumerically(">=", failuresInRow), "it is known")
		recovery := time.AfterFunc(down, func() { outage.Misbehave(standin.Behavior{Delay: slowly}) })
		DeferCleanup(recovery.Stop)
	})

	It("that is limited serves one credential beside 200 of another namespace in its turn", func(ctx SpecContext) {
		here.expectReady(ctx, single.namespace, single.names, 10*time.Second)
		at := slices.IndexFunc(crowd.inOrder(), func(r standin.Request) bool { return r.ClientID == "single" })
		Expect(at).To(And(BeNumerically(">=", 2*limit), BeNumerically("<", many*9/10)), "it did not come first, and does not come last")
	})

	It("that is limited is never asked more often", func(ctx SpecContext) {
		here.expectReady(ctx, crowd.namespace, crowd.names, many/limit*time.Second*2)
		requests := crowd.inOrder()
		Expect(requests).To(HaveLen(many + 1))
		Expect(worstExcess(requests, limit, time.Second)).To(BeNumerically("<=", burst+limit), "at once, on a busy machine")
		Expect(requests[many].Time.Sub(requests[0].Time)).To(BeNumerically(">", (many-burst-1)*time.Second/limit))
		Expect(crowd.Counts().MostInFlight).To(BeNumerically("<=", gate.DefaultMaxConcurrent))
	})

	It("that throttles serves 200 credentials at its rate, and refuses few requests on the way", func(ctx SpecContext) {
		for _, throttling := range []storm{own, shared} {
			here.expectReady(ctx, throttling.namespace, throttling.names, many/perSecond*time.Second*2)
			requests := throttling.inOrder()
			Expect(requests[len(requests)-1].Time.Sub(requests[0].Time)).To(BeNumerically("<=", many/perSecond*time.Second*2))
			counts := throttling.Counts().Outcomes
			Expect(counts[standin.Issued]).To(BeEquivalentTo(many))
			Expect(counts[standin.TooMany.Outcome()]).To(BeNumerically("<=", 20), "in %s", throttling.namespace)
			throttling.expectBehaved()
		}
		Expect(own.Counts().TooEarly).To(BeZero(), "before the time that the provider named to a client")
	})

	It("that recovers is asked by two more at a time with every success", func(ctx SpecContext) {
		here.expectReady(ctx, outage.namespace, outage.names, 20*time.Second)
		requests := outage.inOrder()
		probes := slices.IndexFunc(requests, func(r standin.Request) bool { return r.Outcome == standin.Issued })
		good := requests[probes:]
		Expect(good).To(HaveLen(len(outage.names)), "nothing fails after the recovery")
		for i, request := range good {
			answered, underWay := 0, 1
			for _, before := range good[:i] {
				if before.Time.Add(slowly).After(request.Time) {
					underWay++
				} else {
					answered++
				}
			}
			if i > 0 {
				Expect(underWay).To(BeNumerically("<=", 1+2*(answered-1)), "after %d answers, at request %d", answered, i)
			}
		}
	})

	It("that hangs keeps no refresh at another from its time, and its tokens never expire", func(ctx SpecContext) {
		const lifetime = 20 * time.Second
		healthy := storm{provider: startProvider(lifetime), namespace: here.namespace(ctx, "healthy")}
		here.share(ctx, "healthy", healthy.url, "")
		healthy.names = here.subscribeAs(ctx, "healthy", "healthy", 100, func(i int, name string) string {
			// Spread, so that they do not wait for each other; early, so that a busy machine
			// lets none expire, and a refresh that waits for the dead provider still does.
			return fmt.Sprintf("refresh: {afterPercent: %d}, client: {id: %s, secretRef: {name: app-client, key: client_secret}}", 30+i%30, name)
		})
		here.expectReady(ctx, healthy.namespace, healthy.names, 15*time.Second)
		pass := func(until time.Time) {
			Eventually(time.Now).WithContext(ctx).WithTimeout(3 * lifetime).Should(BeTemporally(">=", until))
		}
		began := time.Now()
		pass(began.Add(lifetime * 85 / 100))

		struck := time.Now()
		dead := here.strike(ctx, "dead", "limits: {maxConcurrentRequests: 100}", 300, standin.Behavior{Fault: standin.Hang})
		Eventually(func() int64 { return dead.Counts().InFlight }).WithContext(ctx).WithTimeout(lifetime).Should(BeEquivalentTo(100))
		pass(struck.Add(2*lifetime + 2*time.Second))

		before := here.lateness(healthy, began, struck)
		during := here.lateness(healthy, struck, time.Now())
		AddReportEntry("lateness", fmt.Sprintf("median and p95 of %d: %s, %s; and with the dead provider, of %d: %s, %s", len(before),
			quantile(before, 50), quantile(before, 95), len(during), quantile(during, 50), quantile(during, 95)))
		Expect(len(before)).To(BeNumerically(">=", len(healthy.names)))
		Expect(len(during)).To(BeNumerically(">=", 2*len(healthy.names)))
		Expect(here.expired(healthy)).To(BeEmpty(), "Secrets that held an expired token, and for how long")
		Expect(dead.Counts().MostInFlight).To(BeEquivalentTo(100))
		healthy.expectBehaved()
	})

	It("that fails more often than not is tried again within the budget, and serves all once it is well", func(ctx SpecContext) {
		requests := brownout.inOrder()
		failed, again := map[string]bool{}, 0
		for i, request := range requests {
			if request.Outcome == standin.Issued {
				continue // It gives back what it took.
			}
			if failed[request.ClientID] {
				again++
			}
			failed[request.ClientID] = true
			elapsed := request.Time.Sub(requests[0].Time)
			Expect(again).To(BeNumerically("<=", (i+1)/5+int(elapsed/(5*time.Second))+2), "of %d requests after %s", i+1, elapsed)
		}
		Expect(again).To(BeNumerically(">=", 20))
		AddReportEntry("brownout", fmt.Sprintf("%d requests, %d issued, %d failed again, in %s", len(requests),
			brownout.Counts().Outcomes[standin.Issued], again, requests[len(requests)-1].Time.Sub(requests[0].Time)))
		brownout.Behave()
		here.expectReady(ctx, brownout.namespace, brownout.names, 30*time.Second)
	})
})
