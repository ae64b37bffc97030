package oauthcredential

import (
	"testing"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/secretstore"
)

func TestRenewalsGoFirst(t *testing.T) {
	t.Parallel()
	const none = time.Duration(-1)
	unchanged := func(*facts) {}
	for name, c := range map[string]struct {
		f    *facts
		want int
	}{
		"a good token":                       {factsAt(time.Hour, time.Minute, unchanged), urgent},
		"a good token whose refresh fails":   {factsAt(time.Hour, time.Minute, failedBefore(v1alpha1.ReasonProviderUnreachable)), ordinary},
		"an expired token":                   {factsAt(time.Hour, time.Hour, unchanged), ordinary},
		"no token":                           {factsAt(none, time.Minute, unchanged), ordinary},
		"no token, and a request that fails": {factsAt(none, time.Minute, failedBefore(v1alpha1.ReasonRateLimited)), ordinary},
	} {
		if got := c.f.priority(); got == nil || *got != c.want {
			t.Errorf("%s: got %v, want %d", name, got, c.want)
		}
	}
	for name, c := range map[string]struct {
		o    outcome
		want int
	}{
		"a token at hand": {outcome{Outcome: issuance.Outcome{Token: &secretstore.Token{}}}, urgent},
		"a failure":       {outcome{Outcome: issuance.Outcome{Failure: issuance.InternalFailure("operator")}}, ordinary},
	} {
		if got := c.o.priority(); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}
