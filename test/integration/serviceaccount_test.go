package integration_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// audience is what the provider expects of a token of a ServiceAccount.
const audience = "api://Exchange"

// account is the manifest of a ServiceAccount that consents to the audiences.
func account(audiences string) string {
	return "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot, annotations: {tokensync.dev/audiences: '" + audiences + "'}}\n"
}

// verifier makes a function that says whose a token of a ServiceAccount is, and what
// is wrong with it. It goes by what the cluster publishes, as a provider does.
func verifier(ctx SpecContext) func(token string) (subject, problem string) {
	GinkgoHelper()
	keys := jose.JSONWebKeySet{}
	Expect(json.Unmarshal([]byte(kubectl(ctx, "", "get", "--raw", "/openid/v1/jwks")), &keys)).To(Succeed())
	about := struct {
		Issuer string `json:"issuer"`
	}{}
	Expect(json.Unmarshal([]byte(kubectl(ctx, "", "get", "--raw", "/.well-known/openid-configuration")), &about)).To(Succeed())
	return func(token string) (subject, problem string) {
		parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
		if err != nil {
			return "", err.Error()
		}
		claims := jwt.Claims{}
		if err := parsed.Claims(keys, &claims); err != nil {
			return "", err.Error()
		}
		switch err := claims.Validate(jwt.Expected{Issuer: about.Issuer, Time: time.Now()}); {
		case err != nil:
			return "", err.Error()
		case !slices.Equal(claims.Audience, jwt.Audience{audience}):
			return "", "it is not for this audience alone"
		case claims.Expiry.Time().Sub(claims.IssuedAt.Time()) > 10*time.Minute:
			return "", "it lives longer than it need"
		}
		return claims.Subject, ""
	}
}

var _ = Describe("a token of a ServiceAccount", func() {
	const assertion = "client: {serviceAccount: {name: robot, audience: '" + audience + "'}}"

	It("takes the place of a secret", func(ctx SpecContext) {
		t := newTenant(ctx, standin.NewOAuth(standin.Options{Lifetime: time.Minute, Assertion: verifier(ctx)}))
		t.apply(ctx, account("other, "+audience))
		t.provide(ctx, "idp")
		t.apply(ctx, byProvider("acme", "idp", assertion))
		old := t.ready(ctx, "acme")
		subject := "system:serviceaccount:" + t.namespace + ":robot"
		Expect(t.requests(subject)()).To(BeEquivalentTo(1))

		By("being issued anew for each request")
		t.refreshNow(ctx, "acme")
		t.replaced(ctx, "acme", old, atOnce)
		t.ready(ctx, "acme")
		Expect(t.visible(ctx)).NotTo(ContainSubstring("eyJ"), "a JWT in what anybody may read")
	})

	It("is exchanged, and is an assertion as a grant", func(ctx SpecContext) {
		verify := verifier(ctx)
		subject := ""
		t := newTenant(ctx, granting(func(grantType string, parameters url.Values) string {
			token := parameters.Get("assertion")
			if grantType == "urn:ietf:params:oauth:grant-type:token-exchange" {
				token = parameters.Get("subject_token")
			}
			whose, problem := verify(token)
			if problem == "" && whose != subject {
				return "it is of " + whose
			}
			return problem
		}))
		subject = "system:serviceaccount:" + t.namespace + ":robot"
		const source = "serviceAccount: {name: robot, audience: '" + audience + "'}"
		t.apply(ctx, account(audience))
		t.provide(ctx, "idp")
		t.apply(ctx, byProvider("exchanged", "idp", "client: {id: exchanged}", "grantType: urn:ietf:params:oauth:grant-type:token-exchange",
			"tokenExchange: {subjectToken: {"+source+"}, subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt'}")+"---\n"+
			byProvider("asserted", "idp", "client: {id: asserted}", "grantType: urn:ietf:params:oauth:grant-type:jwt-bearer", "jwtBearer: {"+source+"}"))
		t.ready(ctx, "exchanged")
		t.ready(ctx, "asserted")
	})

	It("needs the ServiceAccount's consent to an audience that is not the cluster's", func(ctx SpecContext) {
		t := newTenant(ctx, standin.NewOAuth(standin.Options{Lifetime: time.Minute, Assertion: verifier(ctx)}))
		t.namesakes = true
		operators := &tenant{namespace: operatorNamespace, provider: t.provider, url: t.url, namesakes: true}
		DeferCleanup(operators.leave)
		t.apply(ctx, account("other, x"+audience))
		refused := func(t *tenant, name, account, wanted, message string) {
			GinkgoHelper()
			t.apply(ctx, fmt.Sprintf("apiVersion: tokensync.dev/v1alpha1\nkind: OAuthCredential\nmetadata: {name: %s}\nspec:\n  provider: {tokenURL: %q}\n"+
				"  client: {serviceAccount: {name: %s, audience: %q}}\n", name, t.url, account, wanted))
			Eventually(ctx, t.state(name)).Should(Equal(stalled("ServiceAccountRefused")), name)
			Expect(t.message(ctx, name)).To(ContainSubstring(message))
		}
		refused(t, "acme", "robot", audience, `does not consent: list the audience "`+audience+`" in its annotation tokensync.dev/audiences`)
		refused(t, "nobody", "nobody", audience, `the ServiceAccount "nobody" does not exist`)
		refused(t, "cluster", "robot", clusterAudience(ctx), "is the cluster's own")
		refused(t, "internal", "robot", internalAudience, "is the cluster's own")
		refused(operators, "operator", operatorAccount, audience, "tokensync's own")
		Consistently(t.total).Should(BeZero())

		By("giving the consent, and asking again")
		t.apply(ctx, account("x"+audience+" ,"+audience))
		t.refreshNow(ctx, "acme")
		Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal(good))

		By("not giving it to the audiences of the cluster")
		t.apply(ctx, account(clusterAudience(ctx)+","+internalAudience))
		for _, name := range []string{"cluster", "internal"} {
			t.refreshNow(ctx, name)
			Consistently(ctx, t.state(name)).Should(Equal(stalled("ServiceAccountRefused")))
			Expect(t.message(ctx, name)).To(ContainSubstring("is the cluster's own"))
		}
		Expect(t.total()).To(BeEquivalentTo(1))
	})

	It("is not there where the operator was not given the right", func(ctx SpecContext) {
		t := newTenant(ctx, standin.NewOAuth(standin.Options{Lifetime: time.Minute, Assertion: verifier(ctx)}))
		before := operatorOptions
		DeferCleanup(func(ctx SpecContext) {
			operatorOptions = before
			restartOperator(ctx)
		})
		operatorOptions.Arguments = slices.DeleteFunc(slices.Clone(before.Arguments), func(argument string) bool { return argument == "--service-account-tokens" })
		restartOperator(ctx)
		t.apply(ctx, account(audience))
		t.provide(ctx, "idp")
		t.apply(ctx, byProvider("acme", "idp", assertion))
		Eventually(ctx, t.state("acme")).Should(Equal(stalled("ServiceAccountRefused")))
		Expect(t.message(ctx, "acme")).To(And(ContainSubstring("serviceAccountTokens.enabled"), ContainSubstring("--service-account-tokens")))
		Expect(t.total()).To(BeZero())
	})
})
