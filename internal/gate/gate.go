package gate

import (
	"container/heap"
	"sync"
	"time"
)

// Options are what a gate needs from its surroundings.
type Options struct {
	// Now tells the time.
	Now func() time.Time
	// AfterFunc runs a function after a duration, in a goroutine of its own, unless
	// stop is called before.
	AfterFunc func(time.Duration, func()) (stop func() bool)
}

// Gate decides when the requests of each key start. It is safe for concurrent use.
type Gate struct {
	now       func() time.Time
	afterFunc func(time.Duration, func()) (stop func() bool)

	mu    sync.Mutex
	lines map[string]*line
}

// New makes a gate.
func New(options Options) *Gate {
	return &Gate{now: options.Now, afterFunc: options.AfterFunc, lines: map[string]*line{}}
}

// Submit runs a request in a goroutine of its own, at once or when its turn in the
// line of its key has come. It never blocks.
func (g *Gate) Submit(r Request) *Ticket {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	l := g.lines[r.Key]
	if l == nil {
		l = &line{key: r.Key}
		g.lines[r.Key] = l
	}
	l.configure(now, r.Limits)
	ticket := l.add(&r)
	g.advance(l, now)
	return ticket
}

// Withdraw takes a request out of its line. It answers false where the request has
// begun, or was withdrawn before.
func (g *Gate) Withdraw(ticket *Ticket) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ticket.queue == nil {
		return false
	}
	l := ticket.line
	l.roster.remove(ticket)
	l.crowd.leave(ticket)
	g.advance(l, g.now())
	return true
}

// Closed tells whether the line of key lets only probes of a namespace through, and
// what is urgent.
func (g *Gate) Closed(key, namespace string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lines[key]
	if l == nil {
		return false
	}
	w := l.wards[namespace]
	return l.breaker.open || w != nil && w.breaker.open
}

// ClosedToAll tells whether the line of key lets only probes through, whoever asks, and
// what is urgent.
func (g *Gate) ClosedToAll(key string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lines[key]
	return l != nil && l.breaker.open
}

// HeldUntil tells until when the provider has asked a client of a namespace to wait, and
// whether it has.
func (g *Gate) HeldUntil(key, namespace, client string) (time.Time, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lines[key]
	if l == nil {
		return time.Time{}, false
	}
	until := l.throttle.until
	if c := l.clients[client]; c != nil {
		until = later(until, c.until)
	}
	if w := l.wards[namespace]; w != nil {
		until = later(until, w.until)
	}
	if !until.After(g.now()) {
		return time.Time{}, false
	}
	return until, true
}

// Waiting counts those who wait in the line of key.
func (g *Gate) Waiting(key string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l := g.lines[key]; l != nil {
		return l.crowd.waiting
	}
	return 0
}

// advance starts what may start, and sees to it that the line is looked at again
// when more may, or when it can be forgotten. The caller holds the lock.
func (g *Gate) advance(l *line, now time.Time) {
	if !l.throttle.worthUntil().After(now) {
		l.throttle = throttle{}
	}
	ticket, at := l.next(now)
	for ; ticket != nil; ticket, at = l.next(now) {
		l.start(now, ticket)
		go g.run(l, ticket)
	}
	if l.crowd.waiting == 0 && l.unjudged == 0 {
		if at = l.worthUntil(); !at.After(now) {
			at = time.Time{}
			delete(g.lines, l.key)
		}
	}
	g.setAlarm(l, now, at)
}

// setAlarm has the line looked at again at an instant; zero is never. The caller
// holds the lock.
func (g *Gate) setAlarm(l *line, now, at time.Time) {
	if l.alarm != nil {
		if l.alarm.at.Equal(at) {
			return
		}
		l.alarm.stop()
		l.alarm = nil
	}
	if at.IsZero() {
		return
	}
	a := &alarm{at: at}
	l.alarm = a
	a.stop = g.afterFunc(at.Sub(now), func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if l.alarm == a {
			l.alarm = nil
			g.advance(l, g.now())
		}
	})
}

// run runs one request and lets the next ones start.
func (g *Gate) run(l *line, ticket *Ticket) {
	result := Result{Outcome: Cut}
	// Deferred, so that a request that ends its goroutine gives its place up, too.
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		now := g.now()
		l.free(ticket)
		l.judge(now, ticket, result)
		g.advance(l, now)
	}()
	result = ticket.run(&Turn{gate: g, ticket: ticket})
}

var _ heap.Interface = (*queue)(nil)
