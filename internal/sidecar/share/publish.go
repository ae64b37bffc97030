package share

import (
	"context"
	"errors"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/secretstore"
	"github.com/tokensync/tokensync/internal/sidecar/kube"
	"github.com/tokensync/tokensync/internal/sidecar/lease"
)

// Publish writes a token into the Secret. It never takes one that somebody else has made:
// a failure says so.
func (s *Share) Publish(ctx context.Context, token secretstore.Token) (*issuance.Failure, error) {
	s.mu.Lock()
	s.unpublished = &token
	s.mu.Unlock()
	failed, err := s.write(ctx, token)
	switch {
	case failed == nil && err == nil:
		s.mu.Lock()
		s.unpublished = nil
		s.mu.Unlock()
	case failed != nil:
		s.Delivered(nil, errors.New(failed.Message))
	case err != nil:
		s.advise(err)
		s.Delivered(nil, err)
	}
	return failed, err
}

func (s *Share) write(ctx context.Context, token secretstore.Token) (*issuance.Failure, error) {
	secret, err := s.store.Read(ctx, s.key())
	if err != nil {
		return nil, err
	}
	var seen *metav1.ObjectMeta
	if secret != nil {
		seen = &secret.ObjectMeta
	}
	if seen != nil && !s.mine(seen) {
		return &issuance.Failure{
			Reason: v1alpha1.ReasonSecretConflict, Class: lifetime.Configuration, Message: s.conflict().Error(),
		}, nil
	}
	if _, err = s.store.Write(ctx, s.credential(), token, seen, false); err == nil {
		return nil, nil //nolint:nilnil // It is written.
	}
	if rejected, ok := errors.AsType[*secretstore.RejectedError](err); ok && rejected.Reason == metav1.StatusReasonForbidden {
		s.advise(apierrors.NewForbidden(v1alpha1.GroupVersion.WithResource("secrets").GroupResource(), s.Secret, nil))
	}
	return issuance.WriteFailure(err, "check the rights of the pod's ServiceAccount, and the quota and admission rules of the namespace")
}

// conflict says that the Secret is somebody else's.
func (s *Share) conflict() error {
	return fmt.Errorf("the Secret %q exists and is not that of this credential: delete it, or give --secret-output another name", s.Secret)
}

// mine tells whether a replica made a Secret for this credential. One that an operator keeps
// for a credential of the same name is not, whoever owns it.
func (s *Share) mine(secret *metav1.ObjectMeta) bool {
	owner, _ := secretstore.OwnerOf(secret, s.credential())
	return owner == secretstore.Us && secret.Annotations[v1alpha1.AnnotationKeptBy] == kube.FieldManager && !secretstore.IsAdopted(secret)
}

// credential is the credential of the manifest as the owner of the Secret. It has no UID,
// because there is no such object in the cluster that the Secret could go with.
func (s *Share) credential() *v1alpha1.OAuthCredential {
	credential := s.Engine.Credential().DeepCopy()
	credential.Namespace, credential.UID = s.Client.Namespace, ""
	target := &credential.Spec.Secret
	target.Name = s.Secret
	annotations := maps.Clone(target.Annotations)
	if annotations == nil {
		annotations = map[string]v1alpha1.AnnotationValue{}
	}
	annotations[v1alpha1.AnnotationKeptBy] = kube.FieldManager
	target.Annotations = annotations
	return credential
}

// advise logs, once, which rights are missing.
func (s *Share) advise(err error) {
	if !apierrors.IsForbidden(err) {
		return
	}
	s.mu.Lock()
	news := !s.advised
	s.advised = true
	s.mu.Unlock()
	if news {
		s.Log.Error("the pod's ServiceAccount may not keep the Secret: apply the manifest", "secret", s.Secret,
			"namespace", s.Client.Namespace, "manifest", s.manifest())
	}
}

// manifest is the Role for all that a replica does, with its RoleBinding.
func (s *Share) manifest() string {
	return s.Client.Manifest(s.Secret, append([]kube.Right{
		{Resource: "secrets", Name: s.Secret, Verbs: []string{"get", "list", "watch", "patch"}},
		{Resource: "secrets", Verbs: []string{"create"}},
	}, lease.Rights(leaseName(s.Secret))...)...)
}
