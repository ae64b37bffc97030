package gate

import "time"

// Order is the place of a request in its line.
type Order struct {
	// Held says that a token is held which is still good. Those go first, because
	// an outage of their consumers can still be avoided.
	Held bool
	// ExpiresAt is when that token expires; zero where that is not known.
	ExpiresAt time.Time
}

func (o Order) before(other Order) bool {
	switch {
	case o.Held != other.Held:
		return o.Held
	case o.ExpiresAt.IsZero() || other.ExpiresAt.IsZero():
		// A token that may live for ever can wait for one that does not.
		return !o.ExpiresAt.IsZero() && other.ExpiresAt.IsZero()
	default:
		return o.ExpiresAt.Before(other.ExpiresAt)
	}
}

// line is the state of one key.
type line struct {
	running  int
	failures int // transient ones, in a row
	probes   int // since the line closed
	// rest is the pause after a probe, nil when there is none.
	rest     *rest
	arrivals uint64
	waiting  waiters
}

// rest is one pause between two probes. It is compared by identity; it has a field
// because two pointers to nothing may be equal.
type rest struct{ _ byte }

func (l *line) closed() bool { return l.failures >= failuresToClose }

// pause is the distance to the next probe.
func (l *line) pause() time.Duration {
	if l.probes > quickProbes {
		return SlowProbeInterval
	}
	return ProbeInterval
}

// Ticket is the place of one request in its line.
type Ticket struct {
	order   Order
	arrival uint64
	request func() Result
	// index is its place in the heap, negative once it has left it.
	index int
	// probe says that it was let through a closed line.
	probe bool
}

// waiters is a heap, the first in order at the top.
type waiters []*Ticket

func (w waiters) Len() int { return len(w) }

func (w waiters) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].index, w[j].index = i, j
}

func (w waiters) Less(i, j int) bool {
	if w[i].order == w[j].order {
		return w[i].arrival < w[j].arrival
	}
	return w[i].order.before(w[j].order)
}

// longest is the index of the one that has waited longest. Probes go by that: one
// that fails for a cause of its own must not be the only one ever to be tried.
func (w waiters) longest() int {
	first := 0
	for i := range w {
		if w[i].arrival < w[first].arrival {
			first = i
		}
	}
	return first
}

// Push implements heap.Interface.
func (w *waiters) Push(x any) {
	if ticket, ok := x.(*Ticket); ok {
		ticket.index = len(*w)
		*w = append(*w, ticket)
	}
}

// Pop implements heap.Interface.
func (w *waiters) Pop() any {
	last := len(*w) - 1
	ticket := (*w)[last]
	ticket.index = -1
	(*w)[last] = nil
	*w = (*w)[:last]
	return ticket
}
