package integration_test

import (
	"fmt"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("a provider that ends the old token with each new one", func() {
	It("is asked by the oldest of the credentials that want the same token", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.namesakes = true
		t.share(ctx, "tokenReissue: Replaces")
		t.apply(ctx, t.client("acme")+"---\n"+byShared("older", t, keyOf("acme"), "scopes: [a, b]"))
		token := t.ready(ctx, "older")
		created := t.credential(ctx, "older").CreationTimestamp
		Eventually(ctx, time.Now).Should(BeTemporally(">", created.Add(time.Second)))
		var younger []string
		for i := range 5 {
			// By its name it would come first.
			name := fmt.Sprintf("a-younger-%d", i)
			t.apply(ctx, byShared(name, t, keyOf("acme"), "scopes: [b, a]"))
			younger = append(younger, name)
		}
		t.apply(ctx, byShared("else", t, keyOf("acme"), "scopes: [c]"))
		t.ready(ctx, "else")
		for _, name := range younger {
			Eventually(ctx, t.state(name)).Should(Equal(stalled("TokenConflict")))
			Expect(t.message(ctx, name)).To(ContainSubstring(`the older OAuthCredential "older" gets the same token`))
		}
		t.asked(ctx, "acme", 2)

		By("not asking for more after a restart")
		restartOperator(ctx)
		t.asked(ctx, "acme", 2)

		By("leaving it to the next when the oldest is gone")
		t.remove(ctx, "OAuthCredential", "older")
		t.remove(ctx, "Secret", "older")
		t.asked(ctx, "acme", 3)
		var winners []string
		for _, name := range younger {
			if t.state(name)(ctx) == good {
				winners = append(winners, t.ready(ctx, name))
			}
		}
		Expect(winners).To(And(HaveLen(1), Not(ContainElement(token))))
	})

	It("is asked by one namespace for the client that it holds itself, and by each for a client of its own", func(ctx SpecContext) {
		t := newTenant(ctx, keyed(time.Minute))
		t.namesakes = true
		other := t.neighbor(ctx)
		t.fill(ctx, "platform-password")
		t.platform(ctx, "tokenReissue: Replaces", "allowed: {scopes: [read]}", "allowedNamespaces: {}")
		t.apply(ctx, byShared("older", t, "scopes: [read]"))
		token := t.ready(ctx, "older")
		created := t.credential(ctx, "older").CreationTimestamp
		Eventually(ctx, time.Now).Should(BeTemporally(">", created.Add(time.Second)))
		other.apply(ctx, byShared("a-younger", t, "scopes: [read]"))
		Eventually(ctx, other.state("a-younger")).Should(Equal(stalled("TokenConflict")))
		Expect(other.message(ctx, "a-younger")).To(And(HavePrefix("an older OAuthCredential of another namespace gets the same token"),
			Not(ContainSubstring("\"older\"")), Not(ContainSubstring(t.namespace+"/"))))

		By("leaving it to the other namespace when the oldest is gone")
		t.remove(ctx, "OAuthCredential", "older")
		Expect(other.ready(ctx, "a-younger")).NotTo(Equal(token))
		t.asked(ctx, "platform", 2)
	})

	It("takes no namespace's word for whose client it names", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.namesakes = true
		t.share(ctx, "tokenReissue: Replaces")
		for _, one := range []*tenant{t.neighbor(ctx), t} {
			one.apply(ctx, one.client("acme")+"---\n"+byShared("acme", t, keyOf("acme")))
			one.ready(ctx, "acme")
		}
		t.asked(ctx, "acme", 2)
	})

	It("is asked for nothing but what is due or differs", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.endpoint = "tokenReissue: Replaces, "
		t.declare(ctx, "acme")
		token := t.ready(ctx, "acme")
		t.provider.SetClient("acme", "rotated")
		t.edit(ctx, "Secret", "acme-client", "stringData: {password: rotated}")
		t.asked(ctx, "acme", 1)
		Expect(t.ready(ctx, "acme")).To(Equal(token))
		status := t.credential(ctx, "acme").Status
		Expect(status.RefreshAt.Sub(status.IssuedAt.Time)).To(BeNumerically(">=", 40*time.Second))

		By("asking by the new secret for what differs")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {scopes: [write]}")
		t.replaced(ctx, "acme", token, atOnce)
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 2)
	})
})

var _ = It("asks a provider that repeats itself only at the end of a token", func(ctx SpecContext) {
	t := newTenant(ctx, standin.NewOAuth(standin.Options{Lifetime: 7 * time.Second, AnyClient: password, Same: true}))
	t.endpoint = "tokenReissue: Same, "
	t.declare(ctx, "acme")
	old := t.ready(ctx, "acme")
	status := t.credential(ctx, "acme").Status
	Expect(status.RefreshAt.Sub(status.IssuedAt.Time)).To(BeNumerically(">=", 5*time.Second), "at two thirds of its life it would be the same")
	t.replaced(ctx, "acme", old, patience)
	Expect(t.requests("acme")()).To(BeNumerically("<=", 3), "the first, one that brings it again, and the next")
})
