package gate_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokensync/tokensync/internal/gate"
)

// open opens the breaker.
func open(t *testing.T, g *gate.Gate) {
	t.Helper()
	for range 5 {
		g.Submit(gate.Request{Key: "key", Run: func(*gate.Turn) gate.Result { return gate.Result{Outcome: gate.Failed} }})
		synctest.Wait()
	}
	if !g.Closed("key", "") {
		t.Fatal("five failures in a row did not close the line")
	}
}

func TestABrokenProviderIsProbedAndRecoversWithoutAStampede(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, probes, served := newGate(), newJournal(), newJournal()
		open(t, g)
		var up atomic.Bool
		for i := range 50 {
			// Those who have failed before are no reason to recover slowly.
			g.Submit(gate.Request{Key: "key", Failures: i, Run: func(*gate.Turn) gate.Result {
				if !up.Load() {
					probes.note("failed")
					return gate.Result{Outcome: gate.Failed}
				}
				time.Sleep(time.Second)
				served.note("answered")
				return gate.Result{Outcome: gate.Answered}
			}})
		}
		after(21 * time.Second)
		probes.wantTimes(t, 5*time.Second, 10*time.Second, 15*time.Second, 20*time.Second)
		if !g.Closed("key", "") {
			t.Fatal("the line is open")
		}
		up.Store(true)
		after(5500 * time.Millisecond)
		if g.Closed("key", "") {
			t.Error("an answer did not open the line")
		}
		after(time.Minute)
		var perSecond []int
		for i, at := range served.ran() {
			if i == 0 || at != served.ran()[i-1] {
				perSecond = append(perSecond, 0)
			}
			perSecond[len(perSecond)-1]++
		}
		// The probe, then one, then two more with each success; the budget opens up on
		// the way, as all but one are retries.
		if served.count() != 46 || fmt.Sprint(perSecond[:2]) != "[1 1]" || perSecond[2] > 3 {
			t.Errorf("%d were served, by the second %d", served.count(), perSecond)
		}
	})
}

func TestSlowStartAfterTheFirstSuccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		open(t, g)
		for range 40 {
			g.Submit(gate.Request{Key: "key", Run: j.takes(time.Second, "", gate.Answered)})
		}
		after(time.Minute)
		counts := map[time.Duration]int{}
		for _, at := range j.ran() {
			counts[at]++
		}
		// The probe, one, three, nine, and then as many as the limit allows.
		for i, want := range []int{1, 1, 3, 9, 10, 10, 6} {
			if at := 6*time.Second + time.Duration(i)*time.Second; counts[at] != want {
				t.Errorf("%d ended at %s, want %d", counts[at], at, want)
			}
		}
	})
}

func TestTwoFailuresRightAfterAProbeOpenTheBreakerAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		open(t, g)
		for _, outcome := range []gate.Outcome{gate.Answered, gate.Failed, gate.Failed, gate.Answered, gate.Failed, gate.Answered} {
			g.Submit(gate.Request{Key: "key", Run: j.takes(0, "", outcome)})
		}
		after(time.Minute)
		const first, second = 5 * time.Second, 10 * time.Second
		j.wantTimes(t, first, first, first, second, second, second)
	})
}

func TestWhatOpensTheBreaker(t *testing.T) {
	t.Parallel()
	repeat := func(n int, outcomes ...gate.Outcome) []gate.Outcome {
		var all []gate.Outcome
		for range n {
			all = append(all, outcomes...)
		}
		return all
	}
	const a, f = gate.Answered, gate.Failed
	for name, c := range map[string]struct {
		outcomes []gate.Outcome
		want     bool
	}{
		"four failures":                     {repeat(4, f), false},
		"five failures in a row":            {repeat(5, f), true},
		"an answer between them":            {append(repeat(4, f), a, f), false},
		"half of ten":                       {repeat(5, a, f), true},
		"half of nine":                      {[]gate.Outcome{f, f, f, a, f, a, a, a, f}, false},
		"half of the last twenty":           {append(repeat(20, a), repeat(10, a, f)...), true},
		"less than half of the last twenty": {append(repeat(20, a), repeat(9, a, f)...), false},
		"half of twenty, but not of the last": {
			slices.Concat(repeat(6, a, a, f), repeat(6, a), repeat(7, a, f)), false,
		},
		"requests that were cut":             {repeat(20, gate.Cut), false},
		"requests that were never sent":      {repeat(20, gate.Unsent), false},
		"failures, and one cut between them": {append(repeat(4, f), gate.Cut, f), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				for _, outcome := range c.outcomes {
					g.Submit(gate.Request{Key: "key", Run: newJournal().takes(0, "", outcome)})
					synctest.Wait()
				}
				if g.Closed("key", "") != c.want {
					t.Errorf("closed is %t, want %t", !c.want, c.want)
				}
			})
		})
	}
}

func TestRefusalsDoNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		for range 20 {
			g.Submit(gate.Request{Key: "key", Run: j.takes(0, "", gate.Throttled)})
			after(time.Minute)
		}
		after(time.Hour)
		if j.count() != 20 || g.Closed("key", "") {
			t.Errorf("%d ran, and closed is %t", j.count(), g.Closed("key", ""))
		}
	})
}

func TestProbesGoToTheOneThatHasWaitedLongestOfEachNamespaceInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		open(t, g)
		var fail func(namespace, name string)
		fail = func(namespace, name string) {
			g.Submit(gate.Request{Key: "key", Namespace: namespace, Held: true, ExpiresAt: time.Now(), Run: func(*gate.Turn) gate.Result {
				j.note(name)
				if j.count() < 8 {
					fail(namespace, name)
				}
				return gate.Result{Outcome: gate.Failed}
			}})
		}
		fail("large", "a")
		g.Submit(gate.Request{Key: "key", Namespace: "large", Failures: 2, Run: j.takes(0, "b", gate.Failed)})
		fail("large", "c")
		fail("small", "x")
		after(41 * time.Second)
		j.want(t, "a", "x", "b", "x", "c", "x", "a", "x")
		after(time.Hour)
	})
}

func TestAProbeThatWasNeverSentCostsNoPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		open(t, g)
		for _, outcome := range []gate.Outcome{gate.Unsent, gate.Failed, gate.Answered} {
			g.Submit(gate.Request{Key: "key", Run: j.takes(0, "", outcome)})
		}
		after(time.Minute)
		j.wantTimes(t, 5*time.Second, 5*time.Second, 10*time.Second)
	})
}

func TestTheDistanceBetweenProbes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wanted      []time.Duration // of those who wait
		quick, slow time.Duration
	}{
		"by default":             {[]time.Duration{0, 0}, 5 * time.Second, 30 * time.Second},
		"the shortest counts":    {[]time.Duration{0, 2 * time.Second, 4 * time.Second}, 2 * time.Second, 12 * time.Second},
		"never under a second":   {[]time.Duration{time.Millisecond}, time.Second, 6 * time.Second},
		"never over the default": {[]time.Duration{time.Minute}, 5 * time.Second, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g, j := newGate(), newJournal()
				open(t, g)
				var fail func(wanted time.Duration)
				fail = func(wanted time.Duration) {
					g.Submit(gate.Request{Key: "key", Patience: wanted, Run: func(*gate.Turn) gate.Result {
						if j.note(""); j.count() < 70 {
							fail(wanted)
						}
						return gate.Result{Outcome: gate.Failed}
					}})
				}
				for _, wanted := range c.wanted {
					fail(wanted)
				}
				after(24 * time.Hour)
				if j.ran()[0] != c.quick || j.ran()[30]-j.ran()[29] != c.quick || j.ran()[65]-j.ran()[64] != c.slow {
					t.Errorf("probes at %s, want them %s apart and then %s", j.ran(), c.quick, c.slow)
				}
			})
		})
	}
}

func TestOneProbeAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		open(t, g)
		for range 3 {
			g.Submit(gate.Request{Key: "key", Run: j.takes(30*time.Second, "", gate.Failed)})
		}
		after(time.Hour)
		j.wantTimes(t, 35*time.Second, 65*time.Second, 95*time.Second)
	})
}

func TestFailuresFromBeforeTheBreakerOpenedDoNotOpenItAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		for range 5 {
			g.Submit(gate.Request{Key: "key", Run: j.takes(10*time.Second, "late", gate.Failed)})
		}
		open(t, g)
		g.Submit(gate.Request{Key: "key", Run: j.takes(0, "probe", gate.Answered)})
		after(time.Minute)
		if g.Closed("key", "") {
			t.Error("old failures opened the breaker")
		}
		j.want(t, "probe", "late", "late", "late", "late", "late")
	})
}

func TestAnAnswerToAnOldRequestEndsAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		g.Submit(gate.Request{Key: "key", Run: j.takes(time.Second, "", gate.Answered)})
		open(t, g)
		g.Submit(gate.Request{Key: "key", Run: j.takes(0, "", gate.Answered)})
		after(time.Minute)
		j.wantTimes(t, time.Second, time.Second)
	})
}

func TestTheDistanceBetweenProbesIsLongAgainOnceNobodyNeedsItShort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		open(t, g)
		for _, wanted := range []time.Duration{time.Second, 0, 0} {
			g.Submit(gate.Request{Key: "key", Patience: wanted, Run: j.takes(0, "", gate.Failed)})
		}
		after(time.Minute)
		j.wantTimes(t, time.Second, 6*time.Second, 11*time.Second)
	})
}
