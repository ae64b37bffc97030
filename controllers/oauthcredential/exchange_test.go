package oauthcredential

import (
	"strings"
	"testing"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/resolve"
)

func TestWhatAProviderSaysToOneNamespaceIsNotForOthers(t *testing.T) {
	t.Parallel()
	said := &issuance.Failure{Reason: v1alpha1.ReasonProviderUnreachable, Message: "no quota for acme-payroll"}
	trouble := &providerTrouble{last: said, namespace: "payroll"}
	if own := trouble.as("payroll"); own != said {
		t.Errorf("its own namespace is told %q", own.Message)
	}
	if other := trouble.as("other"); strings.Contains(other.Message, "acme") || other.Reason != said.Reason {
		t.Errorf("another namespace is told %s: %q", other.Reason, other.Message)
	}
}

func TestARequestThatWaitsIsMadeAnewOfAChangedProvider(t *testing.T) {
	t.Parallel()
	credential := &v1alpha1.OAuthCredential{}
	planOf := func(change func(*v1alpha1.OAuthProviderSpec)) *resolve.Plan {
		spec := &v1alpha1.OAuthProviderSpec{Endpoint: v1alpha1.Endpoint{TokenURL: "https://as.example/token"}}
		change(spec)
		plan, err := resolve.Join(credential, &resolve.Provider{Kind: v1alpha1.KindOAuthProvider, Name: "p", Namespace: "web", Spec: spec})
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
	before := planOf(func(*v1alpha1.OAuthProviderSpec) {})
	for name, test := range map[string]struct {
		change           func(*v1alpha1.OAuthProviderSpec)
		waiting, running bool
	}{
		"nothing":           {func(*v1alpha1.OAuthProviderSpec) {}, false, false},
		"what is asked for": {func(s *v1alpha1.OAuthProviderSpec) { s.TokenURL = "https://as.example/other" }, true, true},
		"whom to trust":     {func(s *v1alpha1.OAuthProviderSpec) { s.TLS = &v1alpha1.TLS{} }, true, true},
		"the limits":        {func(s *v1alpha1.OAuthProviderSpec) { s.Limits = &v1alpha1.Limits{Burst: new(int32(3))} }, true, false},
		"allowed hosts":     {func(s *v1alpha1.OAuthProviderSpec) { s.AllowedAuthorities = []string{"b.example"} }, true, false},
	} {
		after := planOf(test.change)
		f := &facts{credential: credential, plan: after, inputsHash: after.InputsHash(), terms: after.Terms(after.InputsHash())}
		f.exchange.request = &request{exchange: exchange{
			Request: issuance.Request{Plan: before, InputsHash: before.InputsHash()}, credential: credential, terms: before.Terms(before.InputsHash()),
		}}
		f.exchange.terms = before.Terms(before.InputsHash())
		waiting := f.unwanted()
		f.exchange.running = true
		if running := f.unwanted(); waiting != test.waiting || running != test.running {
			t.Errorf("%s changed: made anew %t while it waits and %t while it runs", name, waiting, running)
		}
		if f.reprovided() != test.waiting {
			t.Errorf("%s changed: a failing credential tries again at once: %t", name, f.reprovided())
		}
	}
}

func TestWithoutAPlanARequestUnderWayGoesOn(t *testing.T) {
	t.Parallel()
	f := &facts{credential: &v1alpha1.OAuthCredential{}, obstacle: obstacle(v1alpha1.ReasonProviderNotFound, "gone")}
	f.exchange.request = &request{exchange: exchange{credential: f.credential}}
	if !f.unwanted() {
		t.Error("a request that waits is kept although nothing may be asked for")
	}
	f.exchange.running = true
	if f.unwanted() {
		t.Error("a request under way is cut off although its provider may be back before the answer is")
	}
}

func TestWhatTheGateHearsOfATokenThatIsHeld(t *testing.T) {
	t.Parallel()
	credential := &v1alpha1.OAuthCredential{}
	credential.Spec.Provider = &v1alpha1.Endpoint{TokenURL: "https://as.example/token"}
	plan, err := resolve.Join(credential, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_000_000_000, 0)
	for name, test := range map[string]struct {
		held     bool
		left     time.Duration
		wantHeld bool
		patience time.Duration
	}{
		"good":    {true, time.Second, true, 2 * time.Second},
		"expired": {true, 0, false, 0},
		"none":    {false, time.Second, false, 0},
	} {
		f := &facts{credential: credential, plan: plan, now: now, held: test.held}
		f.life = lifetime.Token{IssuedAt: now.Add(test.left - 20*time.Second), ExpiresAt: now.Add(test.left)}
		if turn := f.turn(lifetime.Decision{}); turn.Held != test.wantHeld || turn.Patience != test.patience {
			t.Errorf("%s: held is %t, with a patience of %s", name, turn.Held, turn.Patience)
		}
	}
}

func TestWhatIsARetry(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		reason                 string
		unscheduled, recovered bool
		want                   int
	}{
		"the next attempt":                   {v1alpha1.ReasonProviderUnreachable, false, false, 3},
		"after a person has changed a thing": {v1alpha1.ReasonProviderUnreachable, true, false, 0},
		"after the provider has recovered":   {v1alpha1.ReasonProviderUnreachable, true, true, 3},
		"where nobody was asked":             {v1alpha1.ReasonSourceSecretMissing, false, false, 0},
		"where nothing failed":               {"", false, false, 0},
	} {
		f := &facts{credential: &v1alpha1.OAuthCredential{}}
		if test.reason != "" {
			f.credential.Status.LastFailure = &v1alpha1.LastFailure{Reason: test.reason, Count: 3}
		}
		f.exchange.recovered = test.recovered
		if got := f.retries(lifetime.Decision{Unscheduled: test.unscheduled}); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}
