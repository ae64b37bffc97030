package gate

import (
	"container/heap"
	"time"
)

// line is the state of one key.
type line struct {
	key    string
	limits Limits
	// configured is the rate that the limits name.
	configured spacing
	roster     roster
	// crowd are all who wait, those aside too.
	crowd crowd
	// running are those that hold a slot, ramped those of them that ramps count, and
	// unjudged those without a result.
	running, ramped, unjudged int
	// arrivals and started number the requests, as they come and as they start.
	arrivals, started uint64

	breaker  breaker
	wards    map[string]*ward
	budget   budget
	throttle throttle
	clients  map[string]*client
	sighting sighting
	accepted []acceptance
	alarm    *alarm
}

// acceptance is an answer of the last measured time.
type acceptance struct {
	client, namespace string
	at                time.Time
}

// alarm is the timer of a line.
type alarm struct {
	at   time.Time
	stop func() bool
}

func (l *line) configure(now time.Time, limits Limits) {
	if l.limits != limits {
		l.limits = limits
		l.configured.set(now, limits.interval(), limits.Burst)
	}
}

func (l *line) add(r *Request) *Ticket {
	l.arrivals++
	ticket := &Ticket{
		line:      l,
		client:    r.Client,
		shared:    r.Shared,
		common:    r.Common,
		held:      r.Held,
		retry:     r.Failures > 0 && !r.Urgent,
		urgent:    r.Urgent,
		expiresAt: r.ExpiresAt,
		patience:  r.Patience,
		run:       r.Run,
		arrival:   l.arrivals,
	}
	l.roster.add(ticket, r.Namespace)
	l.crowd.join(ticket)
	return ticket
}

// next answers who may start now; and where nobody may, when to look again, zero
// where the end of a request will tell.
func (l *line) next(now time.Time) (*Ticket, time.Time) {
	recheck, _ := l.recall(now)
	if l.crowd.waiting == 0 || l.running >= l.limits.concurrent() {
		return nil, time.Time{}
	}
	if at := l.readyAt(); at.After(now) {
		return nil, at
	}
	urgent, urgentAt := l.urgent(now)
	if urgent != nil {
		return urgent, time.Time{}
	}
	ticket, at := l.ordinary(now, recheck)
	return ticket, sooner(at, urgentAt)
}

// ordinary is next for those that are not urgent, where neither the limits nor a
// throttle are in the way; recheck is when to look at those who stand aside again.
func (l *line) ordinary(now, recheck time.Time) (*Ticket, time.Time) {
	if at := l.breaker.readyAt(l.crowd.distance()); at.After(now) {
		return nil, at
	}
	if l.breaker.open {
		if l.breaker.probing {
			return nil, time.Time{}
		}
		return l.roster.longest(func(t *Ticket) bool { return l.clientMay(t, now) && l.wardMay(t, now) }), recheck
	}
	if !l.breaker.ramp.admits(l.ramped) || !l.throttle.ramp.admits(l.ramped) {
		return nil, time.Time{}
	}
	if probe, _ := l.probeOfWard(now); probe != nil {
		return probe, time.Time{}
	}
	ticket, recheck := l.inTurn(now)
	if ticket != nil {
		return ticket, time.Time{}
	}
	// Whoever that has put aside may be in a hurry.
	probe, at := l.probeOfWard(now)
	return probe, sooner(recheck, at)
}

// inTurn is next for a line that may start one.
func (l *line) inTurn(now time.Time) (*Ticket, time.Time) {
	budgetAt := l.budget.readyAt(now, l.crowd.retryDistance())
	for {
		ticket := l.first(now, !budgetAt.After(now))
		switch {
		case ticket == nil:
			recheck, recalled := l.recall(now)
			if recalled {
				continue
			}
			if l.roster.turn(true) != nil {
				recheck = sooner(recheck, budgetAt)
			}
			return nil, recheck
		case !l.clientMay(ticket, now):
			l.roster.remove(ticket)
			heap.Push(&l.clients[ticket.client].aside, ticket)
		case !l.wardMay(ticket, now):
			l.roster.remove(ticket)
			l.wardOf(ticket).wait(ticket)
		default:
			return ticket, time.Time{}
		}
	}
}

// first is the one to go next, retries left out where they are not wanted; nil where
// there is none.
func (l *line) first(now time.Time, retries bool) *Ticket {
	n := l.roster.turn(retries)
	if n == nil {
		return nil
	}
	l.crowd.expire(&n.fresh, now)
	l.crowd.expire(&n.retries, now)
	return n.first(retries)
}

// readyAt is when the line as a whole may start one, as far as its limits and its
// throttle go.
func (l *line) readyAt() time.Time {
	return later(l.configured.readyAt(), l.throttle.readyAt())
}

func (l *line) clientMay(ticket *Ticket, now time.Time) bool {
	c := l.clients[ticket.client]
	return c == nil || c.may(now)
}

func (l *line) wardMay(ticket *Ticket, now time.Time) bool {
	w := l.wardOf(ticket)
	return w == nil || w.admits(now)
}

// recall forgets the clients and wards of which nothing is worth knowing, and brings one
// who stands aside back for each that may go. It answers whether there was one, and
// when the next of the others may.
func (l *line) recall(now time.Time) (at time.Time, recalled bool) {
	for name, c := range l.clients {
		switch {
		case !c.worthUntil().After(now):
			delete(l.clients, name)
			recalled = l.bringAllBack(now, &c.aside) || recalled
		case !c.ramp.admits(c.running): // The end of what runs will tell.
		case c.readyAt().After(now):
			at = sooner(at, c.readyAt())
		case len(c.aside) > 0:
			l.bringBack(now, &c.aside)
			recalled = true
		}
	}
	for name, w := range l.wards {
		switch {
		case !w.worthUntil().After(now):
			delete(l.wards, name)
			recalled = l.bringAllBack(now, &w.aside) || recalled
		case w.breaker.open: // It is probed.
		case w.readyAt().After(now):
			at = sooner(at, w.readyAt())
		case w.admits(now) && len(w.aside) > 0:
			l.bringBack(now, &w.aside)
			recalled = true
		}
	}
	return at, recalled
}

// bringBack has the first of those who stand aside wait in the line again.
func (l *line) bringBack(now time.Time, aside *queue) {
	l.crowd.expire(aside, now)
	ticket := aside.top()
	heap.Remove(aside, ticket.index)
	l.roster.add(ticket, ticket.namespace.name)
}

// bringAllBack does so with all, and answers whether there was anyone.
func (l *line) bringAllBack(now time.Time, aside *queue) (recalled bool) {
	for ; len(*aside) > 0; recalled = true {
		l.bringBack(now, aside)
	}
	return recalled
}

// start notes that a request starts.
func (l *line) start(now time.Time, ticket *Ticket) {
	l.roster.served(ticket)
	l.roster.remove(ticket)
	l.crowd.leave(ticket)
	l.running++
	l.unjudged++
	l.started++
	ticket.started = l.started
	l.configured.take(now)
	l.throttle.pace.take(now)
	if ticket.holder = l.clients[ticket.client]; ticket.holder != nil {
		ticket.holder.pace.take(now)
	}
	probe := l.breaker.open && !ticket.urgent
	if probe {
		l.breaker.probe(now, ticket.started)
	}
	if ticket.ward = l.wardOf(ticket); ticket.ward != nil {
		ticket.ward.pace.take(now)
		if ticket.ward.breaker.open && !ticket.urgent {
			probe = true
			ticket.ward.breaker.probe(now, ticket.started)
			ticket.ward.hasten()
		}
	}
	l.countInRamps(ticket, 1)
	// Probes are bounded well enough.
	ticket.paid, ticket.paidAt = l.budget.take(now, ticket.retry && !probe), now
}

// free gives up the slot of a request, and tells whether it still had one.
func (l *line) free(ticket *Ticket) bool {
	if ticket.freed {
		return false
	}
	ticket.freed = true
	l.running--
	l.countInRamps(ticket, -1)
	if ticket.ward != nil {
		ticket.ward.breaker.freed(ticket.started)
	}
	l.breaker.freed(ticket.started)
	return true
}

// worthUntil is when an idle line may be forgotten.
func (l *line) worthUntil() time.Time {
	at := later(l.throttle.worthUntil(), l.configured.quiet)
	at = later(at, l.breaker.worthUntil())
	at = later(at, l.budget.worthUntil())
	if last := len(l.accepted) - 1; last >= 0 {
		at = later(at, l.accepted[last].at.Add(measured))
	}
	for _, c := range l.clients {
		at = later(at, c.worthUntil())
	}
	for _, w := range l.wards {
		at = later(at, w.worthUntil())
	}
	return at
}
