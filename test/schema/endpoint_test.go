package schema_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

const example = "https://login.example.com/oauth/token"

var _ = DescribeTable("the URL of a token endpoint", within(judgeEndpoints, "{tokenURL: %+q}", ""),
	Entry("takes https", example, accepted()),
	Entry("takes http, which is the operator's to refuse", "http://login.example.com/token", accepted()),
	Entry("takes a scheme in upper case", "HTTPS://login.example.com/token", accepted()),
	Entry("takes a port", "https://login.example.com:8443/token", accepted()),
	Entry("takes an IPv6 address", "https://[2001:db8::1]:8443/token", accepted()),
	Entry("takes a URL without a path", "https://login.example.com", accepted()),
	Entry("takes a query", example+"?tenant=a&v=2", accepted()),
	Entry("takes an @ behind the host", "https://login.example.com/users/a@example.com/token?as=b@example.com", accepted()),
	Entry("takes one of 2048 characters", example+strings.Repeat("a", 2048-len(example)), accepted()),
	Entry("refuses one of 2049", example+strings.Repeat("a", 2049-len(example)),
		refused(".tokenURL", "Too long", "2048")),
	Entry("refuses an empty one", "", refused(".tokenURL", "at least 1 chars")),
	Entry("refuses one without a scheme", "login.example.com/oauth/token",
		refused(".tokenURL", "must be an absolute https:// URL with a host, such as https://login.example.com/oauth/token")),
	Entry("refuses one that begins with //", "//login.example.com/token", refused(".tokenURL", "must be an absolute https:// URL")),
	Entry("refuses a path alone", "/oauth/token", refused(".tokenURL", "must be an absolute https:// URL")),
	Entry("refuses one without a host", "https:///oauth/token", refused(".tokenURL", "must be an absolute https:// URL with a host")),
	Entry("refuses a port alone", "https://:8443/token", refused(".tokenURL", "must be an absolute https:// URL with a host")),
	Entry("refuses ftp", "ftp://login.example.com/token", refused(".tokenURL", "must be an absolute https:// URL")),
	Entry("refuses a file", "file:///etc/passwd", refused(".tokenURL", "must be an absolute https:// URL")),
	Entry("refuses a line break at its end", example+"\n", refused(".tokenURL", "may hold no white space")),
	Entry("refuses a blank at its end", example+" ", refused(".tokenURL", "may hold no white space")),
	Entry("refuses a port that is none", "https://login.example.com:https/token", refused(".tokenURL", "must be an absolute https:// URL")),
	Entry("refuses a fragment", example+"#now", refused(".tokenURL", "may hold no fragment", "remove the '#'")),
	Entry("refuses user name and password", "https://app:secret@login.example.com/token",
		refused(".tokenURL", "may hold no user name or password")),
	Entry("refuses a user name", "https://app@login.example.com/token", refused(".tokenURL", "may hold no user name")),
	Entry("refuses a user name behind a scheme in upper case", "HTTPS://app@login.example.com/token",
		refused(".tokenURL", "may hold no user name")),
	Entry("refuses an empty user name", "https://@login.example.com/token", refused(".tokenURL", "may hold no user name")),
)

var _ = DescribeTable("tls", within(judgeEndpoints, "{tls: %s}", ""),
	Entry("takes a Secret", "{caRef: {kind: Secret, name: ca, key: ca.crt}}", accepted()),
	Entry("takes a ConfigMap", "{caRef: {kind: ConfigMap, name: ca, key: ca.crt}}", accepted()),
	Entry("refuses to be empty", "{}", refused(".tls", "at least 1 properties")),
	Entry("refuses another kind", "{caRef: {kind: Pod, name: ca, key: ca.crt}}",
		refused(".tls.caRef.kind", `supported values: "Secret", "ConfigMap"`)),
	Entry("demands the kind", "{caRef: {name: ca, key: ca.crt}}", refused(".tls.caRef.kind", "Required value")),
	Entry("demands the name", "{caRef: {kind: Secret, key: ca.crt}}", refused(".tls.caRef.name", "Required value")),
	Entry("demands the key", "{caRef: {kind: Secret, name: ca}}", refused(".tls.caRef.key", "Required value")),
	Entry("refuses a name that no object can have", "{caRef: {kind: Secret, name: CA, key: ca.crt}}",
		refused(".tls.caRef.name", "must be the name of a Secret or ConfigMap")),
	Entry("refuses a key that no object can have", "{caRef: {kind: Secret, name: ca, key: ca/crt}}",
		refused(".tls.caRef.key", "should match")),
)
