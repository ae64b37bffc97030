// Package lifetime works out how long a token lives and when to ask for the next one.
//
// Everything here is a pure function of its arguments: there is no clock, no random source, no I/O and no state.
// Callers pass instants in and get instants out, so that a decision can be repeated at any time, by any replica, with
// the same result.
//
// # From an answer to a token
//
// [Read] takes what a token endpoint said ([Claims]), what the configuration says ([Rules]) and two readings of our
// own clock. The sources, in order:
//
//	expiresIn                a relative lifetime, counted from just before the request went out
//	expiresAt and issuedAt   their difference, so that the provider's clock cancels out
//	expiresAt alone          an instant, corrected by the skew between the Date header and our clock
//	Rules.Default            what the configuration says where the answer says nothing
//	none                     the lifetime is unknown: Token.ExpiresAt is zero
//
// Whatever comes out is whole seconds, at least one of them, and never more than Rules.Maximum. Where sources disagree
// by more than a tenth the shortest wins. What cannot be used is an [*InvalidError]; what can be used but deserves a
// look is a [Warning]. Neither ever quotes the answer: a misdirected mapping may well have put a secret there.
//
// # From a token to a schedule
//
// [RefreshAt] says when to ask for the next token while all goes well, [RetryAt] when to ask again after a failure, and
// [RequestTimeout] how long to wait for one answer. Jitter is a hash of a seed that the caller chooses (the
// credential's UID) and of what is being scheduled, so the same question always has the same answer.
//
// What a new token means for the one before ([Reissue]) shapes all three: where it ends the other, [RefreshAt] is late
// and [Decide] mints for little else; where it is the same one until that expires, [Read] takes a life for the rest of
// one, and [RefreshAt] asks near its end and right after it.
//
// # From facts to an action
//
// [Decide] puts these together: it says whether to ask, to publish or to wait, why, and when to look again. [Bucket]
// bounds the requests that no schedule made due. A clock that is set back makes few tokens due at once and keeps none
// waiting for long; one that is set forward cannot be told from a machine that was asleep.
//
// # Bounds
//
// The bounds that hold whatever a provider claims:
//
//	after a success          no sooner than a tenth of the lifetime, and no sooner than one second
//	after a failure          no sooner than one second
//	both                     whole seconds, which is all that a Kubernetes status can store
package lifetime
