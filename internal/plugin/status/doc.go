// Package status is the command `kubectl tokensync status`: what each credential is up
// to, in one line. Describe reads a credential at an instant and is pure; the rest
// prints it.
package status
