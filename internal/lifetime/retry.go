package lifetime

import "time"

// Class says what kind of failure a token request met, which decides when to try again.
type Class string

// The classes of failure.
const (
	// Transient is a provider that cannot be reached or is unwell: dial, TLS, time-out, 5xx.
	Transient Class = "Transient"
	// Throttled is a provider that asks us to slow down: 429, or 503 with Retry-After.
	Throttled Class = "Throttled"
	// Rejected is a provider that says no, with a known OAuth error code.
	Rejected Class = "Rejected"
	// Protocol is an answer that cannot be used: a 2xx without a token, a 4xx without a known code.
	Protocol Class = "Protocol"
	// Configuration is something missing or wrong on our side, before any request.
	Configuration Class = "Configuration"
	// Authorization is a credential that waits for a person.
	Authorization Class = "Authorization"
)

// Failure is what is known about the failures since the last success.
type Failure struct {
	// Class is the class of the last failure. One that is not known counts as Protocol.
	Class Class
	// Count is the number of failures in a row, at least 1.
	Count int
	// First and Last are when the first and the last of them happened. A zero First is Last.
	First, Last time.Time
	// RetryAfter is what a Throttled answer asked for; 0 or less if it named nothing.
	RetryAfter time.Duration
}

const (
	transientStart     = time.Second
	protocolStart      = time.Minute
	rejectedStart      = time.Minute
	backOffLimit       = 5 * time.Minute  // Transient and Protocol, in any case
	expiredLimit       = 30 * time.Second // Transient, with no good token
	rejectedLimit      = 15 * time.Minute
	retryAfterLimit    = 15 * time.Minute // beyond it a Retry-After is not believed
	configurationRetry = 10 * time.Minute // a safety net: a watch tells when the thing changes
	configurationStart = time.Minute
	backOffJitter      = 0.25 // up or down
	retryAfterJitter   = 0.05 // upward only
)

// RetryAt returns when to try again after a failure. t is the token that is still held, zero for none; seed decides the
// jitter, together with the failure's count. The result is in whole seconds and at least one second after f.Last,
// except for Authorization, where the zero time says that only a person can help.
//
//	Transient      from 1 s, doubling, up to a tenth of what was left of the token at f.First; up to 30 s without a good
//	               token; up to 5 min in any case
//	Throttled      f.RetryAfter up to 15 min, else as Transient
//	Rejected       a third of what is left of the token, up to 15 min, at least 1 min; without a good one from 1 min,
//	               doubling, up to 15 min
//	Protocol       as Transient from 1 min, or from its bound where that is less; without a good token up to 5 min
//	Configuration  10 min, or a third of what is left of the token where that is less, at least 1 min
//
// The bound of Transient is taken at the first failure: taken anew each time it would shrink with the token, and a
// provider in trouble would be asked ever faster.
func RetryAt(f Failure, t Token, seed string) time.Time {
	if f.Class == Authorization {
		return time.Time{}
	}
	return ceilSecond(f.Last.Add(max(retryAfter(f, t, seed), minSpacing)))
}

// retryAfter returns how long to wait after f.Last.
func retryAfter(f Failure, t Token, seed string) time.Duration {
	jitter := spread(seed, int64(f.Count))
	limit, protocolLimit := expiredLimit, backOffLimit
	if _, good := t.goodFor(f.Last); good {
		limit = goodLimit(f, t)
		protocolLimit = limit
	}
	switch f.Class {
	case Configuration:
		if left, good := t.goodFor(f.Last); good {
			return max(min(configurationRetry, left/3), configurationStart)
		}
		return configurationRetry
	case Rejected:
		return rejectedDelay(f, t)
	case Transient:
		return backOff(transientStart, limit, f.Count, jitter)
	case Throttled:
		if f.RetryAfter > 0 {
			asked := min(f.RetryAfter, retryAfterLimit)
			return asked + share(asked, retryAfterJitter*jitter)
		}
		return backOff(transientStart, limit, f.Count, jitter)
	case Protocol, Authorization: // The latter never comes here.
	}
	return backOff(protocolStart, protocolLimit, f.Count, jitter)
}

// goodLimit returns the longest wait of Transient while the token is good: a tenth of what was left at the first
// failure, and never further beyond expiry than a try without a good token would be.
func goodLimit(f Failure, t Token) time.Duration {
	first := f.First
	if first.IsZero() || first.After(f.Last) {
		first = f.Last
	}
	atFirst, _ := t.goodFor(first)
	atLast, _ := t.goodFor(f.Last)
	// Whole seconds, so that rounding a delay up never passes the limit.
	return min(max(atFirst/10, minSpacing), max(atLast, expiredLimit), backOffLimit).Truncate(time.Second)
}

// rejectedDelay returns the wait after a refusal. Nothing hurries there: until something changes the next answer will
// be the same, and many providers lock a client out that keeps asking.
func rejectedDelay(f Failure, t Token) time.Duration {
	left, good := t.goodFor(f.Last)
	if !good {
		return doubled(rejectedStart, rejectedLimit, f.Count)
	}
	return max(min(rejectedLimit, left/3), rejectedStart)
}

// doubled returns start, doubled for every failure but the first, and limit at most.
func doubled(start, limit time.Duration, count int) time.Duration {
	delay := start
	for i := 1; i < count && delay < limit; i++ {
		delay *= 2
	}
	return min(delay, limit)
}

// backOff returns a doubled delay in whole seconds, with a jitter of up to a quarter either way. At the limit only the
// way down is left, and is used, else all who have failed for long enough would come at the same time.
func backOff(start, limit time.Duration, count int, jitter float64) time.Duration {
	delay := doubled(start, limit, count)
	least := delay - share(delay, backOffJitter)
	most := min(delay+share(delay, backOffJitter), limit)
	return ceilDuration(least + share(most-least, jitter))
}

const (
	defaultTimeout = 30 * time.Second
	minTimeout     = 5 * time.Second
)

// RequestTimeout returns how long one token request may take. That is configured, if positive; else 30 s, or half of
// what is left of a token that is good at now where that is less, but at least 5 s: one answer that hangs must not use
// up all the time that a short token leaves for trying again. It is a multiple of 5 s, so that messages that name it
// stay the same from one attempt to the next.
func RequestTimeout(configured time.Duration, t Token, now time.Time) time.Duration {
	if configured > 0 {
		return configured
	}
	if left, good := t.goodFor(now); good {
		return min(defaultTimeout, max(minTimeout, (left/2).Truncate(minTimeout)))
	}
	return defaultTimeout
}
