package integration_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// judge is what a provider thinks of a grant: nothing where it is of that type and has
// exactly these parameters.
func judge(grantType string, want url.Values) func(string, url.Values) string {
	return func(got string, parameters url.Values) string {
		parameters = maps.Clone(parameters)
		parameters.Del("grant_type")
		switch {
		case got != grantType:
			return "the grant type is " + got
		case !maps.EqualFunc(parameters, want, slices.Equal):
			return "the parameters are " + parameters.Encode()
		}
		return ""
	}
}

// granting is a provider of clients by their passwords, or without any, that asks the
// judge about grants.
func granting(judge func(string, url.Values) string) *standin.Server {
	return standin.NewOAuth(standin.Options{
		Lifetime: time.Minute, Grant: judge,
		AnyClient: func(id, secret string) bool { return secret == "" || password(id, secret) },
	})
}

// indent makes a block of YAML of a text.
func indent(text string, by int) string {
	return strings.ReplaceAll("\n"+strings.TrimSpace(text), "\n", "\n"+strings.Repeat(" ", by))
}

var _ = Describe("the grant", func() {
	It("jwt-bearer signs an assertion with a key of a Secret", func(ctx SpecContext) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		Expect(err).NotTo(HaveOccurred())
		encoded, err := x509.MarshalPKCS8PrivateKey(key)
		Expect(err).NotTo(HaveOccurred())
		seen := map[string]bool{}
		t := newTenant(ctx, granting(func(grantType string, parameters url.Values) string {
			if grantType != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
				return "the grant type is " + grantType
			}
			assertion, err := jwt.ParseSigned(parameters.Get("assertion"), []jose.SignatureAlgorithm{jose.ES256})
			if err != nil {
				return err.Error()
			}
			claims, more := jwt.Claims{}, map[string]any{}
			if err := assertion.Claims(key.Public(), &claims, &more); err != nil {
				return err.Error()
			}
			expected := jwt.Expected{Issuer: "robot@example.com", Subject: "ceo@example.com", AnyAudience: jwt.Audience{"https://login.example.com"}, Time: time.Now()}
			switch err := claims.ValidateWithLeeway(expected, 2*time.Second); {
			case err != nil:
				return err.Error()
			case len(claims.Audience) != 1 || assertion.Headers[0].KeyID != "key-1" || seen[claims.ID] || claims.ID == "":
				return "the audience, the key's id or the jti is wrong"
			case claims.Expiry.Time().Sub(claims.IssuedAt.Time()) != 2*time.Minute:
				return "it lives " + claims.Expiry.Time().Sub(claims.IssuedAt.Time()).String()
			case more["scope"] != "drive" || more["realm"] != "realm of robot":
				return "the further claims are wrong"
			}
			seen[claims.ID] = true
			return ""
		}))
		t.apply(ctx, "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData:\n  pem: |"+
			indent(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})), 4)+"\n")
		t.provide(ctx, "idp")
		t.apply(ctx, byProvider("robot", "idp", "client: {id: robot}", "grantType: urn:ietf:params:oauth:grant-type:jwt-bearer",
			"jwtBearer: {privateKeyRef: {name: key, key: pem}, keyID: key-1, issuer: robot@example.com, subject: ceo@example.com, "+
				"audience: 'https://login.example.com', lifetime: 2m, claims: {scope: '\"drive\"', realm: '\"realm of \" + client.id'}}"))
		old := t.ready(ctx, "robot")
		t.refreshNow(ctx, "robot")
		t.replaced(ctx, "robot", old, atOnce)
		t.asked(ctx, "robot", 2)

		By("refusing a key that is none")
		t.ready(ctx, "robot")
		t.edit(ctx, "Secret", "key", "stringData: {pem: n0t-a-key}")
		t.says(ctx, "robot", "(InvalidKey)", "spec.jwtBearer.privateKeyRef")
		Expect(t.message(ctx, "robot")).NotTo(ContainSubstring("n0t-a-key"))
		t.asked(ctx, "robot", 2)
	})

	It("token-exchange exchanges a token of a Secret", func(ctx SpecContext) {
		t := newTenant(ctx, granting(judge("urn:ietf:params:oauth:grant-type:token-exchange", url.Values{
			"subject_token": {"t0ken"}, "subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
			"requested_token_type": {"urn:ietf:params:oauth:token-type:jwt"},
			"actor_token":          {"act0r"}, "actor_token_type": {"urn:ietf:params:oauth:token-type:jwt"},
			"audience": {"a", "b"}, "resource": {"https://r.example.com"}, "scope": {"read write"},
		})))
		t.apply(ctx, t.client("acme")+"---\napiVersion: v1\nkind: Secret\nmetadata: {name: tokens}\nstringData: {subject: t0ken, actor: act0r}\n")
		t.provide(ctx, "idp")
		t.apply(ctx, byProvider("acme", "idp", keyOf("acme"), "grantType: urn:ietf:params:oauth:grant-type:token-exchange",
			"tokenExchange: {subjectToken: {secretKeyRef: {name: tokens, key: subject}}, subjectTokenType: 'urn:ietf:params:oauth:token-type:access_token',",
			"  actorToken: {secretKeyRef: {name: tokens, key: actor}}, actorTokenType: 'urn:ietf:params:oauth:token-type:jwt',",
			"  requestedTokenType: 'urn:ietf:params:oauth:token-type:jwt'}",
			"audiences: [a, b]", "resources: ['https://r.example.com']", "scopes: [read, write]"))
		t.ready(ctx, "acme")

		By("not asking anew because the token changes, which it does by nature")
		t.edit(ctx, "Secret", "tokens", "stringData: {subject: another}")
		t.asked(ctx, "acme", 1)
	})

	It("password sends a user's name and password", func(ctx SpecContext) {
		t := newTenant(ctx, granting(judge("password", url.Values{"username": {"robot"}, "password": {"p&ss word"}})))
		t.apply(ctx, t.client("acme")+"---\napiVersion: v1\nkind: Secret\nmetadata: {name: user}\nstringData: {name: robot, password: 'p&ss word'}\n")
		t.provide(ctx, "idp")
		t.apply(ctx, byProvider("acme", "idp", keyOf("acme"), "grantType: password",
			"password: {usernameRef: {name: user, key: name}, passwordRef: {name: user, key: password}}"))
		t.ready(ctx, "acme")
		Expect(t.requests("acme")()).To(BeEquivalentTo(1))
	})

	It("of a provider's own is sent by its name", func(ctx SpecContext) {
		t := newTenant(ctx, granting(judge("account_credentials", url.Values{"account_id": {"abc-1"}})))
		t.provide(ctx, "zoom", "tokenReissue: Replaces")
		t.apply(ctx, t.client("acme")+"---\n"+byProvider("acme", "zoom", keyOf("acme"), "grantType: account_credentials",
			"request: {parameters: [{name: account_id, value: abc-1}]}"))
		t.ready(ctx, "acme")
		Expect(t.requests("acme")()).To(BeEquivalentTo(1))
	})
})

// Each says what is wrong by a form that the provider refuses.
var _ = DescribeTable("a request is sent as", func(ctx SpecContext, endpoint, credential string, translate func(*http.Request, string) url.Values) {
	t := newTenant(ctx, oauth(time.Minute))
	t.before(&front{translate: translate})
	t.provide(ctx, "idp", endpoint)
	t.apply(ctx, t.client("acme")+"---\n"+byProvider("acme", "idp", credential))
	t.ready(ctx, "acme")
	Expect(t.requests("acme")()).To(BeEquivalentTo(1))
},
	Entry("JSON", "clientAuthentication: {method: client_secret_post}\n  request: {bodyFormat: JSON, scopeSeparator: ','}", keyOf("acme")+"\n  scopes: [a, b]\n  audiences: [c, d]",
		func(r *http.Request, body string) url.Values {
			sent := map[string]any{}
			if err := json.Unmarshal([]byte(body), &sent); err != nil || r.Header.Get("Content-Type") != "application/json" {
				return url.Values{"problem": {"no JSON"}}
			}
			text := func(name string) []string { value, _ := sent[name].(string); return []string{value} }
			if list, _ := sent["audience"].([]any); text("scope")[0] != "a,b" || !slices.Equal(list, []any{"c", "d"}) {
				return url.Values{"problem": {"scope or audience"}}
			}
			return url.Values{"grant_type": text("grant_type"), "client_id": text("client_id"), "client_secret": text("client_secret")}
		}),
	Entry("a query", "clientAuthentication: {method: client_secret_post}\n  request: {method: GET, bodyFormat: Query, omitParameters: [grant_type]}", keyOf("acme"),
		func(r *http.Request, body string) url.Values {
			if query := r.URL.Query(); r.Method == http.MethodGet && body == "" && !query.Has("grant_type") {
				query.Set("grant_type", "client_credentials")
				return query
			}
			return url.Values{}
		}),
	Entry("nothing, by PUT, with a bearer of a Secret", "clientAuthentication: {method: none}\n  request: {method: PUT, bodyFormat: None}",
		`request: {headers: [{name: Authorization, valueFrom: {secretKeyRef: {name: acme-client, key: password}}, expression: '"Bearer " + value'}]}
  scopes: [unsent]`,
		func(r *http.Request, body string) url.Values {
			bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			r.Header.Del("Authorization")
			if r.Method != http.MethodPut || body != "" || r.Header.Get("Content-Type") != "" || !ok {
				return url.Values{}
			}
			return url.Values{"grant_type": {"client_credentials"}, "client_id": {"acme"}, "client_secret": {bearer}}
		}),
)
