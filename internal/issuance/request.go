package issuance

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// TokenClient asks a token endpoint for a token. Every error is an *oauth.Error.
type TokenClient interface {
	Token(ctx context.Context, request oauth.Request) (*oauth.Answer, error)
}

// Request is one token request of one credential.
type Request struct {
	Plan *resolve.Plan
	// InputsHash is that of the plan.
	InputsHash string
	// Held is the life of the token that is in use, zero where there is none.
	Held     lifetime.Token
	Resolver resolve.Resolver
	Tokens   TokenClient
}

// Outcome is what came of a token request.
type Outcome struct {
	// InputsHash is that of what was asked for, and Versions are those of what the request
	// was made from.
	InputsHash string
	Versions   []v1alpha1.SourceVersion

	// Token is what to publish; nil after a failure.
	Token    *secretstore.Token
	Warnings []lifetime.Warning

	// Failure is nil where a token came, and where the Kubernetes API was in trouble.
	Failure *Failure
	// APIError is an error of the Kubernetes API, to be retried as such.
	APIError error

	// Abandoned says that nobody wanted the answer any more.
	Abandoned bool

	// Sent is false where nothing was asked, so that neither a metric nor the bucket counts
	// it; SentAt is when it was, and Latency what the provider took.
	Sent    bool
	SentAt  time.Time
	Latency time.Duration
}

// Ask resolves the request, sends it, and reads the answer. answered is called when the
// provider has been heard.
func (r Request) Ask(ctx context.Context, o *Outcome, answered func()) {
	defer func() { o.Abandoned = ctx.Err() != nil }() // Whatever was cut off says nothing of the provider.
	resolved, err := r.Resolver.Resolve(ctx, r.Plan)
	o.Versions = resolved.Versions
	if err != nil {
		o.Failure, o.APIError = SourceFailure(err)
		return
	}
	request := &resolved.Request
	request.Timeout = lifetime.RequestTimeout(request.Timeout, r.Held, r.Resolver.Now())
	request.Answered = answered
	if answer, err := r.Send(ctx, o, resolved); err == nil {
		r.Judge(o, answer, request.Client.ID)
	}
}

// Send sends a request, and notes in the outcome how that went. The error is that of the
// TokenClient.
func (r Request) Send(ctx context.Context, o *Outcome, resolved resolve.Resolved) (*oauth.Answer, error) {
	o.SentAt = r.Resolver.Now()
	answer, err := r.Tokens.Token(ctx, resolved.Request)
	o.Latency = r.Resolver.Now().Sub(o.SentAt)
	if resolved.Issuer != nil && misdirected(err) {
		r.Resolver.Issuers.Forget(*resolved.Issuer)
	}
	o.Heard(err)
	return answer, err
}

// Heard notes what became of a request, nil where it was answered as it should be.
func (o *Outcome) Heard(err error) {
	if o.Sent = true; err == nil {
		return
	}
	o.Failure = TokenFailure(err)
	// What is refused on our side was never sent. What was answered was, whatever
	// became of the answer.
	o.Sent = o.Failure.Class != lifetime.Configuration || o.Failure.Answered
}

// Judge makes what to publish of an answer, or says what is wrong with it.
func (r Request) Judge(o *Outcome, answer *oauth.Answer, clientID string) {
	life, warnings, err := lifetime.Read(answer.Claims, r.Plan.LifetimeRules(), answer.Sent, answer.Received)
	if err != nil {
		o.Failure = lifetimeFailure(err, r.Held)
		return
	}
	o.Warnings = warnings
	data, err := r.Plan.Data(r.Resolver.Expressions, answer, clientID, life.ExpiresAt)
	if err != nil {
		o.Failure, o.APIError = SourceFailure(err)
		return
	}
	o.Token = &secretstore.Token{Data: data, ExpiresAt: life.ExpiresAt, IssuedAt: life.IssuedAt, InputsHash: r.InputsHash}
}

// misdirected tells whether an answer may come from an endpoint that is no longer the
// issuer's.
func misdirected(err error) bool {
	var e *oauth.Error
	return errors.As(err, &e) && slices.Contains([]int{301, 302, 307, 308, 404, 405, 410}, e.Status)
}

// Counted is how a token request counts in metrics: as `success`, or by the reason and the
// OAuth error code of its failure. It is false for what was not asked, or not waited for.
func (o *Outcome) Counted() (result, code string, ok bool) {
	switch {
	case !o.Sent || o.Abandoned:
		return "", "", false
	case o.Failure != nil:
		return o.Failure.Reason, o.Failure.Code, true
	default:
		return "success", "", true
	}
}

// Result is what the outcome says about the provider.
func (o *Outcome) Result() gate.Result {
	switch {
	case o.Abandoned:
		return gate.Result{Outcome: gate.Cut}
	case o.Failure != nil && o.Failure.Reason == v1alpha1.ReasonProviderUnreachable:
		return gate.Result{Outcome: gate.Failed}
	case o.Failure != nil && o.Failure.Reason == v1alpha1.ReasonRateLimited:
		return gate.Result{Outcome: gate.Throttled, RetryAfter: o.Failure.RetryAfter}
	case !o.Sent:
		return gate.Result{Outcome: gate.Unsent}
	case o.Failure != nil:
		return gate.Result{Outcome: gate.Refused}
	default:
		return gate.Result{Outcome: gate.Answered}
	}
}
