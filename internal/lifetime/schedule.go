package lifetime

import "time"

const (
	// defaultAfterPercent is the Policy.AfterPercent of 0: two thirds, so that a third remains for retries.
	defaultAfterPercent = 67
	// refreshJitter is the largest part of a lifetime by which a refresh is brought forward.
	refreshJitter = 0.05
	// unknownRefresh is the distance of refreshes where the lifetime is unknown.
	unknownRefresh = time.Hour
)

// Policy is what a credential says about its refreshes.
type Policy struct {
	// AfterPercent is the part of the lifetime, in percent, after which to refresh. 0 or less means 67; what is over
	// 100 means 100.
	AfterPercent int
	// Before is the least distance to expiry. 0 or less means none.
	Before time.Duration
}

// afterPercent returns the percentage to use, within 1 and 100.
func (p Policy) afterPercent() int {
	if p.AfterPercent <= 0 {
		return defaultAfterPercent
	}
	return min(p.AfterPercent, 100)
}

// RefreshAt returns when to ask for the next token, in whole seconds, provided that t.IssuedAt is one.
//
// That is AfterPercent of the lifetime after the issue, or Before ahead of expiry where that is earlier, less a jitter
// of up to 5 % of the lifetime that follows from seed and issue time. A Before that leaves no room is ignored. Above
// all that stand the bounds that keep a strange lifetime from causing a hot loop: a tenth of the lifetime and one
// second after the issue at the earliest. At the latest it is a second before expiry, or at expiry for a token that
// lives no longer than that second. A token of unknown lifetime is refreshed hourly, with the same jitter.
func RefreshAt(t Token, p Policy, seed string) time.Time {
	brought := refreshJitter * spread(seed, t.IssuedAt.Unix())
	if t.ExpiresAt.IsZero() {
		return t.IssuedAt.Add(unknownRefresh - share(unknownRefresh, brought)).UTC().Truncate(time.Second)
	}
	if t.ExpiresAt.Before(t.IssuedAt) {
		return t.ExpiresAt // Whatever the issue time is worth, at its expiry a token is due.
	}
	life := t.Lifetime()
	after := life / 100 * time.Duration(p.afterPercent())
	if p.Before > 0 && p.Before < life {
		after = min(after, life-p.Before)
	}
	after -= share(life, brought)
	// The bounds are whole seconds themselves, so truncating cannot undercut them.
	earliest := max(ceilDuration(life/10), minSpacing)
	latest := max(life.Truncate(time.Second)-time.Second, earliest)
	return t.IssuedAt.Add(min(max(after, earliest), latest)).UTC().Truncate(time.Second)
}

// ceilDuration rounds up to a whole second.
func ceilDuration(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
