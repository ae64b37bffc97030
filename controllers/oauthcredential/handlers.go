package oauthcredential

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// readers has the credentials reconciled that an object concerns. Whom it concerns
// hangs on its name and on its label; where an update leaves that as it was, one look is
// enough.
type readers struct{ handler.EventHandler }

func readersHandler(concerned handler.MapFunc) readers {
	return readers{handler.EnqueueRequestsFromMapFunc(concerned)}
}

// Update implements handler.EventHandler.
func (h readers) Update(ctx context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	labeled := func(object client.Object) string { return object.GetLabels()[v1alpha1.LabelCredential] }
	if e.ObjectOld.GetResourceVersion() == e.ObjectNew.GetResourceVersion() || labeled(e.ObjectOld) != labeled(e.ObjectNew) {
		h.EventHandler.Update(ctx, e, queue)
		return
	}
	h.Generic(ctx, event.GenericEvent{Object: e.ObjectNew}, queue)
}

// rivalsHandler lets the other credentials that want a Secret know when one gives
// up its claim on it, or no longer reads it.
func (r *Reconciler) rivalsHandler() handler.EventHandler {
	released := func(ctx context.Context, object client.Object, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		credential, ok := object.(*v1alpha1.OAuthCredential)
		if !ok {
			return
		}
		for _, name := range append(namesOf(v1alpha1.KindSecret, resolve.CredentialSources(credential)), secretstore.TargetName(credential)) {
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

// wakeup is a credential to be reconciled, and how urgent that is.
type wakeup struct {
	name     types.NamespacedName
	priority int
}

// wakeupHandler puts a wakeup into the queue with its priority.
func wakeupHandler() handler.TypedEventHandler[wakeup, reconcile.Request] {
	return handler.TypedFuncs[wakeup, reconcile.Request]{
		GenericFunc: func(_ context.Context, e event.TypedGenericEvent[wakeup], queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			request := reconcile.Request{NamespacedName: e.Object.name}
			if ordered, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
				ordered.AddWithOpts(priorityqueue.AddOpts{Priority: new(e.Object.priority)}, request)
				return
			}
			queue.Add(request)
		},
	}
}
