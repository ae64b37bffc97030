package oauthcredential

import (
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
)

// leaving is a credential that was deleted at noon.
func leaving() *v1alpha1.OAuthCredential {
	return &v1alpha1.OAuthCredential{ObjectMeta: metav1.ObjectMeta{
		Namespace: "web", Name: "c", UID: "uid", DeletionTimestamp: &metav1.Time{Time: noon},
	}}
}

// revoker is a reconciler at an instant, whose wake-ups nobody hears.
func revoker(t *testing.T, now time.Time) *Reconciler {
	t.Helper()
	r := &Reconciler{Clock: testclock.NewFakePassiveClock(now), wakeups: make(chan event.TypedGenericEvent[wakeup], 2)}
	r.background = t.Context()
	return r
}

func TestWhenARevocationIsTriedAgain(t *testing.T) {
	t.Parallel()
	passing := &issuance.Failure{Class: lifetime.Transient, Message: "no answer"}
	for name, test := range map[string]struct {
		failed      *issuance.Failure
		at          time.Duration
		tries       int // before this one
		least, most time.Duration
		done        bool
	}{
		"after a success":                     {nil, 0, 0, 0, 0, true},
		"after a refusal":                     {&issuance.Failure{Class: lifetime.Rejected, Message: "no"}, 0, 0, 0, 0, true},
		"after an answer of no sense":         {&issuance.Failure{Class: lifetime.Protocol, Message: "no"}, 0, 0, 0, 0, true},
		"where nothing can be asked":          {&issuance.Failure{Message: "no endpoint"}, 0, 0, 0, 0, true},
		"after the first try without answer":  {passing, 0, 0, time.Second, 1200 * time.Millisecond, false},
		"after the second":                    {passing, time.Second, 1, 2 * time.Second, 2400 * time.Millisecond, false},
		"after the sixth":                     {passing, 10 * time.Second, 5, 8 * time.Second, 9600 * time.Millisecond, false},
		"in the last seconds":                 {passing, 29 * time.Second, 0, 0, 0, true},
		"as late as the provider wants":       {&issuance.Failure{Class: lifetime.Throttled, RetryAfter: 20 * time.Second}, 0, 0, 20 * time.Second, 20 * time.Second, false},
		"later than the credential may wait":  {&issuance.Failure{Class: lifetime.Throttled, RetryAfter: 30 * time.Second}, 0, 0, 0, 0, true},
		"where the provider says no distance": {&issuance.Failure{Class: lifetime.Throttled}, 0, 0, time.Second, 1200 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := noon.Add(test.at)
			r := revoker(t, now)
			canceled := false
			under := &revocation{cancel: func() { canceled = true }, backoff: betweenRevocations()}
			for range test.tries {
				under.backoff.Step()
			}
			r.tried(leaving(), under, test.failed)
			if under.done != test.done || canceled != test.done || under.again.IsZero() != test.done {
				t.Fatalf("done: %t, canceled: %t, again at %s", under.done, canceled, under.again)
			}
			if (test.failed != nil) && under.failed != test.failed.Message || test.failed == nil && under.failed != "" {
				t.Errorf("failed because of %q", under.failed)
			}
			if distance := under.again.Sub(now); !test.done && (distance < test.least || distance > test.most) {
				t.Errorf("again after %s, want %s to %s", distance, test.least, test.most)
			}
		})
	}
}

// TestARevocationThatTookTooLong: what comes of a try after the end changes nothing any
// more.
func TestARevocationThatTookTooLong(t *testing.T) {
	t.Parallel()
	r := revoker(t, noon)
	under := &revocation{done: true, failed: "too late", cancel: func() {}, backoff: betweenRevocations()}
	for _, failed := range []*issuance.Failure{nil, {Class: lifetime.Transient, Message: "no answer"}} {
		if r.tried(leaving(), under, failed); !under.done || under.failed != "too late" || !under.again.IsZero() {
			t.Errorf("got %+v", under)
		}
	}
}

func TestWhyARevocationIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		first bool // in its line
		met   string
		want  string
	}{
		"no answer":                       {true, "", "did not answer within 30s"},
		"no turn":                         {false, "", "could not be asked within 30s"},
		"no answer after one of no use":   {true, "HTTP status 503", "HTTP status 503"},
		"no turn after an answer, either": {false, "HTTP status 503", "HTTP status 503"},
	} {
		g := gate.New(gate.Options{
			Now: func() time.Time { return noon }, AfterFunc: func(time.Duration, func()) func() bool { return func() bool { return true } },
		})
		held := make(chan struct{})
		turn := gate.Request{Key: "key", Limits: gate.Limits{MaxConcurrent: 1}, Run: func(*gate.Turn) gate.Result {
			<-held
			return gate.Result{}
		}}
		ticket := g.Submit(turn)
		if !test.first {
			ticket = g.Submit(turn)
		}
		under := &revocation{ticket: ticket, cancel: func() {}, failed: test.met}
		under.giveUp(g)
		close(held)
		if !under.done || !strings.Contains(under.failed, test.want) {
			t.Errorf("%s: given up because %q, want %q", name, under.failed, test.want)
		}
	}
}

func TestWhyNobodyCouldBeAskedToRevoke(t *testing.T) {
	t.Parallel()
	const remedy = "create it, or correct spec.providerRef"
	missing := obstacle(v1alpha1.ReasonProviderNotFound, remedy)
	credential := leaving()
	for want, test := range map[string]struct {
		kind     v1alpha1.ProviderKind
		clusters bool
		obstacle *issuance.Failure
	}{
		`the OAuthProvider "login" is gone, so nothing could be revoked`:        {v1alpha1.KindOAuthProvider, false, missing},
		`the ClusterOAuthProvider "login" is gone, so nothing could be revoked`: {v1alpha1.KindClusterOAuthProvider, true, missing},
		"tokensync does not see ClusterOAuthProviders any more":                 {v1alpha1.KindClusterOAuthProvider, false, missing},
		"it does not admit this namespace": {
			v1alpha1.KindClusterOAuthProvider, true, obstacle(v1alpha1.ReasonNamespaceNotAllowed, "it does not admit this namespace"),
		},
	} {
		r := &Reconciler{ClusterProviders: test.clusters}
		credential.Spec.ProviderRef = &v1alpha1.ProviderReference{Kind: test.kind, Name: "login"}
		if got := r.unrevoked(credential, test.obstacle); !strings.HasPrefix(got, want) || strings.Contains(got, remedy) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestAnIssuerThatKeepsATokenFromBeingRevoked: it says that it is asked again, which
// holds for tokens only.
func TestAnIssuerThatKeepsATokenFromBeingRevoked(t *testing.T) {
	t.Parallel()
	got := revocationSourceFailure(&oauth.Error{
		Kind: oauth.KindUnreachable, Class: lifetime.Transient, Status: http.StatusBadGateway,
		Message: "The issuer cannot answer for now (HTTP status 502). tokensync tries again.",
	})
	if !passes(got) || strings.Contains(got.Message, "tries again") || !strings.Contains(got.Message, "502") {
		t.Errorf("got %+v", got)
	}
	refused := &oauth.Error{Kind: oauth.KindInvalidResponse, Class: lifetime.Protocol, Status: http.StatusNotFound, Message: "There is no issuer."}
	if got := revocationSourceFailure(refused); passes(got) || got.Message != refused.Message {
		t.Errorf("got %+v", got)
	}
}
