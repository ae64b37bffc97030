// Package inspect is the command `kubectl tokensync inspect`: what is in the Secret of a
// credential, without the token.
package inspect
