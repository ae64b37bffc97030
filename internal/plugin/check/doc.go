// Package check is the command `kubectl tokensync check`: it makes the token request of
// a manifest from here, shows each step of the exchange without its secrets, and tells
// what the operator would make of the answer.
package check
