package refresh

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/plugin/status"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	const request = "2026-11-22T12:00:00.5Z"
	failure := &v1alpha1.LastFailure{Reason: v1alpha1.ReasonProviderRejected, Message: "m"}
	stalled := func(is metav1.ConditionStatus, reason string) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: reason}, {Type: v1alpha1.ConditionStalled, Status: is, Reason: reason}}
	}
	for name, test := range map[string]struct {
		status v1alpha1.OAuthCredentialStatus
		want   result
	}{
		"nothing yet":                           {v1alpha1.OAuthCredentialStatus{}, pending},
		"another request was handled":           {v1alpha1.OAuthCredentialStatus{LastRefreshRequest: "2026-11-22T12:00:00Z"}, pending},
		"an old failure is not this one's":      {v1alpha1.OAuthCredentialStatus{LastFailure: failure}, pending},
		"it was handled":                        {v1alpha1.OAuthCredentialStatus{LastRefreshRequest: request}, refreshed},
		"it was handled with that of a Secret":  {v1alpha1.OAuthCredentialStatus{LastRefreshRequest: "sidecar," + request}, refreshed},
		"it was handled with that of another":   {v1alpha1.OAuthCredentialStatus{LastRefreshRequest: request + ",sidecar"}, refreshed},
		"it has failed":                         {v1alpha1.OAuthCredentialStatus{LastRefreshRequest: request, LastFailure: failure}, failed},
		"a provider is missing":                 {v1alpha1.OAuthCredentialStatus{Conditions: stalled(metav1.ConditionFalse, v1alpha1.ReasonProviderNotFound)}, blocked},
		"a login is wanted":                     {v1alpha1.OAuthCredentialStatus{Conditions: stalled(metav1.ConditionTrue, v1alpha1.ReasonAuthorizationRequired)}, blocked},
		"what was rejected before may work now": {v1alpha1.OAuthCredentialStatus{Conditions: stalled(metav1.ConditionTrue, v1alpha1.ReasonProviderRejected)}, pending},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := judge(&v1alpha1.OAuthCredential{Status: test.status}, request); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	trouble := func(reason, message string) *status.Trouble { return &status.Trouble{Reason: reason, Message: message} }
	for name, test := range map[string]struct {
		grant  v1alpha1.GrantType
		report status.Report
		want   string
	}{
		"the provider refuses": {
			v1alpha1.GrantClientCredentials,
			status.Report{Trouble: trouble(v1alpha1.ReasonProviderRejected, "No.")},
			"has no new token: ProviderRejected: No.",
		},
		"while the old one is good": {
			v1alpha1.GrantClientCredentials,
			status.Report{Ready: true, Trouble: trouble(v1alpha1.ReasonProviderRejected, "No.")},
			"has no new token: ProviderRejected: No.\n  └ The old token is still good.",
		},
		"a command on a line of its own": {
			v1alpha1.GrantAuthorizationCode,
			status.Report{Ready: true, Advice: "kubectl tokensync login files", Trouble: trouble(v1alpha1.ReasonRefreshTokenLost, "It is gone.")},
			"has no new token: RefreshTokenLost: It is gone.\n  └ Run: kubectl tokensync login files\n  └ The old token is still good.",
		},
		"a new code": {
			v1alpha1.GrantDeviceCode,
			status.Report{Trouble: trouble(v1alpha1.ReasonAuthorizationRequired, "open https://a.example and enter the code WDJB")},
			"waits for you: open https://a.example and enter the code WDJB",
		},
		"a device whose grant is lost": {
			v1alpha1.GrantDeviceCode,
			status.Report{Trouble: trouble(v1alpha1.ReasonRefreshTokenLost, "It is gone.")},
			"has no new token: RefreshTokenLost: It is gone.",
		},
	} {
		credential := &v1alpha1.OAuthCredential{Spec: v1alpha1.OAuthCredentialSpec{GrantType: test.grant}}
		if got := refusal(credential, test.report, "has no new token"); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
