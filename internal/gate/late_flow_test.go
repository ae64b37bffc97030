package gate_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokensync/tokensync/internal/gate"
)

func TestATokenThatExpiresInLineIsInNobodysWay(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]struct {
		shared   bool
		failures int
	}{"for all": {shared: true}, "for its client": {}, "for all, after a failure": {true, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				var saved atomic.Int64
				limits := gate.Limits{Requests: 1, Period: time.Second}
				submit := func(left time.Duration, run func(*gate.Turn) gate.Result) {
					g.Submit(gate.Request{
						Key: "key", Client: "c", Shared: client.shared, Limits: limits,
						Failures: client.failures, Held: true, ExpiresAt: time.Now().Add(left), Run: run,
					})
				}
				submit(time.Hour, func(*gate.Turn) gate.Result {
					return gate.Result{Outcome: gate.Throttled, RetryAfter: time.Minute}
				})
				synctest.Wait()
				for range 60 {
					submit(50*time.Second, func(*gate.Turn) gate.Result { return gate.Result{Outcome: gate.Answered} })
				}
				expires := time.Now().Add(2 * time.Minute)
				for range 40 {
					submit(2*time.Minute, func(*gate.Turn) gate.Result {
						if time.Now().Before(expires) {
							saved.Add(1)
						}
						return gate.Result{Outcome: gate.Answered}
					})
				}
				time.Sleep(time.Hour)
				if saved.Load() != 40 {
					t.Errorf("%d of 40 tokens were replaced before they expired", saved.Load())
				}
			})
		})
	}
}
