package schema_test

import (
	"strings"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = DescribeTable("spec.providerRef", within(judge, "spec: {provider: null, providerRef: %s}", "spec.providerRef"),
	Entry("takes a name", "{name: acme}", accepted()),
	Entry("takes an OAuthProvider", "{kind: OAuthProvider, name: acme}", accepted()),
	Entry("takes a ClusterOAuthProvider", "{kind: ClusterOAuthProvider, name: acme.v2}", accepted()),
	Entry("takes a name of 63 characters", "{name: "+strings.Repeat("a", 63)+"}", accepted()),
	Entry("refuses a longer one", "{name: "+strings.Repeat("a", 64)+"}", refused(".name", "Too long", "63")),
	Entry("refuses no name", "{kind: OAuthProvider}", refused(".name", "Required value")),
	Entry("refuses an empty name", "{name: ''}", refused(".name", "at least 1 chars")),
	Entry("refuses a name that no provider can have", "{name: Acme}",
		refused(".name", "must be the name of a provider: lower-case letters, digits, '-' and '.'")),
	Entry("refuses the provider of another namespace", "{name: other/acme}", refused(".name", "must be the name of a provider")),
	Entry("refuses another kind", "{kind: Issuer, name: acme}", refused(".kind", `supported values: "OAuthProvider", "ClusterOAuthProvider"`)),
	Entry("refuses an empty kind", "{kind: '', name: acme}", refused(".kind", "Unsupported value")),
	Entry("refuses to be a name alone", "acme", refused("", `must be of type object: "string"`)),
)

var _ = DescribeTable("spec.provider and spec.providerRef", within(judge, "spec: {%s}", ""),
	Entry("are not both", "providerRef: {name: acme}", refused("spec", "exactly one of the fields in [provider providerRef] must be set")),
	Entry("are not neither", "provider: null", refused("spec", "exactly one of the fields in [provider providerRef] must be set")),
)

var _ = It("refers to an OAuthProvider by default", func(ctx SpecContext) {
	object, err := create(ctx, strict, manifest("spec: {provider: null, providerRef: {kind: null, name: acme}}"))
	Expect(err).NotTo(HaveOccurred())
	Expect(expectReadable(ctx, object).Spec.ProviderRef).To(Equal(&v1alpha1.ProviderReference{Kind: v1alpha1.KindOAuthProvider, Name: "acme"}))
})

const (
	variableMessage = "each name must be that of a variable: letters, digits and '_', at most 63"
	valueMessage    = "must be one piece of a URL: letters, digits, '-', '_', '~' and '.', and no '.' at its beginning"
)

var _ = DescribeTable("spec.providerRef.variables",
	within(judge, "spec: {provider: null, providerRef: {name: acme, variables: %s}}", "spec.providerRef.variables"),
	Entry("may be none", "{}", accepted()),
	Entry("may be 16", "{"+entries(16, "v%d: a")+"}", accepted()),
	Entry("may not be 17", "{"+entries(17, "v%d: a")+"}", refused("", "Too many", "at most 16")),
	Entry("may have a name of 63 characters", "{"+strings.Repeat("a", 63)+": a}", accepted()),
	Entry("may have no longer name", "{"+strings.Repeat("a", 64)+": a}", refused("", variableMessage)),
	Entry("may have no empty name", "{'': a}", refused("", variableMessage)),
	Entry("may have no name with a hyphen", "{my-tenant: a}", refused("", variableMessage)),
	Entry("may have no name that begins with a digit", "{1a: a}", refused("", variableMessage)),
)

var _ = DescribeTable("the value of a variable",
	within(judge, "spec: {provider: null, providerRef: {name: acme, variables: {tenant: %+q}}}", "spec.providerRef.variables"),
	Entry("may hold all that needs no encoding", "_A-z.0~9", accepted()),
	Entry("may begin with what is no dot", "~a", accepted()),
	Entry("may hold dots behind that", "a..b", accepted()),
	Entry("may have 253 characters", strings.Repeat("a", 253), accepted()),
	Entry("may not have 254", strings.Repeat("a", 254), refused(".tenant", "Too long", "253")),
	Entry("may not be empty", "", refused(".tenant", "at least 1 chars")),
	Entry("may not be a dot", ".", refused("[tenant]", valueMessage)),
	Entry("may not climb", "..", refused("[tenant]", valueMessage)),
	Entry("may not begin with a dot", ".a", refused("[tenant]", valueMessage)),
	Entry("may not be two pieces", "a/b", refused("[tenant]", valueMessage)),
	Entry("may not hold a backslash", `a\b`, refused("[tenant]", valueMessage)),
	Entry("may not be encoded", "a%2fb", refused("[tenant]", valueMessage)),
	Entry("may not begin a query", "a?b", refused("[tenant]", valueMessage)),
	Entry("may not begin a fragment", "a#b", refused("[tenant]", valueMessage)),
	Entry("may not hold a user", "a@b", refused("[tenant]", valueMessage)),
	Entry("may not hold a port", "a:1", refused("[tenant]", valueMessage)),
	Entry("may not hold a template", "{a}", refused("[tenant]", valueMessage)),
	Entry("may not hold a blank", "a b", refused("[tenant]", valueMessage)),
	Entry("may not end in a line break", "a\n", refused("[tenant]", valueMessage)),
	Entry("may not hold an umlaut", "bücher", refused("[tenant]", valueMessage)),
	Entry("may not hold a letter that only looks like one", "\u0430cme", refused("[tenant]", valueMessage)),
)

var _ = It("refuses a value that is no text", func(ctx SpecContext) {
	judge(ctx, "spec: {provider: null, providerRef: {name: acme, variables: {tenant: 1}}}",
		refused("spec.providerRef.variables.tenant", `must be of type string: "integer"`))
})
