// Package oauthprovider tells, in the status of each OAuthProvider and
// ClusterOAuthProvider, whether credentials can use it. Credentials do not wait for
// that: they meet the same truth by themselves.
package oauthprovider

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
)

// How long it is until a provider is looked at again although nothing has changed
// that can be watched: the metadata of its issuer may have.
const (
	lookAfterSuccess = time.Hour
	lookAfterFailure = time.Minute
	// firstLook is how long it is until the first look after a failure. Whoever sets a
	// provider up mends most of its troubles within minutes.
	firstLook = 10 * time.Second
)

// patience is how long an issuer is waited for.
const patience = 5 * time.Second

// Reconciler reports on the providers of one kind.
type Reconciler struct {
	// Client reads from caches, and writes.
	Client client.Client
	// Resolver probes providers.
	Resolver resolve.Resolver
	// Clock tells the time.
	Clock clock.PassiveClock
	// Events records events.
	Events events.EventRecorder
	// OperatorNamespace is where the objects are that a ClusterOAuthProvider names.
	OperatorNamespace string
	// Forget is told of providers that are gone.
	Forget func(name string)

	kind kind
}

// +kubebuilder:rbac:groups=tokensync.dev,resources=oauthproviders,verbs=list;watch
// +kubebuilder:rbac:groups=tokensync.dev,resources=oauthproviders/status,verbs=patch

// Reconcile writes the status of one provider.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := r.kind.empty()
	if err := r.Client.Get(ctx, request.NamespacedName, object); err != nil {
		if client.IgnoreNotFound(err) == nil && r.Forget != nil {
			r.Forget(request.Name)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !object.GetDeletionTimestamp().IsZero() {
		return ctrl.Result{}, nil
	}
	subject := r.kind.subject(object, r.OperatorNamespace)
	tokenURL, err := r.probe(ctx, subject.provider)
	finding, err := judge(subject, err)
	if err != nil {
		return ctrl.Result{}, err
	}
	before := subject.status.DeepCopy()
	deriveStatus(subject.status, object.GetGeneration(), tokenURL, finding, r.Clock.Now())
	if !equality.Semantic.DeepEqual(before, subject.status) {
		if err := r.apply(ctx, object, subject.status); err != nil {
			return ctrl.Result{}, client.IgnoreNotFound(err)
		}
		r.emit(object, before, subject.status)
	}
	return ctrl.Result{RequeueAfter: r.nextLook(subject, finding)}, nil
}

// probe looks at a provider, and has patience with its issuer only for so long. What
// the issuer says later is known at the next look.
func (r *Reconciler) probe(ctx context.Context, provider *resolve.Provider) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return r.Resolver.Probe(ctx, provider)
}

// nextLook is the distance to the next look, the longer the more time has passed since
// the provider could be used.
func (r *Reconciler) nextLook(s subject, f finding) time.Duration {
	switch ready := meta.FindStatusCondition(s.status.Conditions, v1alpha1.ConditionReady); {
	case f.ready() && s.provider.Spec.Issuer == "":
		return 0 // Only a change brings a change, and is watched.
	case f.ready():
		return lookAfterSuccess
	default:
		return min(max(r.Clock.Now().Sub(ready.LastTransitionTime.Time), firstLook), lookAfterFailure)
	}
}
