// Package issuance makes one token request: from the plan of a credential to what is to
// be published, or to what went wrong. The operator and the sidecar share it, and with it
// what a provider is asked for, when, and how its errors are understood.
//
//	request.go  the request, its answer, and what is made of that
//	failure.go  what went wrong, as a reason, a class and a message
//	turn.go     the place of a credential in the line of its provider
//
// It keeps no state and no clock: who calls it decides when, and keeps what comes of it.
package issuance
