package schema_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// The URLs of an endpoint, each YAML with a place for it.
var urls = map[string]string{
	"tokenURL":               "{tokenURL: %s}",
	"issuer":                 "{tokenURL: null, issuer: %s}",
	"authorizationURL":       "{authorizationURL: %s}",
	"deviceAuthorizationURL": "{deviceAuthorizationURL: %s}",
	"revocationURL":          "{revocationURL: %s}",
}

var _ = DescribeTable("all URLs of an endpoint",
	func(ctx SpecContext, url string, want verdict) {
		for field, around := range urls {
			judgeEndpoints(ctx, fmt.Sprintf(around, quote(url)), want.below("."+field))
		}
	},
	Entry("may be https", "https://login.example.com/a", accepted()),
	Entry("may be http, which is the operator's to refuse", "http://login.example.com/a", accepted()),
	Entry("may not be empty", "", refused("", "at least 1 chars")),
	Entry("may not be relative", "/oauth/token", refused("", "must be an absolute https:// URL with a host")),
	Entry("may not be of another scheme", "ldap://login.example.com/a", refused("", "must be an absolute https:// URL with a host")),
	Entry("may not hold a fragment", "https://login.example.com/#a", refused("", "may hold no fragment: remove the '#' and what follows it")),
	Entry("may not hold a user", "https://a:b@login.example.com/", refused("", "may hold no user name or password: they belong into client")),
	Entry("may not hold white space", "https://login.example.com/ a", refused("", "may hold no white space")),
	Entry("may not be longer than 2048", example+strings.Repeat("a", 2049-len(example)), refused("", "Too long", "2048")),
)

var _ = DescribeTable("tokenURL and issuer", judgeEndpoints,
	Entry("are one or the other", "{tokenURL: null, issuer: 'https://login.example.com/realms/a'}", accepted()),
	Entry("are not both", "{issuer: 'https://login.example.com'}", refused("", "exactly one of the fields in [tokenURL issuer] must be set")),
	Entry("are not neither", "{tokenURL: null}", refused("", "exactly one of the fields in [tokenURL issuer] must be set")),
	Entry("are not left to the other endpoints", "{tokenURL: null, revocationURL: 'https://login.example.com/revoke'}",
		refused("", "exactly one of the fields in [tokenURL issuer] must be set")),
	Entry("differ in what may follow a '?'", "{tokenURL: null, issuer: 'https://login.example.com?a=b'}",
		refused(".issuer", "may hold no query (RFC 8414 section 2): remove the '?' and what follows it")),
)

const (
	bracesMessage = "may hold braces only as a template such as {tenant}: letters, digits and '_' between them"
	schemeMessage = "may hold no template before the host: begin with https://"
	inlineMessage = "a provider that is written inline may hold no template in a URL: write the URL out, or use a providerRef with variables"
	hostMessage   = "a provider that holds a secret may have no template in the host of a URL, where a credential could steer the secret elsewhere: write the host out"
)

// templated judges a URL in all fields of both kinds of providers.
func templated(ctx SpecContext, url string, want verdict) {
	GinkgoHelper()
	for field, around := range urls {
		judgeProviders(ctx, "spec: "+fmt.Sprintf(around, quote(url)), want.below("spec."+field))
	}
}

var _ = DescribeTable("a template in a URL", templated,
	Entry("may be in the path", "https://login.example.com/{tenant}/oauth/{version}", accepted()),
	Entry("may be in the host", "https://{tenant}.example.com/token", accepted()),
	Entry("may be the host", "https://{host}/token", accepted()),
	Entry("may be of capitals, digits and '_'", "https://login.example.com/{_Tenant_1}", accepted()),
	Entry("may stand beside another", "https://login.example.com/{a}{b}", accepted()),
	Entry("may have a name of 63 characters", "https://login.example.com/{"+strings.Repeat("a", 63)+"}", accepted()),
	Entry("may have no longer name", "https://login.example.com/{"+strings.Repeat("a", 64)+"}", refused("", bracesMessage)),
	Entry("may not be empty", "https://login.example.com/{}", refused("", bracesMessage)),
	Entry("may not begin with a digit", "https://login.example.com/{1a}", refused("", bracesMessage)),
	Entry("may not hold a hyphen", "https://login.example.com/{my-tenant}", refused("", bracesMessage)),
	Entry("may not hold a dot", "https://login.example.com/{a.b}", refused("", bracesMessage)),
	Entry("may not hold a blank", "https://login.example.com/{ a }", refused("", bracesMessage)),
	Entry("may not be of another level", "https://login.example.com/{+a}", refused("", bracesMessage)),
	Entry("may not be a list", "https://login.example.com/{a,b}", refused("", bracesMessage)),
	Entry("may not be nested", "https://login.example.com/{a{b}}", refused("", bracesMessage)),
	Entry("may not be that of Helm", "https://login.example.com/{{a}}", refused("", bracesMessage)),
	Entry("may not be open", "https://login.example.com/{a", refused("", bracesMessage)),
	Entry("may not be closed alone", "https://login.example.com/a}", refused("", bracesMessage)),
	Entry("may not be the scheme", "{https}://login.example.com/token", refused("", schemeMessage)),
	Entry("may not be a part of the scheme", "http{s}://login.example.com/token", refused("", schemeMessage)),
	Entry("may not be the port", "https://login.example.com:{port}/token", refused("", "must be an absolute https:// URL")),
	Entry("may not be the user", "https://{user}@login.example.com/token", refused("", "may hold no user name")),
	Entry("may not be all of it", "{url}", refused("", schemeMessage)),
)

var _ = DescribeTable("a template in a provider that is written inline",
	func(ctx SpecContext, url string) {
		for _, around := range urls {
			judge(ctx, fmt.Sprintf("spec: {provider: %s}", fmt.Sprintf(around, quote(url))), refused("spec.provider", inlineMessage))
		}
	},
	Entry("may not be in the path", "https://login.example.com/{tenant}/token"),
	Entry("may not be in the query", "https://login.example.com/token?tenant={tenant}"),
	Entry("may not be in the host", "https://{tenant}.example.com/token"),
)

// The ways in which a provider holds a secret.
var holders = map[string]string{
	"a client":       "client: {id: app, secretRef: {name: app, key: secret}}",
	"an id alone":    "client: {id: app}",
	"an idle client": "client: {}",
	"a header":       "request: {headers: [{name: X-A, value: a}, {name: X-B, valueFrom: {secretKeyRef: {name: a, key: b}}}]}",
	"a parameter":    "request: {parameters: [{name: a, value: a}, {name: b, valueFrom: {secretKeyRef: {name: a, key: b}}, expression: value}]}",
}

var _ = DescribeTable("a template where the provider holds a secret",
	func(ctx SpecContext, url string, want verdict) {
		for holder, text := range holders {
			for field, around := range urls {
				By("holding " + holder + " beside " + field)
				fields := strings.TrimSuffix(fmt.Sprintf(around, quote(url)), "}") + ", " + text + "}"
				judgeProviders(ctx, "spec: "+fields, want)
			}
		}
	},
	Entry("may be in the path", "https://login.example.com/{tenant}/token", accepted()),
	Entry("may be in the path behind a port", "https://login.example.com:8443/a/{tenant}", accepted()),
	Entry("may not be the host", "https://{host}/token", refused("spec", hostMessage)),
	Entry("may not be in the host", "https://login.{region}.example.com/token", refused("spec", hostMessage)),
	Entry("may not be at the end of the host", "https://login.example.com{suffix}", refused("spec", hostMessage)),
	Entry("may not be in the host of capitals", "HTTPS://LOGIN.{region}.EXAMPLE.COM/token", refused("spec", hostMessage)),
	Entry("may not be in the host before a port", "https://{host}:8443/a", refused("spec", hostMessage)),
)

var _ = It("takes a template in the query, and in the host without a secret", func(ctx SpecContext) {
	judgeProviders(ctx, "spec: {tokenURL: 'https://login.example.com?tenant={tenant}', client: {id: app}}", accepted())
	judgeProviders(ctx, "spec: {tokenURL: 'https://{tenant}.example.com', request: {headers: [{name: X-A, expression: variables.tenant}]}}", accepted())
})
