package failures_test

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// history keeps every version of every credential, so that a test can judge what
// has passed already. It is safe for concurrent use.
type history struct {
	mu       sync.Mutex
	versions map[types.NamespacedName][]version
}

// version is a credential as it was at one time.
type version struct {
	at         time.Time
	credential *v1alpha1.OAuthCredential
}

func (v version) condition(conditionType string) metav1.Condition {
	if condition := meta.FindStatusCondition(v.credential.Status.Conditions, conditionType); condition != nil {
		return *condition
	}
	return metav1.Condition{}
}

func (v version) ready() metav1.Condition { return v.condition(v1alpha1.ConditionReady) }

// isReady tells whether the version is ready for the spec that it has.
func (v version) isReady() bool {
	return v.ready().Status == metav1.ConditionTrue && v.credential.Status.ObservedGeneration == v.credential.Generation
}

// watchCredentials keeps the history of an API server until whoever began it ends.
func watchCredentials(ctx SpecContext, api client.WithWatch) *history {
	GinkgoHelper()
	h := &history{versions: map[types.NamespacedName][]version{}}
	follow(ctx, api, &v1alpha1.OAuthCredentialList{}, func(object client.Object, now time.Time) {
		if found, ok := object.(*v1alpha1.OAuthCredential); ok {
			h.add(found, now)
		}
	})
	return h
}

func (h *history) add(found *v1alpha1.OAuthCredential, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := types.NamespacedName{Namespace: found.Namespace, Name: found.Name}
	h.versions[key] = append(h.versions[key], version{at: now, credential: found})
}

// of are all versions of one credential, oldest first.
func (h *history) of(namespace, name string) []version {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.versions[types.NamespacedName{Namespace: namespace, Name: name}])
}

// last is the latest version of a credential, and of one that is not known yet one
// that is not ready.
func (h *history) last(namespace, name string) version {
	versions := h.of(namespace, name)
	if len(versions) == 0 {
		return version{credential: &v1alpha1.OAuthCredential{}}
	}
	return versions[len(versions)-1]
}

// unready are the names of those credentials that are not ready.
func (h *history) unready(namespace string, names []string) []string {
	var waiting []string
	for _, name := range names {
		if !h.last(namespace, name).isReady() {
			waiting = append(waiting, name)
		}
	}
	return waiting
}

// expectReady waits until all of the credentials are ready.
func expectReady(ctx SpecContext, namespace string, names ...string) {
	GinkgoHelper()
	Eventually(func() []string { return credentials.unready(namespace, names) }).
		WithContext(ctx).WithTimeout(15 * time.Second).Should(BeEmpty())
}

// beHealed holds for a credential about which there is nothing to say.
func beHealed() OmegaMatcher {
	return WithTransform(func(v version) []string {
		var wrong []string
		if !v.isReady() {
			wrong = append(wrong, "not ready: "+v.ready().Reason+": "+v.ready().Message)
		}
		for _, conditionType := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
			if v.condition(conditionType).Status != metav1.ConditionFalse {
				wrong = append(wrong, conditionType)
			}
		}
		if v.credential.Status.LastFailure != nil {
			wrong = append(wrong, "lastFailure is still there")
		}
		return wrong
	}, BeEmpty())
}
