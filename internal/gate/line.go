package gate

import "time"

// Order is the place of a request in its line.
type Order struct {
	// Held says that a token is held which is still good. Those go first, because
	// an outage of their consumers can still be avoided.
	Held bool
	// ExpiresAt is when that token expires.
	ExpiresAt time.Time
}

func (o Order) before(other Order) bool {
	if o.Held != other.Held {
		return o.Held
	}
	return o.ExpiresAt.Before(other.ExpiresAt)
}

// line is the state of one key.
type line struct {
	running  int
	failures int // transient ones, in a row
	resting  bool
	arrivals uint64
	waiting  waiters
}

func (l *line) closed() bool { return l.failures >= failuresToClose }

type waiter struct {
	order   Order
	arrival uint64
	request func() Result
}

// waiters is a heap, the first in order at the top.
type waiters []waiter

func (w waiters) Len() int      { return len(w) }
func (w waiters) Swap(i, j int) { w[i], w[j] = w[j], w[i] }
func (w waiters) Less(i, j int) bool {
	if w[i].order == w[j].order {
		return w[i].arrival < w[j].arrival
	}
	return w[i].order.before(w[j].order)
}

// Push implements heap.Interface.
func (w *waiters) Push(x any) {
	if one, ok := x.(waiter); ok {
		*w = append(*w, one)
	}
}

// Pop implements heap.Interface.
func (w *waiters) Pop() any {
	last := len(*w) - 1
	one := (*w)[last]
	(*w)[last] = waiter{}
	*w = (*w)[:last]
	return one
}
