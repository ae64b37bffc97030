package oauthcredential

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
)

// exchange is one token request of one credential, in the background.
type exchange struct {
	issuance.Request

	ctx        context.Context //nolint:containedctx // It outlives the reconcile that started it, and ends with the manager.
	credential *v1alpha1.OAuthCredential
	// terms are those of the plan.
	terms string
	// refreshRequest is what is handled by this request, as the status holds it.
	refreshRequest string
	observe        func(*outcome)
	// spending is set where the grant is kept.
	spending *spending
}

// outcome is what came of a token request, or of a look at a kept grant.
type outcome struct {
	issuance.Outcome

	// provider is the name of the ClusterOAuthProvider that was asked, if it was one.
	provider       string
	refreshRequest string

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
}

// failure is the outcome of what failed before anything was asked.
func failure(why *issuance.Failure) *outcome {
	return &outcome{Outcome: issuance.Outcome{Failure: why}}
}

// run carries the exchange out. A bug in it fails this credential, and no other.
// answered is called when the provider has been heard.
func (x exchange) run(answered func()) *outcome {
	o := &outcome{Outcome: issuance.Outcome{InputsHash: x.InputsHash}, refreshRequest: x.refreshRequest, provider: x.Plan.ClusterProvider()}
	defer x.observe(o)
	defer func() {
		if bug := recover(); bug != nil {
			// The value of a panic may hold anything; the stack holds none.
			ctrl.Log.Error(nil, "A token request panicked", "namespace", x.credential.Namespace,
				"name", x.credential.Name, "type", fmt.Sprintf("%T", bug), "stack", string(debug.Stack()))
			o.Token, o.Failure = nil, issuance.InternalFailure("operator")
		}
	}()
	if x.spending != nil {
		x.exchangeGrant(o, answered)
		o.Abandoned = !o.Sent && x.ctx.Err() != nil
		return o
	}
	x.Ask(x.ctx, &o.Outcome, answered)
	return o
}

// priority is that of writing the outcome down.
func (o *outcome) priority() int {
	if o.Token != nil {
		return urgent
	}
	return ordinary
}
