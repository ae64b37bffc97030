package oauthcredential

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// deriveStatus works out the whole status from what was found and what was done.
// It is pure: the same facts make the same status, so that nothing is written
// where nothing has changed.
func deriveStatus(f *facts, decision lifetime.Decision, result actResult) *v1alpha1.OAuthCredentialStatus {
	before := f.credential.Status
	s := before.DeepCopy()
	token := published{held: f.held, life: f.life, current: f.current()}
	if result.token != nil {
		token = published{
			held:    true,
			current: true,
			life:    lifetime.Token{IssuedAt: result.token.IssuedAt, ExpiresAt: result.token.ExpiresAt},
		}
	}
	if s.LastFailure == nil || result.settled || f.blocked() {
		s.ObservedGeneration = f.credential.Generation // Else the new spec has yet to be tried.
	}
	s.LastFailure = lastFailure(f, result)
	deriveToken(s, f, result, token)
	deriveRefreshAt(s, f, decision, result, token)
	deriveRecords(s, f, result)
	if s.RefreshTokenExpiresAt == nil {
		meta.RemoveStatusCondition(&s.Conditions, v1alpha1.ConditionRefreshTokenExpiring)
	}
	for _, condition := range conditions(f, s, token) {
		setCondition(s, condition, f)
	}
	return s
}

// published is the token that the target holds once the action is done. current
// says that it is one for the spec as it is now.
type published struct {
	held, current bool
	life          lifetime.Token
}

func (p published) good(now time.Time) bool {
	return p.held && p.current && !p.life.Expired(now)
}

// lastFailure counts failures in a row. Only a published token ends the row: where
// something has changed that the failure may come from, it stands until it was tried.
func lastFailure(f *facts, result actResult) *v1alpha1.LastFailure {
	before := f.credential.Status.LastFailure
	switch {
	case result.failure != nil && before != nil && stillNeeds(before, result.failure):
		return before // It was told.
	case result.failure != nil:
		now := metav1.NewTime(f.now.UTC().Truncate(time.Second))
		failed := &v1alpha1.LastFailure{
			Time:      now,
			FirstTime: now,
			Reason:    result.failure.Reason,
			Message:   clamp(result.failure.Message),
			Count:     1,
		}
		if before != nil && !f.respecified() && !f.sourceChanged {
			failed.FirstTime, failed.Count = before.FirstTime, before.Count+1
		}
		return failed
	case result.settled:
		return nil
	}
	return before
}

// stillNeeds tells whether a person is still to do what the last failure has told: what
// the provider said then may have come behind it.
func stillNeeds(before *v1alpha1.LastFailure, now *issuance.Failure) bool {
	return personal(now.Reason) && before.Reason == now.Reason && strings.HasPrefix(before.Message, clamp(now.Message))
}

// clamp cuts a message to what the schema takes.
func clamp(message string) string {
	const longest = 1024
	if runes := []rune(message); len(runes) > longest {
		return string(runes[:longest])
	}
	return message
}

func deriveToken(s *v1alpha1.OAuthCredentialStatus, f *facts, result actResult, token published) {
	if !token.held {
		s.SecretResourceVersion = ""
		s.IssuedAt, s.ExpiresAt = nil, nil
		return // The name stays until its successor holds a token: it tells what to give up then.
	}
	if token.current || f.previous == nil {
		s.SecretName = secretstore.TargetName(f.credential) // Else there is one to give up yet.
	}
	s.IssuedAt, s.ExpiresAt = timestamp(token.life.IssuedAt), timestamp(token.life.ExpiresAt)
	s.SecretResourceVersion = result.version
	if result.version == "" && (!f.drifted || result.unrepaired != nil) {
		s.SecretResourceVersion = f.secret.ResourceVersion
	}
	s.SecretOrigin = v1alpha1.SecretCreated
	if f.adopted {
		s.SecretOrigin = v1alpha1.SecretAdopted
	}
}

// deriveRefreshAt draws the time of the next request once, when a failure is new;
// after that it is only compared.
func deriveRefreshAt(s *v1alpha1.OAuthCredentialStatus, f *facts, decision lifetime.Decision, result actResult, token published) {
	switch {
	case f.blocked() && s.LastFailure == nil:
		s.RefreshAt = nil
	case result.failure != nil:
		retryAt := lifetime.RetryAt(lifetime.Failure{
			Class:      result.failure.Class,
			Count:      int(s.LastFailure.Count),
			First:      s.LastFailure.FirstTime.Time,
			Last:       s.LastFailure.Time.Time,
			RetryAfter: result.failure.RetryAfter,
		}, token.life, string(f.credential.UID))
		if result.failure.Beside && token.held {
			retryAt = earlier(retryAt, f.refreshAt(token.life))
		}
		s.RefreshAt = timestamp(retryAt)
	case decision.Action == lifetime.Wait && decision.Unscheduled && f.now.Before(f.limits.requestAt):
		s.RefreshAt = timestamp(decision.RequestAt.Add(time.Second - 1)) // The bucket holds it back.
	case s.LastFailure != nil && (s.RefreshAt != nil || personal(s.LastFailure.Reason)):
		// It was drawn when the failure was new, or there is none before a person acts.
	case token.held:
		s.RefreshAt = timestamp(f.refreshAt(token.life))
	default:
		s.RefreshAt = nil
	}
}

// deriveRecords keeps what the next decision compares with.
func deriveRecords(s *v1alpha1.OAuthCredentialStatus, f *facts, result actResult) {
	o := f.exchange.outcome
	if o != nil && o.grant != nil && (result.settled || result.looked) {
		s.Grant, s.RefreshTokenExpiresAt = grantStatus(f, o), timestamp(o.grantEnds)
	}
	if f.plan != nil && !f.plan.KeepsGrant() {
		s.Grant, s.RefreshTokenExpiresAt = nil, nil
	}
	switch {
	case result.settled && o != nil:
		s.Sources = o.Versions
		s.LastRefreshRequest = o.refreshRequest
	case f.held && f.credential.Status.IssuedAt == nil:
		// The status was lost: what stands now is what the token was made from, as
		// far as anybody can tell.
		s.Sources = f.sources
		s.LastRefreshRequest = currentRequests(f)
	}
}

// grantStatus is what is known of the grant after an outcome, nil for nothing. What is to
// be looked at again does not count as looked at: whoever takes over has to know.
func grantStatus(f *facts, o *outcome) *v1alpha1.GrantStatus {
	known := *o.grant
	if !o.lookAgainAt.IsZero() {
		known.ResourceVersion, known.BootstrapResourceVersion = "", ""
		if before := f.credential.Status.Grant; before != nil {
			known.ResourceVersion, known.BootstrapResourceVersion = before.ResourceVersion, before.BootstrapResourceVersion
		}
	}
	if known == (v1alpha1.GrantStatus{}) {
		return nil
	}
	return &known
}

// applyStatus writes the status, unless it is the one that stands. The UID keeps
// it off a namesake that was made in the meantime, and the resourceVersion off what
// a replica that took over has written since.
func (r *Reconciler) applyStatus(ctx context.Context, credential *v1alpha1.OAuthCredential, status *v1alpha1.OAuthCredentialStatus) error {
	if equality.Semantic.DeepEqual(&credential.Status, status) {
		return nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(status)
	if err != nil {
		return fmt.Errorf("encode the status: %w", err)
	}
	object := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("OAuthCredential"))
	object.SetNamespace(credential.Namespace)
	object.SetName(credential.Name)
	object.SetUID(credential.UID)
	object.SetResourceVersion(credential.ResourceVersion)
	err = r.Client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(object),
		client.FieldOwner(secretstore.FieldManager), client.ForceOwnership)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	r.writes.wroteStatus(credential, object.GetResourceVersion())
	return nil
}

func timestamp(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t.UTC().Truncate(time.Second)}
}
