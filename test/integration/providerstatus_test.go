package integration_test

import (
	"strings"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("the status of a provider", func() {
	It("says that it can be used, and which endpoint its issuer names", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		i := t.newIssuer()
		t.provide(ctx, "idp", "issuer: "+i.url)
		t.share(ctx)
		for _, name := range []string{"oauthprovider/idp", "clusteroauthprovider/" + t.namespace} {
			kubectl(ctx, "", "wait", "-n", t.namespace, "--for=condition=Ready", "--timeout=10s", name)
		}
		status, _ := t.providerStatus(ctx, "OAuthProvider", "idp")
		Expect(status.TokenURL).To(Equal(i.url + standin.TokenPath))
		status, _ = t.providerStatus(ctx, "ClusterOAuthProvider", t.namespace)
		Expect(status.TokenURL).To(BeEmpty(), "it stands in the spec")
		rows := strings.Split(kubectl(ctx, "", "get", "-n", t.namespace, "oauthproviders"), "\n")
		Expect(strings.Fields(rows[0])).To(ContainElements("NAME", "READY", "REASON", "AGE"))
		Expect(strings.Fields(rows[1])).To(ContainElements("idp", "True", "ProviderReady"))

		t.apply(ctx, t.client("acme")+"---\n"+byProvider("acme", "idp", keyOf("acme")))
		t.ready(ctx, "acme")
		Expect(t.requests("acme")()).To(BeEquivalentTo(1))
	})

	It("names what is missing, and recovers without a touch", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.namesakes = true
		t.provide(ctx, "client", keyOf("platform"))
		t.provide(ctx, "header", "request: {headers: [{name: X-Key, valueFrom: {secretKeyRef: {name: platform-client, key: api_key}}}]}")
		t.provide(ctx, "trust", "tls: {caRef: {kind: ConfigMap, name: ca, key: ca.crt}}")
		t.apply(ctx, byProvider("acme", "client"))
		for name, object := range map[string]string{"client": `Secret "platform-client"`, "header": `Secret "platform-client"`, "trust": `ConfigMap "ca"`} {
			Eventually(ctx, t.providerState("OAuthProvider", name)).Should(Equal(waiting("SourceSecretMissing")), name)
			Expect(t.providerMessage(ctx, "OAuthProvider", name)).To(And(ContainSubstring(object), ContainSubstring("does not exist")))
		}
		Eventually(ctx, t.state("acme")).Should(Equal(waiting("SourceSecretMissing")))

		t.apply(ctx, t.client("platform")+"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ca}\ndata:\n  ca.crt: |\n    "+
			strings.ReplaceAll(strings.TrimSpace(newAuthority().bundle), "\n", "\n    ")+"\n")
		for _, name := range []string{"client", "trust"} {
			Eventually(ctx, t.providerState("OAuthProvider", name)).WithTimeout(atOnce).Should(Equal(providerReady), name)
		}
		Eventually(ctx, func() string { return t.providerMessage(ctx, "OAuthProvider", "header") }).Should(ContainSubstring(`has no key "api_key"`))
		Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal(good))

		t.edit(ctx, "Secret", "platform-client", "stringData: {api_key: k3y}")
		Eventually(ctx, t.providerState("OAuthProvider", "header")).WithTimeout(atOnce).Should(Equal(providerReady))
	})

	It("names an expression that is none, before anybody is asked", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.provide(ctx, "idp", "response: {accessToken: 'body.['}")
		Eventually(ctx, t.providerState("OAuthProvider", "idp")).Should(Equal(stalled("InvalidExpression")))
		Expect(t.providerMessage(ctx, "OAuthProvider", "idp")).To(ContainSubstring("spec.response.accessToken"))
		t.apply(ctx, t.client("acme")+"---\n"+byProvider("acme", "idp", keyOf("acme")))
		Eventually(ctx, t.state("acme")).Should(Equal(stalled("InvalidExpression")))
		t.asked(ctx, "acme", 0)

		t.edit(ctx, "OAuthProvider", "idp", "spec: {response: {accessToken: body.access_token}}")
		Eventually(ctx, t.providerState("OAuthProvider", "idp")).WithTimeout(atOnce).Should(Equal(providerReady))
		Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal(good))
		Expect(t.requests("acme")()).To(BeEquivalentTo(1))
	})

	It("tells of an issuer that calls itself otherwise, until it no longer does", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		i := t.newIssuer()
		i.call("https://login.example.com")
		t.provide(ctx, "idp", "issuer: "+i.url)
		t.apply(ctx, t.client("acme")+"---\n"+byProvider("acme", "idp", keyOf("acme")))
		Eventually(ctx, t.providerState("OAuthProvider", "idp")).Should(Equal(waiting("InvalidResponse")))
		Expect(t.providerMessage(ctx, "OAuthProvider", "idp")).To(ContainSubstring("issuer"))
		Eventually(ctx, t.state("acme")).Should(Equal(waiting("InvalidResponse")))
		t.asked(ctx, "acme", 0)

		i.call(i.url)
		Eventually(ctx, t.providerState("OAuthProvider", "idp")).WithTimeout(30 * time.Second).Should(Equal(providerReady))
		t.refreshNow(ctx, "acme")
		Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal(good))
	})
})
