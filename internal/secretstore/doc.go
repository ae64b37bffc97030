// Package secretstore writes the Secrets that tokensync owns, and no others.
//
// A target Secret describes itself: its labels name the credential, and its
// annotations say when the token was issued, when it expires, what it was asked
// for with, and what was written. So a lost status or a restart costs nothing.
//
// Writes are server-side applies under one field manager. An update carries the
// resourceVersion at which the Secret was seen to be ours, so that nothing is
// overwritten that nobody looked at.
package secretstore
