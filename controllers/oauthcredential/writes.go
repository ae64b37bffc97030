package oauthcredential

import (
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// lastWrites remembers the versions that this process wrote last, so that a cache
// that has not caught up is not mistaken for the truth. It is safe for concurrent
// use.
type lastWrites struct {
	mu      sync.Mutex
	written map[types.NamespacedName]write
}

// write is what was written last for one credential.
type write struct {
	uid types.UID
	// credential and secret are resourceVersions; target is the Secret's name.
	credential, secret, target string
}

func keyOf(object metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}
}

// get answers what was written for this credential, not for a namesake before it.
func (w *lastWrites) get(credential *v1alpha1.OAuthCredential) write {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last := w.written[keyOf(credential)]; last.uid == credential.UID {
		return last
	}
	return write{uid: credential.UID}
}

func (w *lastWrites) set(credential *v1alpha1.OAuthCredential, change func(*write)) {
	last := w.get(credential)
	change(&last)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written[keyOf(credential)] = last
}

// wroteStatus remembers the version of a credential after its status was written.
func (w *lastWrites) wroteStatus(credential *v1alpha1.OAuthCredential, version string) {
	w.set(credential, func(last *write) { last.credential = version })
}

// wroteSecret remembers the version of the target Secret; none where it was found
// to be gone.
func (w *lastWrites) wroteSecret(credential *v1alpha1.OAuthCredential, version string) {
	w.set(credential, func(last *write) {
		last.secret, last.target = version, secretstore.TargetName(credential)
	})
}

// seen remembers that the credential exists, and answers the UID of a namesake that
// it has replaced unseen.
func (w *lastWrites) seen(credential *v1alpha1.OAuthCredential) (replaced types.UID, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, known := w.written[keyOf(credential)]
	if known && last.uid == credential.UID {
		return "", false
	}
	w.written[keyOf(credential)] = write{uid: credential.UID}
	return last.uid, known
}

// isStale tells whether a credential is older than what was written to it.
func (w *lastWrites) isStale(credential *v1alpha1.OAuthCredential) bool {
	return older(credential.ResourceVersion, w.get(credential).credential)
}

// isStaleSecret tells whether the cached metadata of the target, nil where there
// are none, are older than what was written to it.
func (w *lastWrites) isStaleSecret(credential *v1alpha1.OAuthCredential, cached *metav1.ObjectMeta) bool {
	last := w.get(credential)
	switch {
	case last.secret == "" || last.target != secretstore.TargetName(credential):
		return false
	case cached == nil:
		return true
	default:
		return older(cached.ResourceVersion, last.secret)
	}
}

// known answers the UID of a credential that was seen.
func (w *lastWrites) known(key types.NamespacedName) (types.UID, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, ok := w.written[key]
	return last.uid, ok
}

// forget drops what is known of a credential.
func (w *lastWrites) forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.written, key)
}

// older compares resourceVersions, which are ordered within one resource. What
// cannot be compared is not older.
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}
