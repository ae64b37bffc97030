package lifetime

import "time"

// forever bounds all arithmetic on durations: no lifetime is longer, and sums and products with small factors stay
// within time.Duration, which ends at some 292 years.
const forever = 100 * 365 * 24 * time.Hour

// Token is the life of a token, by our clock, in whole seconds and UTC. The zero Token stands for no token at all.
type Token struct {
	// IssuedAt is the instant just before the request went out, so a slow answer never adds to a token's life.
	IssuedAt time.Time
	// ExpiresAt is the first instant at which the token is no longer good. Zero means that the lifetime is unknown.
	ExpiresAt time.Time
}

// Lifetime returns how long the token lives from its issue. It is 0 when that is unknown, and never negative.
func (t Token) Lifetime() time.Duration {
	if t.ExpiresAt.IsZero() {
		return 0
	}
	return max(0, t.ExpiresAt.Sub(t.IssuedAt))
}

// Expired reports whether the token is no longer good at now; at the very instant of expiry it is not. A token whose
// lifetime is unknown never counts as expired.
func (t Token) Expired(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// Left returns how long the token is still good at now. It is 0 when it has expired or its lifetime is unknown, and
// never negative.
func (t Token) Left(now time.Time) time.Duration {
	if t.ExpiresAt.IsZero() {
		return 0
	}
	return max(0, t.ExpiresAt.Sub(now))
}

// goodFor returns how long the token is still good at now, and false when there is none or it has expired. A token
// whose lifetime is unknown is good forever: nothing that depends on what is left should hurry because of it.
func (t Token) goodFor(now time.Time) (time.Duration, bool) {
	switch {
	case t.IssuedAt.IsZero() && t.ExpiresAt.IsZero():
		return 0, false
	case t.ExpiresAt.IsZero():
		return forever, true
	default:
		return t.Left(now), !t.Expired(now)
	}
}
