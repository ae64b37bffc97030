package gate_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokensync/tokensync/internal/gate"
)

func TestRetriesOfABrownoutAreFew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, retries := newGate(), newJournal()
		// A hundred credentials fail for a cause of their own and would try each
		// second; others keep the breaker closed with ten requests per second.
		var fail func(failures int)
		fail = func(failures int) {
			g.Submit(gate.Request{Key: "key", Namespace: "broken", Held: true, Failures: failures, Run: func(*gate.Turn) gate.Result {
				if failures > 0 {
					retries.note("")
				}
				time.AfterFunc(time.Second, func() { fail(failures + 1) })
				return gate.Result{Outcome: gate.Failed}
			}})
		}
		healthy, busy := newJournal(), true
		var serve func()
		serve = func() {
			g.Submit(gate.Request{Key: "key", Namespace: "healthy", Run: healthy.takes(0, "", gate.Answered)})
			if busy {
				time.AfterFunc(100*time.Millisecond, serve)
			}
		}
		serve()
		for range 100 {
			time.AfterFunc(time.Minute, func() { fail(0) })
			time.Sleep(200 * time.Millisecond)
		}
		after(3 * time.Minute)
		// From minute to minute: a fifth of ten per second and their own, and one per 5 s.
		count := 0
		for _, at := range retries.ran() {
			if at >= 100*time.Second && at < 160*time.Second {
				count++
			}
		}
		// How many depends on who of those that come at one instant is first.
		if count < 100 || count > 180 {
			t.Errorf("%d retries in a minute, want about 162", count)
		}
		if want := 1900; healthy.count() < want {
			t.Errorf("%d requests of others, want %d", healthy.count(), want)
		}
		busy = false
	})
}

func TestARetryWaitsForItsBudgetAndIsInNobodysWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		for range 3 {
			g.Submit(gate.Request{Key: "key", Held: true, ExpiresAt: time.Now(), Failures: 1, Run: j.takes(time.Minute, "retry", gate.Cut)})
		}
		g.Submit(gate.Request{Key: "key", Run: j.takes(time.Second, "fresh", gate.Answered)})
		after(2 * time.Minute)
		j.want(t, "fresh", "retry", "retry", "retry")
		j.wantTimes(t, time.Second, 60*time.Second, 65*time.Second, 70*time.Second)
	})
}

func TestARecoveryIsNotSlowedByTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		open(t, g)
		for range 1000 {
			g.Submit(gate.Request{Key: "key", Failures: 3, Run: j.takes(50*time.Millisecond, "", gate.Answered)})
		}
		after(time.Minute)
		if j.count() != 1000 || j.ran()[999] > 20*time.Second {
			t.Errorf("%d of 1000 were served, the last after %s", j.count(), j.ran()[j.count()-1])
		}
	})
}

func TestAProbeTakesNothingFromTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		open(t, g)
		submit := func(failures int, outcome gate.Outcome) {
			g.Submit(gate.Request{Key: "key", Failures: failures, Patience: time.Second, Run: j.takes(0, "", outcome)})
		}
		for range 3 {
			submit(1, gate.Failed)
		}
		submit(0, gate.Answered)
		submit(1, gate.Answered)
		after(time.Minute)
		j.wantTimes(t, time.Second, 2*time.Second, 3*time.Second, 4*time.Second, 4*time.Second)
	})
}

func TestRetriesForShortTokensAreCloser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		submit := func(patience time.Duration) {
			g.Submit(gate.Request{Key: "key", Failures: 1, Patience: patience, Run: j.takes(0, "", gate.Cut)})
		}
		for _, patience := range []time.Duration{time.Millisecond, 2 * time.Second, 2 * time.Second, time.Hour, 0} {
			submit(patience)
		}
		after(time.Minute)
		// The first wanted the least distance, and had no need to wait itself.
		j.wantTimes(t, 0, 2*time.Second, 4*time.Second, 9*time.Second, 14*time.Second)
	})
}

func TestHealthyShortTokensBringNobodyElsesRetriesForward(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, retries := newGate(), newJournal()
		var over atomic.Bool
		var fail, serve func()
		fail = func() {
			g.Submit(gate.Request{Key: "key", Failures: 1, Held: true, Patience: time.Hour, Run: func(*gate.Turn) gate.Result {
				if over.Load() {
					return gate.Result{Outcome: gate.Unsent}
				}
				retries.note("")
				time.AfterFunc(time.Second, fail)
				return gate.Result{Outcome: gate.Cut}
			}})
		}
		serve = func() {
			g.Submit(gate.Request{Key: "key", Held: true, Patience: time.Second, Run: func(*gate.Turn) gate.Result {
				if !over.Load() {
					time.AfterFunc(7*time.Second, serve)
				}
				return gate.Result{Outcome: gate.Answered}
			}})
		}
		for range 100 {
			fail()
		}
		serve()
		after(10 * time.Minute)
		// One per 5 s, and a fifth of all that there are.
		if got := retries.count(); got < 120 || got > 180 {
			t.Errorf("%d retries in 10 min", got)
		}
		over.Store(true)
		time.Sleep(time.Hour)
	})
}

func TestAShortTokenBringsOnlyRetriesForwardThatAreItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		refuse(g, "held", time.Hour)
		g.Submit(gate.Request{Key: "key", Client: "held", Patience: time.Second, Run: newJournal().takes(0, "", gate.Answered)})
		for range 3 {
			g.Submit(gate.Request{Key: "key", Failures: 1, Run: j.takes(0, "", gate.Cut)})
		}
		after(time.Minute)
		j.wantTimes(t, 0, 5*time.Second, 10*time.Second)
		time.Sleep(2 * time.Hour)
	})
}

func TestARefusalGivesNothingBack(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[gate.Outcome]time.Duration{gate.Answered: 0, gate.Refused: 15 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			g, j := newGate(), newJournal()
			for range 4 {
				g.Submit(gate.Request{Key: "key", Failures: 1, Run: j.takes(0, "", outcome)})
			}
			after(time.Minute)
			if got := j.ran(); len(got) != 4 || got[3] != want {
				t.Errorf("after outcome %d they ran at %s, want the last at %s", outcome, got, want)
			}
		})
	}
}

func TestWhatWasNeverSentGivesNoBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		for range 10 {
			g.Submit(gate.Request{Key: "key", Run: newJournal().takes(0, "", gate.Unsent)})
		}
		g.Submit(gate.Request{Key: "key", Failures: 1, Run: newJournal().takes(0, "", gate.Unsent)})
		synctest.Wait()
		for range 2 {
			g.Submit(gate.Request{Key: "key", Failures: 1, Run: j.takes(0, "", gate.Cut)})
		}
		after(time.Minute)
		j.wantTimes(t, 0, 5*time.Second)
	})
}
