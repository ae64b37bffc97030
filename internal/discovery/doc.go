// Package discovery keeps what issuers say about themselves (RFC 8414, OpenID
// Connect Discovery), so that a token request need not ask first.
//
//	age of the answer          what a caller gets
//	none                       waits for one
//	under 1 h                  the answer
//	1 h to 24 h                the answer, while a new one is fetched
//	1 h to 24 h, and doubted   waits for a new one, or the old one where the
//	                           issuer cannot be reached
//	24 h and more              waits for a new one
//
// However many callers there are, an issuer is asked by one request at a time,
// and after a failure by none for a few seconds: a thousand credentials of a dead
// issuer cost it no more than one does.
//
// The answers that are kept are bounded, in all and per pool: who names a thousand
// issuers puts nobody else's out.
//
// The package knows nothing of Kubernetes.
package discovery
