package oauthcredential

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
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
		if failed.reason != test.reason || failed.class != lifetime.Authorization || !personal(failed.reason) || !stalling[failed.reason] {
			t.Errorf("%s: the reason is %s of the class %s", need, failed.reason, failed.class)
		}
		for _, part := range test.says {
			if !strings.Contains(failed.message, part) {
				t.Errorf("%s: %q does not say %q", need, failed.message, part)
			}
		}
		if again := needs(files(""), nil, need); *again != *failed {
			t.Errorf("%s: says now %q and then %q", need, failed.message, again.message)
		}
		if other, ok := told[failed.message]; ok {
			t.Errorf("%s and %s say the same: %q", need, other, failed.message)
		}
		told[failed.message] = need
	}
}

// TestAFirstRefreshTokenCanBeReplaced: where a grant begins with a Secret, a new value in
// it is as good as a login.
func TestAFirstRefreshTokenCanBeReplaced(t *testing.T) {
	t.Parallel()
	for _, need := range []grant.Need{
		grant.NeedOtherBootstrap, grant.NeedUsable, grant.NeedRefused, grant.NeedGone, grant.NeedBinding, needUnreadable,
	} {
		message := needs(files("refresh_token"), nil, need).message
		for _, part := range []string{`"refresh_token"`, `"files-bootstrap"`, login} {
			if !strings.Contains(message, part) {
				t.Errorf("%s: %q does not say %q", need, message, part)
			}
		}
		credential, plan := keptPlan(t, 0, 0)
		if message := needs(credential, plan, need).message; strings.Contains(message, "login") {
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
	if failed.reason != v1alpha1.ReasonAuthorizationRequired || failed.class != lifetime.Authorization {
		t.Errorf("the reason is %s of the class %s", failed.reason, failed.class)
	}
	want := "open https://as.example/device and enter the code WDJB-MJHT, before 2026-01-02 12:15:00 UTC, to let this credential act for you"
	if failed.message != want {
		t.Errorf("says %q, want %q", failed.message, want)
	}
	device.VerificationURIComplete = "https://as.example/device?user_code=WDJB-MJHT"
	if message := approval(device).message; !strings.Contains(message, "(or open "+device.VerificationURIComplete+")") || strings.Contains(message, "d3vice") {
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
	long := &failure{reason: v1alpha1.ReasonAuthorizationRequired, class: lifetime.Authorization, message: strings.Repeat("ä", 2000)}
	for name, test := range map[string]struct {
		reason, message string
		now             *failure
		want            bool
	}{
		"the same":                           {refused.reason, refused.message, refused, true},
		"the same, and what a provider said": {refused.reason, refused.message + ". The provider says no", refused, true},
		"something else":                     {first.reason, first.message, refused, false},
		"the same words for another reason":  {v1alpha1.ReasonProviderRejected, refused.message, refused, false},
		"what no longer needs a person": {
			v1alpha1.ReasonProviderRejected, "it broke", &failure{reason: v1alpha1.ReasonProviderRejected, message: "it broke"}, false,
		},
		"what had to be cut": {long.reason, clamp(long.message), long, true},
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
