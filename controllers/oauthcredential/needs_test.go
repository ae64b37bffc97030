package oauthcredential

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

// login tells whom a login is for.
const login = "kubectl tokensync login files -n web"

// files is a credential that begins with a login, or, where key is not empty, with the
// refresh token of a Secret.
func files(key string) *v1alpha1.OAuthCredential {
	c := &v1alpha1.OAuthCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "web", Name: "files", UID: "uid"}}
	c.Spec.GrantType = v1alpha1.GrantAuthorizationCode
	if key != "" {
		c.Spec.GrantType = v1alpha1.GrantRefreshToken
		c.Spec.RefreshToken = &v1alpha1.RefreshToken{BootstrapRef: v1alpha1.SecretKeyReference{Name: "files-bootstrap", Key: key}}
	}
	return c
}

func TestWhatAPersonIsToldOfAGrant(t *testing.T) {
	t.Parallel()
	told := map[string]grant.Need{}
	for need, test := range map[grant.Need]struct {
		reason string
		says   []string
	}{
		grant.NeedFirst:          {v1alpha1.ReasonAuthorizationRequired, []string{login}},
		grant.NeedOtherBootstrap: {v1alpha1.ReasonAuthorizationRequired, []string{"spec.refreshToken.bootstrapRef", login}},
		grant.NeedUsable:         {v1alpha1.ReasonAuthorizationRequired, []string{login}},
		grant.NeedRefused:        {v1alpha1.ReasonRefreshTokenLost, []string{login}},
		grant.NeedGone:           {v1alpha1.ReasonRefreshTokenLost, []string{`"files-grant"`, login}},
		grant.NeedBinding: {v1alpha1.ReasonAuthorizationRequired, []string{
			"kubectl annotate secret files-grant -n web --overwrite tokensync.dev/grant-for=uid", login,
		}},
		grant.NeedConsent: {v1alpha1.ReasonAuthorizationRequired, []string{"spec.scopes", login}},
		grant.NeedClient:  {v1alpha1.ReasonAuthorizationRequired, []string{"put the former client ID back", login}},
		grant.NeedAgain:   {v1alpha1.ReasonAuthorizationRequired, []string{login}},
		grant.NeedCode:    {v1alpha1.ReasonAuthorizationRequired, []string{login}},
		grant.NeedDevice:  {v1alpha1.ReasonAuthorizationRequired, []string{"kubectl tokensync refresh files -n web"}},
		needUnreadable:    {v1alpha1.ReasonRefreshTokenLost, []string{`"files-grant"`, "restore it", login}},
	} {
		failed := needs(files(""), nil, need)
		if failed.Reason != test.reason || failed.Class != lifetime.Authorization || !personal(failed.Reason) || !stalling[failed.Reason] {
			t.Errorf("%s: the reason is %s of the class %s", need, failed.Reason, failed.Class)
		}
		for _, part := range test.says {
			if !strings.Contains(failed.Message, part) {
				t.Errorf("%s: %q does not say %q", need, failed.Message, part)
			}
		}
		if again := needs(files(""), nil, need); *again != *failed {
			t.Errorf("%s: says now %q and then %q", need, failed.Message, again.Message)
		}
		if other, ok := told[failed.Message]; ok {
			t.Errorf("%s and %s say the same: %q", need, other, failed.Message)
		}
		told[failed.Message] = need
	}
}

// TestAFirstRefreshTokenCanBeReplaced: where a grant begins with a Secret, a new value in
// it is as good as a login.
func TestAFirstRefreshTokenCanBeReplaced(t *testing.T) {
	t.Parallel()
	for _, need := range []grant.Need{
		grant.NeedOtherBootstrap, grant.NeedUsable, grant.NeedRefused, grant.NeedGone, grant.NeedBinding, needUnreadable,
	} {
		message := needs(files("refresh_token"), nil, need).Message
		for _, part := range []string{`"refresh_token"`, `"files-bootstrap"`, login} {
			if !strings.Contains(message, part) {
				t.Errorf("%s: %q does not say %q", need, message, part)
			}
		}
		credential, plan := keptPlan(t, 0, 0)
		if message := needs(credential, plan, need).Message; strings.Contains(message, "login") {
			t.Errorf("%s: nobody can log in, and it says %q", need, message)
		}
	}
}

func TestApproval(t *testing.T) {
	t.Parallel()
	device := &grant.Device{
		DeviceCode: redact.New("d3vice"), UserCode: "WDJB-MJHT", VerificationURI: "https://as.example/device",
		ExpiresAt: noon.Add(15 * time.Minute).In(time.FixedZone("there", 7200)), Interval: 5 * time.Second,
	}
	failed := approval(device)
	if failed.Reason != v1alpha1.ReasonAuthorizationRequired || failed.Class != lifetime.Authorization {
		t.Errorf("the reason is %s of the class %s", failed.Reason, failed.Class)
	}
	want := "open https://as.example/device and enter the code WDJB-MJHT, before 2026-01-02 12:15:00 UTC, to let this credential act for you"
	if failed.Message != want {
		t.Errorf("says %q, want %q", failed.Message, want)
	}
	device.VerificationURIComplete = "https://as.example/device?user_code=WDJB-MJHT"
	if message := approval(device).Message; !strings.Contains(message, "(or open "+device.VerificationURIComplete+")") || strings.Contains(message, "d3vice") {
		t.Errorf("says %q", message)
	}
}

func TestPersonal(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]bool{
		v1alpha1.ReasonAuthorizationRequired: true,
		v1alpha1.ReasonRefreshTokenLost:      true,
		v1alpha1.ReasonRefreshTokenConflict:  false, // It ends when the other credential goes.
		v1alpha1.ReasonProviderRejected:      false,
		v1alpha1.ReasonProviderUnreachable:   false,
		"":                                   false,
	} {
		if personal(reason) != want {
			t.Errorf("%s waits for a person: %t", reason, !want)
		}
	}
}

// TestWhatWasToldIsNotToldAgain: looks at a grant cost nothing, and change nothing.
func TestWhatWasToldIsNotToldAgain(t *testing.T) {
	t.Parallel()
	refused, first := needs(files(""), nil, grant.NeedRefused), needs(files(""), nil, grant.NeedFirst)
	long := &issuance.Failure{Reason: v1alpha1.ReasonAuthorizationRequired, Class: lifetime.Authorization, Message: strings.Repeat("ä", 2000)}
	for name, test := range map[string]struct {
		reason, message string
		now             *issuance.Failure
		want            bool
	}{
		"the same":                           {refused.Reason, refused.Message, refused, true},
		"the same, and what a provider said": {refused.Reason, refused.Message + ". The provider says no", refused, true},
		"something else":                     {first.Reason, first.Message, refused, false},
		"the same words for another reason":  {v1alpha1.ReasonProviderRejected, refused.Message, refused, false},
		"what no longer needs a person": {
			v1alpha1.ReasonProviderRejected, "it broke", &issuance.Failure{Reason: v1alpha1.ReasonProviderRejected, Message: "it broke"}, false,
		},
		"what had to be cut": {long.Reason, clamp(long.Message), long, true},
	} {
		f := factsAt(time.Hour, time.Minute, failedBefore(test.reason))
		f.credential.Status.LastFailure.Message = test.message
		status := deriveStatus(f, lifetime.Decision{}, actResult{settled: true, failure: test.now})
		if told := *status.LastFailure == *f.credential.Status.LastFailure; told != test.want {
			t.Errorf("%s: the failure stays: %t, want %t", name, told, test.want)
		}
	}
}

// TestWhoWaitsForAPersonHasNoNextRefresh: no clock brings it on.
func TestWhoWaitsForAPersonHasNoNextRefresh(t *testing.T) {
	t.Parallel()
	f := factsAt(time.Hour, time.Minute, func(*facts) {})
	status := deriveStatus(f, lifetime.Decision{}, actResult{settled: true, failure: needs(files(""), nil, grant.NeedRefused)})
	if status.RefreshAt != nil {
		t.Errorf("the next refresh is at %s", status.RefreshAt)
	}
	f.credential.Status = *status
	if status = deriveStatus(f, lifetime.Decision{}, actResult{}); status.RefreshAt != nil {
		t.Errorf("later it is at %s", status.RefreshAt)
	}
	if facts := f.lifetimeFacts(); !facts.NeedsPerson || !facts.Failed {
		t.Errorf("got %+v", facts)
	}
}
