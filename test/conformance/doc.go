// Package conformance holds the tests that drive the token endpoint client
// against a real, certified authorization server, so that what both sides take
// for OAuth is not only our own reading of it.
//
// They need Node 20 or newer; see package oidcprovider.
package conformance
