package schema_test

import (
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// sized writes n entries by a format that takes a number and a text of a length.
func sized(n int, format string, length int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(format, i, strings.Repeat("a", length))
	}
	return strings.Join(list, ", ")
}

// The API server refuses a rule whose estimated cost is too high when it takes the
// CRD, and an object on which the rules cost too much. The largest objects must
// pass; they are as large as the store lets them be, which is 1.5 MiB.
var _ = Describe("objects that are nearly as large as can be", func() {
	const (
		expressions = "expression: %[2]s"
		reference   = "valueFrom: {secretKeyRef: {name: %[2]s, key: k}}"
	)
	// Rules that look for a secret find it in the last one.
	additionsOf := func(content string, length int) string {
		last := fmt.Sprintf(reference, 0, "s")
		return "headers: [" + sized(63, "{name: X-%d, "+content+"}", length) + ", {name: X-Last, " + last + "}], " +
			"parameters: [" + sized(63, "{name: p%d, "+content+"}", length) + ", {name: last, " + last + "}]"
	}

	DescribeTable("are taken", func(ctx SpecContext, k kind, patch string) {
		k.judge(ctx, patch, accepted())
	},
		Entry("with expressions in two requests", credentials,
			"spec: {provider: {request: {"+additionsOf(expressions, 2048)+"}}, request: {"+additionsOf(expressions, 2048)+"}, client: {"+withSecret+", authentication: {method: client_secret_post}}}"),
		Entry("with long values", credentials, "spec: {request: {headers: ["+sized(64, "{name: X-%d, value: %s}", 8192)+"], parameters: ["+
			sized(64, "{name: p%d, value: %s}", 8192)+"]}, client: {"+withSecret+", authentication: {method: client_secret_post}}}"),
		Entry("with long names of headers", credentials, "spec: {provider: {request: {headers: ["+sized(64, "{name: X-%[2]s-%02[1]d, value: a}", 251)+"]}}}"),
		Entry("with references to long names", credentials, "spec: {request: {"+additionsOf(reference, 253)+"}}"),
		Entry("with all that a Secret may be", credentials, "spec: {secret: {labels: {"+sized(64, "k%d: %s", 63)+"}, annotations: {"+sized(64, "k%d: %s", 4096)+
			"}, data: {"+sized(64, "k%[1]d-%[2]s: %[2]s", 240)+"}}}"),
		Entry("with long expressions for a Secret", credentials, "spec: {secret: {data: {"+sized(64, "k%d: %s", 2048)+"}}, provider: {response: {extra: {"+sized(64, "v%d: %s", 2048)+"}}}}"),
		Entry("with long lists", credentials, "spec: {scopes: ["+sized(64, "s%d%s", 2040)+"], audiences: ["+sized(64, "s%d%s", 2040)+"], resources: ["+sized(64, "s%d%s", 2040)+"]}"),
		Entry("with long variables", credentials, "spec: {provider: null, providerRef: {name: a, variables: {"+sized(16, "v%d: %s", 253)+"}}}"),
		Entry("with long parameters of an authorization", credentials, "spec: {grantType: authorization_code, authorizationCode: {redirectURI: 'http://127.0.0.1/"+
			strings.Repeat("a", 239)+"', parameters: {"+longParameters+"}}, provider: {authorizationParameters: {"+longParameters+"}}}"),
		Entry("with long claims", credentials, "spec: {grantType: "+jwtBearer+", jwtBearer: {"+key+", claims: {"+sized(64, "c%d: %s", 2048)+"}}}"),

		Entry("with the requests of a provider", providers, "spec: {request: {"+additionsOf(expressions, 2048)+"}}"),
		Entry("with the secrets of a provider", providers, "spec: {request: {"+additionsOf(reference+", "+expressions, 253)+"}, allowed: {scopes: [a]}}"),
		Entry("with the secrets of a cluster provider", clusterProviders, "spec: {request: {"+additionsOf(reference+", "+expressions, 253)+"}, allowed: {scopes: [a]}}"),
		Entry("with long scopes", providers, "spec: {client: {id: a}, allowed: {scopes: ["+sized(256, "s%d%s", 2040)+"]}}"),
		Entry("with long audiences and resources", clusterProviders, "spec: {client: {id: a}, allowed: {audiences: ["+sized(256, "s%d%s", 2040)+"], resources: ["+sized(256, "s%d%s", 2040)+"]}}"),
		Entry("with many values of many variables", clusterProviders, "spec: {client: {id: a}, allowed: {variables: {"+
			entries(16, "v%d: ["+sized(256, "a%d%s", 240)+"]")+"}}}"),
		Entry("with long URLs", providers, "spec: {"+longURLs+"}"),
		Entry("with long URLs and a secret", clusterProviders, "spec: {"+longURLs+", client: {id: a}}"),
		Entry("with long parameters and a secret", clusterProviders, "spec: {"+longURLs+", authorizationParameters: {"+longParameters+"}, client: {id: a}}"),
		Entry("with many namespaces", clusterProviders, "spec: {allowedNamespaces: {matchExpressions: ["+
			sized(64, "{key: k%d, operator: In, values: [%s]}", 63)+"]}}"),
	)

	It("can be written again", func(ctx SpecContext) {
		made, err := create(ctx, strict, manifest("spec: {request: {"+additionsOf(expressions, 2048)+"}}"))
		Expect(err).NotTo(HaveOccurred())
		_, err = send(ctx, credentials.request(http.MethodPatch, mergePatch, strict).Name(nameOf(made)).Body([]byte(`{"spec":{"suspend":true}}`)))
		Expect(err).NotTo(HaveOccurred())
	})
})

// longParameters are as many and as long as an authorization may have.
var longParameters = sized(16, strings.Repeat("p", 254)+"%02d: %s", 2048)

// longURLs are as long as they may be, and of nothing but templates behind the host.
var longURLs = func() string {
	long := quote("https://login.example.com/" + strings.Repeat("{a}", 674))
	return "tokenURL: " + long + ", authorizationURL: " + long + ", deviceAuthorizationURL: " + long + ", revocationURL: " + long
}()
