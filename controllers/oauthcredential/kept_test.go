package oauthcredential

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
)

func TestWhatCountsAsAChangeOfAGrant(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		looked, now string
		want        bool
	}{
		"nothing":                        {"", "", false},
		"the version that was looked at": {"7", "7", false},
		"a newer version":                {"7", "8", true},
		"a newer version, with a digit":  {"9", "10", true},
		// A cache that lags behind our own write tells nothing new.
		"an older version":           {"8", "7", false},
		"it has come":                {"", "7", true},
		"it has gone":                {"7", "", true},
		"what cannot be compared":    {"7", "x", false},
		"what could not be compared": {"x", "7", false},
	} {
		if got := changed(test.looked, test.now); got != test.want {
			t.Errorf("%s: changed is %t", name, got)
		}
	}
}

func TestVersionOf(t *testing.T) {
	t.Parallel()
	sources := []v1alpha1.SourceVersion{
		{Kind: v1alpha1.KindConfigMap, Name: "a", ResourceVersion: "1"},
		{Kind: v1alpha1.KindSecret, Name: "a", ResourceVersion: "2"},
		{Kind: v1alpha1.KindSecret, Name: "b", ResourceVersion: "3"},
	}
	for name, want := range map[string]string{"a": "2", "b": "3", "c": ""} {
		if got := versionOf(sources, name); got != want {
			t.Errorf("%s has the version %q, want %q", name, got, want)
		}
	}
}

// keptPlan is a plan of a credential whose provider documents how long grants live.
func keptPlan(t *testing.T, maximum, idle time.Duration) (*v1alpha1.OAuthCredential, *resolve.Plan) {
	t.Helper()
	c := files("refresh_token")
	c.Spec.Provider = &v1alpha1.Endpoint{TokenURL: "https://as.example/token"}
	if maximum > 0 {
		c.Spec.Provider.Lifetime.RefreshToken.Maximum = &metav1.Duration{Duration: maximum}
	}
	if idle > 0 {
		c.Spec.Provider.Lifetime.RefreshToken.Idle = &metav1.Duration{Duration: idle}
	}
	plan, err := resolve.Join(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, plan
}

// chained is a grant with a chain that was used last at noon.
func chained(change func(*grant.Record)) *grant.Record {
	record := grant.NewRecord("cluster", "uid")
	record.Chain = &grant.Chain{ID: "chain", StartedAt: noon.Add(-time.Hour), RotatedAt: noon, Generation: 3, RefreshToken: redact.New("r3fresh")}
	record.Used = []string{"h1", "h2"}
	change(record)
	return record
}

func TestWhatTheStatusSaysOfAGrant(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	same := func(*grant.Record) {}
	for name, test := range map[string]struct {
		record        *grant.Record
		maximum, idle time.Duration
		before        *v1alpha1.GrantStatus
		want          v1alpha1.GrantStatus
		ends          time.Time
	}{
		"nothing": {want: v1alpha1.GrantStatus{ResourceVersion: "7", BootstrapResourceVersion: "5"}},
		"a chain without an end": {
			record: chained(same),
			want:   v1alpha1.GrantStatus{ResourceVersion: "7", BootstrapResourceVersion: "5", Chain: "chain", BootstrapHash: "h2"},
		},
		"a chain that ends when all do": {
			record: chained(same), maximum: 365 * day,
			want: v1alpha1.GrantStatus{
				ResourceVersion: "7", BootstrapResourceVersion: "5", Chain: "chain", BootstrapHash: "h2",
				WarnAfter: timestamp(noon.Add(-time.Hour + 351*day)),
			},
			ends: noon.Add(-time.Hour + 365*day),
		},
		"a chain that ends unless it is used": {
			record: chained(same), idle: 60 * day,
			want: v1alpha1.GrantStatus{
				ResourceVersion: "7", BootstrapResourceVersion: "5", Chain: "chain", BootstrapHash: "h2",
				WarnAfter: timestamp(noon.Add(46 * day)), UseBy: timestamp(noon.Add(40 * day)),
			},
			ends: noon.Add(60 * day),
		},
		"a grant that is gone": {
			before: &v1alpha1.GrantStatus{ResourceVersion: "6", Chain: "chain", BootstrapHash: "h2", WarnAfter: timestamp(noon)},
			want:   v1alpha1.GrantStatus{ResourceVersion: "7", BootstrapResourceVersion: "5", Chain: "chain", BootstrapHash: "h2"},
		},
		"another chain": {
			record: chained(func(r *grant.Record) { r.Chain.ID = "new" }),
			before: &v1alpha1.GrantStatus{Chain: "chain", BootstrapHash: "h1"},
			want:   v1alpha1.GrantStatus{ResourceVersion: "7", BootstrapResourceVersion: "5", Chain: "new", BootstrapHash: "h2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			credential, plan := keptPlan(t, test.maximum, test.idle)
			credential.Status.Grant = test.before
			k := &kept{bootstrapVersion: "5"}
			status, ends := k.status(credential, plan, test.record, "7")
			if !equality.Semantic.DeepEqual(*status, test.want) {
				t.Errorf("got  %+v\nwant %+v", *status, test.want)
			}
			if !ends.Equal(test.ends) {
				t.Errorf("it ends at %s, want %s", ends, test.ends)
			}
		})
	}
}

// TestRefreshTokenExpiring: a person hears of the end while there is time, and of no end
// that is not known.
func TestRefreshTokenExpiring(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * time.Hour
	for name, test := range map[string]struct {
		ends, warn time.Duration // after noon, negative for none
		status     metav1.ConditionStatus
		reason     string
	}{
		"no end":                   {-1, -1, "", ""},
		"an end far ahead":         {4 * week, 2 * week, metav1.ConditionFalse, v1alpha1.ReasonRefreshTokenValid},
		"an end without a warning": {4 * week, -1, metav1.ConditionFalse, v1alpha1.ReasonRefreshTokenValid},
		"an end that is near":      {week, 0, metav1.ConditionTrue, v1alpha1.ReasonRefreshTokenExpiring},
		"an end that is past":      {0, 0, metav1.ConditionTrue, v1alpha1.ReasonRefreshTokenExpiring},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := factsAt(time.Hour, 0, func(f *facts) {
				f.credential.Status.Grant = &v1alpha1.GrantStatus{Chain: "chain"}
				if test.warn >= 0 {
					f.credential.Status.Grant.WarnAfter = timestamp(noon.Add(test.warn))
				}
				if test.ends >= 0 {
					f.credential.Status.RefreshTokenExpiresAt = timestamp(noon.Add(test.ends))
				}
				f.credential.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionRefreshTokenExpiring, Status: metav1.ConditionTrue}}
			})
			status := deriveStatus(f, lifetime.Decision{}, actResult{})
			got := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshTokenExpiring)
			if test.status == "" {
				if got != nil {
					t.Errorf("got %+v", *got)
				}
				return
			}
			if got.Status != test.status || got.Reason != test.reason {
				t.Errorf("it is %s for %s", got.Status, got.Reason)
			}
			want := ""
			if test.status == metav1.ConditionTrue {
				want = "the refresh token ends at " + noon.Add(test.ends).Format(time.RFC3339) + ": before that, run: kubectl tokensync login c -n web"
			}
			if got.Message != want {
				t.Errorf("says %q, want %q", got.Message, want)
			}
			if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready.Status != metav1.ConditionTrue {
				t.Errorf("the token is not good: %s", ready.Message)
			}
		})
	}
}

// TestALookThatTellsNothingIsNoRefresh: it is kept, and the row of failures goes on.
func TestALookThatTellsNothingIsNoRefresh(t *testing.T) {
	t.Parallel()
	f := factsAt(time.Hour, time.Minute, failedBefore(v1alpha1.ReasonProviderUnreachable))
	f.exchange.outcome = &outcome{Outcome: issuance.Outcome{InputsHash: "inputs"}, grant: &v1alpha1.GrantStatus{ResourceVersion: "8"}, grantEnds: noon.Add(time.Hour)}
	status := deriveStatus(f, lifetime.Decision{}, actResult{looked: true})
	if status.Grant == nil || status.Grant.ResourceVersion != "8" || !status.RefreshTokenExpiresAt.Time.Equal(noon.Add(time.Hour)) {
		t.Errorf("the status says %+v", status.Grant)
	}
	if status.LastFailure == nil || status.LastFailure.Count != 2 {
		t.Errorf("the failure is %+v", status.LastFailure)
	}
	f.exchange.outcome.grant = &v1alpha1.GrantStatus{}
	if status = deriveStatus(f, lifetime.Decision{}, actResult{looked: true}); status.Grant != nil {
		t.Errorf("a grant of which nothing is known makes %+v, which the schema refuses", status.Grant)
	}
}

// TestWhatHasSpentATokenIsNotCutOff, whatever becomes of the spec meanwhile.
func TestWhatHasSpentATokenIsNotCutOff(t *testing.T) {
	t.Parallel()
	_, plan := keptPlan(t, 0, 0)
	f := &facts{credential: files(""), plan: plan, inputsHash: "new", terms: "new"}
	f.exchange.request = &request{exchange: exchange{Request: issuance.Request{Plan: plan, InputsHash: "old"}, credential: files(""), terms: "old", spending: &spending{kept: &kept{}}}}
	if !f.unwanted() {
		t.Error("a request that waits is sent for a spec that has changed")
	}
	f.exchange.running = true
	if f.unwanted() {
		t.Error("a request is cut off that has spent a refresh token")
	}
	f.credential.Spec.Suspend = true
	if f.unwanted() {
		t.Error("a suspended credential cuts off what has spent a refresh token")
	}
}

// TestARequestThatSpendsATokenHasTime: to cut off a slow answer is to lose what it brings.
func TestARequestThatSpendsATokenHasTime(t *testing.T) {
	t.Parallel()
	for declared, want := range map[time.Duration]time.Duration{0: 30 * time.Second, time.Second: 30 * time.Second, time.Minute: time.Minute} {
		plan := &resolve.Plan{}
		if declared > 0 {
			plan.Endpoint.Timeout = &metav1.Duration{Duration: declared}
		}
		if got := grantTimeout(plan); got != want {
			t.Errorf("with %s it has %s, want %s", declared, got, want)
		}
	}
}
