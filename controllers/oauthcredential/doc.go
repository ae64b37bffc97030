// Package oauthcredential keeps the Secrets of OAuthCredentials fresh.
//
// One reconcile reads as a sentence: gather facts, decide, act, derive the status,
// write it if it differs, tell what changed, and come back at the next boundary.
//
//	setup.go      what is watched, and which credential a change concerns
//	trim.go       what the cache keeps of Secrets and ConfigMaps
//	writes.go     what was written last, to tell a cache that lags
//	reconciler.go the sentence
//	gather.go     facts: the target, the sources, the last outcome
//	conflict.go   who may write the target
//	exchanges.go  token requests under way, outside the workers
//	exchange.go   one token request, from the Secrets to the token
//	act.go        writing the target
//	failure.go    what went wrong, as a reason, a class and a message
//	status.go     the status, derived from facts and outcome alone
//	request.go    refreshes that were asked for by annotation
//	events.go     what has changed since the status before
//
// A token request never holds a worker. It runs in a goroutine of its own, its
// outcome is kept in memory, and the credential is reconciled again; the outcome
// is dropped only after the token, or the failure, has been written down.
package oauthcredential
