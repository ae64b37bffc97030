package secretstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// FieldManager is the name under which tokensync owns fields.
const FieldManager = "tokensync"

// carriedManager owns what others had put into a Secret that had to be made anew.
const carriedManager = "tokensync-carried-over"

// ErrTaken says that somebody else made a Secret of that name first.
var ErrTaken = errors.New("the Secret was made by somebody else in the meantime")

// RejectedError says that the API server refuses the Secret as it was rendered.
type RejectedError struct {
	// Name is the name of the Secret.
	Name string
	// Reason is the API server's reason, such as Invalid or Forbidden.
	Reason metav1.StatusReason
	// Fields are the fields that it named, in its order.
	Fields []string
}

// Error names the Secret, the reason and the fields. The API server's own text
// stays out, because it may quote values.
func (e *RejectedError) Error() string {
	return fmt.Sprintf("the API server refuses the Secret %q (%s)", e.Name,
		strings.Join(append([]string{string(e.Reason)}, e.Fields...), ", "))
}

// Store reads and writes target Secrets, and those of grants.
type Store struct {
	// API is the core API of the API server: nothing comes from a cache.
	API rest.Interface
}

// Read reads a Secret whole; nil where there is none.
func (s *Store) Read(ctx context.Context, key types.NamespacedName) (*corev1.Secret, error) {
	secret, err := s.get(ctx, key)
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	return secret, nil
}

// Write publishes a token. seen are the metadata of the Secret as it was found to
// be the credential's or adoptable, nil where there was none; adopted says that it
// was a stranger's once, or until now. The answer is the resourceVersion of the
// Secret that holds the token.
//
// An error is ErrTaken, a *RejectedError, or the client's: a conflict means that
// the Secret has changed since it was seen.
func (s *Store) Write(ctx context.Context, credential *v1alpha1.OAuthCredential, token Token, seen *metav1.ObjectMeta, adopted bool) (string, error) {
	desired := configuration(credential, token, adopted)
	if seen == nil {
		return s.create(ctx, desired)
	}
	desired.UID, desired.ResourceVersion = seen.UID, seen.ResourceVersion
	written, err := s.applyForced(ctx, desired)
	if !adopted && typeIsImmutable(err) {
		return s.recreate(ctx, desired, seen.UID)
	}
	if err != nil {
		return "", classify(err, desired.Name)
	}
	return written.ResourceVersion, nil
}

// create applies a Secret where none was seen. Should somebody else have been
// faster, the apply either conflicts with their fields, or its answer shows them;
// then what was added to their Secret is taken back.
func (s *Store) create(ctx context.Context, desired *corev1.Secret) (string, error) {
	made, err := s.apply(ctx, desired, FieldManager)
	if apierrors.IsConflict(err) {
		return "", ErrTaken
	}
	if err != nil {
		return "", classify(err, desired.Name)
	}
	for _, entry := range made.ManagedFields {
		if entry.Manager != FieldManager && entry.Manager != carriedManager {
			return "", errors.Join(ErrTaken, s.Withdraw(ctx, keyOf(&made.ObjectMeta), made.UID))
		}
	}
	return made.ResourceVersion, nil
}

// recreate makes the Secret anew, because its type cannot change, and carries over
// what others had put into it. Nothing is deleted before the API server has said
// that it will take the new one.
func (s *Store) recreate(ctx context.Context, desired *corev1.Secret, uid types.UID) (string, error) {
	desired.UID, desired.ResourceVersion = "", ""
	if err := s.rehearse(ctx, desired); err != nil {
		return "", err
	}
	old, err := s.Read(ctx, keyOf(&desired.ObjectMeta))
	if err != nil {
		return "", err
	}
	if old != nil && old.UID != uid {
		return "", ErrTaken
	}
	if old != nil {
		if err := s.Delete(ctx, &old.ObjectMeta); err != nil {
			return "", err
		}
		if _, err := s.apply(ctx, carried(old, desired), carriedManager); err != nil {
			return "", classify(err, old.Name)
		}
	}
	return s.create(ctx, desired)
}

// rehearse asks the API server, under a name that is free, whether it would take
// the Secret.
func (s *Store) rehearse(ctx context.Context, desired *corev1.Secret) error {
	trial := desired.DeepCopy()
	trial.Name, trial.GenerateName, trial.OwnerReferences = "", "tokensync-", nil
	if _, err := s.post(ctx, trial, metav1.DryRunAll); err != nil {
		return classify(err, desired.Name)
	}
	return nil
}

// carried is what a Secret holds that tokensync did not write, under the labels by
// which it is known again, should the rest never be written.
func carried(old, desired *corev1.Secret) *corev1.Secret {
	rest := newSecret(keyOf(&old.ObjectMeta))
	rest.Type = desired.Type
	rest.Data = map[string][]byte{}
	rest.Annotations = map[string]string{}
	rest.Labels = map[string]string{
		v1alpha1.LabelManagedBy:  desired.Labels[v1alpha1.LabelManagedBy],
		v1alpha1.LabelCredential: desired.Labels[v1alpha1.LabelCredential],
	}
	mine := applied(old.ManagedFields)
	for key, value := range old.Labels {
		if !mine.has("f:metadata", "f:labels", "f:"+key) {
			rest.Labels[key] = value
		}
	}
	for key, value := range old.Annotations {
		if !mine.has("f:metadata", "f:annotations", "f:"+key) {
			rest.Annotations[key] = value
		}
	}
	for key, value := range old.Data {
		if !mine.has("f:data", "f:"+key) {
			rest.Data[key] = value
		}
	}
	return rest
}

// Delete deletes exactly the Secret that was seen.
func (s *Store) Delete(ctx context.Context, seen *metav1.ObjectMeta) error {
	return ignoreNotFound(s.remove(ctx, keyOf(seen), metav1.Preconditions{UID: &seen.UID, ResourceVersion: &seen.ResourceVersion}))
}

// Withdraw removes from a Secret all that tokensync put there, and leaves the rest.
func (s *Store) Withdraw(ctx context.Context, key types.NamespacedName, uid types.UID) error {
	nothing := newSecret(key)
	nothing.UID = uid
	_, err := s.applyForced(ctx, nothing)
	if apierrors.IsConflict(err) {
		return nil // another Secret of the same name by now
	}
	return ignoreNotFound(err)
}

// Release gives up a Secret that is the credential's no longer, because its spec
// names another: it is deleted where the credential owned it, its keys are removed
// where it was adopted, and it stays where it is to be retained.
func (s *Store) Release(ctx context.Context, secret *metav1.ObjectMeta, owner types.UID) error {
	controller := metav1.GetControllerOfNoCopy(secret)
	switch {
	case controller != nil && controller.UID == owner:
		return s.Delete(ctx, secret)
	case secret.Annotations[v1alpha1.AnnotationAdopted] == string(v1alpha1.DeletionPolicyDelete):
		return s.Withdraw(ctx, keyOf(secret), secret.UID)
	}
	return nil
}

// typeIsImmutable says that an update was refused because of the Secret's type, and
// of nothing else: a type that the data do not fit would be refused anew, too.
func typeIsImmutable(err error) bool {
	status := apierrors.APIStatus(nil)
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return false
	}
	causes := status.Status().Details.Causes
	return len(causes) == 1 && causes[0].Field == "type"
}

// classify tells a refusal of the Secret from an API server that is in trouble.
func classify(err error, name string) error {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		return err
	}
	refused := apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err) ||
		apierrors.IsRequestEntityTooLargeError(err)
	if !refused || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return err
	}
	rejected := &RejectedError{Name: name, Reason: status.Status().Reason}
	if details := status.Status().Details; details != nil {
		for _, cause := range details.Causes {
			rejected.Fields = append(rejected.Fields, cause.Field)
		}
	}
	return rejected
}
