package integration_test

import (
	"context"
	"net/http"
	"time"

	gomegatypes "github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const onDelete = "revocationPolicy: OnDelete"

// revoking serves a provider with a revocation endpoint.
func revoking(ctx context.Context) *tenant {
	GinkgoHelper()
	t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
	t.endpoint = "revocationURL: '" + t.base() + standin.RevocationPath + "', "
	return t
}

// exists tells whether there is a credential.
func (t *tenant) exists(name string) func(context.Context) bool {
	return func(ctx context.Context) bool {
		err := controlPlane.Client.Get(ctx, t.key(name), &v1alpha1.OAuthCredential{})
		if !apierrors.IsNotFound(err) {
			Expect(err).NotTo(HaveOccurred())
		}
		return err == nil
	}
}

// accepted tells whether the provider accepts an access token.
func (t *tenant) accepted(token string) func() bool {
	return func() bool {
		_, _, ok := t.provider.Check(token)
		return ok
	}
}

// told answers what the events of a reason say.
func (t *tenant) told(name, reason string) func(context.Context) []string {
	return func(ctx context.Context) []string {
		list := &eventsv1.EventList{}
		Expect(controlPlane.Client.List(ctx, list, client.InNamespace(t.namespace))).To(Succeed())
		var notes []string
		for _, event := range list.Items {
			if event.Regarding.Name == name && event.Reason == reason {
				notes = append(notes, event.Note)
			}
		}
		return notes
	}
}

var _ = Describe("deleting a credential whose tokens are to be revoked", func() {
	It("revokes an access token", func(ctx SpecContext) {
		t := revoking(ctx)
		t.declare(ctx, "acme", onDelete)
		token := t.ready(ctx, "acme")
		Expect(t.credential(ctx, "acme").Finalizers).To(ConsistOf(v1alpha1.FinalizerRevocation))
		t.remove(ctx, "OAuthCredential", "acme")
		Eventually(ctx, t.exists("acme")).Should(BeFalse())
		Expect(t.accepted(token)()).To(BeFalse())
		Expect(t.outcomes(standin.Revoked)()).To(BeEquivalentTo(1))
		Eventually(ctx, t.told("acme", "TokenRevoked")).Should(HaveLen(1))
		Expect(t.events("acme")(ctx)).NotTo(ContainElement("RevocationFailed"))
	})

	It("revokes a refresh token, and what came of it", func(ctx SpecContext) {
		t := revoking(ctx)
		first, token := t.begun(ctx, onDelete)
		t.remove(ctx, "OAuthCredential", "acme")
		Eventually(ctx, t.exists("acme")).Should(BeFalse())
		Expect(t.provider.FamilyOf(first).Revoked).To(BeTrue())
		Expect(t.accepted(token)()).To(BeFalse())
		Expect(t.outcomes(standin.Revoked)()).To(BeEquivalentTo(2), "the refresh token, and the access token")
		Eventually(ctx, func() *corev1.Secret { return t.secret(ctx, "acme-grant") }).Should(BeNil())
	})

	It("does so only where it was told to", func(ctx SpecContext) {
		t := revoking(ctx)
		t.declare(ctx, "never")
		t.declare(ctx, "anymore", onDelete)
		tokens := []string{t.ready(ctx, "never"), t.ready(ctx, "anymore")}
		Expect(t.credential(ctx, "never").Finalizers).To(BeEmpty())

		t.edit(ctx, "OAuthCredential", "anymore", "spec: {revocationPolicy: null}")
		Eventually(ctx, func() []string { return t.credential(ctx, "anymore").Finalizers }).Should(BeEmpty())
		Eventually(ctx, t.state("anymore")).Should(Equal(good))
		for _, name := range []string{"never", "anymore"} {
			t.remove(ctx, "OAuthCredential", name)
			Eventually(ctx, t.exists(name)).Should(BeFalse())
		}
		Consistently(ctx, t.outcomes(standin.Revoked)).Should(BeZero())
		for _, token := range tokens {
			Expect(t.accepted(token)()).To(BeTrue())
		}
		t.asked(ctx, "anymore", 1)
	})

	It("asks again where the provider cannot answer, and keeps nobody waiting meanwhile", func(ctx SpecContext) {
		t := revoking(ctx)
		t.provide(ctx, "idp", "limits: {maxConcurrentRequests: 1}", "revocationURL: '"+t.base()+standin.RevocationPath+"'")
		t.apply(ctx, t.client("acme")+"---\n"+byProvider("acme", "idp", keyOf("acme"), onDelete))
		token := t.ready(ctx, "acme")
		t.provider.Misbehave(standin.Behavior{Path: standin.RevocationPath, Fault: standin.Respond, Next: 3})
		t.remove(ctx, "OAuthCredential", "acme")
		Eventually(ctx, t.outcomes(standin.Respond.Outcome())).Should(BeEquivalentTo(2))
		t.apply(ctx, t.client("other")+"---\n"+byProvider("other", "idp", keyOf("other")))
		t.ready(ctx, "other")
		Expect(t.exists("acme")(ctx)).To(BeTrue(), "while it waits for the next try")

		Eventually(ctx, t.exists("acme")).WithTimeout(20 * time.Second).Should(BeFalse())
		Expect(t.accepted(token)()).To(BeFalse())
		Expect(t.outcomes(standin.Respond.Outcome())()).To(BeEquivalentTo(3))
		Expect(t.outcomes(standin.Revoked)()).To(BeEquivalentTo(1))
		Eventually(ctx, t.told("acme", "TokenRevoked")).Should(HaveLen(1))
		Expect(t.events("acme")(ctx)).NotTo(ContainElement("RevocationFailed"))
	})

	It("revokes a token once where it is the other one that takes several tries", func(ctx SpecContext) {
		t := revoking(ctx)
		first, _ := t.begun(ctx, onDelete)
		t.provider.Misbehave(standin.Behavior{Path: standin.RevocationPath, Fault: standin.Reset, Next: 1})
		t.remove(ctx, "OAuthCredential", "acme")
		Eventually(ctx, t.exists("acme")).Should(BeFalse())
		Expect(t.provider.FamilyOf(first).Revoked).To(BeTrue())
		Expect(t.outcomes(standin.Revoked)()).To(BeEquivalentTo(2), "the access token, and then the refresh token")
		Eventually(ctx, t.told("acme", "TokenRevoked")).Should(HaveLen(1))
	})

	It("asks no sooner than the provider wants", func(ctx SpecContext) {
		t := revoking(ctx)
		t.declare(ctx, "acme", onDelete)
		token := t.ready(ctx, "acme")
		t.provider.Misbehave(standin.Behavior{Path: standin.RevocationPath, Fault: standin.TooMany, RetryAfter: 4 * time.Second, Next: 1})
		t.remove(ctx, "OAuthCredential", "acme")
		Eventually(ctx, t.outcomes(standin.TooMany.Outcome())).Should(BeEquivalentTo(1))
		Consistently(ctx, t.exists("acme")).WithTimeout(3 * time.Second).Should(BeTrue())
		Eventually(ctx, t.exists("acme")).Should(BeFalse())
		Expect(t.accepted(token)()).To(BeFalse())
	})

	It("says why it could not be done, and lets the credential go", func(ctx SpecContext) {
		t := revoking(ctx)
		for _, name := range []string{"refused", "throttled", "down", "nowhere"} {
			t.declare(ctx, name, onDelete)
			t.ready(ctx, name)
		}
		t.edit(ctx, "OAuthCredential", "nowhere", "spec: {provider: {revocationURL: null}}")
		t.provider.Misbehave(
			standin.Behavior{
				Path: standin.RevocationPath, ClientID: "refused",
				Fault: standin.Respond, Status: http.StatusBadRequest, ContentType: "application/json", Body: `{"error":"unsupported_token_type"}`,
			},
			standin.Behavior{Path: standin.RevocationPath, ClientID: "throttled", Fault: standin.TooMany, RetryAfter: time.Minute},
			standin.Behavior{Path: standin.RevocationPath, ClientID: "down", Fault: standin.Respond},
		)
		for _, name := range []string{"refused", "throttled", "nowhere"} {
			t.remove(ctx, "OAuthCredential", name)
			Eventually(ctx, t.exists(name)).Should(BeFalse())
		}
		Expect(t.outcomes(standin.Respond.Outcome())()).To(BeEquivalentTo(1), "a refusal is the last word")
		Expect(t.outcomes(standin.TooMany.Outcome())()).To(BeEquivalentTo(1), "nobody can wait that long")
		t.remove(ctx, "OAuthCredential", "down")
		Eventually(ctx, t.exists("down")).WithTimeout(40 * time.Second).Should(BeFalse())
		Expect(t.outcomes(standin.Respond.Outcome())()).To(BeNumerically(">=", 1+5))

		unrevoked := func(words ...string) gomegatypes.GomegaMatcher {
			matchers := []gomegatypes.GomegaMatcher{ContainSubstring("stays good until it expires"), Not(ContainSubstring("tries again"))}
			for _, word := range words {
				matchers = append(matchers, ContainSubstring(word))
			}
			return ConsistOf(And(matchers...))
		}
		Eventually(ctx, t.told("refused", "RevocationFailed")).Should(unrevoked("unsupported_token_type"))
		Eventually(ctx, t.told("throttled", "RevocationFailed")).Should(unrevoked("limits the number of requests", "429"))
		Eventually(ctx, t.told("down", "RevocationFailed")).Should(unrevoked("cannot answer for now", "503"))
		Eventually(ctx, t.told("nowhere", "RevocationFailed")).Should(unrevoked("the provider has no revocation endpoint", "or its issuer"))
	})

	It("says that the provider is gone, and not how to mend the credential", func(ctx SpecContext) {
		t := revoking(ctx)
		t.provide(ctx, "login", "revocationURL: '"+t.base()+standin.RevocationPath+"'")
		t.apply(ctx, t.client("acme")+"---\n"+byProvider("acme", "login", keyOf("acme"), onDelete))
		t.ready(ctx, "acme")
		t.remove(ctx, "OAuthProvider", "login")
		t.says(ctx, "acme", "does not exist")
		t.remove(ctx, "OAuthCredential", "acme")
		Eventually(ctx, t.exists("acme")).Should(BeFalse())
		Eventually(ctx, t.told("acme", "RevocationFailed")).Should(ConsistOf(And(
			ContainSubstring(`the OAuthProvider "login" is gone, so nothing could be revoked`), Not(ContainSubstring("spec.providerRef")))))
	})

	It("waits no longer than is bearable for a provider that hangs", func(ctx SpecContext) {
		t := revoking(ctx)
		t.declare(ctx, "acme", onDelete)
		t.ready(ctx, "acme")
		t.provider.Misbehave(standin.Behavior{Path: standin.RevocationPath, Fault: standin.Hang})
		t.remove(ctx, "OAuthCredential", "acme")
		Eventually(ctx, t.exists("acme")).WithTimeout(40 * time.Second).Should(BeFalse())
		Eventually(ctx, t.told("acme", "RevocationFailed")).Should(ConsistOf(ContainSubstring("stays good until it expires")))
		Expect(t.outcomes(standin.Hang.Outcome())()).To(BeEquivalentTo(1))
	})

	It("does it after a restart", func(ctx SpecContext) {
		t := revoking(ctx)
		t.declare(ctx, "acme", onDelete)
		token := t.ready(ctx, "acme")
		Expect(process.Stop()).To(Succeed())
		t.remove(ctx, "OAuthCredential", "acme")
		startOperator(ctx)
		Eventually(ctx, t.exists("acme")).Should(BeFalse())
		Expect(t.accepted(token)()).To(BeFalse())
	})

	It("does not keep a credential that never had a token", func(ctx SpecContext) {
		t := revoking(ctx)
		t.provider.Misbehave(standin.Behavior{Fault: standin.Respond})
		t.declare(ctx, "acme", onDelete)
		Eventually(ctx, t.state("acme")).Should(Equal(waiting("ProviderUnreachable")))
		t.remove(ctx, "OAuthCredential", "acme")
		Eventually(ctx, t.exists("acme")).Should(BeFalse())
		Expect(t.outcomes(standin.Revoked)()).To(BeZero())
	})
})
