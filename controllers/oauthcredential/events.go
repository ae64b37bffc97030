package oauthcredential

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
)

// action is the action that all events of this controller speak of.
const action = "RefreshToken"

// emit tells, by events, what the new status says that the old one did not. It is
// called after the status was written.
func (r *Reconciler) emit(f *facts, result actResult, status *v1alpha1.OAuthCredentialStatus) {
	before := meta.FindStatusCondition(f.credential.Status.Conditions, v1alpha1.ConditionReady)
	after := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	changed := before == nil || before.Status != after.Status || before.Reason != after.Reason
	was, is := f.credential.Status.LastFailure, status.LastFailure
	switch {
	case is != nil && result.failure != nil && (was == nil || was.Reason != is.Reason || asksAnew(was, is)):
		r.event(f, corev1.EventTypeWarning, is.Reason, is.Message)
	case is == nil && was != nil && result.published:
		r.event(f, corev1.EventTypeNormal, after.Reason, after.Message)
	case changed && after.Reason == v1alpha1.ReasonRequestingToken:
		// Not worth an event: what comes of it is.
	case changed && personal(after.Reason) && was != nil && was.Reason == after.Reason:
		// A person was told, when the token was still good.
	case changed && (after.Status == "True" || after.Reason == v1alpha1.ReasonSuspended):
		r.event(f, corev1.EventTypeNormal, after.Reason, after.Message)
	case changed:
		r.event(f, corev1.EventTypeWarning, after.Reason, after.Message)
	}
	if f.obstacle != nil && !changed {
		r.emitObstacle(f, status)
	}
	if result.unrepaired != nil {
		r.event(f, corev1.EventTypeWarning, result.unrepaired.Reason, result.unrepaired.Message)
	}
	if result.published && changed {
		r.emitWarnings(f)
	}
}

// asksAnew tells whether a person is asked for something else than before, such as
// another code: the one that an earlier event shows is of no use then.
func asksAnew(was, is *v1alpha1.LastFailure) bool {
	return is.Reason == v1alpha1.ReasonAuthorizationRequired && was.Message != is.Message
}

// emitObstacle tells of an obstacle that is new although the token is as good as it was.
func (r *Reconciler) emitObstacle(f *facts, status *v1alpha1.OAuthCredentialStatus) {
	was := meta.FindStatusCondition(f.credential.Status.Conditions, v1alpha1.ConditionStalled)
	is := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionStalled)
	if was == nil || was.Reason != is.Reason {
		r.event(f, corev1.EventTypeWarning, f.obstacle.Reason, f.obstacle.Message)
	}
}

// emitWarnings tells once what was odd about the lifetime of the first token. That
// a token is short-lived stands in the Ready condition already.
func (r *Reconciler) emitWarnings(f *facts) {
	var texts []string
	for _, warning := range f.exchange.outcome.Warnings {
		if warning != lifetime.ShortLifetime {
			texts = append(texts, string(warning))
		}
	}
	if len(texts) > 0 {
		r.event(f, corev1.EventTypeWarning, v1alpha1.ReasonLifetimeAdjusted, strings.Join(texts, "; "))
	}
}

func (r *Reconciler) event(f *facts, eventType, reason, message string) {
	r.Events.Eventf(f.credential, nil, eventType, reason, action, "%s", message)
}
