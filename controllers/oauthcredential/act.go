package oauthcredential

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// actResult is what was done and what came of it.
type actResult struct {
	// started says that a token request has begun.
	started bool
	// published says that a new token was written into the target, and token which.
	published bool
	token     *secretstore.Token
	// version is the target's resourceVersion after a write, empty without one.
	version string
	// failure is what newly went wrong.
	failure *issuance.Failure
	// unrepaired is why a repair was refused.
	unrepaired *issuance.Failure
	// settled says that the outcome at hand will be written down by the status.
	settled bool
	// concluded says that a kept grant needed no request, and that an outcome is at hand.
	concluded bool
	// looked says that a kept grant was looked at, and that nothing came of it.
	looked bool
}

// act does what was decided: at most one token request is begun, and at most one
// token is written. An error is one of the Kubernetes API, to be retried as such.
func (r *Reconciler) act(ctx context.Context, f *facts, decision lifetime.Decision) (actResult, error) {
	o := f.exchange.outcome
	switch {
	case o != nil && o.Failure != nil:
		// It failed before there was anything to write.
		return actResult{failure: o.Failure, settled: true}, nil
	case o != nil && o.APIError != nil:
		r.exchanges.settle(f.credential.UID, o)
		return actResult{}, o.APIError
	case o != nil && o.Token == nil:
		return actResult{looked: true}, nil
	case decision.Action == lifetime.Publish:
		return r.publish(ctx, f, o)
	case decision.Action == lifetime.Request && f.plan.KeepsGrant():
		return r.pursue(ctx, f, decision)
	case decision.Action == lifetime.Request:
		//nolint:contextcheck // The exchange has its own: it outlives the reconcile.
		r.exchanges.start(r.exchange(f), f.turn(decision), decision.Unscheduled, f.limits.step)
		return actResult{started: true}, nil
	case decision.Action == lifetime.Repair:
		return r.repair(ctx, f)
	case f.held && f.heldInputs == f.inputsHash:
		return actResult{}, r.release(ctx, f)
	}
	return actResult{}, nil
}

// exchange is a token request of what was found.
func (r *Reconciler) exchange(f *facts) exchange {
	x := exchange{
		Request:        issuance.Request{Plan: f.plan, InputsHash: f.inputsHash, Resolver: r.Resolver, Tokens: r.Tokens},
		ctx:            r.background,
		credential:     f.credential,
		terms:          f.terms,
		refreshRequest: currentRequests(f),
		observe:        r.observe,
	}
	if f.held {
		x.Held = f.life
	}
	return x
}

// turn is what the gate has to know of a request.
func (f *facts) turn(decision lifetime.Decision) gate.Request {
	turn := issuance.Turn(f.credential.Namespace, f.plan)
	turn.Failures = f.retries(decision)
	if f.held && !f.life.Expired(f.now) {
		turn = issuance.Replacing(turn, f.life)
	}
	return turn
}

// retries is how often in a row the provider has failed the credential. What a person
// has changed or asked for since is no retry: it has a bucket of its own.
func (f *facts) retries(decision lifetime.Decision) int {
	last := f.credential.Status.LastFailure
	if last == nil || decision.Unscheduled && !f.exchange.recovered {
		return 0
	}
	return issuance.Retries(last.Reason, int(last.Count))
}

// publish writes the token at hand, and then gives up the Secret of the name
// before, if the spec has changed it.
func (r *Reconciler) publish(ctx context.Context, f *facts, o *outcome) (actResult, error) {
	result, err := r.write(ctx, f, o.Token)
	if err != nil || result.token == nil {
		o.rejected = result.failure != nil
		return result, err
	}
	result.published, result.settled = true, true
	if err := r.release(ctx, f); err != nil {
		return actResult{}, err
	}
	return result, nil
}

// repair writes the token that the target holds once more. What the API server
// refuses is left as it is, until something changes: the token is good.
func (r *Reconciler) repair(ctx context.Context, f *facts) (actResult, error) {
	r.exchanges.repaired(keyOf(f.credential))
	result, err := r.write(ctx, f, f.token)
	if result.failure != nil {
		return actResult{unrepaired: result.failure}, nil
	}
	return result, err
}

// release gives up the Secret of the name that the spec had before.
func (r *Reconciler) release(ctx context.Context, f *facts) error {
	if f.previous == nil {
		return nil
	}
	if owner, _ := secretstore.OwnerOf(f.previous, f.credential); owner != secretstore.Us {
		return nil
	}
	return r.store.Release(ctx, f.previous, f.credential.UID)
}

// write writes a token into the target.
func (r *Reconciler) write(ctx context.Context, f *facts, token *secretstore.Token) (actResult, error) {
	version, err := r.store.Write(ctx, f.credential, *token, f.secret, f.adopted)
	switch {
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return actResult{}, nil
	case err != nil:
		refused, err := writeFailure(err)
		return actResult{failure: refused}, err
	}
	r.writes.wroteSecret(f.credential, version)
	return actResult{token: token, version: version}, nil
}

// observe counts a token request.
func (r *Reconciler) observe(o *outcome) {
	if result, code, ok := o.Counted(); ok {
		r.Metrics.TokenRequest(o.provider, result, code, o.Latency)
	}
}
