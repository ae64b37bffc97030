package failures_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A token whose refresh fails", Ordered, ContinueOnFailure, func() {
	const lifetime = 20 * time.Second
	var (
		failing, moody string
		outage         *provider
		unreliable     map[string]*unreliableProvider
		shared         *standin.Server
		polling        *poller
		issued         time.Time
	)

	BeforeAll(func(ctx SpecContext) {
		failing, moody = createNamespace(ctx), createNamespace(ctx)
		startOperator(ctx, []string{failing, moody})

		outage = startProvider(10 * time.Second)
		apply(ctx, failing, clientSecret, at(outage.url, credential))

		key := []byte("shared by all")
		unreliable = startUnreliableProviders(key, lifetime)
		shared = standin.NewOAuth(standin.Options{Lifetime: lifetime, AnyClient: accept, Key: key})
		listening := httptest.NewServer(shared)
		DeferCleanup(listening.Close)
		apply(ctx, moody, clientSecret)
		for name, one := range unreliable {
			apply(ctx, moody, numbered(one.url, name))
		}
		expectReady(ctx, failing, "app")
		issued = time.Now()
		outage.Misbehave(standin.Behavior{Fault: standin.Respond, Status: http.StatusBadGateway})
		for name, one := range unreliable {
			expectReady(ctx, moody, name)
			one.moody.Store(true)
		}
		for _, name := range names("shared", 8) {
			apply(ctx, moody, numbered(listening.URL, name))
		}
		expectReady(ctx, moody, names("shared", 8)...)
		// Refreshes begin after 62 to 67 percent of a life: none is asked for before the outage.
		shared.Misbehave(standin.Behavior{Fault: standin.Respond})
		back := time.AfterFunc(lifetime*75/100, shared.Behave)
		DeferCleanup(back.Stop)
		polling = startPolling(ctx, []string{moody}, standin.NewOAuth(standin.Options{Key: key}))
	})

	It("is kept and served, Ready, while it is good", func(ctx SpecContext) {
		before := getSecret(ctx, failing, "app-token")
		failed := func() *v1alpha1.LastFailure { return credentials.last(failing, "app").credential.Status.LastFailure }
		Eventually(failed).WithContext(ctx).Should(HaveField("Count", BeNumerically(">=", 2)))
		Expect(failed().Reason).To(Equal(v1alpha1.ReasonProviderUnreachable))
		Expect(failed().Message).To(ContainSubstring("HTTP status 502"))
		ready := credentials.last(failing, "app").ready()
		Expect(ready.Status).To(Equal(metav1.ConditionTrue))
		Expect(ready.Reason).To(Equal(v1alpha1.ReasonTokenIssued))
		Expect(ready.Message).To(SatisfyAll(ContainSubstring("good token"),
			ContainSubstring("next one could not be had (ProviderUnreachable)"), ContainSubstring("HTTP status 502")))
		Expect(getSecret(ctx, failing, "app-token").ResourceVersion).To(Equal(before.ResourceVersion))
	})

	It("is reported when it expires, and stays where it is", func(ctx SpecContext) {
		before := getSecret(ctx, failing, "app-token")
		expires := credentials.last(failing, "app").credential.Status.ExpiresAt.Time
		Expect(expires).To(BeTemporally("~", issued.Add(10*time.Second), 2*time.Second))
		unready := func() bool { return credentials.last(failing, "app").ready().Status == metav1.ConditionFalse }
		Eventually(unready).WithContext(ctx).WithTimeout(15 * time.Second).Should(BeTrue())
		reported := credentials.last(failing, "app")
		for _, v := range credentials.of(failing, "app") {
			if v.ready().Status == metav1.ConditionFalse && v.at.After(issued) {
				reported = v
				break
			}
		}
		Expect(reported.at).To(BeTemporally("~", expires.Add(500*time.Millisecond), time.Second))
		Expect(reported.ready().Reason).To(Equal(v1alpha1.ReasonProviderUnreachable))
		Expect(reported.ready().Message).To(ContainSubstring("HTTP status 502"))
		Expect(getSecret(ctx, failing, "app-token").Data).To(Equal(before.Data))
	})

	It("is replaced as soon as the provider has answered anybody", func(ctx SpecContext) {
		outage.Behave()
		apply(ctx, failing, numbered(outage.url, "another"))
		// A provider that is down is probed every five seconds.
		Eventually(func() bool { return credentials.last(failing, "another").isReady() }).
			WithContext(ctx).WithTimeout(6 * time.Second).Should(BeTrue())
		Eventually(func() version { return credentials.last(failing, "app") }).
			WithContext(ctx).WithTimeout(2 * time.Second).Should(beHealed())
		outage.expectBehaved()
	})

	It("is replaced before it expires by a provider that is back for the last quarter of its life", func(ctx SpecContext) {
		Eventually(func() []string { return unissued(&provider{Server: shared}, names("shared", 8), 2) }).
			WithContext(ctx).WithTimeout(lifetime).Should(BeEmpty())
		Expect(shared.Counts().Outcomes[standin.Respond.Outcome()]).To(BeNumerically(">=", 5), "the outage must have been met")
		Expect(shared.Counts().TooClose).To(BeZero())
	})

	It("is replaced before it expires by a provider that answers one request in four", func(ctx SpecContext) {
		Eventually(func() map[string]int64 {
			waiting := map[string]int64{}
			for name, one := range unreliable {
				if issued := one.good.CountsOf(name).Outcomes[standin.Issued]; issued < 3 {
					waiting[name] = issued
				}
			}
			return waiting
		}).WithContext(ctx).WithTimeout(3*lifetime).Should(BeEmpty(), "each must have been refreshed twice")
		polling.expectNeverExpired()
		for _, one := range unreliable {
			Expect(one.bad.Counts().Requests).To(BeNumerically(">=", 6))
			Expect(one.bad.Counts().TooEarly).To(BeZero())
		}
	})
})

// unreliableProvider answers one request in four, once it is moody.
type unreliableProvider struct {
	good, bad *standin.Server
	url       string
	moody     atomic.Bool
	requests  atomic.Int64
}

// ServeHTTP implements http.Handler.
func (u *unreliableProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !u.moody.Load() || u.requests.Add(1)%4 == 0 {
		u.good.ServeHTTP(w, r)
		return
	}
	u.bad.ServeHTTP(w, r)
}

func startUnreliable(key []byte, lifetime time.Duration, behavior standin.Behavior) *unreliableProvider {
	options := standin.Options{Lifetime: lifetime, AnyClient: accept, Key: key}
	u := &unreliableProvider{good: standin.NewOAuth(options), bad: standin.NewOAuth(options)}
	u.bad.Misbehave(behavior)
	listening := httptest.NewServer(u)
	DeferCleanup(listening.Close)
	u.url = listening.URL
	return u
}

// startUnreliableProviders starts one for every way to fail that promises to pass.
func startUnreliableProviders(key []byte, lifetime time.Duration) map[string]*unreliableProvider {
	all := map[string]*unreliableProvider{}
	for name, behavior := range map[string]standin.Behavior{
		"unavailable": {Fault: standin.Respond},
		"resetting":   {Fault: standin.Reset},
		"truncating":  {Fault: standin.Truncated},
		"garbled":     {Fault: standin.Garbage},
		"portal":      {Fault: standin.HTML},
		"forbidding":  {Fault: standin.Respond, Status: http.StatusForbidden},
		"limiting":    {Fault: standin.TooMany},
		"short":       {ExpiresIn: json.RawMessage("0")},
	} {
		all[name] = startUnreliable(key, lifetime, behavior)
	}
	return all
}

var _ = Describe("A refresh that was asked for and failed", func() {
	It("is made again, also when others were answered and no more may be asked for at once", func(ctx SpecContext) {
		namespace := createNamespace(ctx)
		server := startProvider(time.Hour)
		startOperator(ctx, []string{namespace})
		apply(ctx, namespace, clientSecret, at(server.url, credential), numbered(server.url, "other"))
		expectReady(ctx, namespace, "app", "other")
		issued := func(client string) func() int64 {
			return func() int64 { return server.CountsOf(client).Outcomes[standin.Issued] }
		}
		// Three at once are free: the first token, and these two.
		askForRefresh(ctx, namespace, "app")
		Eventually(issued("app")).WithContext(ctx).Should(BeEquivalentTo(2))
		server.Misbehave(standin.Behavior{ClientID: "app", Fault: standin.Respond, Next: 2})
		askForRefresh(ctx, namespace, "app")
		failed := func() *v1alpha1.LastFailure { return credentials.last(namespace, "app").credential.Status.LastFailure }
		Eventually(failed).WithContext(ctx).ShouldNot(BeNil())

		askForRefresh(ctx, namespace, "other")
		Eventually(issued("other")).WithContext(ctx).Should(BeEquivalentTo(2))
		Consistently(func() bool { return failed() != nil || issued("app")() == 3 }).WithContext(ctx).
			WithTimeout(2*time.Second).WithPolling(10*time.Millisecond).Should(BeTrue(), "the failure is told of until it is over")
		Eventually(issued("app")).WithContext(ctx).WithTimeout(8 * time.Second).Should(BeEquivalentTo(3))
		Eventually(failed).WithContext(ctx).Should(BeNil())
	})
})
