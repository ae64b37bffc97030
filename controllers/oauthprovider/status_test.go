package oauthprovider

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestJudge(t *testing.T) {
	t.Parallel()
	plain := namespaced().subject(&v1alpha1.OAuthProvider{}, "")
	selecting := func(selector *metav1.LabelSelector) subject {
		return cluster().subject(&v1alpha1.ClusterOAuthProvider{Spec: v1alpha1.ClusterOAuthProviderSpec{AllowedNamespaces: selector}}, "system")
	}
	for name, test := range map[string]struct {
		subject subject
		err     error
		reason  string
		stalled bool
	}{
		"nothing wrong":       {plain, nil, v1alpha1.ReasonProviderReady, false},
		"missing source":      {plain, &resolve.SourceError{Problem: resolve.NotFound}, v1alpha1.ReasonSourceSecretMissing, false},
		"missing key":         {plain, &resolve.SourceError{Problem: resolve.KeyMissing}, v1alpha1.ReasonSourceSecretMissing, false},
		"source with powers":  {plain, &resolve.SourceError{Problem: resolve.Forbidden}, v1alpha1.ReasonSourceSecretRefused, true},
		"wrong expression":    {plain, resolve.NewSpecError(v1alpha1.ReasonInvalidExpression, "x"), v1alpha1.ReasonInvalidExpression, true},
		"unreachable issuer":  {plain, &oauth.Error{Kind: oauth.KindUnreachable, Class: lifetime.Transient}, v1alpha1.ReasonProviderUnreachable, false},
		"unusable metadata":   {plain, &oauth.Error{Kind: oauth.KindInvalidResponse, Class: lifetime.Protocol}, v1alpha1.ReasonInvalidResponse, false},
		"address not allowed": {plain, &oauth.Error{Kind: oauth.KindEgressDenied, Class: lifetime.Configuration}, v1alpha1.ReasonEgressDenied, true},
		"bundle of no use":    {plain, &oauth.Error{Kind: oauth.KindInvalidKey, Class: lifetime.Configuration}, v1alpha1.ReasonInvalidKey, true},
		"issuer that is none": {plain, &oauth.Error{Kind: oauth.KindInvalidRequest, Class: lifetime.Configuration}, v1alpha1.ReasonInvalidRequest, true},
		"wrapped":             {plain, fmt.Errorf("look: %w", resolve.NewSpecError(v1alpha1.ReasonInvalidKey, "x")), v1alpha1.ReasonInvalidKey, true},
		"every namespace":     {selecting(&metav1.LabelSelector{}), nil, v1alpha1.ReasonProviderReady, false},
		"no selector":         {selecting(nil), nil, v1alpha1.ReasonProviderReady, false},
		"no selector at all":  {selecting(&metav1.LabelSelector{MatchLabels: map[string]string{"a b": "c"}}), nil, v1alpha1.ReasonIncompatibleProvider, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := judge(test.subject, test.err)
			if err != nil || got.reason != test.reason || got.stalled != test.stalled || got.message == "" {
				t.Errorf("got %+v and error %v", got, err)
			}
			if got.ready() != (test.reason == v1alpha1.ReasonProviderReady) {
				t.Errorf("it is ready: %t", got.ready())
			}
		})
	}
	away := errors.New("the server is away")
	if got, err := judge(plain, away); !errors.Is(err, away) || got != (finding{}) {
		t.Errorf("an API server in trouble is the provider's fault: %+v", got)
	}
}

func TestDeriveStatus(t *testing.T) {
	t.Parallel()
	ready := finding{reason: v1alpha1.ReasonProviderReady, message: "fine"}
	waiting := finding{reason: v1alpha1.ReasonProviderUnreachable, message: "away"}
	stalled := finding{reason: v1alpha1.ReasonInvalidKey, message: "broken", stalled: true}
	type statuses [3]metav1.ConditionStatus
	for name, test := range map[string]struct {
		finding finding
		want    statuses // Ready, Reconciling, Stalled
	}{
		"ready":   {ready, statuses{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionFalse}},
		"waiting": {waiting, statuses{metav1.ConditionFalse, metav1.ConditionTrue, metav1.ConditionFalse}},
		"stalled": {stalled, statuses{metav1.ConditionFalse, metav1.ConditionFalse, metav1.ConditionTrue}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status := &v1alpha1.ProviderStatus{ObservedGeneration: -1}
			deriveStatus(status, 3, "", test.finding, noon.Add(time.Millisecond))
			for i, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
				c := meta.FindStatusCondition(status.Conditions, kind)
				if c == nil || c.Status != test.want[i] || c.Reason != test.finding.reason || c.ObservedGeneration != 3 || !c.LastTransitionTime.Time.Equal(noon) {
					t.Errorf("%s is %+v", kind, c)
				}
			}
			if got := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady).Message; got != test.finding.message {
				t.Errorf("it says %q", got)
			}
			again := status.DeepCopy()
			deriveStatus(again, 3, "", test.finding, noon.Add(time.Hour))
			if !again.Conditions[0].LastTransitionTime.Time.Equal(noon) || len(again.Conditions) != 3 {
				t.Error("the same finding changes the status")
			}
		})
	}
}

// TestTheTokenURLOfTheStatus is what the issuer said last, as long as it is the issuer of
// the spec.
func TestTheTokenURLOfTheStatus(t *testing.T) {
	t.Parallel()
	ready := finding{reason: v1alpha1.ReasonProviderReady}
	away := finding{reason: v1alpha1.ReasonProviderUnreachable}
	for name, test := range map[string]struct {
		generation int64
		tokenURL   string
		finding    finding
		want       string
	}{
		"found again":                   {1, "https://as.example/new", ready, "https://as.example/new"},
		"found, and refused":            {1, "https://evil.example", finding{reason: v1alpha1.ReasonIncompatibleProvider}, "https://evil.example"},
		"not asked":                     {1, "", ready, ""},
		"unreachable":                   {1, "", away, "https://as.example/old"},
		"unreachable by another spec":   {2, "", away, ""},
		"without an issuer by now":      {2, "", ready, ""},
		"found with a spec of its own":  {2, "https://as.example/new", ready, "https://as.example/new"},
		"broken before it was asked at": {2, "", finding{reason: v1alpha1.ReasonSourceSecretMissing}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status := &v1alpha1.ProviderStatus{ObservedGeneration: 1, TokenURL: "https://as.example/old"}
			deriveStatus(status, test.generation, test.tokenURL, test.finding, noon)
			if status.TokenURL != test.want || status.ObservedGeneration != test.generation {
				t.Errorf("got %q of generation %d", status.TokenURL, status.ObservedGeneration)
			}
		})
	}
}

func TestNextLook(t *testing.T) {
	t.Parallel()
	ready, away := finding{reason: v1alpha1.ReasonProviderReady}, finding{reason: v1alpha1.ReasonProviderUnreachable}
	for name, test := range map[string]struct {
		issuer  v1alpha1.EndpointURL
		finding finding
		since   time.Duration
		want    time.Duration
	}{
		"nothing changes by itself":      {"", ready, 0, 0},
		"metadata may change":            {"https://as.example", ready, 0, lookAfterSuccess},
		"a new failure":                  {"", away, 0, firstLook},
		"a failure that lasts":           {"https://as.example", away, 40 * time.Second, 40 * time.Second},
		"a failure that lasts for long":  {"https://as.example", away, 24 * time.Hour, lookAfterFailure},
		"a failure of a clock set back ": {"", away, -time.Hour, firstLook},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := &v1alpha1.OAuthProvider{Spec: v1alpha1.OAuthProviderSpec{Endpoint: v1alpha1.Endpoint{Issuer: test.issuer}}}
			s := namespaced().subject(found, "")
			deriveStatus(s.status, 1, "", test.finding, noon.Add(-test.since))
			r := &Reconciler{Clock: testclock.NewFakePassiveClock(noon)}
			if got := r.nextLook(s, test.finding); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
