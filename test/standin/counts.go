package standin

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// tooClose is the distance that two requests of one client should keep.
const tooClose = time.Second

// maximumClients bounds how many clients are counted one by one; those that
// come later share the counters of the client without a name.
const maximumClients = 100_000

// Counts is a snapshot of the counters, of the server or of one client.
type Counts struct {
	// Requests is how many token requests came, whatever became of them.
	Requests int64
	// Outcomes counts by outcome; those that never happened are left out.
	Outcomes map[Outcome]int64
	// TooClose counts token requests that came less than a second after another
	// one of the same client. Where clients are shared that is not a fault.
	TooClose int64
	// TooEarly counts token requests that came before the instant that a
	// Retry-After had told the same client to wait for.
	TooEarly int64
	// Closest is the shortest distance between two token requests of one client;
	// zero as long as no client came twice.
	Closest time.Duration
	// InFlight is how many token requests are under way, MostInFlight how many
	// ever were at once. Only the server has them, not a client.
	InFlight, MostInFlight int64
}

// tally holds counters that never lose an event.
type tally struct {
	requests, tooClose, tooEarly atomic.Int64
	closest                      atomic.Int64
	outcomes                     [outcomes]atomic.Int64
}

func (t *tally) snapshot() Counts {
	counts := Counts{
		Requests: t.requests.Load(),
		Outcomes: map[Outcome]int64{},
		TooClose: t.tooClose.Load(),
		TooEarly: t.tooEarly.Load(),
		Closest:  time.Duration(t.closest.Load()),
	}
	for i := range t.outcomes {
		if n := t.outcomes[i].Load(); n > 0 {
			counts.Outcomes[Outcome(i)] = n
		}
	}
	return counts
}

// keepClosest remembers the shortest distance; zero means none yet.
func (t *tally) keepClosest(distance time.Duration) {
	for {
		old := t.closest.Load()
		if old != 0 && old <= int64(distance) {
			return
		}
		if t.closest.CompareAndSwap(old, max(1, int64(distance))) {
			return
		}
	}
}

// client is what is known about one client.
type client struct {
	id    string
	tally tally

	mu        sync.Mutex
	last      time.Time
	notBefore time.Time
	// held is the token that the client was given last, where that is remembered.
	held grant
}

// same answers the token that the client was given last, with the rest of its life,
// as long as it lives; then another.
func (c *client) same(now time.Time, issue func() grant) grant {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !now.Before(c.held.expiresAt) {
		c.held = issue()
	}
	rest := c.held
	rest.issuedAt, rest.seconds = now, wholeSeconds(rest.expiresAt.Sub(now))
	return rest
}

// arrive counts a token request of the client for both tallies.
func (c *client) arrive(total *tally, now time.Time) {
	c.mu.Lock()
	last, notBefore := c.last, c.notBefore
	c.last = now
	c.mu.Unlock()
	for _, t := range [...]*tally{total, &c.tally} {
		t.requests.Add(1)
		if !last.IsZero() {
			distance := max(0, now.Sub(last))
			t.keepClosest(distance)
			if distance < tooClose {
				t.tooClose.Add(1)
			}
		}
		if now.Before(notBefore) {
			t.tooEarly.Add(1)
		}
	}
}

// retryAfter remembers until when the client was told to wait.
func (c *client) retryAfter(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notBefore = at
}

// clients holds every client that has been seen.
type clients struct {
	byID sync.Map // string to *client
	size atomic.Int64
	rest client
}

// of returns what is known about a client, and begins to know it.
func (c *clients) of(id string) *client {
	if known, ok := c.byID.Load(id); ok {
		return known.(*client)
	}
	if id == "" || c.size.Load() >= maximumClients {
		return &c.rest
	}
	id = strings.Clone(id) // the original would keep the whole request alive
	known, loaded := c.byID.LoadOrStore(id, &client{id: id})
	if !loaded {
		c.size.Add(1)
	}
	return known.(*client)
}

// Counts returns the counters of the server.
func (s *Server) Counts() Counts {
	counts := s.total.snapshot()
	counts.InFlight = s.inFlight.Load()
	counts.MostInFlight = s.mostInFlight.Load()
	return counts
}

// CountsOf returns the counters of one client.
func (s *Server) CountsOf(clientID string) Counts {
	if known, ok := s.seen.byID.Load(clientID); ok {
		return known.(*client).tally.snapshot()
	}
	if clientID == "" {
		return s.seen.rest.tally.snapshot()
	}
	return (&tally{}).snapshot()
}

// ClientIDs returns the ids of the clients that sent token requests, registered
// or not, in no order.
func (s *Server) ClientIDs() []string {
	var ids []string
	s.seen.byID.Range(func(id, _ any) bool {
		ids = append(ids, id.(string))
		return true
	})
	return ids
}
