package oauthcredential

import (
	"context"
	"maps"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// TestReadersOfAChangedSecret: who is concerned is looked up once where that cannot have
// changed, and else for what the Secret was before, too.
func TestReadersOfAChangedSecret(t *testing.T) {
	t.Parallel()
	const changed, same = "2", "1"
	for name, test := range map[string]struct {
		before, after string // the credential of the label, empty for none
		version       string
		want          map[string]int // names of credentials and their priorities
		lookups       int
	}{
		"the same version":             {"a", "a", same, map[string]int{"reader": handler.LowPriority, "a": handler.LowPriority}, 2},
		"the same version, no label":   {"", "", same, map[string]int{"reader": handler.LowPriority}, 2},
		"only its data":                {"a", "a", changed, map[string]int{"reader": ordinary, "a": ordinary}, 1},
		"only its data, and no label":  {"", "", changed, map[string]int{"reader": ordinary}, 1},
		"a label that was moved":       {"a", "b", changed, map[string]int{"reader": ordinary, "a": ordinary, "b": ordinary}, 2},
		"a label that was removed":     {"a", "", changed, map[string]int{"reader": ordinary, "a": ordinary}, 2},
		"a label that was added":       {"", "a", changed, map[string]int{"reader": ordinary, "a": ordinary}, 2},
		"a label of the same version?": {"a", "b", same, map[string]int{"reader": handler.LowPriority, "a": handler.LowPriority, "b": handler.LowPriority}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lookups := 0
			concerned := func(_ context.Context, secret client.Object) []reconcile.Request {
				lookups++
				requests := []reconcile.Request{requestFor("reader")}
				if name := secret.GetLabels()[v1alpha1.LabelCredential]; name != "" {
					requests = append(requests, requestFor(name))
				}
				return requests
			}
			queue := priorityqueue.New[reconcile.Request](t.Name())
			t.Cleanup(queue.ShutDown)
			update := event.UpdateEvent{ObjectOld: secretLabeled(test.before, same), ObjectNew: secretLabeled(test.after, test.version)}
			readersHandler(concerned).Update(t.Context(), update, queue)
			if got := queued(queue); !maps.Equal(got, test.want) {
				t.Errorf("queued are %v, want %v", got, test.want)
			}
			if lookups != test.lookups {
				t.Errorf("looked up %d times, want %d", lookups, test.lookups)
			}
		})
	}
}

func requestFor(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "web", Name: name}}
}

// secretLabeled is a Secret as the cache holds it.
func secretLabeled(credential, version string) *metav1.PartialObjectMetadata {
	secret := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: "web", Name: "s", ResourceVersion: version}}
	if credential != "" {
		secret.Labels = map[string]string{v1alpha1.LabelCredential: credential}
	}
	return secret
}

// queued takes all requests out of a queue.
func queued(queue priorityqueue.PriorityQueue[reconcile.Request]) map[string]int {
	found := map[string]int{}
	for queue.Len() > 0 {
		request, priority, _ := queue.GetWithPriority()
		found[request.Name] = priority
		queue.Done(request)
	}
	return found
}
