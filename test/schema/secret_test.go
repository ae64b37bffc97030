package schema_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// secretField judges one field of spec.secret.
func secretField(field string) func(SpecContext, string, verdict) {
	return within(judge, "spec: {secret: {"+field+": %s}}", "spec.secret."+field)
}

// valueIn judges the value of one key of spec.secret.labels or annotations, which a
// complaint names.
func valueIn(field string) func(SpecContext, string, verdict) {
	return func(ctx SpecContext, value string, want verdict) {
		if len(want.says) > 0 {
			want.says = append(want.says, "team")
		}
		secretField(field)(ctx, "{team: "+value+"}", want)
	}
}

var _ = DescribeTable("spec.secret.name", secretField("name"),
	Entry("takes a name", "acme-news-token", accepted()),
	Entry("takes dots", "a.b-c.d", accepted()),
	Entry("takes 253 characters", strings.Repeat("a", 253), accepted()),
	Entry("refuses 254", strings.Repeat("a", 254), refused("", "Too long", "253")),
	Entry("refuses an empty one", `""`, refused("", "at least 1 chars")),
	Entry("refuses capitals", "Token", refused("", "must be the name of a Secret: lower-case letters, digits, '-' and '.'")),
	Entry("refuses an underscore", "my_token", refused("", "must be the name of a Secret")),
	Entry("refuses another namespace", "other/token", refused("", "must be the name of a Secret")),
	Entry("refuses a dot at the end", "token.", refused("", "must be the name of a Secret")),
	Entry("refuses two dots in a row", "a..b", refused("", "must be the name of a Secret")),
	Entry("refuses a hyphen at the beginning", "-token", refused("", "must be the name of a Secret")),
)

const powers = "a Secret of this type has powers of its own and cannot be written: choose another type, or none for Opaque"

var _ = DescribeTable("spec.secret.type", secretField("type"),
	Entry("takes Opaque", "Opaque", accepted()),
	Entry("takes one of the user's own", "example.com/token", accepted()),
	Entry("takes one that needs certain keys", "kubernetes.io/basic-auth", accepted()),
	Entry("takes 253 characters", strings.Repeat("a", 253), accepted()),
	Entry("refuses 254", strings.Repeat("a", 254), refused("", "Too long", "253")),
	Entry("refuses an empty one", `""`, refused("", "at least 1 chars")),
	Entry("refuses what the token controller fills in", "kubernetes.io/service-account-token", refused("", powers)),
	Entry("refuses what lets a node join", "bootstrap.kubernetes.io/token", refused("", powers)),
	Entry("refuses the releases of Helm", "helm.sh/release.v1", refused("", powers)),
	Entry("refuses all else of Helm", "helm.sh/anything", refused("", powers)),
)

const (
	otherDomains = "no key may be under kubernetes.io, k8s.io, helm.sh or tokensync.dev, which give a Secret powers: use a domain of your own"
	notAKey      = "each key must be that of a Kubernetes "
)

var _ = Describe("spec.secret.labels and spec.secret.annotations", func() {
	DescribeTable("their keys",
		func(ctx SpecContext, key string, want verdict) {
			for _, field := range []string{"label", "annotation"} {
				here := want
				if len(want.says) > 0 && want.says[0] == notAKey {
					here = refused("", notAKey+field+", such as example.com/team or team")
				}
				secretField(field+"s")(ctx, fmt.Sprintf("{%s: a}", quote(key)), here)
			}
		},
		Entry("may be plain", "team", accepted()),
		Entry("may have a domain", "example.com/team", accepted()),
		Entry("may hold what keys may hold", "my-app.example.com/A_b.c-1", accepted()),
		Entry("may end like a reserved domain", "notkubernetes.io/a", accepted()),
		Entry("may begin like a reserved domain", "kubernetes.io.example.com/a", accepted()),
		Entry("may be named like a reserved domain", "kubernetes.io", accepted()),
		Entry("may be as long as a key can be", strings.Repeat("a.", 126)+"a/"+strings.Repeat("b", 63), accepted()),
		Entry("may have no longer name", strings.Repeat("b", 64), refused(notAKey)),
		Entry("may have no longer domain", strings.Repeat("a.", 126)+"aa/b", refused(notAKey)),
		Entry("may not be empty", "", refused(notAKey)),
		Entry("may not hold a blank", "my team", refused(notAKey)),
		Entry("may not begin with a slash", "/team", refused(notAKey)),
		Entry("may not end with a slash", "example.com/", refused(notAKey)),
		Entry("may not hold two slashes", "example.com/a/b", refused(notAKey)),
		Entry("may not have capitals in the domain", "Example.com/a", refused(notAKey)),
		Entry("may not have two dots in the domain", "example..com/a", refused(notAKey)),
		Entry("may not have a label of the domain end in a hyphen", "example-.com/a", refused(notAKey)),
		Entry("may not begin with a hyphen", "-team", refused(notAKey)),
		Entry("may not be under kubernetes.io", "kubernetes.io/service-account.name", refused("", otherDomains)),
		Entry("may not be under app.kubernetes.io", "app.kubernetes.io/managed-by", refused("", otherDomains)),
		Entry("may not be under foo.kubernetes.io", "foo.kubernetes.io/x", refused("", otherDomains)),
		Entry("may not be under k8s.io", "k8s.io/a", refused("", otherDomains)),
		Entry("may not be under a.b.k8s.io", "a.b.k8s.io/a", refused("", otherDomains)),
		Entry("may not be under helm.sh", "helm.sh/chart", refused("", otherDomains)),
		Entry("may not be under meta.helm.sh", "meta.helm.sh/release-name", refused("", otherDomains)),
		Entry("may not be under tokensync.dev", "tokensync.dev/credential", refused("", otherDomains)),
		Entry("may not be under x.tokensync.dev", "x.tokensync.dev/credential", refused("", otherDomains)),
		Entry("may not be in capitals under kubernetes.io", "KUBERNETES.IO/a", refused(notAKey)),
	)

	DescribeTable("their number",
		func(ctx SpecContext, field string) {
			judgeField := secretField(field)
			judgeField(ctx, "{}", accepted())
			judgeField(ctx, fmt.Sprintf("{%s}", entries(64, "k%d: a")), accepted())
			judgeField(ctx, fmt.Sprintf("{%s}", entries(65, "k%d: a")), refused("", "Too many", "at most 64"))
		},
		Entry("of labels", "labels"),
		Entry("of annotations", "annotations"),
	)

	DescribeTable("the value of a label", valueIn("labels"),
		Entry("may be empty", `""`, accepted()),
		Entry("may hold what values may hold", "A_b.c-1", accepted()),
		Entry("may have 63 characters", strings.Repeat("a", 63), accepted()),
		Entry("may not have 64", strings.Repeat("a", 64), refused("", "Too long", "63")),
		Entry("may not hold a blank", "a b", refused("", "must be the value of a label: letters, digits")),
		Entry("may not hold a slash", "a/b", refused("", "must be the value of a label")),
		Entry("may not end in a hyphen", "a-", refused("", "must be the value of a label")),
		Entry("may not be a number", "1", refused("", `must be of type string: "integer"`)),
		Entry("may not be a boolean", "true", refused("", `must be of type string: "boolean"`)),
	)

	DescribeTable("the value of an annotation", valueIn("annotations"),
		Entry("may be empty", `""`, accepted()),
		Entry("may be anything", `"a b\n/ü"`, accepted()),
		Entry("may have 4096 characters", strings.Repeat("a", 4096), accepted()),
		Entry("may not have 4097", strings.Repeat("a", 4097), refused("", "Too long", "4096")),
		Entry("may not be a number", "1", refused("", `must be of type string: "integer"`)),
	)
})

var _ = DescribeTable("spec.secret.deletionPolicy", secretField("deletionPolicy"),
	Entry("takes Delete", "Delete", accepted()),
	Entry("takes Retain", "Retain", accepted()),
	Entry("refuses another", "Orphan", refused("", `supported values: "Delete", "Retain"`)),
	Entry("refuses lower case", "retain", refused("", "Unsupported value")),
)

var _ = DescribeTable("spec.secret.adoptExisting", secretField("adoptExisting"),
	Entry("takes true", "true", accepted()),
	Entry("refuses a text", `"yes"`, refused("", `must be of type boolean: "string"`)),
)
