package oauthcredential

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// progressAfter is how long a token request may take before the status says that
// it is under way. Most are done by then, and save a write.
const progressAfter = time.Second

// The priorities in the queue. A token that is renewed before it expires, and one
// that is at hand, go before all else, so that a crowd of credentials that fail, or
// are new, is not in their way.
const (
	ordinary = 0
	urgent   = 10
)

// conflictLook is the safety net under the watches that tell when a conflict ends.
const conflictLook = 10 * time.Minute

// Reconciler keeps the Secrets of OAuthCredentials fresh.
type Reconciler struct {
	// Client reads credentials and the metadata of Secrets and ConfigMaps from
	// caches, and writes.
	Client client.Client
	// APIReader reads from the API server: the data of Secrets is never cached.
	APIReader client.Reader
	// Tokens asks token endpoints.
	Tokens issuance.TokenClient
	// Resolver makes the token requests.
	Resolver resolve.Resolver
	// ClusterProviders says that ClusterOAuthProviders can be seen, and
	// OperatorNamespace is where the objects are that they name.
	ClusterProviders  bool
	OperatorNamespace string
	// Clock tells the time.
	Clock clock.PassiveClock
	// Gate decides when a token request may start.
	Gate *gate.Gate
	// Events records events.
	Events events.EventRecorder
	// Metrics counts token requests and refreshes.
	Metrics Metrics
	// MaxConcurrentReconciles is how many workers there are; they never wait for a
	// provider.
	MaxConcurrentReconciles int

	// Cluster is the UID of the cluster, empty where that may not be asked for, and Owner
	// is this process: both are written down with each attempt to use a kept grant.
	Cluster string
	Owner   grant.Owner
	// NewID makes random identifiers.
	NewID func() string
	// ProcessIsGone tells whether a process of this host is no more.
	ProcessIsGone func(pid int) bool
	// Devices asks device authorization endpoints.
	Devices DeviceClient

	// Revoker asks revocation endpoints.
	Revoker Revoker

	unanswered  unanswered
	bootstraps  bootstraps
	revocations revocations

	store     secretstore.Store
	exchanges *exchanges
	writes    lastWrites
	claims    claims
	wakeups   chan event.TypedGenericEvent[wakeup]
	// background is the context of token requests: it ends with the manager.
	background context.Context //nolint:containedctx // Token requests outlive the reconcile that starts them.
}

// Metrics counts what happens to credentials.
type Metrics interface {
	// TokenRequest counts one token request and how long the provider took. provider is
	// the name of a ClusterOAuthProvider, empty for all others.
	TokenRequest(provider, result, code string, latency time.Duration)
	// Refresh counts one published token, and how late it was published after it
	// was due; negative for a token that no schedule made due.
	Refresh(late time.Duration)
}

// +kubebuilder:rbac:groups=tokensync.dev,resources=oauthcredentials,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=tokensync.dev,resources=oauthproviders,verbs=list;watch
// +kubebuilder:rbac:groups=tokensync.dev,resources=oauthcredentials/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings one credential's Secret to what its spec asks for.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	credential := &v1alpha1.OAuthCredential{}
	if err := r.Client.Get(ctx, request.NamespacedName, credential); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return ctrl.Result{}, r.cleanUp(ctx, request.NamespacedName)
		}
		return ctrl.Result{}, err
	}
	if r.writes.isStale(credential) {
		return ctrl.Result{}, nil // The watch brings the object as it is.
	}
	if !credential.DeletionTimestamp.IsZero() {
		return r.revoke(ctx, credential)
	}
	if changed, err := r.holdForRevocation(ctx, credential); changed || err != nil {
		return ctrl.Result{}, err // The watch brings the object as it will be.
	}

	f, err := r.gather(ctx, credential)
	if err != nil {
		return ctrl.Result{}, err
	}
	decision, result, err := r.decide(ctx, f)
	if err != nil {
		return ctrl.Result{}, err
	}
	if result.started || f.fresh() {
		return ctrl.Result{RequeueAfter: progressAfter, Priority: f.priority()}, nil // It is likely done before anybody looks.
	}
	status := deriveStatus(f, decision, result)
	if err := r.applyStatus(ctx, credential, status); apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: firstRetry, Priority: f.priority()}, nil // Somebody was faster; look again.
	} else if err != nil {
		return ctrl.Result{}, err
	}
	r.finish(f, decision, result, status)
	return ctrl.Result{RequeueAfter: nextLook(f, decision, status), Priority: f.priority()}, nil
}

// decide decides what to do, and does it. A kept grant may turn out to need no request:
// what it holds instead is decided upon at once.
func (r *Reconciler) decide(ctx context.Context, f *facts) (lifetime.Decision, actResult, error) {
	decision := lifetime.Decide(f.lifetimeFacts(), f.now)
	result, err := r.act(ctx, f, decision)
	if err != nil {
		return decision, result, err
	}
	if result.concluded {
		f.grantChanged, f.exchange = false, r.exchanges.state(f.credential.UID)
		decision = lifetime.Decide(f.lifetimeFacts(), f.now)
		result, err = r.act(ctx, f, decision)
	}
	if result.looked {
		f.grantChanged = false
		decision = lifetime.Decide(f.lifetimeFacts(), f.now)
	}
	return decision, result, err
}

// priority is that of the next look. Without one, what the first look after a start
// had would stay, which is less than that of any event.
func (f *facts) priority() *int {
	if f.held && !f.life.Expired(f.now) && f.credential.Status.LastFailure == nil {
		return new(urgent)
	}
	return new(ordinary)
}

// finish does what must not happen before the status is written: the outcome is
// dropped, and events and metrics tell of it.
func (r *Reconciler) finish(f *facts, decision lifetime.Decision, result actResult, status *v1alpha1.OAuthCredentialStatus) {
	if result.settled || result.looked {
		r.exchanges.settle(f.credential.UID, f.exchange.outcome)
	}
	if result.published {
		late := time.Duration(-1)
		if decision.Trigger == lifetime.Due {
			late = max(0, f.now.Sub(f.refreshAt(f.life)))
		}
		r.Metrics.Refresh(late)
	}
	r.emit(f, result, status)
}

// cleanUp forgets a credential that is gone, and takes its keys out of the Secrets
// that it had adopted. Secrets that it owned go by their owner reference.
func (r *Reconciler) cleanUp(ctx context.Context, key types.NamespacedName) error {
	if uid, ok := r.writes.known(key); ok {
		if err := r.deleteGrant(ctx, key, uid); err != nil {
			return err
		}
		r.writes.forget(key)
		r.forget(uid, key)
	}
	secrets := secretMetadataList()
	if err := r.Client.List(ctx, secrets, client.InNamespace(key.Namespace),
		client.MatchingFields{indexAdoptedBy: key.Name}); err != nil {
		return err
	}
	for i := range secrets.Items {
		secret := &secrets.Items[i]
		if err := r.store.Withdraw(ctx, client.ObjectKeyFromObject(secret), secret.UID); err != nil {
			return err
		}
	}
	return nil
}

// forget forgets a credential that is gone.
func (r *Reconciler) forget(uid types.UID, key types.NamespacedName) {
	r.exchanges.forget(uid, key)
	r.bootstraps.release(uid)
	r.revocations.forget(uid)
	r.wakeAll(r.claims.release(uid))
}

// fresh says that a token request is under way that began a moment ago.
func (f *facts) fresh() bool {
	return f.exchange.inFlight() && f.now.Before(f.exchange.startedAt.Add(progressAfter))
}

// nextLook is the distance to the next instant at which anything can change by
// itself; zero where only an event brings a change. The status may have set other
// boundaries than those that the decision knew of.
func nextLook(f *facts, decision lifetime.Decision, status *v1alpha1.OAuthCredentialStatus) time.Duration {
	next := decision.NextLook
	if decision.Action == lifetime.Request {
		next = f.now // It was decided again after the action, and is due by now.
	}
	soonest := func(at time.Time) {
		if at.After(f.now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	soonest(instantOf(status.RefreshAt))
	soonest(instantOf(status.ExpiresAt))
	soonest(f.exchange.lookAgainAt)
	if status.Grant != nil {
		soonest(instantOf(status.Grant.WarnAfter))
	}
	if f.obstacle != nil {
		soonest(f.now.Add(conflictLook))
	}
	if next.IsZero() {
		return 0
	}
	return max(next.Sub(f.now), time.Millisecond)
}
