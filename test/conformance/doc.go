// Package conformance holds the tests that drive the token endpoint client
// against a real, certified authorization server, so that what both sides take
// for OAuth is not only our own reading of it.
//
// Most begin with a credential as a user writes it, and end with the server's word
// about the token, or with what the user is told instead:
//
//	methods_test.go     a row for every client authentication method and algorithm
//	refusal_test.go     every mistake of a client, and every error of the server
//	grants_test.go      JWT bearer and token exchange
//	discovery_test.go   issuers, and endpoints for client certificates
//	rotation_test.go    keys, secrets and certificates that are replaced
//	consent_test.go     authorization code and device grants of a person, refresh
//	                    tokens that rotate, and revocation
//	operator_test.go    all rows once more, by the operator on a real API server
//	grants_operator_test.go
//	                    the operator on grants whose refresh tokens are good for one use
//	sidecar_test.go     the sidecar, which asks by itself, without any Kubernetes
//
// They need Node 20 or newer; see package oidcprovider. Those with the operator
// need the binaries of the control plane, too; see package cluster.
package conformance
