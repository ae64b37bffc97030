// Package refresh is the command `kubectl tokensync refresh`: it asks for new tokens now,
// by an annotation, and waits for what comes of that.
package refresh
