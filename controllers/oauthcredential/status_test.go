package oauthcredential

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/render"
	"github.com/tokensync/tokensync/internal/secretstore"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func tokenFor(life time.Duration) *secretstore.Token {
	token := &secretstore.Token{
		Data:       render.Data{"access_token": []byte("abc")},
		IssuedAt:   noon,
		InputsHash: "inputs",
	}
	if life > 0 {
		token.ExpiresAt = noon.Add(life)
	}
	return token
}

// factsAt are those of a credential whose target holds a token for life, issued at
// noon; with a negative life it holds none.
func factsAt(life, at time.Duration, change func(*facts)) *facts {
	f := &facts{
		credential: &v1alpha1.OAuthCredential{
			ObjectMeta: metav1.ObjectMeta{Namespace: "web", Name: "c", UID: "uid", Generation: 2},
			Status:     v1alpha1.OAuthCredentialStatus{ObservedGeneration: 2},
		},
		now:        noon.Add(at),
		inputsHash: "inputs",
	}
	if life >= 0 {
		f.held, f.heldInputs = true, "inputs"
		f.life = lifetime.Token{IssuedAt: noon, ExpiresAt: tokenFor(life).ExpiresAt}
		f.secret = &metav1.ObjectMeta{Name: "c", ResourceVersion: "9"}
	}
	change(f)
	return f
}

func failedBefore(reason string) func(*facts) {
	return func(f *facts) {
		f.credential.Status.LastFailure = &v1alpha1.LastFailure{
			Time: metav1.NewTime(noon), FirstTime: metav1.NewTime(noon), Reason: reason, Message: "it broke", Count: 2,
		}
		f.credential.Status.RefreshAt = &metav1.Time{Time: noon.Add(time.Minute)}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	nothing := func(*facts) {}
	const none = time.Duration(-1)
	for name, test := range map[string]struct {
		facts                       *facts
		result                      actResult
		ready, reconciling, stalled metav1.ConditionStatus
		reason                      string
	}{
		"a new credential asks": {
			factsAt(none, 0, nothing), actResult{}, "False", "True", "False", v1alpha1.ReasonRequestingToken,
		},
		"a token that was just published is good": {
			factsAt(none, 0, nothing),
			actResult{published: true, settled: true, token: tokenFor(time.Hour), version: "9"},
			"True", "False", "False", v1alpha1.ReasonTokenIssued,
		},
		"a token that is held is good": {
			factsAt(time.Hour, time.Minute, nothing), actResult{}, "True", "False", "False", v1alpha1.ReasonTokenIssued,
		},
		"a token of unknown life is good": {
			factsAt(0, time.Minute, nothing), actResult{}, "True", "False", "False", v1alpha1.ReasonLifetimeUnknown,
		},
		"a failing refresh does not flip Ready": {
			factsAt(time.Hour, time.Minute, failedBefore(v1alpha1.ReasonProviderUnreachable)),
			actResult{},
			"True", "False", "False", v1alpha1.ReasonTokenIssued,
		},
		"a rejected refresh waits for a person, while the token is good": {
			factsAt(time.Hour, time.Minute, failedBefore(v1alpha1.ReasonProviderRejected)),
			actResult{},
			"True", "False", "True", v1alpha1.ReasonTokenIssued,
		},
		"an expired token is not good": {
			factsAt(time.Hour, time.Hour, nothing), actResult{}, "False", "True", "False", v1alpha1.ReasonTokenExpired,
		},
		"an expired token tells why there is no new one": {
			factsAt(time.Hour, time.Hour, failedBefore(v1alpha1.ReasonProviderUnreachable)),
			actResult{},
			"False", "True", "False", v1alpha1.ReasonProviderUnreachable,
		},
		"a token of a provider that has changed since is good": {
			factsAt(time.Hour, time.Minute, func(f *facts) {
				f.heldInputs = "others"
				meta.SetStatusCondition(&f.credential.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionReady, Status: "True"})
			}),
			actResult{},
			"True", "False", "False", v1alpha1.ReasonTokenIssued,
		},
		"a token for the spec before is not, however good it was": {
			factsAt(time.Hour, time.Minute, func(f *facts) {
				f.heldInputs = "others"
				f.credential.Status.ObservedGeneration = 1
				meta.SetStatusCondition(&f.credential.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionReady, Status: "True"})
			}),
			actResult{},
			"False", "True", "False", v1alpha1.ReasonRequestingToken,
		},
		"a token for another spec is not good": {
			factsAt(time.Hour, time.Minute, func(f *facts) { f.heldInputs = "others" }),
			actResult{},
			"False", "True", "False", v1alpha1.ReasonRequestingToken,
		},
		"a suspended credential with a good token is ready": {
			factsAt(time.Hour, time.Minute, func(f *facts) { f.credential.Spec.Suspend = true }),
			actResult{},
			"True", "False", "False", v1alpha1.ReasonSuspended,
		},
		"a suspended credential without one is not, and nothing is under way": {
			factsAt(none, 0, func(f *facts) { f.credential.Spec.Suspend = true }),
			actResult{},
			"False", "False", "False", v1alpha1.ReasonSuspended,
		},
		"a conflict waits for a person": {
			factsAt(none, 0, func(f *facts) { f.obstacle = conflict("taken") }),
			actResult{},
			"False", "False", "True", v1alpha1.ReasonSecretConflict,
		},
		"a missing source may yet come": {
			factsAt(none, 0, nothing),
			actResult{settled: true, failure: &issuance.Failure{Reason: v1alpha1.ReasonSourceSecretMissing, Class: lifetime.Configuration, Message: "m"}},
			"False", "True", "False", v1alpha1.ReasonSourceSecretMissing,
		},
		"a changed source is not known to help before it was tried": {
			factsAt(none, 0, func(f *facts) {
				failedBefore(v1alpha1.ReasonProviderRejected)(f)
				f.sourceChanged = true
			}), actResult{}, "False", "False", "True", v1alpha1.ReasonProviderRejected,
		},
		"a request that waits for a broken provider tells of it": {
			factsAt(none, 0, func(f *facts) {
				f.exchange = exchangeState{request: &request{}, heldUp: &issuance.Failure{Reason: v1alpha1.ReasonProviderUnreachable, Message: "m"}}
			}), actResult{}, "False", "True", "False", v1alpha1.ReasonProviderUnreachable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status := deriveStatus(test.facts, lifetime.Decision{}, test.result)
			for condition, want := range map[string]metav1.ConditionStatus{
				v1alpha1.ConditionReady: test.ready, v1alpha1.ConditionReconciling: test.reconciling, v1alpha1.ConditionStalled: test.stalled,
			} {
				if got := meta.FindStatusCondition(status.Conditions, condition).Status; got != want {
					t.Errorf("%s is %s, want %s", condition, got, want)
				}
			}
			if got := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady).Reason; got != test.reason {
				t.Errorf("the reason is %s, want %s", got, test.reason)
			}
			if status.ObservedGeneration != 2 {
				t.Errorf("the generation is %d", status.ObservedGeneration)
			}
		})
	}
}

func TestAnotherSpecIsObservedOnceItWasTried(t *testing.T) {
	t.Parallel()
	f := factsAt(-1, 0, func(f *facts) {
		failedBefore(v1alpha1.ReasonProviderRejected)(f)
		f.credential.Status.ObservedGeneration = 1
	})
	status := deriveStatus(f, lifetime.Decision{}, actResult{})
	if status.ObservedGeneration != 1 || status.LastFailure == nil {
		t.Errorf("generation %d and failure %v, want those of before", status.ObservedGeneration, status.LastFailure)
	}
	status = deriveStatus(f, lifetime.Decision{}, actResult{settled: true, failure: issuance.InternalFailure("operator")})
	if status.ObservedGeneration != 2 || status.LastFailure.Count != 1 {
		t.Errorf("generation %d and failure %v, want a new row", status.ObservedGeneration, status.LastFailure)
	}
}

func TestTheSameFactsMakeTheSameStatus(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*facts){
		"good":    func(*facts) {},
		"failing": failedBefore(v1alpha1.ReasonProviderUnreachable),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := factsAt(time.Hour, time.Minute, change)
			f.credential.Status = *deriveStatus(f, lifetime.Decision{}, actResult{})
			f.now = f.now.Add(10 * time.Minute)
			if again := deriveStatus(f, lifetime.Decision{}, actResult{}); !equality.Semantic.DeepEqual(*again, f.credential.Status) {
				t.Errorf("time alone changed the status:\n%+v\n%+v", again, f.credential.Status)
			}
		})
	}
}

func TestFailuresAreCountedUntilTheirCauseChanges(t *testing.T) {
	t.Parallel()
	broken := actResult{settled: true, failure: &issuance.Failure{Reason: v1alpha1.ReasonProviderUnreachable, Class: lifetime.Transient, Message: "m"}}
	f := factsAt(time.Hour, time.Minute, failedBefore(v1alpha1.ReasonProviderUnreachable))
	status := deriveStatus(f, lifetime.Decision{}, broken)
	if got := status.LastFailure; got.Count != 3 || !got.FirstTime.Time.Equal(noon) || !got.Time.Time.Equal(f.now) {
		t.Errorf("got %+v", got)
	}
	if at := status.RefreshAt.Time; !at.After(f.now) || at.After(f.now.Add(6*time.Minute)) {
		t.Errorf("the next attempt is at %s, a tenth of the hour at the latest", at)
	}
	f.sourceChanged = true
	if got := deriveStatus(f, lifetime.Decision{}, broken).LastFailure; got.Count != 1 || !got.FirstTime.Time.Equal(f.now) {
		t.Errorf("after a change the row begins anew, got %+v", got)
	}
	f.sourceChanged = false
	if got := deriveStatus(f, lifetime.Decision{}, actResult{settled: true, published: true, token: tokenFor(time.Hour), version: "1"}).LastFailure; got != nil {
		t.Errorf("a token ends the row, got %+v", got)
	}
}
