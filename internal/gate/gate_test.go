package gate_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokensync/tokensync/internal/gate"
)

func newGate() *gate.Gate {
	return gate.New(gate.Options{
		Now: time.Now,
		AfterFunc: func(d time.Duration, f func()) func() bool {
			return time.AfterFunc(d, f).Stop
		},
	})
}

// journal notes what ran, and when.
type journal struct {
	mu    sync.Mutex
	start time.Time
	names []string
	times []time.Duration
}

func newJournal() *journal { return &journal{start: time.Now()} }

func (j *journal) note(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.names = append(j.names, name)
	j.times = append(j.times, time.Since(j.start))
}

// restart forgets what ran.
func (j *journal) restart() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.names, j.times, j.start = nil, nil, time.Now()
}

// ran answers when something ran.
func (j *journal) ran() []time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.times)
}

func (j *journal) count() int { return len(j.ran()) }

// want checks what ran, in which order.
func (j *journal) want(t *testing.T, want ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Equal(j.names, want) {
		t.Errorf("ran in the order\n     %q\nwant %q", j.names, want)
	}
}

// wantTimes checks when it ran.
func (j *journal) wantTimes(t *testing.T, want ...time.Duration) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Equal(j.times, want) {
		t.Errorf("ran at\n     %s\nwant %s", j.times, want)
	}
}

// takes answers a Run that takes a while, notes its end, and has an outcome.
func (j *journal) takes(d time.Duration, name string, outcome gate.Outcome) func(*gate.Turn) gate.Result {
	return func(*gate.Turn) gate.Result {
		time.Sleep(d)
		j.note(name)
		return gate.Result{Outcome: outcome}
	}
}

// after lets the clock run, and all who wait for it.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestAKeyRunsNoMoreThanItsLimit(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]int{3: 3, 0: gate.DefaultMaxConcurrent} {
		synctest.Test(t, func(t *testing.T) {
			g, j := newGate(), newJournal()
			for range 20 {
				g.Submit(gate.Request{Key: "key", Limits: gate.Limits{MaxConcurrent: limit}, Run: j.takes(time.Second, "", gate.Answered)})
			}
			after(time.Second)
			if j.count() != want || g.Waiting("key") != 20-2*want {
				t.Errorf("%d ran at a time and %d wait, want %d and %d", j.count(), g.Waiting("key"), want, 20-2*want)
			}
			after(10 * time.Second)
			if j.count() != 20 || g.Waiting("key") != 0 {
				t.Errorf("%d ran, and %d wait", j.count(), g.Waiting("key"))
			}
		})
	}
}

func TestAChangedLimitHoldsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		submit := func(limits gate.Limits) {
			g.Submit(gate.Request{Key: "key", Limits: limits, Run: j.takes(0, "", gate.Answered)})
		}
		hourly := gate.Limits{Requests: 1, Period: time.Hour}
		for range 10 {
			submit(hourly)
		}
		after(time.Hour + time.Minute)
		j.wantTimes(t, 0, time.Hour)
		submit(gate.Limits{Requests: 60, Period: time.Minute})
		// Of the hour before the next one, 59 minutes were left: that makes 59/60 of a second.
		after(2 * time.Second)
		if want := time.Hour + time.Minute + 59*time.Second/60; j.count() != 4 || j.ran()[2] != want {
			t.Errorf("ran at %s, want the third at %s", j.ran(), want)
		}
		submit(gate.Limits{})
		after(0)
		if j.count() != 12 {
			t.Errorf("%d ran without a limit, want all 12", j.count())
		}
	})
}

func TestRequestsKeepToTheConfiguredRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		limits := gate.Limits{Requests: 2, Period: time.Second, Burst: 3}
		for range 6 {
			g.Submit(gate.Request{Key: "key", Limits: limits, Run: j.takes(0, "", gate.Answered)})
		}
		g.Submit(gate.Request{Key: "key", Limits: limits, Run: j.takes(0, "", gate.Unsent)})
		g.Submit(gate.Request{Key: "key", Limits: limits, Run: j.takes(0, "", gate.Answered)})
		after(time.Minute)
		j.wantTimes(t, 0, 0, 0, 500*time.Millisecond, time.Second, 1500*time.Millisecond, 2*time.Second, 2*time.Second)
	})
}

func TestTheOrderWithinANamespace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		submit := func(name string, r gate.Request) {
			r.Key, r.Limits.MaxConcurrent, r.Run = "key", 1, j.takes(time.Second, name, gate.Answered)
			g.Submit(r)
		}
		at := func(d time.Duration) time.Time { return time.Now().Add(d) }
		submit("under way", gate.Request{})
		submit("none, failed", gate.Request{Failures: 3})
		submit("none, first", gate.Request{})
		submit("none, second", gate.Request{})
		submit("unknown expiry", gate.Request{Held: true})
		submit("an hour", gate.Request{Held: true, ExpiresAt: at(time.Hour)})
		submit("two minutes, failed", gate.Request{Held: true, ExpiresAt: at(2 * time.Minute), Failures: 9})
		submit("a minute, failed", gate.Request{Held: true, ExpiresAt: at(time.Minute), Failures: 1})
		submit("a minute", gate.Request{Held: true, ExpiresAt: at(time.Minute)})
		after(time.Minute)
		j.want(t, "under way", "a minute", "a minute, failed", "two minutes, failed", "an hour", "unknown expiry",
			"none, first", "none, second", "none, failed")
	})
}

func TestNamespacesTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		submit := func(namespace string, held bool) {
			g.Submit(gate.Request{
				Key: "key", Namespace: namespace, Held: held, Limits: gate.Limits{MaxConcurrent: 1},
				Run: j.takes(time.Second, namespace, gate.Answered),
			})
		}
		for range 4 {
			submit("large", true)
		}
		submit("small", false)
		submit("small", false)
		submit("other", false)
		after(time.Minute)
		j.want(t, "large", "large", "small", "other", "large", "small", "large")
	})
}

func TestAProviderThatHangsHoldsUpOnlyItsOwnLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		for range 20 {
			g.Submit(gate.Request{Key: "hanging", Run: j.takes(time.Hour, "hanging", gate.Cut)})
		}
		g.Submit(gate.Request{Key: "healthy", Run: j.takes(0, "healthy", gate.Answered)})
		after(0)
		j.want(t, "healthy")
		after(10 * time.Hour) // Let the others end.
	})
}

func TestARequestThatIsWithdrawnNeverRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		submit := func(name string) *gate.Ticket {
			return g.Submit(gate.Request{Key: "key", Namespace: name, Limits: gate.Limits{MaxConcurrent: 1}, Run: j.takes(time.Second, name, gate.Answered)})
		}
		first, second, third := submit("first"), submit("second"), submit("third")
		if g.Withdraw(first) || !g.Withdraw(second) || g.Withdraw(second) {
			t.Error("only the one that waits can be withdrawn, once")
		}
		after(time.Minute)
		j.want(t, "first", "third")
		if g.Withdraw(third) {
			t.Error("what has run was withdrawn")
		}
	})
}

func TestASlotIsFreeOnceItIsReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		var turn atomic.Pointer[gate.Turn]
		for i := range 3 {
			g.Submit(gate.Request{Key: "key", Limits: gate.Limits{MaxConcurrent: 1}, Run: func(own *gate.Turn) gate.Result {
				time.Sleep(time.Second)
				j.note(fmt.Sprint(i))
				own.Release()
				own.Release()
				turn.Store(own)
				time.Sleep(time.Hour) // To evaluate the answer.
				return gate.Result{Outcome: gate.Throttled, RetryAfter: time.Minute}
			}})
		}
		after(time.Minute)
		j.wantTimes(t, time.Second, 2*time.Second, 3*time.Second)
		after(time.Hour)
		if _, held := g.HeldUntil("key", "", ""); !held {
			t.Error("the result after the release was lost")
		}
		turn.Load().Release() // Too late, and of no effect.
	})
}

func TestARequestThatEndsItsGoroutineFreesItsSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, j := newGate(), newJournal()
		g.Submit(gate.Request{Key: "key", Limits: gate.Limits{MaxConcurrent: 1}, Run: func(*gate.Turn) gate.Result {
			runtime.Goexit()
			return gate.Result{}
		}})
		g.Submit(gate.Request{Key: "key", Limits: gate.Limits{MaxConcurrent: 1}, Run: j.takes(0, "next", gate.Answered)})
		after(0)
		j.want(t, "next")
	})
}
