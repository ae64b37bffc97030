package oauthcredential

import (
	"fmt"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
)

// board keeps the notes of events.
type board struct{ notes []string }

func (b *board) Eventf(_, _ runtime.Object, _, reason, _, note string, arguments ...any) {
	b.notes = append(b.notes, reason+": "+fmt.Sprintf(note, arguments...))
}

// TestEventsOfWhatAPersonIsAskedFor: who reads the events must find the code that is good
// now, and each of them once.
func TestEventsOfWhatAPersonIsAskedFor(t *testing.T) {
	t.Parallel()
	told := &board{}
	r := &Reconciler{Events: told}
	status := v1alpha1.OAuthCredentialStatus{ObservedGeneration: 2}
	for _, step := range []struct{ reason, message string }{
		{v1alpha1.ReasonAuthorizationRequired, "enter AAAA"},
		{v1alpha1.ReasonAuthorizationRequired, "enter AAAA"}, // Nobody has yet.
		{v1alpha1.ReasonAuthorizationRequired, "enter BBBB"},
		{v1alpha1.ReasonAuthorizationRequired, "enter BBBB"},
		{v1alpha1.ReasonAuthorizationRequired, "nobody has entered the codes"},
		{v1alpha1.ReasonAuthorizationRequired, "nobody has entered the codes"},
		{v1alpha1.ReasonProviderUnreachable, "no answer"},
		{v1alpha1.ReasonProviderUnreachable, "no connection"}, // The reason is what counts elsewhere.
	} {
		f := factsAt(-1, 0, func(f *facts) { f.credential.Status = status })
		result := actResult{settled: true, failure: &issuance.Failure{Reason: step.reason, Class: lifetime.Authorization, Message: step.message}}
		after := deriveStatus(f, lifetime.Decision{}, result)
		r.emit(f, result, after)
		status = *after
	}
	want := []string{
		"AuthorizationRequired: enter AAAA", "AuthorizationRequired: enter BBBB", "AuthorizationRequired: nobody has entered the codes",
		"ProviderUnreachable: no answer",
	}
	if !slices.Equal(told.notes, want) {
		t.Errorf("told\n     %q\nwant %q", told.notes, want)
	}
}
