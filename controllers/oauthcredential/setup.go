package oauthcredential

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlbuilder "sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/kubeapi"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// The indexes of the caches.
const (
	// indexTarget finds credentials by the name of the Secret that they write.
	indexTarget = "target"
	// indexSecret and indexConfigMap find credentials, and providers, by what they
	// refer to.
	indexSecret    = "source.secret"
	indexConfigMap = "source.configmap"
	// indexProvider finds credentials by the provider that they refer to.
	indexProvider = "provider"
	// indexAdoptedBy finds Secrets to clean up by the credential that adopted them.
	indexAdoptedBy = "adopted-by"
)

// An API server in trouble is asked again after these delays, per credential.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// wakeupBuffer lets requests that end at once queue up without waiting.
const wakeupBuffer = 1024

// SetupWithManager registers the reconciler, its watches and its indexes.
func (r *Reconciler) SetupWithManager(ctx context.Context, manager ctrl.Manager) error {
	r.background = ctx
	core, err := kubeapi.Core(manager.GetConfig(), manager.GetHTTPClient())
	if err != nil {
		return err
	}
	r.store = secretstore.Store{API: core}
	r.writes.written = map[types.NamespacedName]write{}
	r.claims.init()
	r.wakeups = make(chan event.TypedGenericEvent[wakeup], wakeupBuffer)
	r.exchanges = newExchanges(r.Clock, r.Gate, r.wake)
	if err := addIndexes(ctx, manager.GetFieldIndexer(), r.ClusterProviders); err != nil {
		return err
	}
	builder := ctrl.NewControllerManagedBy(manager).
		For(&v1alpha1.OAuthCredential{}).
		Watches(&v1alpha1.OAuthCredential{}, r.rivalsHandler()).
		WatchesMetadata(&corev1.Secret{}, readersHandler(r.credentialsOfSecret)).
		WatchesMetadata(&corev1.ConfigMap{}, readersHandler(r.credentialsOfConfigMap)).
		WatchesRawSource(source.TypedChannel(r.wakeups, wakeupHandler(), source.WithBufferSize[wakeup, reconcile.Request](wakeupBuffer))).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: r.MaxConcurrentReconciles,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
		}).
		Watches(&v1alpha1.OAuthProvider{}, handler.EnqueueRequestsFromMapFunc(r.credentialsOfProvider),
			ctrlbuilder.WithPredicates(predicate.GenerationChangedPredicate{}))
	if r.ClusterProviders {
		namespace := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}}
		builder.
			Watches(&v1alpha1.ClusterOAuthProvider{}, handler.EnqueueRequestsFromMapFunc(r.credentialsOfClusterProvider),
				ctrlbuilder.WithPredicates(predicate.GenerationChangedPredicate{})).
			WatchesMetadata(namespace, handler.EnqueueRequestsFromMapFunc(r.credentialsOfNamespace),
				ctrlbuilder.WithPredicates(predicate.LabelChangedPredicate{}))
	}
	return errors.Join(manager.Add(lastOut{r}), builder.Complete(r))
}

// lastOut is a runnable of the leader that ends when no answer is left to be kept: the
// lease is not given up before.
type lastOut struct{ *Reconciler }

// Start implements manager.Runnable.
func (l lastOut) Start(ctx context.Context) error {
	<-ctx.Done()
	<-l.Drained()
	return nil
}

// Drained lets no request begin any more that spends what a kept grant holds, and
// answers a channel that is closed when all answers are kept. The process must live
// until then.
func (r *Reconciler) Drained() <-chan struct{} { return r.unanswered.stop() }

// wakeAll has credentials reconciled, in no hurry.
func (r *Reconciler) wakeAll(names []types.NamespacedName) {
	for _, name := range names {
		r.wake(name, ordinary)
	}
}

// wake has a credential reconciled because of something outside the API server.
func (r *Reconciler) wake(name types.NamespacedName, priority int) {
	select {
	case r.wakeups <- event.TypedGenericEvent[wakeup]{Object: wakeup{name, priority}}:
	case <-r.background.Done():
	}
}
