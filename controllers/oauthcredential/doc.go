// Package oauthcredential keeps the Secrets of OAuthCredentials fresh.
//
// One reconcile reads as a sentence: gather facts, decide, act, derive the status,
// write it if it differs, tell what changed, and come back at the next boundary.
//
//	setup.go       what is watched
//	indexes.go     which credentials a change concerns
//	handlers.go    how they get into the queue
//	trim.go        what the cache keeps of Secrets and ConfigMaps
//	writes.go      what was written last, to tell a cache that lags
//	reconciler.go  the sentence
//	gather.go      facts: the target, the sources, the last outcome
//	facts.go       what the facts mean to the schedule
//	provider.go    the provider, and who has the only token of a client (claims.go)
//	conflict.go    who may write the target
//	act.go         doing what was decided, and writing the target
//	exchanges.go   token requests under way, outside the workers
//	exchange.go    one token request, from the Secrets to the token
//	trouble.go     providers that fail
//	allowance.go   the bucket of requests that no schedule made due
//	failure.go     what went wrong, as a reason, a class and a message
//	status.go      the status, derived from facts and outcome alone
//	conditions.go  the conditions of it
//	request.go     refreshes that were asked for by annotation
//	events.go      what has changed since the status before
//
// A token request never holds a worker. It runs in a goroutine of its own, its
// outcome is kept in memory, and the credential is reconciled again; the outcome
// is dropped only after the token, or the failure, has been written down.
//
// Where the grant is kept in a Secret of its own (package grant), what is spent cannot be
// had again. There an attempt is written down before anything is sent, and what comes of
// it before it is judged:
//
//	kept.go        the grant as it is, and the step that follows from it
//	spend.go       one attempt
//	device.go      a code for a person to enter
//	grants.go      writing the grant, until it is written
//	unanswered.go  the process outlives what it has sent
//	owners.go      whose open attempts may be taken over
//	bootstraps.go  which credential has begun with which refresh token
//	needs.go       what a person is told
//	revoke.go      ending the tokens of a credential that goes
//	revocable.go   which those are
package oauthcredential
