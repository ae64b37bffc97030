package gate

import "time"

const (
	// longestHold is how long a provider that asks to be left alone is believed.
	longestHold = 15 * time.Minute
	// firstHold doubles with every refusal in a row, where the provider does not say
	// how long to wait.
	firstHold   = time.Second
	longestRest = time.Minute
	// memory is how long what a failure or a refusal taught is kept.
	memory = 10 * time.Minute

	// measured is the time over which a first rate is taken.
	measured = time.Second
	// caution is the part of what was accepted that is tried after a refusal.
	caution = 0.9
	// growth is what each accepted request adds to the rate, in requests per second.
	// As there are rate times as many per second, the rate doubles in some 70 s, be it
	// large or small.
	growth = 0.01
	// A rate that was refused is left alone for restraint times what the refusal
	// cost, so that looking for the limit costs a small part of the time.
	restraint        = 10
	longestRestraint = 5 * time.Minute
)

// throttle is what the refusals of a provider taught about one client, or about the
// whole line: for how long to hold, and how fast to go on after that.
type throttle struct {
	until time.Time
	// since is the last request that had started at the last refusal. What was under
	// way then brings no more news, but the same.
	since uint64
	// refusals are those in a row, and accepted the requests since the last one.
	refusals, accepted int

	rate    float64 // requests per second
	pace    spacing
	guessed bool // from a single burst
	growsAt time.Time
	ramp    ramp
}

// refused notes a refusal of the request with the number started, when last was the
// latest to have started, and lately were accepted within the measured time.
func (t *throttle) refused(now time.Time, started, last uint64, asked pause, lately int) {
	hold := min(asked.retryAfter, longestHold)
	if started > t.since {
		t.refusals++
		if hold <= 0 {
			hold = min(firstHold<<min(t.refusals-1, 10), asked.longestGuess())
		}
		t.learn(now, lately, asked.longestGuess())
		t.since, t.accepted, t.ramp = last, 0, 1
		t.growsAt = now.Add(hold + min(restraint*hold, longestRestraint))
	}
	if end := now.Add(hold); end.After(t.until) {
		t.until = end
	}
}

// pause is what a refusal says about how long to wait.
type pause struct {
	// retryAfter is what the provider asked for, zero where it did not.
	retryAfter time.Duration
	// patience is that of the request.
	patience time.Duration
}

// longestGuess is how long to wait at most where the provider has not said.
func (p pause) longestGuess() time.Duration {
	if p.patience <= 0 || p.retryAfter > 0 {
		return longestRest
	}
	return min(max(p.patience, MinDistance), longestRest)
}

// learn takes a rate from what was accepted: in the last burst where nothing is known,
// and else since the end of the last hold. Nothing accepted says little about how
// much too fast that was, so at most half is lost at a time; and the rate does not fall
// below one per the longest guess.
func (t *throttle) learn(now time.Time, lately int, longest time.Duration) {
	if t.guessed = t.rate == 0; t.guessed {
		t.rate = caution * float64(max(lately, 1))
	} else {
		sustained := float64(t.accepted) / max(now.Sub(t.until), measured).Seconds()
		t.rate = min(t.rate, max(t.rate/2, min(caution*sustained, caution*t.rate), 1/longest.Seconds()))
	}
	t.setPace(now)
}

func (t *throttle) setPace(now time.Time) {
	t.pace.set(now, time.Duration(float64(time.Second)/t.rate), 1)
}

// answered notes that the request with the number started was accepted. The limits
// say how far the rate and the ramp may grow.
func (t *throttle) answered(now time.Time, started uint64, limits Limits) {
	switch {
	case t.rate == 0:
		return
	case started > t.since:
		t.refusals = 0
		t.accepted++
		t.ramp.widen(limits.concurrent())
		if !now.Before(t.growsAt) {
			t.rate += growth
		}
	case t.guessed && now.Before(t.until):
		// It belongs to the burst that was measured, and has only come home later.
		t.rate += caution
	default:
		return
	}
	if interval := limits.interval(); interval > 0 {
		t.rate = min(t.rate, 1/interval.Seconds())
	}
	t.setPace(now)
}

// readyAt is the earliest instant at which the next request may start.
func (t *throttle) readyAt() time.Time { return later(t.until, t.pace.readyAt()) }

// worthUntil is when all of this may be forgotten.
func (t *throttle) worthUntil() time.Time {
	if t.rate == 0 {
		return time.Time{}
	}
	return t.until.Add(memory)
}

// client is what is known of a client that was throttled. Who waits for it stands
// aside, out of the way of others.
type client struct {
	throttle

	running int // as far as ramps count
	aside   queue
}

// may tells whether a request of the client may start.
func (c *client) may(now time.Time) bool {
	return c.ramp.admits(c.running) && !c.readyAt().After(now)
}

// sighting is the last refusal that anyone met.
type sighting struct {
	client, namespace string
	at                time.Time
}

// sightingsTogether is how close two clients must be throttled for the provider to
// mean more than each.
const sightingsTogether = time.Minute

func (s sighting) isRecent(now time.Time) bool {
	return !s.at.IsZero() && now.Sub(s.at) < sightingsTogether
}

// meant is whom a provider means that throttles.
type meant int

const (
	itsClient meant = iota
	itsNamespace
	everybody
)

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// sooner is the earlier of two instants, of which zero means none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
