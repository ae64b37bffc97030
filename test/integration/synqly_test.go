package integration_test

import (
	"context"
	"net/http"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The credential for an organization token, the one that is minted with it, and what the
// provider knows the second one by.
const org, siem, integration = "synqly-org", "synqly-siem", "acct-17/int-42"

// minted is the manifest of the credential synqly-siem, at the URL of its tokens.
func minted(url string) string {
	return `apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: synqly-siem}
spec:
  provider:
    tokenURL: ` + url + `
    clientAuthentication: {method: none}
    request:
      bodyFormat: JSON
      omitParameters: [grant_type]
      headers:
      - name: Authorization
        valueFrom: {secretKeyRef: {name: synqly-org, key: access_token}}
        expression: '"Bearer " + value'
    response: {accessToken: body.result.secret, expiresAt: body.result.expires, tokenType: '"Bearer"'}
`
}

// organization applies a provider, and a credential of it that begins with a new
// organization token.
func (t *tenant) organization(ctx context.Context, ttl time.Duration) standin.OrganizationToken {
	GinkgoHelper()
	token := t.provider.MintOrganizationToken(standin.OrganizationOptions{TTL: ttl})
	t.share(ctx, standin.OrganizationProvider(t.base()))
	t.apply(ctx, bootstrap("synqly-org", token.RefreshSecret)+"---\n"+byProvider("synqly-org",
		t.namespace+", kind: ClusterOAuthProvider, variables: {token_id: "+token.ID+"}", "grantType: refresh_token",
		"refreshToken: {bootstrapRef: {name: synqly-org-bootstrap, key: refresh_token}}"))
	return token
}

// administer has another organization token do something with a token.
func (t *tenant) administer(ctx context.Context, token standin.OrganizationToken, does string) {
	GinkgoHelper()
	administrator := t.provider.MintOrganizationToken(standin.OrganizationOptions{OwnerID: token.OwnerID})
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, t.base()+"/v1/tokens/"+token.OwnerID+"/"+token.ID+"/"+does, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+administrator.AccessSecret)
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	Expect(response.Body.Close()).To(Succeed())
	Expect(response.StatusCode).To(Equal(http.StatusOK))
	t.namesakes = true // It was a request for the same token.
}

var _ = Describe("a Synqly organization token", func() {
	It("is refreshed in pairs, and mints integration tokens", func(ctx SpecContext) {
		t := newTenant(ctx, standin.NewSynqly(standin.Options{Lifetime: 6 * time.Second}))
		t.apply(ctx, minted(t.base()+standin.IntegrationPath("acct-17", "int-42")))
		token := t.organization(ctx, 4*time.Second)
		last, first := t.ready(ctx, org), t.ready(ctx, siem)
		for range 3 {
			last = t.replaced(ctx, org, last, patience)
		}
		t.replaced(ctx, siem, first, patience)
		family := t.provider.Family(token.ID)
		Expect(family.Retries).To(BeZero())
		Expect(family.Reuses).To(BeZero())
		Expect(family.Refreshes).To(BeNumerically(">=", 4))
		Expect(t.shapeOf(org)(ctx).Data).To(HaveKeyWithValue("token_type", "Bearer"))
		Expect(t.provider.CountsOf(integration).Outcomes[standin.Issued]).To(BeNumerically(">=", 2))
		Expect(t.visible(ctx)).NotTo(ContainSubstring(token.RefreshSecret))
	})

	It("is refreshed by the pair before where an answer was lost", func(ctx SpecContext) {
		t := newTenant(ctx, standin.NewSynqly(standin.Options{}))
		token := t.organization(ctx, time.Hour)
		old := t.ready(ctx, org)
		t.provider.Misbehave(standin.Behavior{Next: 1, AfterRotation: true, Fault: standin.Reset})
		t.refreshNow(ctx, org)
		t.replaced(ctx, org, old, patience)
		t.ready(ctx, org)
		Expect(t.provider.Family(token.ID).Retries).To(BeEquivalentTo(1))
		Expect(t.provider.StateOf(t.grantOf(ctx, org).Chain.RefreshToken.Reveal())).To(Equal(standin.TokenCurrent))
	})

	It("stays good while the provider has problems", func(ctx SpecContext) {
		t := newTenant(ctx, standin.NewSynqly(standin.Options{}))
		token := t.organization(ctx, time.Hour)
		old := t.ready(ctx, org)
		t.provider.Misbehave(standin.Behavior{
			Next: 1, Fault: standin.Respond, Status: http.StatusInternalServerError, ContentType: "application/json",
			Body: `{"message":"the database is gone","status":500,"occurred_at":"2026-11-22T00:00:00Z","instance":"/v1/tokens"}`,
		})
		t.refreshNow(ctx, org)
		t.replaced(ctx, org, old, patience)
		t.ready(ctx, org)
		family := t.provider.Family(token.ID)
		Expect(family.Refreshes).To(BeEquivalentTo(2))
		Expect(family.Retries).To(BeZero(), "the provider had done nothing")
	})

	It("goes on where an administrator has rotated it", func(ctx SpecContext) {
		t := newTenant(ctx, standin.NewSynqly(standin.Options{}))
		token := t.organization(ctx, time.Hour)
		old := t.ready(ctx, org)
		t.administer(ctx, token, "rotate")
		t.refreshNow(ctx, org)
		t.replaced(ctx, org, old, patience)
		t.ready(ctx, org)
	})

	It("tells where an administrator has reset it, and takes the new one", func(ctx SpecContext) {
		t := newTenant(ctx, standin.NewSynqly(standin.Options{}))
		token := t.organization(ctx, time.Hour)
		t.ready(ctx, org)
		t.administer(ctx, token, "reset")
		t.refreshNow(ctx, org)
		Eventually(ctx, t.state(org)).Should(Equal(lost))
		Expect(t.message(ctx, org)).To(And(ContainSubstring("RefreshTokenLost"), ContainSubstring("401"), ContainSubstring(`Secret "synqly-org-bootstrap"`)))
		Expect(t.provider.Family(token.ID).Reuses).To(BeEquivalentTo(1))
		t.asked(ctx, token.ID, int(t.requests(token.ID)()))

		next := t.provider.MintOrganizationToken(standin.OrganizationOptions{})
		t.edit(ctx, "OAuthCredential", org, "spec: {providerRef: {variables: {token_id: "+next.ID+"}}}")
		Eventually(ctx, t.state(org)).ShouldNot(HaveSuffix(behind))
		t.apply(ctx, bootstrap(org, next.RefreshSecret))
		Eventually(func() int64 { return t.provider.Family(next.ID).Refreshes }).Should(BeEquivalentTo(1))
		t.ready(ctx, org)
		Expect(t.provider.Family(token.ID).Reuses).To(BeEquivalentTo(1))
	})

	It("that is deleted is told", func(ctx SpecContext) {
		t := newTenant(ctx, standin.NewSynqly(standin.Options{}))
		token := t.organization(ctx, time.Hour)
		t.ready(ctx, org)
		t.provider.RevokeFamily(token.ID)
		t.refreshNow(ctx, org)
		Eventually(ctx, t.state(org)).Should(Equal(lost))
		Expect(t.message(ctx, org)).To(ContainSubstring("RefreshTokenLost"))
		t.asked(ctx, token.ID, int(t.requests(token.ID)()))
	})
})

var _ = Describe("a Synqly integration token", func() {
	// synqly serves the token API, and an authorization server for its organization.
	synqly := func(ctx SpecContext) (t, organization *tenant) {
		key := []byte("one organization")
		t = newTenant(ctx, standin.NewSynqly(standin.Options{Key: key}))
		organization = newTenant(ctx, standin.NewOAuth(standin.Options{Key: key, Lifetime: time.Hour, AnyClient: password}))
		t.url = t.base() + standin.IntegrationPath("acct-17", "int-42")
		return t, organization
	}

	It("is minted with a token that another credential keeps fresh", func(ctx SpecContext) {
		t, organization := synqly(ctx)
		t.apply(ctx, minted(t.url))
		Eventually(ctx, t.state(siem)).WithTimeout(atOnce).Should(Equal(waiting("SourceSecretMissing")))
		t.apply(ctx, t.client(org)+"---\n"+organization.manifest(org))
		token := t.ready(ctx, siem)
		status := t.credential(ctx, siem).Status
		Expect(status.ExpiresAt.Sub(status.IssuedAt.Time)).To(BeNumerically("~", 10*time.Minute, 2*time.Second))
		Expect(t.shapeOf(siem)(ctx).Data).To(HaveKeyWithValue("token_type", "Bearer"))

		By("not being minted anew with each new token of the organization")
		old := t.shapeOf(org)(ctx).Data["access_token"]
		t.refreshNow(ctx, org)
		Eventually(ctx, t.shapeOf(org)).WithTimeout(atOnce).ShouldNot(HaveField("Data", HaveKeyWithValue("access_token", old)))
		t.asked(ctx, integration, 1)
		Expect(t.ready(ctx, siem)).To(Equal(token))
	})

	It("is asked for again at once when a refused token of the organization changes", func(ctx SpecContext) {
		t, organization := synqly(ctx)
		t.apply(ctx, "apiVersion: v1\nkind: Secret\nmetadata: {name: synqly-org}\nstringData: {access_token: stale}\n---\n"+minted(t.url))
		Eventually(ctx, t.state(siem)).Should(HavePrefix("Ready=False"))
		t.says(ctx, siem, "401")
		Expect(t.message(ctx, siem)).NotTo(ContainSubstring("stale"))
		t.asked(ctx, integration, 1)

		organization.declare(ctx, "fresh")
		fresh := organization.ready(ctx, "fresh")
		t.edit(ctx, "Secret", org, "stringData: {access_token: "+fresh+"}")
		Eventually(ctx, t.tokenIn(siem)).WithTimeout(atOnce).ShouldNot(BeEmpty())
		t.ready(ctx, siem)
		t.asked(ctx, integration, 2)
	})
})
