package integration_test

import (
	"context"
	"fmt"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// crew declares credentials of the OAuthProvider idp, each with a client of its own,
// and waits for their tokens.
func (t *tenant) crew(ctx context.Context, size int) map[string]string {
	GinkgoHelper()
	tokens := map[string]string{}
	for i := range size {
		name := fmt.Sprintf("crew-%d", i)
		t.apply(ctx, t.client(name)+"---\n"+byProvider(name, "idp", keyOf(name)))
		tokens[name] = ""
	}
	for name := range tokens {
		tokens[name] = t.ready(ctx, name)
	}
	return tokens
}

var _ = Describe("an OAuthProvider", func() {
	It("is used as soon as it is there, and not given up when it is gone", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.apply(ctx, t.client("acme")+"---\n"+byProvider("acme", "idp", keyOf("acme")))
		Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal(waiting("ProviderNotFound")))
		Expect(t.message(ctx, "acme")).To(Equal(`the OAuthProvider "idp" does not exist in this namespace: create it, or correct spec.providerRef`))
		t.provide(ctx, "idp")
		Eventually(ctx, t.tokenIn("acme")).WithTimeout(atOnce).ShouldNot(BeEmpty())
		token := t.ready(ctx, "acme")

		By("deleting it")
		t.remove(ctx, "OAuthProvider", "idp")
		Eventually(ctx, func() string { return t.message(ctx, "acme") }).WithTimeout(atOnce).Should(And(
			ContainSubstring("holds a good token"), ContainSubstring("(ProviderNotFound)")))
		Expect(t.state("acme")(ctx)).To(HavePrefix("Ready=True"))
		Expect(t.tokenIn("acme")(ctx)).To(Equal(token))

		By("not taking that token for one of another spec meanwhile")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {scopes: [write]}")
		Eventually(ctx, t.state("acme")).Should(Equal(waiting("ProviderNotFound")))
		Consistently(ctx, t.state("acme")).Should(Equal(waiting("ProviderNotFound")))
		t.edit(ctx, "OAuthCredential", "acme", "spec: {scopes: null}")
		Eventually(ctx, t.state("acme")).Should(Equal(waiting("ProviderNotFound")), "the spec is seen")

		By("creating it anew")
		t.provide(ctx, "idp")
		Expect(t.ready(ctx, "acme")).To(Equal(token))
		t.asked(ctx, "acme", 1)
	})

	It("that is edited twice is asked for what it came to, and for nothing in between", func(ctx SpecContext) {
		const crew = 6
		t := newTenant(ctx, oauth(time.Minute))
		t.namesakes = true // What is cut off by an edit is asked for again.
		f := t.before(&front{})
		t.provide(ctx, "idp", "limits: {maxConcurrentRequests: 1}")
		tokens := t.crew(ctx, crew)
		t.slow(300 * time.Millisecond)
		for _, scope := range []string{"between", "last"} {
			t.edit(ctx, "OAuthProvider", "idp", "spec: {request: {parameters: [{name: scope, value: "+scope+"}]}}")
			Eventually(func() string { return f.last().form().Get("scope") }).Should(Equal(scope))
		}
		for name, token := range tokens {
			t.replaced(ctx, name, token, 2*atOnce)
			t.ready(ctx, name)
		}
		count := map[string]int{}
		for _, request := range f.requests() {
			count[request.form().Get("scope")]++
		}
		Expect(count["last"]).To(Equal(crew))
		Expect(count["between"]).To(BeNumerically("<=", 2), "those that still waited in line know better")
	})

	It("changes nothing by edits that do not shape a token", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.provide(ctx, "idp")
		tokens := t.crew(ctx, 3)
		for _, edit := range []string{
			"spec: {limits: {maxConcurrentRequests: 3, requests: 60, period: 1m}}",
			"spec: {timeout: 7s}",
			"spec: {allowedAuthorities: [login.example.com]}",
			"metadata: {labels: {a: b}, annotations: {c: d}}",
		} {
			t.edit(ctx, "OAuthProvider", "idp", edit)
		}
		Consistently(t.total).Should(BeEquivalentTo(len(tokens)))
		for name, token := range tokens {
			Expect(t.ready(ctx, name)).To(Equal(token))
		}
	})

	It("has all tokens replaced once when the secret of its client is rotated", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.namesakes = true
		t.apply(ctx, t.client("platform"))
		t.provide(ctx, "idp", keyOf("platform"))
		names := []string{"one", "two", "three"}
		tokens := map[string]string{}
		for _, name := range names {
			t.apply(ctx, byProvider(name, "idp"))
		}
		for _, name := range names {
			tokens[name] = t.ready(ctx, name)
		}
		t.provider.SetClient("platform", "rotated")
		t.edit(ctx, "Secret", "platform-client", "stringData: {password: rotated}")
		for name, token := range tokens {
			t.replaced(ctx, name, token, atOnce)
			t.ready(ctx, name)
		}
		Consistently(t.total).Should(BeEquivalentTo(2 * len(tokens)))
	})

	It("costs nothing when the operator restarts", func(ctx SpecContext) {
		t := newTenant(ctx, keyed(time.Minute))
		t.namesakes = true
		t.before(&front{})
		t.fill(ctx, "platform-password")
		t.platform(ctx, "allowed: {scopes: [read]}", "allowedNamespaces: {matchLabels: {kubernetes.io/metadata.name: "+t.namespace+"}}")
		t.apply(ctx, byShared("shared", t, "scopes: [read]", `secret: {data: {header: '"Bearer " + token.access_token'}}`))
		i := t.newIssuer()
		t.provide(ctx, "idp", "issuer: "+i.url)
		t.crew(ctx, 2)
		Eventually(ctx, t.state("shared")).Should(Equal(good))
		names := []string{"shared", "crew-0", "crew-1"}
		versions := func(ctx context.Context) (all []string) {
			for _, name := range names {
				all = append(all, t.version(name)(ctx), t.credential(ctx, name).ResourceVersion)
			}
			return all
		}
		before := versions(ctx)
		restartOperator(ctx)
		Consistently(ctx, versions).WithTimeout(2 * time.Second).Should(Equal(before))
		Expect(t.total()).To(BeEquivalentTo(len(names)))

		By("asking when there is cause to")
		t.edit(ctx, "OAuthProvider", "idp", "spec: {request: {parameters: [{name: scope, value: more}]}}")
		Eventually(t.total).WithTimeout(atOnce).Should(BeEquivalentTo(len(names) + 2))
	})
})

var _ = DescribeTable("an OAuthProvider that is edited has its credentials ask at once, in line", func(ctx SpecContext, edit string, shows func(received) bool) {
	const at, crew = 2, 6
	t := newTenant(ctx, oauth(time.Minute))
	f := t.before(&front{})
	t.slow(150 * time.Millisecond)
	t.provide(ctx, "idp", fmt.Sprintf("limits: {maxConcurrentRequests: %d}", at))
	tokens := t.crew(ctx, crew)
	t.edit(ctx, "OAuthProvider", "idp", fmt.Sprintf(edit, t.url))
	for name, token := range tokens {
		t.replaced(ctx, name, token, atOnce)
	}
	for name := range tokens {
		t.ready(ctx, name)
	}
	Expect(t.total()).To(BeEquivalentTo(2 * crew))
	for _, request := range f.requests()[crew:] {
		Expect(shows(request)).To(BeTrue(), "%+v", request)
	}
	Expect(t.provider.Counts().MostInFlight).To(BeEquivalentTo(at))
},
	Entry("for its URL", "spec: {tokenURL: '%s/v2'}", func(r received) bool { return r.path == standin.TokenPath+"/v2" }),
	Entry("for a parameter", "spec: {tokenURL: '%s', request: {parameters: [{name: scope, value: everything}]}}",
		func(r received) bool { return r.form().Get("scope") == "everything" }),
	Entry("for a header", "spec: {tokenURL: '%s', request: {headers: [{name: Accept, value: application/json;v=2}]}}",
		func(r received) bool { return r.header.Get("Accept") == "application/json;v=2" }),
)

var _ = Describe("a provider with templates in its URL", func() {
	It("is asked at the URL that the variables make", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		f := t.before(&front{})
		t.provide(ctx, "idp", "tokenURL: '"+t.url+"/{realm}/{kind}'",
			"request: {parameters: [{name: realm, expression: 'variables.realm + \"/\" + client.id'}]}")
		declare := func(variables string) {
			t.apply(ctx, t.client("acme")+"---\n"+byProvider("acme", "idp, variables: {"+variables+"}", keyOf("acme")))
		}
		declare("realm: news")
		Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal(stalled("IncompatibleProvider")))
		Expect(t.message(ctx, "acme")).To(And(ContainSubstring("tokenURL"), ContainSubstring(`"kind"`), ContainSubstring("spec.providerRef.variables.kind")))
		t.asked(ctx, "acme", 0)

		By("adding the one that is missing")
		declare("realm: news, kind: a.b~c_d")
		old := t.ready(ctx, "acme")
		Expect(f.last().path).To(Equal(standin.TokenPath + "/news/a.b~c_d"))
		Expect(f.last().form()).To(HaveKeyWithValue("realm", []string{"news/acme"}))

		By("changing one")
		declare("realm: sports, kind: a.b~c_d")
		t.replaced(ctx, "acme", old, atOnce)
		Expect(f.last().path).To(Equal(standin.TokenPath + "/sports/a.b~c_d"))
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 2)
	})

	It("holds up no namespace for the hosts that others have chosen", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		base, stop, err := t.provider.Listen()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(stop)
		port := base[len("http://127.0.0.1:"):]
		t.share(ctx, "tokenURL: 'http://{host}:"+port+standin.TokenPath+"'", "limits: {maxConcurrentRequests: 1}")
		declare := func(t, owner *tenant, host string) {
			for i := range 3 {
				name := fmt.Sprintf("crew-%d", i)
				t.apply(ctx, t.client(name)+"---\n"+byProvider(name, owner.namespace+", kind: ClusterOAuthProvider, variables: {host: "+host+"}", keyOf(name)))
			}
		}
		var hanging []*tenant
		for _, host := range []string{"127.0.0.2", "127.0.0.3"} {
			other := newTenant(ctx, oauth(time.Minute))
			other.provider.Misbehave(standin.Behavior{Fault: standin.Hang})
			_, stop, err := other.provider.ListenAt(host + ":" + port)
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(stop)
			declare(other, t, host)
			hanging = append(hanging, other)
		}
		for _, other := range hanging {
			Eventually(func() int64 { return other.provider.Counts().InFlight }).Should(BeEquivalentTo(1))
		}
		declare(t, t, "127.0.0.1")
		for i := range 3 {
			Eventually(ctx, t.tokenIn(fmt.Sprintf("crew-%d", i))).WithTimeout(atOnce).ShouldNot(BeEmpty())
		}
		for _, other := range hanging {
			Expect(other.total()).To(BeEquivalentTo(1), "its own line is as long as it is")
		}
	})
})
