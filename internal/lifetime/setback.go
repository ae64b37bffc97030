package lifetime

import "time"

// A clock that is set back leaves instants ahead that ought to be past. Whatever counts from one of them would wait for
// the clock to get there again, while the tokens grow older all the same. How old they are by then nobody can tell, so
// they are replaced within the time that is surely left, spread over it.
//
// A clock that is set forward looks like time that has passed, as it has where a machine was asleep, and there is no
// telling the two apart. What seems due then is due.

// setBack is how far ahead an instant of the past may lie before the clock counts as set back: clocks of two machines
// may differ by less.
const setBack = time.Minute

// rewound takes back what counts from a request that lies ahead.
func (f Facts) rewound(now time.Time) Facts {
	if !f.LastRequest.After(now.Add(setBack)) {
		return f
	}
	if f.RetryAt.After(now) {
		f.RetryAt = f.soon(now, f.RetryAt.Sub(f.LastRequest))
	}
	if f.NotBefore.After(now) {
		f.NotBefore = f.soon(now, f.NotBefore.Sub(f.LastRequest))
	}
	f.LastRequest = time.Time{}
	return f
}

// refreshAt is when the token is to be replaced.
func (f Facts) refreshAt(now time.Time) time.Time {
	at := RefreshAt(f.Token, f.Policy, f.Seed)
	life := f.Token.Lifetime()
	if f.Token.ExpiresAt.IsZero() {
		life = unknownRefresh
	}
	// What the clocks of two machines may differ by is much for a token that lives for minutes.
	if f.Token.IssuedAt.After(now.Add(min(setBack, life/10))) {
		if soon := f.soon(now, life/3); soon.Before(at) {
			return soon
		}
	}
	return at
}

// soon returns an instant less than the given time ahead, in whole seconds. It depends on the seed, and stays the same
// while it lies ahead: without a memory of when the clock was set back there is nothing to count from, and what counts
// from now is never reached. So it is the next of a row of instants, each of which lasts for a tenth of their distance,
// and at least 5 s, during which soon is now.
func (f Facts) soon(now time.Time, within time.Duration) time.Time {
	const least = 5
	distance := max(int64(within/time.Second), 1)
	offset := int64(spread(f.Seed, distance) * float64(distance))
	into := ((now.Unix()-offset)%distance + distance) % distance
	whole := now.UTC().Truncate(time.Second)
	if into < max(distance/10, least) {
		return whole
	}
	return whole.Add(time.Duration(distance-into) * time.Second)
}
