package gate

import (
	"container/heap"
	"sync"
	"time"
)

const (
	// ProbeInterval is the least distance between two probes of a closed line.
	ProbeInterval = 5 * time.Second

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
func (g *Gate) Submit(key string, order Order, request func() Result) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lines[key]
	if l == nil {
		l = &line{}
		g.lines[key] = l
	}
	l.arrivals++
	heap.Push(&l.waiting, waiter{order: order, arrival: l.arrivals, request: request})
	g.start(key, l)
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
		if l.closed() {
			if l.running > 0 || l.resting {
				return
			}
			l.resting = true
			g.afterFunc(ProbeInterval, func() { g.rested(key, l) })
		}
		l.running++
		first, _ := heap.Pop(&l.waiting).(waiter)
		go g.run(key, l, first.request)
	}
}

// run runs one request and lets the next ones start.
func (g *Gate) run(key string, l *line, request func() Result) {
	result := Unsent
	// Deferred, so that a request that panics gives its place up, too.
	defer func() { g.done(key, l, result) }()
	result = request()
}

func (g *Gate) done(key string, l *line, result Result) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l.running--
	switch result {
	case Answered:
		l.failures = 0
	case Failed:
		l.failures++
	case Unsent:
	}
	g.start(key, l)
	g.forget(key, l)
}

// rested ends the pause after a probe.
func (g *Gate) rested(key string, l *line) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l.resting = false
	g.start(key, l)
	g.forget(key, l)
}

// forget drops a line that holds nothing worth knowing. The caller holds the lock.
func (g *Gate) forget(key string, l *line) {
	if l.running == 0 && l.waiting.Len() == 0 && l.failures == 0 && !l.resting && g.lines[key] == l {
		delete(g.lines, key)
	}
}
