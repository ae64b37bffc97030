package failures_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// row is one way to fail, from the manifest to the cure.
type row struct {
	// text reads on from "a credential with".
	text string
	// behaviors is how the provider misbehaves.
	behaviors []standin.Behavior
	// manifests are what the user applies; left out, a good client Secret and a
	// plain credential. $URL stands for the provider, $CA for its certificate.
	manifests []string
	// tls puts the provider behind a certificate that nobody knows, and down leaves
	// its port closed.
	tls, down bool
	// unseen says that a request fails before the provider can count it.
	unseen bool
	// arguments are those of an operator of the row's own.
	arguments []string
	// bare has an operator without the flags that allow loopback.
	bare bool

	// reason of the failure, and words that its message must hold.
	reason string
	words  []string
	// stalled says that the user is told to act, rather than to wait.
	stalled bool
	// pace is how the provider is asked while it fails.
	pace pace
	// heal removes the cause in a way that the operator sees at once. Left out, the
	// provider recovers and the next attempt succeeds.
	heal func(ctx SpecContext, r *row)

	namespace string
	provider  *provider
	// release gives the closed port of the provider free.
	release  func()
	trap     *provider
	ca       string
	stopBare func()
}

// pace bounds the distances between the requests of a failing credential, one
// after the other; the last bound is for all that follow. No bounds: no request.
type pace []bound

type bound struct{ least, most time.Duration }

// On a busy machine a request may reach the provider later than planned, and two
// requests closer to each other than they were sent.
const (
	slack  = 5 * time.Second
	closer = 250 * time.Millisecond
	// closerInStatus is for those that are known by what the status tells.
	closerInStatus = 3 * time.Second
)

var (
	// Seconds: the schedule counts from the whole second in which a failure fell.
	never   = pace{}
	backOff = pace{
		{time.Second, 2 * time.Second},
		{time.Second, 3 * time.Second},
		{2 * time.Second, 5 * time.Second},
		{5 * time.Second, 10 * time.Second},
		// After five in a row, probes.
		{5 * time.Second, 6 * time.Second},
	}
	// The second that a request hangs comes on top.
	hanging = pace{
		{time.Second, 3 * time.Second},
		{2 * time.Second, 4 * time.Second},
		{3 * time.Second, 6 * time.Second},
	}
	fourSeconds   = pace{{4 * time.Second, 6 * time.Second}}
	fromOneMinute = pace{
		{44 * time.Second, 76 * time.Second},
		{89 * time.Second, 151 * time.Second},
		{179 * time.Second, 301 * time.Second},
		{224 * time.Second, 301 * time.Second},
	}
	oneMinute = pace{
		{59 * time.Second, 61 * time.Second},
		{119 * time.Second, 121 * time.Second},
		{239 * time.Second, 241 * time.Second},
		{479 * time.Second, 481 * time.Second},
	}
)

// startTable applies all rows at once.
func startTable(ctx SpecContext) {
	GinkgoHelper()
	var plain []string
	for _, r := range rows {
		r.start(ctx)
		switch {
		case r.bare:
			r.stopBare = startBareOperator([]string{r.namespace})
		case r.arguments != nil:
			startOperator(ctx, []string{r.namespace}, r.arguments...)
		default:
			plain = append(plain, r.namespace)
		}
	}
	startOperator(ctx, plain)
}

// start arranges the provider and applies the manifests.
func (r *row) start(ctx SpecContext) {
	GinkgoHelper()
	r.namespace = createNamespace(ctx)
	switch {
	case r.down:
		server := standin.NewOAuth(standin.Options{AnyClient: accept})
		address, release := closedAddress()
		r.provider, r.release = &provider{Server: server, url: "http://" + address}, release
	case r.tls:
		r.provider, r.ca = startTLSProvider(time.Hour)
	default:
		r.provider = startProvider(time.Hour)
	}
	r.trap = startProvider(time.Hour)
	for i := range r.behaviors {
		if r.behaviors[i].Fault == standin.Redirect {
			r.behaviors[i].Location = r.trap.url + standin.TokenPath
		}
	}
	if r.behaviors != nil {
		r.provider.Misbehave(r.behaviors...)
	}
	if r.manifests == nil {
		r.manifests = []string{clientSecret, credential}
	}
	r.apply(ctx, r.manifests...)
}

var _ = Describe("A credential that cannot be served", SpecPriority(-1), func() {
	entries := make([]TableEntry, 0, len(rows))
	for _, r := range rows {
		entries = append(entries, Entry("with "+r.text, r))
	}
	DescribeTable("says why, asks at the right pace, and heals", func(ctx SpecContext, r *row) {
		r.expectFailure(ctx)
		r.expectEvent(ctx)
		if r.heal != nil {
			r.expectPace(ctx)
			r.heal(ctx, r)
			Eventually(r.last).WithContext(ctx).WithTimeout(r.atOnce()).Should(beHealed())
		} else {
			Eventually(r.last).WithContext(ctx).WithTimeout(80 * time.Second).Should(beHealed())
			r.expectPace(ctx)
		}
		r.expectHealed(ctx)
	}, entries)
})

// atOnce is how long it may take that the operator notices and tries again. A
// provider that is known to be down is probed every five seconds.
func (r *row) atOnce() time.Duration {
	if len(r.attempts()) >= failuresInRow {
		return 15 * time.Second
	}
	return 4 * time.Second
}

func (r *row) last() version { return credentials.last(r.namespace, "app") }

// expectFailure judges the versions of the credential in which it was failing.
func (r *row) expectFailure(ctx SpecContext) {
	GinkgoHelper()
	Eventually(func() []version { return r.failing() }).WithContext(ctx).ShouldNot(BeEmpty(), "no version has the reason %s", r.reason)
	for _, v := range r.failing() {
		ready := v.ready()
		Expect(ready.Status).To(Equal(metav1.ConditionFalse))
		Expect(ready.ObservedGeneration).To(Equal(v.credential.Generation))
		for _, words := range r.words {
			Expect(ready.Message).To(ContainSubstring("%s", words))
		}
		Expect(ready.Message).To(Equal(r.failing()[0].ready().Message), "a message that changes is a write each time")
		failure := v.credential.Status.LastFailure
		Expect(failure).NotTo(BeNil())
		Expect(failure.Reason).To(Equal(r.reason))
		Expect(failure.Message).To(Equal(ready.Message))

		waiting, reported := metav1.ConditionTrue, metav1.ConditionFalse
		if r.stalled {
			waiting, reported = reported, waiting
		}
		Expect(v.condition(v1alpha1.ConditionReconciling).Status).To(Equal(waiting))
		Expect(v.condition(v1alpha1.ConditionStalled).Status).To(Equal(reported))
	}
	for _, v := range credentials.of(r.namespace, "app") {
		Expect(v.ready().Reason).To(BeElementOf("", v1alpha1.ReasonRequestingToken, r.reason, v1alpha1.ReasonTokenIssued))
	}
}

// failing are the versions that tell of the failure.
func (r *row) failing() []version {
	var failing []version
	for _, v := range credentials.of(r.namespace, "app") {
		if v.ready().Reason == r.reason {
			failing = append(failing, v)
		}
	}
	return failing
}

// expectEvent demands one event for the failure, however often it was met.
func (r *row) expectEvent(ctx SpecContext) {
	GinkgoHelper()
	var notes []string
	Eventually(func() []string {
		notes = nil
		for _, event := range eventsOf(ctx, r.namespace, "app") {
			if event.Reason == r.reason && event.Type == corev1.EventTypeWarning {
				notes = append(notes, event.Note)
			}
		}
		return notes
	}).WithContext(ctx).Should(HaveLen(1))
	Expect(notes[0]).To(Equal(r.failing()[0].ready().Message))
}

// attempts are the times of the requests: those that the provider got or, where it
// got none, those at which the status told of one more failure.
func (r *row) attempts() []time.Time {
	var attempts []time.Time
	if r.unseen {
		count := int32(0)
		for _, v := range r.failing() {
			if failures := v.credential.Status.LastFailure.Count; failures != count {
				count = failures
				attempts = append(attempts, v.at)
			}
		}
	}
	for _, request := range r.provider.Requests() {
		attempts = append(attempts, request.Time)
	}
	return attempts
}

// failures is how many failures in a row the status told of at most. Attempts at a wrong
// path are not among those that the provider knows.
func (r *row) failures() int {
	most := 0
	for _, v := range r.failing() {
		most = max(most, int(v.credential.Status.LastFailure.Count))
	}
	return most
}

// expectPace judges the requests that came so far.
func (r *row) expectPace(ctx SpecContext) {
	GinkgoHelper()
	if len(r.pace) > 0 {
		Eventually(r.attempts).WithContext(ctx).ShouldNot(BeEmpty())
	}
	attempts := r.attempts()
	Expect(len(credentials.of(r.namespace, "app"))).To(BeNumerically("<=", 4+2*max(len(attempts), r.failures())), "nothing is written for nothing")
	if len(r.pace) == 0 {
		Expect(attempts).To(BeEmpty())
		return
	}
	tolerance := closer
	if r.unseen {
		tolerance = closerInStatus
	}
	for i := range len(attempts) - 1 {
		Expect(attempts[i+1].Sub(attempts[i])).To(SatisfyAll(
			BeNumerically(">=", r.bound(i).least-tolerance), BeNumerically("<", r.bound(i).most+slack)),
			"between attempt %d and the next of %v", i+1, attempts)
	}
	Expect(len(attempts)).To(BeNumerically("<=", 6+time.Since(attempts[0])/gate.Distance), "%v", attempts)
	if last := len(attempts) - 1; !r.last().isReady() {
		Expect(time.Since(attempts[last])).To(BeNumerically("<", r.bound(last).most+slack), "the next attempt is overdue: %v", attempts)
	}
}

func (r *row) bound(attempt int) bound {
	const quickProbes, slowly = 60, 6 * gate.Distance
	b := r.pace[min(attempt, len(r.pace)-1)]
	if attempt >= quickProbes {
		b.most = max(b.most, slowly+time.Second)
	}
	return b
}

// expectHealed demands that nothing is left of the failure.
func (r *row) expectHealed(ctx SpecContext) {
	GinkgoHelper()
	_, _, good := r.provider.Check(string(getSecret(ctx, r.namespace, "app-token").Data["access_token"]))
	Expect(good).To(BeTrue(), "the Secret must hold a token of the provider")
	Expect(r.provider.Counts().TooEarly).To(BeZero(), "before the time that the provider named")
	r.provider.expectBehaved()
	Expect(r.trap.Counts().Requests).To(BeZero(), "no redirect is followed")
	Eventually(func() []string {
		var reasons []string
		for _, event := range eventsOf(ctx, r.namespace, "app") {
			if event.Type == corev1.EventTypeNormal {
				reasons = append(reasons, event.Reason)
			}
		}
		return reasons
	}).WithContext(ctx).Should(ConsistOf(v1alpha1.ReasonTokenIssued))
}
