package oauthcredential

import (
	"maps"
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
	// repairs bounds the repairs of targets.
	repairs map[types.NamespacedName]lifetime.Bucket
	// troubles are the providers that fail, by gate key.
	troubles map[string]*providerTrouble
}

// providerTrouble is what is known of a provider that fails.
type providerTrouble struct {
	// last is the last failure, and failed are the credentials that met one.
	last   *failure
	failed map[types.UID]types.NamespacedName
}

// exchangeState is what is known of one credential's requests.
type exchangeState struct {
	inFlight  bool
	startedAt time.Time
	line      string
	// heldUp is why a request that waits for its turn will wait for long.
	heldUp  *failure
	outcome *outcome
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
		repairs:  map[types.NamespacedName]lifetime.Bucket{},
		troubles: map[string]*providerTrouble{},
	}
}

// state answers what is known of a credential's requests.
func (e *exchanges) state(uid types.UID) exchangeState {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.byUID[uid]
	if s == nil {
		return exchangeState{}
	}
	known := *s
	if trouble := e.troubles[s.line]; trouble != nil && s.inFlight && e.gate.Closed(s.line) {
		known.heldUp = trouble.last
	}
	return known
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
	*s = exchangeState{inFlight: true, startedAt: now, line: x.line()}
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
	trouble := e.troubles[s.line]
	switch o.result() {
	case gate.Failed:
		if trouble == nil {
			trouble = &providerTrouble{failed: map[types.UID]types.NamespacedName{}}
			e.troubles[s.line] = trouble
		}
		trouble.last = o.failure
		trouble.failed[x.credential.UID] = x.key()
	case gate.Answered:
		woken = append(woken, e.recovered(x.credential.UID, trouble)...)
		delete(e.troubles, s.line)
	case gate.Unsent:
	}
	e.mu.Unlock()
	for _, key := range woken {
		e.wake(key)
	}
}

// recovered marks the credentials that a provider had failed, and answers who they
// are. The caller holds the lock.
func (e *exchanges) recovered(answered types.UID, trouble *providerTrouble) []types.NamespacedName {
	if trouble == nil {
		return nil
	}
	var woken []types.NamespacedName
	for uid, key := range trouble.failed {
		if s := e.byUID[uid]; s != nil && uid != answered {
			s.recovered = true
			woken = append(woken, key)
		}
	}
	return woken
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

// repairAt is when the target of a credential may be repaired.
func (e *exchanges) repairAt(key types.NamespacedName) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.repairs[key].AllowedAt(lifetime.RepairStep)
}

// repaired counts a repair.
func (e *exchanges) repaired(key types.NamespacedName) {
	now := e.clock.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.repairs[key] = e.repairs[key].Draw(lifetime.RepairStep, now)
}

// forget drops what is known of a deleted credential. Its buckets stay until they
// are full again, so that deleting and creating anew gains nothing.
func (e *exchanges) forget(uid types.UID) {
	now := e.clock.Now()
	idle := func(_ types.NamespacedName, bucket lifetime.Bucket) bool { return bucket.Idle(now) }
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.byUID, uid)
	maps.DeleteFunc(e.buckets, idle)
	maps.DeleteFunc(e.repairs, idle)
}
