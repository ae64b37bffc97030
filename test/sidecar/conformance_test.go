package sidecar_test

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// brief is the life of a token whose end a spec waits for.
	brief = 4 * time.Second
	// while is that of one which outlives its spec.
	while = time.Minute
	// mended is how long a source may take to be back: a provider is asked again after the
	// pause that came of its last failure.
	mended = 20 * time.Second
)

// neverEnds is the expiry of a token that lives as long as nobody knows.
var neverEnds time.Time

var _ = Describe("A source", func() {
	Context("by --secret", func() { behaves(newWatched) })
	Context("by --mount", func() { behaves(newVolume) })
	Context("by --credential-file", func() { behaves(newAsked) })
})

// behaves are the specs that hold for every source.
func behaves(create func(ctx context.Context) source) {
	var s source
	BeforeEach(func(ctx SpecContext) { s = create(ctx) })

	It("brings the first set, and then each as a whole", func(ctx SpecContext) {
		address := freePort()
		a := startAgent(ctx, append(s.arguments(), "--token-address="+address)...)
		Expect(a.readiness(ctx)).To(HavePrefix("503 no token yet"))
		Expect(a.metric("token_usable")(ctx)).To(Equal("0"))
		Expect(served(ctx, address)).To(HaveKeyWithValue("error", "no_token"))

		expiresAt := time.Now().Add(while).Truncate(time.Second)
		first := holding("first", expiresAt)
		first.more["gone"] = "less"
		s.put(ctx, first)
		Eventually(ctx, a.files).Should(Equal(first.files()))
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		Expect(a.metric("token_usable")(ctx)).To(Equal("1"))
		Expect(a.metric("source_up")(ctx)).To(Equal("1"))
		Expect(a.metric(`deliveries_total{result="success",sink="files"}`)(ctx)).To(Equal("1"))
		Expect(a.expiry(ctx)).To(BeTemporally("~", expiresAt, 2*time.Second))
		told, err := served(ctx, address)
		Expect(err).NotTo(HaveOccurred())
		Expect(told).To(And(HaveKeyWithValue("access_token", "first"), HaveKeyWithValue("token_type", "Bearer")))
		Expect(time.Parse(time.RFC3339, told["expires_at"].(string))).To(BeTemporally("==", a.expiry(ctx)))

		By("being another one, with a key more and another one less")
		reader := a.follow()
		Eventually(ctx, reader.tokens).Should(Equal([]string{"first"}))
		second := holding("second", expiresAt)
		second.more["fresh"] = "more"
		s.put(ctx, second)
		Eventually(ctx, a.listed).Should(And(ContainElements(tokenKey, copyKey, "fresh"), Not(ContainElement("gone"))))
		Expect(a.files()).To(Equal(second.files()))
		Expect(a.file("fresh")()).To(Equal("more"))
		Eventually(ctx, served).WithArguments(ctx, address).Should(HaveKeyWithValue("access_token", "second"))
		Eventually(ctx, reader.tokens).Should(Equal([]string{"first", "second"}), "each of them once")
	})

	It("keeps the last token while the source is gone, and is ready for as long as that lives", func(ctx SpecContext) {
		a := startAgent(ctx, s.arguments()...)
		last := holding("last", time.Now().Add(brief))
		s.put(ctx, last)
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		s.takeAway(ctx)
		a.follow()
		expiresAt := a.expiry(ctx)
		var state string
		Eventually(ctx, func() (string, error) {
			var err error
			state, err = a.readiness(ctx)
			return state, err
		}).ShouldNot(Equal(ready))
		Expect(time.Now()).To(BeTemporally(">=", expiresAt), "it is ready until the token expires")
		Expect(state).To(Equal("503 the token expired at " + expiresAt.UTC().Format(time.RFC3339) + ", and the source has no newer one"))
		Expect(time.Now()).To(BeTemporally("<", expiresAt.Add(silence)))
		Expect(a.metric("token_usable")(ctx)).To(Equal("0"))
		Expect(a.files()).To(Equal(last.files()))

		By("being back")
		fresh := holding("fresh", time.Now().Add(time.Hour))
		s.put(ctx, fresh)
		Eventually(ctx, a.readiness).WithArguments(ctx).WithTimeout(mended).Should(Equal(ready))
		Expect(a.files()).To(Equal(fresh.files()))
	})

	It("ends by itself with --once, as soon as there is a token that has not expired", func(ctx SpecContext) {
		a := newAgent(ctx)
		j := startJob(ctx, nil, append(s.arguments(), "--once", "--output-dir="+a.directory)...)
		Consistently(ctx, j.running).Should(BeTrue(), "%s", j.log)
		Expect(a.listed()).To(BeEmpty())
		if s.holdsExpired() {
			s.put(ctx, holding("old", time.Now().Add(-time.Minute)))
			Eventually(ctx, a.file(tokenKey)).Should(Equal("old"))
			Consistently(ctx, j.running).Should(BeTrue(), "%s", j.log)
		}
		good := holding("good", time.Now().Add(time.Hour))
		s.put(ctx, good)
		Expect(j.end(ctx).code).To(BeZero(), "%s", j.log)
		Expect(a.files()).To(Equal(good.files()))

		By("doing so again at once where the token is there already")
		before, err := a.generation()
		Expect(err).NotTo(HaveOccurred())
		again := startJob(ctx, nil, append(s.arguments(), "--once", "--output-dir="+a.directory)...)
		Expect(again.end(ctx).code).To(BeZero(), "%s", again.log)
		if s.holdsExpired() {
			Expect(a.generation()).To(Equal(before))
		}
		Expect(a.files()).To(Equal(good.files()))
	})

	It("starts again with what there is, and tells the app of changes alone", func(ctx SpecContext) {
		app := startApp()
		hook := newHook()
		a := startAgent(ctx, append(s.arguments(), "--notify-pid-file="+app.pidFile, "--notify-signal=USR1", "--notify-url="+hook.URL)...)
		same := holding("same", neverEnds)
		s.put(ctx, same)
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		Eventually(ctx, app.signals).Should(Equal(1))
		Eventually(ctx, hook.count).Should(Equal(1))
		before, err := a.generation()
		Expect(err).NotTo(HaveOccurred())
		a.follow()

		By("being killed")
		Expect(a.Kill()).To(Succeed())
		a.start(ctx)
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		Expect(a.generation()).To(Equal(before), "nothing is written where nothing has changed")

		By("being ended")
		asked := time.Now()
		Expect(a.Stop()).To(Succeed())
		Expect(a.Wait(ctx)).To(Succeed(), "the exit code is 0")
		Expect(time.Since(asked)).To(BeNumerically("<", prompt))
		Expect(a.files()).To(Equal(same.files()))
		a.start(ctx)
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		Expect(a.generation()).To(Equal(before))

		By("telling of a change after that")
		other := holding("other", neverEnds)
		s.put(ctx, other)
		Eventually(ctx, a.metric(`notifications_total{kind="hook",result="success"}`)).WithArguments(ctx).Should(Equal("1"))
		Eventually(ctx, a.metric(`notifications_total{kind="signal",result="success"}`)).WithArguments(ctx).Should(Equal("1"))
		Eventually(ctx, app.signals).Should(Equal(2))
		Expect(hook.count()).To(Equal(2))
		Expect(a.files()).To(Equal(other.files()))
	})
}

// served is what GET /token answers.
func served(ctx context.Context, address string) (map[string]any, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/token", http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Tokensync", "true")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var told map[string]any
	return told, json.NewDecoder(response.Body).Decode(&told)
}
