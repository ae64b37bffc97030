package integration_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// run is one credential that is watched through a number of refreshes.
type run struct {
	*tenant
	name string
	// line is YAML that belongs under spec.
	line     string
	lifetime time.Duration
	consumer *consumer
	// requests are those that the provider had when the watch ended.
	requests []standin.Request
}

const (
	// watched is how long the refreshes are watched.
	watched = 17 * time.Second
	// promptness bounds how late a request may come after it is due.
	promptness = time.Second
)

// All are watched at the same time, because each takes its time.
var _ = Describe("refreshing", Ordered, ContinueOnFailure, func() {
	var runs []*run
	var shared *tenant

	BeforeAll(func(ctx SpecContext) {
		for _, seconds := range []int{3, 4, 5, 6, 7} {
			lifetime := time.Duration(seconds) * time.Second
			runs = append(runs, &run{tenant: newTenant(ctx, oauth(lifetime)), name: "steady", lifetime: lifetime})
		}
		shared = runs[1].tenant
		runs = append(runs, syncronex(ctx), syncplicity(ctx))
		for _, r := range runs {
			r.declare(ctx, r.name, r.line)
			r.ready(ctx, r.name)
		}
		By("adding to a Secret what the operator knows nothing of")
		shared.edit(ctx, "Secret", "steady", `
metadata: {labels: {mine: "yes", example.com/pod: web}, annotations: {example.com/note: keep me}, finalizers: [example.com/hold]}
data: {ca.crt: aGVsbG8=}`)
		DeferCleanup(func(ctx SpecContext) { shared.edit(ctx, "Secret", "steady", "metadata: {finalizers: null}") })

		consuming, cancel := context.WithTimeout(ctx, watched)
		defer cancel()
		var all sync.WaitGroup
		for _, r := range runs {
			all.Go(func() {
				r.consumer = r.consume(consuming, r.name)
				r.requests = r.provider.Requests()
			})
		}
		all.Wait()
	}, NodeTimeout(time.Minute))

	It("never lets a reader find an expired token", func() {
		for _, r := range runs {
			Expect(r.consumer.bad).To(BeEmpty(), "%s of %s", r.name, r.lifetime)
			Expect(r.consumer.reads).To(BeNumerically(">", 100), "%s of %s", r.name, r.lifetime)
			AddReportEntry(fmt.Sprintf("%s of %s", r.name, r.lifetime), fmt.Sprintf("%d reads, at most %s apart, of %d tokens",
				r.consumer.reads, r.consumer.gap.Round(time.Millisecond), len(r.consumer.tokens)), ReportEntryVisibilityFailureOrVerbose)
		}
	})

	It("asks when the token is due, and for nothing else", func() {
		for _, r := range runs {
			due := r.dueTimes()
			Expect(len(r.requests)).To(And(BeNumerically(">=", 3), BeNumerically("<=", len(due)+1)), "%s of %s", r.name, r.lifetime)
			var latest time.Duration
			for i, request := range r.requests[1:] {
				at := due[i]
				if earliest := r.requests[i].Time.Add(spacing); at.Before(earliest) {
					at = earliest
				}
				Expect(request.Time).To(BeTemporally(">=", at.Add(-haste)), "%s of %s, request %d", r.name, r.lifetime, i+1)
				latest = max(latest, request.Time.Sub(at))
			}
			Expect(latest).To(BeNumerically("<", promptness), "%s of %s", r.name, r.lifetime)
			AddReportEntry(fmt.Sprintf("%s of %s", r.name, r.lifetime), fmt.Sprintf("%d requests, at most %s late",
				len(r.requests), latest.Round(time.Millisecond)), ReportEntryVisibilityFailureOrVerbose)
		}
	})

	It("asks as often as the lifetime demands", func() {
		for _, r := range runs {
			// Two thirds of the life, less up to 5 %, in whole seconds; and a second at least.
			shortest := max(spacing, (r.lifetime * 62 / 100).Truncate(time.Second))
			longest := max(spacing, (r.lifetime*67/100).Truncate(time.Second)) + promptness
			Expect(len(r.requests)).To(And(
				BeNumerically(">=", int(watched/longest)),
				BeNumerically("<=", int(watched/shortest)+2),
			), "%s of %s", r.name, r.lifetime)
		}
	})

	It("keeps what a user has added to the Secret", func(ctx SpecContext) {
		secret := shared.secret(ctx, "steady")
		Expect(secret.Labels).To(And(HaveKeyWithValue("mine", "yes"), HaveKeyWithValue("example.com/pod", "web"), HaveLen(4)))
		Expect(secret.Annotations).To(And(HaveKeyWithValue("example.com/note", "keep me"), HaveLen(5)))
		Expect(secret.Finalizers).To(ConsistOf("example.com/hold"))
		Expect(secret.Data).To(And(HaveKeyWithValue("ca.crt", []byte("hello")), HaveLen(5)))
	})

	It("writes no event but that of the first token", func(ctx SpecContext) {
		for _, r := range runs {
			Expect(len(r.consumer.tokens)).To(BeNumerically(">", 3), "refreshes of %s of %s", r.name, r.lifetime)
			Expect(r.events(r.name)(ctx)).To(ConsistOf(v1alpha1.ReasonTokenIssued), "%s of %s", r.name, r.lifetime)
		}
	})

	It("stays ready all the time", func() {
		for _, r := range runs {
			statuses := observed.statuses(r.namespace, r.name)
			for _, status := range statuses[1:] {
				Expect(status.Conditions).To(ContainElement(And(HaveField("Type", "Ready"), HaveField("Status", BeEquivalentTo("True")))), "%s of %s", r.name, r.lifetime)
			}
			By(fmt.Sprintf("writing one status for each token of %s", r.lifetime))
			Expect(len(statuses)).To(BeNumerically("<=", len(r.provider.Requests())+2))
		}
	})

	It("warns of a life that is shorter than a mounted Secret takes", func(ctx SpecContext) {
		Expect(shared.message(ctx, "steady")).To(And(ContainSubstring("it lives 4s"), ContainSubstring("pod's files: use the tokensync sidecar")))
	})
})

// The real systems tell the whole seconds that are left when they answer, so that
// a token is taken for a second younger than it is.
const told, lives = 4 * time.Second, 5 * time.Second

func syncronex(ctx context.Context) *run {
	GinkgoHelper()
	r := &run{name: "syncronex", lifetime: told}
	r.tenant = newTenant(ctx, standin.NewSyncronex(standin.Options{Lifetime: lives, AnyClient: password}))
	r.endpoint = "clientAuthentication: {method: client_secret_post}, "
	return r
}

func syncplicity(ctx context.Context) *run {
	GinkgoHelper()
	r := &run{name: "syncplicity", lifetime: told}
	r.tenant = newTenant(ctx, standin.NewSyncplicity(standin.Options{Lifetime: lives, AnyClient: password}))
	r.endpoint = "clientAuthentication: {method: client_secret_basic, basicEncoding: Raw}, "
	r.line = "request: {headers: [{name: Sync-App-Token, valueFrom: {secretKeyRef: {name: syncplicity-client, key: password}}}]}"
	return r
}

// dueTimes are the refresh times that the statuses of a credential named, one for
// each token.
func (r *run) dueTimes() []time.Time {
	var due []time.Time
	var last time.Time
	for _, status := range observed.statuses(r.namespace, r.name) {
		if status.IssuedAt != nil && !status.IssuedAt.Time.Equal(last) {
			last = status.IssuedAt.Time
			due = append(due, status.RefreshAt.Time)
		}
	}
	return due
}

// Refreshes follow the policy that the spec sets.
var _ = DescribeTable("the refresh time", func(ctx SpecContext, refresh string, earliest, latest time.Duration) {
	t := newTenant(ctx, oauth(100*time.Second))
	t.declare(ctx, "acme", refresh)
	t.ready(ctx, "acme")
	status := t.credential(ctx, "acme").Status
	Expect(status.RefreshAt.Sub(status.IssuedAt.Time)).To(And(BeNumerically(">=", earliest), BeNumerically("<=", latest)))
},
	Entry("is two thirds of the life by default", "refresh: {}", 61*time.Second, 67*time.Second),
	Entry("is the share that the spec names", "refresh: {afterPercent: 20}", 14*time.Second, 20*time.Second),
	Entry("is ahead of the expiry by the distance that the spec names", "refresh: {before: 50s}", 44*time.Second, 50*time.Second),
	Entry("is the earlier of both", "refresh: {afterPercent: 90, before: 30s}", 64*time.Second, 70*time.Second),
	Entry("takes no account of a distance longer than the life", "refresh: {before: 1h}", 61*time.Second, 67*time.Second),
)
