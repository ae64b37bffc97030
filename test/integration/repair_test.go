package integration_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("a target Secret that somebody damages", func() {
	const declared = "secret: {labels: {team: news}, annotations: {example.com/page: duty}}"

	// All at the same time, each on a credential of its own.
	It("is repaired from the token that is still in it", func(ctx SpecContext) {
		damages := map[string]string{
			"type-edited":       "stringData: {token_type: mac}",
			"type-removed":      "data: {token_type: null}",
			"expiry-edited":     "stringData: {expires_at: '2099-01-01T00:00:00Z'}",
			"expiry-removed":    "data: {expires_at: null}",
			"scope-edited":      "stringData: {scope: admin}",
			"scope-removed":     "data: {scope: null}",
			"managed-by":        "metadata: {labels: {app.kubernetes.io/managed-by: null}}",
			"managed-by-helm":   "metadata: {labels: {app.kubernetes.io/managed-by: Helm}}",
			"credential-label":  "metadata: {labels: {tokensync.dev/credential: null}}",
			"label-removed":     "metadata: {labels: {team: null}}",
			"label-edited":      "metadata: {labels: {team: sports}}",
			"labels-removed":    "metadata: {labels: null}",
			"expires-at":        "metadata: {annotations: {tokensync.dev/expires-at: null}}",
			"issued-at":         "metadata: {annotations: {tokensync.dev/issued-at: null}}",
			"expires-at-edited": "metadata: {annotations: {tokensync.dev/expires-at: '2099-01-01T00:00:00Z'}}",
			"annotation":        "metadata: {annotations: {example.com/page: null}}",
			"owner":             "metadata: {ownerReferences: null}",
			"all-but-the-hash":  "{metadata: {labels: null, annotations: {tokensync.dev/expires-at: null, example.com/page: null}}, data: {expires_at: null}}",
		}
		t := newTenant(ctx, oauth(time.Minute))
		t.repaired(ctx, damages, declared)
		Consistently(ctx, func() int64 { return t.provider.Counts().Requests }).Should(BeEquivalentTo(len(damages)))
	})

	// What cannot be held against the hash any more may be anything.
	It("gets a new token where the one in it cannot be trusted", func(ctx SpecContext) {
		damages := map[string]string{
			"token-edited":  "stringData: {access_token: made-up}",
			"token-removed": "data: {access_token: null}",
			"token-emptied": "data: {access_token: ''}",
			"data-removed":  "data: null",
			"inputs-hash":   "metadata: {annotations: {tokensync.dev/inputs-hash: null}}",
			"data-hash":     "metadata: {annotations: {tokensync.dev/data-hash: null}}",
			"annotations":   "metadata: {annotations: null}",
		}
		t := newTenant(ctx, oauth(time.Minute))
		for name := range damages {
			t.declare(ctx, name, declared)
		}
		tokens := map[string]string{}
		for name := range damages {
			tokens[name] = t.ready(ctx, name)
		}
		for name, damage := range damages {
			t.edit(ctx, "Secret", name, damage)
		}
		for name := range damages {
			t.replaced(ctx, name, tokens[name], repairTime)
			t.ready(ctx, name)
		}
		Consistently(ctx, func() int64 { return t.provider.Counts().Requests }).Should(BeEquivalentTo(2 * len(damages)))
	})

	It("comes back with a new token after it was deleted", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme", declared)
		old := t.ready(ctx, "acme")
		t.remove(ctx, "Secret", "acme")
		gone := time.Now()
		t.replaced(ctx, "acme", old, repairTime)
		AddReportEntry("repaired after", time.Since(gone).Round(time.Millisecond), ReportEntryVisibilityFailureOrVerbose)
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 2)
	})

	It("is no way to flood the provider", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme")
		t.ready(ctx, "acme")
		for range 2 {
			t.remove(ctx, "Secret", "acme")
			Eventually(ctx, t.tokenIn("acme")).WithTimeout(atOnce).ShouldNot(BeEmpty())
		}
		t.remove(ctx, "Secret", "acme")
		Consistently(ctx, t.requests("acme")).WithTimeout(3 * time.Second).Should(BeEquivalentTo(3))
		Expect(t.state("acme")(ctx)).To(Equal("Ready=False Reconciling=True Stalled=False RequestingToken"))
	})

	// Neither its labels nor an owner reference tell any more whose it is, but the
	// credential remembers which Secret it wrote.
	It("is repaired where nothing but its contents tell whose it is", func(ctx SpecContext) {
		damages := map[string]string{
			"kept-labels": "metadata: {labels: null}",
			"kept-owner":  "metadata: {labels: {tokensync.dev/credential: null}}",
			"kept-by":     "metadata: {labels: {app.kubernetes.io/managed-by: null}}",
		}
		t := newTenant(ctx, oauth(time.Minute))
		t.repaired(ctx, damages, "secret: {deletionPolicy: Retain}")
	})
})

// repaired damages the Secrets of credentials with a line in their specs, one each, and
// waits until they are as they were.
func (t *tenant) repaired(ctx context.Context, damages map[string]string, line string) {
	GinkgoHelper()
	for name := range damages {
		t.declare(ctx, name, line)
	}
	before := map[string]*shape{}
	for name := range damages {
		t.ready(ctx, name)
		before[name] = t.shapeOf(name)(ctx)
	}
	for name, damage := range damages {
		t.edit(ctx, "Secret", name, damage)
	}
	for name := range damages {
		Eventually(ctx, t.shapeOf(name)).WithTimeout(repairTime).Should(Equal(before[name]), name)
		t.ready(ctx, name)
	}
}
