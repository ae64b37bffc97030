package gate_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokensync/tokensync/internal/gate"
)

func TestWhatIsUrgentGoesBeforeAllOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		submit := func(name, namespace string, r gate.Request) {
			r.Key, r.Namespace, r.Limits.MaxConcurrent, r.Run = "key", namespace, 1, j.takes(time.Second, name, gate.Answered)
			g.Submit(r)
		}
		soon := time.Now().Add(time.Minute)
		submit("under way", "a", gate.Request{})
		submit("held", "a", gate.Request{Held: true, ExpiresAt: soon})
		submit("another", "b", gate.Request{})
		submit("one more", "a", gate.Request{})
		submit("urgent", "a", gate.Request{Urgent: true, Failures: 3})
		submit("urgent, held", "b", gate.Request{Urgent: true, Held: true, ExpiresAt: soon, Failures: 1})
		submit("urgent, of a third", "c", gate.Request{Urgent: true})
		submit("urgent, held for longer", "a", gate.Request{Urgent: true, Held: true, ExpiresAt: soon.Add(time.Minute)})
		after(time.Minute)
		// It is out of turn: the turns of the namespaces stay as they were.
		j.want(t, "under way", "urgent", "urgent, held", "urgent, of a third", "urgent, held for longer",
			"held", "another", "one more")
	})
}

func TestWhatHoldsUpWhatIsUrgent(t *testing.T) {
	t.Parallel()
	// long has requests of a namespace start that take until the end.
	long := func(g *gate.Gate, n int, limits gate.Limits) {
		for range n {
			r := common("a", newJournal().takes(time.Hour, "", gate.Cut))
			r.Limits = limits
			g.Submit(r)
		}
		synctest.Wait()
	}
	throttle := func(g *gate.Gate, clients ...string) {
		for _, client := range clients {
			r := common("a", func(*gate.Turn) gate.Result {
				return gate.Result{Outcome: gate.Throttled, RetryAfter: time.Minute}
			})
			r.Client, r.Shared, r.Urgent = client, client == "the provider's", true
			g.Submit(r)
			synctest.Wait()
		}
	}
	rate := gate.Limits{Requests: 1, Period: time.Minute}
	for name, c := range map[string]struct {
		closed func(*testing.T, *gate.Gate)
		before func(*gate.Gate)
		limits gate.Limits
		want   time.Duration
	}{
		"nothing at all":     {},
		"a closed line":      {closed: open},
		"a closed namespace": {closed: closeToA},
		"a probe under way": {closed: open, before: func(g *gate.Gate) {
			long(g, 1, gate.Limits{})
			time.Sleep(5 * time.Second)
		}},
		"the ramp of a line": {closed: open, before: func(g *gate.Gate) {
			g.Submit(gate.Request{Key: "key", Run: ending(gate.Answered)})
			time.Sleep(5 * time.Second)
			long(g, 2, gate.Limits{})
		}},
		"the ramp of a namespace": {closed: closeToA, before: func(g *gate.Gate) {
			g.Submit(common("a", ending(gate.Answered)))
			time.Sleep(5 * time.Second)
			long(g, 2, gate.Limits{})
		}},
		"the ramp of a throttled line": {before: func(g *gate.Gate) {
			throttle(g, "the provider's")
			time.Sleep(time.Minute)
			long(g, 2, gate.Limits{})
			time.Sleep(2 * time.Second) // Else its rate would hold it up.
		}},
		"the ramp of a throttled client": {before: func(g *gate.Gate) {
			throttle(g, "a")
			time.Sleep(time.Minute)
			long(g, 2, gate.Limits{})
			time.Sleep(2 * time.Second)
		}},
		"the budget": {before: func(g *gate.Gate) {
			for range 2 {
				r := common("a", ending(gate.Cut))
				r.Failures = 1
				g.Submit(r)
			}
		}},

		"as many as may run at a time": {before: func(g *gate.Gate) {
			g.Submit(common("a", newJournal().takes(30*time.Second, "", gate.Cut)))
		}, limits: gate.Limits{MaxConcurrent: 1}, want: 30 * time.Second},
		"a configured rate":       {before: func(g *gate.Gate) { long(g, 1, rate) }, limits: rate, want: time.Minute},
		"its throttled client":    {before: func(g *gate.Gate) { throttle(g, "a") }, want: time.Minute},
		"its throttled namespace": {before: func(g *gate.Gate) { throttle(g, "x", "y") }, want: time.Minute},
		"its namespace, throttled and closed": {
			closed: closeToA, before: func(g *gate.Gate) { throttle(g, "x", "y") }, want: time.Minute,
		},
		"a throttled line": {before: func(g *gate.Gate) { throttle(g, "the provider's") }, want: time.Minute},
		"its rate after it throttled": {before: func(g *gate.Gate) {
			throttle(g, "a")
			time.Sleep(time.Minute)
			long(g, 1, gate.Limits{})
		}, want: time.Second * 10 / 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g, j := newGate(), newJournal()
				if c.closed != nil {
					c.closed(t, g)
				}
				if c.before != nil {
					c.before(g)
				}
				synctest.Wait()
				j.restart()
				request := common("a", func(*gate.Turn) gate.Result {
					j.note("")
					return gate.Result{Outcome: gate.Answered}
				})
				request.Urgent, request.Failures, request.Limits = true, 1, c.limits
				g.Submit(request)
				after(2 * time.Minute)
				j.wantTimes(t, c.want)
				after(2 * time.Hour) // Let the others end.
			})
		})
	}
}

func TestEachThatIsUrgentStartsAtItsOwnTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		for _, client := range []string{"b", "a", "c"} {
			refuse(g, client, 10*time.Minute)
			time.Sleep(2 * time.Minute) // Else it would be the provider that throttles.
		}
		open(t, g)
		g.Submit(gate.Request{Key: "key", Run: newJournal().takes(time.Hour, "a probe that hangs", gate.Failed)})
		j.restart()
		for _, client := range []string{"c", "b", "a"} {
			g.Submit(gate.Request{Key: "key", Client: client, Urgent: true, Run: j.takes(0, client, gate.Failed)})
		}
		after(2 * time.Hour)
		j.want(t, "b", "a", "c")
		j.wantTimes(t, 4*time.Minute, 6*time.Minute, 8*time.Minute)
	})
}

func TestWhatIsUrgentTakesNothingFromTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		g.Submit(gate.Request{Key: "key", Urgent: true, Failures: 1, Run: ending(gate.Cut)})
		for range 2 {
			g.Submit(gate.Request{Key: "key", Failures: 1, Run: j.takes(0, "", gate.Cut)})
		}
		after(time.Minute)
		j.wantTimes(t, 0, 5*time.Second)
	})
}

func TestWhatIsUrgentAndWaitsIsSeenAndCanBeWithdrawn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		open(t, g)
		held := time.Now().Add(time.Minute)
		submit := func(name string, outcome gate.Outcome) *gate.Ticket {
			return g.Submit(gate.Request{Key: "key", Client: "client", Urgent: true, Run: func(*gate.Turn) gate.Result {
				j.note(name)
				return gate.Result{Outcome: outcome, RetryAfter: time.Minute}
			}})
		}
		submit("refused", gate.Throttled)
		synctest.Wait()
		first, second := submit("withdrawn", gate.Failed), submit("failed", gate.Failed)
		if until, is := g.HeldUntil("key", "", "client"); !is || !until.Equal(held) {
			t.Errorf("it is held until %s, want %s", until, held)
		}
		if g.Waiting("key") != 2 || !g.Closed("key", "") {
			t.Errorf("%d wait, and closed is %t", g.Waiting("key"), g.Closed("key", ""))
		}
		if !g.Withdraw(first) || g.Withdraw(first) || g.Waiting("key") != 1 {
			t.Errorf("one of two was withdrawn, and %d wait", g.Waiting("key"))
		}
		after(2 * time.Minute)
		j.want(t, "refused", "failed")
		j.wantTimes(t, 0, time.Minute)
		if g.Withdraw(second) || g.Waiting("key") != 0 || !g.Closed("key", "") {
			t.Errorf("%d wait, and closed is %t", g.Waiting("key"), g.Closed("key", ""))
		}
	})
}
