package schema_test

import (
	"fmt"
	"regexp"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	. "github.com/onsi/ginkgo/v2"
)

// fullEndpoint has every field of an endpoint set, but for the issuer.
const fullEndpoint = `
tokenURL: https://login.example.com/oauth/token
authorizationURL: https://login.example.com/authorize
deviceAuthorizationURL: https://login.example.com/device
revocationURL: https://login.example.com/revoke
authorizationParameters: {access_type: offline}
clientAuthentication: {basicEncoding: Raw, assertion: {audience: a, algorithm: PS256, keyID: k, lifetime: 90s}}
request:
  method: PUT
  bodyFormat: JSON
  scopeSeparator: ','
  omitParameters: [scope, grant_type]
  headers:
  - {name: X-A, value: a}
  - {name: X-B, valueFrom: {secretKeyRef: {name: s, key: k}}, expression: value}
  parameters:
  - {name: a, value: ""}
  - {name: b, valueFrom: {secretKeyRef: {name: s, key: k}}, expression: value}
response:
  succeeded: body.ok
  accessToken: body.a
  tokenType: body.b
  expiresIn: body.c
  expiresAt: body.d
  issuedAt: body.e
  refreshToken: body.f
  refreshTokenExpiresIn: body.g
  scope: body.h
  error: body.i
  errorDescription: body.j
  extra: {tenant: body.k}
lifetime: {default: 1h30m, maximum: 720h, expiresInUnit: Minutes, refreshToken: {maximum: 8760h, idle: 2160h}}
tokenReissue: Replaces
timeout: 500ms500ms
tls: {caRef: {kind: ConfigMap, name: ca, key: ca.crt}}
`

// fullCredential has every field of a credential set, but for those that exclude
// one another, which are in otherCredentials.
const fullCredential = `
grantType: urn:ietf:params:oauth:grant-type:jwt-bearer
jwtBearer:
  privateKeyRef: {name: app, key: key.json}
  issuer: a
  subject: b
  audience: c
  algorithm: ES512
  keyID: d
  lifetime: 60s
  claims: {scope: '"a"'}
client:
  id: app
  secretRef: {name: app, key: secret}
  authentication:
    method: client_secret_jwt
    assertion: {audience: a, algorithm: HS512, keyID: k, lifetime: 10s}
scopes: [b, a]
audiences: [urn:b, urn:a]
resources: ['https://b.example.com', 'https://a.example.com']
request:
  headers:
  - {name: X-C, value: c}
  - {name: X-D, valueFrom: {secretKeyRef: {name: s, key: k}}, expression: value}
  parameters:
  - {name: c, value: c}
  - {name: d, valueFrom: {secretKeyRef: {name: s, key: k}}, expression: value}
refresh: {afterPercent: 80, before: 0s}
secret:
  name: token
  type: example.com/token
  labels: {team: a}
  annotations: {example.com/contact: a b}
  data: {authorization: '"Bearer " + token.access_token'}
  adoptExisting: true
  deletionPolicy: Retain
revocationPolicy: OnDelete
suspend: true
`

// otherCredentials are specs with what excludes something in the full one.
var otherCredentials = []string{
	`
providerRef: {kind: ClusterOAuthProvider, name: acme, variables: {tenant: a}}
grantType: client_credentials
client: {idRef: {name: app, key: id}, privateKeyRef: {name: app, key: k}, authentication: {method: private_key_jwt}}
`, `
provider: {issuer: https://login.example.com, clientAuthentication: {method: tls_client_auth}}
grantType: urn:ietf:params:oauth:grant-type:jwt-bearer
client: {id: app, certificateRef: {name: app-tls}}
jwtBearer: {serviceAccount: {name: app, audience: a, expirationSeconds: 600}}
`, `
providerRef: {kind: OAuthProvider, name: acme}
grantType: urn:ietf:params:oauth:grant-type:token-exchange
client:
  serviceAccount: {name: app, audience: a, expirationSeconds: 3600}
tokenExchange:
  subjectToken: {secretKeyRef: {name: a, key: b}}
  subjectTokenType: a
  actorToken: {serviceAccount: {name: app, audience: a, expirationSeconds: 86400}}
  actorTokenType: b
  requestedTokenType: c
`, `
providerRef: {kind: OAuthProvider, name: acme}
grantType: urn:ietf:params:oauth:grant-type:token-exchange
tokenExchange:
  subjectToken: {serviceAccount: {name: app, audience: a, expirationSeconds: 3600}}
  subjectTokenType: a
  actorToken: {secretKeyRef: {name: a, key: b}}
  actorTokenType: b
`, `
providerRef: {kind: OAuthProvider, name: acme}
grantType: password
client: {id: app, secretRef: {name: app, key: secret}, authentication: {basicEncoding: Raw}}
password: {username: a, passwordRef: {name: a, key: b}}
`, `
providerRef: {kind: OAuthProvider, name: acme}
grantType: password
password: {usernameRef: {name: a, key: a}, passwordRef: {name: a, key: b}}
`, `
providerRef: {kind: OAuthProvider, name: acme}
grantType: refresh_token
refreshToken: {bootstrapRef: {name: a, key: b}}
`, `
providerRef: {kind: OAuthProvider, name: acme}
grantType: authorization_code
authorizationCode: {redirectURI: 'http://127.0.0.1:8400/callback', parameters: {prompt: consent}}
`, `
providerRef: {kind: OAuthProvider, name: acme}
grantType: urn:ietf:params:oauth:grant-type:device_code
`,
}

const fullProvider = `
client: {id: app, secretRef: {name: app, key: secret}}
allowed:
  scopes: [b, a]
  audiences: [urn:b, urn:a]
  resources: [https://b.example.com]
  grantTypes: [password, client_credentials]
  variables: {tenant: [b, a]}
allowedAuthorities: [b.example.com, 'a.example.com:8443']
limits: {maxConcurrentRequests: 10, requests: 100, period: 60s, burst: 5}
`

var otherProviders = []string{
	`
issuer: https://login.example.com
client:
  idRef: {name: app, key: id}
  privateKeyRef: {name: app, key: k}
  authentication: {method: private_key_jwt, assertion: {audience: a, algorithm: RS256, keyID: k, lifetime: 10s}}
`, `
tokenURL: https://login.example.com/token
clientAuthentication: {method: self_signed_tls_client_auth}
client: {id: app, certificateRef: {name: app-tls}}
`, `
tokenURL: https://login.example.com/{tenant}/token
client: {id: app, secretRef: {name: app, key: secret}, authentication: {basicEncoding: Raw}}
`,
}

// full are manifests of a kind in which every field is set in one or another.
func (k kind) full() []map[string]any {
	GinkgoHelper()
	main, others := fullProvider, otherProviders
	if k.name == credentials.name {
		main, others = fullCredential, otherCredentials
	}
	first := object(fmt.Sprintf(k.around, "{}"))
	merge(first, map[string]any{"spec": object(main)})
	endpoint := object(fullEndpoint)
	if k.name == credentials.name {
		endpoint = map[string]any{"provider": endpoint}
	}
	merge(first, map[string]any{"spec": endpoint})
	manifests := []map[string]any{first}
	for _, other := range others {
		if k.name == credentials.name {
			other += "revocationPolicy: Never\n" // The default, which comes back with all.
		}
		manifests = append(manifests, map[string]any{"spec": object(other)})
	}
	for _, manifest := range manifests {
		header := object(k.minimal)
		delete(header, "spec")
		merge(manifest, header)
		if k.name == clusterProviders.name {
			merge(manifest, object(`spec: {allowedNamespaces: {matchLabels: {team: a}, matchExpressions: [{key: b, operator: In, values: [d, c]}]}}`))
		}
	}
	return manifests
}

// userKeys are the maps whose keys are the user's.
var userKeys = regexp.MustCompile(`[.](labels|annotations|data|claims|extra|variables|matchLabels|authorizationParameters|authorizationCode[.]parameters)$`)

// schemaPaths and valuePaths name the fields of a schema and of a value alike.
func schemaPaths(schema apiextensionsv1.JSONSchemaProps, path string, into map[string]bool) {
	into[path] = true
	for name, property := range schema.Properties {
		schemaPaths(property, path+"."+name, into)
	}
	if schema.Items != nil {
		schemaPaths(*schema.Items.Schema, path+"[]", into)
	}
	if schema.AdditionalProperties != nil {
		schemaPaths(*schema.AdditionalProperties.Schema, path+"{}", into)
	}
}

func valuePaths(value any, path string, into map[string]bool) {
	into[path] = true
	switch v := value.(type) {
	case map[string]any:
		for key, below := range v {
			if userKeys.MatchString(path) {
				valuePaths(below, path+"{}", into)
				continue
			}
			valuePaths(below, path+"."+key, into)
		}
	case []any:
		for _, below := range v {
			valuePaths(below, path+"[]", into)
		}
	}
}

// outOfReach are the fields of a kind that its rules never let a user set.
func (k kind) outOfReach(path string) bool {
	return slices.ContainsFunc(providerKinds, func(p kind) bool { return p.name == k.name }) &&
		regexp.MustCompile(`^spec[.]client[.]serviceAccount`).MatchString(path)
}
