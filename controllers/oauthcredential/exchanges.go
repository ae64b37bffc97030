package oauthcredential

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/issuance"
)

// exchanges keeps the token requests of all credentials: those that wait for their
// turn, those under way, and the outcomes that are not written down yet. It is
// safe for concurrent use.
type exchanges struct {
	clock clock.PassiveClock
	gate  *gate.Gate
	// wake has a credential reconciled.
	wake func(name types.NamespacedName, priority int)

	mu    sync.Mutex
	byUID map[types.UID]*exchangeState
	// troubles are the providers that fail, by gate key.
	troubles  map[string]*providerTrouble
	allowance allowance
}

// exchangeState is what is known of one credential's requests.
type exchangeState struct {
	// startedAt is when the last request was decided on, and once it went out, when.
	startedAt time.Time
	// request is the one that waits or is under way, nil when there is none; running
	// tells which.
	request *request
	running bool
	// line and terms are those of the last request, empty where there was none.
	line, terms string
	// heldUp is why a request that waits for its turn will wait for long, and unkept why
	// what one has brought cannot be kept yet.
	heldUp, unkept *issuance.Failure
	outcome        *outcome
	// recovered says that the provider has opened up since it failed this credential.
	recovered bool
	// lookAgainAt is that of the last outcome; attempt is the open attempt of somebody
	// else, and sightedAt when it was seen first.
	lookAgainAt time.Time
	attempt     string
	sightedAt   time.Time
	// apiErrors counts the requests in a row that the API server was in the way of.
	apiErrors int
}

// apiDelay is how much longer than usual the next request waits because the API
// server was in the way of the last ones.
func (s exchangeState) apiDelay() time.Duration {
	const longest = 5 // doublings of a second
	if s.apiErrors == 0 {
		return 0
	}
	return time.Second << min(s.apiErrors-1, longest)
}

func (s exchangeState) inFlight() bool { return s.request != nil }

// request is one token request from its decision to its outcome.
type request struct {
	exchange exchange
	line     string
	client   string
	ticket   *gate.Ticket
	cancel   context.CancelFunc
	running  bool
	// unscheduled says that it draws on the bucket, and step how fast that refills.
	unscheduled bool
	step        time.Duration
}

func newExchanges(c clock.PassiveClock, g *gate.Gate, wake func(name types.NamespacedName, priority int)) *exchanges {
	return &exchanges{
		clock:     c,
		gate:      g,
		wake:      wake,
		byUID:     map[types.UID]*exchangeState{},
		troubles:  map[string]*providerTrouble{},
		allowance: newAllowance(),
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
	if known.request != nil {
		known.running = known.request.running
		known.heldUp = e.heldUp(known.request)
		if known.unkept != nil {
			known.heldUp = known.unkept
		}
	}
	return known
}

// start begins a token request, unless one waits or is under way.
func (e *exchanges) start(x exchange, turn gate.Request, unscheduled bool, step time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.known(x.credential.UID)
	if s.inFlight() {
		return
	}
	ctx, cancel := context.WithCancel(x.ctx)
	x.ctx = ctx
	r := &request{exchange: x, line: turn.Key, client: turn.Client, cancel: cancel, unscheduled: unscheduled, step: step}
	if s.line != turn.Key {
		e.forgetTrouble(s.line, x.credential.UID)
	}
	*s = exchangeState{
		startedAt: e.clock.Now(), request: r, line: turn.Key, terms: x.terms, apiErrors: s.apiErrors,
		attempt: s.attempt, sightedAt: s.sightedAt,
	}
	turn.Run = func(t *gate.Turn) gate.Result { return e.run(s, r, t) }
	r.ticket = e.gate.Submit(turn)
}

// run carries a request out, unless it was abandoned while it waited.
func (e *exchanges) run(s *exchangeState, r *request, turn *gate.Turn) gate.Result {
	e.mu.Lock()
	abandoned := s.request != r
	if !abandoned {
		// It may have waited for its turn: requests are spaced by when they went out.
		r.running, s.startedAt = true, e.clock.Now()
	}
	e.mu.Unlock()
	if abandoned {
		return gate.Result{Outcome: gate.Unsent}
	}
	defer r.cancel()
	o := r.exchange.run(turn.Release)
	e.finish(s, r, o)
	return o.Result()
}

// finish keeps the outcome of a request and has its credential reconciled; and
// with the answer that opens a closed line all those who had failed there.
func (e *exchanges) finish(s *exchangeState, r *request, o *outcome) {
	uid, key := r.exchange.credential.UID, keyOf(r.exchange.credential)
	var woken []types.NamespacedName
	e.mu.Lock()
	if s.request == r {
		s.request, s.unkept = nil, nil
		if !o.Abandoned {
			s.keep(o)
		}
	}
	if o.Sent && o.SentAt.After(s.startedAt) {
		s.startedAt = o.SentAt
	}
	if o.Sent && r.unscheduled {
		e.allowance.draw(key, r.step, e.clock.Now())
	}
	trouble := e.troubles[r.line]
	switch result := o.Result().Outcome; {
	case e.byUID[uid] != s:
		// Its credential is gone.
	case result == gate.Failed:
		if trouble == nil {
			trouble = &providerTrouble{failed: map[types.UID]types.NamespacedName{}}
			e.troubles[r.line] = trouble
		}
		trouble.last, trouble.namespace, trouble.failed[uid] = o.Failure, key.Namespace, key
	case (result == gate.Answered || result == gate.Refused) && trouble != nil:
		e.forgetTrouble(r.line, uid)
		woken = e.recovered(trouble, r.line, key.Namespace)
	}
	e.mu.Unlock()
	e.wake(key, o.priority())
	for _, key := range woken {
		e.wake(key, ordinary)
	}
}

// keep keeps the outcome of a request.
func (s *exchangeState) keep(o *outcome) {
	s.outcome, s.recovered, s.lookAgainAt = o, false, o.lookAgainAt
	if s.apiErrors++; o.APIError == nil {
		s.apiErrors = 0
	}
}

// refused notes that the API server refuses to keep what a request under way has
// brought.
func (e *exchanges) refused(credential *v1alpha1.OAuthCredential, why *issuance.Failure) {
	e.mu.Lock()
	if s := e.byUID[credential.UID]; s != nil && s.inFlight() {
		s.unkept = why
	}
	e.mu.Unlock()
	e.wake(keyOf(credential), urgent)
}

// settle drops an outcome that has been written down, or that is of no use.
func (e *exchanges) settle(uid types.UID, o *outcome) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.byUID[uid]; s != nil && s.outcome == o {
		s.outcome = nil
	}
}

// abandon gives up the request of a credential: one that waits leaves its line,
// one under way is cut off, and its outcome is dropped. What may have spent a grant is
// waited for.
func (e *exchanges) abandon(uid types.UID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.byUID[uid]; s != nil && s.inFlight() {
		e.gate.Withdraw(s.request.ticket)
		s.request.cancel()
		if !s.request.running || s.request.exchange.spending == nil {
			s.request = nil
		}
	}
}

// conclude keeps an outcome that took no request. One that is put off leaves what has
// changed to be found again.
func (e *exchanges) conclude(f *facts, o *outcome) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.known(f.credential.UID)
	s.outcome, s.lookAgainAt, s.startedAt = o, o.lookAgainAt, e.clock.Now()
	if !o.postponed {
		s.terms, s.recovered = f.terms, false
	}
}

// sighted is when an open attempt was seen first.
func (e *exchanges) sighted(uid types.UID, attempt string, now time.Time) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.known(uid)
	if s.attempt != attempt {
		s.attempt, s.sightedAt = attempt, now
	}
	return s.sightedAt
}

// known is what is known of a credential. The caller holds the lock.
func (e *exchanges) known(uid types.UID) *exchangeState {
	s := e.byUID[uid]
	if s == nil {
		s = &exchangeState{}
		e.byUID[uid] = s
	}
	return s
}

// closed tells whether a provider is known to be broken for a namespace, so that its
// requests wait for each other instead of for their own time.
func (e *exchanges) closed(line, namespace string) bool { return e.gate.Closed(line, namespace) }

// forget drops what is known of a deleted credential. Its allowance stays until it
// is whole again, so that deleting and creating anew gains nothing.
func (e *exchanges) forget(uid types.UID, key types.NamespacedName) {
	e.abandon(uid)
	now := e.clock.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.byUID, uid)
	for line := range e.troubles {
		e.forgetTrouble(line, uid)
	}
	e.allowance.forget(key, now)
}
