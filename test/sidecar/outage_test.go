package sidecar_test

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// outage is how long the API server is away. It is longer than any pause between two
// attempts, and than the life of the token that is to expire meanwhile: a minute shows
// nothing more.
const outage = 20 * time.Second

var _ = Describe("With the API server", func() {
	It("away, each token serves for as long as it lives, and a new one comes soon after that", func(ctx SpecContext) {
		long, soon := newWatched(ctx).(*watched), newWatched(ctx).(*watched)
		a, b := startAgent(ctx, long.arguments()...), startAgent(ctx, soon.arguments()...)
		last := holding("last", time.Now().Add(outage+time.Hour))
		lapsed := holding("lapsed", time.Now().Add(outage/2).Truncate(time.Second))
		long.put(ctx, last)
		soon.put(ctx, lapsed)
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		Eventually(ctx, b.readiness).WithArguments(ctx).Should(Equal(ready))
		a.follow()
		b.follow()

		start := sync.OnceFunc(killServer(ctx))
		DeferCleanup(start)
		Eventually(ctx, a.metric("source_up")).WithArguments(ctx).Should(Equal("0"))
		Eventually(ctx, b.readiness).WithArguments(ctx).WithTimeout(outage).
			Should(Equal("503 the token expired at " + lapsed.expiresAt.UTC().Format(time.RFC3339) + ", and the source has no newer one"))
		Expect(time.Now()).To(BeTemporally("~", lapsed.expiresAt, silence))
		Consistently(ctx, a.readiness).WithArguments(ctx).WithTimeout(outage - outage/2).Should(Equal(ready))
		Expect(a.files()).To(Equal(last.files()))
		Expect(b.files()).To(Equal(lapsed.files()))

		start()
		fresh := holding("fresh", time.Now().Add(time.Hour))
		Eventually(ctx, long.write).WithArguments(ctx, fresh).WithTimeout(time.Minute).Should(Succeed())
		Eventually(ctx, a.files).WithTimeout(prompt).Should(Equal(fresh.files()))
		soon.put(ctx, fresh)
		Eventually(ctx, b.readiness).WithArguments(ctx).WithTimeout(prompt).Should(Equal(ready))
		Expect(b.files()).To(Equal(fresh.files()))
		Eventually(ctx, a.metric("source_up")).WithArguments(ctx).Should(Equal("1"))
	}, SpecTimeout(outage+time.Minute))
})

var _ = Describe("A sidecar that is killed time and again", func() {
	It("leaves its readers a whole set at each moment", func(ctx SpecContext) {
		const kills = 20
		s := newWatched(ctx)
		s.put(ctx, holding("0", neverEnds))
		a := startAgent(ctx, s.arguments()...)
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		reader := a.follow()

		written := make(chan int, 1)
		var enough atomic.Bool
		defer enough.Store(true)
		go func() {
			defer close(written)
			defer GinkgoRecover()
			number := 0
			for ; !enough.Load(); number++ {
				s.put(ctx, holding(strconv.Itoa(number), neverEnds))
			}
			written <- number
		}()
		amid := 0
		for kill := 0; kill < kills || amid == 0; kill++ {
			// Every other time it is killed while it makes a new version, and else right after it
			// has made that the one that counts.
			moment := a.generation
			if kill%2 == 0 {
				moment = a.names
			}
			before, err := moment()
			Expect(err).NotTo(HaveOccurred())
			Eventually(ctx, moment).WithPolling(100 * time.Microsecond).ShouldNot(Equal(before))
			Expect(a.Kill()).To(Succeed())
			if unfinished(a) {
				amid++
			}
			a.start(ctx)
		}
		enough.Store(true)
		var writes int
		Eventually(ctx, written).Should(Receive(&writes))
		last := holding(strconv.Itoa(writes-1), neverEnds)
		Eventually(ctx, a.files).Should(Equal(last.files()))
		AddReportEntry("swaps", fmt.Sprintf("%d writes, %d of them read, %d kills amid the work", writes, len(reader.tokens()), amid))

		Expect(reader.found()).To(BeEmpty())
	}, SpecTimeout(2*time.Minute))
})

// names are all that is in the directory.
func (a *agent) names() (string, error) {
	entries, err := os.ReadDir(a.directory)
	return fmt.Sprint(entries), err
}

// unfinished tells whether a sidecar that was killed has left more than two versions, or one
// that was to be the next.
func unfinished(a *agent) bool {
	GinkgoHelper()
	entries, err := os.ReadDir(a.directory)
	Expect(err).NotTo(HaveOccurred())
	versions := 0
	for _, entry := range entries {
		if entry.Name() == "..data_tmp" {
			return true
		}
		if entry.IsDir() {
			versions++
		}
	}
	return versions > 2
}
