package gate

import "time"

// urgent is the request that came first of those that are urgent and may start; nil
// where there is none, and when the next of them may, zero where none waits. What is
// known to fail is no reason to wait: until the provider takes the token no more, only
// an answer can save it. What the provider has asked for is one, because a request
// that it refuses saves nothing.
func (l *line) urgent(now time.Time) (first *Ticket, at time.Time) {
	for _, ticket := range l.roster.urgent {
		if due := l.throttledUntil(ticket); due.After(now) {
			at = sooner(at, due)
		} else {
			first = older(first, ticket)
		}
	}
	return first, at
}

// throttledUntil is when the client and the ward of a request may start one.
func (l *line) throttledUntil(ticket *Ticket) time.Time {
	var at time.Time
	if c := l.clients[ticket.client]; c != nil {
		at = c.readyAt()
	}
	if w := l.wardOf(ticket); w != nil {
		at = later(at, w.readyAt())
	}
	return at
}

// countInRamps changes the numbers of running requests that ramps bound. What is urgent
// does not count: where it fails for a cause of its own, it must not take the place of
// those a recovery is tried with.
func (l *line) countInRamps(ticket *Ticket, n int) {
	if ticket.urgent {
		return
	}
	l.ramped += n
	if ticket.holder != nil {
		ticket.holder.running += n
	}
	if ticket.ward != nil {
		ticket.ward.running += n
	}
}
