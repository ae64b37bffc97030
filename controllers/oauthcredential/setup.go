package oauthcredential

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// The indexes of the caches.
const (
	// indexTarget finds credentials by the name of the Secret that they write.
	indexTarget = "target"
	// indexSecret and indexConfigMap find credentials by what they refer to.
	indexSecret    = "source.secret"
	indexConfigMap = "source.configmap"
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
	r.store = secretstore.Store{Writer: r.Client, Reader: r.APIReader}
	r.writes.written = map[types.NamespacedName]write{}
	r.wakeups = make(chan event.GenericEvent, wakeupBuffer)
	r.exchanges = newExchanges(r.Clock, r.Gate, r.wake)
	if err := addIndexes(ctx, manager.GetFieldIndexer()); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(manager).
		For(&v1alpha1.OAuthCredential{}).
		Watches(&v1alpha1.OAuthCredential{}, r.rivalsHandler()).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.credentialsOfSecret)).
		WatchesMetadata(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.credentialsOfConfigMap)).
		WatchesRawSource(source.Channel(r.wakeups, &handler.EnqueueRequestForObject{}, source.WithBufferSize[client.Object, reconcile.Request](wakeupBuffer))).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: r.MaxConcurrentReconciles,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
		}).
		Complete(r)
}

// rivalsHandler lets the other credentials that want a Secret know when one gives
// up its claim on it, or no longer reads it.
func (r *Reconciler) rivalsHandler() handler.EventHandler {
	released := func(ctx context.Context, object client.Object, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		credential, ok := object.(*v1alpha1.OAuthCredential)
		if !ok {
			return
		}
		for _, name := range append(sourceNames(credential, v1alpha1.KindSecret), secretstore.TargetName(credential)) {
			for _, request := range r.indexed(ctx, credential.Namespace, indexTarget, name) {
				if request.Name != credential.Name {
					queue.Add(request)
				}
			}
		}
	}
	return handler.Funcs{
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			if e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() {
				released(ctx, e.ObjectOld, queue)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			released(ctx, e.Object, queue)
		},
	}
}

// wake has a credential reconciled because of something outside the API server.
func (r *Reconciler) wake(key types.NamespacedName) {
	object := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	select {
	case r.wakeups <- event.GenericEvent{Object: object}:
	case <-r.background.Done():
	}
}

func addIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	credentialIndexes := map[string]client.IndexerFunc{
		indexTarget:    ofCredential(func(c *v1alpha1.OAuthCredential) []string { return []string{secretstore.TargetName(c)} }),
		indexSecret:    ofCredential(func(c *v1alpha1.OAuthCredential) []string { return sourceNames(c, v1alpha1.KindSecret) }),
		indexConfigMap: ofCredential(func(c *v1alpha1.OAuthCredential) []string { return sourceNames(c, v1alpha1.KindConfigMap) }),
	}
	for name, index := range credentialIndexes {
		if err := indexer.IndexField(ctx, &v1alpha1.OAuthCredential{}, name, index); err != nil {
			return err
		}
	}
	secret := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}}
	return indexer.IndexField(ctx, secret, indexAdoptedBy, func(object client.Object) []string {
		if object.GetAnnotations()[v1alpha1.AnnotationAdopted] != string(v1alpha1.DeletionPolicyDelete) {
			return nil
		}
		return []string{object.GetLabels()[v1alpha1.LabelCredential]}
	})
}

func ofCredential(names func(*v1alpha1.OAuthCredential) []string) client.IndexerFunc {
	return func(object client.Object) []string {
		credential, ok := object.(*v1alpha1.OAuthCredential)
		if !ok {
			return nil
		}
		return names(credential)
	}
}

func sourceNames(credential *v1alpha1.OAuthCredential, kind v1alpha1.ReferenceKind) []string {
	var names []string
	for _, source := range resolve.Sources(&credential.Spec) {
		if source.Kind == kind {
			names = append(names, source.Name)
		}
	}
	return names
}

// credentialsOfSecret are the credentials that a change of a Secret may concern:
// those that write it, those that read it, and the one that it is labeled with.
func (r *Reconciler) credentialsOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	requests := r.indexed(ctx, secret.GetNamespace(), indexTarget, secret.GetName())
	requests = append(requests, r.indexed(ctx, secret.GetNamespace(), indexSecret, secret.GetName())...)
	if name := secret.GetLabels()[v1alpha1.LabelCredential]; name != "" {
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: secret.GetNamespace(), Name: name}})
	}
	return requests
}

func (r *Reconciler) credentialsOfConfigMap(ctx context.Context, configMap client.Object) []reconcile.Request {
	return r.indexed(ctx, configMap.GetNamespace(), indexConfigMap, configMap.GetName())
}

func (r *Reconciler) indexed(ctx context.Context, namespace, index, value string) []reconcile.Request {
	credentials, err := r.list(ctx, namespace, index, value)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "List credentials by index", "index", index)
		return nil
	}
	requests := make([]reconcile.Request, 0, len(credentials))
	for i := range credentials {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&credentials[i])})
	}
	return requests
}
