package secretstore

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// newSecret is a Secret that holds nothing. What is applied has to name its type.
func newSecret(key types.NamespacedName) *corev1.Secret {
	return &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: corev1.SchemeGroupVersion.String(), Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name},
	}
}

func keyOf(secret *metav1.ObjectMeta) types.NamespacedName {
	return types.NamespacedName{Namespace: secret.Namespace, Name: secret.Name}
}

func (s *Store) get(ctx context.Context, key types.NamespacedName) (*corev1.Secret, error) {
	return send(ctx, at(key, s.API.Get()))
}

// post makes a Secret; with metav1.DryRunAll it is only tried.
func (s *Store) post(ctx context.Context, secret *corev1.Secret, dryRun ...string) (*corev1.Secret, error) {
	return send(ctx, s.API.Post().Namespace(secret.Namespace).Resource("secrets").
		VersionedParams(&metav1.CreateOptions{FieldManager: FieldManager, DryRun: dryRun}, metav1.ParameterCodec).
		Body(secret))
}

// apply applies a Secret under the name of a manager. It is a conflict where that would
// change what others manage.
func (s *Store) apply(ctx context.Context, desired *corev1.Secret, manager string) (*corev1.Secret, error) {
	return s.patch(ctx, keyOf(&desired.ObjectMeta), types.ApplyYAMLPatchType, desired, metav1.PatchOptions{FieldManager: manager})
}

// applyForced applies a Secret, and takes over what others manage.
func (s *Store) applyForced(ctx context.Context, desired *corev1.Secret) (*corev1.Secret, error) {
	return s.patch(ctx, keyOf(&desired.ObjectMeta), types.ApplyYAMLPatchType, desired,
		metav1.PatchOptions{FieldManager: FieldManager, Force: new(true)})
}

// merge changes what a JSON merge patch names (RFC 7396).
func (s *Store) merge(ctx context.Context, key types.NamespacedName, changes map[string]any) (*corev1.Secret, error) {
	return s.patch(ctx, key, types.MergePatchType, changes, metav1.PatchOptions{FieldManager: FieldManager})
}

func (s *Store) patch(
	ctx context.Context, key types.NamespacedName, kind types.PatchType, content any, options metav1.PatchOptions,
) (*corev1.Secret, error) {
	body, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("encode the Secret %q: %w", key.Name, err)
	}
	return send(ctx, at(key, s.API.Patch(kind)).VersionedParams(&options, metav1.ParameterCodec).Body(body))
}

func (s *Store) remove(ctx context.Context, key types.NamespacedName, only metav1.Preconditions) error {
	return at(key, s.API.Delete()).Body(&metav1.DeleteOptions{Preconditions: &only}).Do(ctx).Error()
}

func at(key types.NamespacedName, request *rest.Request) *rest.Request {
	return request.Namespace(key.Namespace).Resource("secrets").Name(key.Name)
}

// send sends a request that is answered by the Secret.
func send(ctx context.Context, request *rest.Request) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	if err := request.Do(ctx).Into(secret); err != nil {
		return nil, err
	}
	return secret, nil
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
