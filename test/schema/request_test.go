package schema_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// Headers and parameters are given with the provider, with the credential, or
// with both; what holds for one holds for the other.
func additions(ctx SpecContext, list string, want verdict) {
	GinkgoHelper()
	judgeEndpoints(ctx, fmt.Sprintf("{request: %s}", list), want.below(".request"))
	judge(ctx, fmt.Sprintf("spec: {request: %s}", list), want.below("spec.request"))
}

// entries writes n list entries, each by a format that takes its number.
func entries(n int, format string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(list, ", ")
}

var _ = DescribeTable("headers and parameters", additions,
	Entry("may be none", "{}", accepted()),
	Entry("may be empty lists", "{headers: [], parameters: []}", accepted()),
	Entry("take a value", "{headers: [{name: X-A, value: a}], parameters: [{name: a, value: b}]}", accepted()),
	Entry("take an empty value", `{headers: [{name: X-A, value: ""}], parameters: [{name: a, value: ""}]}`, accepted()),
	Entry("take a value from a Secret",
		"{headers: [{name: X-A, valueFrom: {secretKeyRef: {name: s, key: k}}}], parameters: [{name: a, valueFrom: {secretKeyRef: {name: s, key: k}}}]}",
		accepted()),
	Entry("take an expression", `{headers: [{name: X-A, expression: '"Bearer " + refresh_token'}], parameters: [{name: a, expression: now}]}`, accepted()),
	Entry("take an expression over a value", `{headers: [{name: X-A, value: a, expression: '"Bearer " + value'}]}`, accepted()),
	Entry("take an expression over a value from a Secret",
		`{parameters: [{name: a, valueFrom: {secretKeyRef: {name: s, key: k}}, expression: base64.encode(bytes(value))}]}`, accepted()),
	Entry("refuse a header with an expression over both",
		"{headers: [{name: X-A, value: a, valueFrom: {secretKeyRef: {name: s, key: k}}, expression: value}]}",
		refused(".headers[0]", "at most one of the fields in [value valueFrom] may be set")),
	Entry("refuse a parameter with an expression over both",
		"{parameters: [{name: a, value: a, valueFrom: {secretKeyRef: {name: s, key: k}}, expression: value}]}",
		refused(".parameters[0]", "at most one of the fields in [value valueFrom] may be set")),
	Entry("refuse a header with nothing", "{headers: [{name: X-A}]}",
		refused(".headers[0]", "at least one of the fields in [value valueFrom expression] must be set")),
	Entry("refuse a header with both", "{headers: [{name: X-A, value: a, valueFrom: {secretKeyRef: {name: s, key: k}}}]}",
		refused(".headers[0]", "at most one of the fields in [value valueFrom] may be set")),
	Entry("refuse a parameter with nothing", "{parameters: [{name: a}]}",
		refused(".parameters[0]", "at least one of the fields in [value valueFrom expression] must be set")),
	Entry("refuse a parameter with both", "{parameters: [{name: a, value: a, valueFrom: {secretKeyRef: {name: s, key: k}}}]}",
		refused(".parameters[0]", "at most one of the fields in [value valueFrom] may be set")),
	Entry("refuse an empty valueFrom", "{headers: [{name: X-A, valueFrom: {}}]}",
		refused(".headers[0].valueFrom.secretKeyRef", "Required value")),
	Entry("refuse a valueFrom without a key", "{parameters: [{name: a, valueFrom: {secretKeyRef: {name: s}}}]}",
		refused(".parameters[0].valueFrom.secretKeyRef.key", "Required value")),
	Entry("refuse a valueFrom without a name", "{headers: [{name: X-A, valueFrom: {secretKeyRef: {key: k}}}]}",
		refused(".headers[0].valueFrom.secretKeyRef.name", "Required value")),
	Entry("refuse a header without a name", "{headers: [{value: a}]}", refused(".headers[0].name", "Required value")),
	Entry("refuse a parameter without a name", "{parameters: [{value: a}]}", refused(".parameters[0].name", "Required value")),
	Entry("refuse a number as a value", "{parameters: [{name: a, value: 1}]}",
		refused(".parameters[0].value", `must be of type string: "integer"`)),

	Entry("may be 64 each", fmt.Sprintf("{headers: [%s], parameters: [%s]}",
		entries(64, "{name: X-%d, value: a}"), entries(64, "{name: p%d, value: a}")), accepted()),
	Entry("may not be 65 headers", fmt.Sprintf("{headers: [%s]}", entries(65, "{name: X-%d, value: a}")),
		refused(".headers", "Too many: 65: must have at most 64 items")),
	Entry("may not be 65 parameters", fmt.Sprintf("{parameters: [%s]}", entries(65, "{name: p%d, value: a}")),
		refused(".parameters", "Too many: 65: must have at most 64 items")),
	Entry("may have long names", fmt.Sprintf("{headers: [{name: %s, value: a}], parameters: [{name: %[1]s, value: a}]}",
		strings.Repeat("a", 256)), accepted()),
	Entry("may not have longer names of headers", fmt.Sprintf("{headers: [{name: %s, value: a}]}", strings.Repeat("a", 257)),
		refused(".headers[0].name", "Too long", "256")),
	Entry("may not have longer names of parameters", fmt.Sprintf("{parameters: [{name: %s, value: a}]}", strings.Repeat("a", 257)),
		refused(".parameters[0].name", "Too long", "256")),
	Entry("may have long values", fmt.Sprintf("{headers: [{name: X-A, value: %s}], parameters: [{name: a, value: %[1]s}]}",
		strings.Repeat("a", 8192)), accepted()),
	Entry("may not have longer values of headers", fmt.Sprintf("{headers: [{name: X-A, value: %s}]}", strings.Repeat("a", 8193)),
		refused(".headers[0].value", "Too long", "8192")),
	Entry("may not have longer values of parameters", fmt.Sprintf("{parameters: [{name: a, value: %s}]}", strings.Repeat("a", 8193)),
		refused(".parameters[0].value", "Too long", "8192")),

	Entry("are unique", "{headers: [{name: X-A, value: a}, {name: X-A, value: b}]}", refused(".headers[1]", "Duplicate value")),
	Entry("are unique, parameters too", "{parameters: [{name: a, value: a}, {name: a, value: b}]}",
		refused(".parameters[1]", "Duplicate value")),
	Entry("are unique whatever the case of a header", "{headers: [{name: X-A, value: a}, {name: x-a, value: b}]}",
		refused(".headers", "names must be unique, whatever their case")),
	Entry("may differ in the case of a parameter", "{parameters: [{name: a, value: a}, {name: A, value: b}]}", accepted()),
)

const connectionMessage = "belongs to the connection or the body, which tokensync takes care of: remove this header"

var _ = DescribeTable("the name of a header", within(additions, "{headers: [{name: %+q, value: a}]}", ".headers[0].name"),
	Entry("may be one of the provider's own", "Sync-App-Token", accepted()),
	Entry("may be Accept", "Accept", accepted()),
	Entry("may be User-Agent", "user-agent", accepted()),
	Entry("may be Authorization, without client_secret_basic", "Authorization", accepted()),
	Entry("may begin like a forbidden one", "Hostname", accepted()),
	Entry("may hold all that a token may", "a1!#$%&'*+-.^_|~", accepted()),
	Entry("may not be empty", "", refused("", "at least 1 chars")),
	Entry("may not end in a colon", "X-Api-Key:", refused("", "must be the name of a header, such as X-Api-Key: without space or colon")),
	Entry("may not hold a space", "X Api Key", refused("", "must be the name of a header")),
	Entry("may not hold a line break", "X-A\r\nHost", refused("", "must be the name of a header")),
	Entry("may not hold a letter beyond ASCII", "X-Schlüssel", refused("", "must be the name of a header")),
	Entry("may not hold a slash", "X/A", refused("", "must be the name of a header")),
	Entry("may not be Host", "Host", refused("", connectionMessage)),
	Entry("may not be host", "host", refused("", connectionMessage)),
	Entry("may not be HOST", "HOST", refused("", connectionMessage)),
	Entry("may not be Content-Length", "Content-length", refused("", connectionMessage)),
	Entry("may not be Content-Type", "content-TYPE", refused("", connectionMessage)),
	Entry("may not be Transfer-Encoding", "TRANSFER-ENCODING", refused("", connectionMessage)),
	Entry("may not be Connection", "connection", refused("", connectionMessage)),
	Entry("may not be Keep-Alive", "Keep-alive", refused("", connectionMessage)),
	Entry("may not be TE", "Te", refused("", connectionMessage)),
	Entry("may not be Trailer", "trailer", refused("", connectionMessage)),
	Entry("may not be Upgrade", "UPGRADE", refused("", connectionMessage)),
	Entry("may not be Expect", "eXpect", refused("", connectionMessage)),
	Entry("may not be HTTP2-Settings", "HTTP2-settings", refused("", connectionMessage)),
	Entry("may not be Accept-Encoding, with which answers stay compressed", "accept-encoding", refused("", connectionMessage)),
	Entry("may not be Proxy-Authorization", "proxy-authorization", refused("", connectionMessage)),
	Entry("may not be Proxy-Connection", "PROXY-Connection", refused("", connectionMessage)),
)

var _ = DescribeTable("the value of a header", within(additions, "{headers: [{name: X-A, value: %+q}]}", ".headers[0].value"),
	Entry("may hold blanks and tabs", "a b\tc", accepted()),
	Entry("may hold letters of all the world", "Schlüssel", accepted()),
	Entry("may not end in a line break", "a\n", refused("", "must be one line without control characters", "|-")),
	Entry("may not begin another header", "a\r\nHost: evil.example.com", refused("", "must be one line")),
	Entry("may not hold a carriage return", "a\rb", refused("", "must be one line")),
	Entry("may not hold a NUL", "a\x00b", refused("", "must be one line")),
	Entry("may not hold a DEL", "a\x7fb", refused("", "must be one line")),
	Entry("may not hold a NEL", "a\u0085b", refused("", "must be one line")),
)

const secretParameterMessage = "is a secret that tokensync sends itself (client_secret from client.secretRef) and cannot be set: remove this parameter"

var _ = DescribeTable("the name of a parameter", within(additions, "{parameters: [{name: %+q, value: a}]}", ".parameters[0].name"),
	Entry("may be one of the provider's own", "account-id", accepted()),
	Entry("may be a standard one, which it replaces", "grant_type", accepted()),
	Entry("may hold what will be encoded", "täg id&=", accepted()),
	Entry("may be client_assertion_type", "client_assertion_type", accepted()),
	Entry("may not be empty", "", refused("", "at least 1 chars")),
	Entry("may not be client_secret", "client_secret", refused("", secretParameterMessage)),
	Entry("may not be client_secret in another case", "Client_Secret", refused("", secretParameterMessage)),
	Entry("may not be client_assertion", "client_assertion", refused("", secretParameterMessage)),
	Entry("may not be client_assertion in another case", "CLIENT_ASSERTION", refused("", secretParameterMessage)),
	Entry("may not be refresh_token", "refresh_token", refused("", secretParameterMessage)),
	Entry("may not be refresh_token in another case", "Refresh_token", refused("", secretParameterMessage)),
)

const authorizationMessage = "client_secret_basic sends the header Authorization itself: remove it from request.headers, or choose another clientAuthentication.method"

var _ = DescribeTable("the header Authorization",
	func(ctx SpecContext, authentication, client string, want verdict) {
		for _, around := range []string{
			"{provider: {clientAuthentication: %s}, client: {%s}, request: {headers: %s}}",
			"{provider: {clientAuthentication: %s, request: {headers: %[3]s}}, client: {%[2]s}}",
			"{client: {authentication: %s, %s}, request: {headers: %s}}",
			"{client: {authentication: %s, %s}, provider: {clientAuthentication: {method: none}, request: {headers: %s}}}",
			"{client: {authentication: %s, %s}, provider: null, providerRef: {name: a}, request: {headers: %s}}",
		} {
			judge(ctx, "spec: "+fmt.Sprintf(around, authentication, client, "[{name: X-A, value: a}]"), accepted())
			judge(ctx, "spec: "+fmt.Sprintf(around, authentication, client, "[{name: X-A, value: a}, {name: authorization, value: a}]"), want)
		}
	},
	Entry("goes with none", "{method: none}", idOnly, accepted()),
	Entry("goes with client_secret_post", "{method: client_secret_post}", withSecret, accepted()),
	Entry("goes with no method where there is no secret", "{assertion: {keyID: a}}", withPrivateKey, accepted()),
	Entry("clashes with client_secret_basic", "{method: client_secret_basic}", withSecret, refused("spec", authorizationMessage)),
	Entry("clashes with no method where there is a secret", "{assertion: {keyID: a}}", withSecret, refused("spec", authorizationMessage)),
	Entry("clashes with an encoding alone", "{basicEncoding: Raw}", withSecret, refused("spec", authorizationMessage)),
)

var _ = It("leaves the header Authorization to the operator where the provider is elsewhere", func(ctx SpecContext) {
	judge(ctx, "spec: {provider: null, providerRef: {name: a}, client: {"+withSecret+"}, request: {headers: [{name: Authorization, value: a}]}}", accepted())
})
