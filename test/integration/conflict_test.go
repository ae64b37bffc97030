package integration_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// precious is a Secret that somebody else made.
const precious = `apiVersion: v1
kind: Secret
metadata: {name: precious, labels: {app: db}, annotations: {example.com/note: by hand}}
data: {username: cm9vdA==, token_type: bWluZQ==}
`

var _ = Describe("a Secret that is not the credential's", func() {
	It("is never touched, until it is gone", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.apply(ctx, precious)
		version := t.version("precious")(ctx)
		t.declare(ctx, "acme", "secret: {name: precious}")
		Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal(conflicted))
		Expect(t.message(ctx, "acme")).To(And(
			ContainSubstring(`the Secret "precious" exists and is not this credential's`),
			ContainSubstring("delete it, set spec.secret.name to another name, or set spec.secret.adoptExisting"),
		))
		By("whatever else is edited")
		t.edit(ctx, "OAuthCredential", "acme", "{metadata: {annotations: {tokensync.dev/refresh-requested-at: now}}, spec: {scopes: [write]}}")
		t.edit(ctx, "Secret", "acme-client", "stringData: {password: other}")
		t.edit(ctx, "Secret", "acme-client", "stringData: {password: acme-password}")
		Eventually(ctx, t.state("acme")).Should(Equal(conflicted))
		Consistently(ctx, t.version("precious")).Should(Equal(version))
		Expect(t.requests("acme")()).To(BeZero(), "a token that cannot be written is not asked for")
		Eventually(ctx, t.events("acme")).Should(ConsistOf("SecretConflict"))

		t.remove(ctx, "Secret", "precious")
		Eventually(ctx, t.tokenIn("precious")).WithTimeout(repairTime).ShouldNot(BeEmpty())
		t.ready(ctx, "acme")
		Eventually(ctx, t.events("acme")).Should(ConsistOf("SecretConflict", "TokenIssued"))
		t.asked(ctx, "acme", 1)
	})

	It("is left alone by a credential that moves away", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.apply(ctx, precious)
		version := t.version("precious")(ctx)
		t.declare(ctx, "acme")
		token := t.ready(ctx, "acme")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {secret: {name: precious}}")
		Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal(conflicted))
		Expect(t.tokenIn("acme")(ctx)).To(Equal(token), "its own Secret stays while there is no other")

		By("coming back without a request")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {secret: null}")
		Expect(t.ready(ctx, "acme")).To(Equal(token))
		t.asked(ctx, "acme", 1)

		By("going elsewhere")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {secret: {name: precious}}")
		Eventually(ctx, t.state("acme")).Should(Equal(conflicted))
		t.edit(ctx, "OAuthCredential", "acme", "spec: {secret: {name: free}}")
		Eventually(ctx, t.tokenIn("free")).WithTimeout(atOnce).ShouldNot(BeEmpty())
		Eventually(ctx, t.shapeOf("acme")).Should(BeNil())
		t.ready(ctx, "acme")
		Expect(t.version("precious")(ctx)).To(Equal(version))
	})

	It("is safe when it appears while the token is being fetched", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.slow(1200 * time.Millisecond)
		t.declare(ctx, "acme", "secret: {name: precious}")
		Eventually(ctx, t.requests("acme")).Should(BeEquivalentTo(1))
		t.apply(ctx, precious)
		version := t.version("precious")(ctx)
		Eventually(ctx, t.state("acme")).Should(Equal(conflicted))
		Consistently(ctx, t.version("precious")).Should(Equal(version))
	})

	It("may be the client's own, by mistake", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.apply(ctx, t.client("acme"))
		version := t.version("acme-client")(ctx)
		t.declare(ctx, "acme", "secret: {name: acme-client, adoptExisting: true}")
		Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal(conflicted))
		Expect(t.message(ctx, "acme")).To(Equal(`the Secret "acme-client" is a source of this credential itself, such as its client's Secret: ` +
			`set spec.secret.name to another name`))
		Consistently(ctx, t.version("acme-client")).Should(Equal(version))
		Expect(t.requests("acme")()).To(BeZero())

		t.edit(ctx, "OAuthCredential", "acme", "spec: {secret: {name: free}}")
		t.ready(ctx, "acme")
	})
})

var _ = Describe("two credentials that want one Secret", func() {
	// older declares two credentials for one Secret, the second when the first is
	// more than a second old, which is what their ages are measured in.
	older := func(ctx context.Context, t *tenant) {
		GinkgoHelper()
		t.declare(ctx, "older", "secret: {name: shared}")
		created := t.credential(ctx, "older").CreationTimestamp
		Eventually(ctx, time.Now).Should(BeTemporally(">", created.Add(time.Second)))
		// By its name it would come first.
		t.declare(ctx, "a-younger", "secret: {name: shared}")
	}

	It("leave it to the older, and then to the other", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		older(ctx, t)
		t.ready(ctx, "older")
		Eventually(ctx, t.state("a-younger")).WithTimeout(atOnce).Should(Equal(conflicted))
		Expect(t.message(ctx, "a-younger")).To(Equal(`the Secret "shared" belongs to the OAuthCredential "older": set spec.secret.name to another name`))
		version := t.version("shared")(ctx)
		Consistently(ctx, t.version("shared")).Should(Equal(version))
		Expect(t.requests("a-younger")()).To(BeZero())
		t.asked(ctx, "older", 1)

		By("deleting the older one, and its Secret as the garbage collector would")
		t.remove(ctx, "OAuthCredential", "older")
		Eventually(ctx, func() string { return t.message(ctx, "a-younger") }).WithTimeout(atOnce).
			Should(ContainSubstring(`the Secret "shared" exists and is not this credential's: delete it`))
		t.remove(ctx, "Secret", "shared")
		Eventually(ctx, t.tokenIn("shared")).WithTimeout(atOnce).ShouldNot(BeEmpty())
		t.ready(ctx, "a-younger")
		t.asked(ctx, "a-younger", 1)
		t.asked(ctx, "older", 1)
	})

	It("leave it to the older although that one cannot fill it yet", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.slow(2500 * time.Millisecond)
		older(ctx, t)
		Eventually(ctx, t.state("a-younger")).WithTimeout(atOnce).Should(Equal(conflicted))
		Expect(t.message(ctx, "a-younger")).To(Equal(`the Secret "shared" is claimed by the older OAuthCredential "older": set spec.secret.name to another name`))
		t.ready(ctx, "older")
		Expect(t.state("a-younger")(ctx)).To(Equal(conflicted))
	})

	It("hand it over although there never was a Secret", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.apply(ctx, t.manifest("older", "suspend: true", "secret: {name: shared}"))
		older := t.credential(ctx, "older").CreationTimestamp
		Eventually(ctx, time.Now).Should(BeTemporally(">", older.Add(time.Second)))
		t.declare(ctx, "deleted", "secret: {name: shared}")
		Eventually(ctx, t.state("deleted")).Should(Equal(conflicted))
		t.remove(ctx, "OAuthCredential", "older")
		Eventually(ctx, t.state("deleted")).WithTimeout(atOnce).Should(Equal(good))

		By("the one that has it moving away")
		t.declare(ctx, "moved", "secret: {name: shared}")
		Eventually(ctx, t.state("moved")).Should(Equal(conflicted))
		t.edit(ctx, "OAuthCredential", "deleted", "spec: {secret: {name: elsewhere}}")
		Eventually(ctx, t.state("moved")).WithTimeout(atOnce).Should(Equal(good))
		t.ready(ctx, "deleted")
		Expect(t.shapeOf("shared")(ctx).Labels).To(HaveKeyWithValue("tokensync.dev/credential", "moved"))
	})

	It("created in one breath end with one owner", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.apply(ctx, t.client("one")+"---\n"+t.client("two")+"---\n"+
			t.manifest("one", "secret: {name: shared}")+"---\n"+t.manifest("two", "secret: {name: shared}"))
		states := func(ctx SpecContext) []string { return []string{t.state("one")(ctx), t.state("two")(ctx)} }
		Eventually(ctx, states).Should(ConsistOf(good, conflicted))
		Consistently(ctx, states).Should(ConsistOf(good, conflicted))
		Expect(t.shapeOf("shared")(ctx).Owners).To(HaveLen(1))
	})
})
