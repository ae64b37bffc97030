package failures_test

import (
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("An outage of ten seconds", func() {
	It("is soon over for thirty credentials, and was probed with patience", func(ctx SpecContext) {
		const lifetime = 20 * time.Second
		namespace := createNamespace(ctx)
		server := standin.NewOAuth(standin.Options{Lifetime: lifetime, AnyClient: accept})
		url, stop, err := server.Listen()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { stop() })
		startOperator(ctx, []string{namespace})
		all := names("app", 30)
		apply(ctx, namespace, clientSecret)
		for _, name := range all {
			apply(ctx, namespace, numbered(url, name))
		}
		expectReady(ctx, namespace, all...)
		polling := startPolling(ctx, []string{namespace}, server)

		// Refreshes begin after 62 to 67 percent of a life.
		first := credentials.of(namespace, all[0])[0].at
		Eventually(time.Now).WithContext(ctx).WithTimeout(lifetime).Should(BeTemporally(">=", first.Add(lifetime*55/100)))
		Expect(server.Counts().Requests).To(BeEquivalentTo(len(all)))
		polling.expectNeverExpired()
		address := strings.TrimPrefix(url, "http://")
		stop()
		closed := countConnections(address)
		began := time.Now()
		Eventually(time.Now).WithContext(ctx).WithTimeout(11 * time.Second).Should(BeTemporally(">=", began.Add(10*time.Second)))
		connections := closed()

		_, stop, err = server.ListenAt(address)
		Expect(err).NotTo(HaveOccurred())
		back := time.Now()
		renewed := func() []string {
			var waiting []string
			targets, err := listTargets(ctx, namespace)
			Expect(err).NotTo(HaveOccurred())
			for i := range targets {
				if _, expires, _ := server.Check(string(targets[i].Data["access_token"])); expires.Before(back.Add(lifetime - time.Second)) {
					waiting = append(waiting, targets[i].Name)
				}
			}
			return waiting
		}
		Eventually(renewed).WithContext(ctx).WithTimeout(10 * time.Second).Should(BeEmpty())
		expectReady(ctx, namespace, all...)

		expectProbes(connections, lifetime/10)
		Expect(server.Violations()).To(BeEmpty())
		for _, name := range all {
			Expect(server.CountsOf(name).Requests).To(BeNumerically("<=", 3), "one token before the outage and one after it, and perhaps the next")
		}
	})
})

// expectProbes judges the connections during an outage. Those that were tried
// before anything had failed are as many as a provider gets at a time; then the
// line is closed, and they keep their distance, which is taken from lives in whole
// seconds.
func expectProbes(connections []time.Time, distance time.Duration) {
	GinkgoHelper()
	Expect(len(connections)).To(BeNumerically(">=", failuresInRow), "%v", connections)
	closed := connections[failuresInRow-1].Add(500 * time.Millisecond)
	probes := slices.DeleteFunc(slices.Clone(connections), func(at time.Time) bool { return at.Before(closed) })
	Expect(len(connections)-len(probes)).To(BeNumerically("<=", 15), "before the line was closed: %v", connections)
	Expect(probes).NotTo(BeEmpty())
	for i := range len(probes) - 1 {
		Expect(probes[i+1].Sub(probes[i])).To(BeNumerically(">=", distance/2), "they are seen when they arrive, on a busy machine")
	}
}

// countConnections takes the place of a provider and hangs up on whoever calls. It
// answers how often that was, once it is told to go.
func countConnections(address string) func() []time.Time {
	GinkgoHelper()
	listener, err := net.Listen("tcp", address)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = listener.Close() })
	var (
		mu    sync.Mutex
		calls []time.Time
	)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			calls = append(calls, time.Now())
			mu.Unlock()
			_ = connection.Close()
		}
	}()
	return func() []time.Time {
		Expect(listener.Close()).To(Succeed())
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(calls)
	}
}
