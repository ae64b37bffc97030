package schema_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = DescribeTable("the name of an object", within(judgeKinds, "metadata: {name: %s}", ""),
	Entry("may have 63 characters", strings.Repeat("a", 63), accepted()),
	Entry("may hold dots", "a.b", accepted()),
	Entry("may not have 64", strings.Repeat("a", 64), refused("", "at most 63 characters")),
	Entry("may not have 253", strings.Repeat("a", 253), refused("", "at most 63 characters")),
	Entry("may not hold capitals", "Acme", refused("metadata.name", "RFC 1123 subdomain")),
)

var _ = It("says why a name may not be long", func(ctx SpecContext) {
	name := "metadata: {name: " + strings.Repeat("a", 64) + "}"
	judge(ctx, name, refused("", "the name of a credential becomes a label: at most 63 characters"))
	judgeProviders(ctx, name, refused("", "the name of a provider is a label of metrics: at most 63 characters"))
})

var _ = DescribeTable("scopes, audiences and resources",
	func(ctx SpecContext, list string, want verdict) {
		for _, field := range []string{"scopes", "audiences", "resources"} {
			judge(ctx, fmt.Sprintf("spec: {%s: %s}", field, list), want.below("spec."+field))
		}
	},
	Entry("may be empty", "[]", accepted()),
	Entry("may be several", "[b, a]", accepted()),
	Entry("may be URLs", "['https://api.example.com/.default']", accepted()),
	Entry("may differ in case", "[a, A]", accepted()),
	Entry("may not repeat", "[a, b, a]", refused("[2]", `Duplicate value: "a"`)),
	Entry("may not hold an empty one", `[a, ""]`, refused("[1]", "at least 1 chars")),
	Entry("may be 64", fmt.Sprintf("[%s]", entries(64, "s%d")), accepted()),
	Entry("may not be 65", fmt.Sprintf("[%s]", entries(65, "s%d")), refused("", "Too many: 65: must have at most 64 items")),
	Entry("may have 2048 characters", fmt.Sprintf("[%s]", strings.Repeat("a", 2048)), accepted()),
	Entry("may not have 2049", fmt.Sprintf("[%s]", strings.Repeat("a", 2049)), refused("[0]", "Too long", "2048")),
	Entry("may not be one text", "a", refused("", `must be of type array: "string"`)),
	Entry("may not be numbers", "[1]", refused("[0]", `must be of type string: "integer"`)),
)

const scopeMessage = "may hold no space, quote, backslash or character beyond ASCII: make each scope an item of its own"

var _ = DescribeTable("a scope", within(judge, "spec: {scopes: [%+q]}", "spec.scopes[0]"),
	Entry("may hold all that RFC 6749 lets it", "!#[]^_`{|}~:/?@.-+*'()&=,;<>$%", accepted()),
	Entry("may hold no space", "read write", refused("", scopeMessage)),
	Entry("may not begin with a space", " read", refused("", scopeMessage)),
	Entry("may hold no line break", "read\n", refused("", scopeMessage)),
	Entry("may hold no quote", `"read"`, refused("", scopeMessage)),
	Entry("may hold no backslash", `a\b`, refused("", scopeMessage)),
	Entry("may hold no umlaut", "lösen", refused("", scopeMessage)),
)

// Sets keep their order, in which scopes are sent.
var _ = It("keeps the order of scopes", func(ctx SpecContext) {
	object, err := create(ctx, strict, manifest("spec: {scopes: [c, a, b]}"))
	Expect(err).NotTo(HaveOccurred())
	Expect(expectReadable(ctx, object).Spec.Scopes).To(Equal([]string{"c", "a", "b"}))
})

var _ = DescribeTable("spec.suspend", within(judge, "spec: {suspend: %s}", ""),
	Entry("may be true", "true", accepted()),
	Entry("may be false", "false", accepted()),
	Entry("may be no text", `"true"`, refused("spec.suspend", `must be of type boolean: "string"`)),
)
