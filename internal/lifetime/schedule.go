package lifetime

import "time"

const (
	// defaultAfterPercent is the Policy.AfterPercent of 0: two thirds, so that a third remains for retries.
	defaultAfterPercent = 67
	// refreshJitter is the largest part of a lifetime by which a refresh is brought forward.
	refreshJitter = 0.05
	// useByEarliest is the least distance of refreshes that keep a refresh token from its end.
	useByEarliest = time.Minute
	// unknownRefresh is the distance of refreshes where the lifetime is unknown.
	unknownRefresh = time.Hour
)

// Policy is what a credential and its provider say about its refreshes.
type Policy struct {
	// AfterPercent is the part of the lifetime, in percent, after which to refresh. 0 or less means 67, or what
	// Reissue makes of it; what is over 100 means 100.
	AfterPercent int
	// Before is the least distance to expiry. 0 or less means none. It has no effect under Replaces.
	Before time.Duration
	// Reissue is what a new token means for the one before.
	Reissue Reissue
	// Timeout is how long one token request may take. 0 or less means 30 s. It counts under Replaces only.
	Timeout time.Duration
	// UseBy is when the refresh token is to be used at the latest, because its own end moves on with each use. Zero
	// means that it need not be.
	UseBy time.Time
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
//
// Where the policy's Reissue is not Independent it sets other defaults:
//
//	Replaces  95 % of the lifetime, or twice Timeout and at least a minute ahead of expiry where that is earlier, but
//	          not before two thirds; less the jitter as far as two thirds allow it. AfterPercent takes its place
//	Same      a twentieth of the lifetime ahead of expiry, 30 s at most and one second at least, less a jitter of up to
//	          half of that; a second after the expiry where 5 s or less are left. AfterPercent or Before take its place
//
// UseBy comes before all that, for as long as it is after the issue.
func RefreshAt(t Token, p Policy, seed string) time.Time {
	at := p.refreshAt(t, seed)
	useBy := p.UseBy.UTC().Truncate(time.Second)
	if !useBy.After(t.IssuedAt) || !useBy.Before(at) {
		return at
	}
	// However short its claim is, it causes no hot loop.
	earliest := useByEarliest
	if !t.ExpiresAt.IsZero() {
		earliest = max(min(earliest, ceilDuration(t.Lifetime()/10)), minSpacing)
	}
	if earliest := t.IssuedAt.Add(earliest).UTC().Truncate(time.Second); useBy.Before(earliest) && earliest.Before(at) {
		return earliest
	}
	return useBy
}

// refreshAt is RefreshAt without the UseBy.
func (p Policy) refreshAt(t Token, seed string) time.Time {
	jitter := spread(seed, t.IssuedAt.Unix())
	if t.ExpiresAt.IsZero() {
		brought := share(unknownRefresh, refreshJitter*jitter)
		return t.IssuedAt.Add(unknownRefresh - brought).UTC().Truncate(time.Second)
	}
	if t.ExpiresAt.Before(t.IssuedAt) {
		return t.ExpiresAt // Whatever the issue time is worth, at its expiry a token is due.
	}
	life := t.Lifetime()
	// The bounds are whole seconds themselves, so truncating cannot undercut them.
	earliest := max(ceilDuration(life/10), minSpacing)
	latest := max(life.Truncate(time.Second)-time.Second, earliest)
	var after time.Duration
	switch {
	case p.Reissue == Same && p.AfterPercent <= 0 && p.Before <= 0:
		after = sameAfter(life, jitter)
		latest = max(latest, after)
	case p.Reissue == Replaces && p.AfterPercent <= 0:
		after = p.replacesAfter(life, jitter)
	default:
		after = p.after(life) - share(life, refreshJitter*jitter)
	}
	return t.IssuedAt.Add(min(max(after, earliest), latest)).UTC().Truncate(time.Second)
}

// after returns how long after its issue a token is asked for, without the jitter.
func (p Policy) after(life time.Duration) time.Duration {
	after := life / 100 * time.Duration(p.afterPercent())
	if p.Before > 0 && p.Before < life && p.Reissue != Replaces {
		return min(after, life-p.Before)
	}
	return after
}

// ceilDuration rounds up to a whole second.
func ceilDuration(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
