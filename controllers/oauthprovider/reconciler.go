// Package oauthprovider tells, in the status of each OAuthProvider and
// ClusterOAuthProvider, whether credentials can use it. Credentials do not wait for
// that: they meet the same truth by themselves.
package oauthprovider

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
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
)

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

// +kubebuilder:rbac:groups=tokensync.dev,resources=oauthproviders,verbs=get;list;watch
// +kubebuilder:rbac:groups=tokensync.dev,resources=oauthproviders/status,verbs=get;patch

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
	tokenURL, err := r.Resolver.Probe(ctx, subject.provider)
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
	return ctrl.Result{RequeueAfter: nextLook(subject.provider.Spec, finding)}, nil
}

func nextLook(spec *v1alpha1.OAuthProviderSpec, f finding) time.Duration {
	switch {
	case f.ready() && spec.Issuer == "":
		return 0 // Only a change brings a change, and is watched.
	case f.ready():
		return lookAfterSuccess
	default:
		return lookAfterFailure
	}
}
