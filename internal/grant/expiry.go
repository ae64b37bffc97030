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

// End is when a refresh token ends. Its instants are zero where they are not known.
type End struct {
	// At is the end, before which a person has to log in again, and WarnAt from when on
	// that counts as near.
	At, WarnAt time.Time
	// UseBy is when it is to be used at the latest, zero where that would not move the
	// end on.
	UseBy time.Time
}

// Ends tells when the refresh token of a chain ends, should it not be used.
//
// One whose end moves on with each use is near its end only when it was not used for
// most of its life.
func (c *Chain) Ends(limits Limits) End {
	if c == nil || c.Lost || c.Generation == 0 || c.RefreshToken.IsEmpty() {
		return End{}
	}
	var (
		at     time.Time
		renews bool
	)
	soonest := func(end time.Time, moves bool) {
		if !end.IsZero() && (at.IsZero() || end.Before(at)) {
			at, renews = end, moves
		}
	}
	// Whether the end moves is not known before the first use: to use it early is safe.
	soonest(c.ExpiresAt, c.Renews || c.Generation == 1)
	if limits.Maximum > 0 {
		soonest(c.StartedAt.Add(limits.Maximum), false)
	}
	if limits.Idle > 0 {
		soonest(c.RotatedAt.Add(limits.Idle), true)
	}
	switch life := at.Sub(c.RotatedAt); {
	case at.IsZero():
		return End{}
	case renews:
		return End{At: at, WarnAt: at.Add(-min(warnAhead, life/4)), UseBy: at.Add(-life / 3)}
	}
	return End{At: at, WarnAt: at.Add(-warnAhead)}
}
