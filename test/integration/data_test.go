package integration_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("the keys of a Secret by expressions", func() {
	It("hold what consumers want to read, and nothing else", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme", `secret: {data: {
    authorization: '"Authorization: Bearer " + token.access_token + "\r\n"',
    info: 'toJSON({"id": client.id, "of": credential.namespace + "/" + credential.name, "until": token.expires_at, "scope": token.scope})'}}`)
		Eventually(ctx, t.state("acme")).Should(Equal(good))
		secret := t.shapeOf("acme")(ctx)
		Expect(secret.Data).To(HaveLen(2))
		token, ok := strings.CutPrefix(strings.TrimSuffix(secret.Data["authorization"], "\r\n"), "Authorization: Bearer ")
		Expect(ok).To(BeTrue())
		_, _, ok = t.provider.Check(token)
		Expect(ok).To(BeTrue())
		info := map[string]string{}
		Expect(json.Unmarshal([]byte(secret.Data["info"]), &info)).To(Succeed())
		Expect(info).To(Equal(map[string]string{
			"id": "acme", "of": t.namespace + "/acme", "scope": "read", "until": secret.Annotations["tokensync.dev/expires-at"],
		}))

		By("replacing the token for other keys, which the answer may be needed for")
		t.edit(ctx, "OAuthCredential", "acme", "spec: {secret: {data: {info: null, authorization: null, token: token.access_token}}}")
		Eventually(ctx, t.shapeOf("acme")).WithTimeout(atOnce).Should(HaveField("Data", And(HaveLen(1), HaveKey("token"))))
		Eventually(ctx, t.state("acme")).Should(Equal(good))
		Expect(t.shapeOf("acme")(ctx).Data).NotTo(HaveKeyWithValue("token", token))
		t.asked(ctx, "acme", 2)
	})

	It("make a Secret that the kubelet pulls images with", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme", `secret:
    type: kubernetes.io/dockerconfigjson
    data:
      .dockerconfigjson: >-
        toJSON({"auths": {"registry.example.com": {"auth": base64.encode("oauth2:" + token.access_token)}}})`)
		Eventually(ctx, t.state("acme")).Should(Equal(good))
		secret := t.shapeOf("acme")(ctx)
		Expect(secret.Type).To(Equal(corev1.SecretTypeDockerConfigJson))
		config := struct {
			Auths map[string]struct {
				Auth []byte `json:"auth"`
			} `json:"auths"`
		}{}
		Expect(json.Unmarshal([]byte(secret.Data[corev1.DockerConfigJsonKey]), &config)).To(Succeed())
		token, ok := strings.CutPrefix(string(config.Auths["registry.example.com"].Auth), "oauth2:")
		Expect(ok).To(BeTrue())
		_, _, ok = t.provider.Check(token)
		Expect(ok).To(BeTrue())
		Expect(t.requests("acme")()).To(BeEquivalentTo(1))
	})

	It("are looked at before a token is asked for", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "word", `secret: {data: {authorization: Bearer}}`)
		t.declare(ctx, "syntax", `secret: {data: {authorization: '"Bearer " +'}}`)
		t.declare(ctx, "type", `secret: {data: {authorization: '"Bearer " + 1'}}`)
		t.declare(ctx, "header", `request: {headers: [{name: X-Key, value: a, expression: 'values'}]}`)
		for name, message := range map[string]string{
			"word": "quote it if it is text", "syntax": "spec.secret.data.authorization", "type": "spec.secret.data.authorization",
			"header": "spec.request.headers[X-Key].expression",
		} {
			Eventually(ctx, t.state(name)).Should(Equal(stalled("InvalidExpression")), name)
			Expect(t.message(ctx, name)).To(ContainSubstring(message))
			Expect(t.secret(ctx, name)).To(BeNil())
		}
		Consistently(t.total).Should(BeZero())

		t.edit(ctx, "OAuthCredential", "word", `spec: {secret: {data: {authorization: '"Bearer " + token.access_token'}}}`)
		Eventually(ctx, t.state("word")).WithTimeout(atOnce).Should(Equal(good))
		t.asked(ctx, "word", 1)
	})

	It("are repaired by a new token, and labels beside them without", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		const data = `secret: {labels: {team: news}, data: {authorization: '"Bearer " + token.access_token', user: client.id}}`
		damages := map[string]string{
			"edited": "stringData: {authorization: Bearer made-up}", "removed": "data: {authorization: null}",
			"lesser": "stringData: {user: root}",
		}
		before := map[string]*shape{}
		declare := func(name string) {
			t.declare(ctx, name, data)
			Eventually(ctx, t.state(name)).Should(Equal(good))
			before[name] = t.shapeOf(name)(ctx)
		}
		for name := range damages {
			declare(name)
		}
		declare("relabeled")
		for name, damage := range damages {
			t.edit(ctx, "Secret", name, damage)
		}
		t.edit(ctx, "Secret", "relabeled", "metadata: {labels: {team: sports}, annotations: {tokensync.dev/expires-at: null}}")
		Eventually(ctx, t.shapeOf("relabeled")).WithTimeout(repairTime).Should(Equal(before["relabeled"]))
		for name := range damages {
			Eventually(ctx, t.shapeOf(name)).WithTimeout(repairTime).Should(HaveField("Data", And(
				HaveKeyWithValue("user", name), HaveKeyWithValue("authorization", HavePrefix("Bearer ")),
				Not(HaveKeyWithValue("authorization", before[name].Data["authorization"])),
				Not(HaveKeyWithValue("authorization", "Bearer made-up")),
			)), name)
			Eventually(ctx, t.state(name)).Should(Equal(good))
		}
		Consistently(t.total).Should(BeEquivalentTo(2*len(damages) + 1))
	})

	It("join those of a Secret that is taken over, and leave it again", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.apply(ctx, precious)
		t.declare(ctx, "acme", `secret: {name: precious, adoptExisting: true, data: {password: token.access_token, token_type: token.token_type}}`)
		Eventually(ctx, t.state("acme")).Should(Equal(good))
		Expect(t.shapeOf("precious")(ctx).Data).To(And(HaveLen(3), HaveKeyWithValue("username", "root"),
			HaveKeyWithValue("token_type", "Bearer"), HaveKey("password")))
		t.remove(ctx, "OAuthCredential", "acme")
		Eventually(ctx, t.shapeOf("precious")).WithTimeout(repairTime).Should(HaveField("Data", Equal(map[string]string{"username": "root"})))
	})

	It("find what else the provider answers, without the secrets that it repeats", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		pair := base64.StdEncoding.EncodeToString([]byte("acme:acme-password"))
		t.before(&front{amend: func(_ received, answer map[string]any) {
			answer["instance_url"] = "https://eu.example.com"
			answer["debug"] = map[string]any{"you said": []any{"acme-password", "Basic " + pair, "k=acme-password&x"}}
		}})
		t.endpoint = `response: {extra: {instance: body.instance_url, plan: body.plan.name}}, `
		t.declare(ctx, "acme", `secret: {data: {
    url: token.instance + "/v1", plan: '"plan" in token ? string(token.plan) : "none"',
    raw: toJSON(token.raw), debug: 'toJSON(token.raw.debug)'}}`)
		Eventually(ctx, t.state("acme")).Should(Equal(good))
		data := t.shapeOf("acme")(ctx).Data
		Expect(data).To(And(HaveKeyWithValue("url", "https://eu.example.com/v1"), HaveKeyWithValue("plan", "none")))
		raw := map[string]any{}
		Expect(json.Unmarshal([]byte(data["raw"]), &raw)).To(Succeed())
		Expect(raw).To(And(HaveKey("access_token"), HaveKey("instance_url"), HaveKey("expires_in"), HaveKey("debug")))
		for _, hidden := range []string{"acme-password", pair} {
			Expect(data["raw"] + data["debug"]).NotTo(ContainSubstring(hidden))
		}
	})
})

var _ = It("maps the answers of Syncplicity for all that share its provider", func(ctx SpecContext) {
	t := newTenant(ctx, standin.NewSyncplicity(standin.Options{AnyClient: password, AppTokens: []string{"YXBwK3Rva2Vu/w=="}}))
	t.share(ctx, "clientAuthentication: {method: client_secret_basic, basicEncoding: Raw}",
		`response: {error: 'has(body.ErrorCode) ? body.ErrorCode : body.error', errorDescription: 'has(body.Error) ? body.Error : body.error_description',
    extra: {company: body.user_company_id}}`)
	t.apply(ctx, "apiVersion: v1\nkind: Secret\nmetadata: {name: syncplicity}\n"+
		"stringData: {app_key: files, app_secret: files-password, app_token: YXBwK3Rva2Vu/w==}\n---\n"+
		byShared("files", t, "client: {idRef: {name: syncplicity, key: app_key}, secretRef: {name: syncplicity, key: app_secret}}",
			"request: {headers: [{name: Sync-App-Token, valueFrom: {secretKeyRef: {name: syncplicity, key: app_token}}}]}",
			`secret: {data: {authorization: '"Bearer " + token.access_token', app_key: client.id, company: token.company}}`))
	Eventually(ctx, t.state("files")).Should(Equal(good))
	data := t.shapeOf("files")(ctx).Data
	Expect(data).To(And(HaveLen(3), HaveKeyWithValue("app_key", "files"), HaveKeyWithValue("company", HavePrefix("c0ffee"))))
	status := t.credential(ctx, "files").Status
	Expect(status.ExpiresAt.Sub(status.IssuedAt.Time)).To(BeNumerically("~", 85*time.Minute, 2*time.Second))

	By("reading its errors")
	t.provider.SetClient("files", "another")
	t.refreshNow(ctx, "files")
	t.says(ctx, "files", "(ProviderRejected)", "invalid_client", "ClientId is Invalid")
})

var _ = It("gives the tenant of Syncronex as a scope to a provider of the namespace", func(ctx SpecContext) {
	t := newTenant(ctx, standin.NewSyncronex(standin.Options{AnyClient: password, Tenants: []string{"acme_news_prod"}}))
	t.provide(ctx, "syncronex", "clientAuthentication: {method: client_secret_post}",
		`response: {issuedAt: 'body[".issued"]', expiresAt: 'body[".expires"]', expiresIn: body.absent}`)
	t.apply(ctx, t.client("acme")+"---\n"+byProvider("acme", "syncronex", keyOf("acme"), "scopes: [acme_news_prod]"))
	t.ready(ctx, "acme")
	status := t.credential(ctx, "acme").Status
	Expect(status.ExpiresAt.Sub(status.IssuedAt.Time)).To(BeNumerically("~", 20*time.Minute, 2*time.Second))
	Expect(t.requests("acme")()).To(BeEquivalentTo(1))
})
