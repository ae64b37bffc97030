package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/kube"
)

// Refresh implements sidecar.Refresher: it asks the operator, by an annotation on the
// Secret.
func (s *Source) Refresh(ctx context.Context) error {
	s.mu.Lock()
	presence, managed := s.presence, s.managed
	s.mu.Unlock()
	switch {
	case presence == unseen || presence == absent:
		return fmt.Errorf("there is no Secret %q in the namespace %q to ask by", s.Name, s.Client.Namespace)
	case !managed:
		return sidecar.ErrNoRefresh
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		v1alpha1.AnnotationRefreshRequestedAt: s.Clock.Now().UTC().Format(time.RFC3339Nano),
	}}})
	if err != nil {
		return fmt.Errorf("encode the annotation: %w", err)
	}
	err = s.Client.Core.Patch(types.MergePatchType).Namespace(s.Client.Namespace).Resource("secrets").Name(s.Name).
		Param("fieldManager", kube.FieldManager).Body(patch).Do(ctx).Error()
	return s.asked(err)
}

// asked makes of the answer to a request what the caller is told.
func (s *Source) asked(err error) error {
	forbidden := apierrors.IsForbidden(err)
	s.mu.Lock()
	news := forbidden && !s.denied
	if forbidden || err == nil {
		s.denied = forbidden
	}
	s.mu.Unlock()
	if news {
		s.Log.Error("the pod's ServiceAccount may not ask for a fresh token: apply the manifest",
			"secret", s.Name, "namespace", s.Client.Namespace, "verb", "patch", "manifest", s.manifest(true))
	}
	switch {
	case forbidden:
		return fmt.Errorf("the pod's ServiceAccount may not ask for a fresh token: it needs the verb patch on the Secret %q in the namespace %q",
			s.Name, s.Client.Namespace)
	case err != nil:
		return fmt.Errorf("ask for a fresh token: %w", err)
	}
	return nil
}
