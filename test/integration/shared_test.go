package integration_test

import (
	"context"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// platform applies a ClusterOAuthProvider that holds a client and an API key.
func (t *tenant) platform(ctx context.Context, lines ...string) {
	GinkgoHelper()
	t.share(ctx, append([]string{
		"client: {id: platform, secretRef: {name: " + t.vault() + ", key: the-password}}",
		"request: {headers: [{name: X-Key, valueFrom: {secretKeyRef: {name: " + t.vault() + ", key: the-key}}}]}",
	}, lines...)...)
}

// vault is the name of the platform's Secret, which is in the operator's namespace.
func (t *tenant) vault() string { return t.namespace + "-vault" }

// fill applies the platform's Secret.
func (t *tenant) fill(ctx context.Context, password string) {
	GinkgoHelper()
	t.apply(ctx, "apiVersion: v1\nkind: Secret\nmetadata: {name: "+t.vault()+", namespace: "+operatorNamespace+"}\n"+
		"stringData: {the-password: "+password+", the-key: k3y-of-the-platform}\n")
}

// keyed is a provider of clients by their passwords that takes an API key.
func keyed(lifetime time.Duration) *standin.Server {
	return standin.NewOAuth(standin.Options{Lifetime: lifetime, AnyClient: password, Headers: []string{"X-Key"}})
}

var _ = Describe("a ClusterOAuthProvider that holds the client", func() {
	It("gives tokens to namespaces that see nothing of it", func(ctx SpecContext) {
		t := newTenant(ctx, keyed(time.Minute))
		t.namesakes = true
		f := t.before(&front{})
		tenants := []*tenant{t, t.neighbor(ctx)}
		hidden := func(one *tenant) {
			GinkgoHelper()
			all := one.visible(ctx)
			for _, text := range []string{t.vault(), operatorNamespace, "the-password", "the-key", "platform-password", "r0tated", "k3y-of-the-platform"} {
				Expect(all).NotTo(ContainSubstring(text))
			}
		}

		By("hiding its Secret where that is missing")
		t.platform(ctx, "allowed: {scopes: [read, write]}", "allowedNamespaces: {}")
		for _, one := range tenants {
			one.apply(ctx, byShared("acme", t, "scopes: [read]", `secret: {data: {
				access_token: token.access_token, raw: '"raw" in token ? toJSON(token.raw) : "absent"', id: client.id}}`))
			Eventually(ctx, one.state("acme")).Should(Equal(waiting("SourceSecretMissing")))
			Expect(one.message(ctx, "acme")).To(HavePrefix(`a Secret or ConfigMap that the ClusterOAuthProvider "` + t.namespace + `" names cannot be used`))
			hidden(one)
		}
		Eventually(ctx, t.providerState("ClusterOAuthProvider", t.namespace)).Should(Equal(waiting("SourceSecretMissing")))
		Expect(t.providerMessage(ctx, "ClusterOAuthProvider", t.namespace)).To(ContainSubstring(`"`+t.vault()+`"`), "its administrator is told")

		By("using it as soon as it is there")
		t.fill(ctx, "platform-password")
		Eventually(ctx, t.providerState("ClusterOAuthProvider", t.namespace)).WithTimeout(atOnce).Should(Equal(providerReady))
		tokens := map[*tenant]string{}
		for _, one := range tenants {
			Eventually(ctx, one.tokenIn("acme")).WithTimeout(atOnce).ShouldNot(BeEmpty())
			tokens[one] = one.ready(ctx, "acme")
			Expect(f.last().header).To(HaveKeyWithValue("X-Key", []string{"k3y-of-the-platform"}))
			Expect(one.shapeOf("acme")(ctx).Data).To(Equal(map[string]string{
				"access_token": tokens[one], "raw": "absent", "id": "platform",
			}), "the answer might echo what the tenant is not to see")
		}

		By("asking once for each when the client's secret is rotated")
		t.provider.SetClient("platform", "r0tated")
		t.fill(ctx, "r0tated")
		for _, one := range tenants {
			tokens[one] = one.replaced(ctx, "acme", tokens[one], atOnce)
			one.ready(ctx, "acme")
		}
		Consistently(t.total).Should(BeEquivalentTo(4))

		By("hiding it where the provider repeats it")
		t.provider.Misbehave(standin.Behavior{Fault: standin.Echo})
		for _, one := range tenants {
			one.edit(ctx, "OAuthCredential", "acme", "metadata: {annotations: {tokensync.dev/refresh-requested-at: now}}")
			Eventually(ctx, func() string { return one.message(ctx, "acme") }).Should(ContainSubstring("(ProviderRejected)"))
			hidden(one)
		}
	})

	It("refuses what it does not allow, and names it", func(ctx SpecContext) {
		t := newTenant(ctx, keyed(time.Minute))
		t.namesakes = true
		f := t.before(&front{})
		t.fill(ctx, "platform-password")
		t.platform(ctx, "tokenURL: "+t.url+"/{region}", "allowedNamespaces: {}",
			"allowed: {scopes: [read], audiences: [a], resources: ['https://r.example.com'], variables: {region: [eu, us]}}")
		refusals := map[string]struct{ region, lines, message string }{
			"scope":    {"eu", "scopes: [read, admin]", `spec.scopes asks for "admin"`},
			"audience": {"eu", "audiences: [b]", `spec.audiences asks for "b"`},
			"resource": {"eu", "resources: ['https://s.example.com']", `spec.resources asks for "https://s.example.com"`},
			"grant":    {"eu", "grantType: account_credentials", `spec.grantType asks for "account_credentials"`},
			"variable": {"mars", "scopes: [read]", `spec.providerRef.variables.region asks for "mars"`},
			"client":   {"eu", "client: {id: mine}", "spec.client cannot be set"},
			"header":   {"eu", "request: {headers: [{name: X-Mine, value: mine}]}", "spec.request cannot be set"},
			"password": {"eu", "grantType: password\n  password: {username: u, passwordRef: {name: p, key: p}}", "spec.password cannot be set"},
			"bearer": {
				"eu", "grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer'\n  jwtBearer: {subject: ceo, privateKeyRef: {name: p, key: p}}",
				"spec.jwtBearer cannot be set",
			},
			"exchange": {"eu", "grantType: 'urn:ietf:params:oauth:grant-type:token-exchange'\n  " +
				"tokenExchange: {subjectToken: {secretKeyRef: {name: p, key: p}}, subjectTokenType: x}", "spec.tokenExchange cannot be set"},
		}
		in := func(region string) string {
			return t.namespace + ", kind: ClusterOAuthProvider, variables: {region: " + region + "}"
		}
		for name, refusal := range refusals {
			t.apply(ctx, byProvider(name, in(refusal.region), refusal.lines))
		}
		for name, refusal := range refusals {
			Eventually(ctx, t.state(name)).Should(Equal(stalled("NotAllowedByProvider")), name)
			Expect(t.message(ctx, name)).To(ContainSubstring(refusal.message))
		}
		Consistently(t.total).Should(BeZero())

		By("letting through what is allowed")
		for name := range refusals {
			t.edit(ctx, "OAuthCredential", name, "spec: {scopes: [read], audiences: [a], resources: ['https://r.example.com'], grantType: client_credentials, "+
				"client: null, request: null, password: null, jwtBearer: null, tokenExchange: null, providerRef: {variables: {region: us}}}")
		}
		for name := range refusals {
			t.ready(ctx, name)
		}
		Expect(f.last().path).To(Equal(standin.TokenPath + "/us"))

		By("refusing at once what is taken off the lists, and keeping the token")
		before := t.shapeOf("scope")(ctx)
		t.edit(ctx, "ClusterOAuthProvider", t.namespace, "spec: {allowed: {scopes: [write]}}")
		Eventually(ctx, func() string { return t.message(ctx, "scope") }).WithTimeout(atOnce).Should(ContainSubstring(`spec.scopes asks for "read"`))
		Expect(t.state("scope")(ctx)).To(HavePrefix("Ready=True"))
		Expect(t.shapeOf("scope")(ctx)).To(Equal(before))
	})
})

var _ = Describe("the namespaces of a ClusterOAuthProvider", func() {
	It("are those that it selects", func(ctx SpecContext) {
		t := newTenant(ctx, keyed(6*time.Second))
		t.namesakes = true
		t.before(&front{})
		t.fill(ctx, "platform-password")
		t.platform(ctx, "allowedNamespaces: {matchLabels: {tier: gold}}")
		t.apply(ctx, byShared("acme", t))
		Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal(stalled("NamespaceNotAllowed")))
		Expect(t.message(ctx, "acme")).To(Equal(`the ClusterOAuthProvider "` + t.namespace + `" does not admit this namespace: ` +
			`have its administrator select it in spec.allowedNamespaces`))
		Consistently(t.total).Should(BeZero())

		By("labeling the namespace")
		t.edit(ctx, "Namespace", t.namespace, "metadata: {labels: {tier: gold}}")
		Eventually(ctx, t.tokenIn("acme")).WithTimeout(atOnce).ShouldNot(BeEmpty())
		t.ready(ctx, "acme")

		By("taking the label away")
		t.edit(ctx, "Namespace", t.namespace, "metadata: {labels: {tier: null}}")
		Eventually(ctx, func() string { return t.message(ctx, "acme") }).WithTimeout(atOnce).Should(And(
			ContainSubstring("holds a good token"), ContainSubstring("(NamespaceNotAllowed)"), ContainSubstring("does not admit this namespace")))
		asked, version := t.total(), t.version("acme")(ctx)
		Eventually(ctx, t.state("acme")).Should(Equal(stalled("NamespaceNotAllowed")), "once the token has run out")
		Expect(t.version("acme")(ctx)).To(Equal(version))
		Expect(t.total()).To(Equal(asked))

		By("labeling it again")
		t.edit(ctx, "Namespace", t.namespace, "metadata: {labels: {tier: gold}}")
		Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal(good))
	})

	It("are all where nothing is to be kept from them", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.share(ctx)
		t.apply(ctx, t.client("acme")+"---\n"+byShared("acme", t, keyOf("acme")))
		t.ready(ctx, "acme")
		Expect(t.requests("acme")()).To(BeEquivalentTo(1))
	})
})
