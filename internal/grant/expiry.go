package grant

import "time"

// Limits are how long a grant lives by the provider's documentation; zero where it
// does not say.
type Limits struct {
	// Maximum counts from the login, and Idle from the last use of the refresh token.
	Maximum, Idle time.Duration
}

// warnAhead is how long before its end a person hears of it.
const warnAhead = 14 * 24 * time.Hour

// Ends tells when a person has to log in again, whatever is done until then, and from
// when on that counts as near. Both are zero where it is not known.
//
// A refresh token whose end moves on with each use is near its end only when it was
// not used for most of its life.
func (c *Chain) Ends(limits Limits) (at, warnAt time.Time) {
	if c == nil || c.Generation == 0 || c.RefreshToken.IsEmpty() {
		return time.Time{}, time.Time{}
	}
	renews := false
	soonest := func(end time.Time, moves bool) {
		if !end.IsZero() && (at.IsZero() || end.Before(at)) {
			at, renews = end, moves
		}
	}
	soonest(c.ExpiresAt, c.Renews)
	if limits.Maximum > 0 {
		soonest(c.StartedAt.Add(limits.Maximum), false)
	}
	if limits.Idle > 0 {
		soonest(c.RotatedAt.Add(limits.Idle), true)
	}
	if at.IsZero() {
		return at, at
	}
	ahead := warnAhead
	if renews {
		ahead = min(ahead, at.Sub(c.RotatedAt)/4)
	}
	return at, at.Add(-ahead)
}
