package engine

import (
	"context"
	"fmt"
	"runtime/debug"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
)

// request is one token request from its decision to its outcome.
type request struct {
	issuance.Request

	// made is what it was made of.
	made   *facts
	ticket *gate.Ticket
	cancel context.CancelFunc
	// running says that it no longer waits for its turn.
	running bool
	// unscheduled says that it draws on the bucket.
	unscheduled bool
}

// outcome is what came of a request.
type outcome struct {
	issuance.Outcome

	request *request
}

// start has a request made as soon as its turn has come.
func (l *loop) start(ctx context.Context, f *facts, decision lifetime.Decision) {
	ctx, cancel := context.WithCancel(ctx)
	r := &request{
		Request: issuance.Request{
			Plan: f.plan, InputsHash: f.inputsHash, Held: lifeOf(l.token), Resolver: l.resolverFor(f), Tokens: l.options.Client,
		},
		made: f, cancel: cancel, unscheduled: decision.Unscheduled,
	}
	turn := issuance.Turn(f.credential.Namespace, f.plan)
	if l.failed != nil && !decision.Unscheduled {
		turn.Failures = issuance.Retries(l.failed.reason, l.failed.count)
	}
	if l.token != nil && !r.Held.Expired(f.now) {
		turn = issuance.Replacing(turn, r.Held)
	}
	turn.Run = func(t *gate.Turn) gate.Result { return l.run(ctx, r, t) }
	l.mu.Lock()
	defer l.mu.Unlock()
	l.request, l.lastRequest = r, f.now
	r.ticket = l.options.Gate.Submit(turn)
}

// run makes a request, unless it was given up while it waited.
func (l *loop) run(ctx context.Context, r *request, turn *gate.Turn) gate.Result {
	l.mu.Lock()
	if l.request != r {
		l.mu.Unlock()
		return gate.Result{Outcome: gate.Unsent}
	}
	// It may have waited for its turn: requests are spaced by when they went out.
	r.running, l.lastRequest = true, l.options.Clock.Now()
	l.sent.Add(1)
	l.mu.Unlock()
	defer l.sent.Done()
	defer r.cancel()
	o := &outcome{request: r}
	l.ask(ctx, o, turn.Release)
	l.finish(o)
	return o.Result()
}

// ask asks for a token. A bug in that must not take the last good one along.
func (l *loop) ask(ctx context.Context, o *outcome, answered func()) {
	defer func() {
		if bug := recover(); bug != nil {
			// The value of a panic may hold anything; the stack holds none.
			l.options.Log.Error("A token request panicked", "type", fmt.Sprintf("%T", bug), "stack", string(debug.Stack()))
			o.Token, o.Failure = nil, issuance.InternalFailure("sidecar")
		}
	}()
	r := o.request
	o.InputsHash = r.InputsHash
	r.Ask(ctx, &o.Outcome, answered)
	switch {
	case o.APIError != nil:
		o.Failure, o.APIError = unreadFailure(o.APIError), nil
	case o.Failure != nil && o.Failure.Source != nil:
		if message, ok := r.made.objects.inFiles(ctx, o.Failure.Source); ok {
			o.Failure.Message = message
		}
	}
}

// finish keeps the outcome of a request, and has the loop look at it.
func (l *loop) finish(o *outcome) {
	l.mu.Lock()
	if l.request == o.request {
		l.request = nil
		if !o.Abandoned {
			l.outcome = o
		}
	}
	if o.Sent && o.SentAt.After(l.lastRequest) {
		l.lastRequest = o.SentAt
	}
	if o.Sent && o.request.unscheduled {
		l.bucket = l.bucket.Draw(l.step, l.options.Clock.Now())
	}
	l.mu.Unlock()
	l.observe(o)
	l.nudge()
}

// observe counts a token request.
func (l *loop) observe(o *outcome) {
	if result, code, ok := o.Counted(); ok && l.options.Metrics != nil {
		l.options.Metrics.TokenRequest(result, code, o.Latency)
	}
}

// unwanted says that a request was made of a manifest that has changed since. One that
// merely waits can be made anew at no cost; one that is under way is cut off only where its
// answer, or the waiting for it, would be of no use.
func (l *loop) unwanted(f *facts) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.request
	switch {
	case r == nil:
		return false
	case !r.running:
		return f.credential.Spec.Suspend || r.made.revision != f.revision
	}
	now, then := f.plan.Endpoint, r.Plan.Endpoint
	return r.InputsHash != f.inputsHash ||
		!equality.Semantic.DeepEqual(now.TLS, then.TLS) || !equality.Semantic.DeepEqual(now.Timeout, then.Timeout)
}

// abandon gives up the request, if there is one: one that waits leaves its line, and one
// under way is cut off.
func (l *loop) abandon() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.request != nil {
		l.options.Gate.Withdraw(l.request.ticket)
		l.request.cancel()
		l.request = nil
	}
}
