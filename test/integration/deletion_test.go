package integration_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// No garbage collector runs beside this API server. What it does in a cluster
// follows from the owner reference, so that is what is looked at.
var _ = Describe("deleting a credential", func() {
	It("lets the Secret go with it, by its owner reference", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme")
		t.ready(ctx, "acme")
		uid := t.credential(ctx, "acme").UID
		Expect(t.shapeOf("acme")(ctx).Owners).To(ConsistOf(And(HaveField("UID", uid), HaveField("Controller", HaveValue(BeTrue())))))
		version := t.version("acme")(ctx)
		t.remove(ctx, "OAuthCredential", "acme")
		Consistently(ctx, t.version("acme")).Should(Equal(version), "left to the garbage collector")
		t.remove(ctx, "Secret", "acme")
		Consistently(ctx, t.version("acme")).Should(Equal("gone"))
		t.asked(ctx, "acme", 1)
	})

	It("leaves the Secret where it is to be retained", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme", "secret: {deletionPolicy: Retain}")
		token := t.ready(ctx, "acme")
		before := t.shapeOf("acme")(ctx)
		Expect(before.Owners).To(BeEmpty())
		t.remove(ctx, "OAuthCredential", "acme")
		Consistently(ctx, t.shapeOf("acme")).Should(Equal(before))

		By("using its token when the credential comes back")
		t.declare(ctx, "acme", "secret: {deletionPolicy: Retain}")
		Expect(t.ready(ctx, "acme")).To(Equal(token))
		Expect(t.shapeOf("acme")(ctx)).To(Equal(before))
		t.asked(ctx, "acme", 1)
		status := t.credential(ctx, "acme").Status
		Expect(status.IssuedAt.UTC().Format(time.RFC3339)).To(Equal(before.Annotations["tokensync.dev/issued-at"]))

		By("noticing from then on that the client's secret was rotated")
		t.provider.SetClient("acme", "rotated")
		t.edit(ctx, "Secret", "acme-client", "stringData: {password: rotated}")
		t.replaced(ctx, "acme", token, atOnce)
		t.asked(ctx, "acme", 2)
	})

	It("does not make a namesake content with a token for something else", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.namesakes = true
		t.declare(ctx, "acme", "secret: {deletionPolicy: Retain}")
		token := t.ready(ctx, "acme")
		t.remove(ctx, "OAuthCredential", "acme")
		t.declare(ctx, "acme", "audiences: [elsewhere]", "secret: {deletionPolicy: Retain}")
		t.replaced(ctx, "acme", token, atOnce)
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 2)
	})

	It("has a namesake own the Secret that it left behind", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme")
		token := t.ready(ctx, "acme")
		t.remove(ctx, "OAuthCredential", "acme")
		t.declare(ctx, "acme")
		Expect(t.ready(ctx, "acme")).To(Equal(token))
		Expect(t.shapeOf("acme")(ctx).Owners).To(ConsistOf(HaveField("UID", t.credential(ctx, "acme").UID)))
		t.asked(ctx, "acme", 1)
	})

	It("writes nothing although a token is on its way", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.slow(1200 * time.Millisecond)
		t.declare(ctx, "acme")
		Eventually(ctx, t.requests("acme")).Should(BeEquivalentTo(1))
		t.remove(ctx, "OAuthCredential", "acme")
		Consistently(ctx, t.shapeOf("acme")).WithTimeout(2 * time.Second).Should(BeNil())
		t.asked(ctx, "acme", 1)
	})
})
