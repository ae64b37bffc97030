// Package oidcprovider runs a real, certified authorization server for tests:
// oidc-provider from npm, as a child process on loopback, for the grants with which
// machines ask for themselves, and for those that a person begins.
//
//	clients      every method of RFC 6749, RFC 7523 and RFC 8705, on three ports
//	grants       client_credentials; JWT bearer and token exchange, which
//	             oidc-provider leaves to its users (grants.mjs)
//	people       authorization code, device and refresh token grants, whose refresh
//	             tokens rotate, for people who log in by pages (people.mjs)
//	metadata     in the place of RFC 8414 or in that of OpenID Connect Discovery
//	tokens       opaque or JWTs, by the resource; bound to the client's certificate
//	             where it has one, so that introspection tells which that was
//
// While it runs, clients can be changed ([Provider.Register]) and its certificate
// replaced ([Provider.RenewCertificate]).
//
// It needs Node 20 or newer with npm. What package-lock.json names is installed
// beside this file by npm ci, once, the first time that a server starts.
//
// The server ends with [Provider.Stop], with the context that started it, or
// with the process that started it, however that ends: it watches its standard
// input.
package oidcprovider
