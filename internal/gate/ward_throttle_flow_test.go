package gate_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokensync/tokensync/internal/gate"
)

func TestANamespaceThatIsThrottledConvergesByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, issued, refused, others := newGate(), newJournal(), newJournal(), newJournal()
		var mu sync.Mutex
		var perSecond []time.Time // The provider takes five per second.
		var submit func(client string)
		submit = func(client string) {
			request := common("a", func(*gate.Turn) gate.Result {
				time.Sleep(50 * time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				for len(perSecond) > 0 && time.Since(perSecond[0]) >= time.Second {
					perSecond = perSecond[1:]
				}
				if len(perSecond) >= 5 {
					refused.note(client)
					time.AfterFunc(time.Second, func() { submit(client) })
					return gate.Result{Outcome: gate.Throttled, RetryAfter: time.Second}
				}
				perSecond = append(perSecond, time.Now())
				issued.note(client)
				return gate.Result{Outcome: gate.Answered}
			})
			request.Client = client
			g.Submit(request)
		}
		for i := range 200 {
			submit(fmt.Sprint(i))
		}
		after(2 * time.Second)
		for range 50 {
			g.Submit(common("b", others.takes(0, "", gate.Answered)))
		}
		synctest.Wait()
		if got := others.count(); got != 50 {
			t.Errorf("%d of 50 others were served at once", got)
		}
		if _, held := g.HeldUntil("key", "b", "b"); held {
			t.Error("another namespace is held")
		}
		after(2 * time.Minute)
		if got := issued.ran(); len(got) != 200 || got[199] > time.Minute || refused.count() > 20 {
			t.Errorf("%d of 200 were served, %d refused on the way, the last after %s", len(got), refused.count(), got[len(got)-1])
		}
	})
}
