package integration_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("taking over a Secret that exists", func() {
	// adopt declares a credential that takes the Secret precious over.
	adopt := func(ctx context.Context, t *tenant, policy string) {
		GinkgoHelper()
		t.apply(ctx, precious)
		t.declare(ctx, "acme", "secret: {name: precious, adoptExisting: true, deletionPolicy: "+policy+"}")
		t.ready(ctx, "acme")
	}
	// what the Secret precious holds of its own; its token_type is ours by now.
	kept := And(
		HaveField("Labels", HaveKeyWithValue("app", "db")),
		HaveField("Annotations", HaveKeyWithValue("example.com/note", "by hand")),
		HaveField("Data", HaveKeyWithValue("username", "root")),
	)

	It("keeps what it held", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		adopt(ctx, t, "Delete")
		secret := t.shapeOf("precious")(ctx)
		Expect(secret).To(kept)
		Expect(secret.Data).To(And(HaveLen(5), HaveKeyWithValue("token_type", "Bearer")))
		Expect(secret.Labels).To(HaveKeyWithValue("tokensync.dev/credential", "acme"))
		Expect(secret.Owners).To(BeEmpty(), "an owner reference would have it deleted with the credential")
		t.asked(ctx, "acme", 1)

		By("refreshing it like one of its own")
		old := t.tokenIn("precious")(ctx)
		t.edit(ctx, "OAuthCredential", "acme", "spec: {scopes: [write]}")
		t.replaced(ctx, "precious", old, atOnce)
		Expect(t.shapeOf("precious")(ctx)).To(kept)
	})

	It("happens at once when a conflict is solved that way", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.apply(ctx, precious)
		t.declare(ctx, "acme", "secret: {name: precious}")
		Eventually(ctx, t.state("acme")).Should(Equal(conflicted))
		t.edit(ctx, "OAuthCredential", "acme", "spec: {secret: {adoptExisting: true}}")
		Eventually(ctx, t.tokenIn("precious")).WithTimeout(atOnce).ShouldNot(BeEmpty())
		t.ready(ctx, "acme")
		Expect(t.shapeOf("precious")(ctx)).To(kept)
	})

	It("is undone when the credential goes", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		adopt(ctx, t, "Delete")
		t.remove(ctx, "OAuthCredential", "acme")
		Eventually(ctx, t.shapeOf("precious")).WithTimeout(repairTime).Should(HaveField("Data", Equal(map[string]string{"username": "root"})))
		secret := t.shapeOf("precious")(ctx)
		Expect(secret.Labels).To(Equal(map[string]string{"app": "db"}))
		Expect(secret.Annotations).To(Equal(map[string]string{"example.com/note": "by hand"}))
	})

	It("is undone when the credential moves to another Secret", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		adopt(ctx, t, "Delete")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {secret: {name: other}}")
		Eventually(ctx, t.shapeOf("precious")).WithTimeout(atOnce).Should(HaveField("Data", Equal(map[string]string{"username": "root"})))
		t.ready(ctx, "acme")
	})

	It("stays with the policy Retain", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		adopt(ctx, t, "Retain")
		before := t.shapeOf("precious")(ctx)
		t.remove(ctx, "OAuthCredential", "acme")
		Consistently(ctx, t.shapeOf("precious")).Should(Equal(before))
	})

	It("is not forgotten when somebody removes the mark", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		adopt(ctx, t, "Delete")
		t.edit(ctx, "Secret", "precious", "metadata: {annotations: {tokensync.dev/adopted: null}}")
		Eventually(ctx, t.shapeOf("precious")).WithTimeout(repairTime).Should(HaveField("Annotations", HaveKeyWithValue("tokensync.dev/adopted", "Delete")))
		Expect(t.shapeOf("precious")(ctx).Owners).To(BeEmpty(), "an adopted Secret is never deleted with its credential")
	})

	It("is refused where that would do harm", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.apply(ctx, `apiVersion: v1
kind: Secret
metadata: {name: typed}
type: kubernetes.io/basic-auth
data: {username: cm9vdA==}
---
apiVersion: v1
kind: Secret
metadata:
  name: controlled
  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: boss, uid: 00000000-0000-4000-8000-000000000001, controller: true}]
data: {username: cm9vdA==}
---
apiVersion: v1
kind: Secret
metadata: {name: powerful}
type: helm.sh/release.v1
data: {release: cm9vdA==}
`)
		t.declare(ctx, "other")
		t.ready(ctx, "other")
		refusals := map[string]string{
			"typed":        `the Secret "typed" is of type "kubernetes.io/basic-auth" and the credential wants "Opaque": set spec.secret.type to the type it has, or spec.secret.name to another name`,
			"controlled":   `the Secret "controlled" is kept by another controller and cannot be taken over: set spec.secret.name to another name`,
			"powerful":     `the Secret "powerful" is of a type with powers of its own in Kubernetes and cannot be taken over: set spec.secret.name to another name`,
			"other-client": `the Secret "other-client" is a source of the OAuthCredential "other" and cannot be taken over: set spec.secret.name to another name`,
			"other":        `the Secret "other" belongs to the OAuthCredential "other": set spec.secret.name to another name`,
		}
		versions := map[string]string{}
		for secret := range refusals {
			versions[secret] = t.version(secret)(ctx)
			t.declare(ctx, "wants-"+secret, "secret: {name: "+secret+", adoptExisting: true}")
		}
		for secret, message := range refusals {
			Eventually(ctx, t.state("wants-"+secret)).Should(Equal(conflicted), secret)
			Expect(t.message(ctx, "wants-"+secret)).To(Equal(message))
		}
		Consistently(ctx, func() int64 { return t.provider.Counts().Requests }).Should(BeEquivalentTo(1), "that of the other credential")
		for secret, version := range versions {
			Expect(t.version(secret)(ctx)).To(Equal(version), secret)
		}

		By("mending what the messages name")
		t.edit(ctx, "OAuthCredential", "wants-typed", "spec: {secret: {type: kubernetes.io/basic-auth}}")
		Eventually(ctx, t.state("wants-typed")).WithTimeout(atOnce).Should(Equal(good))
		t.edit(ctx, "Secret", "controlled", "metadata: {ownerReferences: null}")
		Eventually(ctx, t.state("wants-controlled")).WithTimeout(atOnce).Should(Equal(good))
		t.edit(ctx, "OAuthCredential", "other", "spec: {client: {secretRef: {name: wants-typed-client}}}")
		t.provider.SetClient("other", "wants-typed-password")
		Eventually(ctx, t.state("wants-other-client")).WithTimeout(atOnce).Should(Equal(good))
	})
})
