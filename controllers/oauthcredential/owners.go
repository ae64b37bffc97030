package oauthcredential

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/internal/grant"
)

// orphaned tells whether nobody else is at work on an attempt: it is this process's own,
// or that of a process which is provably dead.
func (r *Reconciler) orphaned(ctx context.Context, owner grant.Owner) bool {
	switch {
	case owner.Boot == r.Owner.Boot, r.Owner.Succeeds(owner):
		return true
	case owner.UID != "":
		// Who may write to the Secret must not choose what is asked for.
		return owner.Namespace == r.Owner.Namespace && r.podIsGone(ctx, owner)
	}
	return owner.Host == r.Owner.Host && r.ProcessIsGone != nil && r.ProcessIsGone(owner.PID)
}

// podIsGone tells whether a pod is no more. One that cannot be asked after may live.
func (r *Reconciler) podIsGone(ctx context.Context, owner grant.Owner) bool {
	pod := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: corev1.SchemeGroupVersion.String(), Kind: "Pod"}}
	err := r.APIReader.Get(ctx, types.NamespacedName{Namespace: owner.Namespace, Name: owner.Pod}, pod)
	return apierrors.IsNotFound(err) || err == nil && string(pod.UID) != owner.UID
}
