package oauthcredential

import (
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	testclock "k8s.io/utils/clock/testing"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

// spender is a request that spends what a record holds.
func spender(t *testing.T, record *grant.Record) exchange {
	t.Helper()
	credential, plan := keptPlan(t, 0, 0)
	return exchange{
		Request: issuance.Request{Plan: plan, Resolver: resolve.Resolver{Now: func() time.Time { return noon }}},
		ctx:     t.Context(), credential: credential,
		observe: func(*outcome) {}, spending: &spending{kept: &kept{record: record}, step: grant.Step{Action: grant.Send, Kind: grant.Refresh}},
	}
}

func TestARefreshTokenIsNotSentByAnotherClient(t *testing.T) {
	t.Parallel()
	of := func(client string) *grant.Record {
		return chained(func(r *grant.Record) { r.Chain.Token = &grant.Token{Answer: &oauth.Answer{}, ClientID: client} })
	}
	for name, test := range map[string]struct {
		record *grant.Record
		kind   grant.Kind
		barred bool
	}{
		"by its own":            {of("files"), grant.Refresh, false},
		"by another":            {of("typo"), grant.Refresh, true},
		"of a client unknown":   {of(""), grant.Refresh, false},
		"without an answer":     {chained(func(*grant.Record) {}), grant.Refresh, false},
		"a code":                {of("typo"), grant.Redeem, false},
		"what is tried beside":  {of("typo"), grant.Try, false},
		"without any chain yet": {grant.NewRecord("cluster", "uid"), grant.Refresh, false},
	} {
		x := spender(t, test.record)
		x.spending.step.Kind = test.kind
		failed := x.barred(test.record, "files")
		if (failed != nil) != test.barred {
			t.Errorf("%s: got %+v", name, failed)
		}
		if failed != nil && (failed.Reason != v1alpha1.ReasonAuthorizationRequired || !strings.Contains(failed.Message, "put the former client ID back")) {
			t.Errorf("%s: got %+v", name, failed)
		}
	}
}

// TestWhatMayHaveSpentAGrantIsWaitedFor: a second request beside it would send the same
// refresh token.
func TestWhatMayHaveSpentAGrantIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		running, spends, left bool
	}{
		"one that waits":              {false, true, false},
		"one that is under way":       {true, true, true},
		"one that spends nothing":     {true, false, false},
		"that waits to spend nothing": {false, false, false},
	} {
		c := testclock.NewFakePassiveClock(noon)
		g := gate.New(gate.Options{Now: c.Now, AfterFunc: func(time.Duration, func()) func() bool { return func() bool { return true } }})
		e := newExchanges(c, g, func(types.NamespacedName, int) {})
		x, cut := spender(t, chained(func(*grant.Record) {})), false
		if !test.spends {
			x.spending = nil
		}
		ended := make(chan struct{})
		ticket := g.Submit(gate.Request{Key: "line", Run: func(*gate.Turn) gate.Result { <-ended; return gate.Result{} }})
		s := e.known(x.credential.UID)
		r := &request{exchange: x, cancel: func() { cut = true }, ticket: ticket, running: test.running}
		s.request = r
		e.abandon(x.credential.UID)
		left := e.state(x.credential.UID).inFlight()
		if !cut || left != test.left {
			t.Errorf("%s: told to end: %t, still under way: %t", name, cut, left)
		}
		e.finish(s, r, &outcome{Outcome: issuance.Outcome{Abandoned: true}})
		if state := e.state(x.credential.UID); state.inFlight() || state.outcome != nil {
			t.Errorf("%s: it has ended, and left an outcome: %t", name, state.outcome != nil)
		}
		close(ended)
	}
}

// cutOff is a device authorization endpoint whose caller has gone.
type cutOff struct{ cancel func() }

func (c cutOff) DeviceAuthorization(context.Context, oauth.Request) (*oauth.DeviceAuthorization, error) {
	c.cancel()
	return nil, &oauth.Error{Kind: oauth.KindUnreachable, Class: lifetime.Transient, Message: "the connection ended"}
}

func TestADeviceAuthorizationThatNobodyHasHeard(t *testing.T) {
	t.Parallel()
	c := files("")
	c.Spec.GrantType = v1alpha1.GrantDeviceCode
	c.Spec.Provider = &v1alpha1.Endpoint{TokenURL: "https://as.example/token", DeviceAuthorizationURL: "https://as.example/device"}
	plan, err := resolve.Join(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, deleted := range map[string]bool{"of a credential that is gone": true, "of one that is not": false} {
		x := spender(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		x.ctx, x.credential, x.Plan, x.spending.step.Action = ctx, c, plan, grant.Authorize
		x.spending.devices = cutOff{func() {}}
		want := gate.Failed
		if deleted {
			x.spending.devices, want = cutOff{cancel}, gate.Cut
		}
		o := x.run(func() {})
		if got := o.Result().Outcome; got != want || o.Sent {
			t.Errorf("%s: the gate hears %v, and the bucket of a request: %t", name, got, o.Sent)
		}
		cancel()
	}
}

// TestWhatIsRefusedBesideAChainDoesNotDelayIt: the token at hand ends all the same.
func TestWhatIsRefusedBesideAChainDoesNotDelayIt(t *testing.T) {
	t.Parallel()
	f := factsAt(time.Hour, 50*time.Minute, func(*facts) {})
	due := f.refreshAt(f.life)
	for beside, want := range map[bool]bool{true: true, false: false} {
		failed := &issuance.Failure{Reason: v1alpha1.ReasonProviderRejected, Class: lifetime.Rejected, Message: "no", Beside: beside}
		s := deriveStatus(f, lifetime.Decision{}, actResult{failure: failed, settled: true})
		if got := !s.RefreshAt.After(due); got != want {
			t.Errorf("beside %t: the next request is at %s, and due at %s", beside, s.RefreshAt, due)
		}
	}
}

func TestADecisionThatIsDueIsLookedAtAtOnce(t *testing.T) {
	t.Parallel()
	f := factsAt(time.Hour, 0, func(*facts) {})
	status := &v1alpha1.OAuthCredentialStatus{}
	if got := nextLook(f, lifetime.Decision{Action: lifetime.Request}, status); got != time.Millisecond {
		t.Errorf("it is looked at in %s", got)
	}
	if got := nextLook(f, lifetime.Decision{Action: lifetime.Wait, NextLook: f.now.Add(time.Minute)}, status); got != time.Minute {
		t.Errorf("what waits is looked at in %s", got)
	}
}

// TestAWorkloadIsNoPerson: whoever may write to the target cannot have a refused token
// sent again.
func TestAWorkloadIsNoPerson(t *testing.T) {
	t.Parallel()
	asked := map[string]string{v1alpha1.AnnotationRefreshRequestedAt: "now"}
	f := factsAt(time.Hour, 0, func(f *facts) {
		f.credential.Status.IssuedAt = timestamp(noon)
		f.secret.Annotations = asked
	})
	if !refreshRequested(f) || insists(f) {
		t.Errorf("at the target: requested %t, insists %t", refreshRequested(f), insists(f))
	}
	f.credential.Annotations = asked
	if !insists(f) {
		t.Error("at the credential: nobody insists")
	}
}
