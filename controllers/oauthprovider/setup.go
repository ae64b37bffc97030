package oauthprovider

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
)

// workers is how many providers of a kind are looked at side by side: an issuer that
// hangs holds up one of them for as long as it is waited for.
const workers = 8

// SetupNamespaced registers the reconciler for OAuthProviders.
func (r Reconciler) SetupNamespaced(manager ctrl.Manager) error {
	r.kind = namespaced()
	r.Forget = nil // Only cluster providers have series of their own.
	return r.setup(manager)
}

// SetupCluster registers the reconciler for ClusterOAuthProviders.
func (r Reconciler) SetupCluster(manager ctrl.Manager) error {
	r.kind = cluster()
	return r.setup(manager)
}

func (r *Reconciler) setup(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).
		// Its own writes of the status are looked at, too: a look that came between such a
		// write and the cache has compared with what was there before.
		For(r.kind.empty()).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.readersOf(v1alpha1.KindSecret))).
		WatchesMetadata(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.readersOf(v1alpha1.KindConfigMap))).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

// readersOf answers a function that finds the providers that name an object. There are
// few providers, so that they are simply looked through.
func (r *Reconciler) readersOf(kind v1alpha1.ReferenceKind) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []reconcile.Request {
		if r.kind.name == v1alpha1.KindClusterOAuthProvider && object.GetNamespace() != r.OperatorNamespace {
			return nil
		}
		list, options := r.kind.list(), []client.ListOption{client.UnsafeDisableDeepCopy}
		if r.kind.name == v1alpha1.KindOAuthProvider {
			options = append(options, client.InNamespace(object.GetNamespace()))
		}
		if err := r.Client.List(ctx, list, options...); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "List providers")
			return nil
		}
		var requests []reconcile.Request
		for _, item := range r.kind.items(list) {
			if names(r.kind.subject(item, r.OperatorNamespace).provider, kind, object.GetName()) {
				requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(item)})
			}
		}
		return requests
	}
}

// names tells whether a provider refers to an object of its namespace.
func names(provider *resolve.Provider, kind v1alpha1.ReferenceKind, name string) bool {
	return slices.ContainsFunc(resolve.ProviderSources(provider.Spec, provider.Namespace), func(source resolve.Source) bool {
		return source.Kind == kind && source.Name == name
	})
}
