package integration_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("suspending a credential", func() {
	const (
		suspended = "Ready=True Reconciling=False Stalled=False Suspended"
		lapsed    = "Ready=False Reconciling=False Stalled=False Suspended"
	)

	It("keeps it from asking for its first token", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme", "suspend: true")
		Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal(lapsed))
		t.asked(ctx, "acme", 0)
		Expect(t.secret(ctx, "acme")).To(BeNil())

		t.edit(ctx, "OAuthCredential", "acme", "spec: {suspend: false}")
		Eventually(ctx, t.tokenIn("acme")).WithTimeout(atOnce).ShouldNot(BeEmpty())
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 1)
		Expect(t.events("acme")(ctx)).To(ConsistOf("Suspended", "TokenIssued"))
	})

	It("lets the token run out, and resumes at once", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(4*time.Second))
		t.declare(ctx, "acme", "refresh: {afterPercent: 99}")
		t.ready(ctx, "acme")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {suspend: true}")
		Eventually(ctx, t.state("acme")).Should(Equal(suspended))
		Expect(t.credential(ctx, "acme").Status.RefreshAt).To(BeNil())
		asked := t.requests("acme")()
		t.edit(ctx, "OAuthCredential", "acme", "{metadata: {annotations: {tokensync.dev/refresh-requested-at: now}}, spec: {scopes: [read, write]}}")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {scopes: [read]}")
		expiresAt := t.credential(ctx, "acme").Status.ExpiresAt.Time
		Eventually(ctx, t.state("acme")).Should(Equal(lapsed))
		Expect(time.Now()).To(BeTemporally("~", expiresAt, time.Second), "it is said when the token has run out")
		Consistently(ctx, t.requests("acme")).Should(Equal(asked))

		t.edit(ctx, "OAuthCredential", "acme", "spec: {suspend: null}")
		Eventually(ctx, t.tokenIn("acme")).WithTimeout(atOnce).ShouldNot(BeEmpty())
		t.ready(ctx, "acme")
	})

	It("does not keep the Secret from being repaired", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme", "suspend: false")
		t.ready(ctx, "acme")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {suspend: true}")
		Eventually(ctx, t.state("acme")).Should(Equal(suspended))
		before := t.shapeOf("acme")(ctx)
		t.edit(ctx, "Secret", "acme", "data: {expires_at: null}")
		Eventually(ctx, t.shapeOf("acme")).WithTimeout(repairTime).Should(Equal(before))
		t.remove(ctx, "Secret", "acme")
		Eventually(ctx, t.state("acme")).Should(Equal(lapsed))
		t.asked(ctx, "acme", 1)
	})
})

var _ = Describe("asking for a refresh by annotation", func() {
	const request = "metadata: {annotations: {tokensync.dev/refresh-requested-at: %s}}"

	It("gets one for each new value, on the credential and on its Secret", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme")
		first := t.ready(ctx, "acme")
		t.edit(ctx, "OAuthCredential", "acme", fmt.Sprintf(request, "one"))
		second := t.replaced(ctx, "acme", first, atOnce)
		t.ready(ctx, "acme")
		Expect(t.credential(ctx, "acme").Status.LastRefreshRequest).To(Equal("one"))
		t.asked(ctx, "acme", 2)

		t.edit(ctx, "Secret", "acme", fmt.Sprintf(request, "two"))
		t.replaced(ctx, "acme", second, atOnce)
		t.ready(ctx, "acme")
		Expect(t.secret(ctx, "acme").Annotations).To(HaveKeyWithValue("tokensync.dev/refresh-requested-at", "two"))
		t.asked(ctx, "acme", 3)

		By("and none for a value that was handled, or none at all")
		t.edit(ctx, "OAuthCredential", "acme", "metadata: {labels: {a: b}}")
		t.edit(ctx, "Secret", "acme", fmt.Sprintf(request, "null"))
		t.edit(ctx, "OAuthCredential", "acme", fmt.Sprintf(request, "null"))
		t.asked(ctx, "acme", 3)
		Expect(t.events("acme")(ctx)).To(ConsistOf("TokenIssued"))
	})

	It("is known from the start", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.apply(ctx, t.client("acme"))
		t.apply(ctx, t.manifest("acme")+"---\n"+"apiVersion: tokensync.dev/v1alpha1\nkind: OAuthCredential\n"+
			"metadata: {name: other, annotations: {tokensync.dev/refresh-requested-at: before}}\n"+
			"spec: {provider: {tokenURL: '"+t.url+"'}, client: {id: acme, secretRef: {name: acme-client, key: password}}}\n")
		t.ready(ctx, "other")
		t.ready(ctx, "acme")
		t.namesakes = true
		Consistently(ctx, t.requests("acme")).Should(BeEquivalentTo(2), "one of each credential")
	})

	It("does not flood the provider", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme")
		first := t.ready(ctx, "acme")
		for i := range 20 {
			t.edit(ctx, "OAuthCredential", "acme", fmt.Sprintf(request, fmt.Sprintf("v%d", i)))
		}
		t.replaced(ctx, "acme", first, atOnce)
		Consistently(ctx, t.requests("acme")).WithTimeout(3*time.Second).Should(BeNumerically("<=", 3), "the first token and two more")

		By("handling the last value in the end")
		Eventually(ctx, func() string { return t.credential(ctx, "acme").Status.LastRefreshRequest }).
			WithTimeout(15 * time.Second).Should(Equal("v19"))
		Expect(t.requests("acme")()).To(BeNumerically("<=", 4))
	})
})
