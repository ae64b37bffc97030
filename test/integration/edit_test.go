package integration_test

import (
	"maps"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("an edit takes effect at once", func() {
	It("of the scopes", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme")
		old := t.ready(ctx, "acme")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {scopes: [read, write]}")
		t.replaced(ctx, "acme", old, atOnce)
		Expect(t.shapeOf("acme")(ctx).Data).To(HaveKeyWithValue("scope", "read write"))
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 2)

		By("and back")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {scopes: null}")
		Eventually(ctx, t.shapeOf("acme")).WithTimeout(atOnce).Should(HaveField("Data", Not(HaveKey("scope"))))
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 3)
	})

	It("of the client's secret", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme")
		old := t.ready(ctx, "acme")
		t.provider.SetClient("acme", "rotated")
		t.edit(ctx, "Secret", "acme-client", "stringData: {password: rotated}")
		t.replaced(ctx, "acme", old, atOnce)
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 2)
		Expect(t.provider.CountsOf("acme").Outcomes).To(Equal(map[standin.Outcome]int64{standin.Issued: 2}))
	})

	It("of the provider", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme")
		old := t.ready(ctx, "acme")
		other := newTenant(ctx, oauth(time.Minute))
		t.edit(ctx, "OAuthCredential", "acme", "spec: {provider: {tokenURL: '"+other.url+"'}}")
		Eventually(ctx, other.requests("acme")).WithTimeout(atOnce).Should(BeEquivalentTo(1))
		Eventually(ctx, func(ctx SpecContext) bool {
			_, _, ok := other.provider.Check(t.shapeOf("acme")(ctx).Data["access_token"])
			return ok
		}).WithTimeout(atOnce).Should(BeTrue())
		Expect(t.shapeOf("acme")(ctx).Data).NotTo(HaveKeyWithValue("access_token", old))
		Eventually(ctx, t.state("acme")).Should(Equal(good))
		t.asked(ctx, "acme", 1)
	})

	It("of the Secret's name", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme", "secret: {name: before}")
		t.ready(ctx, "acme")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {secret: {name: after}}")
		Eventually(ctx, t.tokenIn("after")).WithTimeout(atOnce).ShouldNot(BeEmpty())
		Eventually(ctx, t.shapeOf("before")).WithTimeout(atOnce).Should(BeNil())
		t.ready(ctx, "acme")
		Expect(t.credential(ctx, "acme").Status.SecretName).To(Equal("after"))
		Consistently(ctx, t.shapeOf("before")).Should(BeNil())
		Expect(t.requests("acme")()).To(BeNumerically("<=", 2))
	})

	It("of the Secret's type, which Kubernetes does not let change", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme", "secret: {name: acme, labels: {team: news}}")
		token := t.ready(ctx, "acme")
		t.edit(ctx, "Secret", "acme", "{metadata: {labels: {mine: 'yes'}, annotations: {example.com/note: keep me}}, data: {ca.crt: aGVsbG8=}}")
		before := t.shapeOf("acme")(ctx)
		t.edit(ctx, "OAuthCredential", "acme", "spec: {secret: {type: example.com/token}}")
		Eventually(ctx, t.shapeOf("acme")).WithTimeout(atOnce).Should(And(Not(BeNil()), HaveField("Type", BeEquivalentTo("example.com/token")), HaveField("Data", HaveKey("access_token"))))
		after := t.shapeOf("acme")(ctx)
		Expect(after.UID).NotTo(Equal(before.UID))
		Expect(after.Data).To(Equal(before.Data))
		Expect(after.Labels).To(Equal(before.Labels))
		Expect(after.Annotations).To(Equal(before.Annotations))
		Expect(after.Owners).To(Equal(before.Owners))
		Expect(t.ready(ctx, "acme")).To(Equal(token))
		t.asked(ctx, "acme", 1)

		By("a second time")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {secret: {type: null}}")
		Eventually(ctx, t.shapeOf("acme")).WithTimeout(atOnce).Should(And(Not(BeNil()), HaveField("Type", BeEquivalentTo("Opaque")), HaveField("Data", Equal(before.Data))))
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 1)
	})

	It("of the Secret's type to one that it cannot have, and loses nothing", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme")
		t.ready(ctx, "acme")
		t.edit(ctx, "Secret", "acme", "{metadata: {labels: {mine: 'yes'}}, data: {ca.crt: aGVsbG8=}}")
		before := t.shapeOf("acme")(ctx)
		t.edit(ctx, "OAuthCredential", "acme", "spec: {secret: {name: acme, type: kubernetes.io/tls}}")
		Eventually(ctx, t.events("acme")).Should(ConsistOf("TokenIssued", "SecretRejected"))
		Expect(t.ready(ctx, "acme")).To(Equal(before.Data["access_token"]), "the token is as good as it was")
		Consistently(ctx, t.shapeOf("acme")).Should(Equal(before), "what the user and the consumers rely on")

		By("and heals when the type is taken back")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {secret: {type: null}}")
		t.ready(ctx, "acme")
		Expect(t.shapeOf("acme")(ctx)).To(Equal(before))
		t.asked(ctx, "acme", 1)
	})
})

// Nothing of this concerns the provider. All at the same time, each on a
// credential of its own.
var _ = Describe("an edit that does not shape the token", func() {
	edits := map[string]string{
		"timeout":      "spec: {provider: {timeout: 7s}}",
		"percent":      "spec: {refresh: {afterPercent: 30}}",
		"before":       "spec: {refresh: {before: 45s}}",
		"relabel":      "spec: {secret: {labels: {team: sports}}}",
		"label-less":   "spec: {secret: {labels: {team: null}}}",
		"annotate":     "spec: {secret: {annotations: {example.com/page: nobody}}}",
		"comment-less": "spec: {secret: {annotations: null}}",
		"retain":       "spec: {secret: {deletionPolicy: Retain}}",
		"adopt":        "spec: {secret: {adoptExisting: true}}",
		"metadata":     "metadata: {labels: {a: b}, annotations: {c: d}}",
	}

	It("asks for no token", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		for name := range edits {
			t.declare(ctx, name, "secret: {labels: {team: news, desk: a}, annotations: {example.com/page: duty}}")
		}
		before := map[string]*shape{}
		for name := range edits {
			t.ready(ctx, name)
			before[name] = t.shapeOf(name)(ctx)
		}
		refreshAt := func(name string) time.Time { return t.credential(ctx, name).Status.RefreshAt.Time }
		due := map[string]time.Time{"percent": refreshAt("percent"), "before": refreshAt("before"), "timeout": refreshAt("timeout")}
		for name, text := range edits {
			t.edit(ctx, "OAuthCredential", name, text)
		}
		labels := func(name string, want map[string]string) {
			GinkgoHelper()
			all := maps.Clone(before[name].Labels)
			maps.DeleteFunc(all, func(key, _ string) bool { return key == "team" })
			maps.Copy(all, want)
			Eventually(ctx, t.shapeOf(name)).WithTimeout(repairTime).Should(HaveField("Labels", Equal(all)), name)
		}
		labels("relabel", map[string]string{"team": "sports"})
		labels("label-less", nil)
		Eventually(ctx, t.shapeOf("annotate")).WithTimeout(repairTime).Should(HaveField("Annotations", HaveKeyWithValue("example.com/page", "nobody")))
		Eventually(ctx, t.shapeOf("comment-less")).WithTimeout(repairTime).Should(HaveField("Annotations", Not(HaveKey("example.com/page"))))
		Eventually(ctx, t.shapeOf("retain")).WithTimeout(repairTime).Should(HaveField("Owners", BeEmpty()))
		for name := range edits {
			t.ready(ctx, name)
		}
		Expect(refreshAt("percent")).To(BeTemporally("<", due["percent"].Add(-20*time.Second)))
		Expect(refreshAt("before")).To(BeTemporally("<", due["before"].Add(-20*time.Second)))
		Expect(refreshAt("timeout")).To(BeTemporally("==", due["timeout"]))
		for name := range edits {
			after := t.shapeOf(name)(ctx)
			Expect(after.Data).To(Equal(before[name].Data), name)
			Expect(after.UID).To(Equal(before[name].UID), name)
		}
		Consistently(ctx, func() int64 { return t.provider.Counts().Requests }).Should(BeEquivalentTo(len(edits)))
	})

	It("such as one that makes the refresh due asks for one", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(20*time.Second))
		t.declare(ctx, "acme", "refresh: {afterPercent: 99}")
		old := t.ready(ctx, "acme")
		Eventually(ctx, func() time.Time { return time.Now() }).Should(BeTemporally(">", t.credential(ctx, "acme").Status.IssuedAt.Add(2*time.Second)))
		t.edit(ctx, "OAuthCredential", "acme", "spec: {refresh: {afterPercent: 10}}")
		t.replaced(ctx, "acme", old, atOnce)
	})
})
