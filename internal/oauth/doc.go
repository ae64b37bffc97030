// Package oauth is the client of a token endpoint (RFC 6749 section 3.2).
//
// [Client.Token] turns a [Request] into an [Answer] with exactly one HTTP
// request: nothing is retried, no redirect is followed, and the client's secret
// is sent once, in one way. What to do about a failure is the caller's decision,
// for which every [Error] carries a class.
//
// For the grants that a person starts there are [AuthorizationRequest.URL] and
// [ParseCallback] (RFC 6749 section 4.1), and [Client.DeviceAuthorization] (RFC
// 8628). What they bring is a parameter of the grant in a request for a token.
// [Client.Revoke] ends a token's life (RFC 7009).
//
//	request       build.go, form.go, json.go, format.go: what is sent, and how
//	client        clientauth.go, assertion.go, hint.go: how it proves who it is
//	a person      authorization.go, pkce.go, callback.go, device.go: who says yes at a browser
//	connection    exchange.go, transport.go, mtls.go: pools, TLS, egress, proxies
//	answer        body.go, answer.go, mapping.go: what came back, read with tolerance
//	failure       status.go, codes.go, grant.go, advice.go, network.go, retryafter.go: what went wrong
//	endpoints     role.go, revoke.go: those other than the token endpoint
//	discovery     discover.go, metadata.go: what an issuer says about itself
//
// # Failures
//
//	Kind               what happened                                     Class
//	Unreachable        no connection, TLS, time-out, 408, 5xx            Transient
//	Unreachable        temporarily_unavailable, server_error             Transient
//	RateLimited        429, or 503 with a usable Retry-After             Throttled
//	Pending            a person has yet to approve a device code         Authorization
//	Rejected           expired_token, access_denied for a device code    Authorization
//	Rejected           2xx or 4xx with a known or a mapped error code    Rejected
//	InvalidResponse    3xx, an unusable 2xx, a 4xx without such a code   Protocol
//	EgressDenied       an address or scheme that may not be used         Configuration
//	InvalidExpression  a 2xx on which the response mapping failed        Configuration
//	InvalidKey         a CA bundle or a key that cannot be used          Configuration
//	InvalidRequest     a request that cannot be built                    Configuration
//
// A mapped code is one that a [ResponseMapper] found in a place of the provider's
// own. Whatever it says, only a 2xx can succeed. The refresh token of a 2xx that
// fails otherwise is kept in the [Error], for there may be no other any more.
//
// Rate limiting goes first: a provider that says when to come back is taken at
// its word whatever code comes with it. Failures are told apart by types and
// codes, never by their texts.
//
// # Secrets
//
// No error holds a secret of the request, an assertion that was signed for it,
// an address that a name resolved to, a query string or a body. Texts from the
// wire are scrubbed of every secret the request knows and of the tokens in the
// same answer. Causes are exposed only where their texts are fixed.
//
// The package knows nothing of Kubernetes.
package oauth
