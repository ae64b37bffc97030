package integration_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// usableForNothing is an answer with a refresh token, and nothing else that is of use.
var usableForNothing = standin.Behavior{
	Next: 1, AfterRotation: true, Fault: standin.Respond, Status: http.StatusOK, ContentType: "application/json",
	Body: `{"refresh_token":"the-successor","expires_in":3600}`,
}

// chainOf answers the refresh token of a grant, empty where there is none.
func (t *tenant) chainOf(ctx SpecContext, name string) func() string {
	return func() string {
		if record := t.grantOf(ctx, name); record != nil && record.Chain != nil {
			return record.Chain.RefreshToken.Reveal()
		}
		return ""
	}
}

var _ = Describe("a grant in trouble", func() {
	It("takes up a login that came while the code of the one before was on its way", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.declareLogin(ctx, "acme")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		first, second := t.consented(ctx, "acme"), t.consented(ctx, "acme")
		t.provider.Misbehave(standin.Behavior{Next: 1, Delay: 3 * time.Second})
		t.leaveLogin(ctx, "acme", first)
		t.attempted(ctx, "acme")
		t.leaveLogin(ctx, "acme", second)
		Eventually(ctx, func() *grant.Login { return t.grantOf(ctx, "acme").Login }).Should(BeNil())
		t.ready(ctx, "acme")
		Expect(t.grantOf(ctx, "acme").Chain.ID).To(Equal(second.ID))
	})

	It("sends the code of a login by the schedule while its client is refused, and at once when that is corrected", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.declareLogin(ctx, "acme")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		login := t.consented(ctx, "acme")
		t.edit(ctx, "Secret", "acme-client", "stringData: {password: wrong}")
		t.leaveLogin(ctx, "acme", login)
		t.says(ctx, "acme", "invalid_client")
		Consistently(t.requests("acme")).WithTimeout(4 * time.Second).Should(BeEquivalentTo(1))
		t.edit(ctx, "Secret", "acme-client", "stringData: {password: acme-password}")
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 2)
	})

	It("keeps the refresh token of an answer to a code that is good for nothing else", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.declareLogin(ctx, "acme")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		t.provider.Misbehave(usableForNothing)
		t.leaveLogin(ctx, "acme", t.consented(ctx, "acme"))
		Eventually(t.chainOf(ctx, "acme")).Should(Equal("the-successor"))
	})

	It("keeps the refresh token of an answer to a device that is good for nothing else", func(ctx SpecContext) {
		t := newTenant(ctx, byDevice(time.Hour, time.Minute))
		t.declareDevice(ctx, "acme")
		code := t.shows(ctx, "acme", "")
		t.provider.Misbehave(usableForNothing)
		Expect(t.provider.ApproveDevice(code)).To(BeTrue())
		Eventually(t.chainOf(ctx, "acme")).Should(Equal("the-successor"))
	})

	It("is not sent by another client, and goes on when that is the former one again", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		first, _ := t.begun(ctx)
		t.edit(ctx, "OAuthCredential", "acme", "spec: {client: {id: typo}}")
		t.says(ctx, "acme", "put the former client ID back")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		Expect(t.requests("typo")()).To(BeZero())
		t.edit(ctx, "OAuthCredential", "acme", "spec: {client: {id: acme}}")
		t.ready(ctx, "acme")
		Expect(t.provider.FamilyOf(first).Refusals).To(BeZero())
		Expect(t.requests("typo")()).To(BeZero())
	})

	It("is told once where its Secret is somebody else's", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		first := t.provider.MintRefreshToken("acme", "read")
		t.apply(ctx, "apiVersion: v1\nkind: Secret\nmetadata: {name: acme-grant}\nstringData: {whose: another}\n---\n"+t.refresher("acme", first))
		Eventually(ctx, t.state("acme")).Should(Equal("Ready=False Reconciling=False Stalled=True SecretConflict"))
		t.says(ctx, "acme", "delete or rename it")
		version := t.version("acme")(ctx)
		Consistently(ctx, t.version("acme")).WithTimeout(3 * time.Second).Should(Equal(version))
		t.remove(ctx, "Secret", "acme-grant")
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 1)
	})

	It("tells that what came cannot be stored, for as long as that is so", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		first, token := t.begun(ctx)
		t.onItsWay(ctx, "acme")
		t.forbidGrants(ctx)
		t.says(ctx, "acme", "SecretRejected", "acme-grant", "do not restart it")
		Expect(t.message(ctx, "acme")).NotTo(ContainSubstring(t.provider.FamilyOf(first).LastToken))

		kubectl(ctx, "", "delete", "validatingadmissionpolicybinding", t.namespace)
		t.replaced(ctx, "acme", token, patience)
		t.ready(ctx, "acme")
		Expect(t.chainOf(ctx, "acme")()).To(Equal(t.provider.FamilyOf(first).LastToken))
	})
})

// forbidGrants has the API server refuse every change of a grant in the namespace.
func (t *tenant) forbidGrants(ctx SpecContext) {
	GinkgoHelper()
	kubectl(ctx, fmt.Sprintf(`apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: %[1]s}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [secrets]}]
  validations: [{expression: "object.metadata.namespace != '%[1]s' || !object.metadata.name.endsWith('-grant')"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: %[1]s}
spec: {policyName: %[1]s, validationActions: [Deny]}
`, t.namespace), "apply", "-f", "-")
	DeferCleanup(func(ctx SpecContext) {
		kubectl(ctx, "", "delete", "--ignore-not-found", "validatingadmissionpolicybinding,validatingadmissionpolicy", t.namespace)
	})
}
