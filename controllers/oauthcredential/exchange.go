package oauthcredential

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

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

// exchange is one token request of one credential.
type exchange struct {
	ctx        context.Context //nolint:containedctx // It outlives the reconcile that started it, and ends with the manager.
	credential *v1alpha1.OAuthCredential
	plan       *resolve.Plan
	inputsHash string
	// terms are those of the plan.
	terms string
	// refreshRequest is what is handled by this request, as the status holds it.
	refreshRequest string
	// held is the life of the token that the target holds, zero where it holds none.
	held     lifetime.Token
	resolver resolve.Resolver
	tokens   TokenClient
	observe  func(*outcome)
	// spending is set where the grant is kept.
	spending *spending
}

// outcome is what came of a token request.
type outcome struct {
	// provider is the name of the ClusterOAuthProvider that was asked, if it was one.
	provider       string
	inputsHash     string
	refreshRequest string
	versions       []v1alpha1.SourceVersion

	// token is what to publish; nil after a failure.
	token    *secretstore.Token
	warnings []lifetime.Warning

	// failure is nil where a token came, and where the API server was in trouble.
	failure *failure
	// apiError is an error of the Kubernetes API, to be retried as such.
	apiError error

	// grant is what the status is to say about the grant, nil where none is kept, and
	// grantEnds when the refresh token ends, zero where that is not known.
	grant     *v1alpha1.GrantStatus
	grantEnds time.Time
	// lookAgainAt is when to look at the grant again as if it had changed, at once where
	// that is not ahead, and never where it is zero.
	lookAgainAt time.Time

	// postponed says that what is due has to wait for its turn in the bucket.
	postponed bool

	// rejected says that the API server refused the Secret with this token.
	rejected bool

	// abandoned says that nobody wanted the answer any more.
	abandoned bool

	// sent is false where nothing was asked, so that neither a metric nor the bucket counts
	// it; sentAt is when it was, and latency what the provider took.
	sent    bool
	sentAt  time.Time
	latency time.Duration
}

// run carries the exchange out. A bug in it fails this credential, and no other.
// answered is called when the provider has been heard.
func (x exchange) run(answered func()) *outcome {
	o := &outcome{inputsHash: x.inputsHash, refreshRequest: x.refreshRequest, provider: x.plan.ClusterProvider()}
	defer x.observe(o)
	defer func() {
		if bug := recover(); bug != nil {
			// The value of a panic may hold anything; the stack holds none.
			ctrl.Log.Error(nil, "A token request panicked", "namespace", x.credential.Namespace,
				"name", x.credential.Name, "type", fmt.Sprintf("%T", bug), "stack", string(debug.Stack()))
			o.token, o.failure = nil, internalFailure()
		}
	}()
	if x.spending != nil {
		x.exchangeGrant(o, answered)
		o.abandoned = !o.sent && x.ctx.Err() != nil
		return o
	}
	x.ask(o, answered)
	o.abandoned = x.ctx.Err() != nil
	return o
}

// ask resolves the request, sends it, and reads the answer.
func (x exchange) ask(o *outcome, answered func()) {
	resolved, err := x.resolver.Resolve(x.ctx, x.plan)
	o.versions = resolved.Versions
	if err != nil {
		o.failure, o.apiError = sourceFailure(err)
		return
	}
	request := &resolved.Request
	request.Timeout = lifetime.RequestTimeout(request.Timeout, x.held, x.resolver.Now())
	request.Answered = answered
	if answer, err := x.send(o, resolved); err == nil {
		o.judge(x.plan, x.resolver.Expressions, answer, request.Client.ID, x.held)
	}
}

// send sends a request, and notes in the outcome how that went.
func (x exchange) send(o *outcome, resolved resolve.Resolved) (*oauth.Answer, error) {
	o.sentAt = x.resolver.Now()
	answer, err := x.tokens.Token(x.ctx, resolved.Request)
	o.latency = x.resolver.Now().Sub(o.sentAt)
	if resolved.Issuer != nil && misdirected(err) {
		x.resolver.Issuers.Forget(*resolved.Issuer)
	}
	o.heard(err)
	return answer, err
}

// heard notes what became of a request, nil where it was answered as it should be.
func (o *outcome) heard(err error) {
	if o.sent = true; err == nil {
		return
	}
	o.failure = tokenFailure(err)
	// What is refused on our side was never sent. What was answered was, whatever
	// became of the answer.
	o.sent = o.failure.class != lifetime.Configuration || o.failure.answered
}

// judge makes what to publish of an answer, or says what is wrong with it. held is the
// life of the token that the target holds.
func (o *outcome) judge(
	plan *resolve.Plan, expressions resolve.Evaluator, answer *oauth.Answer, clientID string, held lifetime.Token,
) {
	life, warnings, err := lifetime.Read(answer.Claims, plan.LifetimeRules(), answer.Sent, answer.Received)
	if err != nil {
		o.failure = lifetimeFailure(err, held)
		return
	}
	o.warnings = warnings
	data, err := plan.Data(expressions, answer, clientID, life.ExpiresAt)
	if err != nil {
		o.failure, o.apiError = sourceFailure(err)
		return
	}
	o.token = &secretstore.Token{Data: data, ExpiresAt: life.ExpiresAt, IssuedAt: life.IssuedAt, InputsHash: o.inputsHash}
}

// misdirected tells whether an answer may come from an endpoint that is no longer the
// issuer's.
func misdirected(err error) bool {
	var e *oauth.Error
	return errors.As(err, &e) && slices.Contains([]int{301, 302, 307, 308, 404, 405, 410}, e.Status)
}

// result is what the outcome says about the provider.
func (o *outcome) result() gate.Result {
	switch {
	case o.abandoned:
		return gate.Result{Outcome: gate.Cut}
	case o.failure != nil && o.failure.reason == v1alpha1.ReasonProviderUnreachable:
		return gate.Result{Outcome: gate.Failed}
	case o.failure != nil && o.failure.reason == v1alpha1.ReasonRateLimited:
		return gate.Result{Outcome: gate.Throttled, RetryAfter: o.failure.retryAfter}
	case !o.sent:
		return gate.Result{Outcome: gate.Unsent}
	case o.failure != nil:
		return gate.Result{Outcome: gate.Refused}
	default:
		return gate.Result{Outcome: gate.Answered}
	}
}

// priority is that of writing the outcome down.
func (o *outcome) priority() int {
	if o.token != nil {
		return urgent
	}
	return ordinary
}
