package integration_test

import (
	"net/http"
	"strings"
	"time"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const tooLate = "the code of the last login could not be exchanged in time"

var _ = Describe("a login", func() {
	It("is asked for, and its tokens are taken up without a request", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.declareLogin(ctx, "acme")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		Expect(t.message(ctx, "acme")).To(Equal("nobody has logged in yet: run: kubectl tokensync login acme -n " + t.namespace))
		t.asked(ctx, "acme", 0)

		login := t.redeemed(ctx, "acme", t.consented(ctx, "acme"))
		t.leaveLogin(ctx, "acme", login)
		Expect(t.ready(ctx, "acme")).To(Equal(login.Token.Answer.AccessToken.Reveal()))
		t.asked(ctx, "acme", 1)
		record := t.grantOf(ctx, "acme")
		Expect(record.Login).To(BeNil())
		Expect(record.Chain.ID).To(Equal(login.ID))

		By("carrying on from there")
		t.refreshNow(ctx, "acme")
		t.replaced(ctx, "acme", login.Token.Answer.AccessToken.Reveal(), patience)
		t.ready(ctx, "acme")
		family := t.provider.FamilyOf(login.RefreshToken.Reveal())
		Expect(family.Refreshes).To(BeEquivalentTo(1))
		Expect(family.Revoked).To(BeFalse())
	})

	It("leaves a code that the operator exchanges", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.declareLogin(ctx, "acme")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		login := t.consented(ctx, "acme")
		t.leaveLogin(ctx, "acme", login)
		token := t.ready(ctx, "acme")
		t.asked(ctx, "acme", 1)
		Expect(t.grantOf(ctx, "acme").Login).To(BeNil())
		for key, value := range t.secret(ctx, "acme-grant").Data {
			Expect(string(value)).NotTo(Or(ContainSubstring(login.Code.Reveal()), ContainSubstring(login.Verifier.Reveal())), "key %s", key)
		}
		Expect(operatorLog.String()).NotTo(Or(ContainSubstring(login.Code.Reveal()), ContainSubstring(login.Verifier.Reveal())))

		By("not sending it again when it comes back")
		t.leaveLogin(ctx, "acme", login)
		Eventually(func() *grant.Login { return t.grantOf(ctx, "acme").Login }).Should(BeNil())
		t.asked(ctx, "acme", 1)
		Expect(t.ready(ctx, "acme")).To(Equal(token))
	})

	It("is known from the start", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.declareLogin(ctx, "acme", "suspend: true")
		Eventually(ctx, t.state("acme")).Should(Equal("Ready=False Reconciling=False Stalled=False Suspended"))
		t.leaveLogin(ctx, "acme", t.consented(ctx, "acme"))
		t.asked(ctx, "acme", 0)
		t.edit(ctx, "OAuthCredential", "acme", "spec: {suspend: false}")
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 1)
	})

	It("that is taken up too late is asked for again", func(ctx SpecContext) {
		const life = time.Second
		t := newTenant(ctx, standin.NewOAuth(standin.Options{AnyClient: password, Rotation: &standin.Rotation{}, CodeLifetime: life}))
		t.declareLogin(ctx, "acme")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		login := t.consented(ctx, "acme")
		time.Sleep(life)
		t.leaveLogin(ctx, "acme", login)
		t.says(ctx, "acme", tooLate)
		Expect(t.message(ctx, "acme")).To(ContainSubstring("kubectl tokensync login acme -n " + t.namespace))
		t.asked(ctx, "acme", 1)
		Expect(t.state("acme")(ctx)).To(Equal(toAuthorize))

		By("not sending a code that is older than any")
		login = t.consented(ctx, "acme")
		login.At = time.Now().Add(-time.Hour)
		t.leaveLogin(ctx, "acme", login)
		Eventually(func() *grant.Login { return t.grantOf(ctx, "acme").Login }).Should(BeNil())
		t.asked(ctx, "acme", 1)
	})

	It("for another credential of that name is not used", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.declareLogin(ctx, "acme")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		login := t.consented(ctx, "acme")
		login.Credential = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
		t.leaveLogin(ctx, "acme", login)
		Eventually(func() *grant.Login { return t.grantOf(ctx, "acme").Login }).Should(BeNil())
		t.asked(ctx, "acme", 0)
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		login.Credential, login.ID = string(t.credential(ctx, "acme").UID), "another"
		t.leaveLogin(ctx, "acme", login)
		t.ready(ctx, "acme")
	})

	It("whose answer is lost is asked for again, and its code is not sent twice", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.declareLogin(ctx, "acme")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		t.provider.Misbehave(standin.Behavior{Next: 1, AfterRotation: true, Fault: standin.Reset})
		t.leaveLogin(ctx, "acme", t.consented(ctx, "acme"))
		t.says(ctx, "acme", tooLate)
		t.asked(ctx, "acme", 1)
	})

	It("whose code is under way when the operator is killed is asked for again", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.declareLogin(ctx, "acme")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		t.provider.Misbehave(standin.Behavior{Next: 1, AfterRotation: true, Fault: standin.Hang})
		t.leaveLogin(ctx, "acme", t.consented(ctx, "acme"))
		Eventually(ctx, t.requests("acme")).Should(BeEquivalentTo(1))
		Expect(process.Kill()).To(Succeed())
		startOperator(ctx)
		t.says(ctx, "acme", tooLate)
		t.asked(ctx, "acme", 1)
	})

	It("is taken up once the provider is back", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.declareLogin(ctx, "acme")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		t.provider.Misbehave(standin.Behavior{Next: 1, Fault: standin.Respond})
		t.leaveLogin(ctx, "acme", t.consented(ctx, "acme"))
		Eventually(ctx, t.requests("acme")).Should(BeEquivalentTo(2)) // Some seconds pass between the two.
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 2)
	})

	It("takes the place of the grant before", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.declareLogin(ctx, "files")
		first := t.redeemed(ctx, "files", t.consented(ctx, "files"))
		t.leaveLogin(ctx, "files", first)
		token := t.ready(ctx, "files")
		t.leaveLogin(ctx, "files", t.consented(ctx, "files"))
		token = t.replaced(ctx, "files", token, patience)
		t.ready(ctx, "files")
		t.refreshNow(ctx, "files")
		second := t.replaced(ctx, "files", token, patience)
		t.ready(ctx, "files")
		Expect(t.provider.FamilyOf(second).ID).To(Equal(t.provider.FamilyOf(token).ID))
		Expect(t.provider.FamilyOf(first.RefreshToken.Reveal()).Refreshes).To(BeZero())
	})

	It("mends a refresh token that is lost", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.endpoint = "authorizationURL: '" + t.base() + standin.AuthorizePath + "', "
		first, _ := t.begun(ctx)
		t.provider.RevokeFamily(t.provider.FamilyOf(first).ID)
		t.refreshNow(ctx, "acme")
		Eventually(ctx, t.state("acme")).Should(Equal(lost))
		login := t.redeemed(ctx, "acme", t.consented(ctx, "acme"))
		t.leaveLogin(ctx, "acme", login)
		Eventually(ctx, t.tokenIn("acme")).Should(Equal(login.Token.Answer.AccessToken.Reveal()))
		Eventually(ctx, t.state("acme")).Should(Equal(good))
		Expect(t.provider.FamilyOf(first).Refusals).To(BeEquivalentTo(1))
	})

	It("without a refresh token is asked for again while the token is good", func(ctx SpecContext) {
		const life = 8 * time.Second
		t := newTenant(ctx, oauth(life))
		t.declareLogin(ctx, "acme", "refresh: {afterPercent: 50}")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		login := t.redeemed(ctx, "acme", t.consented(ctx, "acme"))
		Expect(login.RefreshToken.IsEmpty()).To(BeTrue())
		t.leaveLogin(ctx, "acme", login)
		// A busy machine may come late to the first of them, but never to the second.
		Eventually(ctx, func() []string { return t.history("acme") }).WithTimeout(30 * time.Second).Should(Or(
			Equal([]string{toAuthorize, good, lost, toAuthorize}), Equal([]string{toAuthorize, lost, toAuthorize})))
		Expect(time.Since(login.Token.Answer.Sent)).To(BeNumerically(">", life-time.Second), "it was ready as long as the token was good")
		Expect(t.message(ctx, "acme")).To(And(ContainSubstring("the provider gave no refresh token"), ContainSubstring("kubectl tokensync login")))
		t.asked(ctx, "acme", 1)

		login = t.redeemed(ctx, "acme", t.consented(ctx, "acme"))
		t.leaveLogin(ctx, "acme", login)
		t.ready(ctx, "acme")
	})

	It("is asked for again where the spec asks for something else", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.declareLogin(ctx, "acme")
		t.leaveLogin(ctx, "acme", t.consented(ctx, "acme"))
		token := t.ready(ctx, "acme")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {scopes: [read, write]}")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		Expect(t.message(ctx, "acme")).To(And(ContainSubstring("spec.scopes"), ContainSubstring("consented to"), ContainSubstring("kubectl tokensync login")))
		t.asked(ctx, "acme", 1)
		Expect(t.tokenIn("acme")(ctx)).To(Equal(token), "it is left where it is")

		By("taking it back")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {scopes: [read]}")
		Expect(t.provider.FamilyOf(t.ready(ctx, "acme")).ID).To(Equal(t.provider.FamilyOf(token).ID))

		By("logging in for it")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {scopes: [read, write]}")
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		t.leaveLogin(ctx, "acme", t.consented(ctx, "acme"))
		t.ready(ctx, "acme")
		Expect(t.shapeOf("acme")(ctx).Data).To(HaveKeyWithValue("scope", "read write"))
	})

	It("that was refused shows what the provider says, and no secret", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.declareLogin(ctx, "files")
		Eventually(ctx, t.state("files")).Should(Equal(toAuthorize))
		login := t.consented(ctx, "files")
		t.provider.Misbehave(standin.Behavior{
			Next: 1, Fault: standin.Respond, Status: http.StatusBadRequest, ContentType: "application/json",
			Body: `{"error":"invalid_grant","error_description":"no such code: ` + login.Code.Reveal() + `"}`,
		})
		t.leaveLogin(ctx, "files", login)
		t.says(ctx, "files", "no such code")
		Expect(strings.Contains(t.visible(ctx), login.Code.Reveal())).To(BeFalse())
		t.asked(ctx, "files", 1)
	})
})
