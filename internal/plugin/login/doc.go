// Package login is the command `kubectl tokensync login`: a person consents in a browser,
// or by a code that is entered elsewhere, and what comes of it is left in the Secret of
// the credential's grant, from where the operator carries on.
//
// Where the person may read the client's secret, the code is exchanged here, at once.
// Elsewhere the code itself is left, with its verifier, and the operator exchanges it.
package login
