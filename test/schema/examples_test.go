package schema_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The systems that the project must serve, as their users would write them.
var _ = DescribeTable("the manifest of",
	func(ctx SpecContext, text string) {
		manifest := object(text)
		if kindOf(manifest).namespaced {
			merge(manifest, object("metadata: {namespace: "+namespace+"}"))
		}
		made, err := create(ctx, strict, manifest)
		Expect(err).NotTo(HaveOccurred())
		kindOf(manifest).read(ctx, nameOf(made))
	},
	Entry("a credential whose client is sent in the body", `
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: acme-news, namespace: web}
spec:
  provider:
    tokenURL: https://identity.syncronex.com/oauth/token
    clientAuthentication: {method: client_secret_post}
  grantType: client_credentials            # the default
  client:
    id: app_acme_news_prod                 # or idRef: {name, key}
    secretRef: {name: acme-news-client, key: client_secret}
  scopes: [acme_news_prod]
  secret:
    name: acme-news-token                  # default: the credential's own name
`),
	Entry("a provider with errors of its own", `
apiVersion: tokensync.dev/v1alpha1
kind: ClusterOAuthProvider
metadata: {name: syncplicity}
spec:
  tokenURL: https://api.syncplicity.com/oauth/token
  authorizationURL: https://api.syncplicity.com/oauth/authorize
  clientAuthentication: {method: client_secret_basic, basicEncoding: Raw}
  response:
    error: 'has(body.ErrorCode) ? body.ErrorCode : body.error'
    errorDescription: 'has(body.Error) ? body.Error : body.error_description'
`),
	Entry("a credential with a third secret", `
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: files, namespace: web}
spec:
  providerRef: {kind: ClusterOAuthProvider, name: syncplicity}
  client:
    idRef: {name: syncplicity, key: app_key}
    secretRef: {name: syncplicity, key: app_secret}
  request:
    headers:
    - name: Sync-App-Token
      valueFrom: {secretKeyRef: {name: syncplicity, key: app_token}}
  secret:
    data:                                  # CEL; replaces the default keys
      authorization: '"Bearer " + token.access_token'
      app_key: 'client.id'
`),
	Entry("a provider that is far from RFC 6749", `
apiVersion: tokensync.dev/v1alpha1
kind: ClusterOAuthProvider
metadata: {name: synqly}
spec:
  tokenURL: https://api.synqly.com/v1/tokens/{token_id}/refresh     # RFC 6570 template
  clientAuthentication: {method: none}
  request:
    method: PUT
    bodyFormat: None
    headers:
    - name: Authorization
      expression: '"Bearer " + refresh_token'
  response:
    accessToken: body.result.primary.access.secret
    expiresAt: body.result.primary.access.expires
    refreshToken: body.result.primary.refresh.secret
    tokenType: '"Bearer"'
    error: 'string(body.status)'
    errorDescription: body.message
`),
	Entry("a credential whose refresh token rotates", `
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: synqly-org, namespace: web}
spec:
  providerRef: {kind: ClusterOAuthProvider, name: synqly, variables: {token_id: 3d5b7c1e}}
  grantType: refresh_token
  refreshToken:
    bootstrapRef: {name: synqly-bootstrap, key: refresh_token}   # read once; the rotated one is kept apart
`),
	Entry("a credential that is minted with another one", `
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: synqly-siem, namespace: web}      # an Integration token, 10 minutes, minted with the one above
spec:
  provider:
    tokenURL: https://api.synqly.com/v1/tokens/acct-17/int-42
    clientAuthentication: {method: none}
    request:
      bodyFormat: JSON
      omitParameters: [grant_type]
      headers:
      - name: Authorization
        valueFrom: {secretKeyRef: {name: synqly-org, key: access_token}}
        expression: '"Bearer " + value'
    response: {accessToken: body.result.secret, expiresAt: body.result.expires, tokenType: '"Bearer"'}
`),
)
