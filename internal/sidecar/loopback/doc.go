// Package loopback keeps what serves tokens to the pod that they are for: on addresses
// that only the pod reaches (Parse, CheckNetwork), and for requests that were meant for
// such an address (Serve).
package loopback
