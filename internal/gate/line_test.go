package gate

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func newTestGate() *Gate {
	return New(Options{
		Now:       time.Now,
		AfterFunc: func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop },
	})
}

func TestALineIsKeptAsLongAsItIsWorthKnowing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request Request
		result  Result
		want    time.Duration
	}{
		"an answer, for the rate":      {Request{}, Result{Outcome: Answered}, time.Second},
		"nothing":                      {Request{}, Result{Outcome: Unsent}, 0},
		"a request that was cut":       {Request{}, Result{Outcome: Cut}, 0},
		"a failure":                    {Request{}, Result{Outcome: Failed}, 10 * time.Minute},
		"a retry":                      {Request{Failures: 1}, Result{Outcome: Cut}, time.Minute},
		"an urgent retry":              {Request{Failures: 1, Urgent: true}, Result{Outcome: Cut}, 0},
		"a throttled client":           {Request{}, Result{Throttled, 15 * time.Minute}, 25 * time.Minute},
		"a throttled provider":         {Request{Shared: true}, Result{Throttled, 15 * time.Minute}, 25 * time.Minute},
		"a configured rate":            {Request{Limits: Limits{Requests: 1, Period: time.Hour}}, Result{Outcome: Cut}, time.Hour},
		"a configured rate, not drawn": {Request{Limits: Limits{Requests: 1, Period: time.Hour}}, Result{Outcome: Unsent}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newTestGate()
				c.request.Key = "key"
				c.request.Run = func(*Turn) Result { return c.result }
				g.Submit(c.request)
				known := func() bool {
					synctest.Wait()
					g.mu.Lock()
					defer g.mu.Unlock()
					return len(g.lines) == 1
				}
				if c.want > 0 {
					time.Sleep(c.want - time.Millisecond)
					if !known() {
						t.Errorf("forgotten before %s", c.want)
					}
					time.Sleep(time.Millisecond)
				}
				if known() {
					t.Errorf("still known after %s", c.want)
				}
			})
		})
	}
}

func TestTheFirstRateIsWhatWasAcceptedLately(t *testing.T) {
	t.Parallel()
	for shared, want := range map[bool]float64{false: 2 * caution, true: 5 * caution} {
		synctest.Test(t, func(t *testing.T) {
			g := newTestGate()
			submit := func(n int, client string, outcome Outcome) {
				for range n {
					g.Submit(Request{Key: "key", Client: client, Shared: shared, Run: func(*Turn) Result { return Result{Outcome: outcome} }})
				}
				synctest.Wait()
			}
			submit(4, "a", Answered)
			time.Sleep(500 * time.Millisecond)
			submit(2, "a", Answered)
			submit(3, "b", Answered)
			time.Sleep(500 * time.Millisecond)
			submit(1, "a", Throttled)
			learned := &g.lines["key"].throttle
			if !shared {
				learned = &g.lines["key"].clients["a"].throttle
			}
			if learned.rate != want {
				t.Errorf("shared is %t: %g per second, want %g", shared, learned.rate, want)
			}
		})
	}
}

func TestAWithdrawnRequestLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newTestGate()
		run := func(*Turn) Result { return Result{Outcome: Throttled, RetryAfter: time.Minute} }
		g.Submit(Request{Key: "key", Run: run})
		synctest.Wait()
		g.Withdraw(g.Submit(Request{Key: "key", Namespace: "gone", Run: run}))
		l := g.lines["key"]
		if len(l.roster.namespaces) != 0 || l.roster.rotations[0].Len() != 0 || l.roster.rotations[1].Len() != 0 {
			t.Errorf("%d namespaces are still known", len(l.roster.namespaces))
		}
	})
}

func TestAPanicFreesItsSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newTestGate()
		block := make(chan struct{})
		l := &line{key: "key"}
		g.lines["key"] = l
		ticket := l.add(&Request{Run: func(*Turn) Result { panic("a bug") }})
		l.start(g.now(), ticket)
		l.limits.MaxConcurrent = 1
		g.Submit(Request{Key: "key", Limits: l.limits, Run: func(*Turn) Result { close(block); return Result{} }})
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			g.run(l, ticket)
		}()
		<-block
	})
}

// TestWhateverHappensAllHaveTheirTurn lets requests of all kinds meet everything that
// can happen, and sees to it that no bound is broken and nobody left behind.
func TestWhateverHappensAllHaveTheirTurn(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			g, rand := newTestGate(), rand.New(rand.NewPCG(seed, 1))
			var mu sync.Mutex
			running, most, ran, withdrawn := 0, 0, 0, 0
			// draw answers a number below n.
			draw := func(n int) int {
				mu.Lock()
				defer mu.Unlock()
				return rand.IntN(n)
			}
			count := func(change int) {
				mu.Lock()
				defer mu.Unlock()
				running += change
				most = max(most, running)
				ran += max(change, 0)
			}
			run := func(turn *Turn) Result {
				count(1)
				wantReasonsToWait(t, turn.gate, turn.ticket.line)
				time.Sleep(time.Duration(draw(1000)) * time.Millisecond)
				count(-1)
				if draw(4) == 0 {
					turn.Release()
					time.Sleep(time.Second)
				}
				outcome := []Outcome{Answered, Answered, Failed, Throttled, Unsent, Cut}[draw(6)]
				return Result{Outcome: outcome, RetryAfter: time.Duration(draw(3)) * 10 * time.Second}
			}
			const requests = 2000
			for i := range requests {
				ticket := g.Submit(Request{
					Key: "key", Namespace: fmt.Sprint(draw(9)), Client: fmt.Sprint(draw(30)), Shared: draw(50) == 0,
					Limits: Limits{MaxConcurrent: 4, Requests: 100, Period: time.Second, Burst: 10},
					Held:   draw(2) == 0, ExpiresAt: time.Now().Add(time.Duration(draw(1000)) * time.Second), Failures: draw(2),
					Common: i%2 == 0, Urgent: draw(20) == 0, Run: run,
				})
				wantReasonsToWait(t, g, ticket.line)
				if draw(10) == 0 && g.Withdraw(ticket) {
					withdrawn++
				}
				if i%10 == 0 {
					time.Sleep(time.Duration(draw(2000)) * time.Millisecond)
				}
			}
			time.Sleep(48 * time.Hour)
			synctest.Wait()
			if most > 4 || ran+withdrawn != requests || g.Waiting("key") != 0 {
				t.Errorf("seed %d: %d at a time; %d ran and %d were withdrawn of %d", seed, most, ran, withdrawn, requests)
			}
			if len(g.lines) != 0 {
				t.Errorf("seed %d: the line is still known", seed)
			}
		})
	}
}

// wantReasonsToWait sees to it that what is urgent waits for nothing but what may hold it
// up, and is looked at again.
func wantReasonsToWait(t *testing.T, g *Gate, l *line) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if l.running >= l.limits.concurrent() {
		return
	}
	for _, ticket := range l.roster.urgent {
		at := later(l.readyAt(), l.throttledUntil(ticket))
		if at.Before(g.now()) || l.alarm == nil || l.alarm.at.After(at) {
			t.Errorf("%s: an urgent request that may start at %s waits, alarm %+v", g.now(), at, l.alarm)
		}
	}
}

func BenchmarkSubmitBehindTenThousand(b *testing.B) {
	for _, waiting := range []int{100, 10_000} {
		b.Run(fmt.Sprint(waiting), func(b *testing.B) {
			g := newTestGate()
			start, end := make(chan struct{}), make(chan struct{})
			run := func(*Turn) Result {
				start <- struct{}{}
				<-end
				return Result{Outcome: Answered}
			}
			now := time.Now()
			submit := func(i int) {
				g.Submit(Request{
					Key: "key", Namespace: fmt.Sprint(i % 100), Client: fmt.Sprint(i), Limits: Limits{MaxConcurrent: 1},
					Held: i%2 == 0, ExpiresAt: now.Add(time.Duration(i*7919%10_000) * time.Second), Failures: i % 3, Run: run,
				})
			}
			for i := range waiting + 1 {
				submit(i)
			}
			<-start
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; b.Loop(); i++ {
				submit(i)
				end <- struct{}{}
				<-start
			}
		})
	}
}
