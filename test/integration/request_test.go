package integration_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("what is added to the token request", func() {
	It("arrives at the provider", func(ctx SpecContext) {
		provider := standin.NewOAuth(standin.Options{
			Lifetime:  time.Minute,
			AnyClient: func(string, string) bool { return true },
			Headers:   []string{"X-Region", "X-Key", "X-Version"},
		})
		t := newTenant(ctx, provider)
		f := t.before(&front{})
		t.apply(ctx, "apiVersion: v1\nkind: Secret\nmetadata: {name: extras}\nstringData: {key: s3cret-key, pin: '0815'}\n")
		t.declare(ctx, "acme", "audiences: [a, b]", "resources: ['https://api.example.com']", `request:
    headers:
    - {name: X-Region, value: eu}
    - {name: X-Key, valueFrom: {secretKeyRef: {name: extras, key: key}}}
    parameters:
    - {name: tenant, value: "a b&c"}
    - {name: pin, valueFrom: {secretKeyRef: {name: extras, key: pin}}}`)
		old := t.ready(ctx, "acme")
		got := f.last()
		Expect(got.header).To(And(HaveKeyWithValue("X-Region", []string{"eu"}), HaveKeyWithValue("X-Key", []string{"s3cret-key"})))
		Expect(got.form()).To(Equal(url.Values{
			"grant_type": {"client_credentials"},
			"scope":      {"read"},
			"audience":   {"a", "b"},
			"resource":   {"https://api.example.com"},
			"tenant":     {"a b&c"},
			"pin":        {"0815"},
		}))

		By("asking for nothing when a value behind it changes")
		t.edit(ctx, "Secret", "extras", "stringData: {key: another, pin: '4711'}")
		t.asked(ctx, "acme", 1)

		By("sending the new value with the next token")
		t.refreshNow(ctx, "acme")
		next := t.replaced(ctx, "acme", old, atOnce)
		got = f.last()
		Expect(got.header).To(HaveKeyWithValue("X-Key", []string{"another"}))
		Expect(got.form()).To(HaveKeyWithValue("pin", []string{"4711"}))

		By("asking at once when the spec says otherwise")
		t.ready(ctx, "acme")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {request: {headers: [{name: X-Version, value: '2'}]}}")
		t.replaced(ctx, "acme", next, atOnce)
		got = f.last()
		Expect(got.header).To(And(HaveKeyWithValue("X-Version", []string{"2"}), Not(HaveKey("X-Key"))))
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 3)
	})
})

// sample reads a manifest that users are given.
func sample(name string) string {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(cluster.Root(), "config", "samples", name+".yaml"))
	Expect(err).NotTo(HaveOccurred())
	return string(content)
}

// Nothing but the token URL is replaced.
var _ = DescribeTable("the sample of", func(ctx SpecContext, provider *standin.Server, name, tokenURL, credential, secret string) {
	t := newTenant(ctx, provider)
	manifests := sample(name)
	Expect(strings.Count(manifests, "tokenURL: "+tokenURL+"\n")).To(Equal(1))
	manifests = strings.Replace(manifests, tokenURL, t.url, 1)
	kubectl(ctx, manifests, "apply", "-n", t.namespace, "-f", "-")
	kubectl(ctx, "", "wait", "-n", t.namespace, "--for=condition=Ready", "--timeout=10s", "oauthcredential/"+credential)
	Expect(t.tokenIn(secret)(ctx)).NotTo(BeEmpty())
	data := t.shapeOf(secret)(ctx).Data
	Expect(data).To(HaveKeyWithValue("token_type", "Bearer"))
	expiresAt, err := time.Parse(time.RFC3339, data["expires_at"])
	Expect(err).NotTo(HaveOccurred())
	Expect(time.Until(expiresAt)).To(BeNumerically(">", 15*time.Minute))
	Expect(provider.Counts().Outcomes).To(Equal(map[standin.Outcome]int64{standin.Issued: 1}))
},
	Entry("Syncronex", standin.NewSyncronex(standin.Options{
		Clients: map[string]string{"app_acme_news_prod": "put-your-client-secret-here"},
		Tenants: []string{"acme_news_prod"},
	}), "syncronex", "https://identity.syncronex.com/oauth/token", "acme-news", "acme-news-token"),
	Entry("Syncplicity", standin.NewSyncplicity(standin.Options{
		Clients:   map[string]string{"put-your-app-key-here": "put-your-app-secret-here"},
		AppTokens: []string{"put-your-application-token-here"},
	}), "syncplicity", "https://api.syncplicity.com/oauth/token", "files", "files"),
	Entry("a server by RFC 6749", standin.NewOAuth(standin.Options{
		Clients: map[string]string{"orders-worker": "put-your-client-secret-here"},
		Scopes:  []string{"orders:read", "orders:write"},
	}), "rfc6749", "https://login.example.com/oauth2/token", "orders-api", "orders-api-token"),
)
