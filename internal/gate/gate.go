package gate

import (
	"container/heap"
	"sync"
	"time"
)

const (
	// ProbeInterval is the least distance between two probes of a closed line.
	ProbeInterval = 5 * time.Second
	// SlowProbeInterval is that distance once quickProbes have failed.
	SlowProbeInterval = 30 * time.Second

	quickProbes = 60
	// failuresToClose is how many transient failures in a row close a line.
	failuresToClose = 5
)

// Result is what a request says about its provider.
type Result int

// The results.
const (
	// Answered means that the provider answered, be it with a refusal.
	Answered Result = iota
	// Failed means a transient failure.
	Failed
	// Unsent means that no request was made, which says nothing.
	Unsent
	// Cut means that a request was given up under way, which says nothing either.
	Cut
)

// Gate bounds the requests under way, per key. It is safe for concurrent use.
type Gate struct {
	limit     int
	afterFunc func(time.Duration, func())

	mu    sync.Mutex
	lines map[string]*line
}

// New makes a gate that lets limit requests per key run at a time. afterFunc runs
// a function after a duration, as time.AfterFunc does.
func New(limit int, afterFunc func(time.Duration, func())) *Gate {
	return &Gate{limit: limit, afterFunc: afterFunc, lines: map[string]*line{}}
}

// Submit runs the request in a goroutine of its own, at once or when its turn in
// the line of key has come. It never blocks.
func (g *Gate) Submit(key string, order Order, request func() Result) *Ticket {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lines[key]
	if l == nil {
		l = &line{}
		g.lines[key] = l
	}
	l.arrivals++
	ticket := &Ticket{order: order, arrival: l.arrivals, request: request}
	heap.Push(&l.waiting, ticket)
	g.start(key, l)
	return ticket
}

// Withdraw takes a request out of the line of key. It answers false where the
// request has begun.
func (g *Gate) Withdraw(key string, ticket *Ticket) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lines[key]
	if l == nil || ticket.index < 0 {
		return false
	}
	heap.Remove(&l.waiting, ticket.index)
	g.forget(key, l)
	return true
}

// Closed tells whether the line of key lets only probes through.
func (g *Gate) Closed(key string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lines[key]
	return l != nil && l.closed()
}

// start starts what may start. The caller holds the lock.
func (g *Gate) start(key string, l *line) {
	for l.waiting.Len() > 0 && l.running < g.limit {
		next := 0 // the first in order
		if l.closed() {
			if l.running > 0 || l.rest != nil {
				return
			}
			l.probes++
			g.pause(key, l)
			next = l.waiting.longest()
		}
		l.running++
		ticket, _ := heap.Remove(&l.waiting, next).(*Ticket)
		ticket.probe = l.closed()
		go g.run(key, l, ticket)
	}
}

// run runs one request and lets the next ones start.
func (g *Gate) run(key string, l *line, ticket *Ticket) {
	result := Cut
	// Deferred, so that a request that ends its goroutine gives its place up, too.
	defer func() { g.done(key, l, ticket, result) }()
	result = ticket.request()
}

func (g *Gate) done(key string, l *line, ticket *Ticket, result Result) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l.running--
	switch result {
	case Answered:
		l.failures, l.probes, l.rest = 0, 0, nil
	case Failed:
		if l.failures++; l.closed() && l.rest == nil {
			g.pause(key, l)
		}
	case Unsent:
		if ticket.probe {
			l.rest = nil // It was none, after all.
		}
	case Cut:
	}
	g.start(key, l)
	g.forget(key, l)
}

// pause keeps the line from its next probe for a while. The caller holds the lock.
func (g *Gate) pause(key string, l *line) {
	pause := &rest{}
	l.rest = pause
	g.afterFunc(l.pause(), func() { g.rested(key, l, pause) })
}

// rested ends a pause, unless something else has ended it before.
func (g *Gate) rested(key string, l *line, pause *rest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l.rest != pause {
		return
	}
	l.rest = nil
	g.start(key, l)
	g.forget(key, l)
}

// forget drops a line that nobody stands in and that holds nothing worth knowing.
// A closed line is worth knowing only while its pause lasts. The caller holds the
// lock.
func (g *Gate) forget(key string, l *line) {
	if l.running == 0 && l.waiting.Len() == 0 && l.rest == nil && (l.failures == 0 || l.closed()) && g.lines[key] == l {
		delete(g.lines, key)
	}
}
