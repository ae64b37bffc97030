package status_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/plugin/status"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// credential is one whose token is good for another 40 of its 60 minutes, as changes
// leave it.
func credential(changes ...func(*v1alpha1.OAuthCredential)) *v1alpha1.OAuthCredential {
	c := &v1alpha1.OAuthCredential{ObjectMeta: metav1.ObjectMeta{
		Namespace: "web", Name: "files", Generation: 1, CreationTimestamp: metav1.NewTime(now.Add(-time.Hour)),
	}}
	c.Status = v1alpha1.OAuthCredentialStatus{
		ObservedGeneration: 1, SecretName: "files",
		IssuedAt: at(-20 * time.Minute), ExpiresAt: at(40 * time.Minute), RefreshAt: at(19 * time.Minute),
	}
	condition(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonTokenIssued, `The Secret "files" holds a good token`)(c)
	condition(v1alpha1.ConditionStalled, metav1.ConditionFalse, v1alpha1.ReasonTokenIssued, "")(c)
	for _, change := range changes {
		change(c)
	}
	return c
}

func at(d time.Duration) *metav1.Time { return new(metav1.NewTime(now.Add(d))) }

func condition(kind string, is metav1.ConditionStatus, reason, message string) func(*v1alpha1.OAuthCredential) {
	return func(c *v1alpha1.OAuthCredential) {
		found := metav1.Condition{Type: kind, Status: is, Reason: reason, Message: message}
		for i := range c.Status.Conditions {
			if c.Status.Conditions[i].Type == kind {
				c.Status.Conditions[i] = found
				return
			}
		}
		c.Status.Conditions = append(c.Status.Conditions, found)
	}
}

// tokenless takes the token away.
func tokenless(c *v1alpha1.OAuthCredential) {
	c.Status.IssuedAt, c.Status.ExpiresAt, c.Status.RefreshAt = nil, nil, nil
}

func failure(reason, message string, count int32) func(*v1alpha1.OAuthCredential) {
	return func(c *v1alpha1.OAuthCredential) {
		c.Status.LastFailure = &v1alpha1.LastFailure{
			Reason: reason, Message: message, Count: count, FirstTime: *at(-5 * time.Minute), Time: *at(-time.Minute),
		}
	}
}

func refreshAt(d time.Duration) func(*v1alpha1.OAuthCredential) {
	return func(c *v1alpha1.OAuthCredential) { c.Status.RefreshAt = at(d) }
}

func expiresAt(d time.Duration) func(*v1alpha1.OAuthCredential) {
	return func(c *v1alpha1.OAuthCredential) { c.Status.ExpiresAt = at(d) }
}

func notReady(reason, message string, stalled metav1.ConditionStatus) func(*v1alpha1.OAuthCredential) {
	return func(c *v1alpha1.OAuthCredential) {
		condition(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message)(c)
		condition(v1alpha1.ConditionStalled, stalled, reason, message)(c)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		credential *v1alpha1.OAuthCredential
		state      status.State
		ready      bool
		next       string
		trouble    string
	}{
		"all is well":       {credential(), status.Good, true, "refresh in 19m", ""},
		"a refresh is due":  {credential(refreshAt(-30 * time.Second)), status.Good, true, "refresh now", ""},
		"a refresh is late": {credential(refreshAt(-2 * time.Minute)), status.Good, true, "overdue for 2m: is tokensync running?", ""},
		"no life is known": {
			credential(func(c *v1alpha1.OAuthCredential) { c.Status.ExpiresAt = nil }), status.Good, true, "refresh in 19m", "",
		},
		"the token ran out and nobody noticed": {
			credential(expiresAt(-time.Minute), refreshAt(-10*time.Minute)), status.Expired, false,
			"overdue for 10m: is tokensync running?", "",
		},
		"it runs out at this very instant": {
			credential(expiresAt(0), refreshAt(0)), status.Expired, false, "refresh now", "",
		},
		"the next token cannot be had": {
			credential(failure(v1alpha1.ReasonProviderUnreachable, "It is away.", 4), refreshAt(20*time.Second)),
			status.Failing, true, "tries again in 20s", v1alpha1.ReasonProviderUnreachable,
		},
		"an obstacle beside a good token": {
			credential(condition(v1alpha1.ConditionStalled, metav1.ConditionFalse, v1alpha1.ReasonProviderNotFound, ""),
				func(c *v1alpha1.OAuthCredential) { c.Status.RefreshAt = nil }),
			status.Failing, true, "waits for you", v1alpha1.ReasonProviderNotFound,
		},
		"an obstacle that has a message of its own": {
			credential(condition(v1alpha1.ConditionStalled, metav1.ConditionFalse, v1alpha1.ReasonProviderNotFound, "It does not exist."),
				func(c *v1alpha1.OAuthCredential) { c.Status.RefreshAt = nil }),
			status.Failing, true, "waits for you", v1alpha1.ReasonProviderNotFound + ": It does not exist.",
		},
		"no token and tried again": {
			credential(tokenless, notReady(v1alpha1.ReasonProviderUnreachable, "It is away.", metav1.ConditionFalse),
				failure(v1alpha1.ReasonProviderUnreachable, "It is away.", 1), refreshAt(5*time.Second)),
			status.Waiting, false, "tries again in 5s", v1alpha1.ReasonProviderUnreachable,
		},
		"no token and nothing happens": {
			credential(tokenless, notReady(v1alpha1.ReasonSecretConflict, "It is another's.", metav1.ConditionTrue)),
			status.Stalled, false, "waits for you", v1alpha1.ReasonSecretConflict,
		},
		"a login is wanted": {
			credential(tokenless, notReady(v1alpha1.ReasonAuthorizationRequired, "Log in.", metav1.ConditionTrue)),
			status.Stalled, false, "waits for a login", v1alpha1.ReasonAuthorizationRequired,
		},
		"the first token": {
			credential(tokenless, notReady(v1alpha1.ReasonRequestingToken, "A token is being asked for", metav1.ConditionFalse)),
			status.Pending, false, "asks for a token", "",
		},
		"a changed spec": {
			credential(func(c *v1alpha1.OAuthCredential) { c.Generation = 2 }), status.Good, true, "tries the changed spec", "",
		},
		"suspended with a good token": {
			credential(func(c *v1alpha1.OAuthCredential) { c.Spec.Suspend = true }), status.Suspended, true, "nothing, while spec.suspend is true", "",
		},
		"new and not yet seen": {
			credential(func(c *v1alpha1.OAuthCredential) {
				c.Status, c.CreationTimestamp = v1alpha1.OAuthCredentialStatus{}, *at(-time.Second)
			}), status.Pending, false, "is about to be looked at", "",
		},
		"never seen": {
			credential(func(c *v1alpha1.OAuthCredential) { c.Status = v1alpha1.OAuthCredentialStatus{} }),
			status.Unseen, false, "no operator has looked at it: is tokensync running, and does it watch this namespace?", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := status.Describe(test.credential, now)
			if got.State != test.state || got.Ready != test.ready || got.Next != test.next {
				t.Errorf("got %s, ready %t, %q; want %s, %t, %q", got.State, got.Ready, got.Next, test.state, test.ready, test.next)
			}
			trouble := ""
			if got.Trouble != nil {
				trouble = got.Trouble.Reason
			}
			if strings.Contains(test.trouble, ": ") {
				trouble += ": " + got.Trouble.Message
			}
			if trouble != test.trouble {
				t.Errorf("got the trouble %q, want %q", trouble, test.trouble)
			}
		})
	}
}

// TestMessagesAreFitForATerminal holds for what anybody may have written into a status.
func TestMessagesAreFitForATerminal(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 150)
	got := status.Describe(credential(failure(v1alpha1.ReasonProviderRejected, "a\x1b[2Jb\n\u202ec "+long, 1)), now)
	if message := got.Trouble.Message; strings.ContainsAny(message, "\x1b\n\u202e") || !strings.HasPrefix(message, "a[2Jb c word") {
		t.Errorf("got %q", message)
	}
	if !strings.HasSuffix(got.Trouble.Message, strings.TrimSpace(long)) {
		t.Error("a long message was cut")
	}
}

// TestALoginIsAdvised where it helps, and where the message does not say what does.
func TestALoginIsAdvised(t *testing.T) {
	t.Parallel()
	const login = "kubectl tokensync login files -n web"
	by := func(grantType v1alpha1.GrantType) func(*v1alpha1.OAuthCredential) {
		return func(c *v1alpha1.OAuthCredential) { c.Spec.GrantType = grantType }
	}
	for name, test := range map[string]struct {
		grant           v1alpha1.GrantType
		reason, message string
		want            string
	}{
		"a grant is lost":         {v1alpha1.GrantAuthorizationCode, v1alpha1.ReasonRefreshTokenLost, "It is gone.", login},
		"nobody has logged in":    {v1alpha1.GrantAuthorizationCode, v1alpha1.ReasonAuthorizationRequired, "Nobody has.", login},
		"the message has it":      {v1alpha1.GrantAuthorizationCode, v1alpha1.ReasonRefreshTokenLost, "It is gone: run: " + login, ""},
		"a Secret is in the way":  {v1alpha1.GrantAuthorizationCode, v1alpha1.ReasonRefreshTokenLost, "Run: kubectl delete secret files-grant", ""},
		"a code is to be entered": {v1alpha1.GrantDeviceCode, v1alpha1.ReasonAuthorizationRequired, "Enter the code WDJB-MJHT.", ""},
		"a refresh token is to be put there, where there is no page": {
			v1alpha1.GrantRefreshToken, v1alpha1.ReasonAuthorizationRequired, "Put a new one there.", "",
		},
		"something else is wrong": {v1alpha1.GrantAuthorizationCode, v1alpha1.ReasonProviderRejected, "No.", ""},
	} {
		got := status.Describe(credential(tokenless, by(test.grant), notReady(test.reason, test.message, metav1.ConditionTrue)), now)
		if got.Advice != test.want {
			t.Errorf("%s: got %q, want %q", name, got.Advice, test.want)
		}
	}
}

// TestTheEndOfTheRefreshToken is near when the operator says so.
func TestTheEndOfTheRefreshToken(t *testing.T) {
	t.Parallel()
	ending := func(c *v1alpha1.OAuthCredential) { c.Status.RefreshTokenExpiresAt = at(9 * 24 * time.Hour) }
	got := status.Describe(credential(ending, func(c *v1alpha1.OAuthCredential) {
		c.Status.Grant = &v1alpha1.GrantStatus{UseBy: at(24 * time.Hour)}
		condition(v1alpha1.ConditionRefreshTokenExpiring, metav1.ConditionFalse, v1alpha1.ReasonRefreshTokenValid, "")(c)
	}), now)
	if got.RefreshTokenWarning != "" || !got.RefreshTokenRenews {
		t.Errorf("one that renews itself: got %+v", got)
	}
	got = status.Describe(credential(ending, func(c *v1alpha1.OAuthCredential) {
		c.Status.Grant = &v1alpha1.GrantStatus{WarnAfter: at(-time.Hour)}
		condition(v1alpha1.ConditionRefreshTokenExpiring, metav1.ConditionTrue, v1alpha1.ReasonRefreshTokenExpiring, "Log in.")(c)
	}), now)
	if got.RefreshTokenWarning != "RefreshTokenExpiring: Log in." || got.RefreshTokenRenews {
		t.Errorf("one that ends: got %+v", got)
	}
}
