package gate

import (
	"container/heap"
	"container/list"
)

// queue is a heap of requests, the first in order at the top.
type queue []*Ticket

// Len implements heap.Interface.
func (q queue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q queue) Less(i, j int) bool { return q[i].before(q[j]) }

// Swap implements heap.Interface.
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	if ticket, ok := x.(*Ticket); ok {
		ticket.queue, ticket.index = q, len(*q)
		*q = append(*q, ticket)
	}
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	ticket := (*q)[last]
	ticket.queue = nil
	(*q)[last] = nil
	*q = (*q)[:last]
	return ticket
}

// top is the first in order, nil where nobody waits.
func (q queue) top() *Ticket {
	if len(q) == 0 {
		return nil
	}
	return q[0]
}

// oldest is the one that has waited longest among those who may go.
func (q queue) oldest(may func(*Ticket) bool) *Ticket {
	var oldest *Ticket
	for _, ticket := range q {
		if (oldest == nil || ticket.arrival < oldest.arrival) && may(ticket) {
			oldest = ticket
		}
	}
	return oldest
}

// namespace is who waits of one namespace and may go, as far as its client is
// concerned. Retries stand apart, so that those that have no budget are in nobody's
// way.
type namespace struct {
	name           string
	fresh, retries queue
	// turns are its places in the two rotations, nil where it is in none.
	turns [2]*list.Element
}

// first is the one to go next, retries left out where they are not wanted.
func (n *namespace) first(retries bool) *Ticket {
	fresh, retry := n.fresh.top(), n.retries.top()
	if !retries || retry == nil || (fresh != nil && fresh.before(retry)) {
		return fresh
	}
	return retry
}

// oldest is the one that has waited longest among those who may go.
func (n *namespace) oldest(may func(*Ticket) bool) *Ticket {
	return older(n.fresh.oldest(may), n.retries.oldest(may))
}

// older is the one of two that came first, of which nil means none.
func older(a, b *Ticket) *Ticket {
	if a == nil || b != nil && b.arrival < a.arrival {
		return b
	}
	return a
}

// The two rotations of the namespaces: of those with anybody who may go, and of
// those with anybody who is no retry.
const (
	turnOfAny = iota
	turnOfFresh
)

// roster is who waits in one line, by namespace; and apart from them who waits for
// nobody's turn.
type roster struct {
	urgent     queue
	namespaces map[string]*namespace
	rotations  [2]list.List
}

// add lets a request wait for the turn of its namespace, which is forgotten again
// with the last who leaves it.
func (r *roster) add(ticket *Ticket, name string) {
	if ticket.urgent {
		ticket.namespace = &namespace{name: name} // In no rotation.
		heap.Push(&r.urgent, ticket)
		return
	}
	n := r.namespaces[name]
	if n == nil {
		n = &namespace{name: name}
		if r.namespaces == nil {
			r.namespaces = map[string]*namespace{}
		}
		r.namespaces[name] = n
	}
	ticket.namespace = n
	if ticket.retry {
		heap.Push(&n.retries, ticket)
	} else {
		heap.Push(&n.fresh, ticket)
	}
	r.enlist(n)
}

// remove takes a request out of wherever it waits.
func (r *roster) remove(ticket *Ticket) {
	heap.Remove(ticket.queue, ticket.index)
	r.enlist(ticket.namespace)
}

// served sends the namespace of a request to the end of the rotations.
func (r *roster) served(ticket *Ticket) {
	for i, turn := range ticket.namespace.turns {
		if turn != nil {
			r.rotations[i].MoveToBack(turn)
		}
	}
}

// enlist gives a namespace the places in the rotations that it should have.
func (r *roster) enlist(n *namespace) {
	wanted := [2]bool{turnOfAny: len(n.fresh)+len(n.retries) > 0, turnOfFresh: len(n.fresh) > 0}
	for i, want := range wanted {
		switch turn := n.turns[i]; {
		case want && turn == nil:
			n.turns[i] = r.rotations[i].PushBack(n)
		case !want && turn != nil:
			r.rotations[i].Remove(turn)
			n.turns[i] = nil
		}
	}
	if !wanted[turnOfAny] && r.namespaces[n.name] == n {
		delete(r.namespaces, n.name)
	}
}

// turn is the namespace whose turn it is, retries left out where they are not wanted;
// nil where nobody waits.
func (r *roster) turn(retries bool) *namespace {
	rotation := &r.rotations[turnOfFresh]
	if retries {
		rotation = &r.rotations[turnOfAny]
	}
	turn := rotation.Front()
	if turn == nil {
		return nil
	}
	n, _ := turn.Value.(*namespace)
	return n
}

// longest is the one that has waited longest in the namespace whose turn it is,
// among those who may go. Probes go by that: a credential that fails for a cause
// of its own must not be the only one ever to be tried, nor its namespace.
func (r *roster) longest(may func(*Ticket) bool) *Ticket {
	for turn := r.rotations[turnOfAny].Front(); turn != nil; turn = turn.Next() {
		n, _ := turn.Value.(*namespace)
		if ticket := n.oldest(may); ticket != nil {
			return ticket
		}
	}
	return nil
}
