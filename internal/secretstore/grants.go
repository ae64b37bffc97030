package secretstore

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
)

// ErrChanged says that a Secret is not what it was when it was read.
var ErrChanged = errors.New("the Secret has changed since it was read")

// GrantName is the name of the Secret that holds a credential's grant.
func GrantName(credential string) string { return credential + "-grant" }

// HoldsGrant tells whether a Secret was made for the grant of a credential of that
// name.
func HoldsGrant(secret *metav1.ObjectMeta, credential string) bool {
	return secret.Labels[v1alpha1.LabelRole] == v1alpha1.RoleGrant && secret.Labels[v1alpha1.LabelCredential] == credential
}

// WriteGrant writes a grant. version is that of the Secret as it was read, empty where
// there was none. The answer is its version now. An error is ErrChanged, a
// *RejectedError, or the client's.
//
// The Secret has no owner reference: it must outlive a credential that is restored
// from a backup, where it tells that the refresh token is in use elsewhere.
func (s *Store) WriteGrant(ctx context.Context, credential types.NamespacedName, record *grant.Record, version string) (string, error) {
	data, err := record.Encode()
	if err != nil {
		return "", err
	}
	labels := map[string]string{
		v1alpha1.LabelManagedBy:  v1alpha1.ManagedByTokensync,
		v1alpha1.LabelCredential: credential.Name,
		v1alpha1.LabelRole:       v1alpha1.RoleGrant,
	}
	key := types.NamespacedName{Namespace: credential.Namespace, Name: GrantName(credential.Name)}
	var written *corev1.Secret
	if version == "" {
		secret := newSecret(key)
		secret.Labels, secret.Data = labels, data
		written, err = s.post(ctx, secret)
	} else {
		written, err = s.merge(ctx, key, replacement(labels, data, version))
	}
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err) && version != "":
		return "", ErrChanged
	case err != nil:
		return "", classify(err, key.Name)
	}
	return written.ResourceVersion, nil
}

// replacement is a patch that sets the labels and the keys of a grant, removes the keys
// that it lacks, and fails where the Secret has another version.
func replacement(labels map[string]string, data map[string][]byte, version string) map[string]any {
	keys := map[string]any{}
	for _, key := range grant.Keys {
		keys[key] = nil
		if value, ok := data[key]; ok {
			keys[key] = value
		}
	}
	return map[string]any{"metadata": map[string]any{"resourceVersion": version, "labels": labels}, "data": keys}
}
