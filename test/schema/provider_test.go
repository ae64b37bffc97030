package schema_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

const whoMessage = "a provider that holds a secret must say who may use it: set allowedNamespaces, to {} for all namespaces"

var _ = Describe("spec.allowedNamespaces", func() {
	It("is demanded of a cluster provider that holds a secret", func(ctx SpecContext) {
		for _, holder := range holders {
			clusterProviders.judge(ctx, "spec: {allowedNamespaces: null, "+holder+"}", refused("spec", whoMessage))
			clusterProviders.judge(ctx, "spec: {allowedNamespaces: {}, "+holder+"}", accepted())
			providers.judge(ctx, "spec: {"+holder+"}", accepted())
		}
	})

	It("is not demanded of one that holds none", func(ctx SpecContext) {
		clusterProviders.judge(ctx, "spec: {allowedNamespaces: null}", accepted())
		clusterProviders.judge(ctx, "spec: {allowedNamespaces: null, request: {headers: [{name: X-A, value: a}], parameters: [{name: a, expression: now}]}}", accepted())
		clusterProviders.judge(ctx, "spec: {allowedNamespaces: null, tls: {caRef: {kind: Secret, name: ca, key: ca.crt}}}", accepted())
	})

	DescribeTable("is a selector",
		within(clusterProviders.judge, "spec: {allowedNamespaces: %s}", "spec.allowedNamespaces"),
		Entry("of labels", "{matchLabels: {team: a}}", accepted()),
		Entry("of expressions", "{matchExpressions: [{key: team, operator: In, values: [a, b]}, {key: b, operator: Exists}]}", accepted()),
		Entry("of expressions that exclude", "{matchExpressions: [{key: team, operator: NotIn, values: [a]}, {key: b, operator: DoesNotExist}]}", accepted()),
		Entry("of operators that there are", "{matchExpressions: [{key: team, operator: Equals, values: [a]}]}",
			refused("", "each operator must be In or NotIn, with values, or Exists or DoesNotExist, without values")),
		Entry("of values for In", "{matchExpressions: [{key: team, operator: In}]}", refused("", "each operator must be In or NotIn, with values")),
		Entry("of no values for Exists", "{matchExpressions: [{key: team, operator: Exists, values: [a]}]}",
			refused("", "each operator must be In or NotIn, with values")),
		Entry("and no list", "[web]", refused("", `must be of type object: "array"`)),
	)
})

const allowedMessage = "allowed is only for a provider that holds a secret, by client or by a valueFrom in its request: remove it"

var _ = Describe("spec.allowed", func() {
	It("is for providers that hold a secret", func(ctx SpecContext) {
		for _, holder := range holders {
			judgeProviders(ctx, "spec: {allowed: {scopes: [read]}, "+holder+"}", accepted())
		}
	})

	It("is for no others", func(ctx SpecContext) {
		judgeProviders(ctx, "spec: {allowed: {scopes: [read]}}", refused("spec", allowedMessage))
		judgeProviders(ctx, "spec: {allowed: {scopes: [read]}, request: {headers: [{name: X-A, value: a}]}}", refused("spec", allowedMessage))
	})

	DescribeTable("lists", within(judgeProviders, "spec: {client: {id: app}, allowed: %s}", "spec.allowed"),
		Entry("nothing", "{}", accepted()),
		Entry("no scope", "{scopes: []}", accepted()),
		Entry("all that may be asked for", "{scopes: [a], audiences: [urn:a], resources: ['https://a.example.com'], grantTypes: [client_credentials, urn:a], variables: {tenant: [a, b], region: []}}", accepted()),
		Entry("256 scopes", "{scopes: ["+entries(256, "s%d")+"]}", accepted()),
		Entry("no more scopes", "{scopes: ["+entries(257, "s%d")+"]}", refused(".scopes", "Too many", "at most 256")),
		Entry("no scope twice", "{scopes: [a, a]}", refused(".scopes[1]", "Duplicate value")),
		Entry("no empty scope", "{scopes: ['']}", refused(".scopes[0]", "at least 1 chars")),
		Entry("no scope with a space", "{scopes: [read write]}", refused(".scopes[0]", scopeMessage)),
		Entry("no more than 256 audiences", "{audiences: ["+entries(257, "s%d")+"]}", refused(".audiences", "Too many", "at most 256")),
		Entry("no more than 256 resources", "{resources: ["+entries(257, "s%d")+"]}", refused(".resources", "Too many", "at most 256")),
		Entry("no resource twice", "{resources: [a, a]}", refused(".resources[1]", "Duplicate value")),
		Entry("no more than 16 grant types", "{grantTypes: ["+entries(17, "g%d")+"]}", refused(".grantTypes", "Too many", "at most 16")),
		Entry("no grant type with a space", "{grantTypes: [a b]}", refused(".grantTypes[0]", "must be the name of a grant type")),
		Entry("16 variables of 256 values", "{variables: {"+entries(16, "v%d: ["+entries(256, "a%d")+"]")+"}}", accepted()),
		Entry("no more variables", "{variables: {"+entries(17, "v%d: [a]")+"}}", refused(".variables", "Too many", "at most 16")),
		Entry("no more values", "{variables: {a: ["+entries(257, "a%d")+"]}}", refused(".variables.a", "Too many", "at most 256")),
		Entry("no value twice", "{variables: {a: [b, b]}}", refused(".variables[a][1]", "Duplicate value")),
		Entry("no value that climbs", "{variables: {a: [..]}}", refused(".variables[a][0]", valueMessage)),
		Entry("no value of two pieces", "{variables: {a: [b/c]}}", refused(".variables[a][0]", valueMessage)),
		Entry("no variable that cannot be", "{variables: {my-tenant: [b]}}", refused(".variables", variableMessage)),
		Entry("no single value", "{variables: {a: b}}", refused(".variables.a", `must be of type array: "string"`)),
	)
})

var _ = DescribeTable("spec.allowedAuthorities",
	within(judgeProviders, "spec: {allowedAuthorities: %s}", "spec.allowedAuthorities"),
	Entry("takes none", "[]", accepted()),
	Entry("takes hosts", "[login.example.com, 'login.example.com:8443', '[2001:db8::1]:8443']", accepted()),
	Entry("takes a host of 259 characters", "["+strings.Repeat("a", 259)+"]", accepted()),
	Entry("refuses a longer one", "["+strings.Repeat("a", 260)+"]", refused("[0]", "Too long", "259")),
	Entry("refuses an empty one", "['']", refused("[0]", "at least 1 chars")),
	Entry("refuses a URL", "['https://login.example.com']",
		refused("[0]", "must be a host, with its port if it has one, such as login.example.com or login.example.com:8443: without scheme and path")),
	Entry("refuses a user", "[a@login.example.com]", refused("[0]", "must be a host")),
	Entry("refuses a template", "['{tenant}.example.com']", refused("[0]", "must be a host")),
	Entry("refuses a line break", `["login.example.com\n"]`, refused("[0]", "must be a host")),
	Entry("refuses one twice", "[a, a]", refused("[1]", "Duplicate value")),
	Entry("refuses more than 16", "["+entries(17, "h%d")+"]", refused("", "Too many", "at most 16")),
)

const (
	bothMessage  = "requests and period belong together, as in 10 per 1s: set both, or none"
	burstMessage = "burst is only for requests per period: set both of those, or remove it"
)

var _ = DescribeTable("spec.limits", within(judgeProviders, "spec: {limits: %s}", "spec.limits"),
	Entry("may be none", "{}", accepted()),
	Entry("may bound what is under way", "{maxConcurrentRequests: 1}", accepted()),
	Entry("may bound requests", "{requests: 10, period: 1s}", accepted()),
	Entry("may bound all", "{maxConcurrentRequests: 1000, requests: 1000000, period: 24h, burst: 100000}", accepted()),
	Entry("may not bound requests without a period", "{requests: 10}", refused("", bothMessage)),
	Entry("may not have a period without requests", "{period: 1s}", refused("", bothMessage)),
	Entry("may not have a burst alone", "{burst: 1}", refused("", burstMessage)),
	Entry("may not have a burst of what is under way", "{maxConcurrentRequests: 1, burst: 1}", refused("", burstMessage)),
	Entry("may not hold all back", "{maxConcurrentRequests: 0}", refused(".maxConcurrentRequests", "greater than or equal to 1")),
	Entry("may not let all through", "{maxConcurrentRequests: 1001}", refused(".maxConcurrentRequests", "less than or equal to 1000")),
	Entry("may not be of no requests", "{requests: 0, period: 1s}", refused(".requests", "greater than or equal to 1")),
	Entry("may not be of more than a million", "{requests: 1000001, period: 1s}", refused(".requests", "less than or equal to 1000000")),
	Entry("may not be of a short period", "{requests: 1, period: 999ms}", refused(".period", "must be a duration between 1s and 24h, such as 1s or 1h")),
	Entry("may not be of a long period", "{requests: 1, period: 24h1ms}", refused(".period", "must be a duration between 1s and 24h")),
	Entry("may not be of a burst of none", "{requests: 1, period: 1s, burst: 0}", refused(".burst", "greater than or equal to 1")),
	Entry("may not be of a burst of more than 100000", "{requests: 1, period: 1s, burst: 100001}", refused(".burst", "less than or equal to 100000")),
	Entry("may not be a text", "{maxConcurrentRequests: '1'}", refused(".maxConcurrentRequests", `must be of type integer: "string"`)),
)

var _ = DescribeTable("the client of a provider", within(judgeProviders, "spec: {client: {%s}}", ""),
	Entry("may have a secret", withSecret, accepted()),
	Entry("may have a private key", withPrivateKey, accepted()),
	Entry("may have a certificate", withCertificate, accepted()),
	Entry("may be an id", idOnly, accepted()),
	Entry("may be no ServiceAccount", withAccount,
		refused("spec", "client.serviceAccount is for credentials only: a ServiceAccount speaks for its own namespace")),
)

var _ = DescribeTable("the header Authorization of a provider",
	func(ctx SpecContext, authentication, client string, want verdict) {
		header := "request: {headers: [{name: authorization, expression: '\"a\"'}]}"
		judgeProviders(ctx, fmt.Sprintf("spec: {clientAuthentication: %s, client: {%s}, %s}", authentication, client, header), want)
		judgeProviders(ctx, fmt.Sprintf("spec: {client: {%s, authentication: %s}, %s}", client, authentication, header), want)
	},
	Entry("goes with none", "{method: none}", idOnly, accepted()),
	Entry("goes with client_secret_post", "{method: client_secret_post}", withSecret, accepted()),
	Entry("goes with no method where there is no secret", "{}", withPrivateKey, accepted()),
	Entry("clashes with client_secret_basic", "{method: client_secret_basic}", withSecret, refused("spec", authorizationMessage)),
	Entry("clashes with no method where there is a secret", "{}", withSecret, refused("spec", authorizationMessage)),
)
