package schema_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// assertion judges the assertion of a client, wherever it is described.
func assertion(ctx SpecContext, text string, want verdict) {
	GinkgoHelper()
	judgeEndpoints(ctx, fmt.Sprintf("{clientAuthentication: {assertion: %s}}", text), want.below(".clientAuthentication.assertion"))
	judge(ctx, fmt.Sprintf("spec: {client: {%s, authentication: {assertion: %s}}}", withPrivateKey, text),
		want.below("spec.client.authentication.assertion"))
}

const algorithms = `"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"`

var _ = DescribeTable("the assertion of a client", assertion,
	Entry("may say nothing", "{}", accepted()),
	Entry("may say all", "{audience: 'https://login.example.com', algorithm: PS256, keyID: key-1, lifetime: 5m}", accepted()),
	Entry("may be signed by EdDSA", "{algorithm: EdDSA}", accepted()),
	Entry("may not be unsigned", "{algorithm: none}", refused(".algorithm", algorithms)),
	Entry("may not be signed by what is in lower case", "{algorithm: rs256}", refused(".algorithm", "Unsupported value")),
	Entry("may have a long audience", fmt.Sprintf("{audience: %s}", strings.Repeat("a", 2048)), accepted()),
	Entry("may have no longer one", fmt.Sprintf("{audience: %s}", strings.Repeat("a", 2049)), refused(".audience", "Too long", "2048")),
	Entry("may have no empty one", `{audience: ""}`, refused(".audience", "at least 1 chars")),
	Entry("may have a long key id", fmt.Sprintf("{keyID: %s}", strings.Repeat("a", 256)), accepted()),
	Entry("may have no longer one", fmt.Sprintf("{keyID: %s}", strings.Repeat("a", 257)), refused(".keyID", "Too long", "256")),
	Entry("may live 10s", "{lifetime: 10s}", accepted()),
	Entry("may live 1h", "{lifetime: 1h}", accepted()),
	Entry("may not live shorter", "{lifetime: 9999ms}", refused(".lifetime", "must be a duration between 10s and 1h, such as 60s or 5m")),
	Entry("may not live longer", "{lifetime: 1h1ms}", refused(".lifetime", "must be a duration between 10s and 1h")),
	Entry("may not live without a unit", `{lifetime: "60"}`, refused(".lifetime", "must be a duration")),
)

const (
	assertionMessage = "assertion is only for the methods client_secret_jwt and private_key_jwt: remove it, or change the method"
	algorithmMessage = "client_secret_jwt is signed by HS256, HS384 or HS512, and private_key_jwt by one of the others: change the algorithm or the method"
)

var _ = DescribeTable("the method of an assertion",
	func(ctx SpecContext, authentication, client string, want verdict) {
		clients(ctx, authentication, client, want)
	},
	Entry("may be private_key_jwt", "{method: private_key_jwt, assertion: {algorithm: ES256}}", withPrivateKey, accepted()),
	Entry("may be client_secret_jwt", "{method: client_secret_jwt, assertion: {algorithm: HS512}}", withSecret, accepted()),
	Entry("may not be client_secret_basic", "{method: client_secret_basic, assertion: {keyID: a}}", withSecret,
		refused("uthentication", assertionMessage)),
	Entry("may not be tls_client_auth", "{method: tls_client_auth, assertion: {keyID: a}}", withCertificate,
		refused("uthentication", assertionMessage)),
	Entry("may not be none", "{method: none, assertion: {keyID: a}}", idOnly, refused("uthentication", assertionMessage)),
	Entry("may not be private_key_jwt for a secret's algorithm", "{method: private_key_jwt, assertion: {algorithm: HS256}}", withPrivateKey,
		refused("uthentication", algorithmMessage)),
	Entry("may not be client_secret_jwt for a key's algorithm", "{method: client_secret_jwt, assertion: {algorithm: RS256}}", withSecret,
		refused("uthentication", algorithmMessage)),
)

// serviceAccount judges the token of a ServiceAccount, wherever one can be asked for.
func serviceAccount(ctx SpecContext, text string, want verdict) {
	GinkgoHelper()
	for path, around := range map[string]string{
		"spec.client.serviceAccount":    "spec: {client: {serviceAccount: %s}}",
		"spec.jwtBearer.serviceAccount": "spec: {grantType: " + jwtBearer + ", jwtBearer: {serviceAccount: %s}}",
		"spec.tokenExchange.subjectToken.serviceAccount": "spec: {grantType: " + tokenExchange +
			", tokenExchange: {subjectTokenType: a, subjectToken: {serviceAccount: %s}}}",
		"spec.tokenExchange.actorToken.serviceAccount": "spec: {grantType: " + tokenExchange +
			", tokenExchange: {subjectTokenType: a, subjectToken: {secretKeyRef: {name: a, key: a}}, actorTokenType: a, actorToken: {serviceAccount: %s}}}",
	} {
		judge(ctx, fmt.Sprintf(around, text), want.below(path))
	}
}

var _ = DescribeTable("the token of a ServiceAccount", serviceAccount,
	Entry("may be of one with an audience", "{name: app.v2, audience: 'api://AzureADTokenExchange'}", accepted()),
	Entry("may be valid for 600 s", "{name: app, audience: a, expirationSeconds: 600}", accepted()),
	Entry("may be valid for a day", "{name: app, audience: a, expirationSeconds: 86400}", accepted()),
	Entry("may not be valid shorter", "{name: app, audience: a, expirationSeconds: 599}",
		refused(".expirationSeconds", "greater than or equal to 600")),
	Entry("may not be valid longer", "{name: app, audience: a, expirationSeconds: 86401}",
		refused(".expirationSeconds", "less than or equal to 86400")),
	Entry("may not be valid for a duration", "{name: app, audience: a, expirationSeconds: 1h}",
		refused(".expirationSeconds", `must be of type integer: "string"`)),
	Entry("needs an audience", "{name: app}", refused(".audience", "Required value")),
	Entry("needs one that is not empty", `{name: app, audience: ""}`, refused(".audience", "at least 1 chars")),
	Entry("needs no long one", fmt.Sprintf("{name: app, audience: %s}", strings.Repeat("a", 2049)), refused(".audience", "Too long", "2048")),
	Entry("needs a name", "{audience: a}", refused(".name", "Required value")),
	Entry("needs a name of its namespace", "{name: other/app, audience: a}",
		refused(".name", "must be the name of a ServiceAccount: lower-case letters, digits, '-' and '.'")),
)

var _ = DescribeTable("the name of a certificate", within(judgeKinds, "spec: {client: {id: app, certificateRef: %s}}", "spec.client.certificateRef"),
	Entry("may be that of a Secret", "{name: app.tls}", accepted()),
	Entry("is needed", "{}", refused(".name", "Required value")),
	Entry("may be no path", "{name: ../app}", refused(".name", "must be the name of a Secret")),
)
