package oauthcredential

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// propagation is how long a changed Secret may take to reach the files of a pod
// that mounts it, with a kubelet at its defaults.
const propagation = 90 * time.Second

// conditions are Ready, Reconciling and Stalled, in this order.
func conditions(f *facts, s *v1alpha1.OAuthCredentialStatus, token published) []metav1.Condition {
	ready := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse}
	if token.good(f.now) {
		ready.Status = metav1.ConditionTrue
	}
	ready.Reason, ready.Message = explain(f, s, token)

	stalled := metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionFalse, Reason: ready.Reason}
	if reason, message := trouble(f, s); stalling[reason] {
		stalled.Status, stalled.Reason, stalled.Message = metav1.ConditionTrue, reason, message
	} else if f.obstacle != nil {
		stalled.Reason, stalled.Message = reason, message // Events go by the reason.
	}
	reconciling := metav1.Condition{Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionFalse, Reason: ready.Reason}
	if ready.Status == metav1.ConditionFalse && stalled.Status == metav1.ConditionFalse && !f.credential.Spec.Suspend {
		reconciling.Status = metav1.ConditionTrue
		reconciling.Message = ready.Message
	}
	all := []metav1.Condition{ready, reconciling, stalled}
	if s.RefreshTokenExpiresAt != nil {
		all = append(all, refreshTokenExpiring(f, s))
	}
	return all
}

// refreshTokenExpiring warns of the end of the refresh token.
func refreshTokenExpiring(f *facts, s *v1alpha1.OAuthCredentialStatus) metav1.Condition {
	expiring := metav1.Condition{
		Type: v1alpha1.ConditionRefreshTokenExpiring, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonRefreshTokenValid,
	}
	if s.Grant != nil && s.Grant.WarnAfter != nil && !f.now.Before(s.Grant.WarnAfter.Time) {
		expiring.Status, expiring.Reason = metav1.ConditionTrue, v1alpha1.ReasonRefreshTokenExpiring
		expiring.Message = fmt.Sprintf("the refresh token ends at %s: before that, %s",
			s.RefreshTokenExpiresAt.UTC().Format(time.RFC3339), begin(f.credential, f.plan))
	}
	return expiring
}

// explain is the reason and the message of the Ready condition.
func explain(f *facts, s *v1alpha1.OAuthCredentialStatus, token published) (reason, message string) {
	troubleReason, troubleMessage := trouble(f, s)
	switch {
	case !token.good(f.now) && troubleReason != "":
		return troubleReason, troubleMessage
	case f.credential.Spec.Suspend:
		return v1alpha1.ReasonSuspended, "No token is asked for while spec.suspend is true"
	case token.good(f.now):
		reason, message = goodToken(f, token)
		if troubleReason != "" {
			message += fmt.Sprintf("; the next one could not be had (%s): %s", troubleReason, troubleMessage)
		}
		return reason, message
	case token.held && token.current:
		return v1alpha1.ReasonTokenExpired, "The token has expired, and a new one is being asked for"
	default:
		return v1alpha1.ReasonRequestingToken, "A token is being asked for"
	}
}

func goodToken(f *facts, token published) (reason, message string) {
	message = fmt.Sprintf("The Secret %q holds a good token", secretstore.TargetName(f.credential))
	switch life := token.life.Lifetime(); {
	case token.life.ExpiresAt.IsZero():
		return v1alpha1.ReasonLifetimeUnknown, message +
			"; the provider does not say for how long, so it is replaced every hour: set lifetime.default in the provider if you know"
	case life < propagation:
		message += fmt.Sprintf("; it lives %s, less than a mounted Secret may take to reach a pod's files: "+
			"use the tokensync sidecar", life)
	}
	return v1alpha1.ReasonTokenIssued, message
}

// trouble is what stands in the way of the next token, if anything does.
func trouble(f *facts, s *v1alpha1.OAuthCredentialStatus) (reason, message string) {
	switch {
	case f.obstacle != nil:
		return f.obstacle.Reason, f.obstacle.Message
	case f.exchange.heldUp != nil:
		return f.exchange.heldUp.Reason, f.exchange.heldUp.Message
	case s.LastFailure != nil:
		return s.LastFailure.Reason, s.LastFailure.Message
	}
	return "", ""
}

// setCondition sets a condition, and keeps its time while its status stays.
func setCondition(s *v1alpha1.OAuthCredentialStatus, condition metav1.Condition, f *facts) {
	condition.ObservedGeneration = s.ObservedGeneration
	condition.LastTransitionTime = metav1.NewTime(f.now.UTC().Truncate(time.Second))
	at := slices.IndexFunc(s.Conditions, func(c metav1.Condition) bool { return c.Type == condition.Type })
	if at < 0 {
		s.Conditions = append(s.Conditions, condition)
		return
	}
	if s.Conditions[at].Status == condition.Status {
		condition.LastTransitionTime = s.Conditions[at].LastTransitionTime
	}
	s.Conditions[at] = condition
}
