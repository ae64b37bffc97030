package oauthprovider

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// finding is what a look at a provider has shown.
type finding struct {
	reason, message string
	// stalled says that only a person can mend it.
	stalled bool
}

func (f finding) ready() bool { return f.reason == v1alpha1.ReasonProviderReady }

// judge reads the error of a probe. An error of its own is one of the API server.
func judge(s subject, err error) (finding, error) {
	var (
		source *resolve.SourceError
		spec   *resolve.SpecError
		issuer *oauth.Error
	)
	switch {
	case errors.As(err, &source) && source.Problem == resolve.Forbidden:
		return finding{v1alpha1.ReasonSourceSecretRefused, source.Error(), true}, nil
	case errors.As(err, &source):
		return finding{v1alpha1.ReasonSourceSecretMissing, source.Error(), false}, nil
	case errors.As(err, &spec):
		return finding{spec.Reason, spec.Error(), true}, nil
	case errors.As(err, &issuer):
		return finding{resolve.Reason(issuer.Kind), issuer.Error(), issuer.Class == lifetime.Configuration}, nil
	case err != nil:
		return finding{}, err
	}
	if problem := s.selectorProblem(); problem != "" {
		return finding{v1alpha1.ReasonIncompatibleProvider, "spec.allowedNamespaces is no selector: " + problem, true}, nil
	}
	return finding{reason: v1alpha1.ReasonProviderReady, message: "Credentials can use this provider"}, nil
}

// selectorProblem is why the selector of namespaces cannot be read, if it cannot.
func (s subject) selectorProblem() string {
	if s.cluster == nil {
		return ""
	}
	if _, err := metav1.LabelSelectorAsSelector(s.cluster.AllowedNamespaces); err != nil {
		return err.Error()
	}
	return ""
}

// deriveStatus sets the status to what was found.
func deriveStatus(s *v1alpha1.ProviderStatus, generation int64, tokenURL string, f finding, now time.Time) {
	if f.ready() || tokenURL != "" || s.ObservedGeneration != generation {
		s.TokenURL = tokenURL // Else the issuer cannot be asked, and is the same as before.
	}
	s.ObservedGeneration = generation
	ready := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: f.reason, Message: f.message}
	reconciling := metav1.Condition{Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionFalse, Reason: f.reason}
	stalled := metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionFalse, Reason: f.reason}
	switch {
	case f.ready():
		ready.Status = metav1.ConditionTrue
	case f.stalled:
		stalled.Status, stalled.Message = metav1.ConditionTrue, f.message
	default:
		reconciling.Status, reconciling.Message = metav1.ConditionTrue, f.message
	}
	for _, condition := range []metav1.Condition{ready, reconciling, stalled} {
		condition.ObservedGeneration = generation
		condition.LastTransitionTime = metav1.NewTime(now.UTC().Truncate(time.Second))
		meta.SetStatusCondition(&s.Conditions, condition)
	}
}

// apply writes the status, unless the provider is another one by now.
func (r *Reconciler) apply(ctx context.Context, object client.Object, status *v1alpha1.ProviderStatus) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(status)
	if err != nil {
		return fmt.Errorf("encode the status: %w", err)
	}
	written := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	written.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(string(r.kind.name)))
	written.SetNamespace(object.GetNamespace())
	written.SetName(object.GetName())
	written.SetUID(object.GetUID())
	return r.Client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(written),
		client.FieldOwner(secretstore.FieldManager), client.ForceOwnership)
}

// emit tells by an event that the Ready condition has changed.
func (r *Reconciler) emit(object client.Object, before, after *v1alpha1.ProviderStatus) {
	was := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionReady)
	if was != nil && was.Status == is.Status && was.Reason == is.Reason {
		return
	}
	eventType := corev1.EventTypeNormal
	if is.Status != metav1.ConditionTrue {
		eventType = corev1.EventTypeWarning
	}
	message := is.Message
	if object.GetNamespace() == "" && is.Status != metav1.ConditionTrue {
		// Events of cluster objects are kept in the namespace default, where others than
		// administrators may read them.
		message = "Credentials cannot use this provider: its status says why"
	}
	r.Events.Eventf(object, nil, eventType, is.Reason, "CheckProvider", "%s", message)
}
