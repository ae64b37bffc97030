package gate

import "time"

// DefaultMaxConcurrent is how many requests of a key run at a time where its limits
// do not say.
const DefaultMaxConcurrent = 10

const (
	// Distance is the least distance between two probes of a broken provider, and
	// between two retries beyond the budget.
	Distance = 5 * time.Second
	// MinDistance is what it comes down to where those who wait have little patience.
	MinDistance = time.Second
)

// Request is a token request that is to run when its turn has come.
type Request struct {
	// Key names the line: a provider as one tenant sees it.
	Key string
	// Limits are those of the key. The newest count, for all who wait there.
	Limits Limits
	// Namespace is whose request it is: the namespaces of a key take turns.
	Namespace string
	// Common says that several namespaces share the key. What only one of them meets
	// is not held against the others.
	Common bool
	// Client identifies the OAuth client that asks.
	Client string
	// Shared says that the client is the provider's own, so that what throttles it
	// throttles everybody.
	Shared bool

	// Held says that a token is held which is still good. Those go first, because an
	// outage of their consumers can still be avoided.
	Held bool
	// ExpiresAt is when that token expires; zero where that is not known.
	ExpiresAt time.Time
	// Failures is how many requests of this credential have failed in a row. A
	// request after a failure is a retry, and draws on the budget of its key, unless it
	// is urgent.
	Failures int
	// Patience is a part of the life of a token that is held and still good, zero for
	// none. Requests to a provider in trouble are as close as the shortest patience of
	// all who wait for it, between MinDistance and Distance; and a provider that
	// throttles a request, and does not say for how long, is left alone for no longer.
	Patience time.Duration
	// Urgent says that the request makes up for one that got no answer although it may
	// have spent a refresh token, which providers take once more for some seconds only.
	// It goes before all others of its line, whatever their namespaces, and neither a
	// breaker nor a ramp nor the budget holds it up: only the limits do, and what a
	// provider asked for that throttles. So it has to be rare. Who always has one waiting
	// may leave nothing for the others.
	Urgent bool

	// Run carries the request out, in a goroutine of its own.
	Run func(*Turn) Result
}

// Limits bound the requests of one key.
type Limits struct {
	// MaxConcurrent is how many run at a time; zero is DefaultMaxConcurrent.
	MaxConcurrent int
	// Requests may start per Period; there is no such bound where either is zero.
	Requests int
	Period   time.Duration
	// Burst is how many of them may start at once; zero is one.
	Burst int
}

func (l Limits) concurrent() int {
	if l.MaxConcurrent <= 0 {
		return DefaultMaxConcurrent
	}
	return l.MaxConcurrent
}

// interval is the mean distance between two requests, zero where there is no bound.
func (l Limits) interval() time.Duration {
	if l.Requests <= 0 || l.Period <= 0 {
		return 0
	}
	return max(l.Period/time.Duration(l.Requests), 1)
}

// Outcome is what a request says about its provider.
type Outcome int

// The outcomes.
const (
	// Cut means that a request was given up under way, which says nothing.
	Cut Outcome = iota
	// Answered means that the provider gave what it was asked for.
	Answered
	// Refused means that it answered something else: it is well, as far as that goes.
	Refused
	// Failed means a transient failure.
	Failed
	// Throttled means that the provider asked for fewer requests.
	Throttled
	// Unsent means that no request was made, which says nothing and costs nothing.
	Unsent
)

// Result is what came of a request.
type Result struct {
	Outcome Outcome
	// RetryAfter is how long a provider that throttles asked to be left alone; zero
	// where it did not say.
	RetryAfter time.Duration
}

// distanceOf is the distance that suits a patience.
func distanceOf(patience time.Duration) time.Duration {
	if patience <= 0 {
		return Distance
	}
	return min(max(patience, MinDistance), Distance)
}

// Turn is given to a request that runs.
type Turn struct {
	gate   *Gate
	ticket *Ticket
}

// Release gives the slot to the next one before the result is known. What is left to
// do then must not ask the provider.
func (t *Turn) Release() {
	g, l := t.gate, t.ticket.line
	g.mu.Lock()
	defer g.mu.Unlock()
	if l.free(t.ticket) {
		g.advance(l, g.now())
	}
}

// Ticket is the place of one request in its line.
type Ticket struct {
	line      *line
	namespace *namespace
	client    string
	shared    bool
	common    bool
	held      bool
	retry     bool
	urgent    bool
	expiresAt time.Time
	patience  time.Duration
	run       func(*Turn) Result

	arrival uint64
	// queue is where it waits and index its place there; nil once it has left.
	queue *queue
	index int

	// started is its number among all that have started in its line.
	started uint64
	// holder is what was known of its client when it started, nil for nothing.
	holder *client
	// ward is that of its namespace when it started, nil for none.
	ward   *ward
	paid   payment
	paidAt time.Time
	freed  bool
}

// isLate tells whether the token that it was to replace in time has expired.
func (t *Ticket) isLate(now time.Time) bool {
	return t.held && !t.expiresAt.IsZero() && !now.Before(t.expiresAt)
}

// before tells which of two goes first. A token that is held counts by its expiry
// whatever failed before, because it must be tried again while it is good: the
// budget keeps such retries from crowding out the rest.
func (t *Ticket) before(other *Ticket) bool {
	switch {
	case t.held != other.held:
		return t.held
	case t.held && !t.expiresAt.Equal(other.expiresAt):
		if t.expiresAt.IsZero() || other.expiresAt.IsZero() {
			// A token that may live for ever can wait for one that does not.
			return other.expiresAt.IsZero()
		}
		return t.expiresAt.Before(other.expiresAt)
	case t.retry != other.retry:
		return other.retry
	default:
		return t.arrival < other.arrival
	}
}
