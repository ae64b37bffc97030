package schema_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// The clients that there can be, by what they prove their identity with.
const (
	idOnly          = "id: app"
	withSecret      = "id: app, secretRef: {name: app, key: secret}"
	withIDSecret    = "idRef: {name: app, key: id}, secretRef: {name: app, key: secret}"
	withPrivateKey  = "id: app, privateKeyRef: {name: app, key: tls.key}"
	withCertificate = "id: app, certificateRef: {name: app-tls}"
	withAccount     = "serviceAccount: {name: app, audience: 'api://exchange'}"
)

// clients judges a client and how it authenticates, wherever the two can meet: the
// one beside the other or within it, in a credential and in a provider.
func clients(ctx SpecContext, authentication, client string, want verdict) {
	GinkgoHelper()
	judge(ctx, fmt.Sprintf("spec: {provider: {clientAuthentication: %s}, client: {%s}}", authentication, client), want)
	judge(ctx, fmt.Sprintf("spec: {provider: null, providerRef: {name: a}, client: {%s, authentication: %s}}", client, authentication), want)
	if client == withAccount {
		return
	}
	judgeProviders(ctx, fmt.Sprintf("spec: {clientAuthentication: %s, client: {%s}}", authentication, client), want)
	judgeProviders(ctx, fmt.Sprintf("spec: {client: {%s, authentication: %s}}", client, authentication), want)
}

const (
	methods    = `"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth", "none"`
	keyMessage = "the client's key does not fit its authentication method"
)

var _ = DescribeTable("a client and how it authenticates", clients,
	Entry("may leave the method to a secret", "{}", withSecret, accepted()),
	Entry("may leave the method to a private key", "{}", withPrivateKey, accepted()),
	Entry("may leave the method to a certificate", "{}", withCertificate, accepted()),
	Entry("may leave the method to a ServiceAccount", "{}", withAccount, accepted()),
	Entry("may leave the method to nothing", "{}", idOnly, accepted()),
	Entry("may be client_secret_basic", "{method: client_secret_basic}", withSecret, accepted()),
	Entry("may be client_secret_post", "{method: client_secret_post}", withIDSecret, accepted()),
	Entry("may be client_secret_jwt", "{method: client_secret_jwt}", withSecret, accepted()),
	Entry("may be private_key_jwt with a private key", "{method: private_key_jwt}", withPrivateKey, accepted()),
	Entry("may be private_key_jwt with the key of a certificate", "{method: private_key_jwt}", withCertificate, accepted()),
	Entry("may be private_key_jwt of a ServiceAccount", "{method: private_key_jwt}", withAccount, accepted()),
	Entry("may be tls_client_auth", "{method: tls_client_auth}", withCertificate, accepted()),
	Entry("may be self_signed_tls_client_auth", "{method: self_signed_tls_client_auth}", withCertificate, accepted()),
	Entry("may be none", "{method: none}", idOnly, accepted()),

	Entry("may not be client_secret_basic without a secret", "{method: client_secret_basic}", idOnly,
		refused("spec", keyMessage, "client_secret_basic, client_secret_post and client_secret_jwt need secretRef")),
	Entry("may not be client_secret_post without one", "{method: client_secret_post}", idOnly, refused("spec", keyMessage)),
	Entry("may not be client_secret_jwt without one", "{method: client_secret_jwt}", withPrivateKey, refused("spec", keyMessage)),
	Entry("may not be private_key_jwt with a secret", "{method: private_key_jwt}", withSecret,
		refused("spec", keyMessage, "private_key_jwt needs privateKeyRef, certificateRef or serviceAccount")),
	Entry("may not be private_key_jwt without a key", "{method: private_key_jwt}", idOnly, refused("spec", keyMessage)),
	Entry("may not be tls_client_auth without a certificate", "{method: tls_client_auth}", withPrivateKey,
		refused("spec", keyMessage, "tls_client_auth and self_signed_tls_client_auth need certificateRef")),
	Entry("may not be self_signed_tls_client_auth without one", "{method: self_signed_tls_client_auth}", withAccount, refused("spec", keyMessage)),
	Entry("may not be none with a secret", "{method: none}", withSecret, refused("spec", keyMessage, "none takes no key")),
	Entry("may not be none with a private key", "{method: none}", withPrivateKey, refused("spec", keyMessage)),
	Entry("may not be none with a certificate", "{method: none}", withCertificate, refused("spec", keyMessage)),
	Entry("may not be none with a ServiceAccount", "{method: none}", withAccount, refused("spec", keyMessage)),

	Entry("may not be what is not registered", "{method: basic}", withSecret, refused("uthentication.method", methods)),
	Entry("may not be in CamelCase", "{method: None}", idOnly, refused("uthentication.method", `Unsupported value: "None"`)),
	Entry("may not be empty", `{method: ""}`, idOnly, refused("uthentication.method", "Unsupported value")),

	Entry("may have an id in a Secret", "{}", "idRef: {name: app, key: id}", accepted()),
	Entry("may not have two ids", "{}", "id: app, idRef: {name: app, key: id}",
		refused("spec.client", "at most one of the fields in [id idRef] may be set")),
	Entry("may not have two keys", "{}", withSecret+", certificateRef: {name: app-tls}",
		refused("spec.client", "at most one of the fields in [secretRef privateKeyRef certificateRef serviceAccount] may be set")),
	Entry("may not have a secret without an id", "{}", "secretRef: {name: app, key: secret}",
		refused("spec.client", "a client with a secretRef, privateKeyRef or certificateRef needs an id or an idRef")),
	Entry("may not have a private key without one", "{}", "privateKeyRef: {name: app, key: k}", refused("spec.client", "needs an id or an idRef")),
	Entry("may not have a certificate without one", "{}", "certificateRef: {name: app}", refused("spec.client", "needs an id or an idRef")),

	Entry("may encode as it is", "{method: client_secret_basic, basicEncoding: Raw}", withSecret, accepted()),
	Entry("may encode without a method", "{basicEncoding: FormURLEncoded}", withSecret, accepted()),
	Entry("may not encode as nobody knows", "{basicEncoding: raw}", withSecret,
		refused("uthentication.basicEncoding", `"FormURLEncoded", "Raw"`)),
	Entry("may not encode for client_secret_post", "{method: client_secret_post, basicEncoding: Raw}", withSecret,
		refused("uthentication", "basicEncoding is only for the method client_secret_basic: remove it, or change the method")),
	Entry("may not encode for none", "{method: none, basicEncoding: Raw}", idOnly,
		refused("uthentication", "basicEncoding is only for the method client_secret_basic")),
	Entry("may have a colon in the id", "{}", "id: 'urn:app', secretRef: {name: app, key: secret}", accepted()),
	Entry("may not have one that would be sent as it is", "{basicEncoding: Raw}", "id: 'urn:app', secretRef: {name: app, key: secret}",
		refused("spec", "an id with a colon cannot be sent with basicEncoding Raw: choose FormURLEncoded")),
)

var _ = DescribeTable("an endpoint and a client that is not there",
	func(ctx SpecContext, authentication string, want verdict) {
		judge(ctx, fmt.Sprintf("spec: {provider: {clientAuthentication: %s}}", authentication), want)
		judge(ctx, fmt.Sprintf("spec: {provider: {clientAuthentication: %s}, client: {}}", authentication), want)
		By("having a provider wait for the clients of its credentials")
		judgeProviders(ctx, fmt.Sprintf("spec: {clientAuthentication: %s}", authentication), accepted())
	},
	Entry("go together without a method", "{}", accepted()),
	Entry("go together with none", "{method: none}", accepted()),
	Entry("do not with client_secret_basic", "{method: client_secret_basic}", refused("spec", keyMessage)),
	Entry("do not with private_key_jwt", "{method: private_key_jwt}", refused("spec", keyMessage)),
	Entry("do not with tls_client_auth", "{method: tls_client_auth}", refused("spec", keyMessage)),
)

var _ = DescribeTable("the client's own way",
	func(ctx SpecContext, own string, want verdict) {
		client := fmt.Sprintf("client: {%s, authentication: %s}", withPrivateKey, own)
		judge(ctx, fmt.Sprintf("spec: {provider: {clientAuthentication: {method: client_secret_post}}, %s}", client), want)
		judgeProviders(ctx, fmt.Sprintf("spec: {clientAuthentication: {method: client_secret_post}, %s}", client), want)
	},
	Entry("takes the place of the provider's", "{method: private_key_jwt}", accepted()),
	Entry("takes its place whole", "{assertion: {keyID: a}}", accepted()),
	Entry("says nothing when it is empty", "{}", refused("spec", keyMessage)),
)

var _ = DescribeTable("the id of a client", within(judgeKinds, "spec: {client: {id: %+q}}", ""),
	Entry("takes 2048 characters", strings.Repeat("a", 2048), accepted()),
	Entry("takes blanks and letters of all the world", "Büro 1", accepted()),
	Entry("refuses 2049", strings.Repeat("a", 2049), refused("spec.client.id", "Too long", "2048")),
	Entry("refuses none at all", "", refused("spec.client.id", "at least 1 chars")),
	Entry("refuses the line break of a block scalar", "app\n", refused("spec.client.id", "must be one line")),
)

// Everything that names a key of a Secret is of one kind.
var _ = DescribeTable("a reference to the key of a Secret", within(judgeKinds, "spec: {client: {idRef: %s}}", ""),
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
