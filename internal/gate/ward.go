package gate

import (
	"container/heap"
	"time"
)

// ward is a namespace that fails, or is throttled, in a line that it shares with others.
// What has its cause in the namespace, such as a certificate, a scope or a quota,
// closes the line to nobody else. Those who have to wait for it stand aside.
type ward struct {
	client

	breaker breaker
	// distance is the one that suits those who stand aside.
	distance time.Duration
	sighting sighting
}

// admits tells whether a request that is no probe may start.
func (w *ward) admits(now time.Time) bool {
	return !w.breaker.open && w.breaker.ramp.admits(w.running) && w.may(now)
}

// worthUntil is when all of this may be forgotten.
func (w *ward) worthUntil() time.Time {
	at := later(w.throttle.worthUntil(), w.breaker.worthUntil())
	if !w.sighting.at.IsZero() {
		at = later(at, w.sighting.at.Add(sightingsTogether))
	}
	return at
}

// wait puts a request aside that is in no queue.
func (w *ward) wait(ticket *Ticket) {
	heap.Push(&w.aside, ticket)
	w.hurry(ticket)
}

func (w *ward) hurry(ticket *Ticket) {
	if distance := distanceOf(ticket.patience); w.distance == 0 || distance < w.distance {
		w.distance = distance
	}
}

// hasten works out the distance anew.
func (w *ward) hasten() {
	w.distance = Distance
	for _, ticket := range w.aside {
		w.hurry(ticket)
	}
}

// troubled tells whether the last that is known of the namespace is a failure.
func (w *ward) troubled() bool { return w.breaker.open || w.breaker.inRow > 0 }

// wardOf is the ward of a request's namespace, nil where it has none.
func (l *line) wardOf(ticket *Ticket) *ward { return l.wards[ticket.namespace.name] }

// takeIn is the ward of a request's namespace, a new one where it has none.
func (l *line) takeIn(ticket *Ticket) *ward {
	w := l.wardOf(ticket)
	if w == nil {
		w = &ward{}
		if l.wards == nil {
			l.wards = map[string]*ward{}
		}
		l.wards[ticket.namespace.name] = w
	}
	return w
}

// failedInWard takes in a failure in a line of several namespaces, and tells whether it
// says something about the provider: one that namespaces meet together does.
func (l *line) failedInWard(now time.Time, ticket *Ticket) (news, together bool) {
	w := l.takeIn(ticket)
	known := w.breaker.open
	if w.breaker.failed(now, ticket.started, l.started, true) {
		w.hasten()
	}
	if known {
		return false, false
	}
	troubled := 0
	for _, other := range l.wards {
		if other.troubled() {
			troubled++
		}
	}
	return true, troubled > 1
}

// probeOfWard is the request to probe with for a namespace whose breaker is open and
// whose time has come, nil where there is none; and when to look again.
func (l *line) probeOfWard(now time.Time) (probe *Ticket, at time.Time) {
	for name, w := range l.wards {
		if !w.breaker.open || w.breaker.probing {
			continue
		}
		n := l.roster.namespaces[name]
		if n == nil && len(w.aside) == 0 {
			continue
		}
		// Who it is matters only when the time has come: there may be many to look at.
		if due := later(w.breaker.readyAt(w.distance), w.readyAt()); due.After(now) {
			at = sooner(at, due)
			continue
		}
		may := func(t *Ticket) bool { return l.clientMay(t, now) }
		oldest := w.aside.oldest(may)
		if n != nil {
			oldest = older(oldest, n.oldest(may))
		}
		if oldest != nil {
			return oldest, time.Time{}
		}
	}
	return nil, at
}

// closeToAll has the breaker of the line stand for those of the namespaces.
func (l *line) closeToAll() {
	for _, w := range l.wards {
		w.breaker = breaker{}
	}
}
