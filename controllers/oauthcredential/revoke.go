package oauthcredential

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// revokeWithin is how long a credential that is being deleted waits for its tokens to be
// revoked.
const revokeWithin = 30 * time.Second

// betweenRevocations are the delays between the tries to revoke.
func betweenRevocations() wait.Backoff {
	return wait.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.2, Steps: math.MaxInt, Cap: 8 * time.Second}
}

// revocations are those under way, by credential. They are safe for concurrent use.
type revocations struct {
	mu    sync.Mutex
	byUID map[types.UID]*revocation
}

// revocation is that of one credential. Each try has a turn of its own in the line of the
// provider, so that nobody waits behind the time between two of them.
type revocation struct {
	turn   gate.Request
	ticket *gate.Ticket
	cancel context.CancelFunc
	// tokens are those that are left, once they were read; refused is what the provider
	// said of one that it does not revoke. They are the try's alone.
	read    bool
	tokens  []revocable
	refused *issuance.Failure

	backoff wait.Backoff
	// again is when to try again, zero while a try waits for its turn or is under way.
	again time.Time
	// done says that it has ended. failed is why the last try was in vain.
	done   bool
	failed string
}

// holdForRevocation puts a finalizer on a credential whose tokens are to be revoked, or
// takes it away, and tells whether it did.
func (r *Reconciler) holdForRevocation(ctx context.Context, credential *v1alpha1.OAuthCredential) (changed bool, err error) {
	wanted := credential.Spec.RevocationPolicy == v1alpha1.RevocationOnDelete
	if controllerutil.ContainsFinalizer(credential, v1alpha1.FinalizerRevocation) == wanted {
		return false, nil
	}
	return true, client.IgnoreNotFound(r.setFinalizer(ctx, credential, wanted))
}

// setFinalizer puts the finalizer on, or takes it away, whoever has put it there.
func (r *Reconciler) setFinalizer(ctx context.Context, credential *v1alpha1.OAuthCredential, wanted bool) error {
	after := credential.DeepCopy()
	change := controllerutil.RemoveFinalizer
	if wanted {
		change = controllerutil.AddFinalizer
	}
	change(after, v1alpha1.FinalizerRevocation)
	patch := client.MergeFromWithOptions(credential, client.MergeFromWithOptimisticLock{})
	return r.Client.Patch(ctx, after, patch, client.FieldOwner(secretstore.FieldManager))
}

// revoke revokes the tokens of a credential that is being deleted, as well as that can be
// done in a short time, and lets it go.
func (r *Reconciler) revoke(ctx context.Context, credential *v1alpha1.OAuthCredential) (ctrl.Result, error) {
	if !controllerutil.ContainsFinalizer(credential, v1alpha1.FinalizerRevocation) {
		return ctrl.Result{}, nil
	}
	if credential.Spec.RevocationPolicy != v1alpha1.RevocationOnDelete {
		return ctrl.Result{}, client.IgnoreNotFound(r.setFinalizer(ctx, credential, false))
	}
	ended, failed, look := r.revocation(ctx, credential)
	if !ended {
		return ctrl.Result{RequeueAfter: look}, nil
	}
	if err := r.setFinalizer(ctx, credential, false); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err) // It was told when it went.
	}
	f := &facts{credential: credential}
	if failed != "" {
		r.event(f, corev1.EventTypeWarning, v1alpha1.ReasonRevocationFailed,
			"Not all tokens were revoked, and what was not stays good until it expires: "+failed)
	} else {
		r.event(f, corev1.EventTypeNormal, v1alpha1.ReasonTokenRevoked, "The tokens were revoked at the provider")
	}
	return ctrl.Result{}, nil
}

// revocation is what has become of the revocation of a credential's tokens, which it
// begins, and tries again; or when to look again.
func (r *Reconciler) revocation(ctx context.Context, credential *v1alpha1.OAuthCredential) (ended bool, failed string, look time.Duration) {
	r.revocations.mu.Lock()
	defer r.revocations.mu.Unlock()
	now, deadline := r.Clock.Now(), credential.DeletionTimestamp.Add(revokeWithin)
	under := r.revocations.byUID[credential.UID]
	switch {
	case under == nil && now.Before(deadline):
		under = r.beginRevocation(ctx, credential)
	case under == nil:
		under = &revocation{done: true, failed: "the operator was not there when the credential was deleted"}
	case !under.done && !now.Before(deadline):
		under.giveUp(r.Gate)
	case !under.again.IsZero() && !now.Before(under.again):
		under.again, under.ticket = time.Time{}, r.Gate.Submit(under.turn)
	}
	next := deadline
	if !under.again.IsZero() {
		next = under.again
	}
	return under.done, under.failed, max(next.Sub(now), time.Millisecond)
}

// giveUp ends a revocation for which there is no more time. What an earlier try has met
// says more than that the last one took too long.
func (v *revocation) giveUp(g *gate.Gate) {
	waited := g.Withdraw(v.ticket)
	v.cancel()
	switch v.done = true; {
	case v.failed != "":
	case waited:
		v.failed = fmt.Sprintf("the provider could not be asked within %s, because of other requests to it", revokeWithin)
	default:
		v.failed = fmt.Sprintf("the provider did not answer within %s", revokeWithin)
	}
}

// forget drops what is known of a credential that is gone.
func (r *revocations) forget(uid types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byUID, uid)
}

// beginRevocation begins to revoke. The caller holds the lock.
//
//nolint:contextcheck // What it begins outlives the reconcile.
func (r *Reconciler) beginRevocation(ctx context.Context, credential *v1alpha1.OAuthCredential) *revocation {
	begun := &revocation{cancel: func() {}}
	if r.revocations.byUID == nil {
		r.revocations.byUID = map[types.UID]*revocation{}
	}
	r.revocations.byUID[credential.UID] = begun
	plan, obstacle, err := r.plan(ctx, credential)
	switch {
	case err != nil:
		begun.done, begun.failed = true, "the provider could not be read"
		return begun
	case obstacle != nil:
		begun.done, begun.failed = true, r.unrevoked(credential, obstacle)
		return begun
	}
	running, cancel := context.WithTimeout(r.background, revokeWithin)
	begun.cancel, begun.backoff = cancel, betweenRevocations()
	begun.turn = issuance.Turn(credential.Namespace, plan)
	begun.turn.Run = func(*gate.Turn) gate.Result {
		r.tried(credential, begun, r.revokeTokens(running, credential, plan, begun))
		return gate.Result{Outcome: gate.Cut}
	}
	begun.ticket = r.Gate.Submit(begun.turn)
	return begun
}

// unrevoked says why nobody could be asked to revoke. What would mend the credential is
// of no use to one that goes.
func (r *Reconciler) unrevoked(credential *v1alpha1.OAuthCredential, obstacle *issuance.Failure) string {
	ref := credential.Spec.ProviderRef
	switch {
	case obstacle.Reason != v1alpha1.ReasonProviderNotFound || ref == nil:
		return obstacle.Message
	case ref.Kind == v1alpha1.KindClusterOAuthProvider && !r.ClusterProviders:
		return "tokensync does not see ClusterOAuthProviders any more, so nothing could be revoked"
	}
	return fmt.Sprintf("the %s %q is gone, so nothing could be revoked", ref.Kind, ref.Name)
}

// tried takes in what came of one try, and has the credential looked at. A provider that
// could not answer is asked again, as long as there is time; one that has refused is not.
func (r *Reconciler) tried(credential *v1alpha1.OAuthCredential, under *revocation, failed *issuance.Failure) {
	r.revocations.mu.Lock()
	switch {
	case under.done: // It took too long.
	case failed == nil:
		under.done, under.failed = true, ""
	default:
		under.failed = failed.Message
		again := r.Clock.Now().Add(max(under.backoff.Step(), failed.RetryAfter))
		if passes(failed) && again.Before(credential.DeletionTimestamp.Add(revokeWithin)) {
			under.again = again
		} else {
			under.done = true
		}
	}
	if under.done {
		under.cancel()
	}
	r.revocations.mu.Unlock()
	r.wake(keyOf(credential), ordinary)
}

// passes tells whether a failure may pass by itself.
func passes(failed *issuance.Failure) bool {
	return failed.Class == lifetime.Transient || failed.Class == lifetime.Throttled
}
