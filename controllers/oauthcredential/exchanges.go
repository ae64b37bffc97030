package oauthcredential

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/lifetime"
)

// exchanges keeps the token requests of all credentials: those under way, the
// outcomes that are not written down yet, and how much each may still ask for.
// It is safe for concurrent use.
type exchanges struct {
	clock clock.PassiveClock
	gate  *gate.Gate
	// wake has a credential reconciled.
	wake func(types.NamespacedName)

	mu      sync.Mutex
	byUID   map[types.UID]*exchangeState
	buckets map[types.NamespacedName]lifetime.Bucket
	// troubled are the credentials whose provider failed them, by gate key.
	troubled map[string]map[types.UID]types.NamespacedName
}

// exchangeState is what is known of one credential's requests.
type exchangeState struct {
	inFlight  bool
	startedAt time.Time
	outcome   *outcome
	// recovered says that the provider has answered somebody since it failed this
	// credential.
	recovered bool
}

func newExchanges(c clock.PassiveClock, g *gate.Gate, wake func(types.NamespacedName)) *exchanges {
	return &exchanges{
		clock:    c,
		gate:     g,
		wake:     wake,
		byUID:    map[types.UID]*exchangeState{},
		buckets:  map[types.NamespacedName]lifetime.Bucket{},
		troubled: map[string]map[types.UID]types.NamespacedName{},
	}
}

// state answers what is known of a credential's requests.
func (e *exchanges) state(uid types.UID) exchangeState {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.byUID[uid]; s != nil {
		return *s
	}
	return exchangeState{}
}

// start begins a token request, unless one is under way.
func (e *exchanges) start(x exchange, order gate.Order, unscheduled bool, step time.Duration) {
	now := e.clock.Now()
	e.mu.Lock()
	s := e.byUID[x.credential.UID]
	if s == nil {
		s = &exchangeState{}
		e.byUID[x.credential.UID] = s
	}
	if s.inFlight {
		e.mu.Unlock()
		return
	}
	*s = exchangeState{inFlight: true, startedAt: now}
	if unscheduled {
		e.buckets[x.key()] = e.buckets[x.key()].Draw(step, now)
	}
	e.mu.Unlock()

	e.gate.Submit(x.line(), order, func() gate.Result {
		o := x.run()
		e.finish(x, s, o)
		return o.result()
	})
}

// finish keeps the outcome of a request and has its credential reconciled, and
// with the first good answer those whose turn failed before.
func (e *exchanges) finish(x exchange, s *exchangeState, o *outcome) {
	woken := []types.NamespacedName{x.key()}
	e.mu.Lock()
	s.inFlight = false
	s.outcome = o
	switch o.result() {
	case gate.Failed:
		if e.troubled[x.line()] == nil {
			e.troubled[x.line()] = map[types.UID]types.NamespacedName{}
		}
		e.troubled[x.line()][x.credential.UID] = x.key()
	case gate.Answered:
		for uid, key := range e.troubled[x.line()] {
			if other := e.byUID[uid]; other != nil && uid != x.credential.UID {
				other.recovered = true
				woken = append(woken, key)
			}
		}
		delete(e.troubled, x.line())
	case gate.Unsent:
	}
	e.mu.Unlock()
	for _, key := range woken {
		e.wake(key)
	}
}

// settle drops an outcome that has been written down, or that is of no use.
func (e *exchanges) settle(uid types.UID, o *outcome) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.byUID[uid]; s != nil && s.outcome == o {
		s.outcome = nil
	}
}

// allowedAt is when the next unscheduled request of a credential is allowed.
func (e *exchanges) allowedAt(key types.NamespacedName, step time.Duration) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.buckets[key].AllowedAt(step)
}

// forget drops what is known of a deleted credential. Its bucket stays until it
// is full again, so that deleting and creating anew gains nothing.
func (e *exchanges) forget(uid types.UID) {
	now := e.clock.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.byUID, uid)
	for key, bucket := range e.buckets {
		if bucket.Idle(now) {
			delete(e.buckets, key)
		}
	}
}
