package integration_test

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/cluster"
)

// witness sees every version of every credential. It is safe for concurrent use.
type witness struct {
	stop func()

	mu      sync.Mutex
	history map[types.NamespacedName][]v1alpha1.OAuthCredentialStatus
	insane  []string
}

// newWitness watches the credentials of all namespaces until it is stopped.
func newWitness(ctx context.Context, c *cluster.Cluster) (*witness, error) {
	scheme, err := cluster.Scheme()
	if err != nil {
		return nil, err
	}
	watcher, err := client.NewWithWatch(c.Config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	// It lasts as long as the suite, longer than the node that starts it.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	watch, err := watcher.Watch(ctx, &v1alpha1.OAuthCredentialList{})
	if err != nil {
		cancel()
		return nil, err
	}
	w := &witness{stop: cancel, history: map[types.NamespacedName][]v1alpha1.OAuthCredentialStatus{}}
	go func() {
		for event := range watch.ResultChan() {
			if credential, ok := event.Object.(*v1alpha1.OAuthCredential); ok {
				w.see(credential)
			}
		}
	}()
	return w, nil
}

func (w *witness) see(credential *v1alpha1.OAuthCredential) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := client.ObjectKeyFromObject(credential)
	w.history[key] = append(w.history[key], *credential.Status.DeepCopy())
	for _, complaint := range nonsense(credential) {
		w.insane = append(w.insane, fmt.Sprintf("%s at version %s: %s", key, credential.ResourceVersion, complaint))
	}
}

// complaints are what was wrong with any status since it was last asked.
func (w *witness) complaints() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := w.insane
	w.insane = nil
	return found
}

// statuses are those that a credential has had, oldest first.
func (w *witness) statuses(namespace, name string) []v1alpha1.OAuthCredentialStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.history[types.NamespacedName{Namespace: namespace, Name: name}])
}

// nonsense is what contradicts itself in a status, or would mislead those that
// read conditions by the rules of kstatus.
func nonsense(credential *v1alpha1.OAuthCredential) []string {
	s := credential.Status
	if s.ObservedGeneration == -1 && len(s.Conditions) == 0 {
		return nil // Nobody has looked at it yet.
	}
	var found []string
	complain := func(wrong bool, complaint string) {
		if wrong {
			found = append(found, complaint)
		}
	}
	for _, name := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		condition := meta.FindStatusCondition(s.Conditions, name)
		if condition == nil {
			return []string{"the condition " + name + " is missing"}
		}
		complain(condition.ObservedGeneration != s.ObservedGeneration, name+" speaks of another generation than the status")
		complain(condition.Status == metav1.ConditionUnknown, name+" is unknown")
	}
	is := func(name string) bool { return meta.IsStatusConditionTrue(s.Conditions, name) }
	ready, reconciling, stalled := is(v1alpha1.ConditionReady), is(v1alpha1.ConditionReconciling), is(v1alpha1.ConditionStalled)
	reason := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady).Reason
	complain(s.ObservedGeneration > credential.Generation, "it has observed a generation that does not exist")
	complain(reconciling && stalled, "it is both reconciling and stalled")
	complain(ready && reconciling, "it is both ready and reconciling")
	complain(!ready && !reconciling && !stalled && reason != v1alpha1.ReasonSuspended, "it is neither ready nor says why not")
	complain(ready && (s.SecretName == "" || s.IssuedAt == nil), "it is ready without a token")
	complain(s.IssuedAt == nil && s.ExpiresAt != nil, "a token expires that was never issued")
	if s.RefreshAt != nil && s.ExpiresAt != nil && s.LastFailure == nil {
		// One that is answered until it expires is followed by another only then.
		repeated := credential.Spec.Provider != nil && credential.Spec.Provider.TokenReissue == v1alpha1.ReissueSame
		complain(s.ExpiresAt.Before(s.RefreshAt) && !repeated, "the token is to be refreshed after it expires")
		complain(!s.IssuedAt.Before(s.RefreshAt), "the token is to be refreshed before it was issued")
	}
	return found
}
