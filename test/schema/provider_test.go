package schema_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

const example = "https://login.example.com/oauth/token"

var _ = DescribeTable("spec.provider.tokenURL",
	func(ctx SpecContext, url string, want verdict) {
		judge(ctx, fmt.Sprintf("spec: {provider: {tokenURL: %s}}", quote(url)), want)
	},
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
		refused("spec.provider.tokenURL", "Too long", "2048")),
	Entry("refuses an empty one", "", refused("spec.provider.tokenURL", "at least 1 chars")),
	Entry("refuses one without a scheme", "login.example.com/oauth/token",
		refused("spec.provider.tokenURL", "must be an absolute https:// URL with a host, such as https://login.example.com/oauth/token")),
	Entry("refuses one that begins with //", "//login.example.com/token", refused("spec.provider.tokenURL", "must be an absolute https:// URL")),
	Entry("refuses a path alone", "/oauth/token", refused("spec.provider.tokenURL", "must be an absolute https:// URL")),
	Entry("refuses one without a host", "https:///oauth/token", refused("spec.provider.tokenURL", "must be an absolute https:// URL with a host")),
	Entry("refuses a port alone", "https://:8443/token", refused("spec.provider.tokenURL", "must be an absolute https:// URL with a host")),
	Entry("refuses ftp", "ftp://login.example.com/token", refused("spec.provider.tokenURL", "must be an absolute https:// URL")),
	Entry("refuses a file", "file:///etc/passwd", refused("spec.provider.tokenURL", "must be an absolute https:// URL")),
	Entry("refuses a line break at its end", example+"\n", refused("spec.provider.tokenURL", "may hold no white space")),
	Entry("refuses a blank at its end", example+" ", refused("spec.provider.tokenURL", "may hold no white space")),
	Entry("refuses a port that is none", "https://login.example.com:https/token", refused("spec.provider.tokenURL", "must be an absolute https:// URL")),
	Entry("refuses a fragment", example+"#now", refused("spec.provider.tokenURL", "may hold no fragment", "remove the '#'")),
	Entry("refuses a template", "https://login.example.com/{tenant}/token",
		refused("spec.provider.tokenURL", "may hold no template", "write the URL out")),
	Entry("refuses a template in the host", "https://{tenant}.example.com/token", refused("spec.provider.tokenURL", "may hold no template")),
	Entry("refuses user name and password", "https://app:secret@login.example.com/token",
		refused("spec.provider.tokenURL", "may hold no user name or password")),
	Entry("refuses a user name", "https://app@login.example.com/token", refused("spec.provider.tokenURL", "may hold no user name")),
	Entry("refuses a user name behind a scheme in upper case", "HTTPS://app@login.example.com/token",
		refused("spec.provider.tokenURL", "may hold no user name")),
	Entry("refuses an empty user name", "https://@login.example.com/token", refused("spec.provider.tokenURL", "may hold no user name")),
)

const (
	withSecret   = "client: {id: app, secretRef: {name: app, key: secret}}"
	withIDSecret = "client: {idRef: {name: app, key: id}, secretRef: {name: app, key: secret}}"
)

var _ = DescribeTable("spec.provider.clientAuthentication and spec.client",
	func(ctx SpecContext, authentication, client string, want verdict) {
		spec := fmt.Sprintf("provider: {clientAuthentication: %s}", authentication)
		if client != "" {
			spec += ", " + client
		}
		judge(ctx, fmt.Sprintf("spec: {%s}", spec), want)
	},
	Entry("takes nothing at all", "{}", "", accepted()),
	Entry("takes client_secret_basic with a secret", "{method: client_secret_basic}", withSecret, accepted()),
	Entry("takes client_secret_post with a secret", "{method: client_secret_post}", withIDSecret, accepted()),
	Entry("takes a secret without a method", "{}", withSecret, accepted()),
	Entry("takes none without a client", "{method: none}", "", accepted()),
	Entry("takes none with an id", "{method: none}", "client: {id: app}", accepted()),
	Entry("takes none with an idRef", "{method: none}", "client: {idRef: {name: app, key: id}}", accepted()),
	Entry("takes an empty client", "{}", "client: {}", accepted()),
	Entry("refuses a method that is not registered", "{method: basic}", withSecret,
		refused("spec.provider.clientAuthentication.method", `"client_secret_basic", "client_secret_post", "none"`)),
	Entry("refuses a method in CamelCase", "{method: None}", "",
		refused("spec.provider.clientAuthentication.method", `Unsupported value: "None"`)),
	Entry("refuses an empty method", `{method: ""}`, "", refused("spec.provider.clientAuthentication.method", "Unsupported value")),
	Entry("refuses client_secret_basic without a client", "{method: client_secret_basic}", "",
		refused("spec", "the methods client_secret_basic and client_secret_post need client.secretRef")),
	Entry("refuses client_secret_basic without a secret", "{method: client_secret_basic}", "client: {id: app}",
		refused("spec", "need client.secretRef")),
	Entry("refuses client_secret_post without a secret", "{method: client_secret_post}", "client: {id: app}",
		refused("spec", "need client.secretRef")),
	Entry("refuses none with a secret", "{method: none}", withSecret,
		refused("spec", "the method none sends no secret: remove client.secretRef")),
	Entry("refuses a secret without an id", "{}", "client: {secretRef: {name: app, key: secret}}",
		refused("spec.client", "a client with a secretRef needs an id or an idRef")),
	Entry("refuses id beside idRef", "{}", "client: {id: app, idRef: {name: app, key: id}}",
		refused("spec.client", "at most one of the fields in [id idRef] may be set")),

	Entry("takes basicEncoding with client_secret_basic", "{method: client_secret_basic, basicEncoding: Raw}", withSecret, accepted()),
	Entry("takes basicEncoding without a method", "{basicEncoding: FormURLEncoded}", withSecret, accepted()),
	Entry("refuses an encoding that is not known", "{basicEncoding: raw}", withSecret,
		refused("spec.provider.clientAuthentication.basicEncoding", `"FormURLEncoded", "Raw"`)),
	Entry("refuses basicEncoding with client_secret_post", "{method: client_secret_post, basicEncoding: Raw}", withSecret,
		refused("spec.provider.clientAuthentication", "basicEncoding is only for the method client_secret_basic")),
	Entry("refuses basicEncoding with none", "{method: none, basicEncoding: Raw}", "",
		refused("spec.provider.clientAuthentication", "basicEncoding is only for the method client_secret_basic")),
	Entry("takes an id with a colon", "{}", "client: {id: 'urn:app', secretRef: {name: app, key: secret}}", accepted()),
	Entry("refuses an id with a colon that would be sent as it is", "{basicEncoding: Raw}",
		"client: {id: 'urn:app', secretRef: {name: app, key: secret}}",
		refused("spec", "an id with a colon cannot be sent with basicEncoding Raw: choose FormURLEncoded")),
)

var _ = DescribeTable("spec.client.id",
	func(ctx SpecContext, id string, want verdict) {
		judge(ctx, fmt.Sprintf("spec: {client: {id: %s}}", quote(id)), want)
	},
	Entry("takes 2048 characters", strings.Repeat("a", 2048), accepted()),
	Entry("takes blanks and letters of all the world", "Büro 1", accepted()),
	Entry("refuses 2049", strings.Repeat("a", 2049), refused("spec.client.id", "Too long", "2048")),
	Entry("refuses none at all", "", refused("spec.client.id", "at least 1 chars")),
	Entry("refuses the line break of a block scalar", "app\n", refused("spec.client.id", "must be one line")),
)

// Everything that names a key of a Secret is of one kind.
var _ = DescribeTable("spec.client.idRef",
	func(ctx SpecContext, reference string, want verdict) {
		judge(ctx, fmt.Sprintf("spec: {client: {idRef: %s}}", reference), want)
	},
	Entry("takes name and key", "{name: app.v2, key: Client_id.1}", accepted()),
	Entry("takes long ones", fmt.Sprintf("{name: %s, key: %[1]s}", strings.Repeat("a", 253)), accepted()),
	Entry("demands a name", "{key: id}", refused("spec.client.idRef.name", "Required value")),
	Entry("demands a key", "{name: app}", refused("spec.client.idRef.key", "Required value")),
	Entry("refuses an empty name", `{name: "", key: id}`, refused("spec.client.idRef.name", "at least 1 chars")),
	Entry("refuses an empty key", `{name: app, key: ""}`, refused("spec.client.idRef.key", "at least 1 chars")),
	Entry("refuses a name that no Secret can have", "{name: App_1, key: id}",
		refused("spec.client.idRef.name", "must be the name of a Secret: lower-case letters, digits, '-' and '.'")),
	Entry("refuses a path", "{name: ../nodes/a, key: id}", refused("spec.client.idRef.name", "must be the name of a Secret")),
	Entry("refuses a name that is too long", fmt.Sprintf("{name: %s, key: id}", strings.Repeat("a", 254)),
		refused("spec.client.idRef.name", "Too long", "253")),
	Entry("refuses a key that no Secret can have", "{name: app, key: client id}",
		refused("spec.client.idRef.key", "should match '^[-._a-zA-Z0-9]+$'")),
	Entry("refuses a key that is too long", fmt.Sprintf("{name: app, key: %s}", strings.Repeat("a", 254)),
		refused("spec.client.idRef.key", "Too long", "253")),
)

var _ = DescribeTable("spec.provider.tls",
	func(ctx SpecContext, tls string, want verdict) {
		judge(ctx, fmt.Sprintf("spec: {provider: {tls: %s}}", tls), want)
	},
	Entry("takes a Secret", "{caRef: {kind: Secret, name: ca, key: ca.crt}}", accepted()),
	Entry("takes a ConfigMap", "{caRef: {kind: ConfigMap, name: ca, key: ca.crt}}", accepted()),
	Entry("refuses to be empty", "{}", refused("spec.provider.tls", "at least 1 properties")),
	Entry("refuses another kind", "{caRef: {kind: Pod, name: ca, key: ca.crt}}",
		refused("spec.provider.tls.caRef.kind", `supported values: "Secret", "ConfigMap"`)),
	Entry("demands the kind", "{caRef: {name: ca, key: ca.crt}}", refused("spec.provider.tls.caRef.kind", "Required value")),
	Entry("demands the name", "{caRef: {kind: Secret, key: ca.crt}}", refused("spec.provider.tls.caRef.name", "Required value")),
	Entry("demands the key", "{caRef: {kind: Secret, name: ca}}", refused("spec.provider.tls.caRef.key", "Required value")),
	Entry("refuses a name that no object can have", "{caRef: {kind: Secret, name: CA, key: ca.crt}}",
		refused("spec.provider.tls.caRef.name", "must be the name of a Secret or ConfigMap")),
	Entry("refuses a key that no object can have", "{caRef: {kind: Secret, name: ca, key: ca/crt}}",
		refused("spec.provider.tls.caRef.key", "should match")),
)
