package gate

import (
	"container/heap"
	"time"
)

// ward is a namespace that fails in a line that it shares with others. It has a breaker
// of its own, so that what fails for a cause of its namespace, such as a certificate or
// a scope, closes the line to nobody else.
type ward struct {
	breaker breaker
	running int
	// aside are those of the namespace who have to wait for it, and distance is the
	// one that suits them.
	aside    queue
	distance time.Duration
}

// admits tells whether a request that is no probe may start.
func (w *ward) admits() bool { return !w.breaker.open && w.breaker.ramp.admits(w.running) }

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

// pace works out the distance anew.
func (w *ward) pace() {
	w.distance = Distance
	for _, ticket := range w.aside {
		w.hurry(ticket)
	}
}

// troubled tells whether the last that is known of the namespace is a failure.
func (w *ward) troubled() bool { return w.breaker.open || w.breaker.inRow > 0 }

// wardOf is the ward of a request's namespace, nil where it has none.
func (l *line) wardOf(ticket *Ticket) *ward { return l.wards[ticket.namespace.name] }

// inWard takes in a failure in a line of several namespaces, and tells whether it says
// something about the provider: one that namespaces fail together does.
func (l *line) inWard(now time.Time, ticket *Ticket) (news, together bool) {
	w := l.wardOf(ticket)
	if w == nil {
		w = &ward{}
		if l.wards == nil {
			l.wards = map[string]*ward{}
		}
		l.wards[ticket.namespace.name] = w
	}
	known := w.breaker.open
	if w.breaker.failed(now, ticket.started, l.started, true) {
		w.pace()
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
		oldest := w.aside.oldest(func(t *Ticket) bool { return l.clientMay(t, now) })
		if n := l.roster.namespaces[name]; n != nil {
			if other := n.oldest(func(t *Ticket) bool { return l.clientMay(t, now) }); oldest == nil || other != nil && other.arrival < oldest.arrival {
				oldest = other
			}
		}
		switch due := w.breaker.readyAt(w.distance); {
		case oldest == nil:
		case due.After(now):
			at = sooner(at, due)
		default:
			return oldest, time.Time{}
		}
	}
	return nil, at
}

// discharge ends a ward: who waits for it waits in the line again.
func (l *line) discharge(name string, w *ward) {
	delete(l.wards, name)
	for ticket := w.aside.top(); ticket != nil; ticket = w.aside.top() {
		heap.Remove(&w.aside, ticket.index)
		l.roster.add(ticket, name)
	}
}

// dischargeAll ends all wards, because they say nothing any more that the line does
// not say.
func (l *line) dischargeAll() {
	for name, w := range l.wards {
		l.discharge(name, w)
	}
}
